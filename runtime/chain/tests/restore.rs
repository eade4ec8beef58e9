//! A chain that is restored from a checkpoint or a snapshot goes on as the one it was taken from.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use chain::{
    Brought, Chain, CheckpointLoader, KeptBlocks, LiveChain, PrepareMode, PreparedBlock, SavedBlock, SavedChain,
    Settings,
};
use common::{chain_of_three, create_account, doors, hand_over, produce_as};
use primitives::{BlockId, Pack as _};

const ALL: [&str; 3] = ["alice", "bob", "carol"];

/// Produces `blocks` blocks, each with an account created in it.
fn grow(chain: &mut LiveChain, blocks: usize, prefix: &str) {
    for index in 0..blocks {
        let slot = chain.head().header.timestamp().next();
        let header = chain.head().header.clone();
        let producer = header.scheduled_producer(slot).producer_name;
        let confirmed = header.blocks_to_confirm(header.producer_to_last_produced.get(&producer).copied());
        common::start(chain, slot, confirmed).expect("a later slot");
        let letter = char::from(b'a' + u8::try_from(index % 26).expect("a letter"));
        create_account(
            chain,
            &format!("{prefix}{letter}{}", char::from(b'a' + u8::try_from(index / 26).expect("few"))),
        );
        common::seal(chain, &[common::key(&producer.to_string())]).expect("the producer signs");
    }
}

fn hash(chain: &Chain) -> String {
    chain.integrity_hash().expect("nothing pending").to_string()
}

/// What a node keeps of checkpoints and blocks.
#[derive(Default)]
struct Disk {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    root: Vec<u8>,
    reversible: BTreeMap<u32, SavedBlock>,
    blocks: Blocks,
}

/// Packed blocks by id, and what undoes those that a chain was loaded with.
#[derive(Clone, Default)]
struct Blocks(BTreeMap<BlockId, Vec<u8>>, BTreeMap<u32, Vec<u8>>);

impl KeptBlocks for Blocks {
    fn block(&self, id: &BlockId) -> Option<Vec<u8>> {
        self.0.get(id).cloned()
    }

    fn undo(&self, number: u32) -> Option<Vec<u8>> {
        self.1.get(&number).cloned()
    }
}

impl Disk {
    fn store(&mut self, chain: &mut LiveChain) {
        let checkpoint = chain.take_checkpoint().expect("nothing pending");
        for (key, value) in checkpoint.rows {
            match value {
                Some(value) => drop(self.rows.insert(key, value)),
                None => drop(self.rows.remove(&key)),
            }
        }
        self.root = checkpoint.root_header_state;
        self.reversible.extend(checkpoint.reversible.into_iter().map(|block| (block.number, block)));
        self.reversible.retain(|&number, _| (checkpoint.root + 1..=chain.head().number()).contains(&number));
        let blocks = chain.reversible_blocks();
        let blocks = blocks.iter().filter_map(|state| Some((state.id(), state.block.as_ref()?.to_bytes())));
        self.blocks.0.extend(blocks);
    }

    /// Every second block's undo stays where it is.
    fn saved(&self) -> SavedChain {
        let (mut blocks, mut reversible) = (self.blocks.clone(), Vec::new());
        for (number, mut block) in self.reversible.clone() {
            if number % 2 == 0 {
                blocks.1.extend(block.undo.take().map(|undo| (number, undo)));
            }
            reversible.push(block);
        }
        SavedChain {
            rows: CheckpointLoader::of_rows(&self.rows).expect("the chain's own"),
            root: self.root.clone(),
            reversible,
            blocks: Arc::new(blocks),
        }
    }

    fn load(&self) -> LiveChain {
        LiveChain::from_checkpoint(self.saved(), Settings::default(), doors()).expect("readable")
    }
}

