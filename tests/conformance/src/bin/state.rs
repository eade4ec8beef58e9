//! `state NAME BLOCK OUT [live]`: our portable snapshot of a recorded chain at BLOCK, by replay or live, to compare with `record/snapshot.sh` by
//! `record/snapshot_diff.py` when an integrity hash differs. Part of no test.

use chain::block_log::BlockLog;
use chain::{LiveChain, PrepareMode, PreparedBlock, Settings};
use conformance::Recording;
use conformance::live::snapshot_at;
use conformance::replay::{doors, genesis};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, block, out, live @ ..] = arguments.as_slice() else { panic!("state NAME BLOCK OUT [live]") };
    let last: u32 = block.parse().expect("BLOCK is a number");
    let recording = Recording::load(name);
    if !live.is_empty() {
        std::fs::write(out, snapshot_at(&recording, last).expect("BLOCK is reached")).expect("OUT can be written");
        return;
    }
    let log = BlockLog::open(&recording.log).expect("a whole log");
    let mut chain = LiveChain::from_genesis(&genesis(&log), Settings::default(), doors(wasm::Tiers::ByUse))
        .expect("a valid genesis");
    let id = chain.chain_id();
    for (_, bytes) in log.iter().filter(|(number, _)| (2..=last).contains(number)) {
        let block = PreparedBlock::from_bytes(bytes, &id, PrepareMode::Full).expect("a valid block");
        chain.replay_block(block).expect("a valid block");
    }
    std::fs::write(out, chain.write_snapshot().expect("no block is pending")).expect("OUT can be written");
}
