//! Where packed values go: a growing run of bytes.
//!
//! Not a `Vec`: the standard library's way of reporting that memory is out brings its formatting along, which is larger
//! than a small contract. The SDK's allocator fails the action by itself.

use crate::alloc::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use crate::fail::{OUT_OF_MEMORY, check};
use core::ops::Deref;

/// Bytes being written.
pub struct Writer {
    start: *mut u8,
    length: usize,
    capacity: usize,
}

/// Bytes a writer begins with: most rows and calls fit.
const FIRST_CAPACITY: usize = 128;

/// Bytes a writer may ask for: what a block of memory may be at most.
const CAPACITY_MAX: usize = isize::MAX as usize;

fn layout(capacity: usize) -> Layout {
    // SAFETY: an alignment of 1 is a power of two; whoever sets a capacity has held it against `CAPACITY_MAX`.
    unsafe { Layout::from_size_align_unchecked(capacity, 1) }
}

/// The allocator of a contract never gives null; on the build machine that has to be asked.
fn given(block: *mut u8, capacity: usize) -> *mut u8 {
    if cfg!(not(target_arch = "wasm32")) && block.is_null() {
        handle_alloc_error(layout(capacity));
    }
    block
}

impl Writer {
    /// Nothing written yet.
    pub fn new() -> Self {
        Self::with_capacity(FIRST_CAPACITY)
    }

    /// Nothing written yet, and room for at least `capacity` bytes (more than 0).
    pub fn with_capacity(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        check(capacity <= CAPACITY_MAX, OUT_OF_MEMORY);
        // SAFETY: the layout is not empty.
        let start = given(unsafe { alloc(layout(capacity)) }, capacity);
        Self { start, length: 0, capacity }
    }

    /// Makes room for `more` bytes.
    #[inline(never)]
    fn reserve(&mut self, more: usize) {
        // Not more than two of `CAPACITY_MAX`: a length is at most one, and so is what a slice or a host may have.
        let needed = self.length.saturating_add(more);
        if needed > self.capacity {
            check(needed <= CAPACITY_MAX, OUT_OF_MEMORY);
            let capacity = needed.max(self.capacity.saturating_mul(2).min(CAPACITY_MAX));
            // SAFETY: the block came from this allocator with this layout; the new size is not 0.
            self.start = given(unsafe { realloc(self.start, layout(self.capacity), capacity) }, capacity);
            self.capacity = capacity;
        }
    }

    /// Appends one byte.
    pub fn push(&mut self, byte: u8) {
        self.extend_from_slice(&[byte]);
    }

    /// Appends bytes.
    #[inline]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        // SAFETY: there is room, made above; the slice cannot overlap a block that is borrowed mutably.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.add(self.length), bytes.len()) };
        self.length += bytes.len();
    }

    /// Lets `fill` write up to `capacity` bytes at the end.
    ///
    /// # Safety
    /// `fill` gets the start of the room and must say truthfully how many bytes of it it wrote.
    pub unsafe fn fill(&mut self, capacity: usize, fill: impl FnOnce(*mut u8) -> usize) {
        self.reserve(capacity);
        // SAFETY: there is room, made above.
        self.length += fill(unsafe { self.start.add(self.length) });
    }

    /// The bytes, never freed: they live as long as the action.
    pub fn leak(self) -> &'static [u8] {
        // SAFETY: `length` bytes are written, and forgetting the writer keeps them.
        let bytes = unsafe { core::slice::from_raw_parts(self.start, self.length) };
        core::mem::forget(self);
        bytes
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Writer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: `length` bytes are written.
        unsafe { core::slice::from_raw_parts(self.start, self.length) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // SAFETY: the block came from this allocator with this layout.
        unsafe { dealloc(self.start, layout(self.capacity)) }
    }
}
