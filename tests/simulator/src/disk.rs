//! The disk of a node: what was written, and how much of it a loss of power leaves. It keeps what the store keeps
//! (`store::Change`): blocks of all branches, the chain's numbers, what was signed. The writer has it behind the door that
//! is the store's in a real node.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chain::{Applied, BlockState, ChainCheckpoint, CheckpointLoader, SavedBlock, SavedChain, StateImage};
use engine::carried::Reader;
use engine::saved_state::SavedState;
use engine::state_task::Task;
use engine::{EngineError, Position, Work};
use p2p::core::{Blocks, Stands};
use p2p::wire::message::Point;
use primitives::{BlockId, Checksum256, Name};
use store::{StoreError, Watermark};

use crate::planted::Planted;

/// States are compared in one of so many blocks.
const COMPARE_EVERY: u32 = 64;

/// A change of the chain, as `store::Change` has it.
#[derive(Debug, Clone)]
pub struct Change {
    /// Blocks to keep.
    pub blocks: Vec<(BlockId, Arc<[u8]>)>,
    /// The blocks that join the chain.
    pub joined: Vec<BlockId>,
    /// Blocks that are not kept any more.
    pub gone: Vec<BlockId>,
    /// Number of the last irreversible block afterwards.
    pub irreversible: u32,
    /// What was signed with it.
    pub signed: Option<(Name, Watermark)>,
}

/// What is written at once.
#[derive(Debug, Clone)]
enum Write {
    Change(Change),
    Checkpoint(Arc<ChainCheckpoint>),
}

/// A state, as checkpoints left it.
#[derive(Debug, Clone)]
struct State {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    root: Vec<u8>,
    root_number: u32,
    reversible: BTreeMap<u32, SavedBlock>,
}

/// What the writes add up to.
#[derive(Debug, Clone, Default)]
struct View {
    state: Option<State>,
    ids: BTreeMap<u32, BlockId>,
    blocks: BTreeMap<BlockId, Arc<[u8]>>,
    marks: BTreeMap<Name, Watermark>,
    irreversible: Point,
}

impl View {
    fn enter(&mut self, write: &Write) {
        match write {
            Write::Change(change) => self.enter_change(change),
            Write::Checkpoint(checkpoint) => self.enter_checkpoint(checkpoint),
        }
    }

    fn enter_checkpoint(&mut self, checkpoint: &ChainCheckpoint) {
        let none = State { rows: BTreeMap::new(), root: Vec::new(), root_number: 0, reversible: BTreeMap::new() };
        let state = self.state.get_or_insert(none);
        for (key, value) in &checkpoint.rows {
            match value {
                Some(value) => drop(state.rows.insert(key.clone(), value.clone())),
                None => drop(state.rows.remove(key)),
            }
        }
        (state.root, state.root_number) = (checkpoint.root_header_state.clone(), checkpoint.root);
        for block in &checkpoint.reversible {
            // One whose undo was not read since the start keeps the one that is there.
            let former = state.reversible.get(&block.number).and_then(|former| former.undo.clone());
            let undo = block.undo.clone().or(former);
            state.reversible.insert(block.number, SavedBlock { undo, ..block.clone() });
        }
        let reversible = checkpoint.root + 1..=Point::of(checkpoint.head).num;
        state.reversible.retain(|number, _| reversible.contains(number));
    }

    fn enter_change(&mut self, change: &Change) {
        self.blocks.extend(change.blocks.iter().cloned());
        change.gone.iter().for_each(|id| drop(self.blocks.remove(id)));
        for id in &change.joined {
            let num = Point::of(*id).num;
            self.ids.split_off(&num);
            self.ids.insert(num, *id);
        }
        self.irreversible = self.ids.get(&change.irreversible).map_or(self.irreversible, |id| Point::of(*id));
        if let Some((producer, mark)) = change.signed {
            self.marks.insert(producer, mark);
        }
    }

    fn head(&self) -> Point {
        self.ids.last_key_value().map_or(Point::default(), |(num, id)| Point { num: *num, id: *id })
    }
}

/// A disk.
#[derive(Debug, Clone)]
pub struct Disk {
    written: View,
    synced: View,
    /// What is not synced, in order.
    pending: Vec<Write>,
    count: u64,
    /// What the writer may ask for before its process dies.
    calls_left: Option<u32>,
}

impl Disk {
    /// A disk with the chain's first block.
    pub fn new(first: BlockId, bytes: Arc<[u8]>) -> Self {
        let mut view = View::default();
        let (blocks, joined) = (vec![(first, bytes)], vec![first]);
        view.enter_change(&Change { blocks, joined, gone: Vec::new(), irreversible: 1, signed: None });
        Self { written: view.clone(), synced: view, pending: Vec::new(), count: 0, calls_left: None }
    }

    /// Writes a change. Returns its number, for [`Self::sync`].
    pub fn write(&mut self, change: Change) -> u64 {
        self.put(Write::Change(change))
    }