#[test]
fn a_checkpoint_and_the_blocks_after_it_give_the_same_state() {
    let mut chain = chain_of_three();
    let mut disk = Disk::default();
    grow(&mut chain, 70, "first");
    // Several checkpoints over another, with many reversible blocks in each.
    for round in ["second", "third", "fourth"] {
        disk.store(&mut chain);
        grow(&mut chain, 20, round);
    }
    let later: Vec<_> = chain.reversible_blocks().into_iter().rev().take(20).collect();
    let mut restored = disk.load();
    assert_eq!(restored.head().number() + 20, chain.head().number());
    assert!(restored.reversible_blocks().len() > 10 && restored.root().number() > 20, "both kinds of blocks are there");
    for state in later.iter().rev() {
        let block = state.block.clone().expect("kept while reversible");
        let block = PreparedBlock::from_block(block, &restored.chain_id(), PrepareMode::Trusted).expect("well formed");
        restored.push_kept_block(block).expect("a valid block");
    }
    assert_eq!((restored.head().id(), hash(&restored)), (chain.head().id(), hash(&chain)));
    assert_eq!(restored.root().id(), chain.root().id());
    let next = produce_as(&mut restored, &ALL);
    hand_over(&next, &mut chain).expect("a valid block");
    assert_eq!(hash(&restored), hash(&chain));
}

/// Blocks of another branch that came before a restart are known after it: the block that makes their branch the best
/// one links to them, and they are judged in full when they are applied.
#[test]
fn blocks_of_other_branches_are_recalled() {
    let (mut one, mut two) = (chain_of_three(), chain_of_three());
    let mut disk = Disk::default();
    disk.store(&mut one);
    (0..4).for_each(|_| drop(produce_as(&mut one, &["alice"])));
    disk.store(&mut one);
    let other: Vec<_> = (0..5).map(|_| produce_as(&mut two, &["bob", "carol"])).collect();
    let blocks: Vec<_> = other.iter().filter_map(|applied| applied.applied[0].state.block.clone()).collect();
    disk.blocks.0.extend(blocks.iter().map(|block| (block.id(), block.to_bytes())));
    let recall = |chain: &mut LiveChain, index: usize| chain.recall_block(blocks[index].clone()).expect("well formed");

    let mut restored = disk.load();
    assert!(!recall(&mut restored, 1), "the block before it is not known");
    assert!((0..4).all(|index| recall(&mut restored, index)));
    assert!(!recall(&mut restored, 3), "it is known already");
    let applied = restored.switch_to_recalled().expect("nothing is better");
    assert!(applied.applied.is_empty() && restored.head().id() == one.head().id());
    let applied = hand_over(&other[4], &mut restored).expect("it links to what was recalled");
    assert_eq!((applied.undone.len(), applied.applied.len()), (4, 5));
    assert_eq!((restored.head().id(), hash(&restored)), (two.head().id(), hash(&two)));

    // A node that was killed while it changed branches has all of them.
    let mut restored = disk.load();
    assert!((0..5).all(|index| recall(&mut restored, index)));
    let applied = restored.switch_to_recalled().expect("the branch is valid");
    assert_eq!((applied.undone.len(), applied.applied.len()), (4, 5));
    assert!(applied.applied.iter().all(|sealed| sealed.state.block.is_some()), "they can be kept");
    assert_eq!((restored.head().id(), hash(&restored)), (two.head().id(), hash(&two)));
}

/// Blocks of before a restart leave the chain for a better branch, and come back with an even better one.
#[test]
fn a_restored_chain_can_switch_branches() {
    let mut one = chain_of_three();
    let mut two = chain_of_three();
    let (before, common) = (hash(&one), one.head().id());
    let mut disk = Disk::default();
    disk.store(&mut one);
    let first: Vec<_> = (0..6).map(|_| produce_as(&mut one, &["alice"])).collect();
    disk.store(&mut one);
    let (first_head, first_hash) = (one.head().id(), hash(&one));
    let mut one = disk.load();
    assert_eq!((one.head().id(), hash(&one)), (first_head, first_hash));
    let second: Vec<_> = (0..7).map(|_| produce_as(&mut two, &["bob", "carol"])).collect();
    let mut switched = None;
    for block in &second {
        switched = Some(hand_over(block, &mut one).expect("a valid block"));
    }
    let switched = switched.expect("blocks were handed over");
    assert_eq!(switched.undone.len(), first.len());
    assert!(one.is_checkpoint_undone());
    assert_eq!((one.head().id(), hash(&one)), (two.head().id(), hash(&two)));
    // The other branch is what the next checkpoint and restart show.
    disk.store(&mut one);
    assert!(!one.is_checkpoint_undone());
    let mut one = disk.load();
    assert_eq!((one.head().id(), hash(&one)), (two.head().id(), hash(&two)));
    // A third branch from below everything restored.
    let mut three = chain_of_three();
    assert_eq!((three.head().id(), hash(&three)), (common, before));
    for block in &first {
        hand_over(block, &mut three).expect("a valid block");
    }
    let more: Vec<_> = (0..3).map(|_| produce_as(&mut three, &["bob"])).collect();
    for block in first.iter().chain(&more) {
        hand_over(block, &mut one).expect("a valid block");
    }
    assert_eq!((one.head().id(), hash(&one)), (three.head().id(), hash(&three)));
}

