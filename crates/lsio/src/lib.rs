//! lsio
