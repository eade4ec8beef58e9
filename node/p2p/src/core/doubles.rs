//! Producers that sign two blocks for one slot. Both headers together prove it: each has the producer's signature, and
//! only their ids differ.

use std::collections::{BTreeMap, VecDeque};

use primitives::block::SignedBlockHeader;
use primitives::{BlockTimestamp, Name};

use crate::limits::{DOUBLE_SIGNS_MAX, SIGNED_SLOTS_MAX};

/// Two headers of one producer for one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubleSign {
    /// The one that came first.
    pub first: SignedBlockHeader,
    /// The other one.
    pub second: SignedBlockHeader,
}

/// What was signed for the last slots, and who signed twice.
#[derive(Debug, Default)]
pub struct DoubleSigns {
    signed: BTreeMap<(BlockTimestamp, Name), SignedBlockHeader>,
    found: VecDeque<DoubleSign>,
}

impl DoubleSigns {
    /// Notes a header whose signature was checked. Whether it is the proof of a double signing that was not known.
    pub fn note(&mut self, header: SignedBlockHeader) -> bool {
        let key = (header.header.timestamp, header.header.producer);
        let Some(first) = self.signed.get(&key) else {
            self.signed.insert(key, header);
            if self.signed.len() > SIGNED_SLOTS_MAX {
                self.signed.pop_first();
            }
            return false;
        };
        let known = |found: &DoubleSign| (found.first.header.timestamp, found.first.header.producer) == key;
        if first.header.id() == header.header.id() || self.found.iter().any(known) {
            return false;
        }
        self.found.push_back(DoubleSign { first: first.clone(), second: header });
        if self.found.len() > DOUBLE_SIGNS_MAX {
            self.found.pop_front();
        }
        true
    }

    /// Those that are remembered, the oldest first; one for each producer and slot.
    pub fn found(&self) -> impl Iterator<Item = &DoubleSign> {
        self.found.iter()
    }
}

#[cfg(test)]
mod tests {
    use primitives::BlockHeader;

    use super::*;

    fn header(slot: u32, producer: &str, confirmed: u16) -> SignedBlockHeader {
        let producer = producer.parse().unwrap();
        let header = BlockHeader { timestamp: BlockTimestamp(slot), producer, confirmed, ..BlockHeader::default() };
        SignedBlockHeader { header, ..SignedBlockHeader::default() }
    }

    #[test]
    fn two_blocks_for_a_slot_are_found_once() {
        let mut signs = DoubleSigns::default();
        assert!(!signs.note(header(1, "alice", 0)) && !signs.note(header(1, "alice", 0)));
        assert!(!signs.note(header(1, "bob", 1)) && !signs.note(header(2, "alice", 1)));
        assert!(signs.note(header(1, "alice", 1)));
        assert!(!signs.note(header(1, "alice", 1)) && !signs.note(header(1, "alice", 2)));
        let found: Vec<_> = signs.found().cloned().collect();
        assert_eq!(found, [DoubleSign { first: header(1, "alice", 0), second: header(1, "alice", 1) }]);
    }

    #[test]
    fn memory_is_bounded() {
        let mut signs = DoubleSigns::default();
        for slot in 0..3 * SIGNED_SLOTS_MAX as u32 {
            signs.note(header(slot, "alice", 0));
            signs.note(header(slot, "alice", 1));
        }
        assert_eq!((signs.signed.len(), signs.found.len()), (SIGNED_SLOTS_MAX, DOUBLE_SIGNS_MAX));
    }
}
