//! A node: the network's core and the chain as they are, and between them what the shell and the writer's thread do in
//! a real node, in the same order and by the same rules (`engine::rules`, `engine::slots`, `engine::queue`,
//! `p2p::judging`). Nothing runs but contracts: there are none.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chain::{
    Applied, BlockPurpose, BlockState, Chain, ChainError, LiveChain, PrepareMode, PreparedBlock, SealedBlock,
    StartBlock,
};
use codec::Pack;
use engine::queue::{Queue, Waiting, check_expiration};
use engine::{Origin, options::CPU_EFFORT_US, rules, slots};
use execution::{Budget, RecoveredTransaction};
use p2p::core::{BlockJudgement, Charge, Core, Input, Output, PeerId, Settings, Stands, TransactionJudgement};
use p2p::judging;
use p2p::wire::{BlockMessage, TransactionMessage};
use primitives::{
    BlockId, BlockTimestamp, Fault, FaultKind, Name, PrivateKey, ProducerAuthority, SignedBlock, TimePoint,
    TransactionId,
};
use store::Watermark;

use crate::byzantine::Byzantine;
use crate::disk::{Change, Disk};
use crate::origin;
use crate::planted::Planted;
use crate::watch::Watch;

/// Age of the head beyond which nothing is run speculatively on it, as the writer has it.
const STALE_HEAD_US: i64 = 5_000_000;
/// Bytes of transactions that may wait.
const QUEUE_BYTES: usize = 64 << 20;
/// How long a block waits for the writer when too much waits already, and how often it is offered again.
const BUSY_PAUSE_US: i64 = 20_000;
const BUSY_TRIES: u32 = 250;
/// What it takes to prepare a block or a transaction on another thread.
const PREPARE_US: i64 = 700;

/// What happens to a node later, by itself.
#[derive(Debug)]
pub enum Later {
    /// The writer's timer rings.
    Wake,
    /// A block reaches the writer.
    Push,
    /// A transaction of a peer reaches the writer.
    Run(TransactionMessage, PeerId),
    /// The disk has a change.
    Synced(u64),
}

/// What a node does with a moment, beside changing itself.
#[derive(Debug)]
pub enum Effect {
    /// Something for its wires.
    Wire(Output),
    /// Something for itself, after so many microseconds.
    Later(i64, Later),
}

/// What a node needs in a moment.
#[derive(Debug)]
pub struct Moment<'a> {
    /// The time by the node's clock.
    pub now: TimePoint,
    /// How long its disk takes to sync.
    pub sync_us: i64,
    /// A node of which everything is told.
    pub told: Option<usize>,
    /// Who looks on.
    pub watch: &'a mut Watch,
    /// What follows.
    pub effects: Vec<Effect>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Producing { deadline: TimePoint },
    Speculating,
}

/// A block on its way to the writer.
#[derive(Debug)]
struct Taken {
    peer: PeerId,
    block: BlockMessage,
    _charge: Charge,
    epoch: Option<u64>,
    prepared: Result<PreparedBlock, judging::Refusal>,
    tries: u32,
}

/// What there is of a node between its runs.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its number.
    pub number: usize,
    /// How its chain begins.
    pub begins: origin::Beginning,
    /// Its own producer, if it has one.
    pub own: Option<(Name, PrivateKey)>,
    /// How it lies, if it does.
    pub byzantine: Option<Byzantine>,
    /// A bug to be found.
    pub planted: Option<Planted>,
}

