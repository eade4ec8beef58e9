//! A contract's linear memory as host functions see it.

use crate::fault::access_violation;
use primitives::Fault;

/// Bytes whose writing is noted together.
pub const CHUNK: usize = 1024;

/// The accessible bytes of a running contract's linear memory.
///
/// Host functions get one beside their typed arguments. Arguments are checked before the function runs, so the
/// accessors of argument types do not fail; raw addresses go through [`Memory::get`] and [`Memory::get_mut`].
pub struct Memory<'a> {
    bytes: &'a mut [u8],
    /// One byte per chunk: whether it was written to since the run began.
    written: &'a mut [u8],
    /// Whether the module has a memory at all.
    defined: bool,
}

impl<'a> Memory<'a> {
    /// A view of `bytes` with a note per chunk; `defined` says whether the module declares a memory.
    pub(crate) fn new(bytes: &'a mut [u8], written: &'a mut [u8], defined: bool) -> Self {
        Self { bytes, written, defined }
    }

    /// Copies within the memory, overlapping or not.
    ///
    /// # Errors
    /// As [`Memory::get`].
    pub fn copy_within(&mut self, from: u32, to: u32, len: u32) -> Result<(), Fault> {
        self.check(from, len)?;
        self.get_mut(to, len)?;
        if len != 0 {
            self.bytes.copy_within(from as usize..from as usize + len as usize, to as usize);
        }
        Ok(())
    }

    fn note(&mut self, at: usize, end: usize) {
        for note in self.written.iter_mut().take(end.div_ceil(CHUNK)).skip(at / CHUNK) {
            *note = 1;
        }
    }

    /// `len` bytes at `at`.
    ///
    /// # Errors
    /// "access violation" where nodeos reports one (see [`Memory::check`]).
    pub fn get(&self, at: u32, len: u32) -> Result<&[u8], Fault> {
        self.check(at, len)?;
        Ok(self.region(at, u64::from(len)))
    }

    /// `len` bytes at `at`, to write.
    ///
    /// # Errors
    /// As [`Memory::get`].
    pub fn get_mut(&mut self, at: u32, len: u32) -> Result<&mut [u8], Fault> {
        self.check(at, len)?;
        Ok(self.region_mut(at, u64::from(len)))
    }

    /// eos-vm's rule (execution_interface.hpp): the last byte must be readable. An empty range at `at` therefore
    /// needs the byte before it, and an empty range at 0 is fine.
    pub(crate) fn check(&self, at: u32, len: u32) -> Result<(), Fault> {
        self.check_bytes(at, u64::from(len))
    }

    pub(crate) fn check_bytes(&self, at: u32, len: u64) -> Result<(), Fault> {
        if u64::from(at) + len <= self.bytes.len() as u64 && self.defined { Ok(()) } else { Err(access_violation()) }
    }

    /// Length of the text at `at` up to its zero byte.
    pub(crate) fn text_len(&self, at: u32) -> Result<u32, Fault> {
        let tail = self.bytes.get(at as usize..).ok_or_else(access_violation)?;
        let len = tail.iter().position(|byte| *byte == 0).ok_or_else(access_violation)?;
        Ok(len as u32)
    }

    /// A checked region; an empty one may lie anywhere.
    pub(crate) fn region(&self, at: u32, len: u64) -> &[u8] {
        if len == 0 {
            return &[];
        }
        self.bytes.get(at as usize..(u64::from(at) + len) as usize).expect("checked when the argument was taken")
    }

    pub(crate) fn region_mut(&mut self, at: u32, len: u64) -> &mut [u8] {
        if len == 0 {
            return &mut [];
        }
        let (at, end) = (at as usize, (u64::from(at) + len) as usize);
        self.note(at, end);
        self.bytes.get_mut(at..end).expect("checked when the argument was taken")
    }
}
