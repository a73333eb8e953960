//! Arrays: their metadata, and the plans behind their reads.

use std::sync::Arc;

use lsio_array::{ChunkGrid, ResolvedSelection, TouchedChunks};
use lsio_compute::SourceHandle;
use lsio_zarr::{ArrayMetadata, ZarrArray};

use crate::{DimensionSelection, Engine, ErrorCode, LsioError};

/// An opened array.
#[derive(Debug)]
pub struct Array {
    pub(crate) engine: Arc<Engine>,
    pub(crate) zarr: Arc<ZarrArray>,
    pub(crate) handle: Arc<SourceHandle>,
}

impl Array {
    pub(crate) fn new(engine: &Arc<Engine>, zarr: Arc<ZarrArray>) -> Result<Self, LsioError> {
        let path = zarr.path().clone();
        let register = |zarr: Arc<ZarrArray>| engine.executor.register(zarr);
        let (zarr, handle) = engine.open_nodes.array(zarr, register).ok_or_else(|| {
            let message = "the shape of the chunks does not fit the shape of the array";
            LsioError::new(ErrorCode::Metadata, message).at(path.as_str())
        })?;
        Ok(Self { engine: engine.clone(), zarr, handle })
    }

    /// What the array's metadata says.
    #[must_use]
    pub fn metadata(&self) -> &ArrayMetadata {
        self.zarr.metadata()
    }

    /// Location of the array.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.handle.source().info().name
    }

    /// Path of the array in its store.
    #[must_use]
    pub fn path(&self) -> &str {
        self.zarr.path().as_str()
    }

    /// The array's chunk grid.
    #[must_use]
    pub fn grid(&self) -> &ChunkGrid {
        self.handle.grid()
    }

    /// Bytes of all elements without compression.
    #[must_use]
    pub fn decoded_bytes(&self) -> u64 {
        self.zarr.decoded_bytes()
    }

    /// The array as the executor knows it, for functions of one's own on its chunks.
    #[must_use]
    pub fn source(&self) -> &Arc<SourceHandle> {
        &self.handle
    }

    /// Bytes that the array's chunks take in its store. `done` is called once, on a thread of the
    /// engine.
    pub fn stored_bytes(
        self: &Arc<Self>,
        done: impl FnOnce(Result<u64, LsioError>) + Send + 'static,
    ) {
        let array = self.clone();
        self.engine.control.run(move || {
            done(array.zarr.stored_bytes(&array.engine.memory).map_err(LsioError::from));
        });
    }

    /// What a selection means on this array; `None` is all of it.
    ///
    /// # Errors
    /// [`ErrorCode::Selection`] that names the dimension and the bound.
    pub fn resolve(
        &self,
        selection: Option<&[DimensionSelection]>,
    ) -> Result<ResolvedSelection, LsioError> {
        let shape = self.grid().shape();
        match selection {
            None => Ok(ResolvedSelection::all(shape)),
            Some(selection) => Ok(ResolvedSelection::resolve(selection, shape)?),
        }
    }

    /// The chunks that a selection touches. Chunks of one shard follow one another, unless
    /// `grid_order` asks for the C order of the grid.
    ///
    /// # Errors
    /// [`ErrorCode::Selection`] for more chunks than 64 bits can count.
    pub fn touched_chunks(
        &self,
        selection: ResolvedSelection,
        grid_order: bool,
    ) -> Result<TouchedChunks, LsioError> {
        let metadata = self.metadata();
        let shard = metadata.shard_shape.as_ref().filter(|_| !grid_order);
        let group = shard.map(|shard| {
            let sizes = shard.iter().zip(&metadata.chunk_shape);
            sizes.map(|(shard, chunk)| shard / chunk).collect::<Vec<u64>>()
        });
        let touched = TouchedChunks::new(self.grid().clone(), selection);
        let touched = touched.and_then(|touched| match group {
            Some(group) => touched.grouped(&group),
            None => Some(touched),
        });
        touched.ok_or_else(|| {
            let message = "the selection touches more chunks than 64 bits can count";
            LsioError::new(ErrorCode::Selection, message).at(self.name())
        })
    }
}
