//! Building blocks: when to start one, and what goes into it. The rules are those of nodeos'
//! producer plugin; the writer's thread runs them.

use std::collections::BTreeSet;
use std::sync::Arc;

use chain::{BlockPurpose, BlockState, Bounds, ChainError, ScheduledTransaction, StartBlock};
use consensus::header_state::PRODUCER_REPETITIONS;
use execution::{Budget, Ending, ExecutedTransaction, RecoveredTransaction, TransactionTrace, budget::UNLIMITED_US};
use ledger::GeneratedTransaction;
use primitives::time::SLOT_US;
use primitives::{
    BlockSigningAuthority, BlockTimestamp, Checksum256, Fault, FaultKind, Name, ProducerAuthority, TimePoint,
    TimePointSec, TransactionId, ensure,
};
use rustc_hash::FxHashSet;
use store::{EVERYBODY, Watermark};

use crate::command::{Origin, Submission, SubmitKind, answer};
use crate::console::CONSOLE_TARGET;
use crate::holds::Hold;
use crate::metrics::Held;
use crate::obstacles::Obstacle;
use crate::planted::Planted;
use crate::queue::{Waiting, check_expiration};
use crate::retry::{self, is_executed_input};
use crate::stuck::START_TICKS_MAX;
use crate::writer::{Phase, Writer};
use crate::{Blocks, CpuBilling, EngineError, Refusal, Signer, rules, slots, transients};

/// Age of the head, in microseconds, beyond which nothing is run speculatively on it.
const STALE_HEAD_US: i64 = 5_000_000;
/// Pause before a failed start of a block is tried again.
const RETRY_START_US: i64 = 50_000;
/// Microseconds that an action is billed where bills are fixed.
const FIXED_CPU_US_PER_ACTION: usize = 100;
/// Bytes of a transaction that are billed as a microsecond there.
const FIXED_CPU_BYTES_PER_US: usize = 16;
/// How many times `max-transaction-time` a transaction may run there: a slow machine does not decide what succeeds.
const FIXED_CPU_PATIENCE: i64 = 10;
/// The deadline of a block that is sealed when somebody asks.
const NEVER: TimePoint = TimePoint(i64::MAX);
/// Slots after which there is a block even if nothing happens, where empty ones are left out: five seconds, so that what
/// clients count from the head, such as expirations of thirty seconds, holds.
const IDLE_SLOTS_MAX: u32 = 10;
/// Scheduled transactions looked at together.
const SCHEDULED_BATCH: usize = 256;

/// Ticks of 10 ms that the start of a block may run in the first tier before it waits for the optimised form.
const START_FIRST_TIER_TICKS: u32 = 2;

/// How a transaction fared in the pending block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// It ran, or failed for good.
    Done,
    /// It did not fit any more, but smaller ones may.
    Later,
    /// The block is full.
    BlockFull,
}

impl Writer {
    /// The timer rang.
    pub(crate) fn on_time(&mut self) -> Result<(), EngineError> {
        self.wake = None;
        match self.phase {
            Phase::Producing { .. } if self.travels.is_empty() => self.seal_unless_idle()?,
            Phase::Producing { .. } => {}
            Phase::Signing => self.end_signing()?,
            Phase::Speculating | Phase::Waiting => {}
        }
        match self.phase {
            // A block that waits for its signatures rings again.
            Phase::Signing => Ok(()),
            _ if self.travels.is_empty() => self.plan(),
            _ => {
                self.abort();
                self.take_held()?;
                self.travel()
            }
        }
    }

