//! Where linear memories live: address space reserved once per instance, of which the pages a contract has are
//! accessible. Everything beyond traps by itself, so compiled code needs no bounds checks.

use crate::memory::CHUNK;
use std::sync::Arc;
use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

/// Bytes of a WASM page.
pub const PAGE: usize = 65_536;
/// Address space of a linear memory.
pub const RESERVATION: usize = 4 << 30;
/// Bytes of the notes about all of a memory's chunks.
pub const NOTES: usize = RESERVATION / CHUNK;
/// Chunks of a page.
const CHUNKS: usize = PAGE / CHUNK;
/// A store that begins in one chunk may end this many bytes into the next one, which is not noted.
const SPILL: usize = 8;
/// Pages that are cleared one by one when a run took them, rather than given back to the system.
const KEPT_PAGES: usize = 16;

/// Gives each instance its reserved memory.
pub struct Creator;

impl Creator {
    /// As the engine's configuration wants it.
    pub fn shared() -> Arc<dyn MemoryCreator> {
        Arc::new(Self)
    }
}

// SAFETY: `new_memory` reserves what it is asked for and nobody else touches it while the instance lives.
unsafe impl MemoryCreator for Creator {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        _: Option<usize>,
        reserved_size_in_bytes: Option<usize>,
        guard_size_in_bytes: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let len = reserved_size_in_bytes.unwrap_or(0).max(RESERVATION) + guard_size_in_bytes;
        Ok(Box::new(Mapping::new(len, minimum)?))
    }
}

/// A reserved range of addresses, of which the engine knows the first `size` bytes.
pub struct Mapping {
    base: *mut u8,
    len: usize,
    size: usize,
}

impl Mapping {
    /// `len` bytes of address space, the first `size` of them accessible.
    ///
    /// # Errors
    /// What the system does not give.
    pub fn new(len: usize, size: usize) -> Result<Self, String> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh anonymous mapping at an address of the system's choice.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(format!("cannot reserve {len} bytes: {}", std::io::Error::last_os_error()));
        }
        let mapping = Self { base: base.cast(), len, size };
        // SAFETY: a part of the reservation.
        if unsafe { libc::mprotect(base, size, libc::PROT_READ | libc::PROT_WRITE) } != 0 {
            return Err(format!("cannot use {size} bytes: {}", std::io::Error::last_os_error()));
        }
        Ok(mapping)
    }

    /// Its first address.
    pub fn base(&self) -> *mut u8 {
        self.base
    }
}

// SAFETY: the mapping belongs to one instance, which is used by one thread at a time.
unsafe impl Send for Mapping {}
// SAFETY: as above; shared references only give the address.
unsafe impl Sync for Mapping {}

// SAFETY: the address never changes. The engine sees contracts' memories without pages: `Pages` decides what is
// accessible. The notes have their size from the beginning.
unsafe impl LinearMemory for Mapping {
    fn byte_size(&self) -> usize {
        self.size
    }
    fn byte_capacity(&self) -> usize {
        RESERVATION
    }
    fn grow_to(&mut self, _: usize) -> wasmtime::Result<()> {
        wasmtime::bail!("linear memories grow by the host alone")
    }
    fn as_ptr(&self) -> *mut u8 {
        self.base
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `new_memory`, not used after the instance is gone.
        unsafe { libc::munmap(self.base.cast(), self.len) };
    }
}

/// The pages of one instance's memory, and which chunks of them were written to.
///
/// Compiled code and host functions note each chunk they write to. A chunk without a note is as it was at the
/// beginning: as the image says, or zero. Pages that are not accessible are zero.
pub struct Pages {
    base: *mut u8,
    notes: *mut u8,
    /// Accessible pages.
    count: usize,
    /// Whether a run ever began.
    begun: bool,
}

// SAFETY: belongs to one instance, which is used by one thread at a time.
unsafe impl Send for Pages {}

impl Pages {
    /// No accessible pages of the reserved memory at `base`; null without a memory.
    ///
    /// # Safety
    /// Both are null, or what a [`Creator`] gave to an instance that outlives the result: a memory, and one of
    /// [`NOTES`] accessible bytes.
    pub unsafe fn new(base: *mut u8, notes: *mut u8) -> Self {
        Self { base, notes, count: 0, begun: false }
    }

