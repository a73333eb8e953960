//! An archive as a storage.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use lsio_io::{
    ByteRange, Completion, CompletionSink, Freshness, Key, ListDone, Memory, Read, ReadLimits,
    Resident, Storage, StorageError, blocking,
};

use crate::ZipError;
use crate::deflated_queue::{DeflatedQueue, Turn};
use crate::directory::Directory;
use crate::member_read::{MemberRead, Next};
use crate::opening::Archive;

/// Runs work that may block, on a thread of the caller's choice. It must not run it on the thread that calls.
pub type Spawn = Arc<dyn Fn(Box<dyn FnOnce() + Send>) + Send + Sync>;

/// Stored bytes of deflated members that are under way at once, beside the budget: as much as resident memory
/// may exceed it by otherwise. In flight or waiting for a thread, they keep both a drive and inflating busy.
const DEFLATED_AT_ONCE: u64 = 64 << 20;

/// The members of a zip archive.
///
/// ```
/// # use std::sync::Arc;
/// # use lsio_io::{Key, Memory, MemoryStorage, Storage, WriteStorage, blocking};
/// # use lsio_zip::ZipStorage;
/// # // Python: zipfile.ZipFile(f, 'w').writestr('a/b', b'hello')
/// # let bytes = include_bytes!("../tests/fixtures/hello.zip");
/// let below = Arc::new(MemoryStorage::new());
/// below.put(&Key::new("data.zip")?, bytes)?;
/// let memory = Memory::new(1 << 20);
/// let spawn = Arc::new(|work: Box<dyn FnOnce() + Send>| drop(std::thread::spawn(work)));
/// let zip = ZipStorage::open(below, Key::new("data.zip")?, &memory, spawn)?;
/// let (bytes, _) = blocking::read_whole(&zip, &memory, &Key::new("a/b")?, 1024)?.ok_or("a/b is missing")?;
/// assert_eq!(*bytes, *b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ZipStorage(Arc<Shared>);

struct Shared {
    below: Arc<dyn Storage>,
    archive: Key,
    location: String,
    memory: Arc<Memory>,
    spawn: Spawn,
    directory: RwLock<Arc<Directory>>,
    deflated: DeflatedQueue,
}

impl fmt::Debug for ZipStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZipStorage").field("location", &self.0.location).finish_non_exhaustive()
    }
}

impl ZipStorage {
    /// Reads the directory of the archive that is the object `archive` of `below`. Blocks. Directories and
    /// local headers are read from the allowance of `memory` for metadata, and what is known of the members
    /// counts as held. So do the stored bytes of deflated members while they are read and inflated: 64 MiB
    /// at most, or one member.
    ///
    /// # Errors
    /// [`ZipError::Invalid`] for what is no archive, [`ZipError::Storage`] where `below` fails.
    pub fn open(
        below: Arc<dyn Storage>,
        archive: Key,
        memory: &Arc<Memory>,
        spawn: Spawn,
    ) -> Result<Self, ZipError> {
        Self::open_with_deflated_limit(below, archive, memory, spawn, DEFLATED_AT_ONCE)
    }

    /// As [`open`](Self::open), with another limit in bytes for what is under way of deflated members.
    /// Reads of them beyond it wait for others to end; one is under way however long it is.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_with_deflated_limit(
        below: Arc<dyn Storage>,
        archive: Key,
        memory: &Arc<Memory>,
        spawn: Spawn,
        deflated_at_once: u64,
    ) -> Result<Self, ZipError> {
        let opened = Archive { storage: &*below, memory, key: &archive };
        let directory = RwLock::new(Arc::new(opened.directory()?));
        let root = below.location();
        let slash = if root.ends_with('/') { "" } else { "/" };
        let location = format!("{root}{slash}{archive}");
        let memory = Arc::clone(memory);
        let deflated = DeflatedQueue::new(deflated_at_once);
        Ok(Self(Arc::new(Shared { below, archive, location, memory, spawn, directory, deflated })))
    }
}

