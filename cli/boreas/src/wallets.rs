//! `boreas wallet`.

mod files;
mod remote;
mod serve;

use std::io::{BufRead, IsTerminal, Read};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use crate::arguments::{private_key, public_key};
use crate::json::pretty;
use crate::keys::Keys;
use crate::secret_file::SecretFile;
use crate::secrets;
use crate::session::{Session, note, say};

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
        /// Where many people type the key; it is refused there with advice
        #[arg(hide = true)]
        misplaced: Option<String>,
    },
    /// Unlock a wallet; it locks itself when it was not used for some time
    Unlock {
        #[command(flatten)]
        wallet: WalletName,
        /// The password; asked for when not given
        #[arg(long, num_args = 0..=1, env = "BOREAS_WALLET_PASSWORD", hide_env_values = true)]
        password: Option<Option<String>>,
        /// Seconds without use after which it locks itself
        #[arg(long, value_name = "SECONDS", env = "BOREAS_WALLET_TIMEOUT", default_value_t = wallet::IDLE_DEFAULT.as_secs(),
              value_parser = clap::value_parser!(u64).range(1..=wallet::IDLE_MAX.as_secs()))]
        timeout: u64,
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
    /// Stop keosd (with --wallet-url)
    Stop,
    /// Serve keosd's HTTP API in front of wallet files
    Serve(Box<serve::Serve>),
    /// Take keys of unlocked wallets away when their time is over
    #[command(hide = true)]
    Sweep,
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
        let wallets = Wallets(&session.keys);
        match self {
            Self::Create { wallet, file, to_console } => create(&wallets, &wallet.name, file, to_console),
            Self::Import { misplaced: Some(_), .. } => bail!(
                "the private key has no place there: \"boreas wallet import\" asks for it, or --private-key KEY takes it\n{}",
                secrets::ADVICE
            ),
            Self::Import { wallet, private_key: given, .. } => {
                let key = private_key(&given_or_asked(given, "private key: ")?)?;
                let public = key.public_key()?;
                wallets.import(&wallet.name, key)?;
                say(format!("imported private key for: {public}"))
            }
            Self::Unlock { wallet, password, timeout } => {
                let password = given_or_asked(password, "password: ")?;
                wallets.unlock(&wallet.name, password.trim(), Duration::from_secs(timeout))?;
                say(format!("Unlocked: {}", wallet.name))
            }
            Self::Lock { wallet } => {
                wallets.lock(&wallet.name)?;
                say(format!("Locked: {}", wallet.name))
            }
            Self::Open { wallet } => {
                wallets.open(&wallet.name)?;
                say(format!("Opened: {}", wallet.name))
            }
            Self::PrivateKeys { wallet, password } => {
                let password = given_or_asked(password, "password: ")?;
                say(pretty(&wallets.private_keys(&wallet.name, password.trim())?))
            }
            Self::LockAll => {
                wallets.lock_all()?;
                say("Locked All Wallets")
            }
            Self::List => say(format!("Wallets:\n{}", pretty(&wallets.list()?))),
            Self::Keys => say(pretty(&json!(wallets.public_keys()?))),
            Self::CreateKey { wallet, key_type } => {
                let public = wallets.create_key(&wallet.name, &key_type.to_uppercase())?;
                say(format!("Created new private key with a public key of: \"{public}\""))
            }
            Self::RemoveKey { wallet, key, password } => {
                let public = public_key(&key, "the argument")?;
                let password = given_or_asked(password, "password: ")?;
                wallets.remove(&wallet.name, password.trim(), &public)?;
                say(format!("removed private key for: {key}"))
            }
            Self::Stop => wallets.stop(),
            Self::Serve(serve) => serve.run(),
            Self::Sweep => Ok(wallet::sweep()?),
        }
    }
}

/// The wallets of this session, wherever they are: `files` and `remote` do what is asked of them.
struct Wallets<'a>(&'a Keys);

/// A secret: given, or asked for on the terminal, or the first line of what is piped in.
pub fn given_or_asked(given: Option<Option<String>>, prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    if let Some(given) = given.flatten() {
        return Ok(Zeroizing::new(given));
    }
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt).map(Zeroizing::new).context("cannot ask");
    }
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().take(SECRET_BYTES_MAX).read_line(&mut line).context("cannot read standard input")?;
    ensure!(!line.trim().is_empty(), "{prompt}none was given, and there is no terminal to ask on");
    Ok(line)
}

fn create(wallets: &Wallets<'_>, name: &str, file: Option<String>, to_console: bool) -> anyhow::Result<()> {
    ensure!(file.is_some() != to_console, "ERROR: Either indicate a file using \"--file\" or pass \"--to-console\"");
    // What could not be written afterwards would be lost.
    let opened = file.as_deref().map(|file| Ok::<_, anyhow::Error>((file, SecretFile::open(file)?))).transpose()?;
    let password = Zeroizing::new(wallets.create(name)?);
    let Some((file, opened)) = opened else {
        told(name)?;
        return say(format!("\"{}\"", *password));
    };
    if let Err(error) = opened.write(&password) {
        wallets.discard_empty(name)?;
        return Err(error).context(format!("{file} cannot be written; no wallet was made"));
    }
    told(name)?;
    note(format!("saving password to {file}"));
    Ok(())
}

fn told(name: &str) -> anyhow::Result<()> {
    say(format!("Creating wallet: {name}\nSave password to use in the future to unlock this wallet."))?;
    say("Without password imported keys will not be retrievable.")
}
