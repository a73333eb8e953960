//! A chunk source as the executor knows it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use lsio_array::{ChunkGrid, ChunkLayout, ChunkSource, strides_in_order};

use crate::executor::Shared;
use crate::flight::Flights;

/// A source registered with an executor. What was learned about it (shard indexes and the like) is
/// kept for as long as the handle lives.
pub struct SourceHandle {
    pub(crate) id: u64,
    pub(crate) source: Arc<dyn ChunkSource>,
    pub(crate) grid: ChunkGrid,
    /// Strides in elements of a decoded chunk as the source stores it.
    pub(crate) strides: Vec<u64>,
    /// Bytes of one element; `None` where elements vary in length.
    pub(crate) element: Option<usize>,
    /// What runs over this source share.
    pub(crate) flights: Flights,
    /// Whether the cache may have answers for it.
    pub(crate) has_answers: AtomicBool,
    shared: Weak<Shared>,
}

impl SourceHandle {
    /// `None` if the source's shapes do not fit one another.
    pub(crate) fn new(id: u64, source: Arc<dyn ChunkSource>, shared: &Arc<Shared>) -> Option<Self> {
        let info = source.info();
        let grid = source.grid()?;
        let strides = strides_in_order(&info.chunk_shape, &info.axis_order)?;
        let element = info.data_type.size();
        let (flights, shared) = (Flights::default(), Arc::downgrade(shared));
        let has_answers = AtomicBool::new(false);
        Some(Self { id, source, grid, strides, element, flights, has_answers, shared })
    }

    /// The source.
    #[must_use]
    pub fn source(&self) -> &Arc<dyn ChunkSource> {
        &self.source
    }

    /// How decoded chunks lie in memory.
    pub(crate) fn layout(&self) -> ChunkLayout<'_> {
        ChunkLayout { shape: self.grid.chunk_shape(), strides: &self.strides }
    }

    /// The source's chunk grid.
    #[must_use]
    pub fn grid(&self) -> &ChunkGrid {
        &self.grid
    }
}

impl Drop for SourceHandle {
    fn drop(&mut self) {
        if self.has_answers.load(Ordering::Relaxed)
            && let Some(shared) = self.shared.upgrade()
        {
            shared.cache.forget_source(self.id);
        }
    }
}

impl fmt::Debug for SourceHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceHandle")
            .field("id", &self.id)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}
