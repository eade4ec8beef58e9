//! The heap of a contract: a bump allocator over the module's own memory.
//!
//! An action runs for microseconds in a fresh instance, so nothing is ever returned except the newest block: that alone
//! makes growing vectors and short-lived buffers free.

#[cfg(target_arch = "wasm32")]
mod bump {
    use core::alloc::{GlobalAlloc, Layout};
    use core::cell::Cell;

    use crate::fail::{OUT_OF_MEMORY, fail};

    const PAGE: usize = 65_536;

    struct Bump {
        top: Cell<usize>,
        end: Cell<usize>,
    }

    // SAFETY: a contract runs on one thread.
    unsafe impl Sync for Bump {}

    #[global_allocator]
    static HEAP: Bump = Bump { top: Cell::new(0), end: Cell::new(0) };

    unsafe extern "C" {
        static __heap_base: u8;
    }

    impl Bump {
        /// Gives the block from `start`, asking for pages when the memory ends before it does.
        ///
        /// Never gives null: without memory the action fails. The compiler is told so and leaves the standard library's
        /// way of reporting it (with all of its formatting) out of the module.
        fn take(&self, start: usize, size: usize) -> *mut u8 {
            let new_top = start.wrapping_add(size);
            if new_top < start {
                fail(OUT_OF_MEMORY);
            }
            if new_top > self.end.get() {
                let missing = (new_top - self.end.get()).div_ceil(PAGE);
                if core::arch::wasm32::memory_grow(0, missing) == usize::MAX {
                    fail(OUT_OF_MEMORY);
                }
                self.end.set(core::arch::wasm32::memory_size(0) * PAGE);
            }
            self.top.set(new_top);
            // SAFETY: the heap begins after the stack, above address 0.
            unsafe { core::hint::assert_unchecked(start != 0) };
            start as *mut u8
        }
    }

    // SAFETY: blocks never overlap: every block starts at or above the previous top.
    unsafe impl GlobalAlloc for Bump {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            if self.end.get() == 0 {
                self.end.set(core::arch::wasm32::memory_size(0) * PAGE);
                self.top.set(&raw const __heap_base as usize);
            }
            let start = self.top.get().wrapping_add(layout.align() - 1) & !(layout.align() - 1);
            self.take(start, layout.size())
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            if block as usize + layout.size() == self.top.get() {
                self.top.set(block as usize);
            }
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
            if block as usize + layout.size() == self.top.get() {
                return self.take(block as usize, new_size);
            }
            // SAFETY: the caller vouches for `layout` and `new_size`, as `realloc` demands.
            unsafe {
                let moved = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
                core::ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
                moved
            }
        }
    }
}
