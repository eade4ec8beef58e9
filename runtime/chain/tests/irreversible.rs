//! A chain whose state stands at the last irreversible block, beside one whose state is that of the head.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use chain::{
    Applied, Chain, ChainError, CheckpointLoader, KeptBlocks, LiveChain, PrepareMode, PreparedBlock, SavedChain,
    Settings,
};
use codec::Pack as _;
use common::{begin_three, doors, hand_over, key, new_chain, new_chain_with, produce, produce_as};
use primitives::{BlockId, FaultKind, SignedBlock};

const ALL: [&str; 3] = ["alice", "bob", "carol"];

fn irreversible_only() -> Settings {
    Settings { irreversible_only: true, ..Settings::default() }
}

fn hash(chain: &Chain) -> String {
    chain.integrity_hash().expect("nothing pending").to_string()
}

fn block_of(applied: &Applied) -> Arc<SignedBlock> {
    applied.applied[0].state.block.clone().expect("a sealed block")
}

/// A chain of three producers, one that follows it, and the hash of each state so far.
struct Pair {
    leading: LiveChain,
    following: LiveChain,
    hashes: BTreeMap<u32, String>,
}

impl Pair {
    fn new() -> Self {
        let (mut leading, following) = (new_chain(), new_chain_with(irreversible_only()));
        let mut pair = Self { hashes: BTreeMap::new(), leading: new_chain(), following };
        for block in begin_three(&mut leading) {
            hand_over(&block, &mut pair.leading).expect("a valid block");
            pair.take(&block);
        }
        pair
    }

    fn take(&mut self, block: &Applied) -> Applied {
        self.hashes.insert(self.leading.head().number(), hash(&self.leading));
        let applied = hand_over(block, &mut self.following).expect("a valid block");
        self.check();
        applied
    }

    fn grow(&mut self, blocks: usize, producers: &[&str]) {
        for _ in 0..blocks {
            let block = produce_as(&mut self.leading, producers);
            let joined: Vec<_> = self.take(&block).joined().map(|state| state.id()).collect();
            assert_eq!(joined, [self.leading.head().id()]);
        }
    }

    /// Where the chain stands as nodeos' `get_info` says it, and the state of that block.
    fn check(&self) {
        let Self { leading, following, hashes } = self;
        assert_eq!(following.root().id(), leading.root().id());
        assert_eq!(following.head().id(), following.root().id());
        assert_eq!(following.best().id(), leading.head().id());
        if let Some(expected) = hashes.get(&following.head().number()) {
            assert_eq!(&hash(following), expected, "state of block {}", following.head().number());
        }
        let reversible = leading.head().number();
        assert_eq!(following.fork_block_by_num(reversible).map(|state| state.id()), Some(leading.head().id()));
    }
}

#[test]
fn blocks_are_applied_when_they_are_irreversible() {
    let mut pair = Pair::new();
    let begun = pair.following.head().number();
    pair.grow(80, &ALL);
    assert!(pair.following.head().number() > begun + 40, "irreversibility advances");
    assert!(pair.following.head().number() + 10 < pair.leading.head().number(), "and lags behind");
}

/// Nothing of a branch was applied before it is irreversible, so nothing is undone for another one.
#[test]
fn a_change_of_branches_undoes_nothing() {
    let mut pair = Pair::new();
    pair.grow(60, &ALL);
    let mut other = new_chain();
    let mut blocks: Vec<_> = begin_three(&mut other);
    blocks.extend((0..60).map(|_| produce_as(&mut other, &ALL)));
    assert_eq!(other.head().id(), pair.leading.head().id());
    let base = pair.leading.head().number();
    pair.grow(2, &["alice"]);
    // Of the other branch.
    pair.hashes.retain(|number, _| *number <= base);
    let branch: Vec<_> = (0..4).map(|_| produce_as(&mut other, &["bob"])).collect();
    for block in &branch {
        let applied = hand_over(block, &mut pair.following).expect("a valid block");
        hand_over(block, &mut pair.leading).expect("a valid block");
        let common = applied.applied.iter().all(|sealed| sealed.state.number() <= base);
        assert!(applied.undone.is_empty() && common, "what was applied is part of both branches");
        if let Some(end) = applied.joined().next_back() {
            assert_eq!(end.id(), pair.following.best().id());
        }
    }
    pair.check();
    pair.grow(60, &ALL);
}

/// Changes a block and signs it again as `eosio`.
fn forged(block: &SignedBlock, chain: &Chain, change: impl FnOnce(&mut SignedBlock)) -> SignedBlock {
    let mut block = block.clone();
    change(&mut block);
    let previous = chain.fork_block(&block.header().previous).expect("the base is known");
    let pending = previous.header.next(block.header().timestamp, block.header().confirmed).expect("a later slot");
    let state = pending.finish(block.signed_header.clone(), Vec::new(), false, &|_, _, _| Ok(())).expect("well formed");
    block.signed_header.producer_signature = key("eosio").sign(&state.sig_digest()).expect("a valid secret");
    block
}

