//! Tasks that share physical reads, from planning until their bytes have arrived.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lsio_array::{Params, Task};
use lsio_io::{
    ByteRange, Completion, CompletionSink, Freshness, Key, Read, Reservation, Route, SharedBytes,
    Storage, StorageError,
};
use smallvec::SmallVec;

use crate::batch::Tasks;
use crate::cached_chunk::{Keep, Versions};
use crate::device::place_of;
use crate::executor::{Shared, weight};
use crate::placing;
use crate::run::{Attempt, Run, UsedAnswers};
use crate::stats::{Counters, add};
use crate::task_job::TaskJob;

/// Tasks whose memory is reserved together: because they share reads, or because they are short. Most
/// have one task and one read.
#[derive(Debug)]
pub(crate) struct Bundle {
    pub(crate) reads: Vec<PhysicalRead>,
    pub(crate) tasks: Vec<PlannedTask>,
}

#[derive(Debug)]
pub(crate) struct PhysicalRead {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) key: Key,
    pub(crate) range: ByteRange,
    pub(crate) freshness: Freshness,
    /// Bytes to reserve.
    pub(crate) bytes: u64,
    pub(crate) users: Users,
}

/// Who waits for a read. Most reads have one user.
pub(crate) type Users = SmallVec<[User; 1]>;

/// A part of a physical read that some input of some task waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    /// Index into the tasks planned together.
    pub(crate) task: usize,
    pub(crate) input: usize,
    pub(crate) part: usize,
    pub(crate) offset: u64,
    /// `None`: everything that was read.
    pub(crate) len: Option<u64>,
}

pub(crate) struct PlannedTask {
    pub(crate) task: Task,
    pub(crate) attempt: Attempt,
    pub(crate) inputs: SmallVec<[Input; 1]>,
    /// Bytes to reserve beside those of the reads.
    pub(crate) bytes: u64,
    /// Parts that have not arrived.
    pub(crate) waiting: usize,
    /// What it was located with.
    pub(crate) known: UsedAnswers,
}

/// The encoded form of one input.
#[derive(Clone)]
pub(crate) enum Input {
    Missing,
    Encoded {
        parts: SmallVec<[Option<SharedBytes>; 1]>,
        params: Params,
        whole: Option<Key>,
        /// What the decoded chunk is kept as in the cache, if it is to be.
        keep: Option<Box<Keep>>,
    },
    /// The cache had it in these versions. If something is read, it is to see whether the object is still
    /// the same.
    Cached {
        versions: Box<Versions>,
        whole: Option<Key>,
    },
    /// What the cache had was of another version.
    Stale,
    Failed {
        error: StorageError,
        whole: bool,
    },
    /// Read straight to where it goes.
    Placed,
    /// The storage answered with less than was asked for.
    Short {
        expected: u64,
        actual: u64,
    },
}

impl fmt::Debug for PlannedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlannedTask").field("task", &self.task).finish_non_exhaustive()
    }
}

impl Bundle {
    fn read_bytes(&self) -> u64 {
        self.reads.iter().map(|read| read.bytes).fold(0, u64::saturating_add)
    }

    /// Bytes to reserve for all of it.
    pub(crate) fn bytes(&self) -> u64 {
        let tasks = self.tasks.iter().map(|task| task.bytes);
        tasks.fold(self.read_bytes(), u64::saturating_add)
    }
}

/// Bytes that a run is charged: given back when dropped.
pub(crate) struct Charge {
    run: Arc<Run>,
    bytes: u64,
}

impl Charge {
    pub(crate) fn new(run: Arc<Run>, bytes: u64) -> Self {
        run.counters.reserve(bytes);
        run.operation.admitted(bytes);
        Self { run, bytes }
    }

    fn take(&mut self, bytes: u64) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self { run: self.run.clone(), bytes }
    }

    pub(crate) fn grow(&mut self, more: u64) {
        self.bytes += more;
        self.run.counters.reserve(more);
        self.run.operation.admitted(more);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes one charge of two of the same run.
    pub(crate) fn join(mut self, mut other: Self) -> Self {
        self.bytes += std::mem::take(&mut other.bytes);
        self
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        self.run.counters.release(self.bytes);
        self.run.operation.released(self.bytes);
    }
}

/// A bundle that has its memory: takes the completions of its reads.
pub(crate) struct InFlight {
    run: Arc<Run>,
    shared: Arc<Shared>,
    reads: Vec<UnderWay>,
    jobs: Mutex<Vec<Option<Box<TaskJob>>>>,
}

