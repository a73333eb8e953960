//! Thousands of mutated inputs for every decoder: cut, flipped, with forged lengths, and forged with
//! checksums that fit. None ends in a panic, writes beside its destination or takes more than its memory.
//!
//! `cargo test -p lsio_codecs --test mutations -- --nocapture` prints how many reached each decoder's body.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod bytes_target;
mod chain_target;
mod forged_blosc;
mod forged_bz2;
mod forged_deflate;
mod forged_elements;
mod forged_xz;
mod forged_zstd;

#[allow(dead_code, reason = "shared with the other suites, which use all of it")]
#[path = "../every.rs"]
mod every;

use lsio_mutation::{CountingAllocator, Target, check};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn no_input_does_harm_to_any_decoder() {
    let mut targets: Vec<Box<dyn Target>> = Vec::new();
    for (name, codec) in every::bytes_codecs() {
        targets.push(Box::new(bytes_target::BytesTarget::new(&name, codec)));
    }
    targets.extend(chain_target::chains());
    check(&targets);
}
