//! lsio_codecs
