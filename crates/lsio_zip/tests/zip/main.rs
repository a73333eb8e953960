//! Archives keep the contract of every storage; what other writers wrote is read; what is damaged is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod archive_writer;
mod deflated_queue;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use archive_writer::{archive, with_zip64_end};
use lsio_io::conformance::{Capabilities, ConformanceHarness, ResidentReads, check};
use lsio_io::{
    ByteRange, Entry, FaultStorage, Freshness, Key, ListDone, Memory, MemoryStorage, Read,
    ReadLimits, Resident, Storage, StorageError, WriteStorage, blocking,
};
use lsio_zip::{Spawn, ZipError, ZipStorage};
use proptest::prelude::*;

const ARCHIVE: &str = "some/data.zip";

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

fn threads() -> Spawn {
    Arc::new(|work| drop(std::thread::spawn(work)))
}

fn store(bytes: &[u8]) -> Arc<MemoryStorage> {
    let below = Arc::new(MemoryStorage::new());
    below.put(&key(ARCHIVE), bytes).unwrap();
    below
}

fn open(bytes: &[u8]) -> Result<ZipStorage, ZipError> {
    ZipStorage::open(store(bytes), key(ARCHIVE), &Memory::new(1 << 26), threads())
}

/// A store whose every write makes a new archive.
struct Harness {
    below: Arc<MemoryStorage>,
    zip: Arc<ZipStorage>,
    members: Mutex<BTreeMap<String, Vec<u8>>>,
    resident: ResidentReads,
}

impl Harness {
    fn new(resident: bool) -> Self {
        let below = store(&archive(&BTreeMap::new()));
        let faults = FaultStorage::new(Arc::clone(&below) as Arc<dyn Storage>, 1);
        faults.allow_resident(resident);
        let zip =
            ZipStorage::open(Arc::new(faults), key(ARCHIVE), &Memory::new(1 << 26), threads());
        let resident = if resident { ResidentReads::Sometimes } else { ResidentReads::Never };
        Self { below, zip: Arc::new(zip.unwrap()), members: Mutex::default(), resident }
    }

    fn change(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>),
    ) -> Result<(), StorageError> {
        let mut members = self.members.lock().unwrap();
        change(&mut members);
        self.below.put(&key(ARCHIVE), &archive(&members))
    }
}

impl ConformanceHarness for Harness {
    fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.zip) as Arc<dyn Storage>
    }

    fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError> {
        self.change(|members| drop(members.insert(key.to_string(), bytes.to_vec())))
    }

    fn remove(&self, key: &Key) -> Result<(), StorageError> {
        self.change(|members| drop(members.remove(key.as_str())))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(self.resident)
    }
}

#[test]
fn archives_keep_the_contract_of_every_storage() {
    check(&Harness::new(true)).unwrap();
    check(&Harness::new(false)).unwrap();
}

/// What fixtures/generate.py calls data.
fn data(length: usize) -> Vec<u8> {
    let numbers: Vec<String> = (0..=length).map(|i| (i * i % 1009).to_string()).collect();
    numbers.join(",").into_bytes()[..length].to_vec()
}

fn read(zip: &ZipStorage, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
    let whole = blocking::read_whole(zip, &Memory::new(1 << 26), &key(name), 1 << 20)?;
    Ok(whole.map(|(bytes, _)| bytes.to_vec()))
}

#[test]
fn what_python_wrote_is_read() {
    for bytes in [
        include_bytes!("../fixtures/seekable.zip").as_slice(),
        include_bytes!("../fixtures/streamed.zip"),
        include_bytes!("../fixtures/zip64_headers.zip"),
        include_bytes!("../fixtures/replaced.zip"),
    ] {
        let zip = open(bytes).unwrap();
        let is_replaced = bytes == include_bytes!("../fixtures/replaced.zip");
        let last = if is_replaced { b"the last of its name".to_vec() } else { data(7_000) };
        let expected = [
            ("zarr.json", b"{}".to_vec()),
            ("c/0/0", last),
            ("c/0/1", data(100_000)),
            ("c/1/0", Vec::new()),
            ("c/1/1", Vec::new()),
            ("umlaut/\u{e4}\u{65e5}", data(10)),
        ];
        for (name, content) in expected {
            assert_eq!(read(&zip, name).unwrap(), Some(content), "{name}");
        }
        assert_eq!(read(&zip, "folder").unwrap(), None);
        let entries = blocking::list_blocking(&zip, &Key::root()).unwrap();
        let names: Vec<&str> = entries.iter().map(Entry::name).collect();
        assert_eq!(names, ["c", "umlaut", "zarr.json"]);
    }
}

