//! What the machine can do at best: programs for one task alone, with a thread per core and buffers that
//! are re-used, that light-speed-io is held against.
//!
//! Usage: `ceilings PROGRAM TASK DATASET ROUNDS [key=value ...]`. Each round prints one JSON line.
//!
//! | program | tasks | what it does |
//! |---|---|---|
//! | `memcpy` | `whole` | copies as many bytes as the array has |
//! | `codec` | `whole`, `chunks` | decodes all chunks from memory, each thread into a buffer of its own |
//! | `direct` | `whole`, `chunks`, `mean`, `crops-many` | reads, decodes, and places, shows, sums or cuts out |
//! | `raw-ring` | `whole`, `ranges` | reads all files past the page cache through one ring |
//! | `pread-hot` | `whole`, `ranges` | reads all files from the page cache |
//! | `fs-loop` | `chunks` | open, statx, read and close for each chunk file |
//! | `reduce` | `mean` | sums chunks that stay in the cache |
//!
//! `decodedBytes` of programs that only read is what the bytes they read decode to; `storedBytes` is what
//! they read.

mod arguments;
mod array;
mod blosc_container;
mod codec;
mod crops;
mod decoder;
mod direct;
mod direct_crops;
mod file_loop;
mod files;
mod huge_pages;
mod measurement;
mod memory_copy;
mod placement;
mod ranges;
mod raw_ring;
mod read_ahead;
mod reduce;
mod ring_reader;
mod shared_bytes;
mod threads;
mod uncompressed;
mod unshuffle;
mod worker;

use arguments::Arguments;
use array::Array;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let open = || Array::open(&arguments.data_set);
    match (arguments.program.as_str(), arguments.task.as_str()) {
        ("memcpy", _) => memory_copy::copy(&arguments, &open()?),
        ("codec", _) => codec::codec(&arguments, &open()?),
        ("direct", "chunks") => direct::chunks(&arguments, &open()?),
        ("direct", "crops-many") => direct_crops::crops(&arguments, &open()?),
        ("direct", "mean") => direct::mean(&arguments, &open()?),
        ("direct", "whole") => direct::whole(&arguments, &open()?),
        ("raw-ring", "ranges") => raw_ring::ranges(&arguments),
        ("raw-ring", "whole") => raw_ring::whole(&arguments, &open()?),
        ("pread-hot", _) => file_loop::from_page_cache(&arguments),
        ("fs-loop", _) => file_loop::each_file(&arguments, &open()?),
        ("reduce", _) => reduce::on_hot_memory(&arguments, &open()?),
        (program, task) => Err(format!("no program '{program}' for the task '{task}'").into()),
    }
}
