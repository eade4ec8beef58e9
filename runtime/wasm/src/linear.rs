//! Where linear memories live: address space reserved once per instance, of which the pages a contract has are
//! accessible. Everything beyond traps by itself, so compiled code needs no bounds checks.

use std::sync::Arc;
use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

/// Bytes of a WASM page.
pub const PAGE: usize = 65_536;
/// Address space of a linear memory.
pub const RESERVATION: usize = 4 << 30;
/// Bytes that a run may have touched up to which they are compared, beyond which they are given back to the system.
const COMPARED_MAX: usize = 1 << 20;
/// Bytes that are compared, and rewritten where they differ, at once.
const CHUNK: usize = 512;

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
        _: usize,
        _: Option<usize>,
        reserved_size_in_bytes: Option<usize>,
        guard_size_in_bytes: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let len = reserved_size_in_bytes.unwrap_or(0).max(RESERVATION) + guard_size_in_bytes;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh anonymous mapping at an address of the system's choice.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(format!("cannot reserve {len} bytes: {}", std::io::Error::last_os_error()));
        }
        Ok(Box::new(Mapping { base: base.cast(), len }))
    }
}

/// A reserved range of addresses.
struct Mapping {
    base: *mut u8,
    len: usize,
}

// SAFETY: the mapping belongs to one instance, which is used by one thread at a time.
unsafe impl Send for Mapping {}
// SAFETY: as above; shared references only give the address.
unsafe impl Sync for Mapping {}

// SAFETY: the address never changes, and the engine sees a memory of no pages: `Pages` decides what is accessible.
unsafe impl LinearMemory for Mapping {
    fn byte_size(&self) -> usize {
        0
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

/// The pages of one instance's memory.
pub struct Pages {
    base: *mut u8,
    /// Accessible pages.
    count: usize,
    /// Pages that may hold something else than zeros, accessible or not.
    used: usize,
}

// SAFETY: belongs to one instance, which is used by one thread at a time.
unsafe impl Send for Pages {}

impl Pages {
    /// No accessible pages of the reserved memory at `base`; null without a memory.
    ///
    /// # Safety
    /// `base` is null or what a [`Creator`] gave to an instance that outlives the result.
    pub unsafe fn new(base: *mut u8) -> Self {
        Self { base, count: 0, used: 0 }
    }

    /// Accessible pages.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The accessible bytes.
    pub fn bytes(&mut self) -> &mut [u8] {
        if self.count == 0 {
            return &mut [];
        }
        // SAFETY: `count` pages from `base` are accessible, and compiled code does not run meanwhile.
        unsafe { std::slice::from_raw_parts_mut(self.base, self.count * PAGE) }
    }

    /// Makes `count` pages accessible; new ones are zero.
    ///
    /// # Errors
    /// The system has no more memory.
    pub fn resize(&mut self, count: usize) -> Result<(), std::io::Error> {
        let old = self.count;
        if count == old {
            return Ok(());
        }
        if count < old {
            self.protect(count, old, libc::PROT_NONE)?;
            self.count = count;
            return Ok(());
        }
        self.protect(old, count, libc::PROT_READ | libc::PROT_WRITE)?;
        self.count = count;
        let dirty = self.used.min(count);
        if dirty > old {
            self.bytes()[old * PAGE..dirty * PAGE].fill(0);
        }
        self.used = self.used.max(count);
        Ok(())
    }

    fn protect(&self, from: usize, to: usize, protection: libc::c_int) -> Result<(), std::io::Error> {
        // SAFETY: a part of the reservation.
        let done = unsafe { libc::mprotect(self.base.add(from * PAGE).cast(), (to - from) * PAGE, protection) };
        if done == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    }

    /// `count` pages that begin with `image` and are zero behind it, whatever a run left there.
    ///
    /// # Errors
    /// The system has no more memory.
    pub fn reset(&mut self, count: usize, image: &[u8]) -> Result<(), std::io::Error> {
        if self.used * PAGE > COMPARED_MAX {
            self.give_back(COMPARED_MAX)?;
        }
        self.resize(self.count.min(count))?;
        let kept = self.count * PAGE;
        restore(&mut self.bytes()[..kept.min(COMPARED_MAX)], image);
        self.resize(count)?;
        let end = image.len().min(self.count * PAGE);
        if end > kept {
            self.bytes()[kept..end].copy_from_slice(&image[kept..end]);
        } else if end > COMPARED_MAX {
            self.bytes()[COMPARED_MAX..end].copy_from_slice(&image[COMPARED_MAX..end]);
        }
        Ok(())
    }

    /// Gives what lies from byte `from` on back to the system; it reads as zeros again.
    fn give_back(&mut self, from: usize) -> Result<(), std::io::Error> {
        let end = self.used * PAGE;
        // SAFETY: a part of the reservation.
        let done = unsafe { libc::madvise(self.base.add(from).cast(), end - from, libc::MADV_DONTNEED) };
        if done != 0 {
            return Err(std::io::Error::last_os_error());
        }
        self.used = self.count.max(from / PAGE).min(self.used);
        Ok(())
    }
}

/// Makes `bytes` equal `image` followed by zeros, and writes only where they differ.
fn restore(bytes: &mut [u8], image: &[u8]) {
    let (front, zeros) = bytes.split_at_mut(image.len().min(bytes.len()).next_multiple_of(CHUNK).min(bytes.len()));
    let whole = image.len().min(front.len());
    let (with_data, tail) = front.split_at_mut(whole);
    for (bytes, image) in with_data.chunks_mut(CHUNK).zip(image.chunks(CHUNK)) {
        if bytes != image {
            bytes.copy_from_slice(image);
        }
    }
    clear(tail);
    clear(zeros);
}

/// Zeroes what is not zero.
fn clear(bytes: &mut [u8]) {
    for chunk in bytes.chunks_mut(CHUNK) {
        if !is_zero(chunk) {
            chunk.fill(0);
        }
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().fold(0, |all, word| all | u64::from_ne_bytes(*word)) == 0 && rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restores_image_and_zeros() {
        for (len, image_len) in [(PAGE, 0), (PAGE, 1), (PAGE, 700), (PAGE, PAGE), (2 * PAGE, PAGE + 5), (0, 10)] {
            let image: Vec<u8> = (0..image_len).map(|index| index as u8 | 1).collect();
            let mut bytes: Vec<u8> = (0..len).map(|index| (index * 7) as u8).collect();
            restore(&mut bytes, &image);
            let kept = image_len.min(len);
            assert_eq!(bytes[..kept], image[..kept]);
            assert!(bytes[kept..].iter().all(|byte| *byte == 0));
        }
    }
}