    /// Decides what to do next and, when it is time, starts a block.
    pub(crate) fn plan(&mut self) -> Result<(), EngineError> {
        self.abort();
        self.take_held()?;
        if !self.travels.is_empty() {
            self.wake = Some(self.now());
            return Ok(());
        }
        let time = self.now();
        let (head, head_time, irreversible_only) = {
            let chain = self.shared.chain.read();
            (Arc::clone(chain.head()), chain.head_time(), chain.is_irreversible_only())
        };
        if self.settings.is_last(head.number()) {
            tracing::info!("Reached configured maximum block {}; terminating", self.settings.terminate_at_block);
            self.finished = true;
            return Ok(());
        }
        if irreversible_only {
            // Nothing is built on a block that others follow already.
            return Ok(());
        }
        let effort = self.settings.options.cpu_effort_us;
        let Blocks::Slots { every, .. } = self.settings.blocks else { return self.open_block() };
        let slot = slots::pending_slot(time, head_time).max(self.given_up.next());
        let slot = BlockTimestamp(slot.0.div_ceil(every).saturating_mul(every));
        let producer = head.header.scheduled_producer(slot).clone();
        if self.may_produce(&producer, slot, head.number()) {
            self.tell_missed_turns(&head, slot);
            let start = slots::start_time(effort, slot);
            // Where blocks are rare, each is begun at once, so that nobody waits for an answer.
            if time < start && every == 1 {
                let ahead_us = head_time.0 - time.0;
                if ahead_us > slots::HEAD_AHEAD_MAX_US {
                    self.obstacles.meet(slot, &Obstacle::HeadAhead { head_num: head.number(), ahead_us });
                }
                self.wake = Some(start);
                return Ok(());
            }
            let deadline = slots::deadline(effort, slot);
            return self.start(slot, &producer, Phase::Producing { deadline });
        }
        if time.0 - head_time.0 <= STALE_HEAD_US {
            self.start(slot, &producer, Phase::Speculating)?;
        }
        let next = self.next_turn(slot, head.number(), &head.header.active_schedule.producers);
        // The blocks of a round are begun ahead of their slots. One that is not produced is over with its slot.
        self.wake = next.map(|start| start.max(slot.time()));
        Ok(())
    }

    /// Tells of the producers of others whose whole turns went by since the head. Where a round of turns did, this node
    /// stood still itself.
    fn tell_missed_turns(&mut self, head: &BlockState, slot: BlockTimestamp) {
        let (first, schedule) = (head.header.timestamp().next(), &head.header.active_schedule.producers);
        let turns = first.0.div_ceil(PRODUCER_REPETITIONS)..slot.0 / PRODUCER_REPETITIONS;
        if turns.len() >= schedule.len() {
            return;
        }
        for turn in turns {
            let missed = head.header.scheduled_producer(BlockTimestamp(turn * PRODUCER_REPETITIONS));
            if !self.produces_for(missed) {
                self.obstacles.meet(slot, &Obstacle::TurnMissed(missed.producer_name));
            }
        }
    }

    /// Begins the block of the next slot, which is sealed after a transaction or when somebody asks: time stands still.
    fn open_block(&mut self) -> Result<(), EngineError> {
        if self.paused {
            return Ok(());
        }
        if let Some(until) = self.stuck_until() {
            self.wake = Some(until);
            return Ok(());
        }
        let head = Arc::clone(self.shared.chain.read().head());
        let next = head.header.timestamp().next().max(self.given_up.next());
        let mut missing = BTreeSet::new();
        let Some(slot) = self.first_own_slot(next, &head.header.active_schedule.producers, &mut missing) else {
            missing.into_iter().for_each(|producer| self.obstacles.meet(next, &Obstacle::NoKey(producer)));
            return Ok(());
        };
        self.hold_time_at(slot);
        self.start(slot, &head.header.scheduled_producer(slot).clone(), Phase::Producing { deadline: NEVER })
    }

    /// Where time goes with the blocks alone, it is the beginning of a block's slot.
    fn hold_time_at(&self, slot: BlockTimestamp) {
        if self.settings.blocks.hold_time() {
            self.shared.clock.set(TimePoint(slot.time().0 - SLOT_US));
        }
    }

    /// Ends the pending block, unless it is empty and none of those is wanted.
    fn seal_unless_idle(&mut self) -> Result<(), EngineError> {
        let Blocks::Slots { empty: false, .. } = self.settings.blocks else { return self.seal() };
        let idle = self
            .shared
            .chain
            .read()
            .pending()
            .filter(|pending| pending.transactions == 0)
            .map(|pending| pending.timestamp);
        match idle.filter(|slot| !self.is_awaited(*slot)) {
            Some(slot) => self.given_up = slot,
            None => self.seal()?,
        }
        Ok(())
    }

