//! Single cases of the budget and the pool.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lsio_io::{Lease, Memory, class_size};

const MIB: u64 = 1 << 20;

/// A buffer of `len` bytes.
fn lease(memory: &Arc<Memory>, len: u64) -> Lease {
    memory.reserve(0, class_size(len)).unwrap().lease(len as usize).unwrap()
}

#[test]
fn idle_memory_of_longer_buffers_is_used_before_new_memory() {
    let memory = Memory::new(64 * MIB);
    let long = lease(&memory, 4 * MIB);
    let at = long.as_ptr();
    drop(long);
    let shorter = lease(&memory, 3 * MIB);
    assert_eq!(shorter.as_ptr(), at);
    let usage = memory.usage();
    assert_eq!((usage.reserved, usage.idle), (3 * MIB, MIB), "it is charged what it asked for");
    let shortest = lease(&memory, MIB);
    assert_ne!(shortest.as_ptr(), at);
    drop((shorter, shortest));
    let much_shorter = lease(&memory, 7 * MIB / 4);
    assert_ne!(much_shorter.as_ptr(), at, "more than half of it would be wasted");
    let again = lease(&memory, 4 * MIB);
    assert_eq!(again.as_ptr(), at);
    assert_eq!(memory.usage().reserved, 4 * MIB + 7 * MIB / 4);
}

#[test]
fn what_is_lent_to_shorter_buffers_is_bounded() {
    let memory = Memory::new(256 * MIB);
    let leases = |len| (0..16).map(|_| lease(&memory, len)).collect::<Vec<_>>();
    let places =
        |leases: &[Lease]| leases.iter().map(|lease| lease.as_ptr()).collect::<HashSet<_>>();
    let long = leases(4 * MIB);
    let at = places(&long);
    drop(long);
    let shorter = leases(3 * MIB);
    assert_eq!(places(&shorter).intersection(&at).count(), 8, "of which each is 1 MiB too long");
    drop(shorter);
    assert_eq!(places(&leases(3 * MIB)).intersection(&at).count(), 8);
}

#[test]
fn buffers_are_used_again_last_given_first() {
    let memory = Memory::new(64 * MIB);
    let lease = |len| lease(&memory, len);
    let (first, second) = (lease(MIB), lease(MIB));
    let (first_at, second_at) = (first.as_ptr(), second.as_ptr());
    assert_ne!(first_at, second_at);
    drop(second);
    drop(first);
    assert_eq!(lease(MIB).as_ptr(), first_at);
    assert_eq!(memory.usage().idle, 2 * MIB, "two buffers out of one huge page");
    let again = lease(MIB - 1);
    assert_eq!(again.as_ptr(), first_at, "a shorter buffer of the same class");
    assert_eq!(again.as_ptr().align_offset(4096), 0);
}

#[test]
fn a_buffer_of_no_bytes_costs_nothing_and_is_aligned() {
    let memory = Memory::new(0);
    let mut empty = memory.reserve(0, 0).unwrap().lease(0).unwrap();
    assert_eq!((empty.len(), empty.charged(), empty.as_mut_ptr().align_offset(4096)), (0, 0, 0));
    let shared = empty.freeze();
    assert_eq!((shared.len(), shared.as_ptr().align_offset(4096)), (0, 0));
}

#[test]
fn idle_memory_makes_room_for_other_sizes() {
    let memory = Memory::new(64 * MIB);
    let lease = |len| lease(&memory, len);
    drop((0..8).map(|_| lease(8 * MIB)).collect::<Vec<_>>());
    assert_eq!(memory.usage().idle, 64 * MIB);
    let other = lease(32 * MIB);
    assert_eq!(memory.usage().idle, 32 * MIB);
    let third = lease(32 * MIB);
    assert_eq!(memory.usage().idle, 0);
    drop((other, third));
    assert_eq!(memory.usage().idle, 64 * MIB);
}