/// What a change of branches reads of blocks of before a restart can be read before it, and is not read again then.
#[test]
fn what_a_change_of_branches_reads_is_named_before() {
    let (mut one, mut two) = (chain_of_three(), chain_of_three());
    let mut disk = Disk::default();
    let first: Vec<_> = (0..6).map(|_| produce_as(&mut one, &["alice"])).collect();
    disk.store(&mut one);
    let mut one = disk.load();
    let kept = one.kept_blocks().expect("a chain of a checkpoint has blocks elsewhere");
    // From here on nothing can be read in a push.
    one.set_kept_blocks(Arc::new(Blocks::default()));
    let chain_id = one.chain_id();
    let prepared = |bytes: &[u8]| PreparedBlock::from_bytes(bytes, &chain_id, PrepareMode::Full).expect("well formed");
    let left: Vec<_> = first.iter().rev().map(|block| block.applied[0].state.id()).collect();
    for round in 1..=7 {
        let block = produce_as(&mut two, &["bob", "carol"]);
        let block = prepared(&block.applied[0].state.block.clone().expect("sealed").to_bytes());
        let parent = one.parent(&block).expect("it links").clone();
        let checked = block.check_header(&parent, one.feature_restrictions()).expect("a valid header");
        let absent = one.absent_for(&checked);
        if round < 7 {
            assert!(absent.is_empty(), "no other branch yet");
        } else {
            assert_eq!(absent.blocks, left.iter().map(|id| (*id, PrepareMode::Full)).collect::<Vec<_>>());
            assert!(absent.undo.len() == 3 && absent.undo.iter().all(|number| number % 2 == 0), "{absent:?}");
            let read = |(id, _): &(BlockId, PrepareMode)| prepared(&kept.block(id).expect("it was kept"));
            let undo = absent.undo.iter().map(|number| (*number, kept.undo(*number).expect("it was kept")));
            let brought = Brought::new(absent.blocks.iter().map(read), undo);
            one.bring(brought);
        }
        let applied = one.push_checked(checked).expect("a valid block");
        assert_eq!(applied.undone.len(), if round == 7 { left.len() } else { 0 });
        assert!(applied.undone.iter().all(|state| state.block.is_some()), "their transactions are tried again");
    }
    assert_eq!((one.head().id(), hash(&one)), (two.head().id(), hash(&two)));
}

/// What undoes the blocks of a checkpoint need not stay in memory.
#[test]
fn a_chain_switches_branches_after_it_let_go_of_what_undoes_its_blocks() {
    let (mut one, mut two) = (chain_of_three(), chain_of_three());
    let mut disk = Disk::default();
    disk.store(&mut one);
    let first: Vec<_> = (0..6).map(|_| produce_as(&mut one, &["alice"])).collect();
    drop(one.let_go_of_undo(0).expect("nothing pending"));
    disk.store(&mut one);
    let bytes = one.ledger().undo_bytes();
    drop(one.let_go_of_undo(0).expect("nothing pending"));
    assert_eq!(one.ledger().undo_bytes(), bytes, "nobody keeps it");
    let undo = disk.reversible.values().filter_map(|block| Some((block.number, block.undo.clone()?))).collect();
    one.set_kept_blocks(Arc::new(Blocks(disk.blocks.0.clone(), undo)));
    drop(one.let_go_of_undo(bytes).expect("nothing pending"));
    assert_eq!(one.ledger().undo_bytes(), bytes, "it is little");
    let later = produce_as(&mut one, &["alice"]);
    drop(one.let_go_of_undo(0).expect("nothing pending"));
    assert!(one.ledger().undo_bytes() < bytes, "{} of {bytes} bytes", one.ledger().undo_bytes());
    let second: Vec<_> = (0..8).map(|_| produce_as(&mut two, &["bob", "carol"])).collect();
    let undone: usize =
        second.iter().map(|block| hand_over(block, &mut one).expect("a valid block").undone.len()).sum();
    assert_eq!(undone, first.len() + later.applied.len());
    assert_eq!((one.head().id(), hash(&one)), (two.head().id(), hash(&two)));
}