fn receive(chain: &mut LiveChain, block: SignedBlock) -> Result<Applied, ChainError> {
    let block = PreparedBlock::from_block(Arc::new(block), &chain.chain_id(), PrepareMode::Full).expect("well formed");
    chain.push_block(block)
}

/// What is bad shows when it is irreversible: it goes with all that is built on it, the state stays, and the true
/// branch goes on from there.
#[test]
fn a_bad_block_is_left_out_when_it_becomes_irreversible() {
    let (mut leading, mut following) = (new_chain(), new_chain_with(irreversible_only()));
    for _ in 0..5 {
        let block = produce(&mut leading);
        hand_over(&block, &mut following).expect("a valid block");
    }
    let (head, state) = (following.head().id(), hash(&following));
    let tail: Vec<_> = (0..3).map(|_| produce(&mut leading)).collect();
    let blocks: Vec<_> = tail.iter().map(block_of).collect();
    let bad = forged(&blocks[0], &following, |block| block.signed_header.header.action_mroot.0[5] ^= 1);
    let next = receive(&mut following, bad.clone()).expect("its header is good");
    // The block before it is irreversible now, and its own turn comes with the next one.
    assert_eq!((next.applied.len(), following.best().id()), (1, bad.id()));
    let (before, state_before) = (following.head().id(), hash(&following));
    assert!(before != head && state_before != state);
    let on_it = forged(&blocks[1], &following, |block| block.signed_header.header.previous = bad.id());
    let applied = receive(&mut following, on_it.clone()).expect("the best branch changes");
    let (at, fault) = applied.rejected.clone().expect("it is bad");
    assert_eq!((at, fault.kind), (bad.id(), FaultKind::BLOCK_VALIDATE_EXCEPTION));
    assert!(applied.applied.is_empty() && following.fork_block(&on_it.id()).is_none());
    assert_eq!(applied.joined().map(|state| state.id()).collect::<Vec<_>>(), [before]);
    assert_eq!((following.best().id(), hash(&following)), (before, state_before));
    for block in &blocks {
        receive(&mut following, (**block).clone()).expect("a valid block");
    }
    assert_eq!((following.best().id(), following.head().id()), (leading.head().id(), leading.root().id()));
}

/// Packed blocks by id.
#[derive(Clone, Default)]
struct Blocks(BTreeMap<BlockId, Vec<u8>>);

impl KeptBlocks for Blocks {
    fn block(&self, id: &BlockId) -> Option<Vec<u8>> {
        self.0.get(id).cloned()
    }

    fn undo(&self, _number: u32) -> Option<Vec<u8>> {
        None
    }
}

/// What a whole checkpoint of a chain keeps, with the blocks after its root.
fn saved(chain: &mut LiveChain) -> (SavedChain, Vec<Arc<SignedBlock>>) {
    let checkpoint = chain.take_checkpoint().expect("nothing pending");
    let blocks: Vec<_> =
        (chain.root().number() + 1..=chain.best().number()).filter_map(|num| chain.fork_block_by_num(num)).collect();
    let blocks: Vec<_> = blocks.into_iter().filter_map(|state| state.block.clone()).collect();
    let kept = Blocks(blocks.iter().map(|block| (block.id(), block.to_bytes())).collect());
    let rows = checkpoint.rows.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let rows = CheckpointLoader::of_rows(rows).expect("the chain's own");
    let (root, reversible) = (checkpoint.root_header_state, checkpoint.reversible);
    (SavedChain { rows, root, reversible, blocks: Arc::new(kept) }, blocks)
}

/// A state that was kept at the head is undone to the last irreversible block, and the other way round the blocks that
/// were never applied are applied.
#[test]
fn a_kept_state_goes_from_one_mode_to_the_other() {
    let mut pair = Pair::new();
    pair.grow(60, &ALL);
    let reversible = pair.leading.head().number() - pair.leading.root().number();

    let (kept, blocks) = saved(&mut pair.leading);
    let mut restored = LiveChain::from_checkpoint(kept, irreversible_only(), doors()).expect("readable");
    assert_eq!(restored.return_to_root().expect("it can be undone"), reversible);
    assert!(blocks.iter().all(|block| restored.recall_block(block.clone()).expect("well formed")));
    assert!(restored.switch_to_recalled().expect("nothing is due").applied.is_empty());
    let former = std::mem::replace(&mut pair.following, restored);
    pair.check();
    pair.grow(40, &ALL);

    pair.following = former;
    let (kept, blocks) = saved(&mut pair.following);
    let mut restored = LiveChain::from_checkpoint(kept, Settings::default(), doors()).expect("readable");
    assert!(blocks.iter().all(|block| restored.recall_block(block.clone()).expect("well formed")));
    let applied = restored.switch_to_recalled().expect("they are valid").applied;
    assert_eq!(applied.len() as u32, reversible);
    assert_eq!(Some(&hash(&restored)), pair.hashes.get(&restored.head().number()));
}
