//! A node: the network's core, the writer and the chain as they are, and between them what the shell does in a real node
//! (`p2p::judging`). Here nothing waits: whoever is asked answers at once, and only what takes time in a real node (to
//! prepare, to sync, to travel) takes it here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError};

use chain::{BlockPurpose, BlockState, Chain, LiveChain, PrepareMode, PreparedBlock, SealedBlock, StartBlock};
use codec::Pack;
use engine::carried::Reader;
use engine::{Clock, Command, Origin, Position, Refused, Signer, Submission, SubmitKind, SubmitResult, Verdict};
use engine::{Writer, rules};
use execution::{Budget, RecoveredTransaction};
use p2p::core::{BlockJudgement, Charge, Core, Input, Output, PeerId, Settings, TransactionJudgement};
use p2p::judging;
use p2p::wire::{BlockMessage, TransactionMessage};
use primitives::{BlockId, Checksum256, Fault, FaultKind, Name, PrivateKey, SignedBlock, TimePoint, TransactionId};
use tokio::sync::{broadcast, oneshot};

use crate::byzantine::Byzantine;
use crate::disk::{Change, Disk, DiskDoor, Doings, Done, SharedDisk};
use crate::origin;
use crate::planted::Planted;
use crate::watch::Watch;

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
    /// Its process died.
    Died,
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

/// A transaction that was given to the writer, and is not answered yet.
#[derive(Debug)]
struct Asked {
    id: TransactionId,
    /// Which peer it came from; clients have none.
    peer: Option<PeerId>,
    answer: oneshot::Receiver<SubmitResult>,
}

/// A change that the disk has not synced yet.
#[derive(Debug)]
struct Unsynced {
    write: u64,
    /// Where the chain stood then, and how many changes it had; none for a block of another branch.
    reached: Option<(Position, u64)>,
}

/// A running node.
#[allow(missing_debug_implementations, reason = "a whole chain is not printed")]
pub struct Node {
    /// Who it is.
    pub identity: Identity,
    /// Its chain, and all that is decided of it.
    pub writer: Writer,
    /// Its disk.
    pub disk: SharedDisk,
    /// Its network.
    pub core: Core,
    clock: Clock,
    reader: Reader,
    answers: Receiver<Command>,
    doings: Doings,
    accepted: broadcast::Receiver<Arc<RecoveredTransaction>>,
    /// Whether this run has seen a block that shows that the chain runs, or was told to produce without.
    has_seen_news: bool,
    to_writer: VecDeque<Taken>,
    asked: Vec<Asked>,
    /// Who waits for the hash of the state.
    hashes: Vec<oneshot::Receiver<Result<(BlockId, Checksum256), Refused>>>,
    unsynced: VecDeque<Unsynced>,
    /// Changes of the chain in this run.
    changes: u64,
    /// The last block of a range that went to the writer, with the range's epoch.
    last_of_range: Option<(u64, BlockId)>,
    /// Blocks that it made in this run.
    made: BTreeSet<BlockId>,
    /// Blocks that it tells others in place of those that it made.
    pub lies: BTreeMap<BlockId, Arc<[u8]>>,
}

