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

/// The built-in documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Short waits: what takes days elsewhere takes seconds.
    Dev,
    /// The numbers of EOS.
    Mainnet,
    /// One account and one producer, with EOS' numbers but for the activation.
    Minimal,
}

/// Accounts that a document is given at most.
const ACCOUNTS_MAX: usize = 1000;
/// Producers that a document is given at most: as many as one schedule has, and one account can vote for.
const PRODUCERS_MAX: usize = 21;
/// What names count with.
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"12345";

/// The name of number `at`, counted in `digits` without a zero.
fn named(prefix: &str, at: usize, digits: &[u8]) -> Name {
    let (mut rest, mut ending) = (at + 1, Vec::new());
    while rest > 0 {
        rest -= 1;
        ending.insert(0, digits[rest % digits.len()]);
        rest /= digits.len();
    }
    format!("{prefix}{}", String::from_utf8_lossy(&ending)).parse().unwrap_or_default()
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

    /// The built-in development chain: ten accounts with tokens, stake and RAM, one elected producer, short waits.
    pub fn dev() -> Self {
        Self::preset(Preset::Dev)
    }

    /// A built-in document.
    pub fn preset(preset: Preset) -> Self {
        let text = match preset {
            Preset::Dev => include_str!("../presets/dev.json"),
            Preset::Mainnet => include_str!("../presets/mainnet.json"),
            Preset::Minimal => include_str!("../presets/minimal.json"),
        };
        Self::parse(text).expect("the built-in documents are tested")
    }

    /// Gives it that many accounts: the first ones stay, new ones have what the first one has.
    ///
    /// # Errors
    /// It has no account to begin with, or that are too many.
    pub fn set_accounts(&mut self, count: usize) -> Result<(), GenesisError> {
        let first = self.accounts.first().cloned();
        let first = first.ok_or_else(|| GenesisError::new("--accounts", "the document has no account to follow"))?;
        let too_many = || GenesisError::new("--accounts", format!("{count} are too many: at most {ACCOUNTS_MAX}"));
        let all = (count <= ACCOUNTS_MAX).then_some(()).ok_or_else(too_many);
        all?;
        self.accounts.truncate(count);
        let taken: Vec<Name> = self.accounts.iter().map(|account| account.name).collect();
        let mut names = (0..).map(|at| named("user", at, LETTERS)).filter(|name| !taken.contains(name));
        self.accounts.resize_with(count, || Account {
            name: names.next().unwrap_or_default(),
            key: None,
            ..first.clone()
        });
        Ok(())
    }

    /// Gives it that many producers, and lets every account that votes vote for as many of them as it can.
    ///
    /// # Errors
    /// That are too many for a schedule.
    pub fn set_producers(&mut self, count: usize) -> Result<(), GenesisError> {
        if count > PRODUCERS_MAX {
            return Err(GenesisError::new("--producers", format!("{count} are too many: at most {PRODUCERS_MAX}")));
        }
        self.producers.truncate(count);
        let taken: Vec<Name> = self.producers.iter().map(|producer| producer.name).collect();
        let mut names = (0..).map(|at| named("producer", at, DIGITS)).filter(|name| !taken.contains(name));
        self.producers.resize_with(count, || Producer {
            name: names.next().unwrap_or_default(),
            key: None,
            url: String::new(),
        });
        let votes: Vec<Name> = self.producers.iter().map(|producer| producer.name).collect();
        for account in self.accounts.iter_mut().filter(|account| !account.votes.is_empty()) {
            account.votes.clone_from(&votes);
        }
        Ok(())
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
    fn accounts_and_producers_are_counted() {
        let mut document = Document::dev();
        document.set_accounts(3).expect("few");
        document.set_producers(21).expect("a schedule");
        let names: Vec<_> = document.accounts.iter().map(|account| account.name.to_string()).collect();
        assert_eq!(names, ["alice", "bob", "carol"]);
        assert!(document.accounts.iter().all(|account| account.votes.len() == 21));
        let last = document.producers.last().map(|producer| producer.name.to_string());
        assert_eq!(last.as_deref(), Some("producer41"));
        document.set_accounts(40).expect("some");
        let mut names: Vec<_> = document.accounts.iter().map(|account| account.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 40);
        assert!(document.set_accounts(1001).is_err() && document.set_producers(22).is_err());
        assert_eq!(Document::preset(Preset::Minimal).accounts.len(), 1);
        assert_eq!(Document::preset(Preset::Mainnet).accounts.len(), 10);
    }

    #[test]
    fn a_typo_is_named() {
        let error = Document::parse(r#"{"core_symbol":"4,SYS","maximum_suply":"1.0000 SYS"}"#).expect_err("a typo");
        assert!(error.to_string().contains("maximum_suply"), "{error}");
    }
}