    fn put(&mut self, write: Write) -> u64 {
        self.written.enter(&write);
        self.pending.push(write);
        self.count += 1;
        self.count
    }

    /// The chain at its last checkpoint, if there is one. What undoes a block is left out for every second one: the chain
    /// asks for it when it comes to that.
    pub fn saved(&self, blocks: SharedDisk) -> Option<SavedChain> {
        let state = self.written.state.as_ref()?;
        let reversible = state.reversible.values().cloned().map(|block| {
            let undo = block.undo.filter(|_| !block.number.is_multiple_of(2));
            SavedBlock { undo, ..block }
        });
        Some(SavedChain {
            rows: CheckpointLoader::of_rows(&state.rows).expect("the chain's own rows"),
            root: state.root.clone(),
            reversible: reversible.collect(),
            blocks: Arc::new(blocks),
        })
    }

    /// The hash of the state of the last checkpoint, which is of `head`.
    fn hash_of_state(&self, head: Arc<BlockState>) -> Checksum256 {
        let state = self.written.state.as_ref().expect("it was just written");
        let rows = CheckpointLoader::of_rows(&state.rows).expect("the chain's own rows");
        StateImage::load(head, rows).expect("the chain's own rows").integrity_hash()
    }

    /// Everything up to a change is safe from now on. Where the chain stands then.
    pub fn sync(&mut self, change: u64) -> Stands {
        let synced = self.count - self.pending.len() as u64;
        for change in self.pending.drain(..change.saturating_sub(synced) as usize) {
            self.synced.enter(&change);
        }
        Stands { head: self.synced.head(), irreversible: self.synced.irreversible, earliest: 1 }
    }

    /// Where the chain stands as it is written, synced or not.
    pub fn stands(&self) -> Stands {
        Stands { head: self.written.head(), irreversible: self.written.irreversible, earliest: 1 }
    }

    /// The process dies when the writer has asked for so many things more: what it asks for then is not done.
    pub fn dies_after(&mut self, calls: u32) {
        self.calls_left = Some(calls);
    }

    /// Whether the process has died.
    pub fn is_dead(&self) -> bool {
        self.calls_left == Some(0)
    }

    /// Another process goes on with the disk.
    pub fn revive(&mut self) {
        self.calls_left = None;
    }

    /// Counts a thing that is asked for. Whether it is done.
    fn is_asked(&mut self) -> bool {
        match &mut self.calls_left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// Whether a block is synced, with what says that its producer signed it.
    pub fn is_safe(&self, id: &BlockId, producer: Name) -> bool {
        let mark = self.synced.marks.get(&producer);
        self.synced.blocks.contains_key(id) && mark.is_some_and(|mark| mark.num >= Point::of(*id).num)
    }

    /// The power went: what was not synced is gone.
    pub fn lose_power(&mut self) {
        self.count -= self.pending.len() as u64;
        self.pending.clear();
        self.written = self.synced.clone();
    }

    /// The process ended, the system did not: all that was written stays.
    pub fn settle(&mut self) -> Stands {
        self.sync(self.count)
    }

    /// The blocks of the chain after the first one, in order.
    pub fn chain(&self) -> impl Iterator<Item = &Arc<[u8]>> {
        self.written.ids.values().skip(1).filter_map(|id| self.written.blocks.get(id))
    }

    /// Blocks of the chain that are not there.
    pub fn missing(&self) -> impl Iterator<Item = &BlockId> {
        self.written.ids.values().filter(|id| !self.written.blocks.contains_key(id))
    }

    /// All blocks, by number.
    pub fn blocks(&self) -> impl Iterator<Item = (&BlockId, &Arc<[u8]>)> {
        self.written.blocks.iter()
    }

    /// What was signed.
    pub fn marks(&self) -> BTreeMap<Name, Watermark> {
        self.written.marks.clone()
    }

    /// The chain's last block.
    pub fn head(&self) -> Point {
        self.written.head()
    }
}

impl Blocks for Disk {
    fn id_at(&self, num: u32) -> Option<BlockId> {
        self.written.ids.get(&num).copied()
    }

    fn block_at(&self, num: u32) -> Option<Arc<[u8]>> {
        self.written.blocks.get(self.written.ids.get(&num)?).cloned()
    }

    fn has(&self, id: &BlockId) -> bool {
        self.written.blocks.contains_key(id)
    }
}

/// What a writer did to its disk, in order.
#[derive(Debug)]
pub enum Done {
    /// It wrote a change, with this number.
    Wrote(u64, Change),
    /// It followed the chain to a position.
    Followed {
        /// The position.
        position: Position,
        /// Whether blocks were applied.
        is_change: bool,
        /// What joined and left the chain.
        applied: Option<Box<Applied>>,
        /// The state's hash at the head, now and then.
        state: Option<(BlockId, Checksum256)>,
    },
    /// These blocks are irreversible.
    Settled(Vec<BlockId>),
    /// It had something made of the state of a block.
    WholeState(BlockId),
}

/// A disk that a writer and the network share.
#[derive(Debug, Clone)]
pub struct SharedDisk(Arc<Mutex<Disk>>);

impl SharedDisk {
    /// Of a disk.
    pub fn new(disk: Disk) -> Self {
        Self(Arc::new(Mutex::new(disk)))
    }