    /// Whether somebody waits for the block of a slot though it is empty: for what was done to become irreversible, for a
    /// schedule, or for a sign of life, from which clients count.
    fn is_awaited(&self, slot: BlockTimestamp) -> bool {
        let chain = self.shared.chain.read();
        let (head, ledger) = (&chain.head().header, chain.ledger());
        slot.0 - head.timestamp().0 >= IDLE_SLOTS_MAX
            || self.awaited.waits(chain.root().number())
            || !head.pending_schedule.schedule.producers.is_empty()
            || ledger.global_property().proposed_schedule_block_num.is_some()
            || self.snapshots.are_pending()
    }

    /// Whether this node produces the block of `slot`, scheduled for `producer`.
    fn may_produce(&mut self, producer: &ProducerAuthority, slot: BlockTimestamp, head_num: u32) -> bool {
        if !self.production_enabled || self.paused || self.stuck_until().is_some() || !self.produces_for(producer) {
            return false;
        }
        let obstacle = self.obstacle(producer, slot, head_num);
        obstacle.iter().for_each(|obstacle| self.obstacles.meet(slot, obstacle));
        obstacle.is_none()
    }

    /// Until when no block is begun on the head because its start took too long.
    fn stuck_until(&self) -> Option<TimePoint> {
        self.stuck.until(self.shared.chain.read().head().id(), self.now())
    }

    /// What keeps this node from producing the block of `slot` for one of its producers.
    fn obstacle(&self, producer: &ProducerAuthority, slot: BlockTimestamp, head_num: u32) -> Option<Obstacle> {
        let ProducerAuthority { producer_name: producer, authority } = producer;
        if self.signers(authority).is_empty() {
            return Some(Obstacle::NoKey(*producer));
        }
        let age_max_s = i64::from(self.settings.options.max_irreversible_block_age_s);
        let age_s = (self.now().0 - self.shared.chain.read().root().header.timestamp().time().0).max(0) / 1_000_000;
        if age_max_s >= 0 && age_s >= age_max_s {
            return Some(Obstacle::IrreversibleTooOld { age_s, age_max_s });
        }
        let mark = rules::signed_already(self.watermark(*producer), slot, head_num)?;
        Some(Obstacle::AlreadySigned { producer: *producer, mark, head_num })
    }

    /// When one of this node's producers has its next turn; the block is started a slot earlier.
    fn next_turn(&self, slot: BlockTimestamp, head_num: u32, schedule: &[ProducerAuthority]) -> Option<TimePoint> {
        if !self.production_enabled || self.paused {
            return None;
        }
        let turn = |producer: &ProducerAuthority| {
            let name = producer.producer_name;
            slots::next_slot(name, slot, head_num, schedule, self.watermark(name))
        };
        let next = schedule.iter().filter(|producer| self.produces_for(producer)).filter_map(turn).min()?;
        Some(slots::start_time(self.settings.options.cpu_effort_us, next))
    }

    pub(crate) fn watermark(&self, producer: Name) -> Option<Watermark> {
        let producing = self.shared.producer.read();
        let mark = |name| producing.watermarks.get(&name).copied();
        store::later(mark(producer), mark(EVERYBODY))
    }

    /// Whether this node makes the blocks of a producer.
    pub(crate) fn produces_for(&self, producer: &ProducerAuthority) -> bool {
        self.settings.produces_for(producer, &self.added_keys)
    }

    /// Whether the keys of this node make a valid signature.
    pub(crate) fn has_keys(&self, authority: &BlockSigningAuthority) -> bool {
        let BlockSigningAuthority::V0 { threshold, keys } = authority;
        let is_here = |public| self.settings.signers.iter().any(|(key, _)| key == public);
        let weight: u32 = keys.iter().filter(|each| is_here(&each.key)).map(|each| u32::from(each.weight)).sum();
        weight >= *threshold
    }

    pub(crate) fn signers(&self, authority: &BlockSigningAuthority) -> Vec<Signer> {
        let BlockSigningAuthority::V0 { keys, .. } = authority;
        let held =
            |public| self.settings.signers.iter().find(|(key, _)| key == public).map(|(_, signer)| signer.clone());
        keys.iter().filter_map(|weighted| held(&weighted.key)).collect()
    }

