//! The contract between the executor and whatever holds the bytes.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::{ByteRange, Identity, Key, Lease, Reservation, SharedBytes, StorageError};

/// How a caller wants bytes to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum IoMode {
    /// The storage decides from the size of the whole request and the memory that is available.
    #[default]
    Auto,
    /// Past the page cache, wherever the file system supports it.
    Direct,
    /// Through the page cache.
    Buffered,
}

/// Which way a read was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Route {
    /// From the page cache, on the caller's own thread.
    Resident,
    /// Through the page cache, by a pool of pread threads.
    Buffered,
    /// `O_DIRECT` through `io_uring`.
    UringDirect,
    /// `O_DIRECT` by a pool of pread threads.
    PreadDirect,
    /// From an in-memory store.
    Memory,
    /// Over the network, from an object store.
    ObjectStore,
}

impl Route {
    /// Every route, in the order of [`Route::index`].
    pub const ALL: [Self; 6] = [
        Self::Resident,
        Self::Buffered,
        Self::UringDirect,
        Self::PreadDirect,
        Self::Memory,
        Self::ObjectStore,
    ];

    /// Position in [`Route::ALL`], for counters.
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// The name that statistics show.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Resident => "resident",
            Self::Buffered => "buffered",
            Self::UringDirect => "uring+direct",
            Self::PreadDirect => "pread+direct",
            Self::Memory => "memory",
            Self::ObjectStore => "object store",
        }
    }
}

/// Which version of an object a read accepts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Freshness {
    /// Whatever the store holds now: a cached file handle is checked against the path first.
    #[default]
    Current,
    /// The version with this identity. If the store has a handle to it, that handle is used without
    /// looking at the path again; if that version is gone, the read ends in
    /// [`StorageError::Conflict`].
    Pinned(Identity),
}

/// Stops reads that nobody wants any more: those that have not begun, and those under way where the storage can stop them.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels every read that carries a clone of this token.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether [`CancelToken::cancel`] was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// One physical read: one range of one object, into one leased buffer.
#[derive(Debug)]
pub struct Read {
    /// The object.
    pub key: Key,
    /// The bytes wanted.
    pub range: ByteRange,
    /// The version accepted.
    pub freshness: Freshness,
    /// The most memory that the read may take. The storage shrinks it to what the buffer needs.
    /// [`Read::reserve_for`] says how much a range needs, alignment included.
    pub reservation: Reservation,
    /// How to read.
    pub mode: IoMode,
    /// Encoded bytes that the whole request of the user will read, as far as is known: what
    /// [`IoMode::Auto`] decides by.
    pub request_bytes: u64,
    /// Stops the read.
    pub cancel: CancelToken,
    /// Given back in the completion.
    pub tag: u64,
    /// Where the completion goes.
    pub sink: Arc<dyn CompletionSink>,
    /// What [`Storage::try_read_resident`] has already read: the buffer, the bytes of the range that
    /// are in it, the object's length and its identity. Only storages look at it.
    pub begun: Option<Begun>,
}

/// The first part of a range, found in the page cache.
#[derive(Debug)]
pub struct Begun {
    /// The buffer for the whole range.
    pub lease: Lease,
    /// Bytes from the start of the range that are in the buffer.
    pub filled: usize,
    /// Length of the object in bytes.
    pub object_len: u64,
    /// Version that those bytes come from.
    pub identity: Identity,
}

impl Read {
    /// Room that direct I/O may need around a range, in bytes: one block before and one after, for
    /// the largest logical block size of common devices (4 KiB).
    pub const DIRECT_PADDING: usize = 2 * 4096;

    /// Bytes to reserve for a read of at most `len` bytes.
    #[must_use]
    pub fn reserve_for(len: u64) -> u64 {
        crate::class_size(len.saturating_add(Self::DIRECT_PADDING as u64))
    }

