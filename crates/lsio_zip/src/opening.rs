//! Reads the directory of an archive. Blocks.

use std::borrow::Cow;
use std::sync::Arc;

use lsio_io::{ByteRange, Freshness, Identity, Key, Memory, Storage, StorageError, blocking};

use crate::ZipError;
use crate::central_directory::entry;
use crate::directory::{Collecting, Directory};
use crate::end_record::{self, End, Place, TAIL_LEN, ZIP64_END_LEN};

/// Bytes of the directory that are read at a time: with its padding a buffer of the allowance for metadata.
const PIECE: u64 = 512 << 10;

/// An archive in the storage below.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Archive<'a> {
    pub(crate) storage: &'a dyn Storage,
    pub(crate) memory: &'a Arc<Memory>,
    pub(crate) key: &'a Key,
}

impl Archive<'_> {
    /// Its directory, in the current version.
    pub(crate) fn directory(&self) -> Result<Directory, ZipError> {
        // Which version, and how long it is.
        let none = ByteRange::Bounded { offset: 0, len: 0 };
        let first =
            blocking::read_range(self.storage, self.memory, self.key, none, Freshness::Current)?;
        let (identity, len) = (first.identity, first.object_len);
        let tail_len = TAIL_LEN.min(len);
        let tail = self.read(len - tail_len, tail_len, &identity)?;
        let invalid =
            |reason: Cow<'static, str>| ZipError::Invalid { key: self.key.clone(), reason };
        let place = match end_record::find(&tail).map_err(|reason| invalid(reason.into()))? {
            End::Directory(place) => place,
            End::Zip64At(offset) => {
                let inside = offset.checked_add(ZIP64_END_LEN).is_some_and(|end| end <= len);
                if !inside {
                    return Err(invalid("its zip64 end record is not where it should be".into()));
                }
                let record = self.read(offset, ZIP64_END_LEN, &identity)?;
                end_record::zip64(&record).map_err(|reason| invalid(reason.into()))?
            }
        };
        if place.offset.checked_add(place.len).is_none_or(|end| end > len) {
            return Err(invalid("its directory lies beyond its end".into()));
        }
        let members = self.members(place, &identity)?;
        Ok(members.finish(identity, place.offset, |bytes| self.memory.reserve_unwaited(bytes)))
    }

    /// Reads the directory piece by piece: it may be longer than what metadata is allowed.
    fn members(&self, place: Place, identity: &Identity) -> Result<Collecting, ZipError> {
        let invalid =
            |reason: Cow<'static, str>| ZipError::Invalid { key: self.key.clone(), reason };
        let mut members = Collecting::default();
        let mut pending: Vec<u8> = Vec::new();
        let (mut read, mut entries) = (0, 0u64);
        while read < place.len || !pending.is_empty() {
            let mut at = 0;
            while let Some((found, len)) = entry(&pending[at..]).map_err(invalid)? {
                members.add(&found);
                at += len;
                entries += 1;
            }
            pending.drain(..at);
            let len = PIECE.min(place.len - read);
            if len == 0 && !pending.is_empty() {
                return Err(invalid("its directory is cut off".into()));
            }
            pending.extend_from_slice(&self.read(place.offset + read, len, identity)?);
            read += len;
        }
        // Writers without zip64 count more members than 16 bits hold from 0 again.
        if entries & u64::from(u16::MAX) != place.entries & u64::from(u16::MAX) {
            return Err(invalid("its directory has not as many entries as it says".into()));
        }
        Ok(members)
    }

    fn read(&self, offset: u64, len: u64, identity: &Identity) -> Result<Vec<u8>, StorageError> {
        let range = ByteRange::Bounded { offset, len };
        let pinned = Freshness::Pinned(identity.clone());
        let answer = blocking::read_range(self.storage, self.memory, self.key, range, pinned)?;
        Ok(answer.bytes.to_vec())
    }
}
