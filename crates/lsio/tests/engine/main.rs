//! The engine as its users meet it: arrays on real files and in memory, read in every way.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod archives;
mod bit_identity;
mod cached_chunks;
mod chunk_reader;
mod counters;
mod data_types;
mod faults;
mod fixtures;
mod groups;
mod hostile;
mod life_cycle;
mod memory_stores;
mod missing_chunks;
mod naive_model;
mod objects;
mod own_process;
mod picked;
mod random;
mod reading;
mod replaced_shards;
mod resident_memory;
mod routes;
mod sample;
mod scratch_folder;
mod shared_chunks;
mod strings;
mod user_codecs;
mod values;
mod varying_chunks;
mod web_server;
mod written_array;
