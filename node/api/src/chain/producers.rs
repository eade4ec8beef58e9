//! `get_producer_schedule`, `get_producers`.

use consensus::header_state::SYSTEM_ACCOUNT;
use ledger::{Float64, Ledger, SecondaryRow};
use primitives::json::double_text;
use primitives::{BlockSigningAuthority, Name, ProducerSchedule};
use serde_json::{Map, Value, json as value};

use crate::abis::ContractAbi;
use crate::block_json;
use crate::bounds::{Bounds, Deadline};
use crate::chain::currency::name;
use crate::chain::rows::row;
use crate::node::Node;
use crate::params::{self, Fields};
use crate::reply::{Answer, json};

/// `get_producer_schedule`.
pub fn get_producer_schedule(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let (active, pending, proposed) = node.handle.read(|chain| {
        let header = &chain.head().header;
        let property = chain.ledger().global_property();
        let proposed = property.proposed_schedule_block_num.map(|_| property.proposed_schedule.clone());
        (header.active_schedule.clone(), header.pending_schedule.schedule.clone(), proposed)
    });
    let unless_empty = |schedule: &ProducerSchedule| {
        if schedule.producers.is_empty() { Value::Null } else { block_json::value(schedule) }
    };
    json(
        200,
        &value!({
            "active": block_json::value(&*active),
            "pending": unless_empty(&pending),
            "proposed": proposed.as_ref().map_or(Value::Null, unless_empty),
        }),
    )
}

/// Producers that are shown unless the client says otherwise.
const PRODUCERS_DEFAULT: u32 = 50;

struct ProducersParams {
    json: bool,
    lower_bound: String,
    limit: u32,
    until: Deadline,
}

/// `get_producers`: from the system contract by votes, or without one the active schedule.
pub fn get_producers(node: &Node, body: &[u8]) -> Answer {
    let fields = Fields::required(body)?;
    let params = ProducersParams {
        json: fields.get("json")?,
        lower_bound: fields.get("lower_bound")?,
        limit: fields.or("limit", PRODUCERS_DEFAULT)?,
        until: Deadline::of(&fields)?,
    };
    let voted = node.abis.with(&node.handle, SYSTEM_ACCOUNT, |chain, system| voted(system?, chain.ledger(), &params));
    if let Some(answer) = voted {
        return json(200, &answer);
    }
    let schedule = node.handle.read(|chain| chain.head().header.active_schedule.clone());
    let rows: Vec<Value> = schedule
        .producers
        .iter()
        .map(|producer| {
            let mut row = Map::new();
            row.insert("owner".to_owned(), producer.producer_name.to_string().into());
            row.insert("producer_authority".to_owned(), block_json::value(&producer.authority));
            row.insert("url".to_owned(), "".into());
            row.insert("total_votes".to_owned(), double_text(0.0).into());
            let BlockSigningAuthority::V0 { threshold, keys } = &producer.authority;
            if let [only] = keys.as_slice()
                && u32::from(only.weight) == *threshold
            {
                row.insert("producer_key".to_owned(), only.key.to_string().into());
            }
            Value::Object(row)
        })
        .collect();
    json(200, &value!({"rows": rows, "total_producer_vote_weight": double_text(0.0), "more": ""}))
}

/// As the system contract's tables have it; none without them.
fn voted(system: &ContractAbi, ledger: &Ledger, params: &ProducersParams) -> Option<Value> {
    let producers = name("producers");
    system.index_type(producers).ok().filter(|kind| *kind == "i64")?;
    let (abi, bounds) = (system.usable()?, Bounds::new());
    let decoded = |table, bytes: &[u8]| abi.decode(abi.table_type(table)?, bytes, &bounds.limits()).ok();
    let table = ledger.find_table(SYSTEM_ACCOUNT, SYSTEM_ACCOUNT, producers)?;
    let lower: Name = params.lower_bound.parse().ok()?;
    let mut next = if lower.0 == 0 {
        ledger.secondary_lower_bound(table, Float64((-f64::MAX).to_bits()))
    } else {
        ledger.secondary_primary_lower_bound::<Float64>(table, lower.0)
    };
    let mut rows = Vec::new();
    let mut more = String::new();
    while let Some(at) = next {
        let entry: &SecondaryRow<Float64> = ledger.secondary(at);
        if rows.len() >= usize::try_from(params.limit).unwrap_or(usize::MAX) {
            more = Name(entry.primary).to_string();
            break;
        }
        let bytes = row(ledger, SYSTEM_ACCOUNT, SYSTEM_ACCOUNT, producers, entry.primary)?;
        rows.push(if params.json { decoded(producers, bytes)? } else { hex::encode(bytes).into() });
        if params.until.is_over(rows.len(), 0) {
            more = Name(entry.primary).to_string();
            break;
        }
        next = ledger.next_secondary::<Float64>(at);
    }
    let global = row(ledger, SYSTEM_ACCOUNT, SYSTEM_ACCOUNT, name("global"), name("global").0)?;
    let total = decoded(name("global"), global)?.get("total_producer_vote_weight")?.clone();
    Some(value!({"rows": rows, "total_producer_vote_weight": total, "more": more}))
}
