//! Producer schedules, in the legacy form (one key each) and with signing authorities.

use codec::{Pack, Unpack};

use crate::{KeyWeight, Name, PublicKey};

/// A producer and its one key.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct ProducerKey {
    /// The producer.
    pub producer_name: Name,
    /// Its block signing key.
    pub block_signing_key: PublicKey,
}

/// A schedule as headers carry it before WTMSIG_BLOCK_SIGNATURES.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct LegacySchedule {
    /// Counts schedules from 0.
    pub version: u32,
    /// The producers in turn.
    pub producers: Vec<ProducerKey>,
}

/// Who signs a producer's blocks: a static variant with one case today.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub enum BlockSigningAuthority {
    /// Weighted keys.
    V0 {
        /// The weight to reach.
        threshold: u32,
        /// Keys, strictly ascending.
        keys: Vec<KeyWeight>,
    },
}

/// A producer and its signing authority.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct ProducerAuthority {
    /// The producer.
    pub producer_name: Name,
    /// Who signs its blocks.
    pub authority: BlockSigningAuthority,
}

/// A schedule with signing authorities.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct ProducerSchedule {
    /// Counts schedules from 0.
    pub version: u32,
    /// The producers in turn.
    pub producers: Vec<ProducerAuthority>,
}
