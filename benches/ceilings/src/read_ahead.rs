//! Read-ahead for cold reads through the page cache: a thread that stays some bytes ahead of the readers.

use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::Failure;
use crate::array::Array;
use crate::files::open;
use crate::threads::Counter;

/// 16 to 32 MiB ahead was enough: 1.3-1.6 GB/s where plain reads from two threads reached 0.7.
const AHEAD_BYTES: usize = 32 << 20;

/// Runs `work`, with a thread beside it that reads files ahead of the counter when `wanted`.
pub(crate) fn beside<R>(
    wanted: bool,
    array: &Array,
    counter: &Counter,
    work: impl FnOnce() -> Result<R, Failure>,
) -> Result<R, Failure> {
    if !wanted {
        return work();
    }
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut ahead = std::collections::VecDeque::new();
            let mut bytes = 0;
            for (number, path) in array.paths.iter().enumerate() {
                while bytes > AHEAD_BYTES && !ended.load(Ordering::Relaxed) {
                    let done = file_of(array, counter.now());
                    while ahead.front().is_some_and(|&(file, _)| file < done) {
                        bytes -= ahead.pop_front().map_or(0, |(_, len): (usize, usize)| len);
                    }
                    if bytes > AHEAD_BYTES {
                        std::thread::park_timeout(Duration::from_micros(200));
                    }
                }
                // A file that cannot be opened here is reported by who reads it.
                let Ok(file) = open(path, false) else { continue };
                let len = file.metadata().map_or(0, |metadata| metadata.len() as usize);
                // SAFETY: the file is open; the call is advice only.
                unsafe { libc::readahead(file.as_raw_fd(), 0, len) };
                ahead.push_back((number, len));
                bytes += len;
            }
        });
        let result = work();
        ended.store(true, Ordering::Relaxed);
        result
    })
}

/// The file that unit `unit` belongs to.
fn file_of(array: &Array, unit: usize) -> usize {
    unit / crate::files::Files::new(array, false).units_per_file()
}