#[test]
fn a_snapshot_goes_on_where_it_was_taken() {
    let mut chain = chain_of_three();
    grow(&mut chain, 40, "first");
    let snapshot = chain.write_snapshot().expect("nothing pending");
    let mut restored = LiveChain::from_snapshot(&snapshot, Settings::default(), doors()).expect("readable");
    assert_eq!((restored.head().id(), hash(&restored)), (chain.head().id(), hash(&chain)));
    for _ in 0..50 {
        let next = produce_as(&mut chain, &ALL);
        hand_over(&next, &mut restored).expect("a valid block");
    }
    assert_eq!(hash(&restored), hash(&chain));
    assert_eq!(restored.write_snapshot().expect("nothing pending"), chain.write_snapshot().expect("nothing pending"));
}

#[test]
fn damaged_snapshots_and_checkpoints_are_refused() {
    let mut chain = chain_of_three();
    let snapshot = chain.write_snapshot().expect("nothing pending");
    for length in (0..snapshot.len()).step_by(snapshot.len() / 17) {
        assert!(LiveChain::from_snapshot(&snapshot[..length], Settings::default(), doors()).is_err());
    }
    grow(&mut chain, 4, "more");
    let mut disk = Disk::default();
    disk.store(&mut chain);
    let refused = |damage: &dyn Fn(&mut SavedChain)| {
        let mut saved = disk.saved();
        damage(&mut saved);
        assert!(LiveChain::from_checkpoint(saved, Settings::default(), doors()).is_err());
    };
    refused(&|saved| saved.root.truncate(saved.root.len() - 1));
    refused(&|saved| saved.rows = CheckpointLoader::default());
    refused(&|saved| drop(saved.reversible.remove(1)));
    refused(&|saved| saved.reversible[2].number += 1);
    refused(&|saved| saved.reversible[2].header.truncate(9));
}

/// What stays where it is until it is needed can be missing or damaged then.
#[test]
fn a_block_is_not_undone_without_what_undoes_it() {
    let mut chain = chain_of_three();
    let mut disk = Disk::default();
    disk.store(&mut chain);
    (0..4).for_each(|_| drop(produce_as(&mut chain, &["alice"])));
    disk.store(&mut chain);
    let whole = disk.saved();
    let undone = |damage: &dyn Fn(&mut Vec<u8>)| {
        let mut undo: BTreeMap<u32, Vec<u8>> =
            disk.reversible.values().filter_map(|block| Some((block.number, block.undo.clone()?))).collect();
        undo.values_mut().for_each(damage);
        undo.retain(|_, rows| !rows.is_empty());
        let mut saved = disk.saved();
        saved.reversible.iter_mut().for_each(|block| block.undo = None);
        saved.blocks = Arc::new(Blocks(disk.blocks.0.clone(), undo));
        let mut chain = LiveChain::from_checkpoint(saved, Settings::default(), doors()).expect("its rows are whole");
        chain.return_to_root().map_err(|error| error.to_string())
    };
    assert_eq!(undone(&|_| {}), Ok(whole.reversible.len() as u32));
    let cut = undone(&|rows| rows.truncate(rows.len() - 1)).expect_err("they are damaged");
    let gone = undone(&Vec::clear).expect_err("they are missing");
    assert!(cut.contains("what undoes block") && gone.contains("what undoes block"), "{cut} {gone}");
}
