//! The books of the pool: free slots by class, and what of them is backed by memory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::{Bound, Range};

use crate::backing::Backing;
use crate::region::Slot;
use crate::size_class::{HUGE_PAGE, region_size};

/// Most bytes by which the slots in use may be longer than what their buffers are charged, in all. They
/// are a part of the 64 MiB that resident memory may exceed budget and held memory by.
const MOST_LENT: u64 = 8 << 20;

/// Free slots, last used first, and the regions that all slots belong to.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    regions: HashMap<u64, RegionBooks, BuildHasherDefault<NumberHasher>>,
    /// Free slots by class. The end is taken first, so the start is what was unused for longest.
    free: BTreeMap<u64, Vec<Slot>>,
    /// Regions of which every slot is free, by the time since when, so the longest free comes first.
    free_regions: BTreeMap<u64, u64>,
    /// Counts the times that a region became free.
    clock: u64,
    backed: u64,
    /// What the buffers are charged.
    leased: u64,
    /// How much longer their slots are.
    lent: u64,
}

/// Hashes the numbers of regions, which are counted up and nobody else chooses: two are looked up for
/// each buffer, under the lock that all threads share.
#[derive(Debug, Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // Fibonacci hashing: neighbours differ in the high bits too, which the map uses.
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

#[derive(Debug)]
struct RegionBooks {
    class: u64,
    slots: usize,
    free: usize,
    /// Leases that have taken a slot but not yet touched it: until then nothing of the region can be
    /// given back, because the first touch would bring it all back.
    touching: usize,
    free_since: u64,
    backing: Backing,
}

/// A slot that was taken from the pool.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) slot: Slot,
    /// Where to touch the slot (offsets in its region) before [`Pool::touched`] is called.
    pub(crate) untouched: Vec<usize>,
}

/// Idle memory taken out of the books, to be given back to the kernel without holding a lock.
#[derive(Debug, Default)]
pub(crate) struct Surplus {
    /// Slots of whole regions: dropping them unmaps the regions.
    unmap: Vec<Slot>,
    /// Slots between others that are in use: their memory goes, they come back.
    discard: Vec<Slot>,
}

impl Surplus {
    pub(crate) fn is_empty(&self) -> bool {
        self.unmap.is_empty() && self.discard.is_empty()
    }

    /// Gives the memory back. The slots returned belong into [`Pool::restore`].
    pub(crate) fn release(self) -> Vec<Slot> {
        let Self { unmap, mut discard } = self;
        drop(unmap);
        discard.iter_mut().for_each(Slot::discard);
        discard
    }
}

fn range_of(slot: &Slot) -> Range<usize> {
    slot.offset()..slot.offset() + slot.len()
}

impl Pool {
    /// Backed bytes that no lease is charged.
    pub(crate) fn idle(&self) -> u64 {
        self.backed - self.leased
    }

    /// Takes a slot for a buffer of `class`: the one of that class that was used last or, before new memory is
    /// touched, one up to twice as long. `None`: [`Pool::add_region`] first.
    pub(crate) fn take(&mut self, class: u64) -> Option<Taken> {
        let own = self.free.get(&class).and_then(|slots| slots.last());
        let from = if own.is_some_and(|slot| self.is_backed(slot)) {
            class
        } else {
            self.lender(class).unwrap_or(class)
        };
        let slot = self.free.get_mut(&from)?.pop()?;
        let books = self.regions.get_mut(&slot.region_id)?;
        if books.free == books.slots {
            self.free_regions.remove(&books.free_since);
        }
        books.free -= 1;
        let (backed, mut untouched) = books.backing.touch(&range_of(&slot));
        if from.is_multiple_of(HUGE_PAGE) {
            // Nothing but the slot itself is backed by its first touch: that can be left to its owner.
            untouched.clear();
        }
        if !untouched.is_empty() {
            books.touching += 1;
        }
        self.backed += backed as u64;
        self.leased += class;
        self.lent += from - class;
        Some(Taken { slot, untouched })
    }

    /// Whether a slot has all of its memory.
    fn is_backed(&self, slot: &Slot) -> bool {
        let books = self.regions.get(&slot.region_id);
        books.is_some_and(|books| books.backing.backed_in(&range_of(slot)) == slot.len())
    }

    /// The shortest class that has a slot to lend to buffers of `class`. Lengths that change from read to
    /// read, as those of compressed chunks do, would else leave idle memory behind in each class.
    fn lender(&self, class: u64) -> Option<u64> {
        let most = class + class.min(MOST_LENT - self.lent);
        let longer = (Bound::Excluded(class), Bound::Included(most));
        let lends = |slots: &Vec<Slot>| slots.last().is_some_and(|slot| self.is_backed(slot));
        self.free.range(longer).find(|(_, slots)| lends(slots)).map(|(&class, _)| class)
    }

