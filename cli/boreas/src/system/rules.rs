//! What the system contract goes by on a chain: its clock, parameters and counters, and the arithmetic of its rules.
//!
//! The parameters are the row `chainparams`; a contract without that table goes by the reference's numbers, which are
//! the defaults here.

use anyhow::Context;
use primitives::{BlockTimestamp, Symbol, TimePoint};
use serde_json::{Value, json};

use crate::session::Session;

const DAY_SEC: i64 = 24 * 3600;
/// Slots of half a second.
pub const SLOT_US: i64 = 500_000;
const SECOND_US: i64 = 1_000_000;
/// Where steps of a vote's weight are counted from: the year 2000.
const REFERENCE_EPOCH_SEC: i64 = 946_684_800;

/// A chain's rules and where it stands.
#[derive(Debug)]
pub struct Rules {
    /// The time of the head block.
    pub now: TimePoint,
    /// `get_info`.
    pub info: Value,
    /// The chain's own token.
    pub symbol: Symbol,
    global: Value,
    global2: Value,
    parameters: Value,
}

impl Rules {
    /// Asks the node.
    pub fn of(session: &Session) -> anyhow::Result<Self> {
        let info = session.call("/v1/chain/get_info", &json!({}))?;
        let now = info["head_block_time"].as_str().unwrap_or_default().parse().context("the head block's time")?;
        let market = rows(session, "eosio", "rammarket", json!({})).unwrap_or_default();
        let symbol = market.first().and_then(|row| row["quote"]["balance"].as_str()?.parse::<primitives::Asset>().ok());
        let symbol = symbol.context(
            "this chain has no system contract that was initialized: there is nothing to show (boreas get code eosio)",
        )?;
        let one = |table: &str| rows(session, "eosio", table, json!({})).unwrap_or_default().pop().unwrap_or_default();
        Ok(Self {
            now,
            info,
            symbol: symbol.symbol,
            global: one("global"),
            global2: one("global2"),
            parameters: one("chainparams"),
        })
    }

    fn parameter(&self, name: &str, reference: i64) -> i64 {
        self.parameters.get(name).map_or(reference, integer)
    }

    /// A counter of the row `global`.
    pub fn global(&self, name: &str) -> &Value {
        &self.global[name]
    }

    /// Seconds from an undelegation until its refund.
    pub fn refund_delay_sec(&self) -> i64 {
        self.parameter("refund_delay_sec", 3 * DAY_SEC)
    }

    /// Producers in a schedule at most.
    pub fn schedule_size(&self) -> usize {
        usize::try_from(self.parameter("schedule_size", 21)).unwrap_or_default()
    }

    /// Stake that must have voted before there are elections.
    pub fn min_activated_stake(&self) -> i64 {
        self.parameter("min_activated_stake", 1_500_000_000_000)
    }

    /// When enough stake had voted; `None` before.
    pub fn activated(&self) -> Option<TimePoint> {
        Some(time(&self.global["thresh_activated_stake_time"])).filter(|time| time.0 > 0)
    }

    /// When the next block comes that elects producers, if there are blocks.
    pub fn next_election(&self) -> TimePoint {
        // The contract goes by the time of the block before.
        let due = time(&self.global["last_producer_schedule_update"]).0 + self.election_interval_us() + SLOT_US;
        TimePoint(due.max(self.now.0 + SLOT_US))
    }

    /// Microseconds from one election to the next: the contract wants more slots than its parameter.
    pub fn election_interval_us(&self) -> i64 {
        (self.parameter("schedule_interval_slots", 120) + 1) * SLOT_US
    }

    /// Seconds without a higher bid before an auction may close.
    pub fn name_quiet_sec(&self) -> i64 {
        self.parameter("name_quiet_sec", DAY_SEC)
    }

    /// Seconds from the chain's activation until auctions close.
    pub fn name_activation_sec(&self) -> i64 {
        self.parameter("name_activation_sec", 14 * DAY_SEC)
    }

    /// When the next auction may close, as far as the one before it matters.
    pub fn next_name_close(&self) -> TimePoint {
        let interval = self.parameter("name_close_interval_slots", 2 * DAY_SEC);
        TimePoint(time(&self.global["last_name_close"]).0 + (interval + 2) * SLOT_US)
    }

    /// How often the weight of a new vote has doubled at a time.
    pub fn doublings(&self, at: TimePoint) -> f64 {
        let epoch = self.parameter("vote_epoch_sec", REFERENCE_EPOCH_SEC);
        let steps = (at.0 / SECOND_US - epoch) / self.vote_step_sec();
        let before = self.parameters.get("vote_epoch_doublings").map_or(0.0, real);
        before + steps as f64 / self.vote_steps_per_doubling() as f64
    }

