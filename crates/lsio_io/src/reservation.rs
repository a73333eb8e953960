//! A promise of memory.

use std::sync::Arc;

use crate::budget::Account;
use crate::{Lease, Memory, class_size};

/// Bytes of the budget that are promised to somebody. Dropping it gives them back.
#[derive(Debug)]
pub struct Reservation {
    memory: Arc<Memory>,
    request: u64,
    account: Account,
    bytes: u64,
}

impl Reservation {
    /// Bytes that are already booked on `account`.
    pub(crate) fn new(memory: Arc<Memory>, request: u64, account: Account, bytes: u64) -> Self {
        Self { memory, request, account, bytes }
    }

    /// Bytes reserved.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives back all but `bytes`. Does nothing if there are no more than that.
    pub fn shrink_to(&mut self, bytes: u64) {
        if let Some(less) = self.bytes.checked_sub(bytes).filter(|&less| less > 0) {
            self.bytes = bytes;
            self.memory.give_back(self.account, less);
        }
    }

    /// Adds `more` bytes if they are free now and no other request is waiting. Held bytes and the
    /// allowance for metadata (up to [`Memory::SMALL`]) can always grow.
    #[must_use]
    pub fn try_grow(&mut self, more: u64) -> bool {
        let Some(bytes) = self.bytes.checked_add(more) else { return false };
        if self.account == Account::Small && bytes > Memory::SMALL {
            return false;
        }
        let grown = self.memory.grow(self.request, self.account, more);
        if grown {
            self.bytes = bytes;
        }
        grown
    }

    /// Takes `bytes` out of this reservation as one of its own; `None` if it has fewer.
    pub fn split(&mut self, bytes: u64) -> Option<Reservation> {
        (bytes <= self.bytes).then(|| self.take(bytes))
    }

    /// Takes `bytes`, or all there are if they are fewer, out of this reservation as one of its own.
    #[must_use = "dropping it gives the bytes back"]
    pub fn take(&mut self, bytes: u64) -> Reservation {
        let taken = bytes.min(self.bytes);
        self.bytes -= taken;
        Self::new(Arc::clone(&self.memory), self.request, self.account, taken)
    }

    /// Turns `class_size(len)` bytes of this reservation into a buffer of `len` bytes with arbitrary
    /// content; `None` if it has fewer or the system has no memory.
    pub fn lease(&mut self, len: usize) -> Option<Lease> {
        let rest = self.bytes.checked_sub(class_size(len as u64))?;
        let lease = self.memory.lease(self.account, len)?;
        self.bytes = rest;
        Some(lease)
    }

    /// As [`Reservation::lease`], and gives back what is left.
    pub fn lease_all(&mut self, len: usize) -> Option<Lease> {
        let rest = self.bytes.checked_sub(class_size(len as u64))?;
        let lease = self.memory.lease_and_give_back(self.account, len, rest)?;
        self.bytes = 0;
        Some(lease)
    }

    /// Counts these bytes as held by the user from now on (for results that live outside the pool).
    #[must_use = "dropping it gives the bytes back"]
    pub fn into_held(mut self) -> Self {
        if self.account != Account::Held {
            self.memory.hold_reserved(self.account, self.bytes);
            self.account = Account::Held;
        }
        self
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}
