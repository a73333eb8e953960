//! lsio_zarr
