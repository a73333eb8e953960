//! The system's allocator, which counts for each thread what it has taken.
#![expect(unsafe_code, reason = "allocators are an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};

use crate::allocation::count;

/// The system's allocator, which counts for each thread what it has taken. A test declares it as its
/// `#[global_allocator]`.
#[derive(Debug)]
pub struct CountingAllocator;

// SAFETY: every call is passed on to `System` as it is; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        // SAFETY: the caller keeps the contract of this method, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(layout.size(), 0);
        // SAFETY: as in `alloc`; `memory` is from `System`, since every method takes it from there.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(layout.size(), new_size);
        // SAFETY: as in `dealloc`.
        unsafe { System.realloc(memory, layout, new_size) }
    }
}
