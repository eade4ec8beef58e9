//! Authorities: who can satisfy a permission, and with what weight.

use codec::{Pack, Unpack};
use serde::{Deserialize, Serialize};

use crate::{PermissionLevel, PublicKey};

/// A key and its weight.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Pack, Unpack, Serialize, Deserialize)]
pub struct KeyWeight {
    /// The key.
    pub key: PublicKey,
    /// Its weight.
    #[serde(with = "crate::json::integer")]
    pub weight: u16,
}

/// Another account's permission and its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pack, Unpack, Serialize, Deserialize)]
pub struct PermissionLevelWeight {
    /// The permission.
    pub permission: PermissionLevel,
    /// Its weight.
    #[serde(with = "crate::json::integer")]
    pub weight: u16,
}

/// A delay and its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pack, Unpack, Serialize, Deserialize)]
pub struct WaitWeight {
    /// The delay in seconds.
    #[serde(with = "crate::json::integer")]
    pub wait_sec: u32,
    /// Its weight.
    #[serde(with = "crate::json::integer")]
    pub weight: u16,
}

/// Keys, permissions and waits whose weights together must reach a threshold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct Authority {
    /// The weight to reach.
    #[serde(with = "crate::json::integer")]
    pub threshold: u32,
    /// Keys, strictly ascending.
    pub keys: Vec<KeyWeight>,
    /// Permissions, strictly ascending.
    pub accounts: Vec<PermissionLevelWeight>,
    /// Waits, strictly ascending.
    pub waits: Vec<WaitWeight>,
}

/// Most keys, accounts and waits of an authority.
const FACTORS_MAX: usize = 1 << 16;
/// RAM bytes of a key beside its packed form, of a permission and of a wait (nodeos: `authority.hpp`).
const KEY_RAM_BYTES: u64 = 8;
const PERMISSION_RAM_BYTES: u64 = 24;
const WAIT_RAM_BYTES: u64 = 16;

impl Authority {
    /// One key that suffices.
    pub fn of_key(key: PublicKey) -> Self {
        Self { threshold: 1, keys: vec![KeyWeight { key, weight: 1 }], ..Self::default() }
    }

    /// One permission that suffices.
    pub fn of_permission(permission: PermissionLevel) -> Self {
        Self { threshold: 1, accounts: vec![PermissionLevelWeight { permission, weight: 1 }], ..Self::default() }
    }

    /// Whether everything is strictly ascending, no wait is zero, and the threshold is neither zero nor out of reach
    /// (nodeos: `validate(authority)`).
    pub fn is_valid(&self) -> bool {
        let ascending = self.keys.is_sorted_by(|a, b| a.key < b.key)
            && self.accounts.is_sorted_by(|a, b| a.permission < b.permission)
            && self.waits.is_sorted_by(|a, b| a.wait_sec < b.wait_sec)
            && self.waits.first().is_none_or(|wait| wait.wait_sec > 0);
        // At most 2^16 weights of 16 bits: the sum fits 32 bits.
        self.keys.len() + self.accounts.len() + self.waits.len() <= FACTORS_MAX
            && self.threshold > 0
            && ascending
            && self.weights().sum::<u64>() >= u64::from(self.threshold)
    }

    fn weights(&self) -> impl Iterator<Item = u64> + '_ {
        let keys = self.keys.iter().map(|factor| factor.weight);
        let accounts = self.accounts.iter().map(|factor| factor.weight);
        let waits = self.waits.iter().map(|factor| factor.weight);
        keys.chain(accounts).chain(waits).map(u64::from)
    }

    /// Sorts keys, permissions and waits.
    pub fn sort(&mut self) {
        self.keys.sort();
        self.accounts.sort();
        self.waits.sort();
    }

    /// RAM that keys, permissions and waits are billed for, without the fixed part of a permission
    /// (nodeos: `shared_authority::get_billable_size`).
    pub fn billable_ram_bytes(&self) -> u64 {
        let keys: u64 = self.keys.iter().map(|factor| KEY_RAM_BYTES + factor.key.packed_size() as u64).sum();
        keys + PERMISSION_RAM_BYTES * self.accounts.len() as u64 + WAIT_RAM_BYTES * self.waits.len() as u64
    }
}
