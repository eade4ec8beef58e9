//! What bounds a conversion: depth, time, and bytes of JSON.

use std::cell::Cell;

use primitives::{Fault, FaultKind};

/// Deepest nesting of a conversion (nodeos: `max_recursion_depth`).
pub const DEPTH_MAX: usize = 32;
/// Where nodeos begins to count.
pub const DEPTH_START: usize = 1;
/// Most bytes that the JSON of a conversion may take: a small row of an unkind ABI could otherwise fill the memory.
pub const OUTPUT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What a step of a conversion counts in a budget: what it takes time is bounded too.
pub(crate) const STEP_BYTES: usize = 16;

/// What the conversions of one request may take together.
#[derive(Debug)]
pub struct Budget {
    bytes_left: Cell<usize>,
}

impl Budget {
    /// A budget of `bytes` of JSON.
    pub fn new(bytes: usize) -> Self {
        Self { bytes_left: Cell::new(bytes) }
    }

    /// Whether nothing is left.
    pub fn is_spent(&self) -> bool {
        self.bytes_left.get() == 0
    }

    /// Takes bytes; a budget that has not enough is spent.
    ///
    /// # Errors
    /// `abi_serialization_deadline_exception` when there are not enough.
    pub fn spend(&self, bytes: usize) -> Result<(), Fault> {
        let left = self.bytes_left.get().checked_sub(bytes);
        self.bytes_left.set(left.unwrap_or_default());
        match left {
            Some(_) => Ok(()),
            None => Err(too_large("the answer's JSON is larger than one answer may be: ask for less at a time")),
        }
    }
}

/// What a conversion ends with that is larger than it may be.
pub(crate) fn too_large(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::ABI_SERIALIZATION_DEADLINE_EXCEPTION, message)
}

/// What bounds a conversion. This crate has no clock: whoever has one says when time is over.
#[derive(Default, Clone, Copy)]
pub struct Limits<'a> {
    /// Asked at every step; `true` ends the conversion.
    pub out_of_time: Option<&'a dyn Fn() -> bool>,
    /// Whether messages name only the last step of the path, with long names cut.
    pub short_path: bool,
    /// Levels that the caller has used up before the conversion begins.
    pub depth_used: usize,
    /// What it shares with other conversions, beside the most that one may take.
    pub budget: Option<&'a Budget>,
}

impl std::fmt::Debug for Limits<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits")
            .field("short_path", &self.short_path)
            .field("depth_used", &self.depth_used)
            .finish_non_exhaustive()
    }
}

impl Limits<'_> {
    /// Checks depth and time.
    pub(crate) fn check(&self, depth: usize) -> Result<(), Fault> {
        if depth >= DEPTH_MAX {
            let message = format!("recursive definition, max_recursion_depth {DEPTH_MAX} ");
            return Err(Fault::new(FaultKind::ABI_RECURSION_DEPTH_EXCEPTION, message));
        }
        match self.out_of_time {
            Some(out_of_time) if out_of_time() => {
                Err(Fault::new(FaultKind::ABI_SERIALIZATION_DEADLINE_EXCEPTION, "serialization time limit exceeded"))
            }
            _ => Ok(()),
        }
    }
}
