//! Byte ranges of one object.

use crate::{Key, StorageError};

/// Which bytes of an object are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ByteRange {
    /// The whole object, however long it is.
    Whole,
    /// `len` bytes from `offset`. An object that ends earlier is truncated: an error.
    Bounded {
        /// First byte.
        offset: u64,
        /// Number of bytes; zero asks for the identity and length only.
        len: u64,
    },
    /// The last `len` bytes. A shorter object is truncated: an error.
    Suffix {
        /// Number of bytes.
        len: u64,
    },
}

impl ByteRange {
    /// `(offset, len)` inside an object of `object_len` bytes.
    ///
    /// # Errors
    /// [`StorageError::Truncated`] where the object ends before the range does.
    pub fn resolve(self, key: &Key, object_len: u64) -> Result<(u64, u64), StorageError> {
        let truncated =
            |expected| StorageError::Truncated { key: key.clone(), expected, actual: object_len };
        match self {
            Self::Whole => Ok((0, object_len)),
            Self::Bounded { offset, len } => match offset.checked_add(len) {
                Some(end) if end <= object_len => Ok((offset, len)),
                end => Err(truncated(end.unwrap_or(u64::MAX))),
            },
            Self::Suffix { len } if len <= object_len => Ok((object_len - len, len)),
            Self::Suffix { len } => Err(truncated(len)),
        }
    }
}
