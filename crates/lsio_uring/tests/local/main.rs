//! Local files through both engines and every mode.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod absent_and_refused;
mod changed_files;
mod conformance;
mod engine_choice;
mod harness;
mod life_cycle;
mod listing;
mod random_reads;
mod routes;
mod unsafe_page_cache;
mod unsafe_privileges;
mod writing;