impl Node {
    /// Starts a node on what its disk has; `first` in a new network, whose producers are told to begin.
    pub fn start(identity: Identity, disk: Disk, settings: Settings, first: bool, moment: &mut Moment<'_>) -> Self {
        let disk = SharedDisk::new(disk);
        let saved = disk.look().saved(disk.clone());
        moment.watch.seen.from_states += u64::from(saved.is_some());
        let mut chain = match saved {
            Some(saved) => LiveChain::from_checkpoint(saved, chain::Settings::default(), origin::doors())
                .expect("the chain's own checkpoint"),
            None => origin::chain(identity.begins),
        };
        if let Some(missing) = disk.look().missing().next() {
            moment.watch.fail(format!("node {} has block {missing} in its chain and not on its disk", identity.number));
        }
        let read = |bytes: &[u8], chain: &Chain| {
            PreparedBlock::from_bytes(bytes, &chain.chain_id(), PrepareMode::Full).expect("it was accepted before")
        };
        let blocks: Vec<_> = disk.look().chain().cloned().collect();
        for bytes in blocks {
            let block = read(&bytes, &chain);
            let known = block.block.block_num() <= chain.root().number() || chain.fork_block(&block.id).is_some();
            if !known {
                chain.push_kept_block(block).expect("it was applied before");
            }
        }
        let others: Vec<_> = disk.look().blocks().map(|(id, bytes)| (*id, Arc::clone(bytes))).collect();
        for (id, bytes) in others {
            if chain.fork_block(&id).is_none() && p2p::wire::message::Point::of(id).num > chain.root().number() {
                let block = read(&bytes, &chain).block;
                // What broke a rule is kept by real nodes, too, and left out.
                let _ = chain.recall_block(block);
            }
        }
        chain.set_kept_blocks(Arc::new(disk.clone()));
        if let Ok(applied) = chain.switch_to_recalled()
            && !applied.applied.is_empty()
        {
            let joined = applied.applied.iter().map(|sealed| sealed.state.id()).collect();
            let irreversible = chain.root().number();
            disk.look().write(Change { blocks: Vec::new(), joined, gone: Vec::new(), irreversible, signed: None });
        }
        let stands = disk.look().settle();
        moment.watch.compare_state(&chain);
        let clock = Clock::manual(moment.now);
        let how = writer_settings(&identity, clock.clone(), first);
        let marks = disk.look().marks().into_iter().collect();
        let (doings, mut reader) = (Doings::default(), None);
        let (writer, answers) = Writer::carried(chain, how, marks, |found| {
            reader = Some(found.clone());
            Box::new(DiskDoor::new(disk.clone(), Arc::clone(&doings), found, identity.planted))
        })
        .expect("there is no schedule of snapshots");
        let reader = reader.expect("every writer has a disk");
        let mut node = Self {
            core: Core::new(settings, stands),
            identity,
            writer,
            disk,
            clock,
            accepted: reader.subscribe_accepted(),
            reader,
            answers,
            doings,
            has_seen_news: first,
            to_writer: VecDeque::new(),
            asked: Vec::new(),
            hashes: Vec::new(),
            unsynced: VecDeque::new(),
            changes: 0,
            last_of_range: None,
            made: BTreeSet::new(),
            lies: BTreeMap::new(),
        };
        if let Some(Planted::Writer(bug)) = node.identity.planted {
            node.writer.plant(bug);
        }
        node.writer.begin().expect("a simulated disk takes everything");
        node.look_after_writer(None, moment);
        node
    }

    /// Something happened in the network.
    pub fn step(&mut self, input: Input, moment: &mut Moment<'_>) {
        if self.is_dead() {
            return;
        }
        if moment.told == Some(self.identity.number) {
            let head = self.writer.read(|chain| chain.head().number());
            crate::told::input(&input, moment.now, head);
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
        let (mut good, reader) = (None, &self.reader);
        let chain_id = reader.read(Chain::chain_id);
        let parent = |id: &BlockId, previous: &BlockId| {
            reader
                .read(|chain| Some((chain.parent_of(id, previous).ok()?.clone(), chain.feature_restrictions().clone())))
        };
        let read = judging::read(&block.bytes, epoch.is_none(), parent, |id| good = Some(id));
        let full = |block| PreparedBlock::from_block(block, &chain_id, PrepareMode::Full);
        let prepared = read.and_then(|read| {
            let (judging::Read::Whole(block) | judging::Read::Large(block)) = read;
            full(block).map_err(judging::Refusal::of_content)
        });
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
            Later::Wake if self.writer.next_wake().is_some_and(|wake| wake <= moment.now) => {
                self.drive(None, moment);
            }
            Later::Wake => {}
            Later::Push => self.push_next(moment),
            Later::Run(transaction, peer) => match self.recovered(&transaction) {
                Ok(recovered) => self.run(recovered, Some(peer), moment),
                Err(fault) => self.judged(peer, transaction.id, TransactionJudgement::Bad, fault.to_string(), moment),
            },
            Later::Synced(write) => self.synced(write, moment),
        }
    }

    /// A client sends a transaction.
    pub fn submit(&mut self, transaction: &TransactionMessage, moment: &mut Moment<'_>) {
        let recovered = self.recovered(transaction).expect("clients sign well");
        self.run(recovered, None, moment);
    }

