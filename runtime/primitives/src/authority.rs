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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name;

    fn key(last: u8) -> PublicKey {
        let mut point = [2; 33];
        point[32] = last;
        PublicKey::K1(point)
    }

    fn authority() -> Authority {
        Authority {
            threshold: 3,
            keys: vec![KeyWeight { key: key(1), weight: 1 }, KeyWeight { key: key(2), weight: 1 }],
            accounts: vec![PermissionLevelWeight { permission: PermissionLevel::default(), weight: 1 }],
            waits: vec![WaitWeight { wait_sec: 1, weight: 1 }],
        }
    }

    #[test]
    fn validity() {
        let check = |change: fn(&mut Authority), valid: bool| {
            let mut changed = authority();
            change(&mut changed);
            assert_eq!(changed.is_valid(), valid, "{changed:?}");
        };
        check(|_| {}, true);
        check(|a| a.threshold = 4, true);
        check(|a| a.threshold = 5, false);
        check(|a| a.threshold = 0, false);
        check(|a| a.keys.reverse(), false);
        check(|a| a.keys[1] = a.keys[0].clone(), false);
        check(|a| a.accounts.push(a.accounts[0]), false);
        check(|a| a.waits[0].wait_sec = 0, false);
    }

    #[test]
    fn ram_and_json() {
        assert_eq!(authority().billable_ram_bytes(), 2 * (8 + 34) + 24 + 16);
        let level = PermissionLevel { actor: name!("alice"), permission: name!("active") };
        let json = serde_json::to_string(&Authority::of_permission(level)).expect("json");
        let expected = concat!(
            r#"{"threshold":1,"keys":[],"accounts":[{"permission":{"actor":"alice","permission":"active"},"#,
            r#""weight":1}],"waits":[]}"#
        );
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<Authority>(&json).expect("authority"), Authority::of_permission(level));
    }
}
