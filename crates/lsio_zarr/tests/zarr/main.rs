//! Arrays and groups through the public API: written, opened, located, parsed and decoded.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod driver;
mod fixtures;
mod hierarchy;
mod hostile;
mod implicit_groups;
mod round_trip;
mod shards;
mod varying_chunks;
