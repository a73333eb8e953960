//! A buffer with one owner.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::budget::Account;
use crate::region::{Slot, no_bytes};
use crate::{Memory, SharedBytes};

/// A leased buffer, aligned to 4096 bytes. Dropping it returns the slot.
#[derive(Debug)]
pub struct Lease {
    memory: Arc<Memory>,
    /// `None` for a buffer of no bytes.
    slot: Option<Slot>,
    account: Account,
    charged: u64,
    len: usize,
}

impl Lease {
    pub(crate) fn new(
        memory: Arc<Memory>,
        slot: Option<Slot>,
        account: Account,
        charged: u64,
        len: usize,
    ) -> Self {
        debug_assert!(len <= slot.as_ref().map_or(0, |slot| slot.len()));
        Self { memory, slot, account, charged, len }
    }

    /// Counts this buffer as held by the user from now on.
    #[must_use = "dropping it gives the buffer back"]
    pub fn into_held(mut self) -> Self {
        Self::hold_all([&mut self]);
        self
    }

    /// Counts this buffer, if it is a reserved one, as cached from now on: see [`Memory`].
    ///
    /// # Errors
    /// The buffer as it was, if it counts on another account.
    pub fn into_cached(mut self) -> Result<Self, Self> {
        if self.account != Account::Reserved {
            return Err(self);
        }
        self.account = Account::Cached;
        self.memory.move_lease(self.charged, Account::Reserved, Account::Cached);
        Ok(self)
    }

    /// As [`into_held`](Self::into_held) for each of these buffers. Neighbours out of the same memory
    /// are booked together.
    pub fn hold_all<'a>(leases: impl IntoIterator<Item = &'a mut Self>) {
        let mut sum: Option<(Arc<Memory>, Account, u64)> = None;
        for lease in leases.into_iter().filter(|lease| lease.account != Account::Held) {
            let account = std::mem::replace(&mut lease.account, Account::Held);
            let bytes = lease.charged;
            match &mut sum {
                Some((memory, of, sum)) if Arc::ptr_eq(memory, &lease.memory) && *of == account => {
                    *sum += bytes;
                }
                _ => {
                    let next = (Arc::clone(&lease.memory), account, bytes);
                    if let Some((memory, account, bytes)) = sum.replace(next) {
                        memory.move_lease(bytes, account, Account::Held);
                    }
                }
            }
        }
        if let Some((memory, account, bytes)) = sum {
            memory.move_lease(bytes, account, Account::Held);
        }
    }

    /// Shows only the first `len` bytes from now on. Does nothing if there are no more than that.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Makes the buffer immutable and shareable.
    #[must_use]
    pub fn freeze(self) -> SharedBytes {
        SharedBytes::from_lease(self)
    }

    /// Bytes that the buffer is charged: the [`class_size`](crate::class_size) of its first length.
    #[must_use]
    pub fn charged(&self) -> u64 {
        self.charged
    }
}

impl Deref for Lease {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.slot {
            Some(slot) => &slot[..self.len],
            None => no_bytes(),
        }
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.slot {
            Some(slot) => &mut slot[..self.len],
            None => no_bytes(),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.memory.end_lease(self.slot.take(), self.account, self.charged);
    }
}
