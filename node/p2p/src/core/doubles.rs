//! Producers that sign two blocks for one slot. Both headers together prove it: each has the producer's signature, and
//! only their ids differ.

use std::collections::{BTreeMap, VecDeque};

use primitives::block::SignedBlockHeader;
use primitives::{BlockHeader, BlockId, BlockTimestamp, Name};

use crate::limits::{DOUBLE_SIGNS_MAX, SIBLINGS_MAX, SIGNED_SLOTS_MAX};

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
    /// The first header for each slot, and the ids of so many as count.
    signed: BTreeMap<(BlockTimestamp, Name), (SignedBlockHeader, Vec<BlockId>)>,
    found: VecDeque<DoubleSign>,
}

impl DoubleSigns {
    /// Notes a header whose signature was checked. Whether it is the proof of a double signing that was not known.
    pub fn note(&mut self, header: SignedBlockHeader) -> bool {
        let (key, id) = ((header.header.timestamp, header.header.producer), header.header.id());
        let Some((first, ids)) = self.signed.get_mut(&key) else {
            self.signed.insert(key, (header, vec![id]));
            if self.signed.len() > SIGNED_SLOTS_MAX {
                self.signed.pop_first();
            }
            return false;
        };
        let known = |found: &DoubleSign| (found.first.header.timestamp, found.first.header.producer) == key;
        if ids.contains(&id) {
            return false;
        }
        if ids.len() < SIBLINGS_MAX {
            ids.push(id);
        }
        if self.found.iter().any(known) {
            return false;
        }
        self.found.push_back(DoubleSign { first: first.clone(), second: header });
        if self.found.len() > DOUBLE_SIGNS_MAX {
            self.found.pop_front();
        }
        true
    }

    /// Whether as many blocks as are wanted are known for a slot of a producer, and this is none of them.
    pub fn is_full(&self, header: &BlockHeader) -> bool {
        let known = self.signed.get(&(header.timestamp, header.producer));
        known.is_some_and(|(_, ids)| ids.len() >= SIBLINGS_MAX && !ids.contains(&header.id()))
    }

    /// Those that are remembered, the oldest first; one for each producer and slot.
    pub fn found(&self) -> impl Iterator<Item = &DoubleSign> {
        self.found.iter()
    }
}

#[cfg(test)]
mod tests {
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
    fn few_blocks_for_a_slot_are_wanted() {
        let mut signs = DoubleSigns::default();
        for confirmed in 0..SIBLINGS_MAX as u16 {
            let signed = header(1, "alice", confirmed);
            assert!(!signs.is_full(&signed.header));
            signs.note(signed);
        }
        assert!(signs.is_full(&header(1, "alice", 99).header) && !signs.is_full(&header(1, "alice", 0).header));
        assert!(!signs.is_full(&header(1, "bob", 99).header) && !signs.is_full(&header(2, "alice", 99).header));
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
