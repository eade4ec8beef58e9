//! The reversible blocks as a tree (nodeos' fork database): which branch is best, what to undo and apply to get
//! there, what falls away when blocks become irreversible. Blocks are held as any [`ForkNode`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use primitives::{BlockId, Fault, FaultKind};
use rustc_hash::FxHashMap;

/// What the tree must know of a block.
pub trait ForkNode: Clone {
    /// Its id.
    fn id(&self) -> BlockId;
    /// The block before it.
    fn previous(&self) -> BlockId;
    /// Its number.
    fn block_num(&self) -> u32;
    /// The block that is irreversible after it.
    fn irreversible_block_num(&self) -> u32;
}

impl<N: ForkNode> ForkNode for Arc<N> {
    fn id(&self) -> BlockId {
        N::id(self)
    }

    fn previous(&self) -> BlockId {
        N::previous(self)
    }

    fn block_num(&self) -> u32 {
        N::block_num(self)
    }

    fn irreversible_block_num(&self) -> u32 {
        N::irreversible_block_num(self)
    }
}

/// A contradiction in the tree: the node must stop, as nodeos does on `fork_database_exception`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForkTreeError {
    /// A block that must be there is not.
    #[error("block {0} does not exist in the fork tree")]
    Missing(BlockId),
    /// The root cannot move to a block that was never applied.
    #[error("block {0} cannot become the root: it has not been validated")]
    NotValidated(BlockId),
    /// The head would be removed.
    #[error("removing block {0} and its descendants would remove the head")]
    HeadRemoved(BlockId),
}

/// The rank of a block; the greatest valid one is the head. Ties go to the smaller id.
type Rank = (bool, u32, u32, Reverse<BlockId>);

#[derive(Debug, Clone)]
struct Entry<N> {
    node: N,
    valid: bool,
}

/// The reversible blocks above a root. The root itself is irreversible and always valid.
#[derive(Debug, Clone)]
pub struct ForkTree<N> {
    root: N,
    head: N,
    entries: FxHashMap<BlockId, Entry<N>>,
    ranks: BTreeSet<Rank>,
    children: BTreeMap<BlockId, Vec<BlockId>>,
}

/// Two branches with a common ancestor, which is in neither; the newest block first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branches<N> {
    /// From the first block.
    pub first: Vec<N>,
    /// From the second block.
    pub second: Vec<N>,
}

impl<N: ForkNode> ForkTree<N> {
    /// A tree of its root alone.
    pub fn new(root: N) -> Self {
        Self {
            head: root.clone(),
            root,
            entries: FxHashMap::default(),
            ranks: BTreeSet::new(),
            children: BTreeMap::new(),
        }
    }

    /// The last irreversible block.
    pub fn root(&self) -> &N {
        &self.root
    }

    /// The best valid block.
    pub fn head(&self) -> &N {
        &self.head
    }

