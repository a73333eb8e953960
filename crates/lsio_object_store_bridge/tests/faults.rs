//! What becomes of reads when requests fail, break, stall or meet another version.
#![allow(clippy::unwrap_used, reason = "tests")]

mod scripted;

use std::time::Duration;

use lsio_io::{
    ByteRange, CancelToken, Completion, Freshness, Key, Memory, ReadAnswer, Requests, Storage,
    StorageError, blocking,
};
use lsio_object_store_bridge::{HostLimits, RetryLimits};
use object_store::GetRange;
use scripted::{Script, Scripted, Step};

fn read(
    scripted: &Scripted,
    range: ByteRange,
    freshness: Freshness,
) -> Result<ReadAnswer, StorageError> {
    let memory = Memory::new(256 << 20);
    let key = Key::new("object").unwrap();
    let answer = blocking::read_range(&*scripted.storage, &memory, &key, range, freshness);
    if answer.is_err() {
        let usage = memory.usage();
        assert_eq!(usage.reserved + usage.small + usage.held, 0, "memory was not given back");
    }
    answer
}

fn bounded(scripted: &Scripted, offset: u64, len: u64) -> Result<ReadAnswer, StorageError> {
    read(scripted, ByteRange::Bounded { offset, len }, Freshness::Current)
}

fn object(len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| (i.wrapping_mul(0x9e37_79b1) >> 24) as u8).collect()
}

#[test]
fn a_whole_object_takes_one_request_and_no_look_at_its_length() {
    let bytes = object(50_000);
    let scripted = Scripted::new(&bytes, Script::default(), HostLimits::default());
    let answer = read(&scripted, ByteRange::Whole, Freshness::Current).unwrap();
    assert_eq!(*answer.bytes, *bytes);
    let requests = scripted.requests();
    assert_eq!(requests.len(), 1);
    assert!(!requests[0].head && requests[0].range.is_none());
}

#[test]
fn requests_that_fail_are_made_again() {
    let bytes = object(9000);
    let script = Script::steps([Step::Fail, Step::Fail, Step::Fail]);
    let scripted = Scripted::new(&bytes, script, HostLimits::default());
    assert_eq!(*bounded(&scripted, 10, 5000).unwrap().bytes, bytes[10..5010]);
    assert_eq!(scripted.requests().len(), 4);
    let stats = scripted.stats();
    assert_eq!((stats.requests, stats.retries, stats.under_way), (4, 3, 0));
}

#[test]
fn a_broken_body_goes_on_at_the_byte_where_it_broke_for_the_same_version() {
    let bytes = object(100_000);
    let script = Script::steps([Step::Break { after: 30_000 }, Step::Break { after: 20_000 }]);
    let scripted = Scripted::new(&bytes, script, HostLimits::default());
    assert_eq!(*bounded(&scripted, 1000, 90_000).unwrap().bytes, bytes[1000..91_000]);
    let requests = scripted.requests();
    let ranges: Vec<_> = requests.iter().map(|request| request.range.clone()).collect();
    let expected =
        [1000..91_000, 31_000..91_000, 51_000..91_000].map(|range| Some(GetRange::Bounded(range)));
    assert_eq!(ranges, expected);
    assert_eq!(requests[0].if_match, None);
    assert!(requests[1..].iter().all(|request| request.if_match.is_some()));
    // Nothing was read twice.
    let stats = scripted.stats();
    assert_eq!((stats.bytes_received, stats.bytes_delivered), (90_000, 90_000));
}

#[test]
fn a_body_that_ends_early_goes_on_and_is_an_error_if_it_never_reaches_its_end() {
    let bytes = object(10_000);
    let script = Script::steps([Step::End { after: 4000 }]);
    let scripted = Scripted::new(&bytes, script, HostLimits::default());
    assert_eq!(*read(&scripted, ByteRange::Whole, Freshness::Current).unwrap().bytes, *bytes);

    let limits = limits(RetryLimits { retries: 3, ..RetryLimits::default() });
    let scripted = Scripted::new(&bytes, Script::always(Step::End { after: 10 }), limits);
    let error = bounded(&scripted, 0, 5000).unwrap_err();
    let StorageError::Io { source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().contains("ended after 40 of 5000"), "{source}");
}

