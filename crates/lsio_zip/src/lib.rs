//! Zip archives as a [`lsio_io::Storage`], over any other storage: read where they lie, never unpacked.
//!
//! [`ZipStorage::open`] reads the archive's directory; from then on each read of a member becomes one of
//! its range in the archive, by the storage below, with that storage's way of reading. Stored members are
//! delivered as they were read, ranges of them too. Deflated ones are inflated as a whole: at once, on the
//! thread that asks, where the archive is in the page cache, on a thread of the caller's choice otherwise; reads
//! of the latter wait in a queue while their stored bytes would take too much memory.
//! Checksums of members that are read as a whole are verified.
//!
//! All members have the identity of their archive. One that was replaced is read again from its directory
//! on, by the next read that accepts the current version; reads that are pinned to the old one end in a
//! conflict.
//!
//! Specification: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 (records), 4.4 (fields), 4.5.3 (zip64). Not
//! supported, and said so by the read: encrypted members, other methods than "stored" and "deflated".
//! Archives in several files and archives behind other bytes are refused.
//!
//! This crate starts no thread.

mod central_directory;
mod deflated_queue;
mod directory;
mod end_record;
mod error;
mod fields;
mod inflate;
mod local_header;
mod member_read;
mod opening;
mod storage;

pub use error::ZipError;
pub use storage::{Spawn, ZipStorage};