impl Shared {
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the directory again, unless somebody else has done so since `known` was current.
    fn directory_after(&self, known: &Arc<Directory>) -> Result<Arc<Directory>, ZipError> {
        let now = self.directory();
        if !Arc::ptr_eq(&now, known) {
            return Ok(now);
        }
        let archive = Archive { storage: &*self.below, memory: &self.memory, key: &self.archive };
        let new = Arc::new(archive.directory()?);
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        Ok(new)
    }

    /// The directory of the archive as it is now. Blocks.
    fn current(&self) -> Result<Arc<Directory>, StorageError> {
        let known = self.directory();
        let none = ByteRange::Bounded { offset: 0, len: 0 };
        let (below, archive) = (&*self.below, &self.archive);
        let found = blocking::read_range(below, &self.memory, archive, none, Freshness::Current)?;
        if found.identity == known.identity {
            return Ok(known);
        }
        self.directory_after(&known).map_err(|error| match error {
            ZipError::Storage(error) => error,
            ZipError::Invalid { key, .. } => StorageError::Conflict { key },
        })
    }

    /// Goes on with a read, without waiting on this thread.
    fn go_on(self: &Arc<Self>, mut next: Next, share: Option<DeflatedShare>) {
        // All but inflating needs no deflated bytes any more; who waits for them goes first.
        let share = share.filter(|_| matches!(next, Next::Inflate(..)));
        loop {
            match next {
                Next::Ask(read) => match read.deflated_bytes() {
                    None => return self.ask(read, None),
                    Some(bytes) => {
                        self.deflated.add(read, bytes);
                        return self.serve_deflated();
                    }
                },
                Next::Inflate(mut read, bytes) => {
                    return (self.spawn)(Box::new(move || {
                        let key = read.key().clone();
                        let result = unless_panics("inflate", &key, || read.inflate(&bytes));
                        drop(bytes);
                        drop(share);
                        read.complete(result);
                    }));
                }
                Next::Changed(read) if read.may_read_again() => {
                    let zip = Arc::clone(self);
                    return (self.spawn)(Box::new(move || {
                        let next = zip.read_again(read);
                        zip.go_on(next, None);
                    }));
                }
                Next::Changed(read) => {
                    let conflict = read.conflict();
                    next = Next::Done(read, Err(conflict));
                }
                Next::Done(read, result) => return read.complete(result),
            }
        }
    }

    /// Asks the storage below for what a read needs next. A panic of that ends the read: it may have come
    /// on a thread of somebody else's read.
    fn ask(self: &Arc<Self>, mut read: MemberRead, share: Option<DeflatedShare>) {
        let key = read.key().clone();
        let sink = Arc::new(Sink { zip: Arc::clone(self), asked: Mutex::new(None) });
        let asked = read.ask(&self.archive, &self.memory, Arc::clone(&sink) as _);
        *sink.asked() = Some(Asked { read, share });
        let submit = || {
            self.below.submit(vec![asked]);
            Ok(())
        };
        if let Err(error) = unless_panics("read", &key, submit) {
            let unanswered = sink.asked().take();
            if let Some(Asked { read, share }) = unanswered {
                drop(share);
                read.complete(Err(error));
            }
        }
    }

    /// Asks for all deflated members whose turn it is.
    fn serve_deflated(self: &Arc<Self>) {
        if !self.deflated.begin_serving() {
            return;
        }
        while let Some(turn) = self.deflated.next() {
            match turn {
                Turn::Read(read, bytes) => {
                    self.ask(read, Some(DeflatedShare { zip: Arc::clone(self), bytes }));
                }
                Turn::Cancelled(read) => {
                    let cancelled = read.cancelled();
                    read.complete(Err(cancelled));
                }
            }
        }
    }

    /// The read in the archive as it is now. Blocks.
    fn read_again(&self, read: MemberRead) -> Next {
        let reread = || {
            self.directory_after(read.directory()).map_err(|error| match error {
                ZipError::Storage(error) => read.of_member(error),
                // Whoever writes it is not done.
                ZipError::Invalid { .. } => read.conflict(),
            })
        };
        match unless_panics("read", read.key(), reread) {
            Ok(directory) => read.again(directory, &self.memory),
            Err(error) => Next::Done(read, Err(error)),
        }
    }
}