#[test]
fn other_methods_are_refused_by_the_read() {
    let zip = open(include_bytes!("../fixtures/other_method.zip")).unwrap();
    assert_eq!(zip.location(), "memory://some/data.zip");
    let error = read(&zip, "a").unwrap_err();
    assert!(
        matches!(&error, StorageError::Unsupported { operation, .. } if operation.contains("method")),
        "{error}"
    );
}

#[test]
fn directories_are_read_to_their_end_whatever_the_count_of_16_bits() {
    let members: BTreeMap<_, _> =
        (0..70_000).map(|i| (format!("{i:05}"), i.to_string().into_bytes())).collect();
    let plain = archive(&members);
    for bytes in [with_zip64_end(&plain), plain] {
        let zip = open(&bytes).unwrap();
        assert_eq!(read(&zip, "00000").unwrap(), Some(b"0".to_vec()));
        assert_eq!(read(&zip, "69999").unwrap(), Some(b"69999".to_vec()));
        assert_eq!(blocking::list_blocking(&zip, &Key::root()).unwrap().len(), 70_000);
    }
}

#[test]
fn an_archive_is_refused_whose_directory_is_not_what_its_end_says() {
    let members = BTreeMap::from([("a".into(), data(10)), ("b".into(), data(10))]);
    let good = archive(&members);
    let end = good.len() - 22;
    // Disks, counts, length and offset of the directory.
    for at in 4..20 {
        let mut bad = good.clone();
        bad[end + at] ^= 1;
        let is_count_of_this_file = (8..10).contains(&at);
        let refused = matches!(open(&bad), Err(ZipError::Invalid { .. }));
        assert!(refused || is_count_of_this_file, "byte {at}");
    }
    assert!(matches!(open(b""), Err(ZipError::Invalid { .. })));
    assert!(matches!(open(&good[..end]), Err(ZipError::Invalid { .. })));
}

#[test]
fn an_archive_is_refused_whose_member_has_more_bytes_than_its_method_makes() {
    let members = BTreeMap::from([("a".into(), data(1000)), ("b".into(), data(1000))]);
    let good = archive(&members);
    assert_eq!(read(&open(&good).unwrap(), "b").unwrap(), Some(data(1000)));
    // "a" is stored, "b" deflated.
    let entries: Vec<usize> =
        (0..good.len()).filter(|&at| good[at..].starts_with(b"PK\x01\x02")).collect();
    for (entry, stored_len) in
        [(entries[0], 999), (entries[0], 3 << 30), (entries[1], 68_000), (entries[1], 3 << 30)]
    {
        let mut bad = good.clone();
        bad[entry + 20..entry + 24].copy_from_slice(&u32::to_le_bytes(stored_len));
        let message = open(&bad).unwrap_err().to_string();
        assert!(message.contains(&stored_len.to_string()), "{message}");
        assert!(message.contains("1000"), "{message}");
    }
}

#[test]
fn a_deflated_member_that_is_too_long_for_its_read_is_not_read() {
    let members = BTreeMap::from([("a".into(), data(10)), ("b".into(), data(1 << 20))]);
    let faults = Arc::new(FaultStorage::new(store(&archive(&members)), 1));
    let memory = Memory::new(1 << 26);
    let zip = ZipStorage::open(faults.clone(), key(ARCHIVE), &memory, threads()).unwrap();
    let before = faults.counts().bytes;
    let error = blocking::read_whole(&zip, &memory, &key("b"), 1 << 10).unwrap_err();
    assert!(matches!(error, StorageError::TooLong { len: 0x0010_0000, .. }), "{error}");
    assert!(faults.counts().bytes < before + 100, "the members were read");
    let (whole, _) = blocking::read_whole(&zip, &memory, &key("b"), 2 << 20).unwrap().unwrap();
    assert_eq!(*whole, data(1 << 20));
}

#[test]
fn no_archive_at_all_is_the_error_of_the_store_below() {
    let below = Arc::new(MemoryStorage::new());
    let error =
        ZipStorage::open(below, key(ARCHIVE), &Memory::new(1 << 20), threads()).unwrap_err();
    assert!(matches!(error, ZipError::Storage(StorageError::NotFound { .. })));
}