    /// Accessible pages.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The accessible bytes and the notes about their chunks.
    pub fn parts(&mut self) -> (&mut [u8], &mut [u8]) {
        if self.count == 0 {
            return (&mut [], &mut []);
        }
        // SAFETY: `count` pages from `base` are accessible, all notes are, and compiled code does not run meanwhile.
        unsafe {
            let bytes = std::slice::from_raw_parts_mut(self.base, self.count * PAGE);
            (bytes, std::slice::from_raw_parts_mut(self.notes, self.count * CHUNKS))
        }
    }

    /// Makes `count` pages accessible; new ones are zero. `image_len` bytes would be something else in a new run.
    ///
    /// # Errors
    /// The system has no more memory.
    pub fn resize(&mut self, count: usize, image_len: usize) -> Result<(), std::io::Error> {
        let old = self.count;
        if count > old {
            self.protect(old, count, libc::PROT_READ | libc::PROT_WRITE)?;
        } else if count < old {
            self.clear_from(count, image_len)?;
            self.protect(count, old, libc::PROT_NONE)?;
        }
        self.count = count;
        Ok(())
    }

    /// Zeroes the pages from `page` on, before they go.
    fn clear_from(&mut self, page: usize, image_len: usize) -> Result<(), std::io::Error> {
        let pages = self.count - page;
        if pages > KEPT_PAGES {
            // SAFETY: a part of the reservation; it reads as zeros afterwards.
            let done = unsafe { libc::madvise(self.base.add(page * PAGE).cast(), pages * PAGE, libc::MADV_DONTNEED) };
            if done != 0 {
                return Err(std::io::Error::last_os_error());
            }
        }
        let (bytes, notes) = self.parts();
        bytes[page * PAGE..][..SPILL].fill(0);
        for (index, note) in notes.iter_mut().enumerate().skip(page * CHUNKS) {
            let at = index * CHUNK;
            if pages <= KEPT_PAGES && (*note != 0 || at < image_len) {
                let end = (at + CHUNK + SPILL).min(bytes.len());
                bytes[at..end].fill(0);
            }
            *note = u8::from(at < image_len);
        }
        Ok(())
    }

    fn protect(&self, from: usize, to: usize, protection: libc::c_int) -> Result<(), std::io::Error> {
        // SAFETY: a part of the reservation.
        let done = unsafe { libc::mprotect(self.base.add(from * PAGE).cast(), (to - from) * PAGE, protection) };
        if done == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    }

    /// Bytes of memory that stay between runs, at most.
    pub fn kept_bytes(&self) -> usize {
        self.count.min(2 * KEPT_PAGES) * PAGE
    }

    /// After a run: gives memory back to the system that a run which writes much would keep. `image_len` bytes are
    /// something else in a new run.
    pub fn give_back(&mut self, image_len: usize) {
        if self.count <= KEPT_PAGES {
            return;
        }
        let (_, notes) = self.parts();
        let written = notes.iter().skip(KEPT_PAGES * CHUNKS).any(|note| *note != 0);
        if written {
            // What cannot be given back now is cleared by the next run.
            let _ = self.clear_from(KEPT_PAGES, image_len);
        }
    }

    /// `count` pages that begin with `image` and are zero behind it, whatever a run left there.
    ///
    /// # Errors
    /// The system has no more memory.
    pub fn reset(&mut self, count: usize, image: &[u8]) -> Result<(), std::io::Error> {
        self.resize(count, image.len())?;
        let begun = std::mem::replace(&mut self.begun, true);
        let (bytes, notes) = self.parts();
        if !begun {
            notes.iter_mut().take(image.len().div_ceil(CHUNK)).for_each(|note| *note = 1);
        }
        let (groups, _) = notes.as_chunks_mut::<8>();
        for (group, notes) in groups.iter_mut().enumerate() {
            if *notes == [0; 8] {
                continue;
            }
            for (index, note) in notes.iter_mut().enumerate().filter(|(_, note)| **note != 0) {
                restore(bytes, image, (group * 8 + index) * CHUNK);
                *note = 0;
            }
        }
        Ok(())
    }
}

/// Makes the chunk at `at` what it is at the beginning, with what a store may have spilled behind it.
fn restore(bytes: &mut [u8], image: &[u8], at: usize) {
    let end = (at + CHUNK + SPILL).min(bytes.len());
    let data = at.max(end.min(image.len()));
    if data > at {
        bytes[at..data].copy_from_slice(&image[at..data]);
    }
    bytes[data..end].fill(0);
}