    /// A buffer of `len` bytes out of the read's reservation, which is shrunk to nothing else: how a
    /// storage begins once it knows the true length. Direct I/O asks for up to
    /// [`Read::DIRECT_PADDING`] bytes more than the range has.
    ///
    /// # Errors
    /// [`StorageError::TooLong`] if the reservation is too small, [`StorageError::Io`] if the system
    /// has no memory.
    pub fn lease(&mut self, len: u64) -> Result<Lease, StorageError> {
        let reserved = self.reservation.bytes();
        let class = crate::class_size(len);
        if class > reserved {
            return Err(StorageError::TooLong { key: self.key.clone(), len, reserved });
        }
        self.reservation.lease_all(len as usize).ok_or_else(|| StorageError::Io {
            operation: "get memory for",
            key: self.key.clone(),
            source: Arc::new(io::ErrorKind::OutOfMemory.into()),
        })
    }

    /// Ends the read: sends its completion. Its reservation, if the answer does not hold it, is
    /// given back before the completion is sent.
    pub fn complete(
        self,
        result: Result<ReadAnswer, StorageError>,
        route: Route,
        elapsed: Duration,
    ) {
        self.complete_after(Requests::default(), result, route, elapsed);
    }

    /// As [`complete`](Self::complete), of a read that asked a server.
    pub fn complete_after(
        self,
        requests: Requests,
        result: Result<ReadAnswer, StorageError>,
        route: Route,
        elapsed: Duration,
    ) {
        let Self { reservation, tag, sink, begun, .. } = self;
        drop(begun);
        drop(reservation);
        sink.complete(Completion { tag, result, route, elapsed, requests });
    }
}

/// What a read brought.
#[derive(Debug, Clone)]
pub struct ReadAnswer {
    /// Exactly the bytes of the range.
    pub bytes: SharedBytes,
    /// Length of the whole object in bytes.
    pub object_len: u64,
    /// Version that the bytes belong to.
    pub identity: Identity,
}

/// The end of a read.
#[derive(Debug)]
pub struct Completion {
    /// The read's tag.
    pub tag: u64,
    /// What came of it.
    pub result: Result<ReadAnswer, StorageError>,
    /// Which way it was served (for failures: was to be served).
    pub route: Route,
    /// Time in the kernel or on the wire, without waiting in a queue.
    pub elapsed: Duration,
    /// What was asked of a server for it, also if it failed. None by storages that ask no server.
    pub requests: Requests,
}

/// Requests that a read took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Requests {
    /// All of them, the repeated and second ones included.
    pub made: u32,
    /// Of these, those that repeated one which had failed or broken.
    pub retries: u32,
    /// Of these, second ones beside one whose answer was late.
    pub hedges: u32,
}

impl std::ops::AddAssign for Requests {
    fn add_assign(&mut self, more: Self) {
        self.made = self.made.saturating_add(more.made);
        self.retries = self.retries.saturating_add(more.retries);
        self.hedges = self.hedges.saturating_add(more.hedges);
    }
}

/// Takes completions. Called on a storage's own thread: it must hand over and return.
pub trait CompletionSink: Send + Sync + fmt::Debug {
    /// One read has ended. Called exactly once for each read.
    fn complete(&self, completion: Completion);
}

/// What [`Storage::try_read_resident`] found.
#[derive(Debug)]
pub enum Resident {
    /// Everything was in memory; the read's sink has not been and will not be called.
    Hit(Completion),
    /// Not all of it was: submit this read. It may carry the part that was found.
    Miss(Read),
}

/// Takes the bytes of a range in their order, piece by piece.
pub trait ReadTarget {
    /// Where the next bytes go. Empty once there have been as many as the target wants.
    fn room(&mut self) -> &mut [u8];

    /// The whole of the last [`room`](Self::room) has been written.
    fn filled(&mut self);
}

/// What a backend wants of the read planner, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Ranges of one object with a gap up to this are read as one.
    pub merge_gap: u64,
    /// Merging stops at this size.
    pub max_merged: u64,
    /// A range longer than this is split into requests of at most this size.
    pub max_request: u64,
}

