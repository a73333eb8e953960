//! Which version of an object was read.

use std::sync::Arc;

/// Tells one version of an object from another. Equal identities mean equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A local file.
    File {
        /// Device number.
        device: u64,
        /// Inode number.
        inode: u64,
        /// Length in bytes.
        size: u64,
        /// Last modification, nanoseconds since the epoch.
        modified_ns: i128,
        /// Last status change, nanoseconds since the epoch.
        changed_ns: i128,
    },
    /// An HTTP entity tag or a store's version name.
    Tag(Arc<str>),
    /// A counter that the store raises with every write (the in-memory store).
    Version(u64),
}