    /// The slot of a [`Taken`] with something untouched has been touched there.
    pub(crate) fn touched(&mut self, region_id: u64) {
        if let Some(books) = self.regions.get_mut(&region_id) {
            books.touching -= 1;
        }
    }

    /// Adds the slots of one new region.
    pub(crate) fn add_region(&mut self, class: u64, slots: Vec<Slot>) {
        let Some(region_id) = slots.first().map(|slot| slot.region_id) else { return };
        let backing = Backing::new(region_size(class) as usize, class as usize);
        let slots_of_region = slots.len();
        let books = RegionBooks {
            class,
            slots: slots_of_region,
            free: 0,
            touching: 0,
            free_since: 0,
            backing,
        };
        self.regions.insert(region_id, books);
        self.count_free(region_id, slots_of_region);
        let free = self.free.entry(class).or_default();
        // Lowest address on top, so that neighbours are used together and share huge pages.
        free.splice(0..0, slots.into_iter().rev());
    }

    /// Takes back a slot that was leased for a buffer of `class`.
    pub(crate) fn give(&mut self, slot: Slot, class: u64) {
        let Some(own) = self.count_free(slot.region_id, 1) else { return };
        self.leased -= class;
        self.lent -= own - class;
        self.free.entry(own).or_default().push(slot);
    }

    /// Books `slots` of a region as free and tells its class.
    fn count_free(&mut self, region_id: u64, slots: usize) -> Option<u64> {
        let books = self.regions.get_mut(&region_id)?;
        books.free += slots;
        if books.free == books.slots {
            self.clock += 1;
            books.free_since = self.clock;
            self.free_regions.insert(self.clock, region_id);
        }
        Some(books.class)
    }

    /// Takes idle memory out of the books: free regions, the longest free first, until `excess` bytes
    /// are found. If no region is left and more than `tolerated` bytes are still to be found, also free
    /// slots between used ones. Those cost a huge page each and a search, hence the tolerance, of
    /// which half is then cleared too so that the next search is not needed at once.
    pub(crate) fn take_surplus(&mut self, excess: u64, tolerated: u64) -> Surplus {
        let mut surplus = Surplus::default();
        if excess == 0 || self.idle() == 0 {
            return surplus;
        }
        let found = self.take_regions(excess, &mut surplus);
        let rest = excess.saturating_sub(found);
        if rest > tolerated {
            self.take_slots(rest - tolerated / 2, &mut surplus);
        }
        surplus
    }

    /// Takes back slots whose memory was given to the kernel.
    pub(crate) fn restore(&mut self, slots: Vec<Slot>) {
        let mut by_class: BTreeMap<u64, Vec<Slot>> = BTreeMap::new();
        for slot in slots {
            if let Some(class) = self.count_free(slot.region_id, 1) {
                by_class.entry(class).or_default().push(slot);
            }
        }
        for (class, slots) in by_class {
            self.free.entry(class).or_default().splice(0..0, slots);
        }
    }

    fn take_regions(&mut self, excess: u64, surplus: &mut Surplus) -> u64 {
        let mut found = 0;
        let mut by_class: BTreeMap<u64, HashSet<u64>> = BTreeMap::new();
        while found < excess
            && let Some((_, id)) = self.free_regions.pop_first()
        {
            if let Some(books) = self.regions.remove(&id) {
                found += books.backing.backed() as u64;
                by_class.entry(books.class).or_default().insert(id);
            }
        }
        for (class, ids) in by_class {
            if let Some(free) = self.free.get_mut(&class) {
                surplus.unmap.extend(free.extract_if(.., |slot| ids.contains(&slot.region_id)));
            }
        }
        self.backed -= found;
        found
    }

    fn take_slots(&mut self, excess: u64, surplus: &mut Surplus) {
        let mut found = 0;
        for free in self.free.values_mut().rev() {
            let taken = free.extract_if(.., |slot| {
                let Some(books) = self.regions.get_mut(&slot.region_id) else { return false };
                let range = range_of(slot);
                if found >= excess || books.touching > 0 || books.backing.backed_in(&range) == 0 {
                    return false;
                }
                books.free -= 1;
                found += books.backing.discard(&range) as u64;
                true
            });
            surplus.discard.extend(taken);
            if found >= excess {
                break;
            }
        }
        self.backed -= found;
    }
}
