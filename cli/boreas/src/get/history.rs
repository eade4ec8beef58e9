//! `boreas get transaction` and `get actions`: what nodes with a history plugin answer.

use clap::Args;
use serde_json::{Value, json};

use crate::arguments::{name, transaction_id};
use crate::json::pretty;
use crate::session::{Session, say};
use crate::usage::unshielded;

/// Arguments are cut here, unless they are asked for in full.
const SHOWN_CHARS: usize = 60;

/// Flags of `get transaction`.
#[derive(Args)]
pub struct GetTransaction {
    /// The transaction's id
    id: String,
    /// The number of the block that it may be in
    #[arg(short, long, value_name = "BLOCK")]
    block_hint: Option<u32>,
}

/// Flags of `get actions`.
#[derive(Args)]
pub struct GetActions {
    /// The account
    account_name: String,
    /// Number of the action among those of the account; -1 for the last
    #[arg(default_value = "-1", value_parser = signed)]
    pos: i32,
    /// So many after that one; before it when negative
    #[arg(default_value = "-20", value_parser = signed)]
    offset: i32,
    /// Print JSON
    #[arg(short, long)]
    json: bool,
    /// Do not cut the arguments of actions
    #[arg(long)]
    full: bool,
    /// Print the arguments of actions in lines
    #[arg(long)]
    pretty: bool,
    /// Print the consoles of actions
    #[arg(long)]
    console: bool,
}

fn signed(text: &str) -> Result<i32, std::num::ParseIntError> {
    unshielded(text).parse()
}

impl GetTransaction {
    /// Asks and prints.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let mut body = json!({ "id": transaction_id(&self.id)? });
        if let Some(block) = self.block_hint.filter(|block| *block > 0) {
            body["block_num_hint"] = json!(block);
        }
        session.show("/v1/history/get_transaction", &body)
    }
}

impl GetActions {
    /// Asks and prints.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let body = json!({ "account_name": name(&self.account_name)?, "pos": self.pos, "offset": self.offset });
        let answer = session.call("/v1/history/get_actions", &body)?;
        if self.json {
            return say(pretty(&answer));
        }
        say(format!(
            "#{:>5}  {:<24}  {:>24} => {:<13} {:<11} args\n{}",
            "seq",
            "when",
            "contract::action",
            "receiver",
            "trx id...",
            "=".repeat(112)
        ))?;
        let irreversible = answer["last_irreversible_block"].as_u64().unwrap_or_default();
        answer["actions"].as_array().into_iter().flatten().try_for_each(|action| self.print(action, irreversible))
    }

    fn print(&self, action: &Value, irreversible: u64) -> anyhow::Result<()> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let trace = &action["action_trace"];
        let certain = action["block_num"].as_u64().is_some_and(|block| block <= irreversible);
        let call = format!("{}::{}", text(&trace["act"]["account"]), text(&trace["act"]["name"]));
        let id = text(&trace["trx_id"]).chars().take(8).collect::<String>() + "...";
        let data = &trace["act"]["data"];
        let data = match (self.pretty, self.full) {
            (true, _) => format!("\n{}", pretty(data)),
            (_, true) => format!("\n{data}"),
            _ => format!(" {}...", data.to_string().chars().take(SHOWN_CHARS).collect::<String>()),
        };
        say(format!(
            "{}{:>5}  {:<24}  {call:>24} => {:<13} {id:<11}{data}",
            if certain { '#' } else { '?' },
            action["account_action_seq"].to_string(),
            text(&action["block_time"]),
            text(&trace["receipt"]["receiver"]),
        ))?;
        if self.console {
            let lines = text(&trace["console"]);
            let count = if self.full { usize::MAX } else { 1 };
            lines.lines().take(count).try_for_each(|line| say(format!(">> {}", line.escape_default())))?;
        }
        Ok(())
    }
}
