//! Reading what is in the page cache, on the caller's own thread.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lsio_io::{
    Begun, ByteRange, Completion, Lease, Read, ReadAnswer, ReadTarget, Requests, Resident, Route,
    StorageError,
};

use crate::buffered::is_temporary;
use crate::open_file::OpenFile;
use crate::owed_read::{self, Bounds, Window};
use crate::reader::Reader;
use crate::root::Root;
use crate::unsafe_syscalls;

/// What the page cache said.
enum Found {
    /// The whole range, or that the object does not exist.
    Answer(Result<ReadAnswer, StorageError>),
    /// A part of the range, maybe nothing.
    Part(Begun),
    /// Nothing can be said without waiting.
    Nothing,
}

/// Serves `read` if neither a device nor another thread has to be waited for.
pub(crate) fn try_read(reader: &Reader, root: &Arc<Root>, mut read: Read) -> Resident {
    if read.begun.is_some() || read.cancel.is_cancelled() {
        return Resident::Miss(read);
    }
    let started = Instant::now();
    match look(reader, root, &mut read) {
        Found::Answer(result) => {
            if let Ok(answer) = &result {
                reader.counters.served(Route::Resident, answer.bytes.len());
            }
            let elapsed = started.elapsed();
            let (tag, route, requests) = (read.tag, Route::Resident, Requests::default());
            Resident::Hit(Completion { tag, result, route, elapsed, requests })
        }
        Found::Part(begun) => {
            read.begun = Some(begun);
            Resident::Miss(read)
        }
        Found::Nothing => Resident::Miss(read),
    }
}

/// Reads into `target` if neither a device nor another thread has to be waited for and the range has
/// exactly `len` bytes.
pub(crate) fn try_read_into(
    reader: &Reader,
    root: &Arc<Root>,
    read: &Read,
    len: u64,
    target: &mut dyn ReadTarget,
) -> Option<Duration> {
    if read.begun.is_some() || read.cancel.is_cancelled() {
        return None;
    }
    let started = Instant::now();
    let (file, is_kept) = open(reader, root, read).ok()?;
    let elapsed = fill_target(reader, read, &file, len, target).then(|| started.elapsed());
    settle(reader, read, &file, is_kept, elapsed.is_some());
    elapsed
}

/// Whether `target` took the whole range and nothing else.
fn fill_target(
    reader: &Reader,
    read: &Read,
    file: &OpenFile,
    len: u64,
    target: &mut dyn ReadTarget,
) -> bool {
    let Ok((mut offset, has)) = read.range.resolve(&read.key, file.len()) else { return false };
    if has != len {
        return false;
    }
    let end = offset + len;
    let Ok(opened) = file.buffered() else { return false };
    let mut calls = 0;
    while offset < end {
        let mut room = target.room();
        if room.is_empty() || room.len() as u64 > end - offset {
            return false;
        }
        while !room.is_empty() {
            match unsafe_syscalls::read_resident(opened, room, offset) {
                Ok(0) => return false,
                Ok(read) => {
                    room = &mut room[read..];
                    offset += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    reader.counters.retries.add(1);
                }
                Err(_) => return false,
            }
            calls += 1;
        }
        target.filled();
    }
    let unchanged = !owed_read::may_have_changed(&read.freshness, calls > 1)
        || file.is_unchanged().unwrap_or(false);
    if unchanged {
        reader.counters.served(Route::Resident, len as usize);
    }
    unchanged
}

/// The file that `read` wants, and whether it stays open anyway.
fn open(reader: &Reader, root: &Root, read: &Read) -> Result<(Arc<OpenFile>, bool), StorageError> {
    let open = |path| OpenFile::open_resident(path, &reader.counters);
    let found = reader.find_or_open(root, &read.key, &read.freshness, open)?;
    let is_kept = found.is_kept;
    Ok((found.of_version(&read.key, &read.freshness)?, is_kept))
}

/// Keeps the file open for others. Whoever has read a whole file is done with it: keeping it open
/// would push out others, and cost more than the open and close that it might save
/// (benches/findings.md, tiny files).
fn settle(reader: &Reader, read: &Read, file: &Arc<OpenFile>, is_kept: bool, complete: bool) {
    let is_done = read.range == ByteRange::Whole && complete;
    if !is_kept && !is_done {
        reader.keep(file);
    }
}

fn look(reader: &Reader, root: &Root, read: &mut Read) -> Found {
    let (file, is_kept) = match open(reader, root, read) {
        Ok(found) => found,
        // Absent for sure. Every other failure is for the thread that may wait to find again.
        Err(absent @ StorageError::NotFound { .. }) => return Found::Answer(Err(absent)),
        Err(_) => return Found::Nothing,
    };
    let reservation = Some(&read.reservation);
    let Ok(bounds) = owed_read::bounds(&read.key, read.range, reservation, &file) else {
        return Found::Nothing;
    };
    let leased = owed_read::lease(&read.key, Some(&mut read.reservation), bounds.len);
    let Ok(lease) = leased else { return Found::Nothing };
    let outcome = fill(reader, read, &file, bounds, lease);
    settle(reader, read, &file, is_kept, matches!(outcome, Found::Answer(_)));
    outcome
}

fn fill(
    reader: &Reader,
    read: &Read,
    file: &OpenFile,
    Bounds { offset, len }: Bounds,
    mut lease: Lease,
) -> Found {
    let mut filled = 0;
    let mut calls = 0;
    while filled < len {
        let answer = file.buffered().and_then(|opened| {
            unsafe_syscalls::read_resident(opened, &mut lease[filled..], offset + filled as u64)
        });
        calls += 1;
        match answer {
            // The end of the file came early: for the other way to judge.
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                reader.counters.retries.add(1);
            }
            Err(error) if is_temporary(&error) => break,
            // A file system that cannot answer (EOPNOTSUPP), or a fault that will show again.
            Err(_) => break,
        }
    }
    if filled < len {
        let (object_len, identity) = (file.len(), file.identity().clone());
        return Found::Part(Begun { lease, filled, object_len, identity });
    }
    let window = Window { lease, head: 0, len };
    Found::Answer(owed_read::judge(&read.key, &read.freshness, file, window, calls > 1))
}