/// A member of a listing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// An object, by its name below the prefix, and its length in bytes.
    Object(String, u64),
    /// A common prefix (a directory), by its name below the prefix.
    Prefix(String),
}

impl Entry {
    /// The name below the prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Object(name, _) | Self::Prefix(name) => name,
        }
    }
}

/// Receives the result of a listing, once.
pub type ListDone = Box<dyn FnOnce(Result<Vec<Entry>, StorageError>) + Send>;

/// Reads under way that keep a local device busy: twice what a queue depth of 8 needs at an `NVMe` drive and 256 KiB,
/// and twice that, so that workers which all decode for a while do not let it fall idle.
pub const LOCAL_READS_AT_ONCE: u32 = 32;

/// Something that holds objects and answers reads.
///
/// Implementers owe [`submit`](Storage::submit), [`list`](Storage::list),
/// [`limits`](Storage::limits) and [`location`](Storage::location); a wrapper must also forward
/// [`enough_in_flight`](Storage::enough_in_flight), [`reads_at_once`](Storage::reads_at_once), [`device`](Storage::device),
/// [`try_read_resident`](Storage::try_read_resident) and [`try_read_resident_into`](Storage::try_read_resident_into). The suite in [`crate::conformance`]
/// holds for every implementation.
pub trait Storage: Send + Sync + fmt::Debug {
    /// Where the store is, for messages. Free of secrets.
    fn location(&self) -> &str;

    /// What the read planner should aim for.
    fn limits(&self) -> ReadLimits;

    /// Bytes under way from which on more reads at once bring nothing but buffers. A store that is far away
    /// has no such number: it answers many reads at once faster than few.
    fn enough_in_flight(&self) -> u64 {
        u64::MAX
    }

    /// Reads that are worth having under way at once. It may change from call to call.
    fn reads_at_once(&self) -> u32 {
        LOCAL_READS_AT_ONCE
    }

    /// A number that storages share whose reads wait for each other: those on one host, or (0) those of this machine's
    /// disks and memory. Reads of others go on where this one does not answer.
    fn device(&self) -> usize {
        0
    }

    /// Starts all reads of a batch and returns at once. Each ends in exactly one completion, in any
    /// order, on any thread. Reads whose token is cancelled before they start end in
    /// [`StorageError::Cancelled`]; those already started finish, or end in the same where the store can
    /// give up what is under way.
    fn submit(&self, batch: Vec<Read>);

    /// Serves a read on the calling thread if that needs no waiting.
    fn try_read_resident(&self, read: Read) -> Resident {
        Resident::Miss(read)
    }

    /// Reads the range of `read` on the calling thread into `target`, if that needs no waiting and the
    /// range has exactly `len` bytes; tells the time it took. `None`: the target may have been given
    /// anything, and `read` is to be submitted (or tried the other way) as if nothing had happened.
    /// Neither the reservation nor the sink of `read` is used.
    fn try_read_resident_into(
        &self,
        _read: &Read,
        _len: u64,
        _target: &mut dyn ReadTarget,
    ) -> Option<Duration> {
        None
    }

    /// Lists the direct members below `prefix` (a directory), sorted by name. A prefix without
    /// members is an empty listing on stores without directories, [`StorageError::NotFound`]
    /// elsewhere. `done` is called once, on any thread.
    fn list(&self, prefix: &Key, done: ListDone);

    /// What tells the folder `prefix` from all others of this store, where several names may lead to one (symbolic
    /// links); `None` where they cannot, and where there is no such folder. May block.
    fn folder_identity(&self, _prefix: &Key) -> Option<u128> {
        None
    }
}

/// A store that whole objects can be written to.
pub trait WriteStorage: Send + Sync + fmt::Debug {
    /// Writes one whole object; readers see the old object or the new one, never a mixture. Blocks.
    ///
    /// # Errors
    /// [`StorageError`] of the store; nothing is left behind then.
    fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError>;
}
