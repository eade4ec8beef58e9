//! What is known of a chain that is being watched: where it stands, its last blocks, producers and peers.

use std::collections::{BTreeMap, VecDeque};

use primitives::{BlockTimestamp, TimePoint};
use serde_json::{Value, json};

use crate::session::Session;

/// Blocks that are remembered.
pub const BLOCKS_KEPT: usize = 120;
/// Blocks that are fetched at one look; where more came, those before them are left out.
const BLOCKS_FETCHED: u64 = 12;
/// Slots that a producer has in a row.
const TURN_SLOTS: u32 = 12;
/// Rounds without a block after which nobody is said to have missed them: the chain stood still, or time was moved.
const MISSED_ROUNDS_MAX: u32 = 3;

/// A block that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub number: u64,
    /// Its id.
    pub id: String,
    /// Its slot.
    pub slot: BlockTimestamp,
    /// Who made it.
    pub producer: String,
    /// How many transactions it has.
    pub transactions: u64,
}

/// A producer of the schedule in force.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Blocks that it made while it was watched.
    pub made: u64,
    /// Slots of its own without a block meanwhile.
    pub missed: u64,
    /// Its last block that was seen.
    pub last: Option<u64>,
}

/// A peer of the node.
#[derive(Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: String,
    /// The program that it says it is.
    pub agent: String,
    /// Its head as it said last.
    pub head: u64,
    /// Whether the connection stands.
    pub open: bool,
}

/// All that the screen shows.
#[derive(Debug, Default)]
pub struct Watch {
    /// `get_info`.
    pub info: Value,
    /// The last blocks, the newest last.
    pub blocks: VecDeque<Seen>,
    /// Producers in the order of the schedule.
    pub schedule: Vec<String>,
    /// Version of the schedule.
    pub schedule_version: u64,
    /// What they did.
    pub standings: BTreeMap<String, Standing>,
    /// The node's peers; `None` where it does not tell.
    pub peers: Option<Vec<Peer>>,
    /// The chain's own time, on a development chain.
    pub dev_time: Option<String>,
    /// Why the last look failed.
    pub problem: Option<String>,
}

impl Watch {
    /// Asks the node.
    pub fn look(&mut self, session: &Session) -> anyhow::Result<()> {
        let info = session.call("/v1/chain/get_info", &json!({}))?;
        let head = info["head_block_num"].as_u64().unwrap_or_default();
        let elsewhere = |last: &Seen| head < last.number || (head == last.number && info["head_block_id"] != *last.id);
        if self.blocks.back().is_some_and(elsewhere) {
            // Another branch, or a state that was restored.
            self.blocks.clear();
            self.standings.clear();
        }
        let known = self.blocks.back().map_or(0, |block| block.number);
        self.info = info;
        let schedule = session.call("/v1/chain/get_producer_schedule", &json!({}))?;
        self.take_schedule(&schedule["active"]);
        let first = (known + 1).max(head.saturating_sub(BLOCKS_FETCHED - 1)).max(1);
        for number in first..=head {
            let block = session.call("/v1/chain/get_block", &json!({ "block_num_or_id": number }))?;
            self.take_block(&block);
        }
        // Not every node serves these.
        self.peers = session.call("/v1/net/connections", &Value::Null).ok().map(|peers| peers_of(&peers));
        let time = session.call("/v1/dev/get_time", &Value::Null).ok();
        self.dev_time = time.and_then(|time| time["time"].as_str().map(str::to_owned));
        Ok(())
    }

    fn take_schedule(&mut self, active: &Value) {
        let producers = active["producers"].as_array().into_iter().flatten();
        self.schedule = producers.filter_map(|each| each["producer_name"].as_str().map(str::to_owned)).collect();
        self.schedule_version = active["version"].as_u64().unwrap_or_default();
    }

    fn take_block(&mut self, block: &Value) {
        let time = block["timestamp"].as_str().and_then(|time| time.parse::<TimePoint>().ok());
        let (Some(time), Some(number), Some(producer)) =
            (time, block["block_num"].as_u64(), block["producer"].as_str())
        else {
            return;
        };
        if self.blocks.back().is_some_and(|before| before.number + 1 == number && block["previous"] != *before.id) {
            // The branch changed since the last look.
            self.blocks.clear();
        }
        let seen = Seen {
            number,
            id: block["id"].as_str().unwrap_or_default().to_owned(),
            slot: BlockTimestamp::at(time),
            producer: producer.to_owned(),
            transactions: block["transactions"].as_array().map_or(0, |list| list.len() as u64),
        };
        if let Some(before) = self.blocks.back().filter(|before| before.number + 1 == number) {
            for producer in self.missed_between(before.slot, seen.slot) {
                self.standings.entry(producer).or_default().missed += 1;
            }
        }
        let standing = self.standings.entry(seen.producer.clone()).or_default();
        standing.made += 1;
        standing.last = Some(number);
        self.blocks.push_back(seen);
        if self.blocks.len() > BLOCKS_KEPT {
            self.blocks.pop_front();
        }
    }

