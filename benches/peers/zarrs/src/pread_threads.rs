//! Ranges by plain pread through the page cache, from as many threads as cores: what one writes first.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::Failure;
use crate::arguments::Arguments;
use crate::measurement::{Outcome, Rounds};
use crate::ranges;

pub(crate) fn ranges(arguments: &Arguments) -> Result<(), Failure> {
    let files = ranges::files(&arguments.data_set)?;
    let ranges = ranges::shuffled(&files);
    let cores = thread::available_parallelism().map_or(1, |count| count.get());
    let threads = arguments.option("threads", cores)?;
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let opened = files
            .iter()
            .map(|(path, _)| Ok(std::fs::File::open(Path::new(path.to_str()?))?))
            .collect::<Result<Vec<_>, Failure>>()?;
        let next = AtomicUsize::new(0);
        let read = || -> Result<(u64, usize), Failure> {
            let (mut sum, mut bytes) = (0, 0);
            let mut buffer = Vec::new();
            while let Some(range) = ranges.get(next.fetch_add(1, Ordering::Relaxed)) {
                buffer.resize(range.len, 0);
                opened[range.file].read_exact_at(&mut buffer, range.offset as u64)?;
                sum += u64::from(buffer[0]) + u64::from(buffer[range.len - 1]);
                bytes += range.len;
            }
            Ok((sum, bytes))
        };
        let parts = thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(read)).collect();
            let join = |thread: thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|_| Err("a thread panicked".into()))
            };
            running.into_iter().map(join).collect::<Result<Vec<_>, _>>()
        })?;
        let elapsed = running.stop()?;
        let bytes = parts.iter().map(|part| part.1).sum();
        let outcome = Outcome {
            decoded_bytes: bytes,
            checksum: Some(parts.iter().map(|part| part.0).sum()),
            more: vec![("storedBytes", bytes)],
            ..Outcome::default()
        };
        rounds.print(&elapsed, &outcome)?;
    }
    Ok(())
}
