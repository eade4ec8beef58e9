//! What keeps this node from producing. The loop of the writer meets the same obstacle many times a second; it is told
//! once per turn, with what to do about it.

use std::fmt;
use std::mem::Discriminant;

use consensus::header_state::PRODUCER_REPETITIONS;
use primitives::{BlockTimestamp, Fault, Name};
use rustc_hash::FxHashMap;
use store::Watermark;

use crate::clock::TICK;
use crate::stuck::START_TICKS_MAX;
use crate::{Refusal, Refused};

/// The block that a genesis makes.
const GENESIS_BLOCK: u32 = 1;

/// What is in the way.
#[derive(Debug)]
pub(crate) enum Obstacle {
    /// No signer for any key of the producer's authority.
    NoKey(Name),
    /// A turn of somebody else's producer went by without a block.
    TurnMissed(Name),
    /// The last irreversible block is older than allowed.
    IrreversibleTooOld { age_s: i64, age_max_s: i64 },
    /// The slot or the number was signed for already.
    AlreadySigned { producer: Name, mark: Watermark, head_num: u32 },
    /// The head is of a time that has not come.
    HeadAhead { head_num: u32, ahead_us: i64 },
    /// No block can be started on the head.
    NotStarted(Fault),
    /// What every block begins with takes too long.
    StartTooLong { receiver: Name, action: Name, pause_us: i64 },
    /// The system gives this node too little to run the contracts of the first steps.
    Shortage(String),
    /// The pending block cannot be finished.
    NotSealed(Fault),
    /// A signer gave no signature.
    NotSigned { producer: Name, refusal: Refusal },
    /// A scheduled snapshot was not made.
    NoSnapshot { block_num: u32, refused: Refused },
}

impl Obstacle {
    fn producer(&self) -> Name {
        match self {
            Self::NoKey(producer)
            | Self::TurnMissed(producer)
            | Self::AlreadySigned { producer, .. }
            | Self::NotSigned { producer, .. } => *producer,
            _ => Name::default(),
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey(producer) => write!(
                out,
                "Not producing block because I don't have any private keys relevant to {producer}'s authority. Add it \
                 with: boreas producer key add (or start the node with --signature-provider)"
            ),
            Self::TurnMissed(producer) => write!(
                out,
                "Nobody made the blocks of {producer}'s turn. Where this node shall make them, it needs the producer's key: \
                 boreas producer key add"
            ),
            Self::IrreversibleTooOld { age_s, age_max_s } => write!(
                out,
                "Not producing block because the irreversible block is too old [age:{age_s}s, max:{age_max_s}s]. Raise \
                 --max-irreversible-block-age, or lift it with /v1/producer/update_runtime_options"
            ),
            Self::AlreadySigned { producer, mark, head_num } => write!(
                out,
                "Not producing block because \"{producer}\" signed block {} of slot {} already (head is {head_num}). It \
                 goes on by itself once the chain has passed that block and slot",
                mark.num, mark.slot.0
            ),
            Self::HeadAhead { head_num, ahead_us } => {
                let (cause, remedy) = match *head_num {
                    GENESIS_BLOCK => (
                        "the initial_timestamp of its genesis is of the future",
                        "begin anew with an earlier one: --delete-all-blocks --genesis-json FILE",
                    ),
                    _ => (
                        "the clock of its producer was wrong",
                        "cut the blocks of the future off with --hard-replay-blockchain --truncate-at-block, on every \
                         node that has them",
                    ),
                };
                write!(
                    out,
                    "Not producing block because the head, block {head_num}, is of a time that comes in {} s only: {cause}, \
                     or this machine's clock is wrong (chronyc makestep sets it). It goes on by itself then. To go on at \
                     once, {remedy}",
                    ahead_us / 1_000_000
                )
            }
            Self::NotStarted(fault) => {
                write!(out, "Failed to start a pending block, will try again later: {fault}")
            }
            Self::StartTooLong { receiver, action, pause_us } => write!(
                out,
                "Not producing block because what every block begins with takes more than {} ms: {action} of contract \
                 {receiver}, by eosio's onblock. Every node would stand still for it. It is tried again in {} s. If the \
                 contract does not end, go back to before it was set: boreas dev rewind BLOCK on a development chain, else \
                 --hard-replay-blockchain --truncate-at-block BLOCK on every node",
                START_TICKS_MAX * TICK.as_millis() as u64,
                pause_us / 1_000_000
            ),
            Self::Shortage(what) => {
                let what = what.clone();
                write!(out, "Failed to start a pending block, will try again later: {}", Refusal::Shortage { what })
            }
            Self::NotSealed(fault) => write!(out, "Aborting block due to produce_block error: {fault}"),
            Self::NotSigned { producer, refusal } => write!(out, "a block of {producer} cannot be signed: {refusal}"),
            Self::NoSnapshot { block_num, refused } => {
                write!(out, "a scheduled snapshot of block {block_num} was not made: {refused}")
            }
        }
    }
}

/// Which obstacles were told, and in which turn.
#[derive(Debug, Default)]
pub(crate) struct Obstacles {
    told: FxHashMap<(Discriminant<Obstacle>, Name), u32>,
}

impl Obstacles {
    /// Logs an obstacle met at `slot`, unless one of its kind and producer was logged in the same turn.
    pub fn meet(&mut self, slot: BlockTimestamp, obstacle: &Obstacle) {
        match obstacle {
            _ if !self.is_news(slot, obstacle) => {}
            Obstacle::TurnMissed(_) => tracing::warn!("{obstacle}"),
            _ => tracing::error!("{obstacle}"),
        }
    }

    fn is_news(&mut self, slot: BlockTimestamp, obstacle: &Obstacle) -> bool {
        let turn = slot.0 / PRODUCER_REPETITIONS;
        self.told.insert((std::mem::discriminant(obstacle), obstacle.producer()), turn) != Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::name;

    #[test]
    fn a_genesis_of_the_future_is_not_cut_off() {
        let told = |head_num| Obstacle::HeadAhead { head_num, ahead_us: 7_000_000 }.to_string();
        assert!(told(1).contains("comes in 7 s only: the initial_timestamp of its genesis"), "{}", told(1));
        assert!(told(1).ends_with("--delete-all-blocks --genesis-json FILE"), "{}", told(1));
        assert!(told(2).contains("--truncate-at-block"), "{}", told(2));
    }

    #[test]
    fn each_kind_is_told_once_per_turn_and_producer() {
        let mut obstacles = Obstacles::default();
        let mut told = |slot, obstacle: Obstacle| obstacles.is_news(BlockTimestamp(slot), &obstacle);
        let (a, b) = (name!("a"), name!("b"));
        assert!(told(24, Obstacle::NoKey(a)));
        assert!(!told(24, Obstacle::NoKey(a)) && !told(35, Obstacle::NoKey(a)), "the same turn");
        assert!(told(35, Obstacle::NoKey(b)), "another producer");
        let age = |age_s| Obstacle::IrreversibleTooOld { age_s, age_max_s: 5 };
        assert!(told(35, age(7)) && !told(35, age(8)), "another kind, whatever its numbers are");
        assert!(told(36, Obstacle::NoKey(a)) && told(36, age(9)), "the next turn");
    }
}