    fn recovered(&self, transaction: &TransactionMessage) -> Result<Arc<RecoveredTransaction>, Fault> {
        let chain_id = self.reader.read(Chain::chain_id);
        chain::recover_transaction((*transaction.packed).clone(), &chain_id).map(Arc::new)
    }

    /// A transaction goes to the writer.
    fn run(&mut self, transaction: Arc<RecoveredTransaction>, peer: Option<PeerId>, moment: &mut Moment<'_>) {
        let (reply, answer) = oneshot::channel();
        self.asked.push(Asked { id: transaction.id, peer, answer });
        let kind = SubmitKind::Input { return_failure_trace: false, patience: None };
        let origin = if peer.is_some() { Origin::Network } else { Origin::Api };
        self.drive(Some(Command::Submit(Submission { transaction, kind, origin, purse: None, reply })), moment);
    }

    /// The disk has a change, and all before it: others may hear of it.
    fn synced(&mut self, write: u64, moment: &mut Moment<'_>) {
        let stands = self.disk.look().sync(write);
        let mut reached = None;
        while let Some(unsynced) = self.unsynced.pop_front_if(|unsynced| unsynced.write <= write) {
            reached = unsynced.reached.or(reached);
        }
        if let Some((position, changes)) = reached {
            self.reader.synced_to(position, changes);
            self.drive(Some(Command::Synced), moment);
        }
        self.step(Input::Stands(stands), moment);
    }

    /// Steps the writer, at this moment.
    fn drive(&mut self, command: Option<Command>, moment: &mut Moment<'_>) {
        self.clock.set(moment.now);
        let twin = self.twin(moment);
        let mut command = command;
        loop {
            self.writer.step(command).expect("a simulated disk takes everything");
            match self.answers.try_recv() {
                Ok(answer) => command = Some(answer),
                Err(_) => break,
            }
        }
        if self.is_dead() {
            moment.effects.push(Effect::Died);
        } else {
            self.look_after_writer(twin, moment);
        }
    }

    /// Whether its process died in this moment: nothing follows of what it did.
    fn is_dead(&self) -> bool {
        self.disk.look().is_dead()
    }

    /// What follows of a step of the writer.
    fn look_after_writer(&mut self, twin: Option<Arc<[u8]>>, moment: &mut Moment<'_>) {
        if let Some(wake) = self.writer.next_wake() {
            moment.effects.push(Effect::Later(wake.us_since(moment.now).max(0), Later::Wake));
        }
        let (number, is_honest) = (self.identity.number, self.identity.byzantine.is_none());
        let mut made = Vec::new();
        let doings = std::mem::take(&mut *self.doings.lock().unwrap_or_else(PoisonError::into_inner));
        for done in doings {
            match done {
                Done::Wrote(write, change) => self.wrote(write, &change, twin.as_ref(), moment),
                Done::Followed { position, is_change, applied, state } => {
                    self.changes += u64::from(is_change);
                    if let Some(unsynced) = self.unsynced.back_mut() {
                        unsynced.reached = Some((position, self.changes));
                    }
                    if let Some(applied) = applied.filter(|_| is_honest) {
                        let offers = |id: &TransactionId| self.writer.offers(id);
                        moment.watch.switched(number, &applied, offers, moment.now);
                    }
                    if let Some((id, hash)) = state.filter(|_| is_honest) {
                        moment.watch.state_at(id, hash);
                    }
                }
                Done::Settled(ids) if is_honest => moment.watch.irreversible(number, ids.into_iter()),
                Done::Settled(_) => {}
                Done::WholeState(head) => made.push(head),
            }
        }
        self.hear_answers(moment);
        self.hear_hashes(moment);
        while let Ok(transaction) = self.accepted.try_recv() {
            moment.watch.accepted(number, transaction.id);
            let packed = Arc::new(transaction.packed.clone());
            let expiration = transaction.parts.header.expiration;
            self.step(
                Input::Accepted(TransactionMessage {
                    id: transaction.id,
                    expiration,
                    packed,
                    memory_bytes: transaction.memory_bytes,
                }),
                moment,
            );
        }
        for head in made {
            self.drive(Some(Command::WholeStateDone { head, result: Ok(()) }), moment);
        }
    }

