//! Networks of 4 to 21 nodes whose schedules change, which are halved for long, which know one address, which get many
//! transactions at once: what must hold holds in every seed, and the seeds together reach all of it.
//!
//! `SIMULATOR_WIDE=100` runs as many as that, `SIMULATOR_SEED=7` one alone. `SIMULATOR_TELL=3` tells what node 3 hears
//! and does.

use simulator::Scenario;
use simulator::watch::Seen;

/// Seeds of a run that nobody asks more of.
const SEEDS: u64 = 9;
/// A later one that found something.
const OTHER: u64 = 191;

fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

/// Runs a scenario, and says what is wrong with it.
fn run(scenario: Scenario) -> Result<Seen, String> {
    let (seed, nodes) = (scenario.seed, scenario.nodes);
    let shown = format!("{:?} {:?} {:?}", scenario.liars, scenario.faults, scenario.schedules);
    let seen = simulator::run(scenario).map_err(|why| format!("seed {seed}, {nodes} nodes: {why}\n  {shown}"))?;
    eprintln!("seed {seed}, {nodes} nodes: {seen:?}");
    Ok(seen)
}

#[test]
fn every_wide_seed_holds() {
    let (first, count) = match asked("SIMULATOR_SEED") {
        Some(seed) => (seed, 1),
        None => (asked("SIMULATOR_FIRST").unwrap_or(0), asked("SIMULATOR_WIDE").unwrap_or(SEEDS)),
    };
    let told = asked("SIMULATOR_TELL").map(|node| node as usize);
    let (mut failures, mut schedules, mut majorities) = (Vec::new(), 0, 0);
    let other = (asked("SIMULATOR_SEED").is_none() && first == 0 && count == SEEDS).then_some(OTHER);
    for seed in (first..first + count).chain(other) {
        match run(Scenario { told, ..Scenario::wide(seed) }) {
            Ok(seen) => (schedules, majorities) = (schedules + seen.schedules, majorities + seen.majorities),
            Err(why) => failures.push(format!(
                "{why}\n  again: SIMULATOR_SEED={seed} cargo test --release --workspace --test wide -- --nocapture every"
            )),
        }
    }
    assert!(failures.is_empty(), "{} of {count} seeds fail:\n{}", failures.len(), failures.join("\n"));
    if count >= SEEDS {
        assert!(schedules >= count / 3, "{schedules} schedules became active");
        assert!(majorities >= count / 3, "{majorities} nodes of a majority went on while the network was cut");
    }
}

#[test]
fn halves_come_together_again() {
    for nodes in [4, 21] {
        let seen = run(Scenario::halved(0, nodes)).unwrap_or_else(|why| panic!("{why}"));
        assert!(seen.cuts == 1 && seen.undone > 0, "nobody was on the losing side: {seen:?}");
    }
}
