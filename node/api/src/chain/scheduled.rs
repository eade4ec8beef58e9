//! `get_scheduled_transactions`.

use abi::present;
use codec::Unpack;
use ledger::{GeneratedTransaction, Ledger};
use primitives::{Fault, TimePoint, Transaction, TransactionId};
use serde_json::{Map, Value, json as value};

use crate::abis::SHORT;
use crate::block_json;
use crate::chain::rows::Deadline;
use crate::node::Node;
use crate::params::Fields;
use crate::reply::{Answer, json};

/// Transactions that are shown unless the client says otherwise.
const SCHEDULED_DEFAULT: u32 = 50;

/// `get_scheduled_transactions`: by the time they are due.
pub fn get_scheduled_transactions(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::required(body)?;
    let as_json: bool = params.get("json")?;
    let lower_bound: String = params.get("lower_bound")?;
    let limit = usize::try_from(params.or("limit", SCHEDULED_DEFAULT)?).unwrap_or(usize::MAX);
    let limit = if Deadline::of(&params)?.is_over() { limit.min(1) } else { limit };
    let (mut found, abis) = node.handle.read(|chain| {
        let ledger = chain.ledger();
        let found = from(ledger, &lower_bound, limit.saturating_add(1));
        let transactions = found.iter().filter_map(|row| Transaction::from_bytes(&row.packed_trx).ok());
        let contracts: Vec<_> = transactions.flat_map(|transaction| block_json::contracts_of(&transaction)).collect();
        let abis = node.abis.set(ledger, contracts);
        (found, abis)
    });
    let more = if found.len() > limit { found.pop().map(|row| row.trx_id.to_string()) } else { None };
    let rows: Vec<Value> = found
        .iter()
        .map(|row| {
            let mut entry = Map::new();
            let mut set = |key: &str, value: Value| entry.insert(key.to_owned(), value);
            set("trx_id", row.trx_id.to_string().into());
            set("sender", row.sender.to_string().into());
            set("sender_id", row.sender_id.to_string().into());
            set("payer", row.payer.to_string().into());
            set("delay_until", row.delay_until.to_string().into());
            set("expiration", row.expiration.to_string().into());
            set("published", row.published.to_string().into());
            let transaction = match Transaction::from_bytes(&row.packed_trx) {
                Ok(transaction) if as_json => {
                    present::transaction(&transaction, &mut block_json::from_set(&abis), &SHORT)?
                }
                _ => hex::encode(&row.packed_trx[..]).into(),
            };
            set("transaction", transaction);
            Ok(Value::Object(entry))
        })
        .collect::<Result<_, Fault>>()?;
    json(200, &value!({"transactions": rows, "more": more.unwrap_or_default()}))
}

fn from(ledger: &Ledger, lower_bound: &str, limit: usize) -> Vec<GeneratedTransaction> {
    let all = ledger.generated_by_delay().map(|id| ledger.generated(id));
    if lower_bound.is_empty() {
        return all.take(limit).cloned().collect();
    }
    if let Ok(time) = lower_bound.parse::<TimePoint>() {
        return all.filter(|row| row.delay_until >= time).take(limit).cloned().collect();
    }
    let Ok(id) = lower_bound.parse::<TransactionId>() else { return Vec::new() };
    all.skip_while(|row| row.trx_id != id).take(limit).cloned().collect()
}
