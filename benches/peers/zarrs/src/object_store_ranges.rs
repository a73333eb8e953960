//! Ranges by object_store's LocalFileSystem: one `get_range` for each, many of them at once.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::runtime::Builder;

use crate::Failure;
use crate::arguments::Arguments;
use crate::measurement::{Outcome, Rounds};
use crate::ranges;

/// Calls that wait at the same time: as many as the ring has in flight.
const AT_ONCE: usize = 32;

pub(crate) fn ranges(arguments: &Arguments) -> Result<(), Failure> {
    let files = ranges::files(&arguments.data_set)?;
    let ranges = Arc::new(ranges::shuffled(&files));
    let mut paths = Vec::new();
    for (path, _) in &files {
        let name = FilePath::new(path.to_str()?).file_name().and_then(|name| name.to_str());
        paths.push(Path::from(name.ok_or("a file without a name")?));
    }
    let paths = Arc::new(paths);
    let store: Arc<dyn ObjectStore> =
        Arc::new(LocalFileSystem::new_with_prefix(&arguments.data_set)?);
    let runtime = Builder::new_multi_thread().build()?;
    let at_once = arguments.option("at-once", AT_ONCE)?;
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let next = Arc::new(AtomicUsize::new(0));
        let (sum, bytes) = runtime.block_on(async {
            let read = || {
                let (store, paths) = (store.clone(), paths.clone());
                let (ranges, next) = (ranges.clone(), next.clone());
                tokio::spawn(async move {
                    let (mut sum, mut bytes) = (0, 0);
                    while let Some(range) = ranges.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let (start, len) = (range.offset as u64, range.len as u64);
                        let read = store.get_range(&paths[range.file], start..start + len).await?;
                        sum += u64::from(read[0]) + u64::from(read[range.len - 1]);
                        bytes += read.len();
                    }
                    Ok::<(u64, usize), Failure>((sum, bytes))
                })
            };
            let running: Vec<_> = (0..at_once).map(|_| read()).collect();
            let mut total = (0, 0);
            for task in running {
                let (sum, bytes) = task.await??;
                total = (total.0 + sum, total.1 + bytes);
            }
            Ok::<_, Failure>(total)
        })?;
        let elapsed = running.stop()?;
        let outcome = Outcome {
            decoded_bytes: bytes,
            checksum: Some(sum),
            more: vec![("storedBytes", bytes)],
            ..Outcome::default()
        };
        rounds.print(&elapsed, &outcome)?;
    }
    Ok(())
}
