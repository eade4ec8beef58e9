//! A chain that is restored from a checkpoint or a snapshot goes on as the one it was taken from.

mod common;

use std::collections::BTreeMap;

use chain::{Chain, PrepareMode, PreparedBlock, Settings};
use common::{chain_of_three, create_account, doors, hand_over, produce_as};

const ALL: [&str; 3] = ["alice", "bob", "carol"];

/// Produces `blocks` blocks, each with an account created in it.
fn grow(chain: &mut Chain, blocks: usize, prefix: &str) {
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

#[test]
fn a_checkpoint_and_the_blocks_after_it_give_the_same_state() {
    let mut chain = chain_of_three();
    grow(&mut chain, 70, "first");
    let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    // Several checkpoints over another, the last one while most blocks are still reversible.
    for round in ["second", "third", "fourth"] {
        for (key, value) in chain.take_checkpoint() {
            match value {
                Some(value) => drop(rows.insert(key, value)),
                None => drop(rows.remove(&key)),
            }
        }
        grow(&mut chain, 20, round);
    }
    for (key, value) in chain.take_checkpoint() {
        match value {
            Some(value) => drop(rows.insert(key, value)),
            None => drop(rows.remove(&key)),
        }
    }
    let header = chain.root_header_state_bytes();
    let reversible = chain.reversible_blocks();
    assert!(reversible.len() > 10 && chain.root().number() > 20, "both kinds of blocks are there");
    let mut restored = Chain::from_checkpoint(rows, &header, Settings::default(), doors()).expect("readable");
    assert_eq!(restored.head().id(), chain.root().id());
    for state in &reversible {
        let block = state.block.clone().expect("kept while reversible");
        let block = PreparedBlock::from_block(block, &restored.chain_id(), PrepareMode::Full).expect("well formed");
        restored.push_block(block).expect("a valid block");
    }
    assert_eq!((restored.head().id(), hash(&restored)), (chain.head().id(), hash(&chain)));
    assert_eq!(restored.root().id(), chain.root().id());
    let next = produce_as(&mut restored, &ALL);
    hand_over(&next, &mut chain).expect("a valid block");
    assert_eq!(hash(&restored), hash(&chain));
}

#[test]
fn a_snapshot_goes_on_where_it_was_taken() {
    let mut chain = chain_of_three();
    grow(&mut chain, 40, "first");
    let snapshot = chain.write_snapshot().expect("nothing pending");
    let mut restored = Chain::from_snapshot(&snapshot, Settings::default(), doors()).expect("readable");
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
        assert!(Chain::from_snapshot(&snapshot[..length], Settings::default(), doors()).is_err());
    }
    let header = chain.root_header_state_bytes();
    let rows: Vec<_> = chain.take_checkpoint().into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let cut = &header[..header.len() - 1];
    assert!(Chain::from_checkpoint(rows.clone(), cut, Settings::default(), doors()).is_err());
    assert!(Chain::from_checkpoint(Vec::new(), &header, Settings::default(), doors()).is_err());
}
