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
    /// The key of its owner and active permission; left out, it is the account's [`dev_key`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PublicKey>,
    /// Tokens it can spend.
    pub balance: Asset,
    /// Tokens staked for it, half for net and half for CPU.
    pub stake: Asset,
    /// RAM bought for it.
    pub ram_bytes: u32,
    /// Producers that it votes for; where no account votes, the producers elect themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<Name>,
}

/// A producer of the first schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Producer {
    /// Its account, which is created.
    pub name: Name,
    /// Its block signing key, which is also the account's; left out, it is the account's [`dev_key`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PublicKey>,
    /// Its page.
    #[serde(default)]
    pub url: String,
}

/// The private key of an account for which the document names none: everybody knows it, as with all development
/// chains.
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
        Self::parse(include_str!("../presets/dev.json")).expect("the built-in document is tested")
    }
}

impl Account {
    /// The key of its owner and active permission.
    pub fn public_key(&self) -> PublicKey {
        key_or_dev(self.key.as_ref(), self.name)
    }
}

impl Producer {
    /// Its block signing key.
    pub fn public_key(&self) -> PublicKey {
        key_or_dev(self.key.as_ref(), self.name)
    }
}

fn key_or_dev(key: Option<&PublicKey>, account: Name) -> PublicKey {
    key.cloned().unwrap_or_else(|| dev_key(account).public_key().expect("a development key is valid"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_document_is_one() {
        let document = Document::dev();
        assert_eq!(document.accounts.len(), 10);
        let text = serde_json::to_string(&document).expect("a document has a JSON form");
        assert_eq!(Document::parse(&text).expect("its own text").producers[0].name, document.producers[0].name);
    }

    #[test]
    fn a_typo_is_named() {
        let error = Document::parse(r#"{"core_symbol":"4,SYS","maximum_suply":"1.0000 SYS"}"#).expect_err("a typo");
        assert!(error.to_string().contains("maximum_suply"), "{error}");
    }
}
