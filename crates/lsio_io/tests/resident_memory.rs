//! What the pool says against what the system says. Alone in its process, so that no other test's
//! memory is counted.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use lsio_io::{Lease, Memory, class_size};

const MIB: u64 = 1 << 20;

/// What resident memory may exceed the budget by.
const SLACK: u64 = 64 * MIB;

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn resident_memory_stays_within_the_budget_whatever_sizes_come_and_go() {
    let limit = 96 * MIB;
    let memory = Memory::new(limit);
    let before = resident();
    let mut leases: Vec<Lease> = Vec::new();
    let mut random = 1_u64;
    let mut most = 0;
    for round in 0..6000_u64 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // Phases with sizes of their own, so that each leaves its classes idle.
        let longest = (8 * 1024) << (round / 400 % 11);
        let len = (random >> 33) % longest + 1;
        let mut reservation = loop {
            if let Some(reservation) = memory.reserve(0, class_size(len)) {
                break reservation;
            }
            let chosen = (random >> 20) as usize % leases.len();
            drop(leases.swap_remove(chosen));
        };
        leases.push(reservation.lease(len as usize).unwrap());
        // Written to a while after it was leased, as by a read.
        if let Some(index) = leases.len().checked_sub(10) {
            leases[index].fill(1);
        }
        if round % 50 == 0 {
            most = most.max(resident() - before);
        }
    }
    assert!(most <= limit + SLACK, "{} MiB at a budget of {} MiB", most / MIB, limit / MIB);
    assert!(most >= limit / 2, "nothing was used: {} MiB", most / MIB);

    drop(leases);
    let idle = resident() - before;
    assert!(idle <= limit + SLACK, "{} MiB idle", idle / MIB);
    assert!(memory.usage().idle >= idle.saturating_sub(SLACK), "{:?}", memory.usage());
    drop(memory);
    let left = resident().saturating_sub(before);
    assert!(left <= SLACK / 8, "{} MiB are left", left / MIB);
}
