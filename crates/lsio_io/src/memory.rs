//! The process-wide byte budget and the pool of huge-page regions behind it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::budget::{Account, Budget};
use crate::class_size;
use crate::lease::Lease;
use crate::pool::{Pool, Surplus};
use crate::region::Slot;
use crate::reservation::Reservation;
use crate::system_memory::total_memory;

/// Idle memory above the limit that is left alone where only breaking up huge pages could free it.
/// It is a part of the 64 MiB that resident memory may exceed budget and held memory by.
const OVERHANG: u64 = 16 << 20;

type Hook = Arc<dyn Fn() + Send + Sync>;

/// Drops cached things that take so many bytes or more; tells whether there were any.
type GiveWay = Arc<dyn Fn(u64) -> bool + Send + Sync>;

/// The process-wide byte budget and the pool of huge-page regions in one.
///
/// Bytes are booked on one of four accounts:
///
/// - *reserved*: reads and decodes under way, and chunks that nobody has fetched yet. Never more than
///   the limit. A request that does not fit waits, and younger requests wait behind it.
/// - *cached*: what is kept because it may be wanted again. Never more than the limit together with what
///   is reserved; a request that does not fit beside it makes it go: see [`Memory::on_shortage`].
/// - *held*: the user's. Never refused by the budget, and never in the way of a reservation.
/// - *small*: the allowance for metadata, see [`Memory::reserve_unwaited`].
///
/// Memory that buffers gave back stays mapped for the next ones as long as it fits under the limit
/// together with what is leased; the rest goes back to the system, the longest unused first. A
/// reservation that has no buffer yet is served from such idle memory later, so the two overlap: see
/// [`MemoryUsage::idle`]. (What a reservation is used for outside the pool comes on top. Keep such
/// memory small, or move it to held.)
pub struct Memory {
    books: Mutex<Books>,
    hooks: Mutex<Arc<[Hook]>>,
    caches: Mutex<Arc<[GiveWay]>>,
    next_region: AtomicU64,
    /// A buffer longer than this cannot be backed here.
    longest: u64,
}

#[derive(Debug)]
struct Books {
    budget: Budget,
    pool: Pool,
    /// Class sizes of the leases that are booked as reserved.
    leased_reserved: u64,
    leases: u64,
    peak_leases: u64,
}

/// What the budget says now, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryUsage {
    /// The budget.
    pub limit: u64,
    /// Reserved for reads and decodes that are under way, and for undelivered chunks.
    pub reserved: u64,
    /// Kept because it may be wanted again; gives way to what is to be reserved.
    pub cached: u64,
    /// Delivered to the user and not yet given back.
    pub held: u64,
    /// Backed pool memory that nobody uses and that no reservation has been promised: memory that a
    /// reservation without a buffer will be served from counts as reserved only. `reserved + cached + idle`
    /// exceeds the limit by a few MiB at most.
    pub idle: u64,
    /// The allowance for metadata: granted by [`Memory::reserve_unwaited`], beside the limit.
    pub small: u64,
    /// Highest value of `reserved` so far.
    pub peak_reserved: u64,
    /// Buffers leased now (a number).
    pub leases: u64,
    /// Most buffers leased at once so far (a number).
    pub peak_leases: u64,
}

impl Memory {
    /// Most bytes that one [`Memory::reserve_unwaited`] takes from the allowance for metadata.
    pub const SMALL: u64 = 1 << 20;

    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Arc<Self> {
        let books = Books {
            budget: Budget::new(limit),
            pool: Pool::default(),
            leased_reserved: 0,
            leases: 0,
            peak_leases: 0,
        };
        Arc::new(Self {
            books: Mutex::new(books),
            hooks: Mutex::new(Arc::new([])),
            caches: Mutex::new(Arc::new([])),
            next_region: AtomicU64::new(0),
            longest: total_memory().unwrap_or(u64::MAX),
        })
    }

    /// The limit for a process that was not told one: a quarter of the memory of this machine, or of
    /// the control group that the process runs in, whichever is smaller. In bytes.
    #[must_use]
    pub fn default_limit() -> u64 {
        crate::system_memory::default_limit()
    }

    /// Reserves `bytes` for `request` (a number that grows with each request: a lower one is older).
    ///
    /// `None`: it does not fit now, or an older request is waiting. This request is then noted as
    /// waiting, and the release hook runs when it is worth asking again; it waits until it is served
    /// or [`Memory::withdraw`] is called. What exceeds the limit is refused for ever and not noted:
    /// compare with [`MemoryUsage::limit`] before asking.
    ///
    /// If it is served and the next waiting request fits too, the hook is called from here.
    pub fn reserve(self: &Arc<Self>, request: u64, bytes: u64) -> Option<Reservation> {
        loop {
            let mut books = self.books();
            if books.budget.reserve(request, bytes) {
                self.wake_oldest(books);
                return Some(Reservation::new(Arc::clone(self), request, Account::Reserved, bytes));
            }
            // It is noted as waiting by now: what the cache gives back later wakes it.
            let short = books.budget.in_the_way(request, bytes);
            drop(books);
            if !self.makes_room(short) {
                return None;
            }
        }
    }

