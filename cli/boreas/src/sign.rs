//! `boreas sign` and `boreas validate signatures`.

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use client::{Receipt, Route, SendSettings, Signer};
use primitives::{ChainId, Compression, PackedTransaction, PublicKey};
use serde_json::{Value, json};

use crate::arguments::{chain_id, private_key, public_key};
use crate::json::pretty;
use crate::session::{Session, note, say};
use crate::transactions;
use crate::wallets::given_or_asked;

/// Flags of `sign`.
#[derive(Args)]
pub struct Sign {
    /// The transaction as JSON, or a file with it
    transaction: String,
    /// The private key to sign with; asked for when not given. Given here, other users of this machine may see it
    #[arg(short = 'k', long, num_args = 0..=1, conflicts_with = "public_key")]
    private_key: Option<Option<String>>,
    /// Sign with the private key of this public key, from an unlocked wallet
    #[arg(long)]
    public_key: Option<String>,
    /// The chain's id; the node is asked when not given
    #[arg(short, long)]
    chain_id: Option<String>,
    /// Push the transaction after signing
    #[arg(short, long)]
    push_transaction: bool,
}

/// What is validated.
#[derive(Subcommand)]
pub enum Validate {
    /// Recover the public keys that signed a transaction
    Signatures {
        /// The transaction as JSON, or a file with it
        transaction: String,
        /// The chain's id; the node is asked when not given
        #[arg(short, long)]
        chain_id: Option<String>,
    },
}

impl Sign {
    /// Signs and prints or pushes.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let (mut signed, was_packed) = transactions::signed(session, &self.transaction)?;
        let chain_id = chain(session, self.chain_id.as_deref())?;
        match &self.public_key {
            Some(key) => {
                let key = public_key(key, "--public-key")?;
                signed.signatures.extend(session.keys.sign(&signed, &[key], &chain_id)?);
            }
            None => {
                let key = private_key(&given_or_asked(self.private_key, "private key: ")?)?;
                signed.sign(&key, &chain_id)?;
            }
        }
        if self.push_transaction {
            let settings = SendSettings { route: Route::Push, ..SendSettings::default() };
            return say(pretty(&Receipt::of(&session.node, &signed, &settings)?.0));
        }
        say(pretty(&match was_packed {
            true => json!(PackedTransaction::new(&signed, Compression::None)),
            false => json!(signed),
        }))
    }
}

impl Validate {
    /// Recovers and prints.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let Self::Signatures { transaction, chain_id } = self;
        let (signed, _) = transactions::signed(session, &transaction)?;
        let chain_id = chain(session, chain_id.as_deref())?;
        let digest = signed.transaction.signing_digest(&chain_id, &signed.context_free_data);
        let keys = signed.signatures.iter().map(|signature| {
            signature.recover(&digest).with_context(|| format!("{signature} is not a valid signature"))
        });
        let mut keys: Vec<PublicKey> = keys.collect::<anyhow::Result<_>>()?;
        keys.sort();
        let before = keys.len();
        keys.dedup();
        ensure!(keys.len() == before, "a key signed twice");
        say(pretty(&json!(keys)))
    }
}

fn chain(session: &Session, given: Option<&str>) -> anyhow::Result<ChainId> {
    if let Some(text) = given {
        return chain_id(text);
    }
    note(format!("asking {} for the chain's id", session.node.url()));
    let info = session.call("/v1/chain/get_info", &json!({}))?;
    chain_id(info.get("chain_id").and_then(Value::as_str).context("the node tells no chain id")?)
}
