//! Chunk files and shards: what one read brings, and how it is read.

use std::ffi::CStr;
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::OnceLock;

use crate::Failure;
use crate::array::Array;
use crate::huge_pages::HugePages;

/// O_DIRECT reads begin and end at multiples of this.
pub(crate) const BLOCK: usize = 4096;

/// Chunks that are small are read together, up to this many decoded bytes.
const UNIT_BYTES: usize = 256 << 10;

/// An inner chunk of a shard.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) inner: usize,
    pub(crate) offset: usize,
    pub(crate) len: usize,
}

struct Shard {
    file: File,
    /// Sorted by offset.
    entries: Vec<Entry>,
}

/// The files of an array, read in units: a chunk file, or neighbouring inner chunks of a shard.
pub(crate) struct Files<'a> {
    pub(crate) array: &'a Array,
    direct: bool,
    shards: Vec<OnceLock<Result<Shard, String>>>,
    unit_chunks: usize,
}

/// What is to be read for a unit.
pub(crate) struct Unit<'a> {
    pub(crate) file: usize,
    handle: Handle<'a>,
    /// In the file; the length is a bound for a chunk file.
    pub(crate) offset: usize,
    pub(crate) len: usize,
    entries: &'a [Entry],
}

enum Handle<'a> {
    Owned(File),
    Shared(&'a File),
}

impl Unit<'_> {
    pub(crate) fn file(&self) -> &File {
        match &self.handle {
            Handle::Owned(file) => file,
            Handle::Shared(file) => file,
        }
    }

    /// Calls `take(inner, encoded)` for each chunk, given the bytes that lie at the unit's offset.
    pub(crate) fn chunks(
        &self,
        read: &[u8],
        mut take: impl FnMut(usize, &[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if self.entries.is_empty() {
            return take(0, read);
        }
        for entry in self.entries {
            let start = entry.offset - self.offset;
            take(entry.inner, read.get(start..start + entry.len).ok_or("a shard is cut")?)?;
        }
        Ok(())
    }
}

impl<'a> Files<'a> {
    pub(crate) fn new(array: &'a Array, direct: bool) -> Self {
        let shards = if array.sharded { array.paths.len() } else { 0 };
        Self {
            array,
            direct,
            shards: (0..shards).map(|_| OnceLock::new()).collect(),
            unit_chunks: (UNIT_BYTES / array.chunk_bytes()).max(1),
        }
    }

    pub(crate) fn units_per_file(&self) -> usize {
        self.array.chunks_in_file().div_ceil(self.unit_chunks)
    }

    /// The room that a unit's encoded bytes need at most, with the ends of its blocks.
    pub(crate) fn unit_bound(&self) -> usize {
        let chunks = if self.array.sharded { self.unit_chunks } else { 1 };
        (self.array.encoded_bound() * chunks).next_multiple_of(BLOCK) + 2 * BLOCK
    }

    /// Unit `number`, opened; `None` after the last one.
    pub(crate) fn unit(&self, number: usize) -> Result<Option<Unit<'_>>, Failure> {
        let per_file = self.units_per_file();
        let Some(path) = self.array.paths.get(number / per_file) else { return Ok(None) };
        let file = number / per_file;
        if !self.array.sharded {
            let handle = Handle::Owned(open(path, self.direct)?);
            let len = self.unit_bound() - BLOCK;
            return Ok(Some(Unit { file, handle, offset: 0, len, entries: &[] }));
        }
        let shard = self.shard(file)?;
        let first = number % per_file * self.unit_chunks;
        let last = (first + self.unit_chunks).min(shard.entries.len());
        let entries = shard.entries.get(first..last).ok_or("a shard lacks chunks")?;
        self.together(file, shard, entries).map(Some)
    }

    /// The unit that holds one inner chunk, or one chunk file.
    pub(crate) fn unit_of_chunk(&self, file: usize, inner: usize) -> Result<Unit<'_>, Failure> {
        if !self.array.sharded {
            return self.unit(file)?.ok_or_else(|| "no such file".into());
        }
        let shard = self.shard(file)?;
        let found = shard.entries.iter().position(|entry| entry.inner == inner);
        let at = found.ok_or("a shard lacks a chunk")?;
        self.together(file, shard, &shard.entries[at..=at])
    }

    fn together<'s>(
        &'s self,
        file: usize,
        shard: &'s Shard,
        entries: &'s [Entry],
    ) -> Result<Unit<'s>, Failure> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Err("a shard lacks chunks".into());
        };
        let (offset, len) = (first.offset, last.offset + last.len - first.offset);
        if len + 2 * BLOCK > self.unit_bound() {
            return Err("a shard with gaps between its chunks".into());
        }
        Ok(Unit { file, handle: Handle::Shared(&shard.file), offset, len, entries })
    }

    fn shard(&self, number: usize) -> Result<&Shard, Failure> {
        let shard = self.shards[number].get_or_init(|| {
            let path = &self.array.paths[number];
            open_shard(path, self.direct, self.array.chunks_in_file())
                .map_err(|error| format!("{path:?}: {error}"))
        });
        shard.as_ref().map_err(|error| error.clone().into())
    }
}

/// Opens a file for reading.
pub(crate) fn open(path: &CStr, direct: bool) -> Result<File, Failure> {
    let flags = libc::O_RDONLY | libc::O_CLOEXEC | if direct { libc::O_DIRECT } else { 0 };
    // SAFETY: the path is a C string.
    let handle = unsafe { libc::open(path.as_ptr(), flags) };
    if handle < 0 {
        return Err(format!("{path:?}: {}", std::io::Error::last_os_error()).into());
    }
    // SAFETY: just opened, and nobody else has it.
    Ok(unsafe { File::from_raw_fd(handle) })
}

/// Reads up to the end of the file or of the buffer.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: usize) -> Result<usize, Failure> {
    // SAFETY: the buffer is writable for its length.
    let len = unsafe {
        let offset = libc::off_t::try_from(offset)?;
        libc::pread(file.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), offset)
    };
    usize::try_from(len).map_err(|_| std::io::Error::last_os_error().into())
}

fn open_shard(path: &CStr, direct: bool, chunks: usize) -> Result<Shard, Failure> {
    let file = open(path, direct)?;
    let len = file.metadata()?.len() as usize;
    let index_len = chunks * 16 + 4;
    let start = len.checked_sub(index_len).ok_or("shorter than its index")?;
    let aligned = if direct { start / BLOCK * BLOCK } else { start };
    let mut buffer = HugePages::new((len - aligned).next_multiple_of(BLOCK))?;
    let read = read_at(&file, buffer.bytes_mut(), aligned)?;
    let index = buffer.bytes()[..read].get(start - aligned..).ok_or("the index is cut")?;
    let (index, sum) = index.split_at_checked(chunks * 16).ok_or("the index is cut")?;
    if sum != crc32c::crc32c(index).to_le_bytes() {
        return Err("the index has another checksum".into());
    }
    let number = |at: usize| Ok::<_, Failure>(u64::from_le_bytes(index[at..at + 8].try_into()?));
    let mut entries = Vec::with_capacity(chunks);
    for inner in 0..chunks {
        let (offset, len) = (number(inner * 16)?, number(inner * 16 + 8)?);
        if offset != u64::MAX {
            entries.push(Entry { inner, offset: offset as usize, len: len as usize });
        }
    }
    entries.sort_unstable_by_key(|entry| entry.offset);
    Ok(Shard { file, entries })
}