    /// Somebody asks for the hash of the whole state, which the writer has made of a checkpoint.
    pub fn hash_state(&mut self, moment: &mut Moment<'_>) {
        let (reply, answer) = oneshot::channel();
        self.hashes.push(answer);
        self.drive(Some(Command::IntegrityHash(reply)), moment);
    }

    /// The state of a block is the same whoever hashes it.
    fn hear_hashes(&mut self, moment: &mut Moment<'_>) {
        let is_honest = self.identity.byzantine.is_none();
        self.hashes.retain_mut(|answer| match answer.try_recv() {
            Ok(Ok((id, hash))) if is_honest => {
                moment.watch.seen.hashes += 1;
                moment.watch.state_at(id, hash);
                false
            }
            Err(oneshot::error::TryRecvError::Empty) => true,
            _ => false,
        });
    }

    /// Whether it made a block in this run, and a loss of power now would take that, or the word that it was signed.
    pub fn may_lose(&self, id: &BlockId) -> bool {
        let own = self.identity.own.as_ref().filter(|_| self.made.contains(id));
        own.is_some_and(|(producer, _)| !self.disk.look().is_safe(id, *producer))
    }

    /// The writer wrote a change.
    fn wrote(&mut self, write: u64, change: &Change, twin: Option<&Arc<[u8]>>, moment: &mut Moment<'_>) {
        self.unsynced.push_back(Unsynced { write, reached: None });
        moment.effects.push(Effect::Later(moment.sync_us, Later::Synced(write)));
        if self.identity.planted == Some(Planted::ReleasedUnsynced) {
            let stands = self.disk.look().stands();
            self.step(Input::Stands(stands), moment);
        }
        if change.signed.is_none() {
            let head_time = self.writer.read(Chain::head_time);
            self.has_seen_news |= rules::is_current(head_time, moment.now);
            return;
        }
        let Some((id, bytes)) = change.blocks.first() else { return };
        self.made.insert(*id);
        if self.identity.byzantine.is_none() {
            moment.watch.made(bytes);
            if !self.has_seen_news {
                let number = self.identity.number;
                moment.watch.fail(format!("node {number} makes block {id} before it has seen that the chain runs"));
            }
        }
        if let Some(state) = self.writer.read(|chain| chain.fork_block(id).cloned()) {
            self.lie(&state, twin.cloned(), moment);
        }
    }

