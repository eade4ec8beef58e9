//! Account, action, table and permission names: 13 base-32 characters in 64 bits.

use codec::{Pack, Unpack};

/// A name. Compares as its number, as nodeos orders them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pack, Unpack)]
pub struct Name(pub u64);
