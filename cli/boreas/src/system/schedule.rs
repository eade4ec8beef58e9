//! `boreas system schedule`: who produces, who will, when, and who is late.

use std::collections::BTreeMap;

use clap::Args;
use primitives::{BlockTimestamp, TimePoint};
use serde_json::{Value, json};

use super::rules::{Rules, SLOT_US, away, clock, columns, integer, real};
use crate::json::pretty;
use crate::session::{Session, say};

/// Slots that a producer has in a row.
const TURN_SLOTS: i64 = 12;
/// So often the head may become irreversible before its state is asked for.
const HEAD_TRIES: usize = 4;

/// Flags of `system schedule`.
#[derive(Args)]
pub struct ShowSchedule {
    /// Print JSON
    #[arg(short, long)]
    json: bool,
}

/// A producer of the schedule in force.
struct Turn {
    name: String,
    /// Its last block: number and time.
    last: Option<(u64, TimePoint)>,
    /// When its next turn begins, or this one, if it is on.
    next: TimePoint,
    /// The beginning of the turn that it last let go by without any block.
    late_since: Option<TimePoint>,
}

/// The next election.
struct Election {
    /// When it is; `None` before the chain is activated.
    when: Option<TimePoint>,
    /// Who would be elected now, in the order of the schedule.
    elected: Vec<String>,
    /// Why nothing would change.
    why_not: Option<String>,
}

impl ShowSchedule {
    /// Asks and prints.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let rules = Rules::of(session)?;
        let schedules = session.call("/v1/chain/get_producer_schedule", &json!({}))?;
        let active = names(&schedules["active"]);
        let turns = turns(session, &rules, &schedules["active"], &active)?;
        let election = Election::of(session, &rules, &active)?;
        if self.json {
            let turn = |turn: &Turn| {
                json!({
                    "producer": turn.name, "last_block": turn.last.map(|last| last.0),
                    "last_block_time": turn.last.map(|last| last.1), "next_turn": turn.next, "late_since": turn.late_since,
                })
            };
            let waiting = |schedule: &Value| match schedule.is_object() {
                true => json!({ "version": schedule["version"], "producers": names(schedule) }),
                false => Value::Null,
            };
            return say(pretty(&json!({
                "now": rules.now,
                "head_block_num": rules.info["head_block_num"],
                "last_irreversible_block_num": rules.info["last_irreversible_block_num"],
                "version": schedules["active"]["version"],
                "active": turns.iter().map(turn).collect::<Vec<_>>(),
                "pending": waiting(&schedules["pending"]),
                "proposed": waiting(&schedules["proposed"]),
                "next": { "election": election.when, "producers": election.elected, "why_not": election.why_not },
            })));
        }
        self.print(&rules, &schedules, &turns, &election)
    }

    fn print(&self, rules: &Rules, schedules: &Value, turns: &[Turn], election: &Election) -> anyhow::Result<()> {
        let number = |key: &str| rules.info[key].as_u64().unwrap_or_default();
        let (head, irreversible) = (number("head_block_num"), number("last_irreversible_block_num"));
        say(format!(
            "active: version {}, {} producers; head {head}, irreversible {irreversible}",
            schedules["active"]["version"],
            turns.len()
        ))?;
        let mut table = vec![["producer", "last block", "next turn", ""].map(str::to_owned).to_vec()];
        table.extend(turns.iter().map(|turn| {
            let last = turn
                .last
                .map_or_else(|| "none yet".to_owned(), |(number, time)| format!("{number}, {}", away(rules.now, time)));
            let next = if turn.next <= rules.now { "now".to_owned() } else { away(rules.now, turn.next) };
            let late = turn
                .late_since
                .map_or_else(String::new, |since| format!("LATE: no block in its turn of {}", clock(since)));
            vec![turn.name.clone(), last, next, late]
        }));
        say(columns(&table))?;
        for (label, becomes) in [
            ("pending", "active as soon as the block that announced it is irreversible"),
            ("proposed", "pending as soon as the block that proposed it is irreversible"),
        ] {
            if schedules[label].is_object() {
                let producers = names(&schedules[label]);
                say(format!(
                    "\n{label}: version {}, {becomes}\n  {}",
                    schedules[label]["version"],
                    producers.join(" ")
                ))?;
            }
        }
        let when = election
            .when
            .map_or_else(|| "not yet".to_owned(), |when| format!("{}, {}", clock(when), away(rules.now, when)));
        say(format!("\nnext election: {when}"))?;
        match &election.why_not {
            Some(why) => say(format!("  {why}")),
            None => say(format!("  {}", election.elected.join(" "))),
        }
    }
}

/// The producers of a schedule, in its order.
fn names(schedule: &Value) -> Vec<String> {
    let producers = schedule["producers"].as_array().into_iter().flatten();
    producers.filter_map(|producer| producer["producer_name"].as_str().map(str::to_owned)).collect()
}

