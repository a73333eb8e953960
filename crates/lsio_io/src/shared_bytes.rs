//! Immutable bytes with many owners.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::Lease;

/// Immutable bytes that may be a part of a larger physical read. The buffer goes back to the pool
/// with its last view.
#[derive(Clone)]
pub struct SharedBytes {
    owner: Arc<Owner>,
    range: Range<usize>,
}

enum Owner {
    Lease(Lease),
    Vec(Vec<u8>),
}

impl SharedBytes {
    pub(crate) fn from_lease(lease: Lease) -> Self {
        let range = 0..lease.len();
        Self { owner: Arc::new(Owner::Lease(lease)), range }
    }

    /// The buffer itself, if this is the only view and shows all of it.
    ///
    /// # Errors
    /// The view as it was.
    pub fn into_lease(self) -> Result<Lease, Self> {
        let Self { owner, range } = self;
        match Arc::try_unwrap(owner) {
            Ok(Owner::Lease(lease)) if range == (0..lease.len()) => Ok(lease),
            Ok(owner) => Err(Self { owner: Arc::new(owner), range }),
            Err(owner) => Err(Self { owner, range }),
        }
    }

    /// The bytes of `range` (relative to this view), sharing the same buffer. `None` if out of bounds.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Option<SharedBytes> {
        if range.start > range.end || range.end > self.len() {
            return None;
        }
        let range = self.range.start + range.start..self.range.start + range.end;
        Some(Self { owner: Arc::clone(&self.owner), range })
    }
}

/// Bytes that are not part of the pool and count on no account.
impl From<Vec<u8>> for SharedBytes {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Self { owner: Arc::new(Owner::Vec(bytes)), range }
    }
}

impl Deref for SharedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let all: &[u8] = match &*self.owner {
            Owner::Lease(lease) => lease,
            Owner::Vec(bytes) => bytes,
        };
        &all[self.range.clone()]
    }
}

impl fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = match &*self.owner {
            Owner::Lease(_) => "lease",
            Owner::Vec(_) => "vec",
        };
        write!(f, "SharedBytes({:?} of a {owner})", self.range)
    }
}