#[test]
fn a_reservation_without_a_buffer_leaves_idle_memory_to_be_used_for_it() {
    let memory = Memory::new(64 * MIB);
    let mut all = memory.reserve(0, 64 * MIB).unwrap();
    let first = all.lease(16 << 20).unwrap();
    let at = first.as_ptr();
    drop(first);
    let mut again = memory.reserve(0, 16 * MIB).unwrap();
    assert_eq!((memory.usage().reserved, memory.usage().idle), (64 * MIB, 0));
    assert_eq!(again.lease(16 << 20).unwrap().as_ptr(), at, "it was given to the system and back");
}

#[test]
fn held_memory_is_never_in_the_way() {
    let memory = Memory::new(8 * MIB);
    let held: Vec<_> = (0..4).map(|_| memory.hold(8 << 20).unwrap()).collect();
    assert_eq!(memory.usage().held, 32 * MIB);
    let mut all = memory.reserve(0, 8 * MIB).unwrap();
    assert!(memory.reserve(1, 1).is_none());
    let delivered = all.lease(8 << 20).unwrap().into_held();
    let next = memory.reserve(1, 8 * MIB).unwrap();
    assert_eq!(memory.usage().held, 40 * MIB);
    drop((held, delivered, next));
    let usage = memory.usage();
    assert_eq!(usage.held, 0);
    assert!(usage.idle <= 8 * MIB, "{usage:?}: given-back results do not fit under the limit");
}

#[test]
fn buffers_held_together_are_booked_like_each_alone() {
    let memories = [Memory::new(8 * MIB), Memory::new(8 * MIB)];
    let lease = |memory: &Arc<Memory>| memory.reserve(0, MIB).unwrap().lease(5000).unwrap();
    let [first, other] = &memories;
    let mut leases = [lease(first), lease(first).into_held(), lease(first), lease(other)];
    let class = leases[0].charged();
    assert_eq!((first.usage().reserved, first.usage().held), (2 * class, class));
    Lease::hold_all(&mut leases);
    Lease::hold_all(&mut leases);
    assert_eq!((first.usage().reserved, first.usage().held), (0, 3 * class));
    assert_eq!((other.usage().reserved, other.usage().held), (0, class));
    drop(leases);
    assert_eq!((first.usage().held, other.usage().held), (0, 0));
}

#[test]
fn a_reservation_that_can_never_fit_does_not_wait() {
    let memory = Memory::new(MIB);
    assert!(memory.reserve(0, MIB + 1).is_none());
    assert!(memory.reserve(1, MIB).is_some(), "it stands behind one that can never be served");
}

#[test]
fn memory_that_no_machine_has_cannot_be_held() {
    let memory = Memory::new(MIB);
    assert!(memory.hold(1 << 60).is_none());
    assert!(memory.hold(usize::MAX).is_none());
    assert_eq!(memory.usage().held, 0);
}

#[test]
fn every_hook_is_called_without_a_lock() {
    let memory = Memory::new(MIB);
    let served = Arc::new(AtomicU64::new(0));
    for _ in 0..2 {
        let (served, of) = (Arc::clone(&served), Arc::downgrade(&memory));
        memory.on_release(Arc::new(move || {
            let memory = of.upgrade().unwrap();
            if memory.reserve(1, MIB).is_some() {
                served.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let all = memory.reserve(0, MIB).unwrap();
    assert!(memory.reserve(1, MIB).is_none());
    drop(all);
    assert_eq!(served.load(Ordering::Relaxed), 2);
}

#[test]
fn withdrawing_the_first_lets_the_next_ask() {
    let memory = Memory::new(MIB);
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    memory.on_release(Arc::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    }));
    let half = memory.reserve(0, MIB / 2).unwrap();
    assert!(memory.reserve(1, MIB).is_none());
    assert!(memory.reserve(2, MIB / 2).is_none());
    memory.withdraw(1);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert!(memory.reserve(2, MIB / 2).is_some());
    drop(half);
}
