//! Twelve bugs, each planted in every honest node, and each found by what must hold in the seed that is named. Without the
//! bug the same seeds hold: they are among those of `seeds.rs`.
//!
//! `SIMULATOR_SEEDS=100` looks for the first seed that finds each of them, from 0 on.

use engine::planted::Planted as InWriter;
use p2p::core::planted::Planted as InCore;
use simulator::Scenario;
use simulator::planted::Planted;

const NODES: usize = 7;
const SECONDS: i64 = 120;

/// The bugs, with a seed that finds each.
const BUGS: [(Planted, u64); 12] = [
    (Planted::Writer(InWriter::HeldForgotten), 0),
    (Planted::Writer(InWriter::ResubmittedLost), 0),
    (Planted::Writer(InWriter::StaleProducer), 4),
    (Planted::Writer(InWriter::DoubleVote), 0),
    (Planted::Core(InCore::EquivocationAccepted), 17),
    (Planted::Core(InCore::BannedForEver), 13),
    (Planted::Core(InCore::RelayBeforeCheck), 13),
    (Planted::Core(InCore::IrreversibleOfOnePeer), 32),
    (Planted::Core(InCore::WaitsForDeadPeer), 19),
    (Planted::WatermarkForgotten, 0),
    (Planted::HeadBeforeBlock, 0),
    (Planted::ReleasedUnsynced, 0),
];

#[test]
fn each_planted_bug_is_found() {
    let asked = std::env::var("SIMULATOR_SEEDS").ok().map(|text| text.parse().expect("SIMULATOR_SEEDS is a number"));
    let mut missed = Vec::new();
    for (bug, known) in BUGS {
        let seeds = asked.map_or(known..known + 1, |count: u64| 0..count);
        let fails = |seed: u64| {
            let scenario = Scenario { planted: Some(bug), ..Scenario::new(seed, NODES, SECONDS) };
            Some((seed, simulator::run(scenario).err()?))
        };
        match seeds.clone().find_map(fails) {
            Some((seed, why)) => eprintln!("{bug:?}: seed {seed}: {why}"),
            None => missed.push((bug, seeds)),
        }
    }
    assert!(missed.is_empty(), "these are not found in these seeds: {missed:?}");
}