    /// Bytes for something that may be wanted again: `None` unless they are free and nobody waits.
    pub fn cache(self: &Arc<Self>, bytes: u64) -> Option<Reservation> {
        let cached = self.books().budget.grow(u64::MAX, Account::Cached, bytes);
        cached.then(|| Reservation::new(Arc::clone(self), u64::MAX, Account::Cached, bytes))
    }

    /// Adds a hook that is called when a request would fit if so many cached bytes were free. It drops
    /// what takes them, and tells whether there was anything. It is called on the thread that asks for
    /// memory, while no lock of the memory is held, and must not panic.
    pub fn on_shortage(&self, give_way: GiveWay) {
        let mut caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        *caches = caches.iter().cloned().chain([give_way]).collect();
    }

    /// Whether a cache has dropped anything for the `short` bytes that a request lacks.
    fn makes_room(&self, short: Option<u64>) -> bool {
        let Some(short) = short else { return false };
        let caches = Arc::clone(&self.caches.lock().unwrap_or_else(PoisonError::into_inner));
        caches.iter().any(|give_way| give_way(short))
    }

    /// Bytes for metadata: granted at once, whatever is in use.
    ///
    /// Whoever blocks on a small read may be needed for memory to become free, so it must not wait
    /// for it. Up to [`Memory::SMALL`] bytes come from an allowance beside the limit: give them back
    /// soon, and have few of them at once, since they are part of the 64 MiB that resident memory may
    /// exceed budget and held memory by. What is longer counts as held from the start.
    pub fn reserve_unwaited(self: &Arc<Self>, bytes: u64) -> Reservation {
        let account = if bytes <= Self::SMALL { Account::Small } else { Account::Held };
        self.books().budget.add(account, bytes);
        Reservation::new(Arc::clone(self), u64::MAX, account, bytes)
    }

    /// `request` no longer waits.
    pub fn withdraw(&self, request: u64) {
        let mut books = self.books();
        books.budget.withdraw(request);
        self.wake_oldest(books);
    }

    /// Adds a hook that is called, on whichever thread gave memory back, when the oldest waiting
    /// request should ask again. No lock of the memory is held meanwhile. It should hand over and
    /// return, and it must not panic: it may run while a buffer is dropped.
    pub fn on_release(&self, hook: Arc<dyn Fn() + Send + Sync>) {
        let mut hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        *hooks = hooks.iter().cloned().chain([hook]).collect();
    }

    /// A buffer that belongs to the user from the start (the destination of a whole read): counted as
    /// held, never waits. `None` if the system has no such memory.
    pub fn hold(self: &Arc<Self>, len: usize) -> Option<Lease> {
        let class = class_size(len as u64);
        if class > self.longest {
            return None;
        }
        self.books().budget.add(Account::Held, class);
        let lease = self.lease(Account::Held, len);
        if lease.is_none() {
            self.give_back(Account::Held, class);
        }
        lease
    }

    /// What is in use now.
    #[must_use]
    pub fn usage(&self) -> MemoryUsage {
        let books = self.books();
        let Budget { limit, reserved, cached, small, held, peak_reserved, .. } = books.budget;
        let promised = reserved - books.leased_reserved;
        MemoryUsage {
            limit,
            reserved,
            cached,
            held,
            idle: books.pool.idle().saturating_sub(promised),
            small,
            peak_reserved,
            leases: books.leases,
            peak_leases: books.peak_leases,
        }
    }

    /// A buffer of `len` bytes whose class is already booked on `account`.
    pub(crate) fn lease(self: &Arc<Self>, account: Account, len: usize) -> Option<Lease> {
        self.lease_and_give_back(account, len, 0)
    }

    /// As [`Memory::lease`], and gives back `rest` bytes of `account` that have no buffer.
    pub(crate) fn lease_and_give_back(
        self: &Arc<Self>,
        account: Account,
        len: usize,
        rest: u64,
    ) -> Option<Lease> {
        let class = class_size(len as u64);
        let slot = if class == 0 {
            let mut books = self.books();
            books.count_lease();
            books.budget.subtract(account, rest);
            self.wake_oldest(books);
            None
        } else {
            Some(self.take_slot(account, class, rest)?)
        };
        Some(Lease::new(Arc::clone(self), slot, account, class, len))
    }

