//! Thousands of ranges, compared with the bytes of the file.

use lsio_io::{ByteRange, IoMode, Resident, Storage, StorageError};

use crate::harness::{Ask, Bench, Folder, Random, choices};

const LEN: usize = (8 << 20) + 1234;
const BATCH: u64 = 100;

fn ranges(random: &mut Random) -> (u64, u64) {
    let most = match random.below(10) {
        0 => 3 << 20,
        1..4 => 300_000,
        _ => 5_000,
    };
    let len = random.below(most).min(LEN as u64);
    let offset = match random.below(8) {
        // Up to the very end, which is in the middle of a block.
        0 => LEN as u64 - len,
        _ => random.below(LEN as u64 - len + 1),
    };
    (offset, len)
}

#[test]
fn five_thousand_random_ranges_have_the_bytes_of_the_file() {
    let folder = Folder::new();
    let bytes = folder.file("data", LEN, 1);
    for choice in choices() {
        for mode in [IoMode::Direct, IoMode::Buffered, IoMode::Auto] {
            let bench = Bench::new(&folder, choice);
            let mut random = Random::new(7);
            for _ in 0..5_000 / BATCH {
                let asked: Vec<_> = (0..BATCH).map(|_| ranges(&mut random)).collect();
                let batch = asked.iter().zip(0..).map(|(&(offset, len), tag)| {
                    let range = ByteRange::Bounded { offset, len };
                    bench.make(tag, "data", range, &Ask::new(mode, len))
                });
                bench.storage.submit(batch.collect());
                for _ in 0..BATCH {
                    let completion = bench.completion();
                    let (offset, len) = asked[completion.tag as usize];
                    let answer = completion.result.unwrap();
                    assert_eq!(answer.object_len, LEN as u64);
                    let expected = &bytes[offset as usize..(offset + len) as usize];
                    assert!(&answer.bytes[..] == expected, "{choice:?} {mode:?} {offset}+{len}");
                }
            }
            let usage = bench.memory.usage();
            assert_eq!((usage.reserved, usage.leases), (0, 0), "{choice:?} {mode:?}");
        }
    }
}

#[test]
fn resident_or_not_the_bytes_are_the_same() {
    let folder = Folder::new();
    let bytes = folder.file("data", LEN, 2);
    let bench = Bench::new(&folder, choices()[0]);
    let mut random = Random::new(8);
    for _ in 0..500 {
        let (offset, len) = ranges(&mut random);
        let range = ByteRange::Bounded { offset, len };
        let read = bench.make(3, "data", range, &Ask::new(IoMode::Auto, len));
        let completion = match bench.storage.try_read_resident(read) {
            Resident::Hit(completion) => completion,
            Resident::Miss(read) => {
                bench.storage.submit(vec![read]);
                bench.completion()
            }
        };
        assert_eq!(completion.tag, 3);
        let answer = completion.result.unwrap();
        assert!(answer.bytes[..] == bytes[offset as usize..(offset + len) as usize]);
    }
}

#[test]
fn ranges_at_and_beyond_the_end_are_answered_or_refused() {
    let folder = Folder::new();
    let len = 3 * 4096 + 77;
    let bytes = folder.file("data", len, 3);
    folder.file("empty", 0, 4);
    for choice in choices() {
        for mode in [IoMode::Direct, IoMode::Buffered] {
            let bench = Bench::new(&folder, choice);
            let ask = Ask::new(mode, len as u64);
            for tail in [1, 76, 77, 78, 4096, len as u64] {
                let answer = bench.read("data", ByteRange::Suffix { len: tail }, &ask).result;
                assert!(answer.unwrap().bytes[..] == bytes[len - tail as usize..]);
            }
            let nothing = ByteRange::Bounded { offset: len as u64, len: 0 };
            let answer = bench.read("data", nothing, &ask).result.unwrap();
            assert_eq!((answer.bytes.len(), answer.object_len), (0, len as u64));
            assert!(bench.whole("empty", &ask).unwrap().bytes.is_empty());
            for beyond in [
                ByteRange::Bounded { offset: len as u64, len: 1 },
                ByteRange::Bounded { offset: 0, len: len as u64 + 1 },
                ByteRange::Bounded { offset: u64::MAX, len: u64::MAX },
                ByteRange::Suffix { len: len as u64 + 1 },
            ] {
                let error = bench.read("data", beyond, &ask).result.unwrap_err();
                assert!(matches!(error, StorageError::Truncated { .. }), "{error:?}");
            }
        }
    }
}

#[test]
fn an_object_longer_than_its_reservation_is_refused_with_its_length() {
    let folder = Folder::new();
    folder.file("data", 100_000, 5);
    for choice in choices() {
        for mode in [IoMode::Direct, IoMode::Buffered] {
            let bench = Bench::new(&folder, choice);
            let error = bench.whole("data", &Ask::new(mode, 50_000)).unwrap_err();
            assert!(matches!(error, StorageError::TooLong { len: 100_000, .. }), "{error:?}");
            assert_eq!(bench.whole("data", &Ask::new(mode, 100_000)).unwrap().bytes.len(), 100_000);
        }
    }
}