#[test]
fn a_body_with_more_bytes_than_it_says_is_an_error() {
    let scripted =
        Scripted::new(&object(10_000), Script::always(Step::TooMany), HostLimits::default());
    let error = bounded(&scripted, 0, 5000).unwrap_err();
    assert!(matches!(error, StorageError::Io { .. }), "{error}");
}

#[test]
fn an_object_that_changes_under_a_broken_body_is_a_conflict() {
    let bytes = object(100_000);
    let script = Script::steps([Step::BreakAndReplace { after: 30_000 }]);
    let scripted = Scripted::new(&bytes, script, HostLimits::default());
    let error = bounded(&scripted, 0, 90_000).unwrap_err();
    assert!(matches!(error, StorageError::Conflict { .. }), "{error}");
}

#[test]
fn an_object_that_changes_between_the_parts_of_a_read_is_a_conflict() {
    let bytes = object(40 << 20);
    let script = Script::steps([Step::Replace]);
    // One after the other, so that the first one changes the object under the others.
    let limits = HostLimits { most_requests: 1, ..HostLimits::default() };
    let scripted = Scripted::new(&bytes, script, limits);
    let error = bounded(&scripted, 0, 40 << 20).unwrap_err();
    assert!(matches!(error, StorageError::Conflict { .. }), "{error}");
}

#[test]
fn a_pinned_object_that_is_gone_is_a_conflict_and_not_missing() {
    let scripted = Scripted::new(&object(100), Script::default(), HostLimits::default());
    let identity = bounded(&scripted, 0, 10).unwrap().identity;
    scripted.remove();
    let range = ByteRange::Bounded { offset: 0, len: 10 };
    let error = read(&scripted, range, Freshness::Pinned(identity)).unwrap_err();
    assert!(matches!(error, StorageError::Conflict { .. }), "{error}");
    let error = read(&scripted, range, Freshness::Current).unwrap_err();
    assert!(matches!(error, StorageError::NotFound { .. }), "{error}");
}

#[test]
fn long_ranges_are_read_by_several_requests() {
    let bytes = object((40 << 20) + 5);
    let scripted = Scripted::new(&bytes, Script::default(), HostLimits::default());
    let answer = bounded(&scripted, 3, 40 << 20).unwrap();
    assert!(*answer.bytes == bytes[3..(40 << 20) + 3]);
    assert_eq!(scripted.requests().len(), 5);
    drop(answer);

    // Of an object whose length is not known, the first part tells it.
    let memory = Memory::new(256 << 20);
    let key = Key::new("object").unwrap();
    let whole = blocking::read_whole(&*scripted.storage, &memory, &key, 64 << 20).unwrap().unwrap();
    assert!(*whole.0 == bytes);
}

#[test]
fn a_store_without_suffix_ranges_is_asked_for_the_length_first() {
    let bytes = object(5000);
    let script = Script { no_suffix: true, ..Script::default() };
    let scripted = Scripted::new(&bytes, script, HostLimits::default());
    let answer = read(&scripted, ByteRange::Suffix { len: 100 }, Freshness::Current).unwrap();
    assert_eq!(*answer.bytes, bytes[4900..]);
    let requests = scripted.requests();
    assert!(requests[1].head);
    assert!(requests[2].if_match.is_some(), "the range belongs to the length that was seen");
}

#[test]
fn an_attempt_without_progress_is_given_up() {
    let bytes = object(10_000);
    let retry = RetryLimits { progress: Duration::from_millis(40), ..RetryLimits::default() };
    let script = Script::steps([Step::Hang, Step::Stall { after: 4000 }]);
    let scripted = Scripted::new(&bytes, script, limits(retry));
    assert_eq!(*bounded(&scripted, 0, 9000).unwrap().bytes, bytes[..9000]);
    let ranges: Vec<_> = scripted.requests().into_iter().map(|request| request.range).collect();
    let expected = [0..9000, 0..9000, 4000..9000].map(|range| Some(GetRange::Bounded(range)));
    assert_eq!(ranges, expected);
}

#[test]
fn a_store_that_never_recovers_is_an_error_that_says_how_often_it_was_tried() {
    let limits = limits(RetryLimits { retries: 2, ..RetryLimits::default() });
    let scripted = Scripted::new(&object(10), Script::always(Step::Fail), limits);
    let error = bounded(&scripted, 0, 5).unwrap_err();
    let StorageError::Io { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.to_string(), "the connection was cut (tried 3 times)");
    assert_eq!(scripted.requests().len(), 3);
}

