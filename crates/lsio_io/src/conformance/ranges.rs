//! Checks of what comes back: the bytes of every range, or why there are none.

use super::reads::Request;
use super::{MODES, Suite, ensure, key, sample};
use crate::{ByteRange, StorageError};

impl Suite<'_> {
    pub(super) fn describes_itself(&self) -> Result<(), String> {
        let storage = &self.reader.storage;
        let limits = storage.limits();
        ensure!(!storage.location().is_empty(), "it has no location");
        ensure!(limits.max_merged > 0 && limits.max_request > 0, "limits of zero: {limits:?}");
        Ok(())
    }

    pub(super) fn serves_every_range(&self) -> Result<(), String> {
        for (name, len) in [("short", 3_u64), ("long", 100_003), ("many requests", (5 << 20) + 13)]
        {
            let bytes = sample(len as usize, 1);
            let key = self.put(&format!("ranges/{name}"), &bytes)?;
            let bounded = |offset, len| ByteRange::Bounded { offset, len };
            let mut ranges = vec![
                ByteRange::Whole,
                bounded(0, len),
                bounded(0, 0),
                bounded(len, 0),
                bounded(1, 1),
                bounded(len - 1, 1),
                bounded(len / 2, len - len / 2),
                ByteRange::Suffix { len: 0 },
                ByteRange::Suffix { len: 1 },
                ByteRange::Suffix { len },
            ];
            if len > 4 * 4096 {
                ranges.extend([
                    bounded(4095, 2),
                    bounded(4096, 4096),
                    bounded(511, 4097),
                    bounded(8192, len - 8192),
                    ByteRange::Suffix { len: 4096 },
                ]);
            }
            for range in ranges {
                for mode in MODES {
                    for resident in [false, true] {
                        let read = Request::new(&key, range).mode(mode);
                        let result = self.reader.run(read, resident)?;
                        let case = format!("{range:?} of {len} bytes, {mode:?}");
                        let answer = result.map_err(|error| format!("{case}: {error}"))?;
                        let (offset, part) =
                            range.resolve(&key, len).map_err(|error| error.to_string())?;
                        let part = &bytes[offset as usize..(offset + part) as usize];
                        ensure!(*answer.bytes == *part, "{case}: other bytes");
                        ensure!(answer.object_len == len, "{case}: length {}", answer.object_len);
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn serves_an_empty_object(&self) -> Result<(), String> {
        let key = self.put("empty", &[])?;
        for range in [
            ByteRange::Whole,
            ByteRange::Bounded { offset: 0, len: 0 },
            ByteRange::Suffix { len: 0 },
        ] {
            let answer = self.reader.read(&key, range)?.map_err(|e| format!("{range:?}: {e}"))?;
            ensure!(answer.bytes.is_empty() && answer.object_len == 0, "{range:?}: {answer:?}");
        }
        let beyond = self.reader.read(&key, ByteRange::Suffix { len: 1 })?;
        ensure!(matches!(beyond, Err(StorageError::Truncated { .. })), "last byte: {beyond:?}");
        Ok(())
    }

    pub(super) fn refuses_ranges_beyond_the_end(&self) -> Result<(), String> {
        let key = self.put("truncated", &sample(5000, 2))?;
        for (range, end) in [
            (ByteRange::Bounded { offset: 0, len: 5001 }, 5001),
            (ByteRange::Bounded { offset: 4999, len: 2 }, 5001),
            (ByteRange::Bounded { offset: 5001, len: 0 }, 5001),
            (ByteRange::Bounded { offset: 1 << 40, len: 4096 }, (1 << 40) + 4096),
            (ByteRange::Bounded { offset: u64::MAX, len: 1 }, u64::MAX),
            (ByteRange::Suffix { len: 5001 }, 5001),
        ] {
            for mode in MODES {
                for resident in [false, true] {
                    let read = Request::new(&key, range).mode(mode);
                    let result = self.reader.run(read, resident)?;
                    ensure!(
                        matches!(&result, Err(StorageError::Truncated { key: of, expected, actual })
                            if *of == key && *expected == end && *actual == 5000),
                        "{range:?} of 5000 bytes, {mode:?}: {result:?}"
                    );
                }
            }
        }
        Ok(())
    }

    pub(super) fn tells_missing_objects(&self) -> Result<(), String> {
        self.put("folder/member", b"there")?;
        for name in ["missing", "folder/missing", "no/such/folder/missing"] {
            let key = key(name)?;
            for range in [ByteRange::Whole, ByteRange::Suffix { len: 1 }] {
                for resident in [false, true] {
                    let read = Request::new(&key, range);
                    let result = self.reader.run(read, resident)?;
                    ensure!(
                        matches!(&result, Err(StorageError::NotFound { key: of }) if *of == key),
                        "{range:?} of the missing '{key}': {result:?}"
                    );
                }
            }
        }
        let folder = self.reader.read(&key("folder")?, ByteRange::Whole)?;
        ensure!(folder.is_err(), "a prefix was read as an object: {folder:?}");
        Ok(())
    }
}
