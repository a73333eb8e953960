//! Which version of an object was read.

use std::sync::Arc;

use crate::EntityTag;

/// Tells one version of an object from another. Equal identities mean equal bytes, but for [`File`](Self::File) and
/// [`Weak`](Self::Weak) ones and [fresh](EntityTag::is_fresh) tags of objects that had only just been changed when they
/// were read.
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
    /// A strong HTTP entity tag.
    Tag(EntityTag),
    /// What is known of an object of a server without strong entity tags: others may have the same.
    Weak {
        /// The weak entity tag; empty where there is none.
        tag: Arc<str>,
        /// Length in bytes.
        size: u64,
        /// Last modification in nanoseconds since the epoch, in whole seconds from most servers; `None` where the
        /// server does not say.
        modified_ns: Option<i128>,
    },
    /// A counter that the store raises with every write (the in-memory store).
    Version(u64),
}
