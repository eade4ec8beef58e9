//! Authorities: who can satisfy a permission, and with what weight.

use codec::{Pack, Unpack};

use crate::{PermissionLevel, PublicKey};

/// A key and its weight.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Pack, Unpack)]
pub struct KeyWeight {
    /// The key.
    pub key: PublicKey,
    /// Its weight.
    pub weight: u16,
}

/// Another account's permission and its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pack, Unpack)]
pub struct PermissionLevelWeight {
    /// The permission.
    pub permission: PermissionLevel,
    /// Its weight.
    pub weight: u16,
}

/// A delay and its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pack, Unpack)]
pub struct WaitWeight {
    /// The delay in seconds.
    pub wait_sec: u32,
    /// Its weight.
    pub weight: u16,
}

/// Keys, permissions and waits whose weights together must reach a threshold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct Authority {
    /// The weight to reach.
    pub threshold: u32,
    /// Keys, strictly ascending.
    pub keys: Vec<KeyWeight>,
    /// Permissions, strictly ascending.
    pub accounts: Vec<PermissionLevelWeight>,
    /// Waits, strictly ascending.
    pub waits: Vec<WaitWeight>,
}
