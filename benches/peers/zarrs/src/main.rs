//! Reads the benchmark's data sets with zarrs, and raw ranges with plain threads and with object_store.
//!
//! Usage: `zarrs-peer PROGRAM TASK DATASET ROUNDS [key=value ...]`. Each round prints one JSON line.
//!
//! | program | tasks | what it does |
//! |---|---|---|
//! | `zarrs` | `whole` | `retrieve_array_subset` |
//! | `zarrs-into` | `whole` | `retrieve_array_subset_into` a buffer on huge pages, kept over rounds |
//! | both | `chunks`, `mean` | every (inner) chunk in a parallel loop, one element of each 4 KiB or all of them looked at |
//! | both | `crops-many`, `crops-concurrent` | every crop in a parallel loop |
//! | `pread-threads` | `ranges` | plain pread through the page cache, a thread per core |
//! | `object-store-local` | `ranges` | `get_range` of object_store's LocalFileSystem, many at once |

#[path = "../../../ceilings/src/arguments.rs"]
mod arguments;
#[path = "../../../ceilings/src/crops.rs"]
mod crops;
#[path = "../../../ceilings/src/huge_pages.rs"]
mod huge_pages;
#[path = "../../../ceilings/src/measurement.rs"]
mod measurement;
mod object_store_ranges;
mod pread_threads;
#[path = "../../../ceilings/src/ranges.rs"]
mod ranges;
mod zarrs_chunks;
mod zarrs_crops;
mod zarrs_whole;

use std::sync::Arc;

use arguments::Arguments;
use zarrs::array::Array;
use zarrs::filesystem::FilesystemStore;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let open = || -> Result<Array<FilesystemStore>, Failure> {
        let store = Arc::new(FilesystemStore::new(&arguments.data_set)?);
        Ok(Array::open(store, "/")?)
    };
    match (arguments.program.as_str(), arguments.task.as_str()) {
        ("pread-threads", "ranges") => pread_threads::ranges(&arguments),
        ("object-store-local", "ranges") => object_store_ranges::ranges(&arguments),
        ("zarrs", "whole") => zarrs_whole::whole(&arguments, &open()?),
        ("zarrs-into", "whole") => zarrs_whole::whole_into(&arguments, &open()?),
        ("zarrs" | "zarrs-into", "chunks") => zarrs_chunks::chunks(&arguments, &open()?),
        ("zarrs" | "zarrs-into", "mean") => zarrs_chunks::mean(&arguments, &open()?),
        ("zarrs" | "zarrs-into", "crops-many" | "crops-concurrent") => {
            zarrs_crops::crops(&arguments, &open()?)
        }
        (program, task) => Err(format!("no program '{program}' for the task '{task}'").into()),
    }
}

/// Bytes of one element.
fn element_size<S: ?Sized>(array: &Array<S>) -> Result<usize, Failure> {
    Ok(array.data_type().fixed_size().ok_or("elements of no fixed size")?)
}

fn decoded_bytes<S: ?Sized>(array: &Array<S>) -> Result<usize, Failure> {
    Ok(array.shape().iter().product::<u64>() as usize * element_size(array)?)
}

/// Sum of the raw bits of the elements at multiples of 4096 bytes.
fn checksum(size: usize, decoded: &[u8]) -> u64 {
    let bits =
        |page: &[u8]| page[..size].iter().rev().fold(0, |bits, &byte| bits << 8 | u64::from(byte));
    decoded.chunks(4096).map(bits).sum()
}
