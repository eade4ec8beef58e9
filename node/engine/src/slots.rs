//! When a block is built: pure arithmetic on slots, as nodeos' producer plugin does it.
//!
//! The blocks of a round of twelve are built one after another, each in the producer's CPU effort, so that the last
//! one leaves early and the next producer has it in time.

use consensus::header_state::PRODUCER_REPETITIONS;
use primitives::time::SLOT_US;
use primitives::{BlockTimestamp, Name, ProducerAuthority, TimePoint};
use store::Watermark;

/// How far the head may be ahead of the clock, in microseconds, before it is said that this node waits for its time.
pub const HEAD_AHEAD_MAX_US: i64 = 1_500_000;
/// Slots over which missed ones are counted: ten minutes.
pub const MISSED_WINDOW_SLOTS: u32 = 1200;

/// The slots that went by between two blocks, the last [`MISSED_WINDOW_SLOTS`] of them at most.
pub fn passed(after: BlockTimestamp, slot: BlockTimestamp) -> impl Iterator<Item = BlockTimestamp> {
    let first = after.0.max(slot.0.saturating_sub(MISSED_WINDOW_SLOTS)).saturating_add(1);
    (first..slot.0).map(BlockTimestamp)
}

/// The slot of a block that would be started now on a head of `head_time`.
pub fn pending_slot(now: TimePoint, head_time: TimePoint) -> BlockTimestamp {
    BlockTimestamp::at(now.max(head_time)).next()
}

/// When a producer may start the block of a slot.
pub fn start_time(cpu_effort_us: i64, slot: BlockTimestamp) -> TimePoint {
    let round = slot.0 / PRODUCER_REPETITIONS * PRODUCER_REPETITIONS;
    let index = i64::from(slot.0 % PRODUCER_REPETITIONS);
    TimePoint(BlockTimestamp(round).time().0 - SLOT_US + cpu_effort_us * index)
}

/// When the block of a slot is sealed at the latest.
pub fn deadline(cpu_effort_us: i64, slot: BlockTimestamp) -> TimePoint {
    TimePoint(start_time(cpu_effort_us, slot).0 + cpu_effort_us)
}

/// The next slot of `producer` after `current`, at a head of number `head_num`; none when it is not scheduled.
pub fn next_slot(
    producer: Name,
    current: BlockTimestamp,
    head_num: u32,
    schedule: &[ProducerAuthority],
    watermark: Option<Watermark>,
) -> Option<BlockTimestamp> {
    let turn = u32::try_from(schedule.iter().position(|entry| entry.producer_name == producer)?).ok()?;
    let producers = u32::try_from(schedule.len()).ok()?;
    let mut offset = 1;
    if let Some(mark) = watermark {
        if mark.num > head_num {
            offset = mark.num - head_num + 1;
        }
        if mark.slot > current {
            offset = offset.max(mark.slot.0 - current.0 + 1);
        }
    }
    let first = current.0.checked_add(offset)?;
    let first_turn = first % (producers * PRODUCER_REPETITIONS) / PRODUCER_REPETITIONS;
    if first_turn == turn {
        return Some(BlockTimestamp(first));
    }
    let distance = (turn + producers - first_turn) % producers;
    Some(BlockTimestamp(first / PRODUCER_REPETITIONS * PRODUCER_REPETITIONS + distance * PRODUCER_REPETITIONS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::BlockSigningAuthority;

    fn schedule(names: &[u64]) -> Vec<ProducerAuthority> {
        let authority = BlockSigningAuthority::V0 { threshold: 1, keys: Vec::new() };
        names
            .iter()
            .map(|name| ProducerAuthority { producer_name: Name(*name), authority: authority.clone() })
            .collect()
    }

    #[test]
    fn blocks_of_a_round_follow_each_other_without_a_gap() {
        let slot = BlockTimestamp(24);
        assert_eq!(start_time(450_000, slot).0, slot.time().0 - SLOT_US);
        for index in 0..11 {
            assert_eq!(deadline(450_000, BlockTimestamp(24 + index)), start_time(450_000, BlockTimestamp(25 + index)));
        }
    }

    #[test]
    fn a_producer_waits_for_its_turn() {
        let two = schedule(&[1, 2]);
        assert_eq!(next_slot(Name(1), BlockTimestamp(0), 5, &two, None), Some(BlockTimestamp(1)));
        assert_eq!(next_slot(Name(2), BlockTimestamp(0), 5, &two, None), Some(BlockTimestamp(12)));
        assert_eq!(next_slot(Name(1), BlockTimestamp(11), 5, &two, None), Some(BlockTimestamp(24)));
        assert_eq!(next_slot(Name(3), BlockTimestamp(0), 5, &two, None), None);
        let mark = Watermark { num: 5, slot: BlockTimestamp(6) };
        assert_eq!(next_slot(Name(1), BlockTimestamp(0), 5, &two, Some(mark)), Some(BlockTimestamp(7)));
    }
}
