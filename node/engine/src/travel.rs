//! Blocks on demand and time that is moved, on development chains: nobody waits for a slot, the clock goes along with
//! the blocks.
//!
//! A journey is made block by block from the writer's loop, so that commands and readers come in between. The slots that
//! it leaves out stay empty, as if their producers had been down. A journey through time makes a block each day
//! ([`DAY_SLOTS`]), because that is how often the system contract closes an auction, then the block at its end; then a
//! block at the turn of each producer, until the block at the end is irreversible, a schedule that was elected is in
//! force, and nothing scheduled is due.

use std::collections::BTreeSet;

use chain::Chain;
use consensus::header_state::PRODUCER_REPETITIONS;
use primitives::time::SLOT_US;
use primitives::{BlockTimestamp, Name, ProducerAuthority, TimePoint};

use crate::command::{Reply, answer};
use crate::journey::{Arrival, Journey, Leg, Travel};
use crate::slots;
use crate::writer::{Phase, Writer};
use crate::{EngineError, Refusal};

/// Blocks of one journey at most.
pub const BLOCKS_MAX: u32 = 100_000;
/// Journeys that wait for the one before at most.
const WAITING_MAX: usize = 64;
/// Slots of a day.
const DAY_SLOTS: u32 = 2 * 24 * 3600;
/// Blocks of a journey through time at most, before those at its end: a longer one makes its steps longer than a day.
const STEPS_MAX: u32 = 1000;
/// Rounds of all producers after which the end of a journey is not waited for: an election takes fewer than four.
const SETTLE_ROUNDS_MAX: u32 = 6;
/// The same for few producers, who have schedules of many before them.
const SETTLE_BLOCKS_MIN: u32 = 24;
/// The last slot that a journey may lead to: half a year before slots have no numbers left.
const LAST_SLOT: u32 = u32::MAX - 182 * DAY_SLOTS;
/// Pause before a block is tried again whose contract code is being compiled.
const RETRY_US: i64 = 2_000;
/// Tries without a block after which the journey ends.
const TRIES_MAX: u32 = 5_000;

impl Writer {
    /// Sets out, or waits for the journey before.
    pub(crate) fn set_out(
        &mut self,
        journey: Journey,
        reply: Reply<Result<Arrival, Refusal>>,
    ) -> Result<(), EngineError> {
        if self.travels.len() >= WAITING_MAX {
            answer(reply, Err(Refusal::Travel("too many wait for blocks; try again".to_owned())));
            return Ok(());
        }
        // The block of what was done is the first of those that are asked for.
        let sets_out_now = self.travels.is_empty();
        let head_num = Some(self.shared.chain.read().head().number()).filter(|_| sets_out_now);
        let (leg, missing) = (Leg::Start(journey), BTreeSet::new());
        self.travels.push_back(Travel { leg, head_num, blocks: 0, tries: 0, missing, reply });
        self.seal_what_was_done()?;
        // A block that waits for a signature is waited for.
        if self.phase == Phase::Signing { Ok(()) } else { self.plan() }
    }

    /// Ends the block that is being made, if it has transactions: what was done before time or state are moved has
    /// happened by then.
    pub(crate) fn seal_what_was_done(&mut self) -> Result<(), EngineError> {
        let has_some = self.shared.chain.read().pending().is_some_and(|pending| pending.transactions > 0);
        if has_some && matches!(self.phase, Phase::Producing { .. }) { self.seal() } else { Ok(()) }
    }

    /// Makes the next block of the journey that is under way, or ends it. No block is pending.
    pub(crate) fn travel(&mut self) -> Result<(), EngineError> {
        let Some(mut travel) = self.travels.pop_front() else { return Ok(()) };
        match self.next_step(&mut travel) {
            Ok(Some(slot)) => {
                let begin = TimePoint(slot.time().0 - SLOT_US);
                if self.now() < begin {
                    self.shared.clock.set(begin);
                }
                let producer = self.shared.chain.read().head().header.scheduled_producer(slot).clone();
                let deadline = TimePoint(self.now().0 + self.settings.options.cpu_effort_us);
                self.travels.push_front(travel);
                self.start(slot, &producer, Phase::Producing { deadline })?;
                if matches!(self.phase, Phase::Producing { .. }) {
                    self.seal()?;
                }
                if self.phase == Phase::Waiting {
                    let made = self.shared.chain.read().head().header.timestamp() == slot;
                    self.wake = Some(TimePoint(self.now().0 + if made { 0 } else { RETRY_US }));
                }
                Ok(())
            }
            Ok(None) => {
                let arrival = self.arrival(&travel);
                if self.now() < arrival.head_time {
                    self.shared.clock.set(arrival.head_time);
                }
                answer(travel.reply, Ok(arrival));
                self.plan()
            }
            Err(refusal) => {
                answer(travel.reply, Err(refusal));
                self.plan()
            }
        }
    }

    fn arrival(&self, travel: &Travel) -> Arrival {
        Arrival { blocks: travel.blocks, missing: travel.missing.clone(), ..self.standing() }
    }

    /// Where the chain stands.
    pub(crate) fn standing(&self) -> Arrival {
        let chain = self.shared.chain.read();
        Arrival {
            head_num: chain.head().number(),
            head_id: chain.head().id(),
            head_time: chain.head_time(),
            irreversible: chain.root().number(),
            blocks: 0,
            missing: BTreeSet::new(),
        }
    }

