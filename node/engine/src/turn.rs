//! Ending the node at a turn of a producer (nodeos: test_control_plugin.cpp): tests of many nodes rest on it.

use chain::BlockState;
use consensus::header_state::PRODUCER_REPETITIONS;
use primitives::{BlockTimestamp, Name};

use crate::moved::{Follows, Moved};

/// Where to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndAtTurn {
    /// Whose turn; the empty name for nobody's.
    pub producer: Name,
    /// Which of the producer's slots in a row, from 0.
    pub slot: u32,
    /// Whether irreversible blocks are counted instead of accepted ones.
    pub irreversible: bool,
}

/// Looks out for the turn.
#[derive(Debug, Default)]
pub(crate) struct TurnWatch {
    wanted: EndAtTurn,
    /// Whether another producer's turn was seen since: the end is in a turn that is seen from its beginning.
    began_outside: bool,
    in_turn: bool,
    over: bool,
}

impl TurnWatch {
    pub fn new(wanted: EndAtTurn) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// Whether the node shall end.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Looks at a block, whose schedule says who is next after the head. Whether the node shall end.
    fn sees(&mut self, state: &BlockState, after_head: BlockTimestamp) -> bool {
        if self.wanted.producer.is_empty() {
            return false;
        }
        let next = state.header.scheduled_producer(after_head).producer_name;
        self.began_outside |= next != self.wanted.producer;
        if !self.began_outside || (next != self.wanted.producer && !self.in_turn) {
            return false;
        }
        self.in_turn = true;
        // A producer that misses the rest of its turn ends it too.
        let slot = after_head.0 % PRODUCER_REPETITIONS;
        slot >= self.wanted.slot || next != self.wanted.producer
    }
}

impl Follows for TurnWatch {
    fn follow(&mut self, moved: &Moved<'_>) {
        let counts_irreversible = self.wanted.irreversible;
        let mut sees = |state: &BlockState, slot: BlockTimestamp| self.sees(state, slot.next());
        let over = if counts_irreversible {
            moved.applied.irreversible.iter().any(|state| sees(state, moved.head.header.timestamp()))
        } else {
            moved.applied.applied.iter().any(|sealed| sees(&sealed.state, sealed.state.header.timestamp()))
        };
        if over {
            tracing::info!("shutting down: the turn of the producer that was named has come");
            self.over = true;
        }
    }
}
