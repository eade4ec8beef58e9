//! Change capture: which rows changed since the last checkpoint (are dirty). The keys of these belong to the owner.

/// A number that grows with each checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(u32);

/// The epoch in which a row last became dirty. A new row never did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp(u32);

impl Default for Epoch {
    fn default() -> Self {
        Self(1)
    }
}

impl Epoch {
    /// Begins the next epoch: no row is dirty.
    pub fn advance(&mut self) {
        self.0 = self.0.checked_add(1).expect("fewer than 2^32 checkpoints in one run");
    }

    /// Stamps a row; true when it becomes dirty by this.
    #[inline]
    pub fn stamp(self, stamp: &mut Stamp) -> bool {
        let first = stamp.0 != self.0;
        stamp.0 = self.0;
        first
    }
}
