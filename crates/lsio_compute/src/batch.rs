//! Tasks that one worker does one after the other.

use crate::task_job::TaskJob;

/// Tasks on their way to a queue, which holds them by their address.
pub(crate) type Tasks = Vec<Box<TaskJob>>;

/// Tasks are done in batches, one worker each, of up to this many decoded bytes: queues and locks then
/// cost little for each chunk of 4 KiB, and what the batch works on fits the second-level cache.
const BATCH_BYTES: u64 = 128 << 10;
/// Most tasks in a batch, however short their chunks are.
const BATCH_TASKS: usize = 64;

/// Puts neighbouring tasks of one run together, so that each of `workers` gets several batches.
pub(crate) fn batches(tasks: Tasks, workers: usize) -> Vec<Tasks> {
    let most = (tasks.len() / (2 * workers)).min(BATCH_TASKS);
    let mut batches: Vec<Tasks> = Vec::new();
    let mut bytes = 0;
    for task in tasks {
        let more = task.decoded_bytes();
        match batches.last_mut() {
            Some(batch) if batch.len() < most && bytes + more <= BATCH_BYTES => {
                bytes += more;
                batch.push(task);
            }
            _ => {
                bytes = more.min(BATCH_BYTES);
                batches.push(vec![task]);
            }
        }
    }
    batches
}
