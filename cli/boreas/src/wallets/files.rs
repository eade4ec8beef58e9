//! Wallets in files of this user.

use std::time::Duration;

use anyhow::{bail, ensure};
use primitives::{PrivateKey, PublicKey};
use serde_json::{Value, json};
use wallet::Folder;

/// The public keys of all unlocked wallets.
pub fn public_keys(folder: &Folder) -> anyhow::Result<Vec<PublicKey>> {
    let wallets = folder.list()?;
    ensure!(!wallets.is_empty(), "There is no wallet yet; make one with: boreas wallet create --to-console");
    if wallets.iter().all(|(_, unlocked)| !unlocked) {
        let names: Vec<_> = wallets.iter().map(|(name, _)| name.as_str()).collect();
        bail!("Locked wallet: {}; unlock it with: boreas wallet unlock --name {}", names.join(", "), names[0]);
    }
    let keys = folder.unlocked_keys()?;
    let mut keys = keys.iter().map(PrivateKey::public_key).collect::<Result<Vec<_>, _>>()?;
    keys.sort();
    Ok(keys)
}

/// Unlocks a wallet, and sees to it that it locks itself.
pub fn unlock(folder: &Folder, name: &str, password: &str, idle: Duration) -> anyhow::Result<()> {
    folder.unlock(name, password, idle)?;
    sweep_aside();
    Ok(())
}

/// Makes a wallet, which is unlocked; gives its password.
pub fn create(folder: &Folder, name: &str) -> anyhow::Result<String> {
    let password = folder.create(name)?;
    sweep_aside();
    Ok(password)
}

/// Starts `boreas wallet sweep` in a process of its own. Without it a key would stay in memory until the next command
/// sees that its time is over; that is no reason to refuse.
fn sweep_aside() {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    let Ok(own) = std::env::current_exe() else { return };
    let mut command = Command::new(own);
    command.args(["wallet", "sweep"]).current_dir("/").process_group(0);
    let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
}

/// Public and private keys of a wallet.
pub fn private_keys(folder: &Folder, name: &str, password: &str) -> anyhow::Result<Value> {
    folder.unlock(name, password, wallet::IDLE_DEFAULT)?;
    sweep_aside();
    let keys = folder.keys(name)?;
    let pairs = keys.iter().map(|key| Ok(json!([key.public_key()?, key.to_secret_text()])));
    Ok(Value::Array(pairs.collect::<Result<_, primitives::Fault>>()?))
}

/// Names of the wallets, with a star where they are unlocked.
pub fn list(folder: &Folder) -> anyhow::Result<Value> {
    let mark = |(name, open): (String, bool)| format!("{name}{}", if open { " *" } else { "" });
    Ok(json!(folder.list()?.into_iter().map(mark).collect::<Vec<_>>()))
}

/// Makes a key inside a wallet.
pub fn create_key(folder: &Folder, name: &str, kind: &str) -> anyhow::Result<PublicKey> {
    let key = match kind {
        "K1" | "" => wallet::generate_key(false),
        "R1" => wallet::generate_key(true),
        _ => bail!("Key type must be K1 or R1, not {kind}"),
    };
    let public = key.public_key()?;
    folder.import(name, key)?;
    Ok(public)
}