    fn vote_step_sec(&self) -> i64 {
        self.parameter("vote_step_sec", 7 * DAY_SEC).max(1)
    }

    fn vote_steps_per_doubling(&self) -> i64 {
        self.parameter("vote_steps_per_doubling", 52).max(1)
    }

    /// Seconds in which a new vote comes to weigh twice as much, so that an old one is worth half.
    pub fn half_life_sec(&self) -> i64 {
        self.vote_step_sec() * self.vote_steps_per_doubling()
    }

    /// Bytes of RAM that come to the market when it is next used.
    pub fn ram_to_come(&self) -> i64 {
        let last = time(&self.global2["last_ram_increase"]);
        let next = (self.now.0 - last.0) / SLOT_US + 1;
        if last.0 == 0 { 0 } else { next.max(0) * integer(&self.global2["new_ram_per_block"]) }
    }

    /// An amount of the chain's own token.
    pub fn tokens(&self, amount: i64) -> String {
        primitives::Asset { amount, symbol: self.symbol }.to_string()
    }
}

/// Rows of a table of the system contract; `more` are further fields of the question.
pub fn rows(session: &Session, scope: &str, table: &str, more: Value) -> anyhow::Result<Vec<Value>> {
    let mut body = json!({ "json": true, "code": "eosio", "scope": scope, "table": table, "limit": 100 });
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    let mut answer = session.call("/v1/chain/get_table_rows", &body)?;
    Ok(answer["rows"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

/// A number of a row, which may be a text.
pub fn integer(value: &Value) -> i64 {
    let text = |value: &Value| value.as_str()?.parse().ok();
    value.as_i64().or_else(|| text(value)).or_else(|| value.as_bool().map(i64::from)).unwrap_or_default()
}

/// A number with a fraction of a row, which may be a text.
pub fn real(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// A time of a row; 1970 where there is none. Some contracts keep microseconds. The beginning of slots, in 2000, is a
/// row's way to say never.
pub fn time(value: &Value) -> TimePoint {
    let text = value.as_str().unwrap_or_default();
    let time = text.parse::<i64>().map(TimePoint).or_else(|_| text.parse::<TimePoint>()).unwrap_or_default();
    if time == BlockTimestamp(0).into() { TimePoint(0) } else { time }
}

/// A time without its fraction, for people.
pub fn clock(time: TimePoint) -> String {
    let text = time.to_string();
    text.split('.').next().unwrap_or_default().replace('T', " ")
}

/// How far away a time is: `in 2 d 3 h`, `4 s ago`, `now`.
pub fn away(now: TimePoint, time: TimePoint) -> String {
    let us = time.0 - now.0;
    match us {
        0 => "now".to_owned(),
        1.. => format!("in {}", span((us + SECOND_US - 1) / SECOND_US)),
        _ => format!("{} ago", span(-us / SECOND_US)),
    }
}

/// Seconds in the two largest units that they have.
pub fn span(seconds: i64) -> String {
    const UNITS: [(i64, &str); 5] = [(364 * DAY_SEC, "y"), (DAY_SEC, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, unit) in UNITS {
        if rest >= size && parts.len() < 2 {
            parts.push(format!("{} {unit}", rest / size));
        } else if !parts.is_empty() {
            break;
        }
        rest %= size;
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// Lines in columns; the first row is the heading.
pub fn columns(table: &[Vec<String>]) -> String {
    let count = table.iter().map(Vec::len).max().unwrap_or_default();
    let cell = |row: &Vec<String>, column: usize| row.get(column).map_or(0, |text| text.chars().count());
    let widths: Vec<_> = (0..count).map(|at| table.iter().map(|row| cell(row, at)).max().unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(text, width)| format!("{text:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    table.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units_at_most() {
        let table = [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (3605, "1 h"), (90_000, "1 d 1 h")];
        for (seconds, text) in table {
            assert_eq!(span(seconds), text);
        }
        assert_eq!(span(400 * DAY_SEC), "1 y 36 d");
        assert_eq!(away(TimePoint(0), TimePoint(1)), "in 1 s");
        assert_eq!(away(TimePoint(2_000_000), TimePoint(500_000)), "1 s ago");
    }

    #[test]
    fn rows_are_read_whatever_their_form() {
        assert_eq!(
            [integer(&json!("12")), integer(&json!(7)), integer(&json!(true)), integer(&json!(null))],
            [12, 7, 1, 0]
        );
        assert_eq!(real(&json!("1.5")), 1.5);
        assert_eq!(time(&json!("2000-01-01T00:00:00.000")), TimePoint(0), "never");
        assert_eq!(time(&json!("2000-01-01T00:00:00.500")).0, 946_684_800_500_000);
        assert_eq!(time(&json!("1500000")), TimePoint(1_500_000));
    }
}
