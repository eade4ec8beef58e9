//! Producer schedules, in the legacy form (one key each) and with signing authorities.

use codec::{Pack, Unpack};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Checksum256, KeyWeight, Name, PublicKey, Sha256};

/// A producer and its one key.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct ProducerKey {
    /// The producer.
    pub producer_name: Name,
    /// Its block signing key.
    pub block_signing_key: PublicKey,
}

/// A schedule as headers carry it before WTMSIG_BLOCK_SIGNATURES.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
pub struct LegacySchedule {
    /// Counts schedules from 0.
    #[serde(with = "crate::json::integer")]
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
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct ProducerAuthority {
    /// The producer.
    pub producer_name: Name,
    /// Who signs its blocks.
    pub authority: BlockSigningAuthority,
}

/// A schedule with signing authorities.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
pub struct ProducerSchedule {
    /// Counts schedules from 0.
    #[serde(with = "crate::json::integer")]
    pub version: u32,
    /// The producers in turn.
    pub producers: Vec<ProducerAuthority>,
}

impl LegacySchedule {
    /// What signed blocks commit to before WTMSIG_BLOCK_SIGNATURES.
    pub fn hash(&self) -> Checksum256 {
        Sha256::packed(self)
    }
}

impl BlockSigningAuthority {
    /// One key that suffices.
    pub fn of_key(key: PublicKey) -> Self {
        Self::V0 { threshold: 1, keys: vec![KeyWeight { key, weight: 1 }] }
    }

    /// The weight to reach.
    pub fn threshold(&self) -> u32 {
        let Self::V0 { threshold, .. } = self;
        *threshold
    }

    /// The weighted keys.
    pub fn keys(&self) -> &[KeyWeight] {
        let Self::V0 { keys, .. } = self;
        keys
    }

    /// Whether `presented` keys reach the threshold, and how many of them count
    /// (nodeos: `keys_satisfy_and_relevant`). Each key is to be presented once.
    pub fn satisfied_by(&self, presented: &[PublicKey]) -> (bool, usize) {
        let Self::V0 { threshold, keys } = self;
        let (mut weight, mut relevant) = (0u32, 0);
        for factor in keys.iter().filter(|factor| presented.contains(&factor.key)) {
            relevant += 1;
            if weight < *threshold {
                weight = weight.saturating_add(u32::from(factor.weight));
            }
        }
        (weight >= *threshold, relevant)
    }

    /// Whether keys are strictly ascending and the threshold is neither zero nor out of reach
    /// (nodeos: `validate(authority)` over the authority's factors).
    pub fn is_valid(&self) -> bool {
        let Self::V0 { threshold, keys } = self;
        crate::Authority { threshold: *threshold, keys: keys.clone(), ..Default::default() }.is_valid()
    }
}

impl ProducerSchedule {
    /// What signed blocks commit to since WTMSIG_BLOCK_SIGNATURES.
    pub fn hash(&self) -> Checksum256 {
        Sha256::packed(self)
    }

    /// The legacy form: each producer's first key.
    pub fn to_legacy(&self) -> LegacySchedule {
        let first_key = |producer: &ProducerAuthority| ProducerKey {
            producer_name: producer.producer_name,
            block_signing_key: producer.authority.keys().first().map(|key| key.key.clone()).unwrap_or_default(),
        };
        LegacySchedule { version: self.version, producers: self.producers.iter().map(first_key).collect() }
    }

    /// The entry of a producer.
    pub fn authority_of(&self, producer: Name) -> Option<&BlockSigningAuthority> {
        self.producers.iter().find(|entry| entry.producer_name == producer).map(|entry| &entry.authority)
    }
}

impl From<&LegacySchedule> for ProducerSchedule {
    fn from(legacy: &LegacySchedule) -> Self {
        let producers = legacy.producers.iter().map(|producer| ProducerAuthority {
            producer_name: producer.producer_name,
            authority: BlockSigningAuthority::of_key(producer.block_signing_key.clone()),
        });
        Self { version: legacy.version, producers: producers.collect() }
    }
}

/// The fields of [`BlockSigningAuthority::V0`] in JSON.
#[derive(Serialize, Deserialize)]
struct V0<Keys> {
    #[serde(with = "crate::json::integer")]
    threshold: u32,
    keys: Keys,
}

impl Serialize for BlockSigningAuthority {
    /// `[0, {"threshold": 1, "keys": []}]`, as fc prints static variants.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (0, V0 { threshold: self.threshold(), keys: self.keys() }).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for BlockSigningAuthority {
    /// Also takes the form that contracts use: `["block_signing_authority_v0", {}]`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Case {
            Index(u32),
            Name(String),
        }
        let (case, V0 { threshold, keys }) = Deserialize::deserialize(deserializer)?;
        match case {
            Case::Index(0) => {}
            Case::Name(name) if name == "block_signing_authority_v0" => {}
            _ => return Err(D::Error::custom("unknown kind of block signing authority")),
        }
        Ok(Self::V0 { threshold, keys })
    }
}
