//! SIGNATURES ONLY: the contract that the other crates compile against.
use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

/// Bytes that a buffer of `len` bytes is charged: its size class.
#[must_use]
pub fn class_size(len: u64) -> u64 { let _ = len; todo!() }

/// The process-wide byte budget and the pool of huge-page regions in one.
#[derive(Debug)]
pub struct Memory { _private: () }

/// What the budget says now, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryUsage {
    /// The budget.
    pub limit: u64,
    /// Reserved for reads and decodes that are under way, and for undelivered chunks.
    pub reserved: u64,
    /// Delivered to the user and not yet given back.
    pub held: u64,
    /// Backed pool memory that nobody uses.
    pub idle: u64,
    /// Highest value of `reserved` so far.
    pub peak_reserved: u64,
    /// Buffers leased now.
    pub leases: u64,
    /// Most buffers leased at once so far.
    pub peak_leases: u64,
}

impl Memory {
    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Arc<Self> { let _ = limit; todo!() }
    /// Reserves `bytes` for `request` (a number that grows with each request: a lower one is older).
    /// `None`: it does not fit now, or an older request is waiting; this request is then noted as
    /// waiting and the release hook runs when it is worth asking again.
    pub fn reserve(self: &Arc<Self>, request: u64, bytes: u64) -> Option<Reservation> { let _ = (request, bytes); todo!() }
    /// `request` no longer waits.
    pub fn withdraw(&self, request: u64) { let _ = request; todo!() }
    /// Called, on whichever thread gave memory back, when a waiting request should ask again.
    pub fn on_release(&self, hook: Arc<dyn Fn() + Send + Sync>) { let _ = hook; todo!() }
    /// A buffer that belongs to the user from the start (the destination of a whole read): counted as
    /// held, never waits. `None` if the system has no such memory.
    pub fn hold(self: &Arc<Self>, len: usize) -> Option<Lease> { let _ = len; todo!() }
    /// What is in use now.
    #[must_use]
    pub fn usage(&self) -> MemoryUsage { todo!() }
}

/// Bytes of the budget that are promised to somebody. Dropping it gives them back.
#[derive(Debug)]
pub struct Reservation { _private: () }

impl Reservation {
    /// Bytes reserved.
    #[must_use]
    pub fn bytes(&self) -> u64 { todo!() }
    /// Gives back all but `bytes`.
    pub fn shrink_to(&mut self, bytes: u64) { let _ = bytes; todo!() }
    /// Adds `more` bytes if they are free now and no other request is waiting.
    #[must_use]
    pub fn try_grow(&mut self, more: u64) -> bool { let _ = more; todo!() }
    /// Takes `bytes` out of this reservation as one of its own; `None` if it has fewer.
    pub fn split(&mut self, bytes: u64) -> Option<Reservation> { let _ = bytes; todo!() }
    /// Turns `class_size(len)` bytes of this reservation into a buffer of `len` bytes with arbitrary
    /// content; `None` if it has fewer or the system has no memory.
    pub fn lease(&mut self, len: usize) -> Option<Lease> { let _ = len; todo!() }
    /// Counts these bytes as held by the user from now on (for results that live outside the pool).
    pub fn into_held(self) -> Self { todo!() }
}

/// A leased buffer, aligned to at least 64 bytes (4096 from 4 KiB on). Dropping it returns the slot.
#[derive(Debug)]
pub struct Lease { _private: () }

impl Lease {
    /// Counts this buffer as held by the user from now on.
    pub fn into_held(self) -> Self { todo!() }
    /// Shows only the first `len` bytes from now on.
    pub fn truncate(&mut self, len: usize) { let _ = len; todo!() }
    /// Makes the buffer immutable and shareable.
    #[must_use]
    pub fn freeze(self) -> SharedBytes { todo!() }
    /// Bytes that the slot behind the buffer has (the size class).
    #[must_use]
    pub fn capacity(&self) -> usize { todo!() }
}
impl Deref for Lease { type Target = [u8]; fn deref(&self) -> &[u8] { todo!() } }
impl DerefMut for Lease { fn deref_mut(&mut self) -> &mut [u8] { todo!() } }

/// Immutable bytes that may be a part of a larger physical read.
#[derive(Debug, Clone)]
pub struct SharedBytes { _private: () }

impl SharedBytes {
    /// The bytes of `range` (relative to this view), sharing the same buffer. `None` if out of bounds.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Option<SharedBytes> { let _ = range; todo!() }
}
impl From<Vec<u8>> for SharedBytes { fn from(bytes: Vec<u8>) -> Self { let _ = bytes; todo!() } }
impl Deref for SharedBytes { type Target = [u8]; fn deref(&self) -> &[u8] { todo!() } }