/// One of its reads.
struct UnderWay {
    /// Who waits for it.
    users: Users,
    /// What it counts at its device, and which of the run's devices that is.
    weight: usize,
    device: usize,
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlight").field("run", &self.run).finish_non_exhaustive()
    }
}

/// What comes of starting a bundle.
pub(crate) struct Started {
    /// Tasks that wait for nothing.
    pub(crate) ready: Tasks,
    /// Reads to perform, each with its storage.
    pub(crate) reads: Vec<(Arc<dyn Storage>, Read)>,
    pub(crate) in_flight: Arc<InFlight>,
}

impl InFlight {
    /// Shares out `reservation` and `charge` to the reads and tasks of `bundle`.
    pub(crate) fn start(
        shared: &Arc<Shared>,
        run: &Arc<Run>,
        bundle: Bundle,
        mut reservation: Reservation,
        mut charge: Charge,
    ) -> Started {
        // The reservation was made for the sum of all parts. The run is charged for the reads until
        // the last task has ended.
        let for_reads = Arc::new(charge.take(bundle.read_bytes()));
        let mut jobs: Vec<_> = bundle
            .tasks
            .into_iter()
            .map(|planned| {
                let memory = reservation.take(planned.bytes);
                let charges = (charge.take(planned.bytes), for_reads.clone());
                let (shared, run) = (shared.clone(), run.clone());
                Some(Box::new(TaskJob::new(shared, run, planned, memory, charges)))
            })
            .collect();
        let ready =
            jobs.iter_mut().filter_map(|job| job.take_if(|job| job.planned.waiting == 0)).collect();
        let mut reads = bundle.reads;
        let under_way = |read: &mut PhysicalRead| {
            let (enough, at_once) = (read.storage.enough_in_flight(), read.storage.reads_at_once());
            let weight = weight(read.bytes, enough, at_once);
            let device = place_of(&*read.storage, &run.devices);
            UnderWay { users: std::mem::take(&mut read.users), weight, device }
        };
        let under_way = reads.iter_mut().map(under_way).collect();
        let in_flight = Arc::new(Self {
            run: run.clone(),
            shared: shared.clone(),
            reads: under_way,
            jobs: Mutex::new(jobs),
        });
        let reads = reads
            .into_iter()
            .enumerate()
            .map(|(index, read)| {
                let sink: Arc<dyn CompletionSink> = in_flight.clone();
                let request = Read {
                    key: read.key,
                    range: read.range,
                    freshness: read.freshness,
                    reservation: reservation.take(read.bytes),
                    mode: run.options.mode,
                    request_bytes: run.request_bytes,
                    cancel: run.cancel.clone(),
                    tag: index as u64,
                    sink,
                    begun: None,
                };
                (read.storage, request)
            })
            .collect();
        Started { ready, reads, in_flight }
    }

    /// Counts the read with this tag among those under way at its device.
    pub(crate) fn submitted(&self, tag: u64) {
        let UnderWay { weight, device, .. } = self.reads[tag as usize];
        self.run.devices[device].submitted(weight);
    }

    /// No longer counts it.
    fn ended(&self, tag: u64) {
        let UnderWay { weight, device, .. } = self.reads[tag as usize];
        self.run.devices[device].ended(weight);
        self.shared.bell.ring();
    }

    fn jobs(&self) -> MutexGuard<'_, Vec<Option<Box<TaskJob>>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a chunk that is stored as it is straight to where it goes, if its bytes are in memory and
    /// nobody else waits for them; returns the task that has now all of its inputs.
    pub(crate) fn read_into_place(
        &self,
        storage: &dyn Storage,
        read: &Read,
    ) -> Option<Box<TaskJob>> {
        let [user] = self.reads[read.tag as usize].users[..] else { return None };
        let mut job = {
            // Others could not be given what lies in pieces.
            let fits = |job: &mut Box<TaskJob>| {
                let planned = &job.planned;
                let is_own =
                    matches!(planned.inputs[user.input], Input::Encoded { keep: None, .. });
                planned.waiting == 1 && is_own && job.is_private()
            };
            self.jobs()[user.task].take_if(fits)?
        };
        if self.place(&mut job, storage, read) {
            job.planned.waiting = 0;
            job.planned.inputs[user.input] = Input::Placed;
            return Some(job);
        }
        self.jobs()[user.task] = Some(job);
        None
    }