/// A running node.
#[allow(missing_debug_implementations, reason = "a whole chain is not printed")]
pub struct Node {
    /// Who it is.
    pub identity: Identity,
    /// Its chain.
    pub chain: LiveChain,
    /// Its disk.
    pub disk: Disk,
    /// Its network.
    pub core: Core,
    phase: Phase,
    wake: Option<TimePoint>,
    held: rules::Held,
    queue: Queue,
    production_enabled: bool,
    /// Whether this run has seen a block that shows that the chain runs, or was told to produce without.
    has_seen_news: bool,
    watermarks: BTreeMap<Name, Watermark>,
    given_up: BlockTimestamp,
    to_writer: VecDeque<Taken>,
    /// Whose transactions are being judged.
    asked: BTreeMap<TransactionId, PeerId>,
    /// The last block of a range that went to the writer, with the range's epoch.
    last_of_range: Option<(u64, BlockId)>,
    /// Blocks that it tells others in place of those that it made.
    pub lies: BTreeMap<BlockId, Arc<[u8]>>,
}

impl Node {
    /// Starts a node on what its disk has; `first` in a new network, whose producers are told to begin.
    pub fn start(identity: Identity, disk: Disk, settings: Settings, first: bool, moment: &mut Moment<'_>) -> Self {
        let mut chain = origin::chain(identity.begins);
        let mut disk = disk;
        let read = |bytes: &[u8], chain: &Chain| {
            PreparedBlock::from_bytes(bytes, &chain.chain_id(), PrepareMode::Full).expect("it was accepted before")
        };
        let blocks: Vec<_> = disk.chain().cloned().collect();
        for bytes in blocks {
            let block = read(&bytes, &chain);
            chain.push_kept_block(block).expect("it was applied before");
        }
        let others: Vec<_> = disk.blocks().map(|(id, bytes)| (*id, Arc::clone(bytes))).collect();
        for (id, bytes) in others {
            if chain.fork_block(&id).is_none() && p2p::wire::message::Point::of(id).num > chain.root().number() {
                let block = read(&bytes, &chain).block;
                // What broke a rule is kept by real nodes, too, and left out.
                let _ = chain.recall_block(block);
            }
        }
        chain.set_kept_blocks(Box::new(Kept(disk.clone())));
        if let Ok(applied) = chain.switch_to_recalled()
            && !applied.applied.is_empty()
        {
            let joined = applied.applied.iter().map(|sealed| sealed.state.id()).collect();
            disk.write(Change { block: None, joined, irreversible: chain.root().id(), signed: None });
        }
        let stands = disk.settle();
        moment.watch.state_at(&chain);
        let watermarks = disk.marks();
        let mut node = Self {
            core: Core::new(settings, stands),
            identity,
            chain,
            disk,
            phase: Phase::Waiting,
            wake: None,
            held: rules::Held::default(),
            queue: Queue::new(QUEUE_BYTES),
            production_enabled: first,
            has_seen_news: first,
            watermarks,
            given_up: BlockTimestamp::default(),
            to_writer: VecDeque::new(),
            asked: BTreeMap::new(),
            last_of_range: None,
            lies: BTreeMap::new(),
        };
        if node.identity.planted == Some(Planted::StaleProducer) {
            node.production_enabled = true;
        }
        node.plan(moment);
        node.set_timer(moment);
        node
    }

    /// Something happened in the network.
    pub fn step(&mut self, input: Input, moment: &mut Moment<'_>) {
        if moment.told == Some(self.identity.number) {
            crate::told::input(&input, moment.now, self.chain.head().number());
        }
        let outputs = self.core.step(input, moment.now, &self.disk);
        self.perform(outputs, moment);
    }

    /// Does what the core said.
    pub fn perform(&mut self, outputs: Vec<Output>, moment: &mut Moment<'_>) {
        for output in outputs {
            if moment.told == Some(self.identity.number) {
                crate::told::output(&output);
            }
            match output {
                Output::TakeBlock { peer, block, charge, epoch } => self.take(peer, block, charge, epoch, moment),
                Output::TakeTransaction { peer, transaction, charge } => {
                    drop(charge);
                    moment.effects.push(Effect::Later(PREPARE_US, Later::Run(transaction, peer)));
                }
                other => moment.effects.push(Effect::Wire(other)),
            }
        }
    }

