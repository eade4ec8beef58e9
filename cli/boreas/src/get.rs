//! `boreas get`.

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::arguments::name;
use crate::json::pretty;
use crate::session::{Session, note, say};

/// What is asked.
#[derive(Subcommand)]
pub enum Get {
    /// Get current blockchain information
    Info,
    /// Retrieve a block
    Block(GetBlock),
    /// Retrieve an account
    Account(crate::account::GetAccount),
    /// Retrieve rows of a contract's table
    Table(GetTable),
    /// Retrieve information about tokens
    #[command(subcommand)]
    Currency(Currency),
    /// Retrieve the ABI of an account
    Abi {
        /// The account
        name: String,
        /// The file to save the ABI to
        #[arg(short, long)]
        file: Option<String>,
    },
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

/// Flags of `get table`.
#[derive(Args)]
pub struct GetTable {
    /// The contract
    account: String,
    /// The scope within the contract
    scope: String,
    /// The table
    table: String,
    /// The maximum number of rows
    #[arg(short, long, default_value_t = 10)]
    limit: u32,
    /// Limit of the time in milliseconds
    #[arg(long, value_name = "MS")]
    time_limit: Option<u32>,
    /// The smallest key, as JSON
    #[arg(short = 'L', long, default_value = "", allow_hyphen_values = true)]
    lower: String,
    /// The largest key, as JSON
    #[arg(short = 'U', long, default_value = "", allow_hyphen_values = true)]
    upper: String,
    /// Number or name of the index: 1 or primary, 2 or secondary, ...
    #[arg(long, default_value = "")]
    index: String,
    /// Type of the index's key: i64, i128, i256, float64, float128, ripemd160, sha256, name
    #[arg(long, default_value = "")]
    key_type: String,
    /// dec or hex
    #[arg(long, default_value = "dec")]
    encode_type: String,
    /// Return rows as bytes
    #[arg(short, long)]
    binary: bool,
    /// Iterate backwards
    #[arg(short, long)]
    reverse: bool,
    /// Show who pays for the row's RAM
    #[arg(long)]
    show_payer: bool,
}

impl Get {
    /// Asks and prints.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        match self {
            Self::Info => session.show("/v1/chain/get_info", &json!({})),
            Self::Block(block) => block.run(session),
            Self::Account(account) => account.run(session),
            Self::Table(table) => table.run(session),
            Self::Currency(currency) => currency.run(session),
            Self::Abi { name: account, file } => abi(session, &account, file),
        }
    }
}

impl GetBlock {
    fn run(self, session: &Session) -> anyhow::Result<()> {
        if self.info {
            let number: u32 = self.block.parse().with_context(|| format!("Invalid block num: {}", self.block))?;
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
                balances.as_array().into_iter().flatten().filter_map(Value::as_str).try_for_each(say)
            }
            Self::Stats { contract, symbol } => {
                session.show("/v1/chain/get_currency_stats", &json!({ "code": name(&contract)?, "symbol": symbol }))
            }
        }
    }
}

impl GetTable {
    fn run(self, session: &Session) -> anyhow::Result<()> {
        let mut body = json!({
            "json": !self.binary,
            "code": name(&self.account)?,
            "scope": self.scope,
            "table": self.table,
            "table_key": "",
            "lower_bound": self.lower,
            "upper_bound": self.upper,
            "limit": self.limit,
            "key_type": self.key_type,
            "index_position": self.index,
            "encode_type": self.encode_type,
            "reverse": self.reverse,
            "show_payer": self.show_payer,
        });
        if let Some(limit) = self.time_limit {
            body["time_limit_ms"] = json!(limit);
        }
        session.show("/v1/chain/get_table_rows", &body)
    }
}

fn abi(session: &Session, account: &str, file: Option<String>) -> anyhow::Result<()> {
    let answer = session.call("/v1/chain/get_abi", &json!({ "account_name": name(account)? }))?;
    let abi = answer.get("abi").filter(|abi| abi.is_object());
    let text = pretty(abi.with_context(|| format!("{account} has no ABI: no contract was set, or one without it"))?);
    match file {
        Some(file) => {
            note(format!("saving abi to {file}"));
            std::fs::write(&file, text).with_context(|| file.clone())
        }
        None => say(text),
    }
}