    /// Whose slots passed between two blocks.
    fn missed_between(&self, before: BlockTimestamp, after: BlockTimestamp) -> Vec<String> {
        let round = TURN_SLOTS * self.schedule.len() as u32;
        let missed = after.0.saturating_sub(before.0 + 1);
        if missed > MISSED_ROUNDS_MAX * round {
            return Vec::new();
        }
        (before.0 + 1..after.0).filter_map(|slot| self.scheduled(BlockTimestamp(slot)).cloned()).collect()
    }

    /// Whose slot it is.
    pub fn scheduled(&self, slot: BlockTimestamp) -> Option<&String> {
        let at = (slot.0 / TURN_SLOTS) as usize;
        self.schedule.get(at.checked_rem(self.schedule.len())?)
    }

    /// A number of `get_info`.
    pub fn number(&self, name: &str) -> u64 {
        let value = &self.info[name];
        value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
    }

    /// Transactions a second over the last blocks that were seen.
    pub fn transactions_per_second(&self) -> f64 {
        let slots = match (self.blocks.front(), self.blocks.back()) {
            (Some(first), Some(last)) => f64::from(last.slot.0.saturating_sub(first.slot.0) + 1),
            _ => return 0.0,
        };
        self.blocks.iter().map(|block| block.transactions).sum::<u64>() as f64 * 2.0 / slots
    }
}

fn peers_of(answer: &Value) -> Vec<Peer> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let peer = |peer: &Value| {
        let handshake = &peer["last_handshake"];
        let names = [text(&peer["peer"]), text(&handshake["p2p_address"])];
        Peer {
            address: names.into_iter().find(|name| !name.is_empty()).unwrap_or_default(),
            agent: text(&handshake["agent"]),
            head: handshake["head_num"].as_u64().unwrap_or_default(),
            open: peer["connecting"] == false,
        }
    };
    answer.as_array().into_iter().flatten().map(peer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u64, time: &str, producer: &str, transactions: usize) -> Value {
        let (id, previous) = (number.to_string(), (number - 1).to_string());
        json!({ "block_num": number, "id": id, "previous": previous, "timestamp": time, "producer": producer,
            "transactions": vec![0; transactions] })
    }

    fn watched() -> Watch {
        let mut watch = Watch::default();
        let producers = ["a", "b"].map(|name| json!({ "producer_name": name }));
        watch.take_schedule(&json!({ "version": 3, "producers": producers }));
        watch
    }

    #[test]
    fn slots_without_blocks_are_their_producers() {
        let mut watch = watched();
        // Twelve slots from 2000-01-01 on are a's, twelve from the sixth second on are b's.
        watch.take_block(&block(2, "2000-01-01T00:00:05.000", "a", 1));
        watch.take_block(&block(3, "2000-01-01T00:00:07.000", "b", 5));
        let standing = |made, missed, last| Standing { made, missed, last: Some(last) };
        assert_eq!(watch.standings["a"], standing(1, 1, 2));
        assert_eq!(watch.standings["b"], standing(1, 2, 3));
        assert_eq!(watch.transactions_per_second(), 12.0 / 5.0);
        // After a jump nobody is blamed.
        watch.take_block(&block(4, "2001-01-01T00:00:05.000", "a", 0));
        assert_eq!(watch.standings["a"], standing(2, 1, 4));
    }

    #[test]
    fn blocks_of_a_branch_that_was_left_are_forgotten() {
        let mut watch = watched();
        let numbers = |watch: &Watch| watch.blocks.iter().map(|block| block.number).collect::<Vec<_>>();
        watch.take_block(&block(7, "2000-01-01T00:00:05.000", "a", 1));
        watch.take_block(&block(8, "2000-01-01T00:00:05.500", "a", 1));
        assert_eq!(numbers(&watch), [7, 8]);
        let mut other = block(9, "2000-01-01T00:00:07.000", "b", 1);
        other["previous"] = json!("8 of another branch");
        watch.take_block(&other);
        assert_eq!(numbers(&watch), [9]);
        // Nobody is blamed for slots between two branches.
        assert_eq!(watch.standings["a"].missed, 0);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut watch = watched();
        for number in 1..1000 {
            watch.take_block(&block(number, "2000-01-01T00:00:05.000", "a", 0));
        }
        assert_eq!(watch.blocks.len(), BLOCKS_KEPT);
        watch.take_block(&json!({}));
        assert_eq!(watch.blocks.back().map(|block| block.number), Some(999));
    }
}