    /// A block of the network: prepared on another thread, then handed over in the order in which they came.
    fn take(&mut self, peer: PeerId, block: BlockMessage, charge: Charge, epoch: Option<u64>, moment: &mut Moment<'_>) {
        if let Some(epoch) = epoch {
            let last = self.last_of_range.replace((epoch, block.id));
            let known = self.knows(&block.previous);
            if !known && last.is_none_or(|last| last != (epoch, block.previous)) {
                let (number, num) = (self.identity.number, block.num);
                moment
                    .watch
                    .fail(format!("node {number} takes block {num} of a range, which does not follow the last"));
            }
        }
        let (mut good, chain) = (None, &self.chain);
        let parent =
            |light: &PreparedBlock| Some((chain.parent(light).ok()?.clone(), chain.feature_restrictions().clone()));
        let read = judging::read(&block.bytes, &chain.chain_id(), epoch.is_none(), parent, |id| good = Some(id));
        let full = |block| PreparedBlock::from_block(block, &chain.chain_id(), PrepareMode::Full);
        let prepared = read.and_then(|block| full(block).map_err(judging::Refusal::of_content));
        if let Some(id) = good {
            moment.watch.header_seen(self.identity.number, &block.bytes);
            self.step(Input::HeaderGood { id }, moment);
        }
        self.to_writer.push_back(Taken { peer, block, _charge: charge, epoch, prepared, tries: 0 });
        if self.to_writer.len() == 1 {
            moment.effects.push(Effect::Later(PREPARE_US, Later::Push));
        }
    }

    /// Something happened that was to happen later.
    pub fn later(&mut self, what: Later, moment: &mut Moment<'_>) {
        match what {
            Later::Wake if self.wake.is_some_and(|wake| wake <= moment.now) => self.on_time(moment),
            Later::Wake => {}
            Later::Push => self.push_next(moment),
            Later::Run(transaction, peer) => match self.recovered(&transaction) {
                Ok(recovered) => {
                    self.asked.insert(transaction.id, peer);
                    self.run_or_queue(recovered, Origin::Network, moment);
                }
                Err(fault) => self.judged(peer, transaction.id, TransactionJudgement::Bad, fault.to_string(), moment),
            },
            Later::Synced(change) => {
                let stands: Stands = self.disk.sync(change);
                self.step(Input::Stands(stands), moment);
            }
        }
        self.set_timer(moment);
    }

    /// A client sends a transaction.
    pub fn submit(&mut self, transaction: &TransactionMessage, moment: &mut Moment<'_>) {
        let recovered = self.recovered(transaction).expect("clients sign well");
        self.run_or_queue(recovered, Origin::Api, moment);
        self.set_timer(moment);
    }

    fn recovered(&self, transaction: &TransactionMessage) -> Result<Arc<RecoveredTransaction>, Fault> {
        chain::recover_transaction((*transaction.packed).clone(), &self.chain.chain_id()).map(Arc::new)
    }

    fn set_timer(&mut self, moment: &mut Moment<'_>) {
        if let Some(wake) = self.wake {
            moment.effects.push(Effect::Later(wake.us_since(moment.now).max(0), Later::Wake));
        }
    }

    /// The first of the blocks that wait goes to the writer.
    fn push_next(&mut self, moment: &mut Moment<'_>) {
        let Some(taken) = self.to_writer.front_mut() else { return };
        let (judgement, why) = match &taken.prepared {
            Err(refusal) => (refusal.judgement, refusal.fault.to_string()),
            Ok(block) => {
                let (block, tries) = (block.clone(), taken.tries);
                taken.tries += 1;
                match self.push_block(block, moment) {
                    Pushed::Good => (BlockJudgement::Good, String::new()),
                    Pushed::Held => (BlockJudgement::Held, String::new()),
                    Pushed::Busy if tries < BUSY_TRIES => {
                        moment.effects.push(Effect::Later(BUSY_PAUSE_US, Later::Push));
                        return;
                    }
                    Pushed::Busy => (BlockJudgement::NotNow, "too many blocks wait".to_owned()),
                    Pushed::Refused(fault) => (judging::of_block(&fault), fault.to_string()),
                }
            }
        };
        let Some(Taken { peer, block, epoch, .. }) = self.to_writer.pop_front() else { return };
        let (id, bytes) = (block.id, block.bytes.len());
        if matches!(judgement, BlockJudgement::Good | BlockJudgement::Held) && !self.knows(&id) {
            moment.watch.fail(format!("node {} took block {id} and does not have it", self.identity.number));
        }
        self.step(Input::BlockJudged { peer, id, bytes, epoch, judgement, why }, moment);
        if !self.to_writer.is_empty() {
            moment.effects.push(Effect::Later(PREPARE_US / 10, Later::Push));
        }
    }

