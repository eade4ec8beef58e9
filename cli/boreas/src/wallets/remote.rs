//! What is asked of wallets, of files or of a keosd.

use std::time::Duration;

use anyhow::bail;
use client::Signer;
use primitives::{PrivateKey, PublicKey};
use serde_json::{Value, json};

use super::{Wallets, files};
use crate::keys::Keys;
use crate::session::{note, say};

impl Wallets<'_> {
    /// Makes a wallet, which is unlocked; gives its password.
    pub fn create(&self, name: &str) -> anyhow::Result<String> {
        match self.0 {
            Keys::Files(folder) => files::create(folder, name),
            Keys::Keosd(keosd) => Ok(keosd.one("create", &json!(name), "password")?),
        }
    }

    /// Takes back a wallet whose password is lost. A keosd cannot: the wallet stays, empty.
    pub fn discard_empty(&self, name: &str) -> anyhow::Result<()> {
        match self.0 {
            Keys::Files(folder) => Ok(folder.discard_empty(name)?),
            Keys::Keosd(_) => {
                note(format!("keosd keeps an empty wallet {name} that nobody can unlock again: remove its file"));
                Ok(())
            }
        }
    }

    /// Adds a key to an unlocked wallet.
    pub fn import(&self, name: &str, key: PrivateKey) -> anyhow::Result<()> {
        match self.0 {
            Keys::Files(folder) => Ok(folder.import(name, key)?),
            Keys::Keosd(keosd) => Ok(keosd.call("import_key", &json!([name, key.to_secret_text()])).map(drop)?),
        }
    }

    /// Unlocks a wallet. How long, is a keosd's own setting.
    pub fn unlock(&self, name: &str, password: &str, idle: Duration) -> anyhow::Result<()> {
        match self.0 {
            Keys::Files(folder) => files::unlock(folder, name, password, idle),
            Keys::Keosd(keosd) => Ok(keosd.call("unlock", &json!([name, password])).map(drop)?),
        }
    }

    /// Locks a wallet.
    pub fn lock(&self, name: &str) -> anyhow::Result<()> {
        match self.0 {
            Keys::Files(folder) => Ok(folder.lock(name)?),
            Keys::Keosd(keosd) => Ok(keosd.call("lock", &json!(name)).map(drop)?),
        }
    }

    /// Sees whether a wallet is there.
    pub fn open(&self, name: &str) -> anyhow::Result<()> {
        match self.0 {
            Keys::Files(folder) => Ok(folder.find(name)?),
            Keys::Keosd(keosd) => Ok(keosd.call("open", &json!(name)).map(drop)?),
        }
    }

    /// Locks all wallets.
    pub fn lock_all(&self) -> anyhow::Result<()> {
        match self.0 {
            Keys::Files(folder) => Ok(folder.lock_all()?),
            Keys::Keosd(keosd) => Ok(keosd.call("lock_all", &Value::Null).map(drop)?),
        }
    }

    /// Public and private keys of a wallet.
    pub fn private_keys(&self, name: &str, password: &str) -> anyhow::Result<Value> {
        match self.0 {
            Keys::Files(folder) => files::private_keys(folder, name, password),
            Keys::Keosd(keosd) => Ok(keosd.call("list_keys", &json!([name, password]))?),
        }
    }

    /// Names of the wallets, with a star where they are unlocked.
    pub fn list(&self) -> anyhow::Result<Value> {
        match self.0 {
            Keys::Files(folder) => files::list(folder),
            Keys::Keosd(keosd) => Ok(json!(keosd.list::<String>("list_wallets", &Value::Null, "name of a wallet")?)),
        }
    }

    /// The public keys of all unlocked wallets.
    pub fn public_keys(&self) -> anyhow::Result<Vec<PublicKey>> {
        match self.0 {
            Keys::Files(folder) => files::public_keys(folder),
            Keys::Keosd(keosd) => Ok(keosd.public_keys()?),
        }
    }

    /// Makes a key inside a wallet.
    pub fn create_key(&self, name: &str, kind: &str) -> anyhow::Result<PublicKey> {
        match self.0 {
            Keys::Files(folder) => files::create_key(folder, name, kind),
            Keys::Keosd(keosd) => Ok(keosd.one("create_key", &json!([name, kind]), "public key")?),
        }
    }

    /// Takes a key out of a wallet.
    pub fn remove(&self, name: &str, password: &str, key: &PublicKey) -> anyhow::Result<()> {
        match self.0 {
            Keys::Files(folder) => Ok(folder.remove(name, password, key)?),
            Keys::Keosd(keosd) => Ok(keosd.call("remove_key", &json!([name, password, key])).map(drop)?),
        }
    }

    /// Stops a keosd.
    pub fn stop(&self) -> anyhow::Result<()> {
        let Keys::Keosd(keosd) = self.0 else {
            bail!("there is no keosd to stop: wallets are files; \"boreas wallet lock_all\" locks them");
        };
        keosd.0.call("/v1/keosd/stop", &Value::Null)?;
        say("OK")
    }
}
