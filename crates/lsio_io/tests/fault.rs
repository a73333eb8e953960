//! What the fault wrapper does to reads.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::thread;

use lsio_io::{
    ByteRange, CancelToken, Completion, CompletionSink, Fault, FaultStorage, Freshness, Identity,
    IoMode, Key, Memory, MemoryStorage, Read, Reads, Resident, Storage, StorageError, WriteStorage,
};

#[derive(Debug, Default)]
struct Arrivals(Mutex<Vec<Completion>>);

impl CompletionSink for Arrivals {
    fn complete(&self, completion: Completion) {
        self.0.lock().unwrap().push(completion);
    }
}

struct Fixture {
    memory: Arc<Memory>,
    faults: FaultStorage,
    arrivals: Arc<Arrivals>,
}

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

impl Fixture {
    fn new(seed: u64) -> Self {
        let objects = MemoryStorage::new();
        for name in ["a/0", "a/1", "b/0"] {
            objects.put(&key(name), name.as_bytes()).unwrap();
        }
        Self {
            memory: Memory::new(1 << 30),
            faults: FaultStorage::new(Arc::new(objects), seed),
            arrivals: Arc::new(Arrivals::default()),
        }
    }

    fn read(&self, name: &str, tag: u64) -> Read {
        Read {
            key: key(name),
            range: ByteRange::Whole,
            freshness: Freshness::Current,
            reservation: self.memory.reserve(0, Read::reserve_for(10)).unwrap(),
            mode: IoMode::Auto,
            request_bytes: 10,
            cancel: CancelToken::new(),
            tag,
            sink: Arc::clone(&self.arrivals) as Arc<dyn CompletionSink>,
            begun: None,
        }
    }

    fn submit(&self, name: &str, tags: impl IntoIterator<Item = u64>) {
        self.faults.submit(tags.into_iter().map(|tag| self.read(name, tag)).collect());
    }

    fn arrived(&self) -> Vec<Completion> {
        std::mem::take(&mut *self.arrivals.0.lock().unwrap())
    }

    fn tags(&self) -> Vec<u64> {
        self.arrived().iter().map(|completion| completion.tag).collect()
    }

    fn one(&self, name: &str) -> Result<(Vec<u8>, Identity), StorageError> {
        self.submit(name, [7]);
        let [Completion { tag: 7, result, .. }] = <[_; 1]>::try_from(self.arrived()).unwrap()
        else {
            panic!("another tag");
        };
        result.map(|answer| (answer.bytes.to_vec(), answer.identity))
    }
}

