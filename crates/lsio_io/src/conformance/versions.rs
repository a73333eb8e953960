//! Checks of objects that are replaced or removed between reads.

use super::reads::Request;
use super::{Suite, ensure, sample};
use crate::{ByteRange, Freshness, Identity, Key, StorageError};

impl Suite<'_> {
    pub(super) fn tells_versions_apart(&self) -> Result<(), String> {
        for len in [50_000, 60_000] {
            let (old, new) = (sample(50_000, 5), sample(len, 6));
            let key = self.put("replaced", &old)?;
            let read = |freshness| {
                let read = Request::new(&key, ByteRange::Whole).freshness(freshness);
                self.reader.run(read, false)
            };
            let first = read(Freshness::Current)?.map_err(|error| error.to_string())?;
            let again = read(Freshness::Current)?.map_err(|error| error.to_string())?;
            ensure!(again.identity == first.identity, "the identity changed without a write");
            let pinned = read(Freshness::Pinned(first.identity.clone()))?;
            ensure!(
                pinned.as_ref().is_ok_and(|answer| *answer.bytes == *old),
                "pinned to what is there: {pinned:?}"
            );

            self.put("replaced", &new)?;
            self.old_version_or_conflict(&first.identity, &key, &old, "replaced")?;
            let current = read(Freshness::Current)?.map_err(|error| error.to_string())?;
            ensure!(*current.bytes == *new, "after replacement: not the new bytes");
            ensure!(current.identity != first.identity, "two versions have one identity");
            ensure!(*first.bytes == *old, "replacement changed bytes that were delivered");
            self.old_version_or_conflict(&first.identity, &key, &old, "replaced and read")?;

            self.harness.remove(&key).map_err(|error| format!("remove: {error}"))?;
            let removed = read(Freshness::Current)?;
            ensure!(matches!(removed, Err(StorageError::NotFound { .. })), "removed: {removed:?}");
            self.old_version_or_conflict(&current.identity, &key, &new, "removed")?;
        }
        Ok(())
    }

    /// A read that is pinned to a version that the store does not have any more gets it from an open
    /// handle, or the conflict. Never other bytes, and never "not found", which would become fill
    /// values.
    fn old_version_or_conflict(
        &self,
        identity: &Identity,
        key: &Key,
        bytes: &[u8],
        state: &str,
    ) -> Result<(), String> {
        for resident in [false, true] {
            let pinned = Freshness::Pinned(identity.clone());
            let read = Request::new(key, ByteRange::Whole).freshness(pinned);
            match self.reader.run(read, resident)? {
                Err(StorageError::Conflict { .. }) => {}
                Ok(answer) if *answer.bytes == *bytes && answer.identity == *identity => {}
                other => return Err(format!("pinned to a version that was {state}: {other:?}")),
            }
        }
        Ok(())
    }
}
