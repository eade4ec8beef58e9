//! What a chain reads as a whole: block logs, header states, snapshots that it goes on from.

use std::io::Read as _;

use chain::block_log::BlockLog;
use chain::{BlockPurpose, ChainError, Doors, LiveChain, PrepareMode, PreparedBlock, Settings, StartBlock};
use codec::Unpack;
use consensus::BlockHeaderState;
use execution::StoppedClock;
use fuzz::run;
use primitives::Checksum256;

fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).expect("the fixture is compressed");
    bytes
}

fn recorded_log() -> Vec<u8> {
    unpacked(include_bytes!("../../conformance/recorded/boot.blocks.log.gz"))
}

/// The head of the log and its first blocks, as a log of its own.
fn short_log() -> Vec<u8> {
    let bytes = recorded_log();
    let log = BlockLog::open(&bytes).expect("a whole log");
    let mut short = Vec::new();
    let mut writer = chain::block_log::BlockLogWriter::begin(log.context(), 1, &mut short);
    for (_, block) in log.iter().take(12) {
        writer.append(block, &mut short);
    }
    short
}

#[test]
fn block_logs() {
    let short = short_log();
    assert_eq!(BlockLog::open(&short).expect("a whole log").len(), 12);
    let mut pruned = short.clone();
    pruned[3] |= 0x80;
    pruned.extend_from_slice(&5_u32.to_le_bytes());
    run("block log", &[short, pruned], |input| {
        let logs = [BlockLog::open(input), BlockLog::salvage(input)];
        for log in logs.into_iter().flatten() {
            let _ = log.context().chain_id();
            for number in log.first_block_num()..=log.last_block_num().unwrap_or(0) {
                let _ = log.block(number);
            }
        }
    });
}

#[test]
fn header_states() {
    let snapshot = unpacked(include_bytes!("../../../runtime/ledger/tests/fixtures/boot144.snapshot.bin.gz"));
    let state = ledger::Snapshot::read(&snapshot).expect("nodeos wrote it").head_state;
    run("header state", &[state], |input| {
        if let Ok(state) = BlockHeaderState::from_bytes(input) {
            let slot = state.timestamp();
            let slot = primitives::BlockTimestamp(slot.0.saturating_add(1));
            let _ = state.sig_digest();
            if let Ok(pending) = state.next(slot, 3) {
                let header = state.header.clone();
                let _ = pending.finish(header, Vec::new(), true, &|_, _, _| Ok(()));
            }
        }
    });
}

/// Blocks of a recorded chain with damage, to a chain that could take the next one.
#[test]
fn received_blocks() {
    let bytes = short_log();
    let log = BlockLog::open(&bytes).expect("a whole log");
    let chain::block_log::ChainContext::Genesis(genesis) = log.context() else { panic!("it begins with block 1") };
    let doors =
        Doors { clock: Box::new(StoppedClock), engine: wasm::Engine::new(), code_cache: Box::new(wasm::NoCache) };
    let mut chain = LiveChain::from_genesis(genesis, Settings::default(), doors).expect("nodeos accepted it");
    for number in 2..=10 {
        let block = log.packed(number).expect("it is there");
        let block = PreparedBlock::from_bytes(block, &chain.chain_id(), PrepareMode::Full).expect("well formed");
        chain.replay_block(block).expect("a valid block");
    }
    let seeds: Vec<_> = [11, 12].map(|number| log.packed(number).expect("it is there").to_vec()).into();
    let (head, hash) = (chain.head().id(), chain.integrity_hash().expect("nothing pending"));
    let mut taken = 0;
    run("received block", &seeds[..1], |input| {
        let Ok(block) = PreparedBlock::from_bytes(input, &chain.chain_id(), PrepareMode::Full) else { return };
        let true_block = input == seeds[0];
        match chain.push_block(block) {
            Ok(_) => taken += 1,
            Err(ChainError::Block(_)) => assert!(!true_block || taken > 0),
            Err(other) => panic!("{other}"),
        }
    });
    assert!(taken <= 1, "only the true block is taken");
    assert!(taken == 1 || (chain.head().id(), chain.integrity_hash().expect("nothing pending")) == (head, hash));
}

/// A snapshot that reads well is a chain that can go on, whatever is in it.
#[test]
fn chains_from_snapshots_with_damage() {
    let whole = unpacked(include_bytes!("../../../runtime/ledger/tests/fixtures/genesis.snapshot.bin.gz"));
    // Most of it is the ring of block ids, which must be whole: damage is done around it.
    let ring = whole.windows(41).position(|window| {
        window == b"eosio::chain::block_summary_object".iter().copied().chain([0; 7]).collect::<Vec<_>>()
    });
    let (start, end) = ring.map_or((whole.len(), whole.len()), |at| (at - 16, section_end(&whole, at - 16)));
    let seed = [&whole[..start], &whole[end..]].concat();
    run("chain from a snapshot", &[seed], |input| {
        let at = start.min(input.len());
        let bytes = [&input[..at], &whole[start..end], &input[at..]].concat();
        let doors =
            Doors { clock: Box::new(StoppedClock), engine: wasm::Engine::new(), code_cache: Box::new(wasm::NoCache) };
        let Ok(mut chain) = LiveChain::from_snapshot(&bytes, Settings::default(), doors) else { return };
        let _ = chain.integrity_hash();
        let timestamp = primitives::BlockTimestamp(chain.head().header.timestamp().0.saturating_add(1));
        let features = chain.preactivated_features();
        let how = StartBlock { timestamp, confirmed: 0, features, purpose: BlockPurpose::Produce };
        if chain.start_block(&how).is_ok() {
            let mut sign = |_: &Checksum256| Vec::new();
            let _ = chain.seal_block(&mut sign);
        }
    });
}

/// Where the section that begins at `start` with its size ends.
fn section_end(bytes: &[u8], start: usize) -> usize {
    let size = u64::from_le_bytes(bytes[start..start + 8].try_into().expect("8 bytes"));
    start + 8 + usize::try_from(size).expect("it fits")
}
