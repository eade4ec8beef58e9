//! `boreas wallet`.

use std::io::{BufRead, IsTerminal, Read};

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use primitives::PrivateKey;
use serde_json::json;

use crate::json::pretty;
use crate::session::{Session, note, say, write_secret};

/// Passwords and keys are far shorter.
const SECRET_BYTES_MAX: u64 = 4096;

/// What is done with a wallet.
#[derive(Subcommand)]
pub enum WalletCommand {
    /// Create a new wallet
    Create {
        #[command(flatten)]
        wallet: WalletName,
        /// The file to write the password to
        #[arg(short, long)]
        file: Option<String>,
        /// Print the password
        #[arg(long)]
        to_console: bool,
    },
    /// Import a private key into an unlocked wallet
    Import {
        #[command(flatten)]
        wallet: WalletName,
        /// The private key; asked for when not given. Given here, other users of this machine may see it
        #[arg(long, num_args = 0..=1)]
        private_key: Option<Option<String>>,
    },
    /// Unlock a wallet; it locks itself after 15 minutes without use
    Unlock {
        #[command(flatten)]
        wallet: WalletName,
        /// The password; asked for when not given
        #[arg(long, num_args = 0..=1, env = "BOREAS_WALLET_PASSWORD", hide_env_values = true)]
        password: Option<Option<String>>,
    },
    /// Lock a wallet
    Lock {
        #[command(flatten)]
        wallet: WalletName,
    },
    /// Open a wallet: see whether it is there
    Open {
        #[command(flatten)]
        wallet: WalletName,
    },
    /// Lock all unlocked wallets
    #[command(name = "lock_all", alias = "lock-all")]
    LockAll,
    /// List wallets, * = unlocked
    List,
    /// List the public keys of all unlocked wallets
    Keys,
    /// Print the private keys of a wallet
    #[command(name = "private_keys", alias = "private-keys")]
    PrivateKeys {
        #[command(flatten)]
        wallet: WalletName,
        /// The password; asked for when not given
        #[arg(long, num_args = 0..=1)]
        password: Option<Option<String>>,
    },
    /// Create a key inside an unlocked wallet
    #[command(name = "create_key", alias = "create-key")]
    CreateKey {
        #[command(flatten)]
        wallet: WalletName,
        /// K1 or R1
        #[arg(default_value = "K1")]
        key_type: String,
    },
    /// Remove a key from a wallet
    #[command(name = "remove_key", alias = "remove-key")]
    RemoveKey {
        #[command(flatten)]
        wallet: WalletName,
        /// The public key
        key: String,
        /// The password; asked for when not given
        #[arg(long, num_args = 0..=1)]
        password: Option<Option<String>>,
    },
}

/// Which wallet.
#[derive(Args)]
pub struct WalletName {
    /// The wallet
    #[arg(short, long, default_value = "default")]
    name: String,
}

impl WalletCommand {
    /// Does it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let wallets = &session.wallets;
        match self {
            Self::Create { wallet, file, to_console } => create(session, &wallet.name, file, to_console),
            Self::Import { wallet, private_key } => {
                let text = given_or_asked(private_key, "private key: ")?;
                // The fault is left out: it could tell of the key.
                let key = text.trim().parse::<PrivateKey>();
                let key = key.map_err(|_| anyhow::anyhow!("Invalid private key: one begins with 5, or PVT_"))?;
                let public = key.public_key()?;
                wallets.import(&wallet.name, key)?;
                say(format!("imported private key for: {public}"))
            }
            Self::Unlock { wallet, password } => {
                wallets.unlock(&wallet.name, given_or_asked(password, "password: ")?.trim())?;
                say(format!("Unlocked: {}", wallet.name))
            }
            Self::Lock { wallet } => {
                wallets.lock(&wallet.name)?;
                say(format!("Locked: {}", wallet.name))
            }
            Self::Open { wallet } => {
                wallets.find(&wallet.name)?;
                say(format!("Opened: {}", wallet.name))
            }
            Self::PrivateKeys { wallet, password } => {
                wallets.unlock(&wallet.name, given_or_asked(password, "password: ")?.trim())?;
                let pairs: Vec<_> = wallets
                    .keys(&wallet.name)?
                    .iter()
                    .map(|key| Ok(json!([key.public_key()?, key.to_secret_text()])))
                    .collect::<Result<_, primitives::Fault>>()?;
                say(pretty(&json!(pairs)))
            }
            Self::LockAll => {
                wallets.lock_all()?;
                say("Locked All Wallets")
            }
            Self::List => {
                let names: Vec<_> = wallets.list()?.into_iter().map(|(name, open)| mark(&name, open)).collect();
                say(format!("Wallets:\n{}", pretty(&json!(names))))
            }
            Self::Keys => {
                let keys = wallets.unlocked_keys()?;
                let keys = keys.iter().map(PrivateKey::public_key).collect::<Result<Vec<_>, _>>()?;
                say(pretty(&json!(keys)))
            }
            Self::CreateKey { wallet, key_type } => {
                let key = match key_type.to_uppercase().as_str() {
                    "K1" => wallet::generate_key(false),
                    "R1" => wallet::generate_key(true),
                    _ => bail!("Key type must be K1 or R1, not {key_type}"),
                };
                let public = key.public_key()?;
                wallets.import(&wallet.name, key)?;
                say(format!("Created new private key with a public key of: \"{public}\""))
            }
            Self::RemoveKey { wallet, key, password } => {
                let public = key.parse().map_err(|_| anyhow::anyhow!("Invalid public key: {key}"))?;
                wallets.remove(&wallet.name, given_or_asked(password, "password: ")?.trim(), &public)?;
                say(format!("removed private key for: {key}"))
            }
        }
    }
}

fn mark(name: &str, open: bool) -> String {
    format!("{name}{}", if open { " *" } else { "" })
}

/// A secret: given, or asked for on the terminal, or the first line of what is piped in.
fn given_or_asked(given: Option<Option<String>>, prompt: &str) -> anyhow::Result<String> {
    if let Some(given) = given.flatten() {
        return Ok(given);
    }
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt).context("cannot ask");
    }
    let mut line = String::new();
    std::io::stdin().lock().take(SECRET_BYTES_MAX).read_line(&mut line).context("cannot read standard input")?;
    ensure!(!line.trim().is_empty(), "{prompt}none was given, and there is no terminal to ask on");
    Ok(line)
}

fn create(session: &Session, name: &str, file: Option<String>, to_console: bool) -> anyhow::Result<()> {
    if file.is_none() && !to_console {
        bail!("ERROR: Either indicate a file using \"--file\" or pass \"--to-console\"");
    }
    let password = session.wallets.create(name)?;
    say(format!("Creating wallet: {name}\nSave password to use in the future to unlock this wallet."))?;
    say("Without password imported keys will not be retrievable.")?;
    match file {
        Some(file) => {
            note(format!("saving password to {file}"));
            write_secret(&file, &password)
        }
        None => say(format!("\"{password}\"")),
    }
}
