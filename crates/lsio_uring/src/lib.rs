//! lsio_uring