    fn knows(&self, id: &BlockId) -> bool {
        use p2p::core::Blocks as _;
        self.held.contains(id) || self.chain.fork_block(id).is_some() || self.disk.has(id)
    }

    /// `Writer::push_block`.
    fn push_block(&mut self, block: PreparedBlock, moment: &mut Moment<'_>) -> Pushed {
        use p2p::core::Blocks as _;
        let number = block.block.block_num();
        if self.chain.fork_block(&block.id).is_some() || self.disk.id_at(number) == Some(block.id) {
            return Pushed::Good;
        }
        if matches!(self.phase, Phase::Producing { .. }) {
            if self.identity.planted == Some(Planted::HeldForgotten) {
                return Pushed::Held;
            }
            return if self.held.keep(block) { Pushed::Held } else { Pushed::Busy };
        }
        let pushed = self.join(block, moment);
        if self.phase == Phase::Waiting {
            self.plan(moment);
        }
        pushed
    }

    /// `Writer::join`.
    fn join(&mut self, block: PreparedBlock, moment: &mut Moment<'_>) -> Pushed {
        let id = block.id;
        if let Err(fault) = rules::check_time(&id, block.block.header().timestamp, moment.now) {
            return Pushed::Refused(Box::new(fault));
        }
        let bytes: Arc<[u8]> = block.block.to_bytes().into();
        let parent = self.chain.parent(&block).cloned();
        let restrictions = self.chain.feature_restrictions().clone();
        let checked = match parent.and_then(|parent| Ok(block.check_header(&parent, &restrictions)?)) {
            Ok(checked) => checked,
            Err(error) => return refused(error),
        };
        self.abort();
        let applied = match self.chain.push_checked(checked) {
            Ok(applied) => applied,
            Err(error) => return refused(error),
        };
        let joined: Vec<BlockId> = applied.applied.iter().map(|sealed| sealed.state.id()).collect();
        let kept = self.chain.fork_block(&id).is_some();
        let irreversible = self.chain.root().id();
        let change = Change { block: kept.then_some((id, bytes)), joined, irreversible, signed: None };
        let refusal = applied.rejected.clone().filter(|(bad, _)| *bad == id);
        self.write(change, moment);
        self.follow(&applied, moment);
        if rules::is_current(self.chain.head_time(), moment.now) {
            (self.production_enabled, self.has_seen_news) = (true, true);
        }
        refusal.map_or(Pushed::Good, |(_, fault)| Pushed::Refused(Box::new(fault)))
    }

    fn write(&mut self, change: Change, moment: &mut Moment<'_>) {
        let number = self.disk.write(change);
        moment.effects.push(Effect::Later(moment.sync_us, Later::Synced(number)));
    }

    /// `Writer::follow`.
    fn follow(&mut self, applied: &Applied, moment: &mut Moment<'_>) {
        if !applied.undone.is_empty() && self.identity.planted != Some(Planted::ResubmittedLost) {
            self.queue.add_forked(&applied.undone, &applied.applied);
        }
        if self.identity.byzantine.is_none() {
            moment.watch.irreversible(self.identity.number, applied.irreversible.iter().map(|state| state.id()));
            moment.watch.switched(self.identity.number, applied, &self.queue, moment.now);
            moment.watch.state_at(&self.chain);
        }
    }

