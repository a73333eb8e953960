//! Arrays: their metadata, and the plans behind their reads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lsio_array::{
    ChunkGrid, ChunkSource, Conversion, ConvertedSource, DataType, FieldSource, NoFieldSource,
    ResolvedSelection, TouchedChunks,
};
use lsio_compute::SourceHandle;
use lsio_zarr::{ArrayMetadata, ZarrArray};

use crate::{DimensionSelection, Engine, ErrorCode, LsioError};

/// An opened array.
#[derive(Debug)]
pub struct Array {
    pub(crate) engine: Arc<Engine>,
    pub(crate) zarr: Arc<ZarrArray>,
    pub(crate) handle: Arc<SourceHandle>,
    /// What the metadata would say if the elements were stored as they are read, where they are not.
    converted: Option<ArrayMetadata>,
    /// This array as others, each made once.
    conversions: Mutex<Vec<Arc<Array>>>,
    /// Fields of its records as arrays, by their paths, each made once.
    fields: Mutex<HashMap<String, Arc<Array>>>,
}

impl Array {
    pub(crate) fn new(engine: &Arc<Engine>, zarr: Arc<ZarrArray>) -> Result<Self, LsioError> {
        let path = zarr.path().clone();
        let register = |zarr: Arc<ZarrArray>| engine.executor.register(zarr);
        let (zarr, handle) = engine.open_nodes.array(zarr, register).ok_or_else(|| {
            let message = "the shape of the chunks does not fit the shape of the array";
            LsioError::new(ErrorCode::Metadata, message).at(path.as_str())
        })?;
        Ok(Self {
            engine: engine.clone(),
            zarr,
            handle,
            converted: None,
            conversions: Mutex::default(),
            fields: Mutex::default(),
        })
    }

    /// What the array's metadata says; of a [`converted`](Self::converted) array, with the type and the
    /// fill value that its elements have now, of a [`field`](Self::field) with its dimensions too.
    #[must_use]
    pub fn metadata(&self) -> &ArrayMetadata {
        self.converted.as_ref().unwrap_or_else(|| self.zarr.metadata())
    }

    /// This array with elements of another type: each chunk is converted where it is decoded. See
    /// [`Conversion`] for what becomes what and how it is rounded.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] for a conversion that there is none of, [`ErrorCode::Budget`] for
    /// chunks that become too large.
    pub fn converted(self: &Arc<Self>, to: &DataType) -> Result<Arc<Self>, LsioError> {
        let from = &self.metadata().data_type;
        if from == to {
            return Ok(self.clone());
        }
        let mut conversions = self.conversions.lock().unwrap_or_else(PoisonError::into_inner);
        let known = conversions.iter().find(|array| array.metadata().data_type == *to);
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let refused = |code, message| LsioError::new(code, message).at(self.name());
        let conversion = Conversion::new(from, to).ok_or_else(|| {
            refused(ErrorCode::Unsupported, format!("{from} elements cannot be read as {to}"))
        })?;
        let source = ConvertedSource::new(self.handle.source().clone(), conversion);
        let handle = source.and_then(|source| {
            let fill_value = source.info().fill_value.clone();
            Some((self.engine.executor.register(Arc::new(source))?, fill_value))
        });
        let (handle, fill_value) = handle.ok_or_else(|| {
            refused(ErrorCode::Budget, format!("a chunk is too large to be read as {to}"))
        })?;
        let metadata =
            ArrayMetadata { data_type: to.clone(), fill_value, ..self.metadata().clone() };
        let array = self.viewed(handle, metadata);
        conversions.push(array.clone());
        Ok(array)
    }

    /// One field of this array's records, by its name or a path such as `position.x`: see
    /// [`StructType::find`](crate::StructType::find). Its dimensions, if it has any, come behind those of
    /// the array; a chunk has all of them.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] where there is no such field, or its fill value is not one element.
    pub fn field(self: &Arc<Self>, path: &str) -> Result<Arc<Self>, LsioError> {
        let mut fields = self.fields.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = fields.get(path) {
            return Ok(known.clone());
        }
        let refused = |code, message| LsioError::new(code, message).at(self.name());
        let source = FieldSource::new(self.handle.source().clone(), path);
        let source = source.map_err(|error| {
            let message = match error {
                NoFieldSource::NoSuchField => {
                    format!("{} elements have no field '{path}'", self.metadata().data_type)
                }
                NoFieldSource::UnevenFill => format!(
                    "the field '{path}' cannot be read by itself: its fill value differs between its elements"
                ),
            };
            refused(ErrorCode::Unsupported, message)
        })?;
        let info = source.info().clone();
        let own = info.shape.get(self.metadata().shape.len()..).unwrap_or_default();
        let with_own = |extents: &Vec<u64>| [extents.as_slice(), own].concat();
        let metadata = self.metadata();
        let metadata = ArrayMetadata {
            shape: info.shape.clone(),
            chunk_shape: info.chunk_shape,
            shard_shape: metadata.shard_shape.as_ref().map(with_own),
            stored_grid: metadata.stored_grid.as_ref().and_then(|grid| grid.followed_by(own)),
            data_type: info.data_type,
            fill_value: info.fill_value,
            dimension_names: metadata
                .dimension_names
                .as_ref()
                .map(|names| names.iter().cloned().chain(own.iter().map(|_| None)).collect()),
            ..metadata.clone()
        };
        let handle = self.engine.executor.register(Arc::new(source)).ok_or_else(|| {
            refused(ErrorCode::Budget, format!("a chunk is too large to read the field '{path}'"))
        })?;
        let array = self.viewed(handle, metadata);
        fields.insert(path.to_owned(), array.clone());
        Ok(array)
    }

    /// This array through another source.
    fn viewed(&self, handle: Arc<SourceHandle>, metadata: ArrayMetadata) -> Arc<Self> {
        Arc::new(Self {
            engine: self.engine.clone(),
            zarr: self.zarr.clone(),
            handle,
            converted: Some(metadata),
            conversions: Mutex::default(),
            fields: Mutex::default(),
        })
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

    /// Bytes of all elements without compression, as they are stored.
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

    /// Chunks per dimension of a shard, where the array has shards of one shape.
    pub(crate) fn chunks_per_shard(&self) -> Option<Vec<u64>> {
        let metadata = self.metadata();
        if metadata.stored_grid.is_some() {
            return None;
        }
        let sizes = metadata.shard_shape.as_ref()?.iter().zip(&metadata.chunk_shape);
        Some(sizes.map(|(shard, chunk)| shard / chunk).collect())
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
        let group = if grid_order { None } else { self.chunks_per_shard() };
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
