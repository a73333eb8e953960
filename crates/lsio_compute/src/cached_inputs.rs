//! Which inputs of a task the cache has, and which it is to keep: when the task is planned, and when it is
//! worked on.

use std::sync::Arc;

use lsio_array::{Location, TaskInput};
use lsio_io::{ByteRange, Freshness, Lease, SharedBytes};

use crate::bundle::{Input, User};
use crate::bundling::Wish;
use crate::cache::Cache;
use crate::cached_chunk::{Keep, Lookup, Versions};
use crate::operation::DecodedInput;
use crate::run::{Attempt, Known, Run};
use crate::stats::{Counters, add};
use crate::task_job::TaskJob;

/// Where the decoded form of an input comes from, and where it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Take {
    /// Decoded for the task alone.
    Decoded,
    /// Decoded into a buffer that the cache keeps.
    Kept,
    /// The cache has it.
    Cached,
}

/// What is planned otherwise for one input because of the cache.
#[derive(Debug)]
pub(crate) struct CachedInput {
    lookup: Lookup,
    /// What it would be kept as once it is decoded.
    keep: Option<Keep>,
}

/// Looks for the chunk of `input`, which was located with the answers `known`.
pub(crate) fn look_up(
    run: &Run,
    cache: &Cache,
    input: &TaskInput,
    attempt: Attempt,
    location: &Location,
    known: &[Arc<Known>],
) -> CachedInput {
    let handle = &run.sources[input.source];
    let can_be_kept = handle.element.is_some()
        && match location {
            Location::At { .. } => true,
            // Of what was at hand from the start nothing tells the version.
            Location::Inline(..) => !known.is_empty(),
            Location::Missing | Location::After(_) => false,
        };
    if !can_be_kept {
        return CachedInput { lookup: Lookup::Missed, keep: None };
    }
    let lookup = if attempt.uncached {
        Lookup::Missed
    } else {
        let lookup = cache.look_up(handle.id, &input.chunk, location, known);
        add(&run.counters.cache_misses, u64::from(matches!(lookup, Lookup::Missed)));
        lookup
    };
    let keep = run.keeps_chunks.then(|| Keep::located(known)).flatten();
    CachedInput { lookup, keep }
}

/// What becomes of each input.
pub(crate) fn takes(cached: &[CachedInput], may_keep: bool) -> Vec<Take> {
    let take = |input: &CachedInput| match &input.lookup {
        Lookup::Found(_) | Lookup::Unchecked(_) => Take::Cached,
        Lookup::Missed if may_keep && input.keep.is_some() => Take::Kept,
        Lookup::Missed => Take::Decoded,
    };
    cached.iter().map(take).collect()
}

/// Turns the inputs that the cache has, and those that it is to keep, into such, and takes back what was wished for
/// in vain.
pub(crate) fn replace(
    cached: Vec<CachedInput>,
    takes: &[Take],
    inputs: &mut [Input],
    wishes: &mut Vec<(User, Wish)>,
) {
    for (index, (CachedInput { lookup, keep }, take)) in cached.into_iter().zip(takes).enumerate() {
        let input = &mut inputs[index];
        match (lookup, take) {
            (Lookup::Found(versions), Take::Cached) => {
                *input = Input::Cached { versions: Box::new(versions), whole: None };
                wishes.retain(|(user, _)| user.input != index);
            }
            (Lookup::Unchecked(versions), Take::Cached) => {
                let whole = match input {
                    Input::Encoded { whole, .. } => whole.take(),
                    _ => None,
                };
                *input = Input::Cached { versions: Box::new(versions), whole };
                // One look at the object instead of all reads.
                let mut looks = 0;
                wishes.retain_mut(|(user, wish)| {
                    if user.input != index {
                        return true;
                    }
                    wish.range = ByteRange::Bounded { offset: 0, len: 0 };
                    wish.freshness = Freshness::Current;
                    looks += 1;
                    looks == 1
                });
            }
            (_, Take::Kept) => {
                if let Input::Encoded { keep: kept, .. } = input {
                    *kept = keep.map(Box::new);
                }
            }
            _ => {}
        }
    }
}

impl TaskJob {
    /// The chunk of an input as the cache has it, unless it has gone since the task was planned.
    pub(crate) fn cached(&self, index: usize, versions: &Versions) -> Option<SharedBytes> {
        let TaskInput { source, chunk, .. } = &self.planned.task.inputs[index];
        self.shared.cache.chunk(self.run.sources[*source].id, chunk, versions)
    }

    /// What the cache has of this input is of no use any more.
    pub(crate) fn forget_cached(&self, index: usize) {
        let TaskInput { source, chunk, .. } = &self.planned.task.inputs[index];
        self.shared.cache.forget_chunk(self.run.sources[*source].id, chunk);
    }

    /// Leaves a decoded chunk in the cache, if that takes it.
    pub(crate) fn keep(
        &self,
        index: usize,
        elements: Lease,
        versions: Versions,
        counters: &Counters,
    ) -> DecodedInput {
        let TaskInput { source, chunk, .. } = &self.planned.task.inputs[index];
        let source = &self.run.sources[*source];
        match self.shared.cache.keep_chunk(source, chunk, versions, elements) {
            Ok((elements, gone)) => {
                add(&counters.cache_evictions, gone);
                DecodedInput::Shared(elements)
            }
            Err(elements) => DecodedInput::Fixed(elements),
        }
    }
}
