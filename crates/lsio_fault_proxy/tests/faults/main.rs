//! Each fault as a plain client of HTTP sees it, the log, and what passes unchanged.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod binary;
mod client;
mod origin;
mod seen;
