//! Turns what the tasks of a window want into physical reads, and both into bundles.

use std::collections::HashMap;
use std::sync::Arc;

use lsio_io::plan::{Span, Wanted, merge};
use lsio_io::{ByteRange, Freshness, Identity, Key, Read, ReadLimits, Storage};
use smallvec::smallvec;

use crate::bundle::{Bundle, PhysicalRead, PlannedTask, User, Users};

/// Bytes that short chunks which share no read are started with together: 32 raw chunks of 4 KiB, which
/// reserve 16 KiB each. Chunks of 128 KiB and more start on their own.
const JOINED_BYTES: u64 = 512 << 10;

/// Encoded bytes that an input needs.
pub(crate) struct Wish {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) key: Key,
    pub(crate) range: ByteRange,
    pub(crate) freshness: Freshness,
    /// Bytes to reserve if the whole object is read.
    pub(crate) whole_bytes: u64,
}

impl Wish {
    pub(crate) fn bytes(&self) -> u64 {
        match self.range {
            ByteRange::Whole => self.whole_bytes,
            ByteRange::Bounded { len, .. } | ByteRange::Suffix { len } => Read::reserve_for(len),
        }
    }
}

/// An object as far as reads can be shared: two sources may share a storage, so objects are told apart
/// by the storage's address, and versions by what is accepted.
type Object = (usize, Key, Option<Identity>);

/// Ranges of one object.
struct Ranges {
    storage: Arc<dyn Storage>,
    key: Key,
    freshness: Freshness,
    wanted: Vec<Wanted<User>>,
}

impl Ranges {
    fn are_of(&self, wish: &Wish) -> bool {
        Arc::ptr_eq(&self.storage, &wish.storage)
            && self.key == wish.key
            && self.freshness == wish.freshness
    }
}

fn object_of(wish: &Wish) -> Object {
    let version = match &wish.freshness {
        Freshness::Current => None,
        Freshness::Pinned(identity) => Some(identity.clone()),
    };
    (Arc::as_ptr(&wish.storage).cast::<()>() as usize, wish.key.clone(), version)
}

/// Merges the wishes for one object into physical reads; not over gaps if a task is planned `alone`.
pub(crate) fn plan_reads(
    wishes: Vec<(User, Wish)>,
    allowed: u64,
    alone: bool,
) -> Vec<PhysicalRead> {
    let mut reads: Vec<PhysicalRead> = Vec::new();
    let is_whole = |(_, wish): &&(User, Wish)| wish.range == ByteRange::Whole;
    let mut whole: HashMap<Object, usize> =
        HashMap::with_capacity(wishes.iter().filter(is_whole).count());
    let mut ranges: Vec<Ranges> = Vec::new();
    let mut ranged: HashMap<Object, usize> = HashMap::new();
    for (user, wish) in wishes {
        let bytes = wish.bytes();
        // Mostly the chunks of one shard follow one another.
        if let ByteRange::Bounded { offset, len } = wish.range
            && let Some(span) = Span::new(offset, len)
            && let Some(last) = ranges.last_mut().filter(|last| last.are_of(&wish))
        {
            last.wanted.push(Wanted { span, tag: user });
            continue;
        }
        let object = object_of(&wish);
        let Wish { storage, key, range, freshness, .. } = wish;
        match range {
            ByteRange::Whole => {
                if let Some(&index) = whole.get(&object) {
                    reads[index].bytes = reads[index].bytes.max(bytes);
                    reads[index].users.push(user);
                    continue;
                }
                whole.insert(object, reads.len());
            }
            ByteRange::Bounded { offset, len } => {
                // A range whose end does not fit 64 bits is refused by the storage, by name.
                if let Some(span) = Span::new(offset, len) {
                    let index = *ranged.entry(object).or_insert_with(|| {
                        ranges.push(Ranges { storage, key, freshness, wanted: Vec::new() });
                        ranges.len() - 1
                    });
                    ranges[index].wanted.push(Wanted { span, tag: user });
                    continue;
                }
            }
            ByteRange::Suffix { .. } => {}
        }
        reads.push(PhysicalRead { storage, key, range, freshness, bytes, users: smallvec![user] });
    }
    for Ranges { storage, key, freshness, wanted } in ranges {
        let limits = storage.limits();
        let (merge_gap, max_merged) =
            if alone { (0, 0) } else { (limits.merge_gap, limits.max_merged.min(allowed / 8)) };
        let plan = merge(wanted, &ReadLimits { merge_gap, max_merged, ..limits });
        let first = reads.len();
        reads.extend(plan.reads.iter().map(|&span| PhysicalRead {
            storage: storage.clone(),
            key: key.clone(),
            range: span.into(),
            freshness: freshness.clone(),
            bytes: Read::reserve_for(span.len()),
            users: Users::new(),
        }));
        for part in plan.placements {
            let user = User { offset: part.offset, len: Some(part.len), ..part.tag };
            reads[first + part.read].users.push(user);
        }
    }
    reads
}

/// Puts tasks that share a read into one bundle, in the order of their first tasks; neighbours that need
/// at most `most` bytes together share one too, if they are short, so that what starting a bundle costs (a place in the
/// queue of the budget, a few locks) is shared by many short chunks.
pub(crate) fn bundles(tasks: Vec<PlannedTask>, reads: Vec<PhysicalRead>, most: u64) -> Vec<Bundle> {
    let joined = JOINED_BYTES.min(most);
    let mut leader: Vec<usize> = (0..tasks.len()).collect();
    let mut bytes: Vec<u64> = tasks.iter().map(|task| task.bytes).collect();
    for read in &reads {
        for pair in read.users.windows(2) {
            let (a, b) = (find(&mut leader, pair[0].task), find(&mut leader, pair[1].task));
            leader[a.max(b)] = a.min(b);
        }
        if let Some(first) = read.users.first() {
            bytes[first.task] = bytes[first.task].saturating_add(read.bytes);
        }
    }
    for task in 0..tasks.len() {
        let first = find(&mut leader, task);
        leader[task] = first;
        if first != task {
            bytes[first] = bytes[first].saturating_add(bytes[task]);
        }
    }
    // For each task: its bundle and its place there. The first of those that share reads comes first.
    let mut place: Vec<(usize, usize)> = Vec::with_capacity(tasks.len());
    let mut bundles: Vec<Bundle> = Vec::new();
    // What neighbours may still need in the last bundle.
    let mut room: Option<u64> = None;
    for (index, task) in tasks.into_iter().enumerate() {
        let first = leader[index];
        let at = if first < index {
            place[first].0
        } else {
            let rest = room.and_then(|room| room.checked_sub(bytes[index]));
            if rest.is_none() {
                bundles.push(Bundle { reads: Vec::new(), tasks: Vec::new() });
            }
            room = rest.or(Some(joined.saturating_sub(bytes[index])));
            bundles.len() - 1
        };
        place.push((at, bundles[at].tasks.len()));
        bundles[at].tasks.push(task);
    }
    for mut read in reads {
        let Some(first) = read.users.first() else { continue };
        let at = place[first.task].0;
        for user in &mut read.users {
            user.task = place[user.task].1;
        }
        bundles[at].reads.push(read);
    }
    bundles
}

fn find(leader: &mut [usize], mut task: usize) -> usize {
    while leader[task] != task {
        leader[task] = leader[leader[task]];
        task = leader[task];
    }
    task
}
