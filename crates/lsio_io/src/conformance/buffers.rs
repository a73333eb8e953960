//! Checks of memory: reservations, delivered bytes, and reads served from the cache.

use super::reads::Request;
use super::{ResidentReads, Suite, ensure, sample};
use crate::{ByteRange, Freshness, Read, StorageError};

impl Suite<'_> {
    pub(super) fn keeps_to_the_reservation(&self) -> Result<(), String> {
        let len = 300_000_u64;
        let bytes = sample(len as usize, 3);
        let key = self.put("reservation", &bytes)?;
        for (range, needed) in
            [(ByteRange::Whole, len), (ByteRange::Bounded { offset: 10, len: 9000 }, 9000)]
        {
            for reserved in [0, 4096] {
                let read = Request::new(&key, range).reserved(reserved);
                let result = self.reader.run(read, false)?;
                let Err(StorageError::TooLong { key: of, len: told, reserved: of_bytes }) = result
                else {
                    return Err(format!("{range:?} in {reserved} bytes: {result:?}"));
                };
                ensure!(of == key && of_bytes == reserved, "the error names others");
                ensure!(
                    told >= needed && Read::reserve_for(told) <= Read::reserve_for(needed),
                    "it says that {range:?} needs {told} bytes"
                );
                let read = Request::new(&key, range).reserved(Read::reserve_for(told));
                let answer = self.reader.run(read, false)?;
                ensure!(answer.is_ok(), "with as many bytes as it asked for: {answer:?}");
            }
            for resident in [false, true] {
                let read = Request::new(&key, range).reserved(16 << 20);
                let answer = self.reader.run(read, resident)?;
                ensure!(answer.is_ok(), "{range:?} in 16 MiB: {answer:?}");
                let reserved = self.reader.memory.usage().reserved;
                ensure!(
                    reserved <= Read::reserve_for(needed),
                    "the answer to {range:?} keeps {reserved} bytes reserved"
                );
                drop(answer);
                self.reader.is_at_rest()?;
            }
        }
        Ok(())
    }

    pub(super) fn leaves_delivered_bytes_alone(&self) -> Result<(), String> {
        let bytes = sample(200_000, 7);
        let key = self.put("views", &bytes)?;
        let answer = self.reader.read(&key, ByteRange::Whole)?.map_err(|e| e.to_string())?;
        let view = answer.bytes.slice(1000..5000).ok_or("no view of bytes that are there")?;
        ensure!(answer.bytes.slice(1000..200_001).is_none(), "a view beyond the end");
        drop(answer);
        let others = (0..50).map(|_| Request::new(&key, ByteRange::Whole));
        drop(self.reader.run_batch(others.collect())?);
        ensure!(*view == bytes[1000..5000], "a view changed after its read was dropped");
        Ok(())
    }

    pub(super) fn serves_resident_reads_as_declared(&self) -> Result<(), String> {
        let bytes = sample(100_000, 8);
        let key = self.put("resident", &bytes)?;
        let declared = self.harness.capabilities().resident;
        for _ in 0..3 {
            for range in [ByteRange::Whole, ByteRange::Bounded { offset: 777, len: 70_000 }] {
                let read = Request::new(&key, range);
                let (hit, result) = self.reader.run_resident(read)?;
                let expected = match declared {
                    ResidentReads::Never => !hit,
                    ResidentReads::Sometimes => true,
                    ResidentReads::Always => hit,
                };
                ensure!(expected, "declared {declared:?}, but hit: {hit}");
                let answer = result.map_err(|error| error.to_string())?;
                let (offset, len) = range.resolve(&key, 100_000).map_err(|e| e.to_string())?;
                let part = &bytes[offset as usize..(offset + len) as usize];
                ensure!(*answer.bytes == *part, "{range:?}, resident: other bytes");
            }
        }
        // What was found in the cache must not be mixed with a version that came meanwhile.
        let read = Request::new(&key, ByteRange::Whole);
        let new = sample(100_000, 9);
        let result =
            self.reader.run_resident_with(read, || self.put("resident", &new).map(drop))?;
        match result {
            Err(StorageError::Conflict { .. }) => {}
            Ok(answer) if *answer.bytes == *bytes || *answer.bytes == *new => {}
            other => return Err(format!("replaced between the two halves: {other:?}")),
        }
        Ok(())
    }

    pub(super) fn reads_resident_bytes_into_a_target(&self) -> Result<(), String> {
        let bytes = sample(100_000, 10);
        let key = self.put("target", &bytes)?;
        let lengths: Vec<usize> = (0..2000).map(|piece| 1 + 7 * (piece % 15)).collect();
        let total: usize = lengths.iter().sum();
        let range = ByteRange::Bounded { offset: 123, len: total as u64 };
        let identity = match self.reader.read(&key, range)? {
            Ok(answer) => answer.identity,
            Err(error) => return Err(error.to_string()),
        };
        for freshness in [Freshness::Current, Freshness::Pinned(identity.clone())] {
            let read = Request::new(&key, range).freshness(freshness);
            if let Some(filled) = self.reader.run_into(read, &lengths)? {
                ensure!(filled == bytes[123..123 + total], "filled with other bytes");
            }
        }
        for (range, len) in [
            (ByteRange::Whole, 99_999),
            (ByteRange::Whole, 100_001),
            (ByteRange::Bounded { offset: 10, len: 99_991 }, 99_991),
            (ByteRange::Bounded { offset: u64::MAX, len: 2 }, 2),
        ] {
            let read = Request::new(&key, range);
            let filled = self.reader.run_into(read, &[len])?;
            ensure!(filled.is_none(), "{range:?} filled {len} bytes");
        }
        let new = sample(100_000, 11);
        self.put("target", &new)?;
        let read = Request::new(&key, ByteRange::Whole).freshness(Freshness::Pinned(identity));
        let filled = self.reader.run_into(read, &[60_000, 40_000])?;
        ensure!(filled != Some(new), "filled with a version that was not asked for");
        Ok(())
    }
}