impl Storage for ZipStorage {
    fn location(&self) -> &str {
        &self.0.location
    }

    fn limits(&self) -> ReadLimits {
        self.0.below.limits()
    }

    fn enough_in_flight(&self) -> u64 {
        self.0.below.enough_in_flight()
    }

    fn reads_at_once(&self) -> u32 {
        self.0.below.reads_at_once()
    }

    fn device(&self) -> usize {
        self.0.below.device()
    }

    fn submit(&self, batch: Vec<Read>) {
        let directory = self.0.directory();
        for read in batch {
            self.0.go_on(MemberRead::begin(read, Arc::clone(&directory), None), None);
        }
    }

    fn try_read_resident(&self, read: Read) -> Resident {
        let zip = &self.0;
        let unused: Arc<dyn CompletionSink> = Arc::clone(&read.sink);
        let mut next = MemberRead::begin(read, zip.directory(), None);
        let mut share = None;
        loop {
            next = match next {
                Next::Ask(mut read) => {
                    if let Some(bytes) = read.deflated_bytes() {
                        if !zip.deflated.pass(bytes) {
                            return Resident::Miss(read.into_read(&zip.memory));
                        }
                        share = Some(DeflatedShare { zip: Arc::clone(zip), bytes });
                    }
                    let asked = read.ask(&zip.archive, &zip.memory, Arc::clone(&unused));
                    match zip.below.try_read_resident(asked) {
                        Resident::Hit(completion) => read.answered(completion),
                        Resident::Miss(asked) => return Resident::Miss(read.unserved(asked)),
                    }
                }
                Next::Inflate(mut read, bytes) => {
                    let result = read.inflate(&bytes);
                    // Whoever has the share reads its bytes after these are given back.
                    drop(bytes);
                    drop(share.take());
                    Next::Done(read, result)
                }
                // Reading the directory again may take long.
                Next::Changed(read) if read.may_read_again() => {
                    return Resident::Miss(read.into_read(&zip.memory));
                }
                Next::Changed(read) => {
                    let conflict = read.conflict();
                    Next::Done(read, Err(conflict))
                }
                Next::Done(read, result) => return Resident::Hit(read.completion(result)),
            };
        }
    }

    fn list(&self, prefix: &Key, done: ListDone) {
        let zip = Arc::clone(&self.0);
        let prefix = prefix.clone();
        (self.0.spawn)(Box::new(move || {
            let current = || zip.current().map(|directory| directory.list(&prefix));
            done(unless_panics("list", &prefix, current));
        }));
    }
}

/// What `work` comes to, or the error that it has panicked: whoever waits for it is told in any case.
fn unless_panics<T>(
    operation: &'static str,
    key: &Key,
    work: impl FnOnce() -> Result<T, StorageError>,
) -> Result<T, StorageError> {
    // Nobody sees what the work left half done but the read, which ends with the error.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let source = Arc::new(io::Error::other("the work on the archive panicked"));
        Err(StorageError::Io { operation, key: key.clone(), source })
    })
}

/// Deflated bytes that are under way. Dropping it lets others go on.
struct DeflatedShare {
    zip: Arc<Shared>,
    bytes: u64,
}

impl Drop for DeflatedShare {
    fn drop(&mut self) {
        self.zip.deflated.give_back(self.bytes);
        self.zip.serve_deflated();
    }
}

/// Takes the archive's answer for a read of a member.
struct Sink {
    zip: Arc<Shared>,
    asked: Mutex<Option<Asked>>,
}

/// A read that the storage below was asked for, and its share if that is a deflated member.
struct Asked {
    read: MemberRead,
    share: Option<DeflatedShare>,
}

impl Sink {
    fn asked(&self) -> MutexGuard<'_, Option<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("location", &self.zip.location).finish_non_exhaustive()
    }
}

impl CompletionSink for Sink {
    fn complete(&self, completion: Completion) {
        let asked = self.asked().take();
        if let Some(Asked { read, share }) = asked {
            self.zip.go_on(read.answered(completion), share);
        }
    }
}