#[test]
fn a_cancelled_read_is_not_tried_again() {
    let scripted =
        Scripted::new(&object(10), Script::always(Step::FailAndCancel), HostLimits::default());
    let cancel = CancelToken::new();
    scripted.cancels(cancel.clone());
    let memory = Memory::new(1 << 20);
    let (key, range) = (Key::new("object").unwrap(), ByteRange::Bounded { offset: 0, len: 5 });
    let storage = &*scripted.storage;
    let answer =
        blocking::read_range_unless(storage, &memory, &key, range, Freshness::Current, cancel);
    assert!(matches!(answer, Err(StorageError::Cancelled { .. })), "{answer:?}");
    assert_eq!(scripted.requests().len(), 1);
}

#[test]
fn reads_under_way_are_closed_with_their_store() {
    let scripted = Scripted::new(&object(10), Script::always(Step::Hang), HostLimits::default());
    let under_way = UnderWay::new(&scripted);
    scripted.wait_for_requests(1);
    drop(scripted);
    let completion = under_way.ended.recv().unwrap();
    assert!(matches!(completion.result, Err(StorageError::Closed { .. })));
    assert_eq!(under_way.memory.usage().reserved, 0);
}

#[test]
fn a_store_that_cannot_be_listed_says_so() {
    let scripted = Scripted::new(&object(10), Script::default(), HostLimits::default());
    let storage = scripted.unlisted();
    let error = blocking::list_blocking(&storage, &Key::root()).unwrap_err();
    assert!(matches!(error, StorageError::Unsupported { .. }), "{error}");
}

/// A store that is known to answer at once, by so many requests.
fn known(bytes: &[u8], limits: HostLimits) -> (Scripted, usize) {
    let scripted = Scripted::new(bytes, Script::default(), limits);
    for _ in 0..ENOUGH {
        bounded(&scripted, 0, 5).unwrap();
    }
    assert_eq!(scripted.requests().len(), ENOUGH);
    (scripted, ENOUGH)
}

/// Answers after which it is known how soon a store answers, and requests that earn a second one.
const ENOUGH: usize = 40;

#[test]
fn a_late_answer_is_asked_for_a_second_time_and_the_first_that_begins_is_taken() {
    let bytes = object(100_000);
    let (scripted, before) = known(&bytes, HostLimits::default());
    scripted.then([Step::Hang]);
    let identity = bounded(&scripted, 0, 0).unwrap().identity;
    let range = ByteRange::Bounded { offset: 1000, len: 90_000 };
    let answer = read(&scripted, range, Freshness::Pinned(identity)).unwrap();
    assert_eq!(*answer.bytes, bytes[1000..91_000]);
    let requests = scripted.requests().split_off(before + 1);
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(request.range, Some(GetRange::Bounded(1000..91_000)));
        assert!(request.if_match.is_some());
    }
    let stats = scripted.stats();
    assert_eq!((stats.hedges, stats.retries, stats.under_way), (1, 0, 0));
    assert_eq!(stats.requests as usize, before + 3);
}

#[test]
fn while_two_are_asked_the_failure_of_one_is_not_that_of_the_read() {
    let bytes = object(9000);
    for first_fails in [true, false] {
        let (scripted, before) = known(&bytes, HostLimits::default());
        let fails = Step::FailLate { requests: before + 2 };
        let late = Step::AnswerLate;
        scripted.then(if first_fails { [fails, late] } else { [late, fails] });
        assert_eq!(*bounded(&scripted, 10, 5000).unwrap().bytes, bytes[10..5010]);
        assert_eq!(scripted.requests().len(), before + 2);
        let stats = scripted.stats();
        assert_eq!((stats.hedges, stats.retries, stats.under_way), (1, 0, 0));
    }
}

#[test]
fn two_that_fail_are_followed_by_one() {
    let (scripted, before) = known(&object(9000), HostLimits::default());
    scripted.then([Step::FailLate { requests: before + 2 }, Step::FailLate { requests: 0 }]);
    bounded(&scripted, 10, 5000).unwrap();
    let stats = scripted.stats();
    assert_eq!((stats.hedges, stats.retries, stats.under_way), (1, 1, 0));
}

