//! Things that are kept up to a number of bytes: the one that was not used for longest makes room.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Values by key, each with the bytes that it takes; never more than the capacity in all.
///
/// Nothing is dropped in here: whoever holds a lock around it can drop what comes back after the lock.
#[derive(Debug)]
pub(crate) struct Lru<K, V> {
    capacity: u64,
    bytes: u64,
    kept: HashMap<K, Kept<V>>,
    /// The keys by their last use.
    by_use: BTreeMap<u64, K>,
    /// Counts uses.
    clock: u64,
}

#[derive(Debug)]
struct Kept<V> {
    value: V,
    bytes: u64,
    used: u64,
}

impl<K: Clone + Eq + Hash, V> Lru<K, V> {
    /// Room for `capacity` bytes.
    pub(crate) fn new(capacity: u64) -> Self {
        Self { capacity, bytes: 0, kept: HashMap::new(), by_use: BTreeMap::new(), clock: 0 }
    }

    /// The value of this key, which counts as used now.
    pub(crate) fn get(&mut self, key: &K) -> Option<&mut V> {
        let kept = self.kept.get_mut(key)?;
        self.clock += 1;
        // Moved, not cloned: keys may own memory.
        if let Some(own) = self.by_use.remove(&kept.used) {
            self.by_use.insert(self.clock, own);
        }
        kept.used = self.clock;
        Some(&mut kept.value)
    }

    /// Keeps a value, in place of the one that the key had. Returns what is not kept any more: the value
    /// before, those not used for longest, or this value if it needs more than the capacity.
    pub(crate) fn insert(&mut self, key: K, value: V, bytes: u64) -> Vec<V> {
        let mut gone: Vec<V> = self.remove(&key).into_iter().collect();
        let Some(rest) = self.capacity.checked_sub(bytes) else {
            gone.push(value);
            return gone;
        };
        gone.append(&mut self.shrink_to(rest));
        self.clock += 1;
        self.bytes += bytes;
        self.by_use.insert(self.clock, key.clone());
        self.kept.insert(key, Kept { value, bytes, used: self.clock });
        gone
    }

    /// Takes the value of this key out.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let kept = self.kept.remove(key)?;
        self.by_use.remove(&kept.used);
        self.bytes -= kept.bytes;
        Some(kept.value)
    }

    /// Takes out those not used for longest until what is left has at most `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: u64) -> Vec<V> {
        let mut gone = Vec::new();
        while self.bytes > bytes
            && let Some((_, key)) = self.by_use.pop_first()
        {
            if let Some(kept) = self.kept.remove(&key) {
                self.bytes -= kept.bytes;
                gone.push(kept.value);
            }
        }
        gone
    }

    /// Takes out all whose key is like this.
    pub(crate) fn remove_all(&mut self, is_like: impl Fn(&K) -> bool) -> Vec<V> {
        let like: Vec<K> = self.kept.keys().filter(|key| is_like(key)).cloned().collect();
        like.iter().filter_map(|key| self.remove(key)).collect()
    }

    /// Bytes of all that is kept.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Step {
        Get(u8),
        Insert(u8, u64),
        Remove(u8),
        ShrinkTo(u64),
        RemoveBelow(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        let key = || 0..12_u8;
        let bytes = || prop_oneof![0..8_u64, 0..60_u64, 90..130_u64];
        prop_oneof![
            4 => key().prop_map(Step::Get),
            6 => (key(), bytes()).prop_map(|(key, bytes)| Step::Insert(key, bytes)),
            1 => key().prop_map(Step::Remove),
            1 => bytes().prop_map(Step::ShrinkTo),
            1 => key().prop_map(Step::RemoveBelow),
        ]
    }

    /// `(key, value, bytes)`, the last used last.
    #[derive(Debug, Default)]
    struct Model(Vec<(u8, usize, u64)>);

    impl Model {
        fn bytes(&self) -> u64 {
            self.0.iter().map(|(.., bytes)| bytes).sum()
        }

        fn take(&mut self, key: u8) -> Option<(u8, usize, u64)> {
            let at = self.0.iter().position(|(own, ..)| *own == key)?;
            Some(self.0.remove(at))
        }

        fn shrink_to(&mut self, bytes: u64) -> Vec<usize> {
            let mut gone = Vec::new();
            while self.bytes() > bytes {
                gone.push(self.0.remove(0).1);
            }
            gone
        }
    }

    proptest! {
        #[test]
        fn it_keeps_what_a_naive_list_keeps(
            capacity in prop_oneof![Just(0), Just(u64::MAX), 1..120_u64],
            steps in prop::collection::vec(step(), 1..200),
        ) {
            let mut lru = Lru::new(capacity);
            let mut model = Model::default();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Get(key) => {
                        let found = model.take(key);
                        model.0.extend(found);
                        prop_assert_eq!(lru.get(&key).copied(), found.map(|found| found.1));
                    }
                    Step::Insert(key, bytes) => {
                        let mut gone: Vec<usize> =
                            model.take(key).map(|found| found.1).into_iter().collect();
                        if bytes > capacity {
                            gone.push(number);
                        } else {
                            gone.extend(model.shrink_to(capacity - bytes));
                            model.0.push((key, number, bytes));
                        }
                        prop_assert_eq!(lru.insert(key, number, bytes), gone);
                    }
                    Step::Remove(key) => {
                        let found = model.take(key).map(|found| found.1);
                        prop_assert_eq!(lru.remove(&key), found);
                    }
                    Step::ShrinkTo(bytes) => {
                        prop_assert_eq!(lru.shrink_to(bytes), model.shrink_to(bytes));
                    }
                    Step::RemoveBelow(most) => {
                        let mut gone = lru.remove_all(|key| *key < most);
                        gone.sort_unstable();
                        let like = model.0.extract_if(.., |(key, ..)| *key < most);
                        let mut expected: Vec<usize> = like.map(|found| found.1).collect();
                        expected.sort_unstable();
                        prop_assert_eq!(gone, expected);
                    }
                }
                prop_assert_eq!(lru.bytes(), model.bytes());
                prop_assert!(lru.bytes() <= capacity);
                prop_assert_eq!(lru.kept.len(), model.0.len());
                prop_assert_eq!(lru.by_use.len(), model.0.len());
            }
        }
    }
}