    /// `Writer::on_time`.
    fn on_time(&mut self, moment: &mut Moment<'_>) {
        self.wake = None;
        if matches!(self.phase, Phase::Producing { .. }) {
            self.seal(moment);
        }
        self.plan(moment);
    }

    /// `Writer::plan`.
    fn plan(&mut self, moment: &mut Moment<'_>) {
        self.abort();
        while let Some(block) = self.held.take() {
            if self.chain.fork_block(&block.id).is_none() {
                // Nobody waits for its verdict.
                let _ = self.join(block, moment);
            }
        }
        let head = Arc::clone(self.chain.head());
        let slot = slots::pending_slot(moment.now, self.chain.head_time()).max(self.given_up.next());
        let producer = head.header.scheduled_producer(slot).clone();
        if self.may_produce(&producer, slot, head.number()) {
            let start = slots::start_time(CPU_EFFORT_US, slot);
            if moment.now < start {
                self.wake = Some(start);
                return;
            }
            let deadline = slots::deadline(CPU_EFFORT_US, slot);
            return self.start_block(slot, &producer, Phase::Producing { deadline }, moment);
        }
        if moment.now.us_since(self.chain.head_time()) <= STALE_HEAD_US {
            self.start_block(slot, &producer, Phase::Speculating, moment);
        }
        let next = self.next_turn(slot, head.number(), &head.header.active_schedule.producers);
        self.wake = next.map(|start| start.max(slot.time()));
    }

    fn may_produce(&self, producer: &ProducerAuthority, slot: BlockTimestamp, head_num: u32) -> bool {
        let own = self.identity.own.as_ref().is_some_and(|(name, _)| *name == producer.producer_name);
        let mark = self.watermarks.get(&producer.producer_name).copied();
        self.production_enabled && own && rules::signed_already(mark, slot, head_num).is_none()
    }

    fn next_turn(&self, slot: BlockTimestamp, head_num: u32, schedule: &[ProducerAuthority]) -> Option<TimePoint> {
        let (name, _) = self.identity.own.as_ref().filter(|_| self.production_enabled)?;
        let next = slots::next_slot(*name, slot, head_num, schedule, self.watermarks.get(name).copied())?;
        Some(slots::start_time(CPU_EFFORT_US, next))
    }

    /// `Writer::start`.
    fn start_block(
        &mut self,
        slot: BlockTimestamp,
        producer: &ProducerAuthority,
        phase: Phase,
        moment: &mut Moment<'_>,
    ) {
        let producing = matches!(phase, Phase::Producing { .. });
        let how = self.how(slot, producer.producer_name, producing);
        self.chain.start_block(&how).expect("a block of a later slot can be started");
        self.phase = phase;
        if let Phase::Producing { deadline } = phase {
            self.wake = Some(deadline);
        }
        self.fill(moment);
    }

    fn how(&self, slot: BlockTimestamp, producer: Name, producing: bool) -> StartBlock {
        let mark = self.watermarks.get(&producer).map(|mark| mark.num);
        let header = &self.chain.head().header;
        let confirmed = match mark {
            Some(mark) if producing => header.blocks_to_confirm(Some(mark)),
            _ => 0,
        };
        let confirmed = match self.identity.planted {
            // What was signed on another branch is forgotten: only this one's header state is asked.
            Some(Planted::DoubleVote) if producing => {
                header.blocks_to_confirm(header.producer_to_last_produced.get(&producer).copied())
            }
            _ => confirmed,
        };
        let purpose = if producing { BlockPurpose::Produce } else { BlockPurpose::Speculate };
        StartBlock { timestamp: slot, confirmed, features: Vec::new(), purpose }
    }