/// What the producers of the schedule in force did and do next.
fn turns(session: &Session, rules: &Rules, schedule: &Value, active: &[String]) -> anyhow::Result<Vec<Turn>> {
    let head = rules.info["head_block_num"].as_u64().unwrap_or_default();
    let produced = last_produced(session)?;
    let slot = i64::from(BlockTimestamp::at(rules.now).0);
    let round = TURN_SLOTS * active.len().max(1) as i64;
    let mut turns = Vec::new();
    for (index, name) in active.iter().enumerate() {
        // The turn that is on or comes next, and the last one that is over.
        let begin = TURN_SLOTS * index as i64;
        let since_begin = (slot + 1 - begin).rem_euclid(round);
        let next = if since_begin < TURN_SLOTS { slot + 1 - since_begin } else { slot + 1 - since_begin + round };
        let over = next - round;
        let last = last_block(session, name, produced.get(name).copied())?;
        let in_time = last.is_some_and(|(_, time)| i64::from(BlockTimestamp::at(time).0) >= over);
        let late = !in_time && !produced.is_empty() && in_force(session, schedule, head, slot - over)?;
        turns.push(Turn { name: name.clone(), last, next: time_of(next), late_since: late.then(|| time_of(over)) });
    }
    Ok(turns)
}

fn time_of(slot: i64) -> TimePoint {
    TimePoint(TimePoint::from(BlockTimestamp(0)).0 + slot * SLOT_US)
}

/// The numbers of the producers' last blocks; empty where the node keeps no states of headers.
fn last_produced(session: &Session) -> anyhow::Result<BTreeMap<String, u64>> {
    for _ in 0..HEAD_TRIES {
        let info = session.call("/v1/chain/get_info", &json!({}))?;
        // Only blocks that are not irreversible have a state: the head may have become so meanwhile.
        let body = json!({ "block_num_or_id": info["head_block_id"] });
        if let Ok(state) = session.call("/v1/chain/get_block_header_state", &body) {
            let produced = state["producer_to_last_produced"].as_array().into_iter().flatten();
            return Ok(produced.filter_map(|pair| Some((pair[0].as_str()?.to_owned(), pair[1].as_u64()?))).collect());
        }
    }
    Ok(BTreeMap::new())
}

/// A producer's last block. For one that made none since it was elected, nodes tell of a block of another one.
fn last_block(session: &Session, producer: &str, number: Option<u64>) -> anyhow::Result<Option<(u64, TimePoint)>> {
    let Some(number) = number.filter(|number| *number > 0) else { return Ok(None) };
    // The first blocks may be gone, as on a node that began from a snapshot.
    let Ok(block) = session.call("/v1/chain/get_block_info", &json!({ "block_num": number })) else { return Ok(None) };
    let own = block["producer"] == producer;
    Ok(block["timestamp"].as_str().and_then(|time| time.parse().ok()).filter(|_| own).map(|time| (number, time)))
}

/// Whether the schedule was in force so many slots ago. There is at most one block in a slot, so that the block of this
/// number is not younger.
fn in_force(session: &Session, schedule: &Value, head: u64, slots_ago: i64) -> anyhow::Result<bool> {
    let Some(number) = u64::try_from(slots_ago).ok().and_then(|ago| head.checked_sub(ago)).filter(|number| *number > 0)
    else {
        return Ok(false);
    };
    let block = session.call("/v1/chain/get_block", &json!({ "block_num_or_id": number.to_string() }));
    Ok(block.is_ok_and(|block| block["schedule_version"] == schedule["version"]))
}

/// Fewest producers after a schedule of `before`: one third of its confirmations at a time (`size_after` of the system
/// contract).
fn size_after(before: usize) -> usize {
    let behind = before.saturating_sub(1) / 3;
    3 * behind.saturating_sub(1) + 1
}

impl Election {
    /// The contract's rule: the active producers with most votes, and fewer than before only as far as one step of a
    /// smaller schedule goes.
    fn of(session: &Session, rules: &Rules, active: &[String]) -> anyhow::Result<Self> {
        let before = usize::try_from(integer(rules.global("last_producer_schedule_size"))).unwrap_or_default();
        let size = rules.schedule_size().max(size_after(before));
        let answer =
            session.call("/v1/chain/get_producers", &json!({ "json": true, "lower_bound": "", "limit": size }))?;
        let stands = |row: &&Value| integer(&row["is_active"]) != 0 && real(&row["total_votes"]) > 0.0;
        let rows = answer["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut elected: Vec<primitives::Name> =
            rows.iter().take_while(stands).take(size).filter_map(|row| row["owner"].as_str()?.parse().ok()).collect();
        elected.sort();
        let elected: Vec<String> = elected.iter().map(ToString::to_string).collect();
        let when = rules.activated().map(|_| rules.next_election());
        let why_not = if when.is_none() {
            let (need, have) = (rules.min_activated_stake(), integer(rules.global("total_activated_stake")));
            Some(format!(
                "{} must have voted before producers are elected; {} has",
                rules.tokens(need),
                rules.tokens(have)
            ))
        } else if elected.is_empty() {
            Some("no producer that is registered has a vote".to_owned())
        } else if elected.len() < before.min(size) {
            Some(format!(
                "{} have votes, and after a schedule of {before} the next has no fewer than {}",
                elected.len(),
                before.min(size)
            ))
        } else if elected == active {
            Some("nothing would change".to_owned())
        } else {
            None
        };
        Ok(Self { when, elected, why_not })
    }
}
