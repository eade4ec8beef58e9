//! `boreas get table` and `get scope`.

use clap::Args;
use primitives::FaultKind;
use serde_json::json;

use crate::arguments::name;
use crate::json::pretty;
use crate::session::{Session, say};

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
    /// Of cleos, which does not use it either
    #[arg(short, long, hide = true)]
    key: Option<String>,
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

/// Flags of `get scope`.
#[derive(Args)]
pub struct GetScope {
    /// The contract
    contract: String,
    /// Only this table
    #[arg(short, long, default_value = "")]
    table: String,
    /// The maximum number of rows
    #[arg(short, long, default_value_t = 10)]
    limit: u32,
    /// Limit of the time in milliseconds
    #[arg(long, value_name = "MS")]
    time_limit: Option<u32>,
    /// The first scope
    #[arg(short = 'L', long, default_value = "")]
    lower: String,
    /// The last scope
    #[arg(short = 'U', long, default_value = "")]
    upper: String,
    /// Iterate backwards
    #[arg(short, long)]
    reverse: bool,
}

impl GetTable {
    /// Asks and prints.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
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
        let shown = session.show("/v1/chain/get_table_rows", &body);
        if shown.is_err() {
            self.suggest_tables(session);
        }
        shown
    }

    /// Has the tables named that there are, should this one not be among them.
    fn suggest_tables(&self, session: &mut Session) {
        let answer = session.call("/v1/chain/get_abi", &json!({ "account_name": self.account })).unwrap_or_default();
        let tables = answer["abi"]["tables"].as_array().into_iter().flatten();
        let names: Vec<_> = tables.filter_map(|table| table["name"].as_str()).collect();
        if !names.is_empty() && !names.contains(&self.table.as_str()) {
            let meant = crate::similar::meant(&self.table, &names);
            let advice = format!("The tables of {}: {}{meant}", self.account, names.join(", "));
            session.advice.push((FaultKind::CONTRACT_TABLE_QUERY_EXCEPTION, advice));
        }
    }
}

impl GetScope {
    /// Asks and prints.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let mut body = json!({
            "code": name(&self.contract)?,
            "table": self.table,
            "lower_bound": self.lower,
            "upper_bound": self.upper,
            "limit": self.limit,
            "reverse": self.reverse,
        });
        if let Some(limit) = self.time_limit {
            body["time_limit_ms"] = json!(limit);
        }
        let scopes = session.call("/v1/chain/get_table_by_scope", &body)?;
        if scopes["rows"].as_array().is_some_and(Vec::is_empty) {
            super::note_unknown(session, &self.contract);
        }
        say(pretty(&scopes))
    }
}