#[test]
fn a_damaged_member_is_never_delivered_as_a_whole() {
    let members = BTreeMap::from([("a".into(), data(400)), ("b".into(), data(400))]);
    let good = archive(&members);
    for at in 40..good.len() - 200 {
        let mut bad = good.clone();
        bad[at] ^= 4;
        let zip = open(&bad).unwrap();
        for name in ["a", "b"] {
            match read(&zip, name) {
                Ok(content) => assert_eq!(content, Some(data(400)), "{name}, byte {at}"),
                Err(error) => assert!(matches!(error, StorageError::Io { .. }), "{error:?}"),
            }
        }
    }
}

#[test]
fn ranges_of_deflated_members_are_those_of_the_member() {
    let zip = open(include_bytes!("../fixtures/seekable.zip")).unwrap();
    let memory = Memory::new(1 << 26);
    for (offset, len) in [(0, 10), (65_530, 100), (99_990, 10), (100_000, 0)] {
        let range = ByteRange::Bounded { offset, len };
        let answer =
            blocking::read_range(&zip, &memory, &key("c/0/1"), range, Freshness::Current).unwrap();
        let (from, to) = (offset as usize, (offset + len) as usize);
        assert_eq!(*answer.bytes, data(100_000)[from..to]);
        assert_eq!(answer.object_len, 100_000);
    }
}

proptest! {
    #[test]
    fn no_archive_makes_it_panic_or_give_other_bytes(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let members = BTreeMap::from([("a".into(), data(300)), ("b/c".into(), data(300))]);
        let mut bytes = archive(&members);
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(zip) = open(&bytes) {
            for name in ["a", "b/c"] {
                if let Ok(Some(content)) = read(&zip, name) {
                    // The directory itself may have been changed to a shorter member with a true checksum,
                    // but a checksum never fits by chance.
                    prop_assert!(data(300).starts_with(&content));
                }
            }
        }
    }
}

/// Threads that [`PanickingStore`] knows.
fn archive_threads() -> Spawn {
    Arc::new(|work| {
        drop(std::thread::Builder::new().name("archive".to_owned()).spawn(work));
    })
}

/// A store that panics where a thread of an archive reads from it, once it was told to.
#[derive(Debug)]
struct PanickingStore(MemoryStorage, AtomicBool);

impl PanickingStore {
    fn may_panic(&self) {
        // Directories that are read again are read by nobody else.
        let is_of_archive = std::thread::current().name() == Some("archive");
        assert!(!(is_of_archive && self.1.load(Ordering::Relaxed)), "on purpose");
    }
}

impl Storage for PanickingStore {
    fn location(&self) -> &str {
        self.0.location()
    }

    fn limits(&self) -> ReadLimits {
        self.0.limits()
    }

    fn submit(&self, batch: Vec<Read>) {
        self.may_panic();
        self.0.submit(batch);
    }

    fn try_read_resident(&self, read: Read) -> Resident {
        self.may_panic();
        self.0.try_read_resident(read)
    }

    fn list(&self, prefix: &Key, done: ListDone) {
        self.0.list(prefix, done);
    }
}

#[test]
fn reads_and_listings_whose_work_panics_end_with_an_error() {
    let below = Arc::new(PanickingStore(MemoryStorage::new(), AtomicBool::new(false)));
    let put = |value: &[u8]| {
        let members = BTreeMap::from([("a".to_owned(), value.to_vec())]);
        below.0.put(&key(ARCHIVE), &archive(&members)).unwrap();
    };
    put(b"first");
    let storage = Arc::clone(&below) as Arc<dyn Storage>;
    let zip =
        ZipStorage::open(storage, key(ARCHIVE), &Memory::new(1 << 26), archive_threads()).unwrap();
    put(b"another");
    below.1.store(true, Ordering::Relaxed);
    let error = read(&zip, "a").unwrap_err();
    assert!(matches!(error, StorageError::Io { operation: "read", .. }), "{error}");
    let error = blocking::list_blocking(&zip, &Key::root()).unwrap_err();
    assert!(matches!(error, StorageError::Io { operation: "list", .. }), "{error}");
    below.1.store(false, Ordering::Relaxed);
    assert_eq!(read(&zip, "a").unwrap().unwrap(), b"another");
}
