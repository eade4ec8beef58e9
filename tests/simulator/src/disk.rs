//! The disk of a node: what was written, and how much of it a loss of power leaves. It keeps what the store keeps
//! (`store::Change`): blocks of all branches, the chain's numbers, what was signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use p2p::core::{Blocks, Stands};
use p2p::wire::message::Point;
use primitives::{BlockId, Name};
use store::Watermark;

/// A change of the chain, as `store::Change` has it.
#[derive(Debug, Clone)]
pub struct Change {
    /// A block to keep.
    pub block: Option<(BlockId, Arc<[u8]>)>,
    /// The blocks that join the chain.
    pub joined: Vec<BlockId>,
    /// The last irreversible block afterwards.
    pub irreversible: BlockId,
    /// What was signed with it.
    pub signed: Option<(Name, Watermark)>,
}

/// What the changes add up to.
#[derive(Debug, Clone, Default)]
struct View {
    ids: BTreeMap<u32, BlockId>,
    blocks: BTreeMap<BlockId, Arc<[u8]>>,
    marks: BTreeMap<Name, Watermark>,
    irreversible: Point,
}

impl View {
    fn enter(&mut self, change: &Change) {
        self.blocks.extend(change.block.clone());
        for id in &change.joined {
            let num = Point::of(*id).num;
            self.ids.split_off(&num);
            self.ids.insert(num, *id);
        }
        self.irreversible = Point::of(change.irreversible);
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
    /// Changes that are not synced, with the first one's number.
    pending: Vec<Change>,
    count: u64,
}

impl Disk {
    /// A disk with the chain's first block.
    pub fn new(first: BlockId, bytes: Arc<[u8]>) -> Self {
        let mut view = View::default();
        view.enter(&Change { block: Some((first, bytes)), joined: vec![first], irreversible: first, signed: None });
        Self { written: view.clone(), synced: view, pending: Vec::new(), count: 0 }
    }

    /// Writes a change. Returns its number, for [`Self::sync`].
    pub fn write(&mut self, change: Change) -> u64 {
        self.written.enter(&change);
        self.pending.push(change);
        self.count += 1;
        self.count
    }

    /// Everything up to a change is safe from now on. Where the chain stands then.
    pub fn sync(&mut self, change: u64) -> Stands {
        let synced = self.count - self.pending.len() as u64;
        for change in self.pending.drain(..change.saturating_sub(synced) as usize) {
            self.synced.enter(&change);
        }
        Stands { head: self.synced.head(), irreversible: self.synced.irreversible, earliest: 1 }
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
