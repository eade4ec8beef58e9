//! `boreas dev set row`: a row of a table, as no key allows it.
//!
//! One transaction: the row editor in the contract's place, the edit, and the contract's own code back. Blocks replay it.

use anyhow::{Context, ensure};
use clap::Args;
use client::editor::{self, EditedRow, INDEX_BITS};
use primitives::{Compression, Name};
use serde_json::{Value, json};

use crate::arguments::name;
use crate::json::{Grammar, text_or_file};
use crate::session::{Session, note};
use crate::transact::TransactArgs;

/// Which row, and what is in it.
#[derive(Args)]
pub struct SetRow {
    /// The contract
    code: String,
    /// The scope of the table: a name, a number, or a symbol
    scope: String,
    /// The table
    table: String,
    /// The primary key of the row: a number, a name, or a symbol
    #[arg(value_name = "PRIMARY-KEY", allow_hyphen_values = true)]
    key: String,
    /// What is in the row: JSON by the contract's ABI, or a file with it
    #[arg(required_unless_present_any = ["hex", "remove"])]
    value: Option<String>,
    /// What is in the row, as hexadecimal bytes
    #[arg(long, value_name = "BYTES", conflicts_with_all = ["value", "remove"])]
    hex: Option<String>,
    /// Remove the row
    #[arg(long, conflicts_with = "value")]
    remove: bool,
    /// Who pays for its RAM [default: who paid before, or the contract]
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "remove")]
    payer: Option<String>,
    #[command(flatten)]
    transact: TransactArgs,
}

/// A row that is there.
struct Known {
    payer: Name,
}

impl SetRow {
    /// Carries it out.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        super::call(session, "get_time", &Value::Null)?;
        let (code, table) = (name(&self.code)?, name(&self.table)?);
        let (scope, id) = (key(&self.scope, "scope")?, key(&self.key, "primary key")?);
        ensure!(
            table.0 & INDEX_BITS == 0,
            "{table} is the name of a secondary index, not of a table: a table's name has up to 12 characters"
        );
        let bytes = match (&self.hex, &self.value) {
            _ if self.remove => None,
            (Some(hexadecimal), _) => Some(bytes_of(hexadecimal)?),
            (None, value) => {
                let value = text_or_file(value.as_deref().unwrap_or_default(), Grammar::Relaxed)?;
                Some(session.contracts.row(&session.node, code, table, &value)?)
            }
        };
        let known = known_row(session, code, Name(scope), table, id)?;
        ensure!(
            known.is_some() || !self.remove,
            "there is no row {} in the table {table} of {code} and scope {}",
            self.key,
            self.scope
        );
        let payer = match &self.payer {
            Some(payer) => name(payer)?,
            None => known.map_or(code, |known| known.payer),
        };
        let indexes = client::fork::indexes(&session.node, code, Name(scope), table)?;
        if indexes > 0 {
            note(format!(
                "the table has {indexes} secondary {} here, whose entries stay as they are: only the row is edited, so \
                 look-ups by another key find it as before{}",
                if indexes == 1 { "index" } else { "indexes" },
                if self.remove { ", and a contract may fail on an entry without a row" } else { "" }
            ));
        }
        let body = json!({ "account_name": code });
        let original = session.call("/v1/chain/get_raw_code_and_abi", &body)?;
        let original = client::base64_field(&original, "wasm")?;
        let row = EditedRow { scope: Name(scope), table, payer, id, bytes };
        let actions = vec![
            editor::set_code(code, editor::MODULE),
            editor::write(code, &[row], &[]),
            editor::set_code(code, &original),
        ];
        self.transact.send(session, actions, Compression::Zlib)
    }
}

fn key(text: &str, what: &str) -> anyhow::Result<u64> {
    editor::key_of_text(text).with_context(|| {
        format!(
            "{text:?} is not a valid {what}, which is a number, a name such as alice, or a symbol such as SYS or 4,SYS"
        )
    })
}

fn bytes_of(text: &str) -> anyhow::Result<Vec<u8>> {
    let digits = text.trim().trim_start_matches("0x").as_bytes();
    let nibble = |digit: &u8| char::from(*digit).to_digit(16).and_then(|nibble| u8::try_from(nibble).ok());
    let pairs = digits.chunks(2).map(|pair| Some(nibble(pair.first()?)? << 4 | nibble(pair.get(1)?)?));
    let bytes: Option<Vec<_>> = pairs.collect();
    bytes.with_context(|| format!("--hex {text:?} is not hexadecimal digits, two a byte"))
}

/// The row, if it is there. Of a table that the ABI does not have nodes show nothing.
fn known_row(session: &Session, code: Name, scope: Name, table: Name, id: u64) -> anyhow::Result<Option<Known>> {
    let abi = session.call("/v1/chain/get_abi", &json!({ "account_name": code }))?;
    let tables = abi["abi"]["tables"].as_array();
    if !tables.into_iter().flatten().any(|known| known["name"] == json!(table)) {
        return Ok(None);
    }
    let body = json!({
        "json": false, "show_payer": true, "code": code, "scope": scope.0.to_string(), "table": table, "limit": 1,
        "key_type": "i64", "lower_bound": id.to_string(), "upper_bound": id.to_string(),
    });
    let answer = session.call("/v1/chain/get_table_rows", &body)?;
    let row = answer["rows"].as_array().and_then(|rows| rows.first());
    row.map(|row| Ok(Known { payer: name(row["payer"].as_str().context("the node does not say who pays")?)? }))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_bytes_are_read_or_told_about() {
        assert_eq!(key("12", "scope").ok(), Some(12));
        assert_eq!(key("alice", "scope").ok(), Some(primitives::name!("alice").0));
        assert_eq!(key("SYS", "scope").ok(), Some(5_462_355));
        assert!(key("Alice!", "scope").is_err_and(|error| error.to_string().contains("is not a valid scope")));
        assert_eq!(bytes_of("0x00fF").ok(), Some(vec![0, 255]));
        assert_eq!(bytes_of("").ok(), Some(Vec::new()));
        for wrong in ["0", "zz", "ä", "+1", "0x1"] {
            assert!(bytes_of(wrong).is_err(), "{wrong}");
        }
    }
}
