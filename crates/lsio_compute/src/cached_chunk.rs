//! Decoded chunks in the cache, each with the versions of the objects that it was made of.

use std::sync::Arc;
use std::time::SystemTime;

use lsio_array::Location;
use lsio_io::{Freshness, Identity, Lease, SharedBytes, class_size};

use crate::SourceHandle;
use crate::cache::{Cache, CacheKey, ENTRY, Entry};
use crate::run::Known;
use crate::settled_version::is_settled;

/// What a chunk was made of: where a chunk is depends on nothing but the answers that it was located with,
/// and its elements on nothing but these and the bytes of its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Versions {
    /// Of the objects that were read to locate it; `None`: there was no such object.
    known: Vec<Option<Identity>>,
    /// Of the object that its encoded bytes lie in, unless an answer had them.
    object: Option<Identity>,
}

/// A chunk that is to be kept once it has been read and decoded.
#[derive(Debug, Clone)]
pub(crate) struct Keep {
    pub(crate) versions: Versions,
    /// A time before it was read.
    planned: SystemTime,
}

/// A chunk that is kept.
#[derive(Debug)]
pub(crate) struct CachedChunk {
    bytes: SharedBytes,
    versions: Versions,
    /// Keeps the source open: an array that is opened again then finds its chunks.
    _source: Arc<SourceHandle>,
}

/// What the cache knows about a chunk that was located.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// It has this chunk in this version.
    Found(Versions),
    /// It has the chunk, in a version that must still be the object's.
    Unchecked(Versions),
    /// It has nothing of use.
    Missed,
}

impl Keep {
    /// A chunk located with these answers, before its object is read. `None`: their versions say too little.
    pub(crate) fn located(known: &[Arc<Known>]) -> Option<Self> {
        let planned = SystemTime::now();
        let known = || known.iter().map(|known| &known.answer.identity);
        let settled = known().flatten().all(|object| is_settled(object, planned));
        let versions = || Versions { known: known().cloned().collect(), object: None };
        settled.then(|| Self { versions: versions(), planned })
    }

    /// Adds the version of the object. `false`: parts of the chunk come from several, or its version says
    /// too little.
    pub(crate) fn read_from(&mut self, object: &Identity) -> bool {
        is_settled(object, self.planned)
            && self.versions.object.get_or_insert_with(|| object.clone()) == object
    }
}

impl Versions {
    /// Whether the object is still that one.
    pub(crate) fn are_of(&self, object: &Identity) -> bool {
        self.object.as_ref() == Some(object)
    }
}

impl Cache {
    /// What there is of a chunk that was located, with these answers, at `location`.
    pub(crate) fn look_up(
        &self,
        source: u64,
        chunk: &[u64],
        location: &Location,
        known: &[Arc<Known>],
    ) -> Lookup {
        let mut entries = self.entries();
        let Some(Entry::Chunk(kept)) = entries.get(&CacheKey::Chunk(source, chunk.to_vec())) else {
            return Lookup::Missed;
        };
        let Versions { known: learned, object } = &kept.versions;
        let same = known.iter().map(|known| &known.answer.identity).eq(learned);
        let found = || kept.versions.clone();
        match (location, object) {
            _ if !same => Lookup::Missed,
            (Location::Inline(..), None) => Lookup::Found(found()),
            (Location::At { freshness: Freshness::Current, .. }, Some(_)) => {
                Lookup::Unchecked(found())
            }
            (Location::At { freshness: Freshness::Pinned(pinned), .. }, Some(object))
                if pinned == object =>
            {
                Lookup::Found(found())
            }
            _ => Lookup::Missed,
        }
    }

    /// The elements of a chunk, if they are still kept in these versions.
    pub(crate) fn chunk(
        &self,
        source: u64,
        chunk: &[u64],
        versions: &Versions,
    ) -> Option<SharedBytes> {
        match self.entries().get(&CacheKey::Chunk(source, chunk.to_vec())) {
            Some(Entry::Chunk(kept)) if kept.versions == *versions => Some(kept.bytes.clone()),
            _ => None,
        }
    }

    pub(crate) fn forget_chunk(&self, source: u64, chunk: &[u64]) {
        self.forget(&CacheKey::Chunk(source, chunk.to_vec()));
    }

    /// What a chunk of `len` decoded bytes counts.
    pub(crate) fn chunk_bytes(len: u64) -> u64 {
        class_size(len).saturating_add(ENTRY)
    }

    /// Keeps a decoded chunk, which can be used on; the number of entries that it pushed out. Gives the
    /// chunk back if it cannot be kept.
    pub(crate) fn keep_chunk(
        &self,
        source: &Arc<SourceHandle>,
        chunk: &[u64],
        versions: Versions,
        elements: Lease,
    ) -> Result<(SharedBytes, u64), Lease> {
        let bytes = elements.charged().saturating_add(ENTRY);
        if bytes > self.capacity() {
            return Err(elements);
        }
        let bytes_kept = elements.into_cached()?.freeze();
        let key = CacheKey::Chunk(source.id, chunk.to_vec());
        let kept = CachedChunk { bytes: bytes_kept.clone(), versions, _source: source.clone() };
        let mut entries = self.entries();
        let replaced = u64::from(entries.get(&key).is_some());
        let gone = entries.insert(key, Entry::Chunk(kept), bytes);
        drop(entries);
        Ok((bytes_kept, gone.len() as u64 - replaced))
    }
}
