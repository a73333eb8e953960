//! lsio_compute
