//! Checks of how reads end: each once, cancelled or not.

use super::reads::Request;
use super::{MODES, Suite, ensure, key, sample};
use crate::{ByteRange, CancelToken, StorageError};

impl Suite<'_> {
    pub(super) fn cancels_what_has_not_begun(&self) -> Result<(), String> {
        let key = self.put("cancelled", &sample(70_000, 4))?;
        let token = CancelToken::new();
        token.cancel();
        for resident in [false, true] {
            let read = Request::new(&key, ByteRange::Whole).cancel(&token);
            let result = self.reader.run(read, resident)?;
            ensure!(
                matches!(&result, Err(StorageError::Cancelled { key: of }) if *of == key),
                "a cancelled read: {result:?}"
            );
        }
        let batch = (0..40).map(|i| {
            let read = Request::new(&key, ByteRange::Whole);
            if i % 2 == 0 { read } else { read.cancel(&token) }
        });
        for (i, result) in self.reader.run_batch(batch.collect())?.into_iter().enumerate() {
            let cancelled = matches!(result, Err(StorageError::Cancelled { .. }));
            ensure!(if i % 2 == 0 { result.is_ok() } else { cancelled }, "read {i}: {result:?}");
        }
        // Cancelled while they may be under way: either end is right, but each must end.
        let token = CancelToken::new();
        let reads = (0..40).map(|_| Request::new(&key, ByteRange::Whole).cancel(&token));
        let pending = self.reader.submit(reads.collect())?;
        token.cancel();
        for result in self.reader.wait(pending)? {
            ensure!(
                matches!(&result, Ok(_) | Err(StorageError::Cancelled { .. })),
                "cancelled under way: {result:?}"
            );
        }
        Ok(())
    }

    pub(super) fn completes_each_read_of_a_batch_once(&self) -> Result<(), String> {
        let objects: Vec<Vec<u8>> = (0..7).map(|i| sample(20_000 + 9_000 * i, i as u32)).collect();
        let mut keys = Vec::new();
        for (i, bytes) in objects.iter().enumerate() {
            keys.push(self.put(&format!("batch/{i}"), bytes)?);
        }
        keys.push(key("batch/missing")?);
        let ranges: Vec<(usize, u64, u64)> = (0..500_u64)
            .map(|i| ((i * 5 % 8) as usize, i * 7919 % 15_000, i * 131 % 5000))
            .collect();
        for mode in MODES {
            let reads = ranges.iter().map(|&(object, offset, len)| {
                let range = ByteRange::Bounded { offset, len };
                Request::new(&keys[object], range).mode(mode)
            });
            let results = self.reader.run_batch(reads.collect())?;
            for (result, &(object, offset, len)) in results.into_iter().zip(&ranges) {
                let case = format!("{len} bytes from {offset} of object {object}, {mode:?}");
                let Some(bytes) = objects.get(object) else {
                    let missing = matches!(result, Err(StorageError::NotFound { .. }));
                    ensure!(missing, "{case}: {result:?}");
                    continue;
                };
                let answer = result.map_err(|error| format!("{case}: {error}"))?;
                let part = &bytes[offset as usize..(offset + len) as usize];
                ensure!(*answer.bytes == *part, "{case}: other bytes");
            }
        }
        self.reader.run_batch(Vec::new())?;
        Ok(())
    }
}
