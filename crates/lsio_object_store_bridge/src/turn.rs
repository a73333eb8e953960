//! Whose turn it is: requests wait here in the order of their reads until there is room for them.

use std::collections::BTreeMap;

/// Place of a request among all of a host: by the number of its read, then by its part of it. A request that is made
/// again keeps its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) read: u64,
    pub(crate) part: u32,
}

/// Bytes under way for each request that may be: a request for more takes the room of several. Half of the largest
/// request, since most are smaller.
const BYTES_PER_REQUEST: u64 = 4 << 20;

/// Requests that are under way and those that wait, with what is to be told when their turn has come.
#[derive(Debug)]
pub(crate) struct Turns<T> {
    requests: u32,
    bytes: u64,
    waiting: BTreeMap<Place, (u64, T)>,
    most_requests: u32,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { requests: 0, bytes: 0, waiting: BTreeMap::new(), most_requests: 0 }
    }
}

impl<T> Turns<T> {
    /// A request for so many bytes waits for its turn.
    pub(crate) fn wait(&mut self, place: Place, bytes: u64, waiter: T) {
        self.waiting.insert(place, (bytes, waiter));
    }

    /// Nobody waits for this turn any more. `false`: it has come already.
    pub(crate) fn leave(&mut self, place: Place) -> bool {
        self.waiting.remove(&place).is_some()
    }

    /// The waiters whose turn it is if `limit` requests may be under way, first place first, and what they may
    /// bring. They count as under way from now on.
    pub(crate) fn next(&mut self, limit: u32) -> Option<(u64, T)> {
        let first = self.waiting.first_entry()?;
        let bytes = first.get().0;
        if self.requests > 0 && !fits(self.requests, self.bytes, limit, bytes) {
            return None;
        }
        let next = first.remove();
        self.begin(bytes);
        Some(next)
    }

    /// Whether a request for so many bytes may begin beside those under way without anybody's turn coming later.
    /// If so, it counts as under way from now on.
    pub(crate) fn take_spare(&mut self, limit: u32, bytes: u64) -> bool {
        let is_spare = !self.is_awaited() && fits(self.requests, self.bytes, limit, bytes);
        if is_spare {
            self.begin(bytes);
        }
        is_spare
    }

    fn begin(&mut self, bytes: u64) {
        self.requests += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.most_requests = self.most_requests.max(self.requests);
    }

    /// A request that was under way has ended.
    pub(crate) fn end(&mut self, bytes: u64) {
        self.requests = self.requests.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// A request under way for `before` bytes turned out to be one for `now`.
    pub(crate) fn resize(&mut self, before: u64, now: u64) {
        self.bytes = self.bytes.saturating_sub(before).saturating_add(now);
    }

    /// Whether somebody waits.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Requests under way.
    pub(crate) fn under_way(&self) -> u32 {
        self.requests
    }

    /// Most requests that were under way at once.
    pub(crate) fn most_under_way(&self) -> u32 {
        self.most_requests
    }
}

/// Whether there is room for one more request beside so many for so many bytes.
fn fits(requests: u32, under_way: u64, limit: u32, bytes: u64) -> bool {
    let room = u64::from(limit).saturating_mul(BYTES_PER_REQUEST);
    requests < limit && under_way.saturating_add(bytes) <= room
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(read: u64, part: u32) -> Place {
        Place { read, part }
    }

    fn next(turns: &mut Turns<&'static str>, limit: u32) -> Option<&'static str> {
        turns.next(limit).map(|(_, waiter)| waiter)
    }

    #[test]
    fn the_first_place_goes_first_whoever_came_first() {
        let mut turns = Turns::default();
        turns.wait(place(2, 0), 10, "third");
        turns.wait(place(1, 1), 10, "second");
        turns.wait(place(1, 0), 10, "first");
        assert_eq!(next(&mut turns, 2), Some("first"));
        assert_eq!(next(&mut turns, 2), Some("second"));
        assert_eq!(next(&mut turns, 2), None);
        turns.end(10);
        assert_eq!(next(&mut turns, 2), Some("third"));
        assert_eq!((turns.under_way(), turns.most_under_way()), (2, 2));
        assert!(!turns.is_awaited());
    }

    #[test]
    fn whoever_leaves_holds_up_nobody() {
        let mut turns = Turns::default();
        turns.wait(place(0, 0), 10, "under way");
        assert_eq!(next(&mut turns, 2), Some("under way"));
        turns.wait(place(1, 0), 8 << 20, "large");
        turns.wait(place(2, 0), 10, "small");
        assert_eq!(next(&mut turns, 2), None, "the large one comes first and has no room");
        assert!(turns.leave(place(1, 0)));
        assert_eq!(next(&mut turns, 2), Some("small"));
        assert!(!turns.leave(place(2, 0)), "it is under way");
        assert_eq!((turns.under_way(), turns.is_awaited()), (2, false));
    }

    #[test]
    fn large_requests_take_the_room_of_several() {
        let mut turns = Turns::default();
        for part in 0..4 {
            turns.wait(place(0, part), 8 << 20, "large");
        }
        assert_eq!(next(&mut turns, 4), Some("large"));
        assert_eq!(next(&mut turns, 4), Some("large"));
        assert_eq!(next(&mut turns, 4), None, "16 MiB are under way");
        turns.end(8 << 20);
        assert_eq!(next(&mut turns, 4), Some("large"));
    }

    #[test]
    fn a_place_is_spare_where_there_is_room_and_nobody_waits() {
        let mut turns = Turns::default();
        assert!(turns.take_spare(2, 10));
        turns.wait(place(0, 0), 10, "waits");
        assert!(!turns.take_spare(2, 10), "another waits for it");
        assert_eq!(next(&mut turns, 2), Some("waits"));
        assert!(!turns.take_spare(2, 10), "two are under way");
        assert!(!turns.take_spare(3, 16 << 20), "their bytes have no room");
        assert!(turns.take_spare(3, 10));
        assert_eq!((turns.under_way(), turns.most_under_way()), (3, 3));
    }

    #[test]
    fn a_request_larger_than_all_room_goes_alone() {
        let mut turns = Turns::default();
        turns.wait(place(0, 0), u64::MAX, "huge");
        turns.wait(place(1, 0), 1, "small");
        assert_eq!(next(&mut turns, 1), Some("huge"));
        assert_eq!(next(&mut turns, 64), None);
        turns.end(u64::MAX);
        assert_eq!(next(&mut turns, 64), Some("small"));
    }
}
