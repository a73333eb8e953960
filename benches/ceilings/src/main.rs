//! What the machine can do at best with one Zarr v3 array of float32 chunks under zstd: programs for one
//! task alone, with a thread per core and buffers that are re-used. Each prints one JSON line for each
//! round: `{ seconds, decodedBytes, storedBytes, checksum }`.
//!
//! Usage: `ceilings TASK ARRAY ROUNDS`, where TASK is
//!
//! - `memcpy`: copy as many bytes as the array has, from huge pages to huge pages;
//! - `codec`: decode all chunks from memory, each thread into a buffer of its own;
//! - `direct`: pread each chunk, decode it, place it into one result on huge pages;
//! - `raw`: read all chunk files past the page cache with O_DIRECT, eight at a time.

mod array;
mod huge_pages;

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use array::Array;
use huge_pages::HugePages;
use zstd_safe::DCtx;

/// Reads in flight of the `raw` task: more brought nothing on NVMe drives.
const RAW_THREADS: usize = 8;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, folder, rounds] = &arguments[..] else {
        return Err("usage: ceilings TASK ARRAY ROUNDS".into());
    };
    let array = Array::open(folder)?;
    let rounds: usize = rounds.parse()?;
    match task.as_str() {
        "memcpy" => memcpy(&array, rounds),
        "codec" => codec(&array, rounds),
        "direct" => direct(&array, rounds),
        "raw" => raw(&array, rounds),
        other => Err(format!("unknown task '{other}'").into()),
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, |count| count.get())
}

/// Runs `work` on several threads until it says that nothing is left.
fn on_threads(
    threads: usize,
    work: impl Fn(&AtomicUsize) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&next))).collect();
        running.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err("a thread panicked".into()))
        })
    })
}

fn report(started: Instant, array: &Array, checksum: Option<f64>) {
    let seconds = started.elapsed().as_secs_f64();
    let (decoded, stored) = (array.decoded_bytes(), array.stored_bytes);
    let checksum = checksum.map_or("null".to_owned(), |sum| sum.to_string());
    println!(
        "{{\"seconds\":{seconds},\"decodedBytes\":{decoded},\"storedBytes\":{stored},\"checksum\":{checksum}}}"
    );
}

fn memcpy(array: &Array, rounds: usize) -> Result<(), Failure> {
    let len = array.decoded_bytes();
    let (mut from, mut into) = (HugePages::new(len)?, HugePages::new(len)?);
    from.bytes().fill(1);
    into.bytes().fill(2);
    for _ in 0..rounds {
        let started = Instant::now();
        let part = len.div_ceil(cores());
        let (from, into) = (from.bytes(), into.bytes());
        thread::scope(|scope| {
            for (source, target) in from.chunks(part).zip(into.chunks_mut(part)) {
                scope.spawn(|| target.copy_from_slice(source));
            }
        });
        report(started, array, None);
    }
    Ok(())
}

fn codec(array: &Array, rounds: usize) -> Result<(), Failure> {
    let encoded: Vec<Vec<u8>> = array.files.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    for _ in 0..rounds {
        let started = Instant::now();
        on_threads(cores(), |next| {
            let mut context = DCtx::create();
            let mut decoded = vec![0u8; array.chunk_bytes()];
            while let Some(bytes) = encoded.get(next.fetch_add(1, Ordering::Relaxed)) {
                decode(&mut context, bytes, &mut decoded)?;
            }
            Ok(())
        })?;
        report(started, array, None);
    }
    Ok(())
}

fn direct(array: &Array, rounds: usize) -> Result<(), Failure> {
    let mut result = HugePages::new(array.decoded_bytes())?;
    for _ in 0..rounds {
        let started = Instant::now();
        let target = result.shared();
        on_threads(cores(), |next| {
            let mut context = DCtx::create();
            let mut encoded = Vec::new();
            let mut decoded = vec![0u8; array.chunk_bytes()];
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(path) = array.files.get(number) else { return Ok(()) };
                let file = File::open(path)?;
                encoded.resize(file.metadata()?.len() as usize, 0);
                (&file).read_exact(&mut encoded)?;
                decode(&mut context, &encoded, &mut decoded)?;
                array.place(number, &decoded, &target);
            }
        })?;
        report(started, array, Some(array.checksum(result.bytes())));
    }
    Ok(())
}

fn raw(array: &Array, rounds: usize) -> Result<(), Failure> {
    // A block more than the largest file, so that the read at its end stays aligned.
    let largest = array.largest_file.next_multiple_of(4096) + 4096;
    for _ in 0..rounds {
        let started = Instant::now();
        on_threads(RAW_THREADS, |next| {
            let mut buffer = HugePages::new(largest)?;
            let buffer = buffer.bytes();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(path) = array.files.get(number) else { return Ok(()) };
                let mut options = std::fs::OpenOptions::new();
                let file = options.read(true).custom_flags(libc::O_DIRECT).open(path)?;
                let mut filled = 0;
                loop {
                    let count = file.read_at(&mut buffer[filled..], filled as u64)?;
                    filled += count;
                    // A read that is cut within a block has met the end.
                    if count == 0 || filled % 4096 != 0 {
                        break;
                    }
                }
            }
        })?;
        report(started, array, None);
    }
    Ok(())
}

fn decode(context: &mut DCtx<'_>, encoded: &[u8], decoded: &mut [u8]) -> Result<(), Failure> {
    match context.decompress(decoded, encoded) {
        Ok(len) if len == decoded.len() => Ok(()),
        Ok(len) => Err(format!("a chunk decodes to {len} bytes").into()),
        Err(code) => Err(zstd_safe::get_error_name(code).into()),
    }
}
