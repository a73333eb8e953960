//! The executor: everything that runs on chunks runs here.
//!
//! An [`Executor`] owns worker threads. A run takes the tasks of a [`lsio_array::TaskPlan`] one window
//! at a time, asks each chunk's source where it is, merges the reads, reserves their memory, reads,
//! decodes on whichever worker is free, and hands the chunks to an operation in the same job, while
//! they are in the processor's cache. The operations:
//!
//! - [`Executor::copy_into`] puts selected elements into one buffer,
//! - [`Executor::collect_variable`] does so for elements of varying length,
//! - [`Executor::deliver`] keeps chunks for a consumer, as a [`ChunkStream`],
//! - [`Executor::fold`] applies any function to the chunks and merges what it returns.
//!
//! Workers finish what was started before they start anything new, unless a device would fall idle.
//! No lock is held while a chunk is decoded or a function runs. The crate performs no I/O itself (a
//! worker may take bytes that a storage has in memory) and knows no format.

mod admission;
mod batch;
mod bell;
mod bundle;
mod bundling;
mod cache;
mod cached_chunk;
mod cached_inputs;
mod chunk_data;
mod collect_variable;
mod copy_into;
mod deliver;
mod device;
mod error;
mod executor;
mod flight;
mod fold;
mod fold_tree;
mod index_read;
mod lru;
mod operation;
mod panics;
mod piece_copy;
mod placing;
mod planning;
mod resumer;
mod run;
mod run_end;
mod run_handle;
mod settled_version;
mod source_handle;
mod stats;
mod task_job;
mod turns;
mod undelivered;
mod worker;
mod workspace;

pub use chunk_data::{ChunkData, ChunkValues};
pub use collect_variable::{CollectDone, VariableValues};
pub use copy_into::{CopyDone, CopyOutput};
pub use deliver::{BatchDone, ChunkStream, DeliverOptions};
pub use error::RunError;
pub use executor::Executor;
pub use fold::FunctionError;
pub use run::{MissingChunks, RunOptions};
pub use run_handle::RunHandle;
pub use source_handle::SourceHandle;
pub use stats::{ExecutorStats, RunStats};