    fn place(&self, job: &mut TaskJob, storage: &dyn Storage, read: &Read) -> bool {
        let [input] = &job.planned.task.inputs[..] else { return false };
        let info = self.run.sources[input.source].source.info();
        if info.stored_as_is.is_none() {
            return false;
        }
        let Some(elapsed) = placing::read(&self.run, job, storage, read, info.decoded_len) else {
            return false;
        };
        let (counters, len) = (&self.run.counters, info.decoded_len);
        counters.count_read(len, Route::Resident, elapsed);
        add(&counters.chunks_decoded, 1);
        add(&counters.bytes_encoded, len);
        add(&counters.bytes_decoded, len);
        true
    }

    /// Hands the bytes of a read to the tasks that wait for them; those that now have all are `ready`.
    /// The read is counted in `counters`.
    pub(crate) fn arrive(&self, completion: &Completion, ready: &mut Tasks, counters: &Counters) {
        counters.count_requests(completion.requests);
        if let Ok(answer) = &completion.result {
            let bytes = answer.bytes.len() as u64;
            counters.count_read(bytes, completion.route, completion.elapsed);
            let unwanted = unwanted_bytes(&self.reads[completion.tag as usize].users, bytes);
            add(&counters.bytes_over_read, unwanted);
        }
        let mut jobs = self.jobs();
        for user in &self.reads[completion.tag as usize].users {
            let Some(job) = &mut jobs[user.task] else { continue };
            job.planned.arrive(*user, completion);
            if job.planned.waiting == 0 {
                ready.extend(jobs[user.task].take());
            }
        }
    }
}

/// Bytes of a read of `bytes` bytes that no user waits for. Users are in no order and may overlap.
fn unwanted_bytes(users: &[User], bytes: u64) -> u64 {
    let range = |user: &User| (user.offset, user.len.map_or(bytes, |len| user.offset + len));
    let mut wanted: Vec<(u64, u64)> = match users {
        // Most reads have one user.
        [only] => {
            let (start, end) = range(only);
            return bytes.saturating_sub(end - start);
        }
        users => users.iter().map(range).collect(),
    };
    wanted.sort_unstable();
    let mut covered = 0;
    let mut unwanted = bytes;
    for (start, end) in wanted {
        unwanted = unwanted.saturating_sub(end.saturating_sub(start.max(covered)));
        covered = covered.max(end);
    }
    unwanted
}

impl PlannedTask {
    fn arrive(&mut self, user: User, completion: &Completion) {
        self.waiting -= 1;
        let input = &mut self.inputs[user.input];
        match (&completion.result, &mut *input) {
            (Ok(answer), Input::Encoded { parts, keep, .. }) => {
                if keep.as_mut().is_some_and(|keep| !keep.read_from(&answer.identity)) {
                    *keep = None;
                }
                let actual = answer.bytes.len() as u64;
                let expected = user.len.map_or(actual, |len| user.offset + len);
                match answer.bytes.slice(user.offset as usize..expected as usize) {
                    Some(part) => parts[user.part] = Some(part),
                    None => *input = Input::Short { expected, actual },
                }
            }
            (Ok(answer), Input::Cached { versions, .. }) if !versions.are_of(&answer.identity) => {
                *input = Input::Stale;
            }
            (Err(error), Input::Encoded { whole, .. } | Input::Cached { whole, .. }) => {
                *input = Input::Failed { error: error.clone(), whole: whole.is_some() };
            }
            _ => {}
        }
    }
}

impl CompletionSink for InFlight {
    fn complete(&self, completion: Completion) {
        let mut ready = Tasks::new();
        self.arrive(&completion, &mut ready, &self.run.counters);
        let tag = completion.tag;
        // The tasks hold what they need of it.
        drop(completion);
        self.ended(tag);
        self.shared.queue_tasks(ready);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_between_and_beside_what_is_wanted_are_unwanted() {
        let user = |offset, len| User { task: 0, input: 0, part: 0, offset, len };
        assert_eq!(unwanted_bytes(&[user(0, None)], 100), 0);
        assert_eq!(unwanted_bytes(&[user(10, Some(20))], 100), 80);
        assert_eq!(unwanted_bytes(&[user(60, Some(40)), user(0, Some(50))], 100), 10);
        assert_eq!(
            unwanted_bytes(&[user(0, Some(50)), user(20, Some(10)), user(40, Some(20))], 60),
            0
        );
    }
}
