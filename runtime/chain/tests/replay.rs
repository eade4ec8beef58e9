//! A chain recorded from nodeos, replayed to the same ids and the same state.

mod common;

use chain::block_log::{BlockLog, ChainContext};
use chain::{Chain, LiveChain, PrepareMode, PreparedBlock, Settings};

const HEAD: &str = "000000909c36b53a4527a31b394d3a59c811003552041771e171b3d2e13e16f9";
const INTEGRITY_HASH: &str = "7b8618abf3402fc569b11ba912959bf4805dbafc5141147c56bdcc2e78b47bf8";

fn replay(mode: PrepareMode) -> LiveChain {
    let bytes = common::recorded("recorded/boot.blocks.log.gz");
    let log = BlockLog::open(&bytes).expect("a whole log");
    let ChainContext::Genesis(genesis) = log.context() else { panic!("the log begins with block 1") };
    let mut chain = LiveChain::from_genesis(genesis, Settings::default(), common::doors()).expect("a valid genesis");
    for (number, packed) in log.iter().skip(1) {
        let block = PreparedBlock::from_bytes(packed, &chain.chain_id(), mode).expect("well formed");
        chain.replay_block(block).unwrap_or_else(|error| panic!("block {number}: {error:?}"));
    }
    chain
}

fn check_end(chain: &Chain) {
    assert_eq!(chain.head().id().to_string(), HEAD);
    assert_eq!(chain.integrity_hash().expect("nothing pending").to_string(), INTEGRITY_HASH);
}

#[test]
fn boot_is_replayed_on_trust() {
    check_end(&replay(PrepareMode::Trusted));
}

#[test]
fn boot_is_replayed_with_all_checks() {
    check_end(&replay(PrepareMode::Full));
}

#[test]
fn boot_is_received_block_by_block() {
    let bytes = common::recorded("recorded/boot.blocks.log.gz");
    let log = BlockLog::open(&bytes).expect("a whole log");
    let ChainContext::Genesis(genesis) = log.context() else { panic!("the log begins with block 1") };
    let mut chain = LiveChain::from_genesis(genesis, Settings::default(), common::doors()).expect("a valid genesis");
    let mut irreversible = 1;
    for (number, packed) in log.iter().skip(1) {
        let block = PreparedBlock::from_bytes(packed, &chain.chain_id(), PrepareMode::Full).expect("well formed");
        let applied = chain.push_block(block).unwrap_or_else(|error| panic!("block {number}: {error:?}"));
        assert_eq!(applied.applied.len(), 1);
        assert_eq!(
            applied.applied[0].traces.len(),
            1 + applied.applied[0].state.block.as_ref().expect("kept").transactions.len()
        );
        for state in applied.irreversible {
            irreversible += 1;
            assert_eq!(state.number(), irreversible);
        }
    }
    assert_eq!(irreversible, chain.head().header.dpos_irreversible_blocknum);
    check_end(&chain);
    let snapshot = chain.write_snapshot().expect("nothing pending");
    let restored = LiveChain::from_snapshot(&snapshot, Settings::default(), common::doors()).expect("readable");
    check_end(&restored);
}
