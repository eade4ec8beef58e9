//! Journeys through the time of a development chain: where to, how far they are, and where they have led.

use std::collections::{BTreeSet, VecDeque};

use primitives::{BlockId, BlockTimestamp, Name, TimePoint};
use tokio::sync::oneshot;

use crate::refusal::Refusal;

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journey {
    /// So many blocks, each in the next slot whose producer this node has.
    Blocks(u32),
    /// To a time that lies ahead.
    Until(TimePoint),
    /// Ahead by so many microseconds.
    By(i64),
}

/// Where a journey has led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The head's number.
    pub head_num: u32,
    /// The head's id.
    pub head_id: BlockId,
    /// The head's time.
    pub head_time: TimePoint,
    /// The number of the last irreversible block.
    pub irreversible: u32,
    /// How many blocks were made.
    pub blocks: u32,
    /// Producers whose turns were left out, because this node has no key of theirs.
    pub missing: BTreeSet<Name>,
}

/// A journey under way.
#[derive(Debug)]
pub(crate) struct Travel {
    /// What is to be done next.
    pub leg: Leg,
    /// The head's number as of the last step; none where another journey comes first.
    pub head_num: Option<u32>,
    /// Blocks that were made.
    pub blocks: u32,
    /// Steps in a row that made none.
    pub tries: u32,
    /// Producers whose turns were left out.
    pub missing: BTreeSet<Name>,
    /// Who waits for the arrival.
    pub reply: oneshot::Sender<Result<Arrival, Refusal>>,
}

/// A part of a journey.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Leg {
    /// Not begun.
    Start(Journey),
    /// Blocks that are still to be made.
    Blocks(u32),
    /// To a slot, in steps of so many.
    Through { target: BlockTimestamp, step: u32 },
    /// Until this block is irreversible, with so many blocks at most.
    Settle { block: u32, left: u32 },
}

/// Journeys, the first of them under way.
pub(crate) type Travels = VecDeque<Travel>;