    pub(crate) fn start(
        &mut self,
        slot: BlockTimestamp,
        producer: &ProducerAuthority,
        phase: Phase,
    ) -> Result<(), EngineError> {
        let producing = matches!(phase, Phase::Producing { .. });
        let mut chain = self.shared.chain.write(Hold::StartBlock);
        let head = &chain.head().header;
        let last_signed = match self.plants(Planted::DoubleVote) {
            true => head.producer_to_last_produced.get(&producer.producer_name).copied(),
            false => self.watermark(producer.producer_name).map(|mark| mark.num),
        };
        let confirmed = match last_signed {
            Some(_) if producing => head.blocks_to_confirm(last_signed),
            _ => 0,
        };
        let asked = if producing { self.shared.producer.read().scheduled_features.clone() } else { Vec::new() };
        let features = merged(&asked, chain.preactivated_features());
        let purpose = if producing { BlockPurpose::Produce } else { BlockPurpose::Speculate };
        let head_id = chain.head().id();
        // As a transaction, it waits for the optimised form of its code.
        self.machine.bound(Some(Bounds { first_tier: Some(START_FIRST_TIER_TICKS), all: Some(START_TICKS_MAX) }));
        let started =
            chain.start_block(&mut self.machine, &StartBlock { timestamp: slot, confirmed, features, purpose });
        self.machine.bound(None);
        let undo_bytes = chain.ledger().undo_bytes();
        drop(chain);
        let (contracts, contract_bytes) = (self.machine.loaded_count(), self.machine.loaded_bytes());
        let held = Held { undo_bytes, contracts, contract_bytes };
        self.shared.metrics.holds(held);
        self.shared.metrics.loaded(transients::BREAKER, self.transients.load());
        self.shared.metrics.loaded(retry::BREAKER, self.retry.load());
        self.optimise_used_code();
        match started {
            Ok(()) => {
                if producing && self.stuck.is_over() {
                    self.shared.health.starts_blocks();
                }
                self.features_signaled = producing && !asked.is_empty();
                self.phase = phase;
                if let Phase::Producing { deadline } = phase {
                    self.wake = Some(deadline).filter(|deadline| *deadline != NEVER);
                }
                self.fill()
            }
            Err(ChainError::NeedsCode(missing)) => {
                // Ready code makes the writer plan again.
                self.need_code(*missing);
                self.wake = Some(slots::deadline(self.settings.options.cpu_effort_us, slot).max(slot.time()));
                Ok(())
            }
            Err(ChainError::TooLong { receiver, action }) => {
                let pause_us = self.stuck.meet(head_id, self.now());
                let obstacle = Obstacle::StartTooLong { receiver, action, pause_us };
                self.shared.health.starts_no_block(obstacle.to_string());
                self.obstacles.meet(slot, &obstacle);
                if let Some(travel) = self.travels.pop_front() {
                    answer(travel.reply, Err(Refusal::Travel(obstacle.to_string())));
                }
                self.wake = Some(self.now());
                Ok(())
            }
            // The command to do so comes next.
            Err(ChainError::Stopping) => Ok(()),
            Err(ChainError::Shortage(what)) => {
                self.obstacles.meet(slot, &Obstacle::Shortage(what));
                self.wake = Some(TimePoint(self.now().0 + RETRY_START_US));
                Ok(())
            }
            Err(ChainError::Block(fault)) => {
                if !asked.is_empty() {
                    tracing::warn!("protocol features to activate are no longer all valid: {fault}");
                    self.shared.producer.write().scheduled_features.clear();
                }
                self.obstacles.meet(slot, &Obstacle::NotStarted(*fault));
                self.wake = Some(TimePoint(self.now().0 + RETRY_START_US));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Puts what waits into the block that was just started.
    fn fill(&mut self) -> Result<(), EngineError> {
        let pending_time = self.pending_time();
        let head = self.shared.chain.read().head().number();
        self.shared.subjective.lock().block_begins(head, pending_time, self.now());
        self.queue.drop_expired(pending_time);
        let mut full = false;
        let mut aborted = self.queue.take_aborted();
        while let Some(waiting) = aborted.pop_front() {
            if full || self.out_of_time() {
                self.queue.keep_aborted(waiting);
                continue;
            }
            full = self.run_waiting(waiting, true)? == Fit::BlockFull;
        }
        if matches!(self.phase, Phase::Producing { .. }) && !full {
            full = self.run_scheduled()?;
        }
        full = full || self.run_incoming()?;
        if full && matches!(self.phase, Phase::Producing { .. }) {
            self.wake = Some(self.now());
        }
        self.publish_waiting();
        Ok(())
    }

    /// Runs incoming transactions that wait, those of peers and others by turns. Whether the block is full.
    fn run_incoming(&mut self) -> Result<bool, EngineError> {
        let (mut others, mut peers) = self.queue.incoming_len();
        let (mut of_peer, mut spent) = (false, false);
        while others + peers > 0 && !self.out_of_time() {
            if peers > 0 && self.peers_failures.is_empty(self.now()) {
                (peers, spent) = (0, true);
                continue;
            }
            of_peer = peers > 0 && (!of_peer || others == 0);
            *(if of_peer { &mut peers } else { &mut others }) -= 1;
            let Some(waiting) = self.queue.take_incoming(of_peer) else { continue };
            if self.run_waiting(waiting, false)? == Fit::BlockFull {
                return Ok(true);
            }
        }
        self.peers_wait = spent;
        Ok(false)
    }

    /// Runs scheduled transactions that are due, mixed with incoming ones. Whether the block is full.
    fn run_scheduled(&mut self) -> Result<bool, EngineError> {
        let options = self.settings.options;
        let (mut until, mut is_whole) = (self.deadline(), true);
        if options.max_scheduled_transaction_time_per_block_ms >= 0 {
            let share = i64::from(options.max_scheduled_transaction_time_per_block_ms) * 1000;
            let end = TimePoint(self.now().0 + share);
            (until, is_whole) = (until.min(end), end <= until);
        }
        let block_time = self.pending_time();
        let mut tried = FxHashSet::<TransactionId>::default();
        let mut owed = 0.0;
        loop {
            let due = {
                let may_run = |waiting: &GeneratedTransaction| {
                    let GeneratedTransaction { trx_id, payer, expiration, .. } = waiting;
                    !tried.contains(trx_id) && !self.put_off.leaves_out(trx_id, *payer, *expiration, block_time)
                };
                self.shared.chain.read().scheduled_ready(SCHEDULED_BATCH, may_run)
            };
            if due.is_empty() {
                return Ok(false);
            }
            for ScheduledTransaction { id, payer, expiration } in due {
                while owed >= 1.0 && self.now() < until {
                    let other = self.queue.take_incoming(false);
                    let Some(waiting) = other.or_else(|| self.take_of_peer()) else { break };
                    owed -= 1.0;
                    if self.run_waiting(waiting, false)? == Fit::BlockFull {
                        return Ok(true);
                    }
                }
                if self.now() >= until {
                    return Ok(false);
                }
                // The payer's others wait for a later block once one took too long in this one.
                if self.put_off.leaves_out(&id, payer, expiration, block_time) {
                    continue;
                }
                // No later block has more time for it.
                let has_whole_share = is_whole && tried.is_empty();
                tried.insert(id);
                let budget = match self.settings.cpu {
                    CpuBilling::Measured => self.budget(until),
                    CpuBilling::Fixed => self.fixed_scheduled_budget(until),
                };
                let pushed = self.shared.chain.write(Hold::Transaction).push_scheduled(&mut self.machine, &id, budget);
                let executed = match pushed {
                    Ok(executed) => executed,
                    Err(ChainError::NeedsCode(missing)) => {
                        // It stays scheduled.
                        self.need_code(*missing);
                        continue;
                    }
                    Err(ChainError::Shortage(what)) => {
                        tracing::error!("scheduled transaction {id} waits: {}", Refusal::Shortage { what });
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                self.expect_code_of(&executed.trace);
                if executed.ending == Ending::Failed
                    && let Some(fault) = executed.fault()
                {
                    let by_own_time = fault.kind == FaultKind::DEADLINE_EXCEPTION && has_whole_share;
                    if !is_exhausted(fault) || by_own_time {
                        self.put_off.failed(id, payer, expiration, block_time);
                    } else if self.block_is_full() {
                        return Ok(true);
                    }
                }
                owed += options.incoming_defer_ratio;
            }
        }
    }

    /// The next transaction of a peer that waits, if they may take time.
    fn take_of_peer(&mut self) -> Option<Waiting> {
        if self.peers_failures.is_empty(self.now()) { None } else { self.queue.take_incoming(true) }
    }

    /// A transaction from outside.
    pub(crate) fn submit(&mut self, submission: Submission) -> Result<(), EngineError> {
        let Submission { transaction, kind, origin, purse, reply } = submission;
        match kind {
            SubmitKind::Input { return_failure_trace, patience } => {
                let reply = Some(reply);
                self.run_or_queue(Waiting { transaction, return_failure_trace, patience, origin, purse, reply })
            }
            SubmitKind::DryRun | SubmitKind::ReadOnly => {
                self.queue_transient(Submission { transaction, kind, origin, purse, reply });
                Ok(())
            }
        }
    }

    /// Runs a transaction in the pending block, or lets it wait for one.
    pub(crate) fn run_or_queue(&mut self, waiting: Waiting) -> Result<(), EngineError> {
        if self.is_spent(&waiting) {
            reply_to(waiting.reply, Err(Refusal::Spent.into()));
            return Ok(());
        }
        if waiting.origin == Origin::Network && self.peers_failures.is_empty(self.now()) {
            self.peers_wait = true;
        }
        let after_others = waiting.origin == Origin::Network && self.peers_wait;
        if after_others || matches!(self.phase, Phase::Waiting | Phase::Signing) {
            match self.may_wait(&waiting.transaction) {
                Ok(()) => self.queue.add_incoming(waiting),
                Err(fault) => reply_to(waiting.reply, Err(fault.into())),
            }
            return Ok(());
        }
        let fit = self.run_waiting(waiting, false)?;
        match (fit, self.phase) {
            (Fit::BlockFull, Phase::Producing { .. }) => self.wake = Some(self.now()),
            (Fit::BlockFull | Fit::Later, Phase::Speculating) => return self.plan(),
            _ => {}
        }
        Ok(())
    }

    /// Whether failed transactions of the same peer took all that they may.
    fn is_spent(&self, waiting: &Waiting) -> bool {
        waiting.purse.as_ref().is_some_and(|purse| purse.is_empty(self.now()))
    }

    /// Refuses what no later block takes: on a node that stands still nobody would be told (nodeos'
    /// `process_incoming_transaction_async`).
    fn may_wait(&self, transaction: &RecoveredTransaction) -> Result<(), Fault> {
        check_expiration(transaction, self.pending_time())?;
        let known = self.shared.chain.read().ledger().is_known_transaction(&transaction.id);
        ensure!(!known, TX_DUPLICATE, "duplicate transaction {}", transaction.id);
        Ok(())
    }

    /// Runs a waiting transaction in the pending block, answers, or lets it wait again.
    fn run_waiting(&mut self, waiting: Waiting, was_aborted: bool) -> Result<Fit, EngineError> {
        let pending_time = self.pending_time();
        let header = &waiting.transaction.parts.header;
        if let Err(fault) = check_expiration(&waiting.transaction, pending_time) {
            reply_to(waiting.reply, Err(fault.into()));
            return Ok(Fit::Done);
        }
        if self.is_spent(&waiting) {
            reply_to(waiting.reply, Err(Refusal::Spent.into()));
            return Ok(Fit::Done);
        }
        self.hold_time_at(BlockTimestamp::at(pending_time));
        let payer = waiting.transaction.parts.first_authorizer();
        let billed = self.bills_subjectively(payer, waiting.origin == Origin::Api && !was_aborted);
        if billed && let Err(fault) = self.may_try(payer, &waiting.transaction.id) {
            reply_to(waiting.reply, Err(fault.into()));
            return Ok(Fit::Done);
        }
        let subjective_cpu_bill_us = if billed { self.shared.subjective_bill(payer) } else { 0 };
        let budget = match self.settings.cpu {
            CpuBilling::Measured => self.budget(self.deadline()),
            CpuBilling::Fixed => self.fixed_budget(&waiting.transaction),
        };
        let budget = Budget { subjective_cpu_bill_us, ..budget };
        let pushed = self.shared.chain.write(Hold::Transaction).push_transaction(
            &mut self.machine,
            &waiting.transaction,
            budget,
        );
        let executed = match pushed {
            Ok(executed) => executed,
            Err(ChainError::NeedsCode(missing)) => {
                self.queue.park(missing.code_hash, waiting);
                self.need_code(*missing);
                return Ok(Fit::Done);
            }
            Err(ChainError::Shortage(what)) => {
                reply_to(waiting.reply, Err(Refusal::Shortage { what }.into()));
                return Ok(Fit::Done);
            }
            Err(error) => return Err(error.into()),
        };
        let expiration = header.expiration;
        if billed {
            self.bill_subjectively(payer, &executed, expiration);
        }
        let trace = Arc::clone(&executed.trace);
        let fault = executed.fault();
        if fault.is_none() {
            self.expect_code_of(&trace);
        } else if let Some(purse) = &waiting.purse {
            purse.spend(trace.elapsed_us, self.now());
            self.peers_failures.spend(trace.elapsed_us, self.now());
        }
        match fault {
            Some(fault) if is_exhausted(fault) && !self.is_out_of_fixed_time(fault) => {
                let full = self.block_is_full();
                if was_aborted {
                    self.queue.keep_aborted(waiting);
                } else {
                    self.queue.add_incoming(waiting);
                }
                Ok(if full { Fit::BlockFull } else { Fit::Later })
            }
            Some(fault) if fault.kind == FaultKind::TX_DUPLICATE || !waiting.return_failure_trace => {
                self.note(&trace, expiration);
                reply_to(waiting.reply, Err(fault.clone().into()));
                Ok(Fit::Done)
            }
            _ => {
                if self.settings.blocks == Blocks::OnTransaction
                    && fault.is_none()
                    && matches!(self.phase, Phase::Producing { .. })
                {
                    self.wake = Some(self.now());
                }
                self.note(&trace, expiration);
                if fault.is_none() && waiting.origin != Origin::Aborted {
                    self.shared.recovered.keep(&waiting.transaction);
                    self.shared.events.accepted(&waiting.transaction);
                }
                match (waiting.patience.filter(|_| fault.is_none()), waiting.reply) {
                    (Some(patience), Some(reply)) => self.retry.track(waiting.transaction, patience, self.now(), reply),
                    (_, reply) => reply_to(reply, Ok(trace)),
                }
                Ok(Fit::Done)
            }
        }
    }

    /// Whether this node counts a transaction against its account. One without an account is nobody's.
    fn bills_subjectively(&self, payer: Name, over_api: bool) -> bool {
        self.shared.subjective.lock().bills(payer, over_api)
            && self.shared.chain.read().ledger().find_account(payer).is_some()
    }

    fn may_try(&self, payer: Name, id: &TransactionId) -> Result<(), Fault> {
        let head = {
            let chain = self.shared.chain.read();
            (chain.head().number(), chain.head().header.timestamp().time())
        };
        self.shared.subjective.lock().may_try(payer, id, head)
    }

    /// What the chain does not bill: failures, and what runs in a block that this node does not produce.
    fn bill_subjectively(&self, payer: Name, executed: &ExecutedTransaction, expiration: TimePointSec) {
        let (mut billing, trace) = (self.shared.subjective.lock(), &executed.trace);
        match executed.fault() {
            Some(fault) if is_exhausted(fault) || fault.kind == FaultKind::TX_DUPLICATE => {}
            Some(_) => billing.failed(payer, trace.elapsed_us, self.now()),
            None if matches!(self.phase, Phase::Producing { .. }) => {}
            None => billing.ran(payer, trace.id, expiration, trace.elapsed_us),
        }
    }

    /// Whether so little is left of the block that nothing useful fits.
    fn block_is_full(&self) -> bool {
        let chain = self.shared.chain.read();
        let ledger = chain.ledger();
        ledger.block_cpu_limit() < self.settings.max_block_cpu_usage_threshold_us
            || ledger.block_net_limit() < self.settings.max_block_net_usage_threshold_bytes
    }

    fn note(&mut self, trace: &TransactionTrace, expiration: primitives::TimePointSec) {
        for text in self.console.told(trace, crate::clock::machine_time()) {
            tracing::info!(target: CONSOLE_TARGET, "{text}");
        }
        if self.shared.finality.is_enabled() && is_executed_input(trace) {
            self.shared.finality.ran(trace.id, expiration, self.now());
        }
    }

    fn publish_waiting(&self) {
        let mut view = self.shared.producer.write();
        view.waiting.clear();
        view.waiting.extend(self.queue.iter().map(|waiting| crate::handle::WaitingTransaction {
            transaction: Arc::clone(&waiting.transaction),
            origin: waiting.origin,
        }));
    }

    pub(crate) fn budget(&self, deadline: TimePoint) -> Budget {
        let limit_ms = i64::from(self.settings.options.max_transaction_time_ms);
        Budget::metered(deadline.0, if limit_ms < 0 { UNLIMITED_US } else { limit_ms * 1000 })
    }

    /// What a transaction is billed where the bill must not depend on the machine: so much for each action and each byte.
    /// The time that it may take is bounded all the same.
    fn fixed_budget(&self, transaction: &RecoveredTransaction) -> Budget {
        let parts = &transaction.parts;
        let actions = parts.actions.len() + parts.context_free_actions.len();
        let bytes = transaction.packed.packed_trx.len() + transaction.packed.packed_context_free_data.len();
        let chain = self.shared.chain.read();
        let configuration = &chain.ledger().global_property().configuration.v0;
        let least = configuration.min_transaction_cpu_usage;
        let most = configuration.max_transaction_cpu_usage.max(least);
        let billed = actions.saturating_mul(FIXED_CPU_US_PER_ACTION).saturating_add(bytes / FIXED_CPU_BYTES_PER_US);
        let billed = u32::try_from(billed).unwrap_or(u32::MAX).clamp(least, most);
        let limit_ms = i64::from(self.settings.options.max_transaction_time_ms);
        let patience_us = if limit_ms < 0 { UNLIMITED_US } else { limit_ms * 1000 * FIXED_CPU_PATIENCE };
        Budget { block_deadline_us: self.now().0.saturating_add(patience_us), ..Budget::explicit(billed) }
    }

    /// The same for a scheduled transaction: the least that the chain bills. It may overrun the share of the block by as
    /// much as where time is measured.
    fn fixed_scheduled_budget(&self, until: TimePoint) -> Budget {
        let least = self.shared.chain.read().ledger().global_property().configuration.v0.min_transaction_cpu_usage;
        let limit_ms = i64::from(self.settings.options.max_transaction_time_ms);
        let deadline_us = match limit_ms {
            ..0 => UNLIMITED_US,
            _ => (self.now().0 + limit_ms * 1000 * FIXED_CPU_PATIENCE).min(until.0.saturating_add(limit_ms * 1000)),
        };
        Budget { block_deadline_us: deadline_us, ..Budget::explicit(least) }
    }

    /// Whether a transaction whose bill is fixed took longer than any may: another block does not help.
    fn is_out_of_fixed_time(&self, fault: &Fault) -> bool {
        self.settings.cpu == CpuBilling::Fixed && fault.kind == FaultKind::DEADLINE_EXCEPTION
    }

    fn deadline(&self) -> TimePoint {
        match self.phase {
            Phase::Producing { deadline } => deadline,
            _ => self.pending_time(),
        }
    }

    fn out_of_time(&self) -> bool {
        self.now() >= self.deadline()
    }

    pub(crate) fn pending_time(&self) -> TimePoint {
        let chain = self.shared.chain.read();
        chain.pending().map_or(chain.head_time(), |pending| pending.timestamp.time())
    }
}

/// Whether a fault says that the block has no room, and not that the transaction is bad.
fn is_exhausted(fault: &Fault) -> bool {
    [FaultKind::BLOCK_CPU_USAGE_EXCEEDED, FaultKind::BLOCK_NET_USAGE_EXCEEDED, FaultKind::DEADLINE_EXCEPTION]
        .contains(&fault.kind)
}

/// Features that were asked for, then those that contracts demand, each once.
fn merged(asked: &[Checksum256], demanded: Vec<Checksum256>) -> Vec<Checksum256> {
    let mut features = asked.to_vec();
    features.extend(demanded.into_iter().filter(|feature| !asked.contains(feature)));
    features
}

fn reply_to(reply: Option<crate::command::Reply<crate::SubmitResult>>, result: crate::SubmitResult) {
    if let Some(reply) = reply {
        answer(reply, result);
    }
}
