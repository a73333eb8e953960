//! What is kept between runs because it may be wanted again: what sources had to read before they could
//! locate chunks, parsed; and, for those who ask for it, decoded chunks.
//!
//! Its bytes are part of the budget and give way to whatever is to be reserved, so a full cache is in
//! nobody's way. What is found here holds only for the version of the object that it was made of: a run
//! looks at that once before it uses it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lsio_array::{Answer, ReadSpec};
use lsio_io::{Memory, Reservation};

use crate::cached_chunk::CachedChunk;
use crate::lru::Lru;

/// Most bytes that are kept unless the caller says how many: 16 MiB hold the indexes of 1,000 shards of
/// 1,024 chunks.
const INDEX_BYTES: u64 = 16 << 20;

/// Bytes that an entry counts beside what it keeps: its key twice, the identity, its places in the two maps.
/// Their sizes add up to 300 to 450, depending on the length of names.
pub(crate) const ENTRY: u64 = 512;

/// Names what is kept: by the number of its source, so by store, array and codecs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum CacheKey {
    Answer(u64, ReadSpec),
    /// Grid coordinates.
    Chunk(u64, Vec<u64>),
}

#[derive(Debug)]
pub(crate) enum Entry {
    Answer { known: CachedAnswer, _memory: Reservation },
    Chunk(CachedChunk),
}

pub(crate) struct Cache {
    memory: Arc<Memory>,
    capacity: u64,
    /// Whether decoded chunks are kept too.
    keeps_chunks: bool,
    entries: Mutex<Lru<CacheKey, Entry>>,
    /// Entries that had to go for memory.
    gave_way: AtomicU64,
}

/// A parsed answer.
#[derive(Debug, Clone)]
pub(crate) struct CachedAnswer {
    pub(crate) answer: Answer,
    /// Bytes that it holds.
    pub(crate) bytes: u64,
    /// The moment from which on it was last looked for.
    pub(crate) checked: u64,
    /// Whether the object cannot have changed since without another identity. If not, the answer is of use
    /// to runs that had started before it was looked for, and to no others.
    pub(crate) settled: bool,
}

impl Cache {
    /// An empty one, which gives way to what is reserved from `memory`. It keeps decoded chunks too if
    /// it is told how many `bytes` it may have.
    pub(crate) fn new(memory: &Arc<Memory>, bytes: Option<u64>) -> Arc<Self> {
        let capacity = bytes.unwrap_or(INDEX_BYTES);
        let cache = Arc::new(Self {
            memory: memory.clone(),
            capacity,
            keeps_chunks: bytes.is_some_and(|bytes| bytes > 0),
            entries: Mutex::new(Lru::new(capacity)),
            gave_way: AtomicU64::new(0),
        });
        let weak = Arc::downgrade(&cache);
        memory.on_shortage(Arc::new(move |short| {
            weak.upgrade().is_some_and(|cache: Arc<Self>| cache.give_way(short))
        }));
        cache
    }

    /// Most bytes that it keeps.
    pub(crate) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Whether it keeps decoded chunks.
    pub(crate) fn keeps_chunks(&self) -> bool {
        self.keeps_chunks
    }

    /// What was made of this read.
    pub(crate) fn answer(&self, source: u64, spec: &ReadSpec) -> Option<CachedAnswer> {
        match self.entries().get(&CacheKey::Answer(source, spec.clone())) {
            Some(Entry::Answer { known, .. }) => Some(known.clone()),
            _ => None,
        }
    }

    /// Keeps an answer, unless a newer one is known or there is no memory to spare. Returns how many
    /// entries it pushed out.
    pub(crate) fn keep_answer(&self, source: u64, spec: ReadSpec, known: CachedAnswer) -> u64 {
        let bytes = known.bytes.saturating_add(ENTRY);
        if bytes > self.capacity {
            return 0;
        }
        let key = CacheKey::Answer(source, spec);
        let mut entries = self.entries();
        let mut replaced = 0;
        if let Some(Entry::Answer { known: kept, .. }) = entries.get(&key) {
            if kept.checked > known.checked {
                return 0;
            }
            if kept.bytes == known.bytes {
                let old = std::mem::replace(kept, known);
                drop(entries);
                drop(old);
                return 0;
            }
            replaced = 1;
        }
        let Some(memory) = self.memory.cache(bytes) else { return 0 };
        let gone = entries.insert(key, Entry::Answer { known, _memory: memory }, bytes);
        drop(entries);
        gone.len() as u64 - replaced
    }

    pub(crate) fn forget_answer(&self, source: u64, spec: &ReadSpec) {
        self.forget(&CacheKey::Answer(source, spec.clone()));
    }

    /// Drops what this key has.
    pub(crate) fn forget(&self, key: &CacheKey) {
        let gone = self.entries().remove(key);
        drop(gone);
    }

    /// Drops the answers for a source that nobody has any more. Of chunks there are none by then.
    pub(crate) fn forget_source(&self, source: u64) {
        let is_its = |key: &CacheKey| matches!(key, CacheKey::Answer(owner, _) if *owner == source);
        let gone = self.entries().remove_all(is_its);
        drop(gone);
    }

