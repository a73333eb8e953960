//! What sources had to read before they could locate chunks, parsed, kept between runs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use lsio_array::{Answer, ReadSpec};

/// Most bytes of answers, as read, that are kept. Parsed values are small heap structures of about
/// that size: part of the engine's fixed overhead, not of the budget for buffers. 16 MiB hold the
/// indexes of 1,000 shards of 1,024 chunks.
const CAPACITY: u64 = 16 << 20;

#[derive(Debug, Default)]
pub(crate) struct KnownCache {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    answers: HashMap<(u64, ReadSpec), Entry>,
    bytes: u64,
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    answer: Answer,
    bytes: u64,
    checked: u64,
    used: u64,
}

impl KnownCache {
    /// The answer, its length as it was read, and the moment from which on it was last looked for.
    pub(crate) fn get(&self, source: u64, spec: &ReadSpec) -> Option<(Answer, u64, u64)> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let clock = entries.clock;
        let entry = entries.answers.get_mut(&(source, spec.clone()))?;
        entry.used = clock;
        Some((entry.answer.clone(), entry.bytes, entry.checked))
    }

    /// Keeps an answer that was looked for from the moment `checked` on, unless a newer one is known.
    pub(crate) fn put(
        &self,
        source: u64,
        spec: ReadSpec,
        (answer, bytes): (Answer, u64),
        checked: u64,
    ) {
        if bytes > CAPACITY {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let entry = Entry { answer, bytes, checked, used: entries.clock };
        let key = (source, spec);
        if entries.answers.get(&key).is_some_and(|known| known.checked > checked) {
            return;
        }
        entries.bytes += bytes;
        if let Some(old) = entries.answers.insert(key, entry) {
            entries.bytes -= old.bytes;
        }
        if entries.bytes > CAPACITY {
            entries.evict();
        }
    }

    pub(crate) fn forget(&self, source: u64, spec: &ReadSpec) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = entries.answers.remove(&(source, spec.clone())) {
            entries.bytes -= old.bytes;
        }
    }

    pub(crate) fn forget_source(&self, source: u64) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.answers.retain(|(owner, _), _| *owner != source);
        entries.bytes = entries.answers.values().map(|entry| entry.bytes).sum();
    }
}

impl Entries {
    /// Drops the least recently used answers until three quarters of the capacity are in use, so that
    /// the search for them is rare.
    fn evict(&mut self) {
        let mut by_use: Vec<_> =
            self.answers.iter().map(|(key, entry)| (entry.used, key.clone())).collect();
        by_use.sort_unstable_by_key(|(used, _)| *used);
        for (_, key) in by_use {
            if self.bytes <= CAPACITY / 4 * 3 {
                break;
            }
            if let Some(old) = self.answers.remove(&key) {
                self.bytes -= old.bytes;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use lsio_io::{ByteRange, Key};
    use std::sync::Arc;

    fn spec(name: u64) -> ReadSpec {
        let key = Key::new(&name.to_string()).unwrap();
        ReadSpec { store: 0, key, range: ByteRange::Whole, limit: 0, purpose: 0 }
    }

    fn answer() -> Answer {
        Answer { value: Arc::new(()), identity: None, object_len: 0 }
    }

    #[test]
    fn the_least_recently_used_answers_go_first() {
        let cache = KnownCache::default();
        for name in 0..8 {
            cache.put(1, spec(name), (answer(), CAPACITY / 8), 0);
        }
        assert!(cache.get(1, &spec(0)).is_some());
        cache.put(1, spec(8), (answer(), CAPACITY / 8), 0);
        assert!(cache.get(1, &spec(0)).is_some());
        assert!(cache.get(1, &spec(1)).is_none());
        assert!(cache.get(1, &spec(8)).is_some());
        assert!(cache.get(2, &spec(8)).is_none());
    }

    #[test]
    fn an_older_answer_does_not_replace_a_newer_one() {
        let cache = KnownCache::default();
        cache.put(1, spec(0), (answer(), 20), 7);
        cache.put(1, spec(0), (answer(), 10), 5);
        assert_eq!(cache.get(1, &spec(0)).map(|known| (known.1, known.2)), Some((20, 7)));
        cache.put(1, spec(0), (answer(), 30), 7);
        assert_eq!(cache.get(1, &spec(0)).map(|known| (known.1, known.2)), Some((30, 7)));
    }

    #[test]
    fn a_forgotten_source_leaves_nothing_behind() {
        let cache = KnownCache::default();
        cache.put(1, spec(0), (answer(), 10), 0);
        cache.put(2, spec(0), (answer(), 10), 0);
        cache.forget_source(1);
        assert!(cache.get(1, &spec(0)).is_none());
        assert!(cache.get(2, &spec(0)).is_some());
        cache.put(2, spec(1), (answer(), CAPACITY + 1), 0);
        assert!(cache.get(2, &spec(1)).is_none());
    }
}
