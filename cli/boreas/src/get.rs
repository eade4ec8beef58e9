//! `boreas get`.

mod code;
mod history;
mod schedule;
mod table;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::advice;
use crate::arguments::{name, public_key, transaction_id};
use crate::json::pretty;
use crate::session::{Session, note, say};
use crate::system::supported_features;
use crate::transactions;

/// What is asked.
#[derive(Subcommand)]
pub enum Get {
    /// Get current blockchain information
    Info,
    /// Get the status of a transaction that the node was sent
    TransactionStatus {
        /// The transaction's id
        id: String,
    },
    /// Get current consensus parameters
    #[command(name = "consensus_parameters", alias = "consensus-parameters")]
    ConsensusParameters,
    /// Retrieve a block
    Block(GetBlock),
    /// Retrieve an account
    Account(crate::account::GetAccount),
    /// Retrieve the code and ABI of an account
    Code(code::GetCode),
    /// Retrieve the ABI of an account
    Abi(code::GetAbi),
    /// Retrieve rows of a contract's table
    Table(table::GetTable),
    /// Retrieve the scopes and tables of a contract
    Scope(table::GetScope),
    /// Retrieve information about tokens
    #[command(subcommand)]
    Currency(Currency),
    /// Retrieve the accounts of a public key
    Accounts {
        /// The public key
        public_key: String,
    },
    /// Retrieve the accounts that an account controls
    Servants {
        /// The account that controls
        account: String,
    },
    /// Retrieve a transaction from the history that some nodes keep
    Transaction(history::GetTransaction),
    /// Retrieve the trace of a transaction
    #[command(name = "transaction_trace", alias = "transaction-trace")]
    TransactionTrace {
        /// The transaction's id
        id: String,
    },
    /// Retrieve the trace of a block
    #[command(name = "block_trace", alias = "block-trace")]
    BlockTrace {
        /// The block's number
        block: u32,
    },
    /// Retrieve actions of an account from the history that some nodes keep
    Actions(history::GetActions),
    /// Retrieve the producer schedule
    Schedule {
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
    /// Get the id of a transaction
    #[command(name = "transaction_id", alias = "transaction-id")]
    TransactionId {
        /// The transaction as JSON, or a file with it
        transaction: String,
    },
    /// List protocol features that can be activated
    #[command(name = "supported_protocol_features", alias = "supported-protocol-features")]
    SupportedProtocolFeatures,
}

/// Flags of `get block`.
#[derive(Args)]
pub struct GetBlock {
    /// Number or id
    block: String,
    /// Get the header state from the fork database
    #[arg(long, group = "form")]
    header_state: bool,
    /// Get block info, by number only
    #[arg(long, group = "form")]
    info: bool,
    /// Get the raw block
    #[arg(long, group = "form")]
    raw: bool,
    /// Get the header
    #[arg(long, group = "form")]
    header: bool,
    /// Get the header with block extensions
    #[arg(long, group = "form")]
    header_with_extensions: bool,
}

/// What is asked of tokens.
#[derive(Subcommand)]
pub enum Currency {
    /// Retrieve the balances of an account
    Balance {
        /// The contract that keeps the token
        contract: String,
        /// The account
        account: String,
        /// The token's symbol; all when not given
        symbol: Option<String>,
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
    /// Retrieve the supply of a token
    Stats {
        /// The contract that keeps the token
        contract: String,
        /// The token's symbol
        symbol: String,
    },
}

impl Get {
    /// Asks and prints.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        match self {
            Self::Info => session.show("/v1/chain/get_info", &json!({})),
            Self::TransactionStatus { id } => {
                session.show("/v1/chain/get_transaction_status", &json!({ "id": transaction_id(&id)? }))
            }
            Self::ConsensusParameters => session.show("/v1/chain/get_consensus_parameters", &Value::Null),
            Self::Block(block) => block.run(session),
            Self::Account(account) => account.run(session),
            Self::Code(code) => code.run(session),
            Self::Abi(abi) => abi.run(session),
            Self::Table(table) => table.run(session),
            Self::Scope(scope) => scope.run(session),
            Self::Currency(currency) => currency.run(session),
            Self::Accounts { public_key: key } => {
                let body = json!({ "public_key": public_key(&key, "the argument")? });
                session.show("/v1/history/get_key_accounts", &body)
            }
            Self::Servants { account } => {
                session.show("/v1/history/get_controlled_accounts", &json!({ "controlling_account": name(&account)? }))
            }
            Self::Transaction(transaction) => transaction.run(session),
            Self::TransactionTrace { id } => {
                session.show("/v1/trace_api/get_transaction_trace", &json!({ "id": transaction_id(&id)? }))
            }
            Self::BlockTrace { block } => session.show("/v1/trace_api/get_block", &json!({ "block_num": block })),
            Self::Actions(actions) => actions.run(session),
            Self::Schedule { json } => schedule::run(session, json),
            Self::TransactionId { transaction } => {
                let (signed, _) = transactions::signed(session, &transaction)?;
                say(signed.transaction.id().to_string())
            }
            Self::SupportedProtocolFeatures => {
                let names = supported_features(session)?.into_iter().map(|(name, _)| name + "\n");
                say(names.collect::<String>())
            }
        }
    }
}

impl GetBlock {
    fn run(self, session: &Session) -> anyhow::Result<()> {
        if self.info {
            let number: u32 = self.block.parse().with_context(|| format!("Invalid block num: {}", self.block))?;
            ensure!(number > 0, "Invalid block num: 0: the first block is 1");
            return session.show("/v1/chain/get_block_info", &json!({ "block_num": number }));
        }
        let mut body = json!({ "block_num_or_id": self.block });
        let path = if self.header_state {
            "/v1/chain/get_block_header_state"
        } else if self.raw {
            "/v1/chain/get_raw_block"
        } else if self.header || self.header_with_extensions {
            body["include_extensions"] = json!(self.header_with_extensions);
            "/v1/chain/get_block_header"
        } else {
            "/v1/chain/get_block"
        };
        session.show(path, &body)
    }
}

/// Says where an answer is empty because there is no such account: scripts get what cleos prints, people the reason.
fn note_unknown(session: &Session, account: &str) {
    advice::unknown(session, account).into_iter().for_each(note);
}

impl Currency {
    fn run(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Balance { contract, account, symbol, json: as_json } => {
                let mut body = json!({ "code": name(&contract)?, "account": name(&account)? });
                if let Some(symbol) = symbol {
                    body["symbol"] = json!(symbol);
                }
                let balances = session.call("/v1/chain/get_currency_balance", &body)?;
                if as_json {
                    return say(pretty(&balances));
                }
                let balances = balances.as_array().map(Vec::as_slice).unwrap_or_default();
                if balances.is_empty() {
                    note_unknown(session, &account);
                }
                balances.iter().filter_map(Value::as_str).try_for_each(say)
            }
            Self::Stats { contract, symbol } => {
                session.show("/v1/chain/get_currency_stats", &json!({ "code": name(&contract)?, "symbol": symbol }))
            }
        }
    }
}
