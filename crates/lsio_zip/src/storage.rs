//! An archive as a storage.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use lsio_io::{
    ByteRange, Completion, CompletionSink, Freshness, Key, ListDone, Memory, Read, ReadLimits,
    Resident, Storage, StorageError, blocking,
};

use crate::ZipError;
use crate::directory::Directory;
use crate::member_read::{MemberRead, Next};
use crate::opening::Archive;

/// Runs work that may block, on a thread of the caller's choice. It must not run it on the thread that calls.
pub type Spawn = Arc<dyn Fn(Box<dyn FnOnce() + Send>) + Send + Sync>;

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
}

impl fmt::Debug for ZipStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZipStorage").field("location", &self.0.location).finish_non_exhaustive()
    }
}

impl ZipStorage {
    /// Reads the directory of the archive that is the object `archive` of `below`. Blocks. Directories and
    /// local headers are read from the allowance of `memory` for metadata, and what is known of the members
    /// counts as held.
    ///
    /// # Errors
    /// [`ZipError::Invalid`] for what is no archive, [`ZipError::Storage`] where `below` fails.
    pub fn open(
        below: Arc<dyn Storage>,
        archive: Key,
        memory: &Arc<Memory>,
        spawn: Spawn,
    ) -> Result<Self, ZipError> {
        let opened = Archive { storage: &*below, memory, key: &archive };
        let directory = RwLock::new(Arc::new(opened.directory()?));
        let root = below.location();
        let slash = if root.ends_with('/') { "" } else { "/" };
        let location = format!("{root}{slash}{archive}");
        let memory = Arc::clone(memory);
        Ok(Self(Arc::new(Shared { below, archive, location, memory, spawn, directory })))
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
    fn go_on(self: &Arc<Self>, mut next: Next) {
        loop {
            match next {
                Next::Ask(mut read) => {
                    let sink = Arc::new(Sink { zip: Arc::clone(self), read: Mutex::new(None) });
                    let asked = read.ask(&self.archive, &self.memory, Arc::clone(&sink) as _);
                    *sink.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
                    return self.below.submit(vec![asked]);
                }
                Next::Inflate(mut read, bytes) => {
                    return (self.spawn)(Box::new(move || {
                        let key = read.key().clone();
                        let result = unless_panics("inflate", &key, || read.inflate(&bytes));
                        drop(bytes);
                        read.complete(result);
                    }));
                }
                Next::Changed(read) if read.may_read_again() => {
                    let zip = Arc::clone(self);
                    return (self.spawn)(Box::new(move || {
                        let next = zip.read_again(read);
                        zip.go_on(next);
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

    fn submit(&self, batch: Vec<Read>) {
        let directory = self.0.directory();
        for read in batch {
            self.0.go_on(MemberRead::begin(read, Arc::clone(&directory), None));
        }
    }

    fn try_read_resident(&self, read: Read) -> Resident {
        let zip = &self.0;
        let unused: Arc<dyn CompletionSink> = Arc::clone(&read.sink);
        let mut next = MemberRead::begin(read, zip.directory(), None);
        loop {
            next = match next {
                Next::Ask(mut read) => {
                    let asked = read.ask(&zip.archive, &zip.memory, Arc::clone(&unused));
                    match zip.below.try_read_resident(asked) {
                        Resident::Hit(completion) => read.answered(completion),
                        Resident::Miss(asked) => return Resident::Miss(read.unserved(asked)),
                    }
                }
                Next::Inflate(mut read, bytes) => {
                    let result = read.inflate(&bytes);
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

/// Takes the archive's answer for a read of a member.
struct Sink {
    zip: Arc<Shared>,
    read: Mutex<Option<MemberRead>>,
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("location", &self.zip.location).finish_non_exhaustive()
    }
}

impl CompletionSink for Sink {
    fn complete(&self, completion: Completion) {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(read) = read {
            self.zip.go_on(read.answered(completion));
        }
    }
}
