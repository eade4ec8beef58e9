//! `get_scheduled_transactions`.

use abi::present;
use codec::Unpack;
use ledger::{GeneratedTransaction, Ledger};
use primitives::{Fault, TimePoint, Transaction, TransactionId};
use serde_json::{Map, Value, json as value};

use crate::block_json;
use crate::bounds::{Bounds, Deadline};
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
    let until = Deadline::of(&params)?;
    let limit = if until.is_over(0, 0) { limit.min(1) } else { limit };
    let (found, more) = node.handle.read(|chain| from(chain.ledger(), &lower_bound, limit, until));
    let transactions = found.iter().filter_map(|row| Transaction::from_bytes(&row.packed_trx).ok());
    let contracts: Vec<_> = transactions.flat_map(|transaction| block_json::contracts_of(&transaction)).collect();
    let (abis, bounds) = (node.abis.set(&node.handle, contracts), Bounds::new());
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
                    present::transaction(&transaction, &mut block_json::from_set(&abis), &bounds.limits())?
                }
                _ => hex::encode(&row.packed_trx[..]).into(),
            };
            set("transaction", transaction);
            Ok(Value::Object(entry))
        })
        .collect::<Result<_, Fault>>()?;
    json(200, &value!({"transactions": rows, "more": more.map(|id| id.to_string()).unwrap_or_default()}))
}

/// Transactions from `lower_bound` on, a time or an id, and where to go on.
fn from(
    ledger: &Ledger,
    lower_bound: &str,
    limit: usize,
    until: Deadline,
) -> (Vec<GeneratedTransaction>, Option<TransactionId>) {
    let all = ledger.generated_by_delay().map(|id| ledger.generated(id));
    if lower_bound.is_empty() {
        return first(all, limit, until);
    }
    if let Ok(time) = lower_bound.parse::<TimePoint>() {
        return first(all.filter(|row| row.delay_until >= time), limit, until);
    }
    let Ok(id) = lower_bound.parse::<TransactionId>() else { return (Vec::new(), None) };
    first(all.skip_while(|row| row.trx_id != id), limit, until)
}

fn first<'a>(
    rows: impl Iterator<Item = &'a GeneratedTransaction>,
    limit: usize,
    until: Deadline,
) -> (Vec<GeneratedTransaction>, Option<TransactionId>) {
    let (mut found, mut bytes) = (Vec::new(), 0);
    for row in rows {
        if found.len() >= limit || (!found.is_empty() && until.is_cut(found.len(), bytes)) {
            return (found, Some(row.trx_id));
        }
        bytes += row.packed_trx.len();
        found.push(row.clone());
    }
    (found, None)
}