    /// `Writer::fill`.
    fn fill(&mut self, moment: &mut Moment<'_>) {
        let time = self.pending_time();
        self.queue.drop_expired(time);
        for waiting in self.queue.take_aborted() {
            self.run_waiting(waiting, moment);
        }
        for _ in 0..self.queue.incoming_len() {
            let Some(waiting) = self.queue.take_incoming() else { break };
            self.run_waiting(waiting, moment);
        }
    }

    fn pending_time(&self) -> TimePoint {
        self.chain.pending().map_or(self.chain.head_time(), |pending| pending.timestamp.time())
    }

    fn run_or_queue(&mut self, transaction: Arc<RecoveredTransaction>, origin: Origin, moment: &mut Moment<'_>) {
        let waiting = Waiting { transaction, return_failure_trace: false, patience: None, origin, reply: None };
        if self.phase == Phase::Waiting {
            self.queue.add_incoming(waiting);
        } else {
            self.run_waiting(waiting, moment);
        }
    }

    /// `Writer::run_waiting`.
    fn run_waiting(&mut self, waiting: Waiting, moment: &mut Moment<'_>) {
        let id = waiting.transaction.id;
        let fault = match check_expiration(&waiting.transaction, self.pending_time()) {
            Err(fault) => Some(fault),
            Ok(()) => {
                let pushed = self.chain.push_transaction(&waiting.transaction, Budget::default());
                pushed.expect("a block is pending").fault().cloned()
            }
        };
        if fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::BLOCK_NET_USAGE_EXCEEDED) {
            // The block is full.
            return match waiting.origin {
                Origin::Aborted | Origin::Forked => self.queue.keep_aborted(waiting),
                Origin::Api | Origin::Network => self.queue.add_incoming(waiting),
            };
        }
        let asked = self.asked.remove(&id);
        match fault {
            None => {
                if let Some(peer) = asked {
                    self.judged(peer, id, TransactionJudgement::Accepted, String::new(), moment);
                }
                moment.watch.accepted(self.identity.number, id);
                if waiting.origin != Origin::Aborted {
                    let packed = Arc::new(waiting.transaction.packed.clone());
                    let expiration = waiting.transaction.parts.header.expiration;
                    self.step(Input::Accepted(TransactionMessage { id, expiration, packed }), moment);
                }
            }
            Some(fault) => {
                // A node that is behind may not have the block that a transaction refers to.
                let passing =
                    [FaultKind::TX_DUPLICATE, FaultKind::EXPIRED_TX_EXCEPTION, FaultKind::INVALID_REF_BLOCK_EXCEPTION];
                if !passing.contains(&fault.kind) {
                    moment.watch.fail(format!("transaction {id} fails: {fault}"));
                }
                if let Some(peer) = asked {
                    self.judged(peer, id, judging::of_transaction(&fault), fault.to_string(), moment);
                }
            }
        }
    }

    fn judged(
        &mut self,
        peer: PeerId,
        id: TransactionId,
        judgement: TransactionJudgement,
        why: String,
        moment: &mut Moment<'_>,
    ) {
        self.step(Input::TransactionJudged { peer, id, judgement, why }, moment);
    }

    /// `Writer::abort`.
    fn abort(&mut self) {
        if self.phase == Phase::Waiting {
            return;
        }
        let aborted = self.chain.abort_block();
        self.queue.add_aborted(aborted);
        self.phase = Phase::Waiting;
    }

    /// `Writer::seal`, `Writer::commit`.
    fn seal(&mut self, moment: &mut Moment<'_>) {
        let Some(slot) = self.chain.pending().map(|pending| pending.timestamp) else { return };
        self.phase = Phase::Waiting;
        let twin = self.twin(slot, moment);
        let Some(sealed) = self.sealed() else {
            self.given_up = slot;
            return;
        };
        let header = sealed.state.header.block_header();
        let (producer, mark) = (header.producer, Watermark { num: sealed.state.number(), slot });
        let irreversible = self.chain.irreversible_after(&sealed);
        let root = self.chain.fork_block_by_num(irreversible).map_or(self.chain.root().id(), |state| state.id());
        let (id, state) = (sealed.state.id(), Arc::clone(&sealed.state));
        let bytes: Arc<[u8]> = packed(&state).into();
        self.watermarks.insert(producer, mark);
        if self.identity.byzantine.is_none() {
            moment.watch.made(&bytes);
        }
        let applied = match self.chain.commit_block(sealed) {
            Ok(applied) => applied,
            Err(ChainError::Block(_)) => {
                self.queue.add_aborted(state.transactions.clone());
                self.given_up = slot;
                return;
            }
            Err(error) => panic!("{error}"),
        };
        let signed = Some((producer, mark));
        self.write(Change { block: Some((id, bytes)), joined: vec![id], irreversible: root, signed }, moment);
        self.lie(&state, twin, moment);
        if self.identity.byzantine.is_none() && !self.has_seen_news {
            let number = self.identity.number;
            moment.watch.fail(format!("node {number} makes block {id} before it has seen that the chain runs"));
        }
        self.follow(&applied, moment);
    }

    fn sealed(&mut self) -> Option<SealedBlock> {
        let unsigned = self.chain.finish_block().ok()?;
        let (_, key) = self.identity.own.as_ref()?;
        let signature = key.sign(&unsigned.digest()).expect("a valid secret");
        unsigned.complete(vec![signature]).ok()
    }

    /// Another block for the slot of the pending one, by a producer that signs two.
    fn twin(&mut self, slot: BlockTimestamp, moment: &mut Moment<'_>) -> Option<Arc<[u8]>> {
        let byzantine = self.identity.byzantine.as_ref().filter(|byzantine| byzantine.signs_twice())?;
        let number = byzantine.next_number(slot);
        let producer = self.identity.own.as_ref()?.0;
        let transactions = self.chain.abort_block();
        let how = self.how(slot, producer, true);
        self.chain.start_block(&how).expect("it was started before");
        let own = origin::transaction(number, 0, &self.chain, moment.now.plus_seconds(30));
        let own = self.recovered(&own).expect("it was just signed");
        self.chain.push_transaction(&own, Budget::default()).expect("a block is pending");
        let twin = self.sealed().map(|sealed| packed(&sealed.state).into());
        self.chain.abort_block();
        self.chain.start_block(&how).expect("it was started before");
        for transaction in transactions {
            self.chain.push_transaction(&transaction, Budget::default()).expect("a block is pending");
        }
        twin
    }

    /// Prepares what a liar tells others in place of a block.
    fn lie(&mut self, state: &BlockState, twin: Option<Arc<[u8]>>, moment: &mut Moment<'_>) {
        let Some(byzantine) = &self.identity.byzantine else { return };
        let key = &self.identity.own.as_ref().expect("only producers lie").1;
        let lie = match twin {
            Some(twin) => {
                moment.watch.signed_twice(&twin);
                Some(twin)
            }
            None => byzantine.falsified(state, key, moment.watch),
        };
        if let Some(lie) = lie {
            self.lies.insert(state.id(), lie);
        }
    }
}

/// What became of a block.
enum Pushed {
    Good,
    Held,
    Busy,
    Refused(Box<Fault>),
}

fn refused(error: ChainError) -> Pushed {
    match error {
        ChainError::Block(fault) => Pushed::Refused(fault),
        error => panic!("{error}"),
    }
}

fn packed(state: &BlockState) -> Vec<u8> {
    state.block.as_ref().map(|block: &Arc<SignedBlock>| block.to_bytes()).unwrap_or_default()
}

/// Blocks that came before a restart.
struct Kept(Disk);

impl chain::KeptBlocks for Kept {
    fn block(&self, id: &BlockId) -> Option<Vec<u8>> {
        self.0.blocks().find(|(found, _)| *found == id).map(|(_, bytes)| bytes.to_vec())
    }

    /// A simulated node begins with its blocks, not with a state.
    fn undo(&self, _number: u32) -> Option<Vec<u8>> {
        None
    }
}
