//! Data types, shapes, selections, chunk grids and strided copies, and the [`ChunkSource`] trait
//! that every chunked format implements.
//!
//! A request starts as [`DimensionSelection`]s. [`ResolvedSelection::resolve`] checks them against the
//! array's shape; a [`TaskPlan`] ([`TouchedChunks`] for one selection, [`ManySelections`] for several,
//! [`PointPlan`] and [`MaskPlan`] for single elements) lists, on demand, each chunk that is touched with its
//! [`Placement`]s: which elements of the chunk go where in the result. Most are a [`Region`]; what runs
//! backwards or jumps is [`Picks`]. A [`ChunkSource`] says where a chunk's bytes are and decodes them, a
//! [`ConvertedSource`] to elements of another type, a [`FieldSource`] to one field of records; a [`StridedCopy`] puts regions of decoded elements into an
//! [`OutputBuffer`], [`OutputBuffer::copy_runs`] the [`Run`]s of picks.
//!
//! This crate performs no I/O, starts no thread and knows no format.
//!
//! ```
//! use lsio_array::{ChunkGrid, DimensionSelection, ResolvedSelection, TaskPlan, TouchedChunks};
//!
//! let grid = ChunkGrid::new(&[100, 100], &[40, 40]).ok_or("ranks differ")?;
//! let wanted = [
//!     DimensionSelection::Index(-1),
//!     DimensionSelection::Slice { start: Some(30), stop: Some(50), step: None },
//! ];
//! let selection = ResolvedSelection::resolve(&wanted, grid.shape())?;
//! assert_eq!(selection.result_shape(), [20]);
//!
//! let plan = TouchedChunks::new(grid, selection).ok_or("too many chunks")?;
//! let task = TaskPlan::task(&plan, 1);
//! assert_eq!(TaskPlan::len(&plan), 2);
//! assert_eq!(task.inputs[0].chunk, [2, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bit_mask;
mod block_selection;
mod chunk_edges;
mod chunk_grid;
mod chunk_order;
mod conversion;
mod converted_source;
mod data_type;
mod dense_copy;
mod field_source;
mod listed_dimension;
mod mask_plan;
mod output_buffer;
mod picks;
mod placement;
mod point_plan;
mod run_copy;
mod scratch_decode;
mod selection;
mod selection_error;
mod small_float;
mod source;
mod strided_copy;
mod strides;
mod struct_type;
mod task;
mod time_step;
mod unsafe_rows;

pub use bit_mask::{BitMask, BitMaskBuilder};
pub use block_selection::resolve_blocks;
pub use chunk_edges::{ChunkEdges, ChunkEdgesError};
pub use chunk_grid::{ChunkGrid, TouchedChunks, checked_product};
pub use conversion::{Conversion, NoCodePoint};
pub use converted_source::ConvertedSource;
pub use data_type::DataType;
pub use field_source::{FieldSource, NoFieldSource};
pub use mask_plan::MaskPlan;
pub use output_buffer::OutputBuffer;
pub use picks::{ChunkLayout, Picks, Run};
pub use placement::{DimensionPlacement, Placement, Region};
pub use point_plan::{PointCoordinates, PointPlan, point_plan_bytes};
pub use run_copy::copy_runs;
pub use selection::{DimensionSelection, ResolvedSelection, SelectedDimension, SelectedRange};
pub use selection_error::{PlanError, SelectionError};
pub use small_float::SmallFloat;
pub use source::{
    Answer, ArrayInfo, ChunkError, ChunkErrorKind, ChunkSource, Decoded, Destination, Encoded,
    Kept, KnownReads, Location, Params, Parsed, ReadSpec, Reads, Resume, VariableChunk,
};
pub use strided_copy::StridedCopy;
pub use strides::{c_strides, strides_in_order};
pub use struct_type::{Endian, FieldPlace, StructError, StructField, StructPart, StructType};
pub use task::{ManySelections, Task, TaskInput, TaskPlan};
pub use time_step::{TimeStep, TimeUnit};
