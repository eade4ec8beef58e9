//! `boreas producer`: the keys that a node signs blocks with, while it runs.

use anyhow::Context;
use clap::Subcommand;
use primitives::PrivateKey;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::arguments;
use crate::session::{Session, say};
use crate::wallets::given_or_asked;

/// Where a start of the node finds the password of kept keys, too.
const PASSWORD: &str = "BOREAS_SIGNING_KEYS_PASSWORD";

/// What is done with a producing node.
#[derive(Subcommand)]
pub enum Producer {
    /// See and change the keys that the node signs blocks with
    #[command(subcommand)]
    Key(Key),
}

/// What is done with its keys.
#[derive(Subcommand)]
pub enum Key {
    /// Sign blocks with one more key, for every producer that is scheduled with it
    Add {
        /// The private key; it is asked for when this is left out
        #[arg(long, value_name = "KEY")]
        private_key: Option<String>,
        /// Keep it for later starts, encrypted under a password; without one, that of BOREAS_SIGNING_KEYS_PASSWORD, or it is
        /// asked for
        #[arg(long, value_name = "PASSWORD", num_args = 0..=1)]
        keep: Option<Option<String>>,
    },
    /// Do not sign any more with a key that was added
    Remove {
        /// The public key
        public_key: String,
        /// Forget it for later starts too; the password is found as with add --keep
        #[arg(long, value_name = "PASSWORD", num_args = 0..=1)]
        forget: Option<Option<String>>,
    },
    /// Show the public keys that the node signs with
    List {
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
    /// Sign with the keys that were kept
    Unlock {
        /// The password; it is asked for when this is left out
        #[arg(long, env = PASSWORD, hide_env_values = true)]
        password: Option<String>,
    },
}

impl Producer {
    /// Carries it out.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let Self::Key(command) = self;
        match command {
            Key::Add { private_key, keep } => {
                let text = given_or_asked(Some(private_key), "private key: ")?;
                let key: PrivateKey = arguments::private_key(&text)?;
                let mut body = json!({ "private_key": *Zeroizing::new(key.to_secret_text()) });
                if let Some(password) = asked(keep)? {
                    body["password"] = json!(*password);
                }
                let answer = session.call("/v1/producer/add_signing_key", &body)?;
                let kept = if answer["kept"] == true { ", and is kept for later starts" } else { "" };
                say(format!("{} signs blocks{kept}", text_of(&answer, "public_key")?))
            }
            Key::Remove { public_key, forget } => {
                let mut body = json!({ "public_key": arguments::public_key(&public_key, "the key")? });
                if let Some(password) = asked(forget)? {
                    body["password"] = json!(*password);
                }
                let answer = session.call("/v1/producer/remove_signing_key", &body)?;
                anyhow::ensure!(
                    answer["removed"] == true,
                    "{public_key} was not added while the node runs; keys of --signature-provider stay"
                );
                say(format!("{public_key} does not sign blocks any more"))
            }
            Key::List { json: true } => session.show("/v1/producer/get_signing_keys", &Value::Null),
            Key::List { json: false } => {
                let answer = session.call("/v1/producer/get_signing_keys", &Value::Null)?;
                for key in answer["keys"].as_array().into_iter().flatten() {
                    let added = if key["added"] == true { " (added)" } else { "" };
                    say(format!("{}{added}", text_of(key, "public_key")?))?;
                }
                Ok(())
            }
            Key::Unlock { password } => {
                let password = given_or_asked(Some(password), "password: ")?;
                let answer = session.call("/v1/producer/unlock_signing_keys", &json!({ "password": *password }))?;
                for key in answer["public_keys"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    say(format!("{key} signs blocks"))?;
                }
                Ok(())
            }
        }
    }
}

/// The password of an option that may be given without one.
fn asked(option: Option<Option<String>>) -> anyhow::Result<Option<Zeroizing<String>>> {
    let known = || std::env::var(PASSWORD).ok();
    option.map(|given| given_or_asked(Some(given.or_else(known)), "password: ")).transpose()
}

fn text_of(answer: &Value, field: &str) -> anyhow::Result<String> {
    Ok(answer[field].as_str().with_context(|| format!("the node's answer has no {field}"))?.to_owned())
}
