//! The executor as its users see it: a source made for tests, over storages that misbehave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod budget;
mod cached_chunks;
mod conflicts;
mod index_reads;
mod locations;
mod pieces;
mod scheduling;
mod shared_chunks;
mod source_errors;
mod streams;
mod test_source;
mod unsafe_output;
