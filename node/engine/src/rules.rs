//! What this node alone decides of blocks, without clock or lock: which ones it takes, and when it may make its own.
//! The writer calls these; the simulator of whole networks asks of them which heads are current.

use std::collections::VecDeque;

use chain::PreparedBlock;
use primitives::time::SLOT_US;
use primitives::{BlockId, BlockTimestamp, Fault, FaultKind, TimePoint};
use store::Watermark;

/// How far ahead of this node's clock the clock of a block's producer may be.
const BLOCK_AHEAD_MAX_US: i64 = 7_000_000;
/// Blocks that are held at most while this node makes one: more than a round of twelve from each of four peers.
const HELD_BLOCKS_MAX: usize = 64;

/// Refuses a block whose time is far ahead of this node's clock.
///
/// # Errors
/// `block_from_the_future`.
pub fn check_time(id: &BlockId, slot: BlockTimestamp, now: TimePoint) -> Result<(), Fault> {
    if slot.time().0 < now.0 + BLOCK_AHEAD_MAX_US {
        return Ok(());
    }
    let message = format!("received a block from the future, ignoring it: {id}");
    Err(Fault::new(FaultKind::BLOCK_FROM_THE_FUTURE, message))
}

/// Whether a head shows that the chain runs and this node follows it. Before it has seen such a head a node produces
/// nothing, unless it was told to: it may stand on an old branch.
pub fn is_current(head_time: TimePoint, now: TimePoint) -> bool {
    head_time.0 + SLOT_US >= now.0
}

/// What a producer signed already that bars it from the block of `slot` on a head of number `head_num`.
pub fn signed_already(mark: Option<Watermark>, slot: BlockTimestamp, head_num: u32) -> Option<Watermark> {
    mark.filter(|mark| mark.num > head_num || mark.slot >= slot)
}

/// Blocks that came while this node made its own, or waited for code; bounded in number.
#[derive(Debug, Default)]
pub struct Held(VecDeque<PreparedBlock>);

impl Held {
    /// Keeps a block, behind the others. False when there is no room.
    pub fn keep(&mut self, block: PreparedBlock) -> bool {
        if self.0.iter().any(|held| held.id == block.id) {
            return true;
        }
        let room = self.0.len() < HELD_BLOCKS_MAX;
        if room {
            self.0.push_back(block);
        }
        room
    }

    /// Keeps a block that was taken already, before the others.
    pub fn keep_first(&mut self, block: PreparedBlock) {
        self.0.push_front(block);
    }

    /// Takes the first one out.
    pub fn take(&mut self) -> Option<PreparedBlock> {
        self.0.pop_front()
    }

    /// Whether a block is held.
    pub fn contains(&self, id: &BlockId) -> bool {
        self.0.iter().any(|held| held.id == *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_bounded_and_keeps_its_order() {
        let block = |number: u32| {
            let mut block = primitives::SignedBlock::default();
            block.signed_header.header.timestamp = BlockTimestamp(number);
            let mode = chain::PrepareMode::Trusted;
            PreparedBlock::from_block(std::sync::Arc::new(block), &Default::default(), mode).unwrap()
        };
        let mut held = Held::default();
        for number in 0..HELD_BLOCKS_MAX as u32 {
            assert!(held.keep(block(number)) && held.keep(block(number)), "{number}");
        }
        assert!(!held.keep(block(1000)));
        held.keep_first(block(2000));
        let ids: Vec<_> = std::iter::from_fn(|| held.take()).map(|held| held.id).collect();
        assert_eq!(ids[..2], [block(2000).id, block(0).id]);
        assert_eq!(ids.len(), HELD_BLOCKS_MAX + 1);
    }

    #[test]
    fn a_slot_or_number_that_was_signed_is_barred() {
        let mark = |num, slot| Some(Watermark { num, slot: BlockTimestamp(slot) });
        assert_eq!(signed_already(None, BlockTimestamp(5), 4), None);
        assert_eq!(signed_already(mark(4, 4), BlockTimestamp(5), 4), None);
        assert!(signed_already(mark(5, 4), BlockTimestamp(5), 4).is_some(), "the number");
        assert!(signed_already(mark(4, 5), BlockTimestamp(5), 4).is_some(), "the slot");
    }
}
