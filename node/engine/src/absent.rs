//! Producers that let their turns pass.

use std::collections::BTreeMap;

use chain::BlockState;
use consensus::header_state::PRODUCER_REPETITIONS;
use primitives::{BlockTimestamp, Name};

use crate::slots::passed;

/// Slots in a row without a block after which a producer counts as absent: a whole turn.
pub const ABSENT_AFTER_SLOTS: u32 = PRODUCER_REPETITIONS;

/// Slots that scheduled producers let pass, since each made its last block. Counted when a later block comes: while
/// nobody produces nobody can say whose fault it is.
#[derive(Debug, Default)]
pub struct Absent(BTreeMap<Name, u32>);

impl Absent {
    /// The chain goes on with a block, after the slot of the block before it.
    pub fn follow(&mut self, block: &BlockState, after: BlockTimestamp) {
        let passed = passed(after, block.header.timestamp());
        let passed = passed.map(|slot| block.header.scheduled_producer(slot).producer_name);
        let scheduled =
            |producer: Name| block.header.active_schedule.producers.iter().any(|one| one.producer_name == producer);
        self.note(passed, block.header.header.header.producer, scheduled);
    }

    fn note(&mut self, passed: impl Iterator<Item = Name>, produced: Name, scheduled: impl Fn(Name) -> bool) {
        for producer in passed {
            let missed = self.0.entry(producer).or_default();
            *missed = missed.saturating_add(1);
            if *missed == ABSENT_AFTER_SLOTS {
                tracing::warn!(
                    "producer {producer} is absent: it let {ABSENT_AFTER_SLOTS} slots pass, one after another"
                );
            }
        }
        if self.0.remove(&produced).is_some_and(|missed| missed >= ABSENT_AFTER_SLOTS) {
            tracing::info!("producer {produced} produces again");
        }
        self.0.retain(|producer, _| scheduled(*producer));
    }

    /// Who is absent, and how many slots each let pass.
    pub fn list(&self) -> Vec<(Name, u32)> {
        let absent = self.0.iter().filter(|(_, missed)| **missed >= ABSENT_AFTER_SLOTS);
        absent.map(|(producer, missed)| (*producer, *missed)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lets_a_turn_pass_is_absent_until_it_produces() {
        let [a, b, c] = ["a", "b", "c"].map(|text| text.parse::<Name>().unwrap());
        let mut absent = Absent::default();
        absent.note(std::iter::repeat_n(b, 11), a, |_| true);
        assert!(absent.list().is_empty());
        absent.note([b, c].into_iter(), a, |_| true);
        assert_eq!(absent.list(), [(b, 12)]);
        absent.note(std::iter::repeat_n(c, 12), b, |_| true);
        assert_eq!(absent.list(), [(c, 13)], "one that came back begins anew");
        absent.note(std::iter::empty(), a, |producer| producer != c);
        assert!(absent.list().is_empty(), "who is not in the schedule any more has no turn");
    }
}
