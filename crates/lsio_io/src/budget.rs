//! The books of the byte budget: who was promised what, and who waits.

use std::collections::BTreeMap;

/// Which account bytes are booked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// Counts against the limit.
    Reserved,
    /// Counts against the limit too, but gives way to what is to be reserved.
    Cached,
    /// The allowance for metadata, which is never refused.
    Small,
    /// The user's: never refused and never in anybody's way.
    Held,
}

/// Sums per account, and the requests that wait, oldest first.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) limit: u64,
    pub(crate) reserved: u64,
    pub(crate) cached: u64,
    pub(crate) small: u64,
    pub(crate) held: u64,
    pub(crate) peak_reserved: u64,
    /// Request number to the bytes that it last asked for.
    waiting: BTreeMap<u64, u64>,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            reserved: 0,
            cached: 0,
            small: 0,
            held: 0,
            peak_reserved: 0,
            waiting: BTreeMap::new(),
        }
    }

    /// Books `bytes` for `request`, or notes it as waiting. Never waits for what exceeds the limit.
    pub(crate) fn reserve(&mut self, request: u64, bytes: u64) -> bool {
        if bytes > self.limit {
            return false;
        }
        let an_older_one_waits =
            self.waiting.first_key_value().is_some_and(|(&oldest, _)| oldest < request);
        // Nothing can be taken away from an older request by taking nothing.
        if bytes > 0 && (an_older_one_waits || !self.fits(bytes)) {
            self.waiting.insert(request, bytes);
            return false;
        }
        self.waiting.remove(&request);
        self.add(Account::Reserved, bytes);
        true
    }

    /// Books `more` bytes if they are free and nobody but `request` waits.
    pub(crate) fn grow(&mut self, request: u64, account: Account, more: u64) -> bool {
        if matches!(account, Account::Reserved | Account::Cached) {
            let another_waits = self.waiting.keys().any(|&waiting| waiting != request);
            if another_waits || !self.fits(more) {
                return false;
            }
        }
        self.add(account, more);
        true
    }

    /// Cached bytes that have to go before `bytes` fit for `request`. `None`: none would help it.
    pub(crate) fn in_the_way(&self, request: u64, bytes: u64) -> Option<u64> {
        let an_older_one_waits =
            self.waiting.first_key_value().is_some_and(|(&oldest, _)| oldest < request);
        let short = bytes.checked_sub(self.free())?;
        (short > 0 && short <= self.cached && !an_older_one_waits).then_some(short)
    }

    /// `request` no longer waits.
    pub(crate) fn withdraw(&mut self, request: u64) {
        self.waiting.remove(&request);
    }

    /// Whether the oldest waiting request would be served now, if need be after the cache has given way.
    pub(crate) fn oldest_fits(&self) -> bool {
        let available = self.free().saturating_add(self.cached);
        self.waiting.first_key_value().is_some_and(|(_, &bytes)| bytes <= available)
    }

    pub(crate) fn add(&mut self, account: Account, bytes: u64) {
        let sum = self.sum(account);
        *sum = sum.saturating_add(bytes);
        self.peak_reserved = self.peak_reserved.max(self.reserved);
    }

    pub(crate) fn subtract(&mut self, account: Account, bytes: u64) {
        let sum = self.sum(account);
        debug_assert!(*sum >= bytes, "gave back {bytes} of {sum} bytes");
        *sum = sum.saturating_sub(bytes);
    }

    fn sum(&mut self, account: Account) -> &mut u64 {
        match account {
            Account::Reserved => &mut self.reserved,
            Account::Cached => &mut self.cached,
            Account::Small => &mut self.small,
            Account::Held => &mut self.held,
        }
    }

    fn fits(&self, bytes: u64) -> bool {
        bytes <= self.free()
    }

    fn free(&self) -> u64 {
        self.limit.saturating_sub(self.reserved).saturating_sub(self.cached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_younger_request_stands_behind_an_older_one_that_waits() {
        let mut budget = Budget::new(100);
        assert!(budget.reserve(5, 60));
        assert!(!budget.reserve(3, 50));
        assert!(!budget.reserve(4, 10), "4 overtook 3");
        assert!(budget.reserve(2, 10), "2 is older than all that wait");
        assert!(!budget.oldest_fits());
        budget.subtract(Account::Reserved, 60);
        assert!(budget.oldest_fits());
        assert!(!budget.reserve(4, 10), "3 is still first");
        assert!(budget.reserve(3, 50));
        assert!(budget.oldest_fits());
        assert!(budget.reserve(4, 10));
    }

    #[test]
    fn what_exceeds_the_limit_is_refused_without_waiting() {
        let mut budget = Budget::new(100);
        assert!(!budget.reserve(1, 101));
        assert!(budget.reserve(2, 100));
    }

    #[test]
    fn growing_never_overtakes_another_request() {
        let mut budget = Budget::new(100);
        assert!(budget.reserve(1, 50));
        assert!(budget.grow(1, Account::Reserved, 10));
        assert!(!budget.reserve(2, 90));
        assert!(!budget.grow(1, Account::Reserved, 10));
        assert!(budget.grow(1, Account::Held, 1000));
        budget.withdraw(2);
        assert!(!budget.grow(1, Account::Reserved, 41));
        assert!(budget.grow(1, Account::Reserved, 40));
    }

    #[test]
    fn cached_bytes_are_in_the_way_of_the_oldest_request_only() {
        let mut budget = Budget::new(100);
        budget.add(Account::Cached, 70);
        assert_eq!(budget.in_the_way(1, 30), None, "they fit beside it");
        assert!(!budget.reserve(4, 50));
        assert_eq!(budget.in_the_way(4, 50), Some(20));
        assert!(budget.oldest_fits());
        assert!(!budget.reserve(5, 40));
        assert_eq!(budget.in_the_way(5, 40), None, "4 is first");
        assert!(!budget.grow(5, Account::Cached, 1), "nothing is cached while somebody waits");
        budget.subtract(Account::Cached, 20);
        assert!(budget.reserve(4, 50));
        assert!(budget.oldest_fits());
        assert!(!budget.reserve(5, 40));
        assert_eq!(budget.in_the_way(5, 40), Some(40));
        budget.withdraw(5);
        assert_eq!(budget.in_the_way(5, 51), None, "the whole cache would not be enough");
    }
}
