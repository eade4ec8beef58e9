//! The headers of a chain recorded from nodeos, through the header rules alone: ids, schedules, irreversibility, and
//! the producers' signatures; and what else is seen of blocks before they are unpacked.

use std::io::Read as _;

use chain::block_log::{BlockLog, ChainContext};
use consensus::BlockHeaderState;
use primitives::{Compression, PackedTransaction, SignedBlock};

fn recorded() -> Vec<u8> {
    let packed = include_bytes!("../../../tests/conformance/recorded/boot.blocks.log.gz");
    let mut log = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut log).expect("a gzip file");
    log
}

#[test]
fn every_header_follows_from_the_one_before() {
    let bytes = recorded();
    let log = BlockLog::open(&bytes).expect("a whole log");
    let ChainContext::Genesis(genesis) = log.context() else { panic!("the log begins with block 1") };
    let mut state = BlockHeaderState::genesis(genesis, genesis.chain_id());
    let first = log.block(1).expect("readable").expect("there");
    assert_eq!(state.id, first.id());
    let wtmsig = "299dcb6af692324b899b39f16d5a530a33062804e41f09dc97e9f156b4476707".parse().expect("a digest");
    for number in 2..=log.last_block_num().expect("blocks") {
        let block = log.block(number).expect("readable").expect("there");
        let pending = state.next(block.header().timestamp, block.header().confirmed).expect("a valid step");
        let wtmsig = state.activated_protocol_features.contains(&wtmsig);
        let more = block.additional_signatures().expect("well formed");
        state = pending.finish(block.signed_header.clone(), more, wtmsig, &|_, _, _| Ok(())).expect("a valid header");
        assert_eq!(state.id, block.id());
        state.verify_signatures().unwrap_or_else(|fault| panic!("block {number}: {fault:?}"));
    }
    assert_eq!(state.id.to_string(), "000000909c36b53a4527a31b394d3a59c811003552041771e171b3d2e13e16f9");
    assert_eq!(state.active_schedule.version, 1);
    assert_eq!(state.active_schedule.producers.len(), 5);
}

/// Some hundred compressed bytes may hold thousands of actions.
#[test]
fn what_unpacks_to_much_is_seen_beforehand() {
    const LIMIT: usize = 16 << 20;
    let of = |actions: usize, compression: Compression| {
        let actions = vec![primitives::Action::default(); actions];
        let transaction = primitives::Transaction { actions, ..Default::default() };
        PackedTransaction::new(&primitives::SignedTransaction { transaction, ..Default::default() }, compression)
    };
    let block = |packed: PackedTransaction, count: usize| {
        let receipt = primitives::TransactionReceipt {
            status: primitives::TransactionStatus::Executed,
            cpu_usage_us: 100,
            net_usage_words: codec::VarUint32(10),
            trx: primitives::block::ReceiptTransaction::Packed(packed),
        };
        SignedBlock { transactions: vec![receipt; count], ..SignedBlock::default() }
    };
    let bomb = of(50_000, Compression::Zlib);
    assert!(bomb.packed_trx.len() < 2000 && bomb.transaction().expect("it unpacks").memory_bytes() > 5 << 20);
    assert!(chain::unpacks_beyond(&block(bomb.clone(), 4), LIMIT) && !chain::unpacks_beyond(&block(bomb, 1), LIMIT));
    let (small, large) = (of(10, Compression::None), of(10_000, Compression::None));
    assert!(!chain::unpacks_beyond(&block(small, 1000), LIMIT) && chain::unpacks_beyond(&block(large, 100), LIMIT));
}
