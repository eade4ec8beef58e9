//! Change capture: marks of rows that changed since the last checkpoint. The list of changed keys belongs to the owner.

/// A number that grows with each checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(u32);

/// The epoch in which a row was last listed as changed. A new row has never been listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp(u32);

impl Default for Epoch {
    fn default() -> Self {
        Self(1)
    }
}

impl Epoch {
    /// Begins the next epoch: every row counts as not yet listed.
    pub fn advance(&mut self) {
        self.0 = self.0.checked_add(1).expect("fewer than 2^32 checkpoints in one run");
    }

    /// Stamps a row; true when it has to be listed now.
    #[inline]
    pub fn list(self, stamp: &mut Stamp) -> bool {
        let first = stamp.0 != self.0;
        stamp.0 = self.0;
        first
    }
}
