//! Networks in which most blocks go by gossip, honest nodes and some liars: what must hold holds in every seed.
//!
//! `SIMULATOR_GOSSIP=100` runs as many as that, `SIMULATOR_SEED=7` one alone. `SIMULATOR_TELL=3` tells what node 3 hears
//! and does.

use p2p::core::planted::Planted as InCore;
use simulator::Scenario;
use simulator::planted::Planted;

/// Seeds of a run that nobody asks more of.
const SEEDS: u64 = 8;
/// Nodes of a network, and simulated seconds.
const NODES: usize = 7;
const SECONDS: i64 = 120;
/// A seed in which somebody passes on what he has not checked, if that is let happen.
const UNCHECKED: u64 = 13;

fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

#[test]
fn every_gossiping_seed_holds() {
    let (first, count) = match asked("SIMULATOR_SEED") {
        Some(seed) => (seed, 1),
        None => (asked("SIMULATOR_FIRST").unwrap_or(0), asked("SIMULATOR_GOSSIP").unwrap_or(SEEDS)),
    };
    let told = asked("SIMULATOR_TELL").map(|node| node as usize);
    let (mut failures, mut passed_on) = (Vec::new(), 0);
    for seed in first..first + count {
        let scenario = Scenario { told, ..Scenario::gossiping(seed, NODES, SECONDS) };
        let shown = format!("{:?} {:?} {:?}", scenario.liars, scenario.faults, scenario.meshing);
        match simulator::run(scenario) {
            Ok(seen) => {
                eprintln!("seed {seed}: {seen:?}");
                passed_on += seen.passed_on;
            }
            Err(why) => failures.push(format!(
                "seed {seed}: {why}\n  {shown}\n  again: SIMULATOR_SEED={seed} cargo test --release --workspace --test \
                 gossip -- --nocapture every"
            )),
        }
    }
    assert!(failures.is_empty(), "{} of {count} seeds fail:\n{}", failures.len(), failures.join("\n"));
    if count >= SEEDS {
        assert!(passed_on >= count * 100, "gossip passed {passed_on} blocks on that it had brought");
    }
}

#[test]
fn what_is_gossiped_unchecked_is_found() {
    let planted = Some(Planted::Core(InCore::RelayBeforeCheck));
    let seeds = asked("SIMULATOR_GOSSIP").map_or(UNCHECKED..UNCHECKED + 1, |count| 0..count);
    let fails = |seed: u64| {
        let scenario = Scenario { planted, ..Scenario::gossiping(seed, NODES, SECONDS) };
        Some((seed, simulator::run(scenario).err()?))
    };
    let (seed, why) = seeds.clone().find_map(fails).unwrap_or_else(|| panic!("it is not found in {seeds:?}"));
    eprintln!("seed {seed}: {why}");
    assert!(why.contains("passes on block"), "{why}");
}