    /// The slot of the journey's next block; none at its end.
    fn next_step(&self, travel: &mut Travel) -> Result<Option<BlockTimestamp>, Refusal> {
        let chain = self.shared.chain.read();
        let (head, now) = (chain.head(), self.now());
        let floor = slots::pending_slot(now, chain.head_time()).max(self.given_up.next());
        let producers = &head.header.active_schedule.producers;
        let round = u32::try_from(producers.len()).unwrap_or(u32::MAX);
        // How far the chain came since the last step.
        let made = head.number().saturating_sub(travel.head_num.unwrap_or(head.number()));
        travel.head_num = Some(head.number());
        travel.blocks += made;
        if self.settings.is_last(head.number()) {
            return Ok(None);
        }
        let sets_out = if let Leg::Start(journey) = travel.leg {
            travel.leg = begin(journey, now, floor)?;
            true
        } else {
            false
        };
        if let Leg::Blocks(left) = &mut travel.leg {
            *left = left.saturating_sub(made);
        }
        if sets_out && self.queue.iter().next().is_some() {
            // What waits is for now, and would expire on the way.
            return self.own_slot(floor, producers, travel).map(Some);
        }
        travel.tries = if made > 0 { 0 } else { travel.tries + 1 };
        if travel.tries > TRIES_MAX {
            return Err(Refusal::Travel("no block can be made; the log says why".to_owned()));
        }
        if let Leg::Settle { left, .. } = &mut travel.leg {
            *left = left.saturating_sub(made);
        }
        if let Leg::Through { target, .. } = travel.leg
            && head.header.timestamp() >= target
        {
            travel.leg = Leg::Settle { block: head.number(), left: (SETTLE_ROUNDS_MAX * round).max(SETTLE_BLOCKS_MIN) };
        }
        let wanted = match travel.leg {
            Leg::Blocks(0) | Leg::Start(_) => return Ok(None),
            Leg::Blocks(_) => floor,
            Leg::Through { target, step } => BlockTimestamp(floor.0.saturating_add(step - 1)).min(target).max(floor),
            Leg::Settle { left: 0, .. } => return Ok(None),
            Leg::Settle { block, .. } if is_settled(&chain, block, floor) => return Ok(None),
            // One block of each producer confirms as much as twelve.
            Leg::Settle { .. } if round > 1 => next_turn(head.header.timestamp()).max(floor),
            Leg::Settle { .. } => floor,
        };
        let slot = self.own_slot(wanted, producers, travel)?;
        // A turn that is left out may lead past the end.
        match travel.leg {
            Leg::Through { step, .. } if slot > wanted => travel.leg = Leg::Through { target: slot, step },
            _ => {}
        }
        Ok(Some(slot))
    }

    fn own_slot(
        &self,
        wanted: BlockTimestamp,
        schedule: &[ProducerAuthority],
        travel: &mut Travel,
    ) -> Result<BlockTimestamp, Refusal> {
        self.first_own_slot(wanted, schedule, &mut travel.missing).ok_or_else(|| {
            Refusal::Travel(
                "this node has no key of any scheduled producer. Add one with boreas producer key add".to_owned(),
            )
        })
    }

    /// The first slot from `wanted` on whose producer is one of this node's and has a key here.
    pub(crate) fn first_own_slot(
        &self,
        wanted: BlockTimestamp,
        schedule: &[ProducerAuthority],
        missing: &mut BTreeSet<Name>,
    ) -> Option<BlockTimestamp> {
        let mut slot = wanted;
        // The turn that has begun may come again.
        for _ in 0..=schedule.len() {
            let at = usize::try_from(slot.0 / PRODUCER_REPETITIONS).ok()? % schedule.len().max(1);
            let producer = schedule.get(at)?;
            if self.produces_for(producer) && self.has_keys(&producer.authority) {
                return Some(slot);
            }
            missing.insert(producer.producer_name);
            slot = next_turn(slot);
        }
        None
    }
}

fn begin(journey: Journey, now: TimePoint, floor: BlockTimestamp) -> Result<Leg, Refusal> {
    let target = match journey {
        Journey::Blocks(blocks) if blocks > BLOCKS_MAX => {
            return Err(Refusal::Travel(format!("{blocks} blocks are too many: at most {BLOCKS_MAX} at once")));
        }
        Journey::Blocks(blocks) => return Ok(Leg::Blocks(blocks)),
        Journey::Until(time) => time,
        Journey::By(us) => TimePoint(now.0.saturating_add(us)),
    };
    if target <= now {
        return Err(Refusal::Travel(format!(
            "it is {now} on this chain, and {target} lies behind: time goes ahead only. A saved state brings it back"
        )));
    }
    if target >= BlockTimestamp(LAST_SLOT).time() {
        let last = BlockTimestamp(LAST_SLOT).time();
        return Err(Refusal::Travel(format!("{target} is too late: a chain's slots are numbered until {last}")));
    }
    // The first slot that does not lie before it.
    let slot = BlockTimestamp::at(TimePoint(target.0 + SLOT_US - 1)).max(floor);
    let step = ((slot.0 - floor.0) / STEPS_MAX + 1).max(DAY_SLOTS);
    Ok(Leg::Through { target: slot, step })
}

/// Whether a block is irreversible, no schedule is on its way, and nothing scheduled is due at `slot`.
fn is_settled(chain: &Chain, block: u32, slot: BlockTimestamp) -> bool {
    let ledger = chain.ledger();
    let due = |id| ledger.generated(id).delay_until <= slot.time();
    chain.root().number() >= block
        && chain.head().header.pending_schedule.schedule.producers.is_empty()
        && ledger.global_property().proposed_schedule_block_num.is_none()
        && !ledger.generated_by_delay().next().is_some_and(due)
}

/// The first slot of the turn after the one that `slot` is in.
fn next_turn(slot: BlockTimestamp) -> BlockTimestamp {
    BlockTimestamp((slot.0 / PRODUCER_REPETITIONS).saturating_add(1).saturating_mul(PRODUCER_REPETITIONS))
}
