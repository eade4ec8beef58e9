//! Token amounts with their symbol.

use codec::{Pack, Unpack};

use crate::Name;

/// Up to seven capital letters, the first in the lowest byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pack, Unpack)]
pub struct SymbolCode(pub u64);

/// Decimal places in the lowest byte, the code above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pack, Unpack)]
pub struct Symbol(pub u64);

/// An amount in the symbol's smallest unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Pack, Unpack)]
pub struct Asset {
    /// The amount; within +-(2^62 - 1) where valid.
    pub amount: i64,
    /// Its symbol.
    pub symbol: Symbol,
}

/// An amount of the token that one contract keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Pack, Unpack)]
pub struct ExtendedAsset {
    /// The amount and symbol.
    pub quantity: Asset,
    /// The token's contract.
    pub contract: Name,
}