#[test]
fn without_hedging_or_room_for_a_second_request_the_first_is_waited_for() {
    // Several times as long as after which answers are late.
    let retry = RetryLimits { progress: Duration::from_millis(300), ..RetryLimits::default() };
    for limits in [
        HostLimits { hedge: false, ..limits(retry) },
        HostLimits { most_requests: 1, ..limits(retry) },
    ] {
        let (scripted, before) = known(&object(9000), limits);
        scripted.then([Step::Hang]);
        bounded(&scripted, 10, 5000).unwrap();
        assert_eq!(scripted.requests().len(), before + 2);
        let stats = scripted.stats();
        assert_eq!((stats.hedges, stats.retries), (0, 1));
    }
}

#[test]
fn a_cancelled_read_gives_up_both_requests() {
    let (scripted, before) = known(&object(100), HostLimits::default());
    scripted.then([Step::Hang, Step::Hang]);
    let under_way = UnderWay::new(&scripted);
    scripted.wait_for_requests(before + 2);
    assert_eq!((scripted.stats().under_way, scripted.stats().tasks), (2, 1));
    under_way.cancel.cancel();
    assert_eq!(under_way.cancelled(), Requests { made: 2, retries: 0, hedges: 1 });
    assert_eq!(scripted.stats().under_way, 0);
    // The task ends once it has answered.
    while scripted.stats().tasks > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_cancelled_read_gives_up_the_answer_that_it_has_begun() {
    let script = Script::steps([Step::Stall { after: 3 }]);
    let scripted = Scripted::new(&object(100), script, HostLimits::default());
    let under_way = UnderWay::new(&scripted);
    while scripted.stats().bytes_received < 3 {
        std::thread::yield_now();
    }
    assert_eq!(scripted.stats().under_way, 1);
    under_way.cancel.cancel();
    assert_eq!(under_way.cancelled(), Requests { made: 1, retries: 0, hedges: 0 });
    let stats = scripted.stats();
    assert_eq!((stats.under_way, stats.bytes_received), (0, 3));
}

#[test]
fn a_cancelled_read_does_not_wait_for_its_turn() {
    let script = Script::steps([Step::Hang]);
    let limits = HostLimits { most_requests: 1, ..HostLimits::default() };
    let scripted = Scripted::new(&object(100), script, limits);
    let first = UnderWay::new(&scripted);
    scripted.wait_for_requests(1);
    let [second, third] = [(), ()].map(|()| UnderWay::new(&scripted));
    second.cancel.cancel();
    assert_eq!(second.cancelled(), Requests::default());
    assert_eq!((scripted.requests().len(), scripted.stats().under_way), (1, 1));
    // It leaves the turn to those behind it.
    first.cancel.cancel();
    assert_eq!(first.cancelled(), Requests { made: 1, retries: 0, hedges: 0 });
    assert_eq!(*third.ended.recv().unwrap().result.unwrap().bytes, object(100)[..5]);
    assert_eq!(scripted.requests().len(), 2);
}

/// A read of 5 bytes that was submitted.
struct UnderWay {
    cancel: CancelToken,
    ended: std::sync::mpsc::Receiver<Completion>,
    memory: std::sync::Arc<Memory>,
}

impl UnderWay {
    fn new(scripted: &Scripted) -> Self {
        let (sender, ended) = std::sync::mpsc::channel();
        let memory = Memory::new(1 << 20);
        let sink = std::sync::Arc::new(scripted::Channel(sender));
        let range = ByteRange::Bounded { offset: 0, len: 5 };
        let read = scripted::a_read(&memory, range, sink);
        let cancel = read.cancel.clone();
        scripted.storage.submit(vec![read]);
        Self { cancel, ended, memory }
    }

    /// What was asked for it, once it has ended as cancelled and given its memory back.
    fn cancelled(&self) -> Requests {
        let completion = self.ended.recv().unwrap();
        assert!(matches!(completion.result, Err(StorageError::Cancelled { .. })), "{completion:?}");
        assert_eq!(self.memory.usage().reserved, 0);
        completion.requests
    }
}

fn limits(retry: RetryLimits) -> HostLimits {
    HostLimits { retry, ..HostLimits::default() }
}
