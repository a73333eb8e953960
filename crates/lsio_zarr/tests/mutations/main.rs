//! Thousands of mutated shards and metadata documents: cut, flipped, with forged lengths, and forged with
//! checksums that fit. None ends in a panic or takes more than its memory.
//!
//! `cargo test -p lsio_zarr --test mutations -- --nocapture` prints how many got behind the index of a shard
//! or the syntax of a document.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod json_tree;
mod metadata_target;
mod shard_target;

#[allow(dead_code, reason = "shared with the other tests, which use all of it")]
#[path = "../zarr/driver.rs"]
mod driver;

use lsio_mutation::{CountingAllocator, check};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn no_shard_and_no_document_does_harm() {
    let mut targets = shard_target::all();
    targets.extend(metadata_target::all());
    check(&targets);
}
