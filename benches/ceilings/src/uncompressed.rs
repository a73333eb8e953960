//! The whole of an uncompressed array from the page cache into its result.

use std::os::fd::AsRawFd;

use crate::Failure;
use crate::arguments::Arguments;
use crate::array::Array;
use crate::files::{open, read_at};
use crate::placement::{Placement, Stores, end_of_streaming};
use crate::shared_bytes::SharedBytes;
use crate::threads::{Counter, on_threads};
use crate::worker::Worker;

/// Most vectors of one preadv call (UIO_MAXIOV).
const VECTORS: usize = 1024;

pub(crate) fn whole(
    arguments: &Arguments,
    array: &Array,
    workers: &mut [Worker],
    result: SharedBytes,
) -> Result<(), Failure> {
    let way = arguments.option("read", "pieces".to_owned())?;
    let piece = arguments.option("piece", 128 << 10)?;
    let counter = Counter::default();
    on_threads(workers, |worker| {
        let mut vectors = Vec::with_capacity(VECTORS);
        loop {
            let number = counter.next();
            let Some(path) = array.paths.get(number) else { break };
            let file = open(path, false)?;
            let origin = array.origin(number, 0).ok_or("a chunk outside of the array")?;
            let placement = Placement::new(array, origin, result);
            let stores = worker.choices.stores;
            let chunk = array.chunk_bytes();
            match way.as_str() {
                "pieces" => {
                    let buffer = worker.encoded.bytes_mut();
                    for from in (0..chunk).step_by(piece) {
                        let buffer = &mut buffer[..piece.min(chunk - from)];
                        if read_at(&file, buffer, from)? != buffer.len() {
                            return Err("a chunk is cut".into());
                        }
                        placement.copy(from, buffer, stores);
                    }
                }
                "rows" => scatter(&file, &placement, chunk, &mut vectors)?,
                "mapped" => mapped(&file, &placement, chunk, stores)?,
                other => return Err(format!("read={other}: pieces, rows or mapped").into()),
            }
        }
        end_of_streaming();
        Ok(())
    })?;
    Ok(())
}

/// The kernel copies each row to its place.
fn scatter(
    file: &std::fs::File,
    placement: &Placement,
    chunk: usize,
    vectors: &mut Vec<libc::iovec>,
) -> Result<(), Failure> {
    let step = VECTORS * placement.row;
    for from in (0..chunk).step_by(step) {
        let to = (from + step).min(chunk);
        vectors.clear();
        placement.rows(from, to, |target, _, len| {
            vectors.push(libc::iovec { iov_base: target.cast(), iov_len: len });
        });
        // SAFETY: each vector lies inside the result, in a row that only this thread writes.
        let len = unsafe {
            let count = vectors.len() as i32;
            libc::preadv(file.as_raw_fd(), vectors.as_ptr(), count, from as libc::off_t)
        };
        if len < 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        if len as usize != to - from {
            return Err("a chunk is cut".into());
        }
    }
    Ok(())
}

/// The pages of the cache are mapped and copied from.
fn mapped(
    file: &std::fs::File,
    placement: &Placement,
    chunk: usize,
    stores: Stores,
) -> Result<(), Failure> {
    if file.metadata()?.len() != chunk as u64 {
        return Err("a chunk is cut".into());
    }
    // SAFETY: a new mapping of a file that nobody shortens during a benchmark.
    unsafe {
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        let address =
            libc::mmap(std::ptr::null_mut(), chunk, libc::PROT_READ, flags, file.as_raw_fd(), 0);
        if address == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error().into());
        }
        placement.copy(0, std::slice::from_raw_parts(address.cast::<u8>(), chunk), stores);
        libc::munmap(address, chunk);
    }
    Ok(())
}
