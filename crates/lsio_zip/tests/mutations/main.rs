//! Thousands of mutated archives: cut, flipped, and forged with a directory and checksums that fit. None ends
//! in a panic, gives more than its members, or takes more than its memory.
//!
//! `cargo test -p lsio_zip --test mutations -- --nocapture` prints how many got to the bytes of a member.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod archive_target;
mod forged_archive;

use lsio_mutation::{CountingAllocator, check};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn no_archive_does_harm() {
    check(&[Box::new(archive_target::ArchiveTarget::new())]);
}
