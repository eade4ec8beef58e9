//! Who may act: authorities of permissions, block signing authorities, producer schedules.

use crate::Record;
use crate::action::PermissionLevel;
use crate::alloc::vec::Vec;
use crate::key::PublicKey;
use crate::name::Name;

/// A key and what it weighs.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub struct KeyWeight {
    /// The key.
    pub key: PublicKey,
    /// What a signature with it adds.
    pub weight: u16,
}

/// Another account's permission and what it weighs.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub struct PermissionLevelWeight {
    /// The permission.
    pub permission: PermissionLevel,
    /// What it adds.
    pub weight: u16,
}

/// A delay and what it weighs.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub struct WaitWeight {
    /// Seconds of delay.
    pub wait_sec: u32,
    /// What having waited adds.
    pub weight: u16,
}

/// What satisfies a permission: enough weight of keys, permissions and delays.
#[derive(Record, Clone, Debug, Default, PartialEq, Eq)]
pub struct Authority {
    /// The weight needed.
    pub threshold: u32,
    /// Keys, in ascending order.
    pub keys: Vec<KeyWeight>,
    /// Permissions, in ascending order.
    pub accounts: Vec<PermissionLevelWeight>,
    /// Delays, in ascending order.
    pub waits: Vec<WaitWeight>,
}

/// The keys that sign a producer's blocks.
#[derive(Record, Clone, Debug, Default, PartialEq, Eq)]
#[abi(name = "block_signing_authority_v0")]
pub struct BlockSigningAuthorityV0 {
    /// The weight needed.
    pub threshold: u32,
    /// The keys.
    pub keys: Vec<KeyWeight>,
}

impl BlockSigningAuthorityV0 {
    /// No key twice, a threshold above zero, and keys enough to reach it.
    pub fn is_valid(&self) -> bool {
        let weight = self.keys.iter().fold(0u32, |sum, key| sum.saturating_add(u32::from(key.weight)));
        let twice = self
            .keys
            .iter()
            .enumerate()
            .any(|(at, key)| self.keys.iter().skip(at + 1).any(|other| other.key == key.key));
        !twice && self.threshold > 0 && weight >= self.threshold
    }
}

/// How a producer's blocks are signed.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
#[abi(name = "variant_block_signing_authority_v0", alias = "block_signing_authority")]
pub enum BlockSigningAuthority {
    /// The only form there is.
    V0(BlockSigningAuthorityV0),
}

impl BlockSigningAuthority {
    /// One key alone.
    pub fn single(key: PublicKey) -> Self {
        Self::V0(BlockSigningAuthorityV0 { threshold: 1, keys: Vec::from([KeyWeight { key, weight: 1 }]) })
    }

    /// The keys and the threshold.
    pub fn v0(&self) -> &BlockSigningAuthorityV0 {
        let Self::V0(authority) = self;
        authority
    }
}

/// A producer and how it signs.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub struct ProducerAuthority {
    /// The producer.
    pub producer_name: Name,
    /// Its keys.
    pub authority: BlockSigningAuthority,
}

/// A producer with one key: the schedule entry of old block headers.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub struct ProducerKey {
    /// The producer.
    pub producer_name: Name,
    /// Its key.
    pub block_signing_key: PublicKey,
}

/// A schedule as old block headers carry it.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub struct ProducerSchedule {
    /// Counts up with every new schedule.
    pub version: u32,
    /// Who produces.
    pub producers: Vec<ProducerKey>,
}
