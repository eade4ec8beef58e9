//! Networks of honest nodes and some liars: what must hold holds in every seed.
//!
//! `SIMULATOR_SEEDS=1000` runs as many as that, `SIMULATOR_SEED=7` one alone; `SIMULATOR_NODES` and
//! `SIMULATOR_SECONDS` change their size. `SIMULATOR_TELL=3` tells what node 3 hears and does.

use simulator::Scenario;

/// Seeds of a run that nobody asks more of.
const SEEDS: u64 = 21;
/// Later ones that found something, or find a planted bug.
const OTHERS: [u64; 3] = [32, 122, 30_686];
/// Nodes of a network, and simulated seconds.
const NODES: u64 = 7;
const SECONDS: u64 = 120;

fn asked(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

#[test]
fn every_seed_holds() {
    let (nodes, seconds) = (asked("SIMULATOR_NODES", NODES), asked("SIMULATOR_SECONDS", SECONDS));
    let (first, count) = match std::env::var("SIMULATOR_SEED") {
        Ok(_) => (asked("SIMULATOR_SEED", 0), 1),
        Err(_) => (asked("SIMULATOR_FIRST", 0), asked("SIMULATOR_SEEDS", SEEDS)),
    };
    let unasked =
        ["SIMULATOR_SEED", "SIMULATOR_FIRST", "SIMULATOR_SEEDS"].iter().all(|name| std::env::var(name).is_err());
    let seeds: Vec<u64> = (first..first + count).chain(OTHERS.into_iter().filter(|_| unasked)).collect();
    let mut failures = Vec::new();
    for seed in seeds {
        let mut scenario = Scenario::new(seed, nodes as usize, seconds as i64);
        scenario.told = std::env::var("SIMULATOR_TELL").ok().and_then(|node| node.parse().ok());
        let shown = format!("{:?} {:?}", scenario.liars, scenario.faults);
        match simulator::run(scenario) {
            Ok(seen) if count == 1 => eprintln!("seed {seed}: {seen:?}"),
            Ok(_) => {}
            Err(why) => failures.push(format!(
                "seed {seed}: {why}\n  {shown}\n  again: SIMULATOR_SEED={seed} SIMULATOR_NODES={nodes} SIMULATOR_SECONDS={seconds} \
                 cargo test --release --workspace --test seeds -- --nocapture"
            )),
        }
    }
    assert!(failures.is_empty(), "{} of {count} seeds fail:\n{}", failures.len(), failures.join("\n"));
}