    /// Number of reversible blocks on all branches.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing but the root.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The reversible blocks of all branches, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &N> {
        self.entries.values().map(|entry| &entry.node)
    }

    /// A reversible block.
    pub fn get(&self, id: &BlockId) -> Option<&N> {
        self.entries.get(id).map(|entry| &entry.node)
    }

    /// A reversible block or the root.
    pub fn get_or_root(&self, id: &BlockId) -> Option<&N> {
        if self.root.id() == *id { Some(&self.root) } else { self.get(id) }
    }

    /// Whether a reversible block has been applied successfully before.
    pub fn is_valid(&self, id: &BlockId) -> bool {
        self.entries.get(id).is_some_and(|entry| entry.valid)
    }

    /// Adds a block that has not been applied.
    ///
    /// # Errors
    /// `unlinkable_block_exception` when its predecessor is unknown, `fork_database_exception` when it is there.
    pub fn add(&mut self, node: N) -> Result<(), Fault> {
        let (id, previous) = (node.id(), node.previous());
        if self.get_or_root(&previous).is_none() {
            return Err(Fault::new(FaultKind::UNLINKABLE_BLOCK_EXCEPTION, "unlinkable block"));
        }
        if self.entries.contains_key(&id) {
            return Err(Fault::new(FaultKind::FORK_DATABASE_EXCEPTION, "duplicate block added"));
        }
        self.ranks.insert(rank(&node, false));
        self.children.entry(previous).or_default().push(id);
        self.entries.insert(id, Entry { node, valid: false });
        Ok(())
    }

    /// Puts another form of a block in its place; of one that is not there nothing is changed.
    pub fn replace(&mut self, node: N) {
        if let Some(entry) = self.entries.get_mut(&node.id()) {
            entry.node = node.clone();
        }
        if self.head.id() == node.id() {
            self.head = node;
        }
    }

    /// Notes that a block was applied; it may become the head.
    ///
    /// # Errors
    /// [`ForkTreeError::Missing`].
    pub fn mark_valid(&mut self, id: &BlockId) -> Result<(), ForkTreeError> {
        let entry = self.entries.get_mut(id).ok_or(ForkTreeError::Missing(*id))?;
        if !entry.valid {
            entry.valid = true;
            self.ranks.remove(&rank(&entry.node, false));
            self.ranks.insert(rank(&entry.node, true));
            if let Some(best) = self.best().filter(|best| preferred(*best, &self.head)) {
                self.head = best.clone();
            }
        }
        Ok(())
    }

    /// The best block if all blocks turned out valid: what to switch to.
    pub fn pending_head(&self) -> &N {
        let unapplied = self.ranks.range(..(true, 0, 0, Reverse(BlockId::default()))).next_back();
        let unapplied = unapplied.filter(|rank| !rank.0).and_then(|rank| self.get(&rank.3.0));
        match unapplied {
            Some(candidate) if preferred(candidate, &self.head) => candidate,
            _ => &self.head,
        }
    }

    fn best(&self) -> Option<&N> {
        self.ranks.last().and_then(|rank| self.get(&rank.3.0))
    }

    /// Whether a block that is not in the tree would be what to switch to.
    pub fn is_preferred(&self, node: &N) -> bool {
        preferred(node, self.pending_head())
    }

    /// The reversible blocks from `id` down to the root (excluded), newest first, up to number `up_to`.
    pub fn branch(&self, id: &BlockId, up_to: u32) -> Vec<N> {
        self.ancestors(id).filter(|node| node.block_num() <= up_to).cloned().collect()
    }

    /// The block with a number on the branch that ends in `id`; the root is found too.
    pub fn on_branch(&self, id: &BlockId, block_num: u32) -> Option<&N> {
        if self.root.block_num() == block_num {
            return Some(&self.root);
        }
        self.ancestors(id).find(|node| node.block_num() == block_num)
    }

    /// The ends of branches that `which` says, without the best ones; those after one block in the order in which they
    /// came.
    pub fn ends(&self, which: impl Fn(&N) -> bool) -> Vec<N> {
        let best = [self.head.id(), self.pending_head().id()];
        let ids = self.children.values().flatten();
        let ends = ids.filter(|id| !self.children.contains_key(id) && !best.contains(id));
        ends.filter_map(|id| self.get(id)).filter(|node| which(node)).cloned().collect()
    }

    /// A reversible block and those before it, down to the root (excluded).
    pub fn ancestors(&self, id: &BlockId) -> impl Iterator<Item = &N> {
        std::iter::successors(self.get(id), |node| self.get(&node.previous()))
    }

    /// What to undo and apply to get from `second` to `first` (`fetch_branch_from`).
    ///
    /// # Errors
    /// [`ForkTreeError::Missing`].
    pub fn branches(&self, first: &BlockId, second: &BlockId) -> Result<Branches<N>, ForkTreeError> {
        let find = |id: &BlockId| self.get_or_root(id).ok_or(ForkTreeError::Missing(*id));
        let (mut on_first, mut on_second) = (find(first)?, find(second)?);
        let mut branches = Branches { first: Vec::new(), second: Vec::new() };
        while on_first.id() != on_second.id() {
            let (first_num, second_num) = (on_first.block_num(), on_second.block_num());
            if first_num >= second_num {
                branches.first.push(on_first.clone());
                on_first = find(&on_first.previous())?;
            }
            if second_num >= first_num {
                branches.second.push(on_second.clone());
                on_second = find(&on_second.previous())?;
            }
        }
        Ok(branches)
    }

    /// Removes a block and everything built on it; returns what was removed.
    ///
    /// # Errors
    /// [`ForkTreeError::HeadRemoved`]; nothing is removed then.
    pub fn remove(&mut self, id: &BlockId) -> Result<Vec<N>, ForkTreeError> {
        let mut doomed = vec![*id];
        let mut next = 0;
        while let Some(current) = doomed.get(next).copied() {
            if current == self.head.id() {
                return Err(ForkTreeError::HeadRemoved(*id));
            }
            doomed.extend(self.children.get(&current).into_iter().flatten());
            next += 1;
        }
        Ok(doomed.iter().filter_map(|id| self.detach(id)).collect())
    }

    fn detach(&mut self, id: &BlockId) -> Option<N> {
        let Entry { node, valid } = self.entries.remove(id)?;
        self.ranks.remove(&rank(&node, valid));
        let previous = node.previous();
        if let Some(siblings) = self.children.get_mut(&previous) {
            siblings.retain(|sibling| sibling != id);
            if siblings.is_empty() {
                self.children.remove(&previous);
            }
        }
        Some(node)
    }

    /// Makes a valid block the root; what does not descend from it is removed and returned, the old root excluded.
    ///
    /// # Errors
    /// When the block is missing or was never applied, or the head is on another branch.
    pub fn advance_root(&mut self, id: &BlockId) -> Result<Vec<N>, ForkTreeError> {
        let entry = self.entries.get(id).ok_or(ForkTreeError::Missing(*id))?;
        if !entry.valid {
            return Err(ForkTreeError::NotValidated(*id));
        }
        let path: Vec<BlockId> = self.ancestors(id).map(ForkNode::id).collect();
        let new_root = self.detach(id).ok_or(ForkTreeError::Missing(*id))?;
        let mut removed = Vec::new();
        for below in &path[1..] {
            removed.extend(self.remove(below)?);
        }
        // Branches that leave from the old root itself.
        for orphan in self.children.get(&self.root.id()).cloned().unwrap_or_default() {
            removed.extend(self.remove(&orphan)?);
        }
        self.root = new_root;
        if !self.entries.contains_key(&self.head.id()) {
            self.head = self.root.clone();
        }
        Ok(removed)
    }
}

