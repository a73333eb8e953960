//! Data types, shapes, selections, chunk grids and strided copies, and the [`ChunkSource`] trait
//! that every chunked format implements.
//!
//! A request starts as [`DimensionSelection`]s. [`ResolvedSelection::resolve`] checks them against the
//! array's shape; a [`TaskPlan`] ([`TouchedChunks`] for one selection, [`ManySelections`] for several)
//! lists, on demand, each chunk that is touched with its [`Placement`]s: which region of the chunk goes
//! where in the result. A [`ChunkSource`] says where a chunk's bytes are and decodes them, a
//! [`ConvertedSource`] to elements of another type, a [`FieldSource`] to one field of records; a [`StridedCopy`] puts decoded elements into an
//! [`OutputBuffer`].
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

mod chunk_grid;
mod conversion;
mod converted_source;
mod data_type;
mod dense_copy;
mod field_source;
mod output_buffer;
mod selection;
mod small_float;
mod source;
mod strided_copy;
mod strides;
mod struct_type;
mod task;
mod time_step;
mod unsafe_rows;

pub use chunk_grid::{ChunkGrid, TouchedChunks, checked_product};
pub use conversion::{Conversion, NoCodePoint};
pub use converted_source::ConvertedSource;
pub use data_type::DataType;
pub use field_source::{FieldSource, NoFieldSource};
pub use output_buffer::OutputBuffer;
pub use selection::{DimensionSelection, ResolvedSelection, SelectedDimension, SelectionError};
pub use small_float::SmallFloat;
pub use source::{
    Answer, ArrayInfo, ChunkError, ChunkErrorKind, ChunkSource, Decoded, Destination, Encoded,
    KnownReads, Location, Params, ReadSpec, Reads, Resume, VariableChunk,
};
pub use strided_copy::StridedCopy;
pub use strides::{c_strides, strides_in_order};
pub use struct_type::{Endian, FieldPlace, StructError, StructField, StructPart, StructType};
pub use task::{DimensionPlacement, ManySelections, Placement, Task, TaskInput, TaskPlan};
pub use time_step::{TimeStep, TimeUnit};
