//! How much memory some work takes, as far as the allocator of Rust knows of it.

use std::cell::Cell;

thread_local! {
    /// Bytes that this thread has taken and not given back; below 0 where it gave back those of others.
    static TAKEN: Cell<isize> = const { Cell::new(0) };
    /// Most of them since somebody asked.
    static MOST: Cell<isize> = const { Cell::new(0) };
}

/// Counts that `before` bytes of this thread became `after` bytes.
pub(crate) fn count(before: usize, after: usize) {
    // A thread that ends frees what it had after its counters are gone.
    let counted = TAKEN.try_with(|taken| {
        taken.set(taken.get() + after.cast_signed() - before.cast_signed());
        taken.get()
    });
    if let Ok(taken) = counted {
        let _ = MOST.try_with(|most| most.set(most.get().max(taken)));
    }
}

/// What the work gives, and most bytes that this thread held meanwhile beyond what it held before.
pub(crate) fn most_during<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = TAKEN.get();
    MOST.set(before);
    let result = work();
    (result, (MOST.get() - before).max(0).cast_unsigned() as u64)
}