#[test]
fn completions_are_shuffled_by_the_seed_and_none_is_lost() {
    let order = |seed| {
        let fixture = Fixture::new(seed);
        fixture.faults.reorder(10);
        fixture.submit("a/0", 0..50);
        fixture.tags()
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
    let mut tags = order(3);
    assert!(!tags.is_sorted());
    tags.sort_unstable();
    assert_eq!(tags, (0..50).collect::<Vec<_>>());
}

#[test]
fn a_delayed_completion_lets_others_pass_but_waits_for_nobody() {
    let fixture = Fixture::new(1);
    fixture.faults.inject(Reads::Nth(1), 1, Fault::Delay(3));
    fixture.submit("a/0", 0..8);
    assert_eq!(fixture.tags(), [0, 2, 3, 1, 4, 5, 6, 7]);
    fixture.faults.inject(Reads::All, 1, Fault::Delay(1000));
    fixture.submit("a/0", [9]);
    assert_eq!(fixture.tags(), [9]);
}

#[test]
fn faults_hit_the_reads_that_they_are_meant_for_as_often_as_told() {
    let fixture = Fixture::new(1);
    let closed = || StorageError::Closed { location: "there".to_owned() };
    fixture.faults.inject(Reads::Of(key("a/0")), 1, Fault::Fail(closed()));
    fixture.faults.inject(Reads::Below(key("b")), 2, Fault::Conflict);
    assert!(fixture.one("a/1").is_ok());
    assert!(matches!(fixture.one("a/0"), Err(StorageError::Closed { .. })));
    assert!(fixture.one("a/0").is_ok());
    for _ in 0..2 {
        assert!(
            matches!(fixture.one("b/0"), Err(StorageError::Conflict { key: of }) if of == key("b/0"))
        );
    }
    assert!(fixture.one("b/0").is_ok());
    fixture.faults.inject(Reads::All, u64::MAX, Fault::Conflict);
    assert!(fixture.one("b/0").is_err());
    fixture.faults.clear();
    assert!(fixture.one("b/0").is_ok());
    assert_eq!(fixture.memory.usage().reserved, 0);
}

#[test]
fn answers_are_cut_flipped_and_passed_off_as_another_version() {
    let fixture = Fixture::new(1);
    let (bytes, identity) = fixture.one("a/0").unwrap();
    assert_eq!(bytes, b"a/0");
    fixture.faults.inject(Reads::All, 1, Fault::Truncate(2));
    assert_eq!(fixture.one("a/0").unwrap().0, b"a");
    fixture.faults.inject(Reads::All, 1, Fault::FlipBit(9));
    assert_eq!(fixture.one("a/0").unwrap().0, b"a-0");
    fixture.faults.inject(Reads::All, 1, Fault::Identity(Identity::Version(99)));
    assert_eq!(fixture.one("a/0").unwrap().1, Identity::Version(99));
    assert_eq!(fixture.one("a/0").unwrap(), (bytes, identity));
}

#[test]
fn blocked_reads_begin_when_they_are_released() {
    let fixture = Fixture::new(1);
    fixture.faults.inject(Reads::Of(key("a/0")), u64::MAX, Fault::Block);
    thread::scope(|scope| {
        scope.spawn(|| {
            fixture.submit("a/0", 0..3);
            fixture.submit("b/0", [3]);
            fixture.submit("a/0", [4]);
        });
        fixture.faults.wait_until_blocked(4);
    });
    assert_eq!(fixture.tags(), [3], "another object's read was blocked too");
    assert!(fixture.faults.release_one());
    assert_eq!((fixture.tags().len(), fixture.faults.blocked()), (1, 3));
    fixture.faults.release();
    assert_eq!((fixture.tags().len(), fixture.faults.blocked()), (3, 0));
    assert!(!fixture.faults.release_one());
}

#[test]
fn reads_that_stay_blocked_end_when_the_storage_goes_away() {
    let Fixture { memory, faults, arrivals } = {
        let fixture = Fixture::new(1);
        fixture.faults.inject(Reads::All, u64::MAX, Fault::Block);
        fixture.submit("a/0", 0..3);
        fixture
    };
    drop(faults);
    let arrived = arrivals.0.lock().unwrap();
    assert_eq!(arrived.len(), 3);
    for completion in arrived.iter() {
        assert!(matches!(completion.result, Err(StorageError::Closed { .. })));
    }
    assert_eq!(memory.usage().reserved, 0);
}

#[test]
fn resident_reads_are_counted_forbidden_and_never_hide_a_fault() {
    let fixture = Fixture::new(1);
    let resident = || fixture.faults.try_read_resident(fixture.read("a/0", 0));
    assert!(matches!(resident(), Resident::Hit(_)));
    fixture.faults.inject(Reads::Of(key("a/0")), 1, Fault::Conflict);
    let Resident::Miss(read) = resident() else { panic!("a fault was passed by") };
    fixture.faults.submit(vec![read]);
    assert!(matches!(fixture.arrived()[0].result, Err(StorageError::Conflict { .. })));
    assert!(matches!(resident(), Resident::Hit(_)));
    fixture.faults.allow_resident(false);
    assert!(matches!(resident(), Resident::Miss(_)));

    fixture.submit("a/1", 0..4);
    let counts = fixture.faults.counts();
    assert_eq!((counts.reads, counts.submissions, counts.resident), (5, 2, 2));
    assert_eq!(counts.bytes, 6 * 3);
}