    fn take_slot(&self, account: Account, class: u64, rest: u64) -> Option<Slot> {
        let mut books = self.books();
        let taken = if let Some(taken) = books.pool.take(class) {
            taken
        } else {
            drop(books);
            let slots = self.map_region(class)?;
            books = self.books();
            books.pool.add_region(class, slots);
            books.pool.take(class)?
        };
        books.count_lease();
        if account == Account::Reserved {
            books.leased_reserved += class;
        }
        books.budget.subtract(account, rest);
        let surplus = books.take_surplus();
        self.wake_oldest(books);

        let mut slot = taken.slot;
        let discarded = surplus.release();
        // Touched here rather than by the owner: what a first touch backs beside the slot is in the
        // books as idle, and cannot be given back before it is there.
        for &at in &taken.untouched {
            slot.touch(at);
        }
        if !(taken.untouched.is_empty() && discarded.is_empty()) {
            let mut books = self.books();
            books.pool.restore(discarded);
            if !taken.untouched.is_empty() {
                books.pool.touched(slot.region_id);
            }
        }
        Some(slot)
    }

    /// Maps a region, if need be after giving all idle memory back.
    fn map_region(&self, class: u64) -> Option<Vec<Slot>> {
        let id = self.next_region.fetch_add(1, Ordering::Relaxed);
        if let Ok(slots) = Slot::map_region(class, id) {
            return Some(slots);
        }
        let surplus = self.books().pool.take_surplus(u64::MAX, 0);
        self.release(surplus);
        Slot::map_region(class, id).ok()
    }

    /// Books a lease's end and takes its slot back.
    pub(crate) fn end_lease(&self, slot: Option<Slot>, account: Account, class: u64) {
        let mut books = self.books();
        books.leases -= 1;
        if account == Account::Reserved {
            books.leased_reserved -= class;
        }
        books.budget.subtract(account, class);
        if let Some(slot) = slot {
            books.pool.give(slot, class);
        }
        let surplus = books.take_surplus();
        self.wake_oldest(books);
        self.release(surplus);
    }

    /// Moves leases of `class` bytes in all from account `from` to account `to`.
    pub(crate) fn move_lease(&self, class: u64, from: Account, to: Account) {
        let mut books = self.books();
        if from == Account::Reserved {
            books.leased_reserved -= class;
        }
        books.budget.subtract(from, class);
        books.budget.add(to, class);
        self.wake_oldest(books);
    }

    /// Moves `bytes` of a reservation from `account` to the user.
    pub(crate) fn hold_reserved(&self, account: Account, bytes: u64) {
        let mut books = self.books();
        books.budget.subtract(account, bytes);
        books.budget.add(Account::Held, bytes);
        self.wake_oldest(books);
    }

    /// Gives back reserved bytes that have no buffer.
    pub(crate) fn give_back(&self, account: Account, bytes: u64) {
        let mut books = self.books();
        books.budget.subtract(account, bytes);
        self.wake_oldest(books);
    }

    /// Adds bytes to a reservation of `request`, if that is possible now.
    pub(crate) fn grow(&self, request: u64, account: Account, more: u64) -> bool {
        loop {
            let mut books = self.books();
            if books.budget.grow(request, account, more) {
                return true;
            }
            let short = books.budget.in_the_way(request, more);
            drop(books);
            if account != Account::Reserved || !self.makes_room(short) {
                return false;
            }
        }
    }

    fn release(&self, surplus: Surplus) {
        if !surplus.is_empty() {
            let discarded = surplus.release();
            self.books().pool.restore(discarded);
        }
    }

    /// Calls the hooks if the oldest waiting request would be served now. Unlocks the books first.
    fn wake_oldest(&self, books: MutexGuard<'_, Books>) {
        let wake = books.budget.oldest_fits();
        drop(books);
        if wake {
            let hooks = Arc::clone(&self.hooks.lock().unwrap_or_else(PoisonError::into_inner));
            for hook in hooks.iter() {
                hook();
            }
        }
    }

    /// The books are consistent between any two statements that can panic, so a poisoned lock is as
    /// good as any other.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn count_lease(&mut self) {
        self.leases += 1;
        self.peak_leases = self.peak_leases.max(self.leases);
    }

    /// Idle memory that does not fit under the limit beside what is leased.
    fn take_surplus(&mut self) -> Surplus {
        let backed = self.leased_reserved + self.budget.cached + self.pool.idle();
        let excess = backed.saturating_sub(self.budget.limit);
        self.pool.take_surplus(excess, OVERHANG)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Memory").field(&self.usage()).finish()
    }
}
