//! CPU and network bandwidth that a transaction lacks: whose, how much, and the stake that brings it.

use client::ApiFault;
use primitives::{Asset, FaultKind};
use serde_json::{Value, json};

use crate::receipt::FailedAction;
use crate::session::Session;

/// A tenth more than is missing now: what a transaction takes varies.
const MARGIN: f64 = 1.1;

/// Limits that no stake lifts: what a node says, and what helps.
const BEYOND_STAKE: [(&str, &str); 3] = [
    (
        "on chain max_transaction_cpu_usage",
        "No transaction of this chain may take longer. On a busy machine the same again may do; else send fewer actions at once",
    ),
    (
        "max-transaction-time",
        "This node gives no transaction more time; its option --max-transaction-time does, and another node may",
    ),
    ("specified transaction max_cpu_usage_ms", "A higher limit: --max-cpu-usage-ms MS"),
];

/// Slots in the day over which use is averaged.
const WINDOW_SLOTS: f64 = 172_800.0;

/// A limit of an account.
struct Limit {
    name: &'static str,
    unit: &'static str,
    /// In `get_account`: what may be used.
    field: &'static str,
    /// In `get_info`: what a block may use while there is room, and the stake of all.
    block: &'static str,
    total: &'static str,
    /// Whether its stake is the second quantity of `delegatebw`.
    is_second: bool,
}

const CPU: Limit = Limit {
    name: "CPU",
    unit: "us",
    field: "cpu_limit",
    block: "virtual_block_cpu_limit",
    total: "total_cpu_weight",
    is_second: true,
};
const NET: Limit = Limit {
    name: "net",
    unit: "bytes",
    field: "net_limit",
    block: "virtual_block_net_limit",
    total: "total_net_weight",
    is_second: false,
};

/// Which limit, how much is missing, and the command that adds it.
pub fn advice(session: &Session, fault: &ApiFault, text: &str, action: Option<&FailedAction>) -> Option<String> {
    if let Some((_, told)) = BEYOND_STAKE.iter().find(|(said, _)| text.contains(said)) {
        return Some((*told).to_owned());
    }
    let is = |kind: FaultKind| fault.code == u64::from(kind.code);
    let limit = if is(FaultKind::TX_CPU_USAGE_EXCEEDED) {
        CPU
    } else if is(FaultKind::TX_NET_USAGE_EXCEEDED) {
        NET
    } else {
        return None;
    };
    let payer = action.map(|action| action.actor.clone()).or_else(|| session.payer.clone())?;
    let account = session.call("/v1/chain/get_account", &json!({ "account_name": payer })).ok()?;
    let info = session.call("/v1/chain/get_info", &json!({})).ok()?;
    describe(&limit, &payer, &account, &info, text)
}

fn describe(limit: &Limit, payer: &str, account: &Value, info: &Value, text: &str) -> Option<String> {
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let available = number(&account[limit.field]["available"])?;
    // Both messages tell first what is needed: "net usage is too high: 144 > 0", "billed CPU time (312 us) is greater ...".
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit()).filter_map(|word| word.parse::<i64>().ok());
    let missing = (numbers.next()? - available).max(1);
    let Limit { name, unit, .. } = limit;
    let told = format!("{payer} may use {available} {unit} of {name} now and lacks {missing}");
    // Stake brings its share of what all blocks of a day may use.
    let (total, block) = (number(&info[limit.total])?, number(&info[limit.block])?);
    let amount = missing as f64 * MARGIN * total as f64 / (block as f64 * WINDOW_SLOTS).max(1.0);
    let symbol = account["core_liquid_balance"].as_str().and_then(|text| text.parse::<Asset>().ok());
    let symbol = symbol.map_or(primitives::Symbol::default(), |asset| asset.symbol);
    let [more, zero] = [amount.ceil().max(1.0) as i64, 0].map(|amount| match symbol == primitives::Symbol::default() {
        true => "AMOUNT".to_owned(),
        false => Asset { amount, symbol }.to_string(),
    });
    let (net, cpu) = if limit.is_second { (zero, more) } else { (more, zero) };
    Some(format!(
        "{told}: boreas system delegatebw PAYER {payer} \"{net}\" \"{cpu}\", or wait: what was used comes back within a day"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_counted_in_stake() {
        let account = json!({
            "core_liquid_balance": "1.0000 SYS",
            "cpu_limit": { "used": 900, "available": 100, "max": "1000" },
            "net_limit": { "used": 0, "available": "10", "max": 10 },
        });
        let info = json!({
            "virtual_block_cpu_limit": 200_000, "total_cpu_weight": "1728000000",
            "virtual_block_net_limit": 1_000, "total_net_weight": "1728000000",
        });
        let told = |limit, text| describe(limit, "alice", &account, &info, text).expect("advice");
        // 200 us are a 172,800,000th of a day's 34,560,000,000: ten units of stake, a tenth more, and rounded up.
        let text =
            "billed CPU time (300 us) is greater than the maximum billable CPU time for the transaction (100 us)";
        assert_eq!(
            told(&CPU, text),
            "alice may use 100 us of CPU now and lacks 200: boreas system delegatebw PAYER alice \"0.0000 SYS\" \"0.0012 SYS\", \
             or wait: what was used comes back within a day"
        );
        let text = "transaction net usage is too high: 144 > 10";
        assert_eq!(
            told(&NET, text),
            "alice may use 10 bytes of net now and lacks 134: boreas system delegatebw PAYER alice \"0.1474 SYS\" \"0.0000 SYS\", \
             or wait: what was used comes back within a day"
        );
    }
}