    /// The disk itself, for a moment.
    pub fn look(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blocks for SharedDisk {
    fn id_at(&self, num: u32) -> Option<BlockId> {
        self.look().id_at(num)
    }

    fn block_at(&self, num: u32) -> Option<Arc<[u8]>> {
        self.look().block_at(num)
    }

    fn has(&self, id: &BlockId) -> bool {
        self.look().has(id)
    }
}

impl chain::KeptBlocks for SharedDisk {
    fn block(&self, id: &BlockId) -> Option<Vec<u8>> {
        self.look().written.blocks.get(id).map(|bytes| bytes.to_vec())
    }

    fn undo(&self, number: u32) -> Option<Vec<u8>> {
        self.look().written.state.as_ref()?.reversible.get(&number)?.undo.clone()
    }
}

/// What a writer did since it was last asked.
pub type Doings = Arc<Mutex<Vec<Done>>>;

/// The writer's door to the disk. What is done is noted, for those who look on.
#[derive(Debug)]
pub struct DiskDoor {
    disk: SharedDisk,
    doings: Doings,
    reader: Reader,
    planted: Option<Planted>,
}

impl DiskDoor {
    /// To a disk.
    pub fn new(disk: SharedDisk, doings: Doings, reader: Reader, planted: Option<Planted>) -> Self {
        Self { disk, doings, reader, planted }
    }

    fn did(&self, done: Done) {
        self.doings.lock().unwrap_or_else(PoisonError::into_inner).push(done);
    }
}

impl engine::Disk for DiskDoor {
    fn ingest(&mut self, change: &store::Change<'_>) -> Result<(), StoreError> {
        let change = Change {
            blocks: change.blocks.iter().map(|(id, bytes)| (*id, Arc::from(*bytes))).collect(),
            joined: change.joined.to_vec(),
            gone: change.gone.to_vec(),
            irreversible: change.irreversible,
            signed: change.signed,
        };
        let forgets = self.planted == Some(Planted::WatermarkForgotten);
        let kept = Change { signed: change.signed.filter(|_| !forgets), ..change.clone() };
        let mut disk = self.disk.look();
        if !disk.is_asked() {
            return Ok(());
        }
        if self.planted == Some(Planted::HeadBeforeBlock) {
            disk.write(Change { blocks: Vec::new(), ..kept.clone() });
            if !disk.is_asked() {
                return Ok(());
            }
        }
        let number = disk.write(kept);
        drop(disk);
        self.did(Done::Wrote(number, change));
        Ok(())
    }

    fn block_id_at(&self, number: u32) -> Result<Option<BlockId>, StoreError> {
        Ok(self.disk.id_at(number))
    }

    fn block_at(&self, number: u32) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(Blocks::block_at(&self.disk, number).map(|bytes| bytes.to_vec()))
    }

    fn follow(&mut self, work: Work) -> Result<(), EngineError> {
        if !self.disk.look().is_asked() {
            return Ok(());
        }
        let done = match work {
            Work::Accepted { position, is_change, history } => {
                let state = self.reader.read(|chain| {
                    let compared = is_change && chain.head().number().is_multiple_of(COMPARE_EVERY);
                    compared.then(|| (chain.head().id(), chain.integrity_hash().expect("nothing is pending")))
                });
                Done::Followed { position, is_change, applied: history, state }
            }
            Work::Settled(heads) => Done::Settled(heads.into_iter().map(|head| head.id).collect()),
            Work::WholeState { head, task: Task::Hash(reply) } => {
                let id = head.id();
                let hash = self.disk.look().hash_of_state(head);
                // Whoever asked may be gone.
                let _ = reply.send(Ok((id, hash)));
                Done::WholeState(id)
            }
            other => panic!("nobody asks a simulated node for files: {other:?}"),
        };
        self.did(done);
        Ok(())
    }

    fn checkpoint(&mut self, checkpoint: ChainCheckpoint) -> Result<(), EngineError> {
        let mut disk = self.disk.look();
        if disk.is_asked() {
            disk.put(Write::Checkpoint(Arc::new(checkpoint)));
        }
        Ok(())
    }

    fn is_writing_checkpoint(&mut self) -> bool {
        false
    }

    fn await_checkpoint(&mut self) -> Result<(), EngineError> {
        Ok(())
    }

    fn rewind(&mut self, state: &SavedState, _: &BTreeMap<u32, (BlockId, Vec<u8>)>) -> Result<(), EngineError> {
        panic!("nobody sets the state of a simulated node, to {}", state.head)
    }

    fn finish(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}