    /// Hears what became of transactions.
    fn hear_answers(&mut self, moment: &mut Moment<'_>) {
        let mut answered = Vec::new();
        self.asked.retain_mut(|asked| match asked.answer.try_recv() {
            Ok(result) => {
                answered.push((asked.id, asked.peer, result));
                false
            }
            Err(oneshot::error::TryRecvError::Empty) => true,
            Err(oneshot::error::TryRecvError::Closed) => false,
        });
        for (id, peer, result) in answered {
            let (judgement, why) = match result {
                Ok(_) => (TransactionJudgement::Accepted, String::new()),
                Err(Refused::Node(refusal)) => (TransactionJudgement::NotNow, refusal.to_string()),
                Err(Refused::Rule(fault)) => {
                    // A node that is behind may not have the block that a transaction refers to.
                    let passing = [
                        FaultKind::TX_DUPLICATE,
                        FaultKind::EXPIRED_TX_EXCEPTION,
                        FaultKind::INVALID_REF_BLOCK_EXCEPTION,
                    ];
                    if !passing.contains(&fault.kind) {
                        moment.watch.fail(format!("transaction {id} fails: {fault}"));
                    }
                    (judging::of_transaction(&fault), fault.to_string())
                }
            };
            if let Some(peer) = peer {
                self.judged(peer, id, judgement, why, moment);
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

    /// The first of the blocks that wait goes to the writer.
    fn push_next(&mut self, moment: &mut Moment<'_>) {
        let Some(taken) = self.to_writer.front_mut() else { return };
        let (judgement, why) = match &taken.prepared {
            Err(refusal) => (refusal.judgement, refusal.fault.to_string()),
            Ok(block) => {
                let (block, tries) = (block.clone(), taken.tries);
                taken.tries += 1;
                match self.push_block(block, moment) {
                    Verdict::Joined | Verdict::Known => (BlockJudgement::Good, String::new()),
                    Verdict::Held => (BlockJudgement::Held, String::new()),
                    Verdict::Busy if tries < BUSY_TRIES => {
                        moment.effects.push(Effect::Later(BUSY_PAUSE_US, Later::Push));
                        return;
                    }
                    Verdict::Busy => (BlockJudgement::NotNow, "too many blocks wait".to_owned()),
                    Verdict::Refused(fault) => (judging::of_block(&fault), fault.to_string()),
                }
            }
        };
        if self.is_dead() {
            return;
        }
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
        let in_tree = self.reader.read(|chain| chain.fork_block(id).is_some());
        in_tree || self.writer.holds(id) || self.disk.has(id)
    }

    fn push_block(&mut self, block: PreparedBlock, moment: &mut Moment<'_>) -> Verdict {
        let (reply, mut answer) = oneshot::channel();
        self.drive(Some(Command::PushBlock { block: Box::new(block), reply }), moment);
        answer.try_recv().expect("no block waits for code: the writer answers at once")
    }

    /// Another block for the slot of the pending one, by a producer that signs two, when that one is about to be sealed.
    fn twin(&mut self, moment: &mut Moment<'_>) -> Option<Arc<[u8]>> {
        let byzantine = self.identity.byzantine.clone().filter(Byzantine::signs_twice)?;
        if !self.writer.is_producing() || self.writer.next_wake().is_none_or(|wake| wake > moment.now) {
            return None;
        }
        let (producer, key) = self.identity.own.clone()?;
        let slot = self.reader.read(|chain| chain.pending().map(|pending| pending.timestamp))?;
        let mark = self.disk.look().marks().get(&producer).map(|mark| mark.num);
        let head = self.reader.read(|chain| Arc::clone(chain.head()));
        let confirmed = if mark.is_some() { head.header.blocks_to_confirm(mark) } else { 0 };
        let how = StartBlock { timestamp: slot, confirmed, features: Vec::new(), purpose: BlockPurpose::Produce };
        let number = byzantine.next_number(slot);
        let own = self.reader.read(|chain| origin::transaction(number, 0, chain, moment.now.plus_seconds(30)));
        let own = self.recovered(&own).expect("it was just signed");
        self.writer.tamper(|chain, machine| {
            let transactions = chain.abort_block();
            chain.start_block(machine, &how).expect("it was started before");
            chain.push_transaction(machine, &own, Budget::default()).expect("a block is pending");
            let twin = sealed(chain, &key).map(|sealed| packed(&sealed.state).into());
            chain.abort_block();
            chain.start_block(machine, &how).expect("it was started before");
            for transaction in transactions {
                chain.push_transaction(machine, &transaction, Budget::default()).expect("a block is pending");
            }
            twin
        })
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

/// What a writer decides in a simulated node.
fn writer_settings(identity: &Identity, clock: Clock, first: bool) -> engine::Settings {
    let own = identity.own.as_ref();
    let signer = |(_, key): &(Name, PrivateKey)| (key.public_key().expect("a valid secret"), Signer::Key(key.clone()));
    engine::Settings {
        clock,
        producers: own.map(|(name, _)| *name).into_iter().collect(),
        signers: own.map(signer).into_iter().collect(),
        enable_stale_production: first,
        incoming_transaction_queue_bytes: QUEUE_BYTES,
        // With them the disk hears of all that joins the chain.
        traces: Some(|_| Vec::new()),
        ..engine::Settings::default()
    }
}

/// Ends the pending block with a signature.
fn sealed(chain: &mut Chain, key: &PrivateKey) -> Option<SealedBlock> {
    let unsigned = chain.finish_block().ok()?;
    let signature = key.sign(&unsigned.digest()).expect("a valid secret");
    unsigned.complete(vec![signature]).ok()
}

fn packed(state: &BlockState) -> Vec<u8> {
    state.block.as_ref().map(|block: &Arc<SignedBlock>| block.to_bytes()).unwrap_or_default()
}
