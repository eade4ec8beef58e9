//! The document that describes a new chain's first state.

use primitives::{Asset, Name, PrivateKey, PublicKey, Sha256, Symbol};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::GenesisError;

/// A new chain's first state.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The chain's own token.
    pub core_symbol: Symbol,
    /// The most of it that there may ever be.
    pub maximum_supply: Asset,
    /// What `eosio` issues at once; accounts are funded from it.
    pub initial_supply: Asset,
    /// Parameters of the system contract that differ from the reference (`chain_parameters` of its ABI).
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// Accounts.
    #[serde(default)]
    pub accounts: Vec<Account>,
    /// Producers, registered and voted for.
    #[serde(default)]
    pub producers: Vec<Producer>,
}

/// An account of the first state.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its name.
    pub name: Name,
    /// The key of its owner and active permission.
    pub key: PublicKey,
    /// Tokens it can spend.
    pub balance: Asset,
    /// Tokens staked for it, half for net and half for CPU.
    pub stake: Asset,
    /// RAM bought for it.
    pub ram_bytes: u32,
}

/// A producer of the first schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Producer {
    /// Its account, which is created.
    pub name: Name,
    /// Its block signing key, which is also the account's.
    pub key: PublicKey,
    /// Its page.
    #[serde(default)]
    pub url: String,
}

/// Accounts of the built-in chain.
const DEV_ACCOUNTS: [&str; 10] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];
/// The producer of the built-in chain.
const DEV_PRODUCER: Name = primitives::name!("producer1");

/// The private key of an account of the built-in chain: everybody knows it, as with all development chains.
pub fn dev_key(account: Name) -> PrivateKey {
    let seed = Sha256::of(format!("boreas development key of {account}").as_bytes());
    PrivateKey::k1_from_seed(seed.0).expect("a hash is a secret but for one case in 2^128")
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// What is wrong and in which line.
    pub fn parse(text: &str) -> Result<Self, GenesisError> {
        serde_json::from_str(text).map_err(|error| GenesisError::new("boot document", error))
    }

    /// The built-in development chain: ten accounts with tokens, stake and RAM, one elected producer, refunds after
    /// five seconds.
    pub fn dev() -> Self {
        let mut document = Self::parse(include_str!("../presets/dev.json")).expect("the built-in document is tested");
        let public = |account| dev_key(account).public_key().expect("a development key is valid");
        let asset = |text: &str| text.parse::<Asset>().expect("a constant asset");
        document.accounts = DEV_ACCOUNTS
            .iter()
            .map(|text| Name::new(text))
            .map(|name| Account {
                name,
                key: public(name),
                balance: asset("1000000.0000 SYS"),
                stake: asset("20000.0000 SYS"),
                ram_bytes: 1024 * 1024,
            })
            .collect();
        document.producers =
            vec![Producer { name: DEV_PRODUCER, key: public(DEV_PRODUCER), url: "http://localhost".to_owned() }];
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_document_is_one() {
        let document = Document::dev();
        assert_eq!(document.accounts.len(), 10);
        let text = serde_json::to_string(&document).expect("a document has a JSON form");
        assert_eq!(Document::parse(&text).expect("its own text").producers[0].name, DEV_PRODUCER);
    }

    #[test]
    fn a_typo_is_named() {
        let error = Document::parse(r#"{"core_symbol":"4,SYS","maximum_suply":"1.0000 SYS"}"#).expect_err("a typo");
        assert!(error.to_string().contains("maximum_suply"), "{error}");
    }
}