    /// Entries that had to go because their memory was wanted.
    pub(crate) fn gave_way(&self) -> u64 {
        self.gave_way.load(Ordering::Relaxed)
    }

    /// Drops what was not used for longest, `short` bytes or more. `false`: there is nothing.
    fn give_way(&self, short: u64) -> bool {
        let mut entries = self.entries();
        let rest = entries.bytes().saturating_sub(short);
        let gone = entries.shrink_to(rest);
        drop(entries);
        self.gave_way.fetch_add(gone.len() as u64, Ordering::Relaxed);
        !gone.is_empty()
    }

    /// Nothing that is kept may be dropped under this lock: it may be the last of a source, which then
    /// comes here itself.
    pub(crate) fn entries(&self) -> MutexGuard<'_, Lru<CacheKey, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("bytes", &self.entries().bytes()).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use lsio_io::{ByteRange, Key};

    fn spec(name: u64) -> ReadSpec {
        let key = Key::new(&name.to_string()).unwrap();
        let range = ByteRange::Whole;
        ReadSpec { store: 0, key, range, limit: 0, growth_limit: 0, purpose: 0 }
    }

    fn known(bytes: u64, checked: u64) -> CachedAnswer {
        let answer = Answer { value: Arc::new(()), identity: None, object_len: 0 };
        CachedAnswer { answer, bytes, checked, settled: true }
    }

    fn cache() -> (Arc<Memory>, Arc<Cache>) {
        let memory = Memory::new(64 << 20);
        let cache = Cache::new(&memory, None);
        (memory, cache)
    }

    #[test]
    fn the_least_recently_used_answers_go_first() {
        let (memory, cache) = cache();
        let eighth = INDEX_BYTES / 8 - ENTRY;
        for name in 0..8 {
            assert_eq!(cache.keep_answer(1, spec(name), known(eighth, 0)), 0);
        }
        assert!(cache.answer(1, &spec(0)).is_some());
        assert_eq!(cache.keep_answer(1, spec(8), known(eighth, 0)), 1);
        assert!(cache.answer(1, &spec(0)).is_some());
        assert!(cache.answer(1, &spec(1)).is_none());
        assert!(cache.answer(1, &spec(8)).is_some());
        assert!(cache.answer(2, &spec(8)).is_none());
        assert_eq!(memory.usage().cached, INDEX_BYTES);
    }

    #[test]
    fn an_older_answer_does_not_replace_a_newer_one() {
        let (memory, cache) = cache();
        let now = || cache.answer(1, &spec(0)).map(|known| (known.bytes, known.checked));
        assert_eq!(cache.keep_answer(1, spec(0), known(20, 7)), 0);
        assert_eq!(cache.keep_answer(1, spec(0), known(10, 5)), 0);
        assert_eq!(now(), Some((20, 7)));
        assert_eq!(cache.keep_answer(1, spec(0), known(30, 7)), 0);
        assert_eq!(now(), Some((30, 7)));
        assert_eq!(memory.usage().cached, 30 + ENTRY);
    }

    #[test]
    fn a_forgotten_source_leaves_nothing_behind() {
        let (memory, cache) = cache();
        cache.keep_answer(1, spec(0), known(10, 0));
        cache.keep_answer(2, spec(0), known(10, 0));
        cache.forget_source(1);
        assert!(cache.answer(1, &spec(0)).is_none());
        assert!(cache.answer(2, &spec(0)).is_some());
        cache.keep_answer(2, spec(1), known(INDEX_BYTES, 0));
        assert!(cache.answer(2, &spec(1)).is_none());
        cache.forget_answer(2, &spec(0));
        assert_eq!(memory.usage().cached, 0);
    }

    #[test]
    fn what_is_reserved_pushes_the_oldest_out_and_leaves_the_rest() {
        let (memory, cache) = cache();
        let free = memory.usage().limit - 3 * (1000 + ENTRY);
        for name in 0..3 {
            cache.keep_answer(1, spec(name), known(1000, 0));
        }
        let most = memory.reserve(1, free).unwrap();
        assert_eq!(cache.gave_way(), 0);
        let more = memory.reserve(1, 1).unwrap();
        assert_eq!((cache.gave_way(), memory.usage().cached), (1, 2 * (1000 + ENTRY)));
        assert!(cache.answer(1, &spec(0)).is_none());
        assert!(cache.answer(1, &spec(1)).is_some());
        drop((most, more));
        let everything = memory.reserve(2, memory.usage().limit).unwrap();
        assert_eq!((cache.gave_way(), memory.usage().cached), (3, 0));
        cache.keep_answer(1, spec(4), known(1000, 0));
        assert!(cache.answer(1, &spec(4)).is_none(), "there is no memory to spare");
        drop(everything);
    }

    #[test]
    fn a_cache_of_no_bytes_keeps_nothing() {
        let memory = Memory::new(64 << 20);
        let cache = Cache::new(&memory, Some(0));
        cache.keep_answer(1, spec(0), known(1, 0));
        assert!(cache.answer(1, &spec(0)).is_none() && !cache.keeps_chunks());
        assert_eq!(memory.usage().cached, 0);
    }
}