fn rank<N: ForkNode>(node: &N, valid: bool) -> Rank {
    (valid, node.irreversible_block_num(), node.block_num(), Reverse(node.id()))
}

/// Whether one branch end is strictly better than another (`first_preferred`).
fn preferred<N: ForkNode>(one: &N, other: &N) -> bool {
    (one.irreversible_block_num(), one.block_num()) > (other.irreversible_block_num(), other.block_num())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Block {
        id: u8,
        previous: u8,
        number: u32,
        irreversible: u32,
    }

    fn id_of(id: u8) -> BlockId {
        let mut bytes = [0; 32];
        bytes[31] = id;
        primitives::Checksum256(bytes)
    }

    impl ForkNode for Block {
        fn id(&self) -> BlockId {
            id_of(self.id)
        }
        fn previous(&self) -> BlockId {
            id_of(self.previous)
        }
        fn block_num(&self) -> u32 {
            self.number
        }
        fn irreversible_block_num(&self) -> u32 {
            self.irreversible
        }
    }

    fn block(id: u8, previous: u8, number: u32, irreversible: u32) -> Block {
        Block { id, previous, number, irreversible }
    }

    /// 1 - 2 - 3 - 4, and 5 - 6 - 7 from 2; all of the first branch valid.
    fn tree() -> ForkTree<Block> {
        let mut tree = ForkTree::new(block(1, 0, 1, 1));
        for (id, previous, number) in [(2, 1, 2), (3, 2, 3), (4, 3, 4), (5, 2, 3), (6, 5, 4)] {
            tree.add(block(id, previous, number, 1)).expect("linkable");
        }
        for id in [2, 3, 4] {
            tree.mark_valid(&id_of(id)).expect("known");
        }
        tree
    }

    fn ids(blocks: &[Block]) -> Vec<u8> {
        blocks.iter().map(|block| block.id).collect()
    }

    #[test]
    fn only_a_better_branch_is_preferred() {
        let mut tree = tree();
        assert_eq!((tree.head().id, tree.pending_head().id), (4, 4));
        tree.add(block(7, 6, 5, 1)).expect("linkable");
        assert_eq!((tree.head().id, tree.pending_head().id), (4, 7));
        for id in [5, 6, 7] {
            tree.mark_valid(&id_of(id)).expect("known");
        }
        assert_eq!(tree.head().id, 7);
    }

    #[test]
    fn irreversibility_beats_length() {
        let mut tree = tree();
        tree.add(block(8, 2, 3, 2)).expect("linkable");
        assert_eq!(tree.pending_head().id, 8);
    }

    #[test]
    fn branches_end_above_the_common_block() {
        let tree = tree();
        let branches = tree.branches(&id_of(6), &id_of(4)).expect("known");
        assert_eq!((ids(&branches.first), ids(&branches.second)), (vec![6, 5], vec![4, 3]));
        let branches = tree.branches(&id_of(6), &id_of(1)).expect("known");
        assert_eq!((ids(&branches.first), ids(&branches.second)), (vec![6, 5, 2], vec![]));
        assert_eq!(tree.branches(&id_of(9), &id_of(1)), Err(ForkTreeError::Missing(id_of(9))));
    }

    #[test]
    fn what_does_not_descend_from_the_root_falls_away() {
        let mut tree = tree();
        let removed = tree.advance_root(&id_of(3)).expect("valid");
        assert_eq!(ids(&removed), [2, 5, 6]);
        assert_eq!((tree.root().id, tree.len()), (3, 1));
        assert_eq!(tree.on_branch(&id_of(4), 3).map(|block| block.id), Some(3));
    }

    #[test]
    fn removing_takes_descendants_but_never_the_head() {
        let mut tree = tree();
        assert_eq!(tree.remove(&id_of(2)), Err(ForkTreeError::HeadRemoved(id_of(2))));
        assert_eq!(ids(&tree.remove(&id_of(5)).expect("no head there")), [5, 6]);
        assert_eq!(tree.pending_head().id, 4);
    }

    /// A schedule that shrinks can leave a block with an earlier irreversible one than the head's.
    #[test]
    fn a_head_that_the_root_passes_is_the_root() {
        let mut tree = ForkTree::new(block(1, 0, 1, 9));
        tree.add(block(2, 1, 2, 1)).expect("linkable");
        tree.mark_valid(&id_of(2)).expect("known");
        assert_eq!(tree.head().id, 1);
        tree.advance_root(&id_of(2)).expect("valid");
        assert_eq!((tree.head().id, tree.pending_head().id), (2, 2));
    }

    #[test]
    fn strangers_and_duplicates_are_faults() {
        let mut tree = tree();
        let kind = |result: Result<(), Fault>| result.expect_err("a fault").kind;
        assert_eq!(kind(tree.add(block(9, 77, 9, 1))), FaultKind::UNLINKABLE_BLOCK_EXCEPTION);
        assert_eq!(kind(tree.add(block(6, 5, 4, 1))), FaultKind::FORK_DATABASE_EXCEPTION);
    }
}
