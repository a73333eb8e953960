//! All suites that the codecs must pass.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod array_codecs;
mod every;
mod hostile;
mod known_bytes;
mod round_trip;
