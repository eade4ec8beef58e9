//! Faults of processes, machines and networks, one after another, in a network of nodes that all produce: each is found
//! within three checks and shown, the others go on, all is well again without anybody's help once the fault is over, and
//! what was irreversible stays.
//!
//! `BOREAS_FAULTS=200 cargo test --release --workspace --test faults -- --nocapture` has 200 of them by chance (`SEED` says
//! which) among 21 producers on seven nodes and prints the table of `node/TRUST.md`; without that each comes once, among
//! four.

mod late;
mod network;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use e2e::Dice;
use network::{CLOCKED, CRAMPED, FOUND_WITHIN, Network, PATIENCE};

/// Producers on each node: those of the last three of many are a third.
const FEW: [usize; 4] = [1, 1, 1, 1];
const MANY: [usize; 7] = [4, 4, 3, 3, 3, 2, 2];
/// How far a clock is wrong.
const SHIFT_S: i64 = 60;
/// How long blocks of a node are late.
const LATE: Duration = Duration::from_millis(1500);
/// Connections that are lost are noticed within this, on a busy machine too.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);
/// How long a fault goes on once it is found.
const HELD: Duration = Duration::from_secs(2);
/// How long a cut is: longer than a turn of each half.
const CUT: Duration = Duration::from_secs(8);
/// Blocks that the others make before who was killed comes back.
const GOES_ON: u64 = 3;

/// How a fault went.
struct Row {
    name: &'static str,
    found: Option<Duration>,
    /// Slots without a block, and at most in a row.
    missed: (u64, u64),
    healed: Duration,
    shown: String,
}

type Fault = fn(&mut Network, &mut Dice) -> Row;

#[test]
fn faults_are_found_and_heal_by_themselves() {
    let rounds = std::env::var("BOREAS_FAULTS").ok().map(|text| text.parse().expect("BOREAS_FAULTS is a number"));
    let mut network = Network::new(if rounds.is_some() { &MANY } else { &FEW });
    let network = &mut network;
    let mut dice = Dice::of_test(5);
    let mut faults: Vec<Fault> =
        vec![the_current_is_killed, a_third_is_killed, all_are_killed, halves, frozen, clock_is_wrong, late];
    if network.has_disk {
        faults.push(disk_is_full);
    }
    eprintln!("| fault | found after s | slots without a block, in a row | one chain again after s | shown |");
    eprintln!("|---|---:|---:|---:|---|");
    let mut rows = Vec::new();
    for round in 0..rounds.unwrap_or(faults.len()) {
        network.note();
        let fault = if rounds.is_some() { faults[dice.below(faults.len())] } else { faults[round] };
        let row = fault(network, &mut dice);
        let seconds = |time: Duration| format!("{:.1}", time.as_secs_f64());
        eprintln!(
            "| {} | {} | {}, {} | {} | {} |",
            row.name,
            row.found.map_or("-".to_owned(), seconds),
            row.missed.0,
            row.missed.1,
            seconds(row.healed),
            row.shown
        );
        rows.push(row);
    }
    // What was noted in the middle of a fault is below what is irreversible everywhere then.
    let head = network.highest();
    let wait = if rounds.is_some() { network.owners.len() as u32 * 24 } else { 0 };
    let begin = Instant::now();
    while rounds.is_some() && begin.elapsed() < PATIENCE + Duration::from_secs(wait.into()) {
        let irreversible = |at| network.info(at)["last_irreversible_block_num"].as_u64();
        if network.running().all(|at| irreversible(at) > Some(head)) {
            break;
        }
        std::thread::sleep(HELD);
    }
    network.note();
    eprintln!("{} irreversible blocks that were noted are at all nodes", network.check_noted());
    summary(&rows);
    for at in network.running() {
        assert!(!network.node(at).log().contains("panicked"), "{}", network.node(at).log());
    }
}

/// Median and worst of each fault.
fn summary(rows: &[Row]) {
    let mut kinds: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    rows.iter().for_each(|row| kinds.entry(row.name).or_default().push(row));
    eprintln!(
        "| fault | times | found, s | slots without a block | in a row | one chain again, s |\n|---|---:|---:|---:|---:|---:|"
    );
    for (name, rows) in kinds {
        let column = |value: &dyn Fn(&Row) -> f64, digits: usize| {
            let mut values: Vec<_> = rows.iter().map(|row| value(row)).collect();
            values.sort_by(f64::total_cmp);
            format!("{:.digits$} / {:.digits$}", values[values.len() / 2], values[values.len() - 1])
        };
        eprintln!(
            "| {name} | {} | {} | {} | {} | {} |",
            rows.len(),
            column(&|row| row.found.unwrap_or_default().as_secs_f64(), 1),
            column(&|row| row.missed.0 as f64, 0),
            column(&|row| row.missed.1 as f64, 0),
            column(&|row| row.healed.as_secs_f64(), 1)
        );
    }
}

/// A fault under way.
struct Under {
    name: &'static str,
    first: u64,
    begin: Instant,
}

impl Under {
    fn new(name: &'static str, network: &Network) -> Self {
        Self { name, first: network.highest(), begin: Instant::now() }
    }

    /// Waits until those who are left show what is wrong.
    fn found(&self, network: &Network, within: Duration, mut shows: impl FnMut(&Network) -> bool) -> Duration {
        network.until(self.name, &mut shows);
        let found = self.begin.elapsed();
        assert!(found < within, "{}: found after {found:?} only", self.name);
        found
    }

    /// Waits until all are one again.
    fn healed(&self, network: &Network, found: Option<Duration>, shown: String) -> Row {
        let begin = Instant::now();
        network.until(self.name, |network| network.is_one() && network.highest() > self.first + GOES_ON);
        let healed = begin.elapsed();
        Row { name: self.name, found, missed: network.missed_since(self.first), healed, shown }
    }
}

/// Kills nodes, waits until the others show it and go on, and starts them again.
fn kill(network: &mut Network, name: &'static str, victims: &[usize]) -> Row {
    let under = Under::new(name, network);
    victims.iter().for_each(|at| network.take(*at).kill());
    let left: Vec<_> = network.running().collect();
    let found = (!left.is_empty()).then(|| {
        let found = under.found(network, CLOSED_WITHIN, |network| {
            left.iter().all(|at| network.connected(*at) == left.len() as u64 - 1)
        });
        network.until("blocks of the others", |network| network.highest() > under.first + GOES_ON);
        found
    });
    victims.iter().for_each(|at| network.start(*at, left.is_empty()));
    under.healed(network, found, format!("peers.connected {}", left.len().saturating_sub(1)))
}

fn the_current_is_killed(network: &mut Network, _: &mut Dice) -> Row {
    let (victim, _) = network.turn();
    kill(network, "kill -9 of the current producer", &[victim])
}

fn a_third_is_killed(network: &mut Network, _: &mut Dice) -> Row {
    let third = (network.owners.len() as f64 / 3.0).ceil() as usize;
    let (mut victims, mut producers) = (Vec::new(), 0);
    for at in (0..network.count()).rev() {
        if producers < third {
            victims.push(at);
            producers += network.owners.iter().filter(|owner| **owner == at).count();
        }
    }
    kill(network, "kill -9 of a third of the producers", &victims)
}

fn all_are_killed(network: &mut Network, _: &mut Dice) -> Row {
    let all: Vec<_> = (0..network.count()).collect();
    kill(network, "kill -9 of all", &all)
}

fn halves(network: &mut Network, _: &mut Dice) -> Row {
    let under = Under::new("a cut in halves", network);
    // Turns go round, so that each half has some soon.
    let side: &[usize] = if network.count() == FEW.len() { &[0, 2] } else { &[0, 1, 2] };
    network.cut(side, true);
    let others = network.count() - side.len();
    let found = under.found(network, CLOSED_WITHIN, |network| {
        let own = |at: usize| if side.contains(&at) { side.len() } else { others };
        network.running().all(|at| network.connected(at) == own(at) as u64 - 1)
    });
    std::thread::sleep(CUT);
    let producers = network.owners.iter().filter(|owner| side.contains(owner)).count();
    // Several turns of one half may come first.
    network.until("two branches", Network::heads_differ);
    network.cut(side, false);
    let shown = format!("peers.connected; {producers} and {} producers", network.owners.len() - producers);
    under.healed(network, Some(found), shown)
}

fn frozen(network: &mut Network, dice: &mut Dice) -> Row {
    let (current, _) = network.turn();
    let victim = (current + 1 + dice.below(network.count() - 1)) % network.count();
    let others: Vec<_> = network.running().filter(|at| *at != victim).collect();
    let failed =
        |network: &Network| -> u64 { others.iter().map(|at| network.node(*at).metric("p2p_failed_checks")).sum() };
    let (before, under) = (failed(network), Under::new("a frozen process", network));
    network.node(victim).signal("STOP");
    let found = under.found(network, FOUND_WITHIN, |network| {
        others.iter().all(|at| network.connected(*at) == others.len() as u64 - 1)
    });
    let failed = failed(network) - before;
    std::thread::sleep(HELD);
    network.node(victim).signal("CONT");
    assert!(failed > 0, "no check failed");
    under.healed(network, Some(found), format!("p2p_failed_checks {failed}"))
}

fn clock_is_wrong(network: &mut Network, dice: &mut Dice) -> Row {
    let under = Under::new("a clock 60 s off", network);
    network.clock.set(dice.of(&[SHIFT_S, -SHIFT_S]));
    let reasons = |network: &Network| network.health(CLOCKED)["reasons"].to_string();
    let found = under.found(network, FOUND_WITHIN, |network| reasons(network).contains("clock"));
    // Its peers are there as before.
    std::thread::sleep(HELD);
    let (shown, peers) = (reasons(network), network.connected(CLOCKED));
    network.clock.set(0);
    network.until("a clock that is right", |network| !reasons(network).contains("clock"));
    assert_eq!(peers as usize, network.count() - 1, "peers are lost because a clock is wrong");
    under.healed(network, Some(found), shown)
}

fn late(network: &mut Network, _: &mut Dice) -> Row {
    // Who comes next, so that it is not long until its blocks are late.
    let (current, _) = network.turn();
    let at = network.owners.iter().position(|owner| *owner == current).expect("it produces");
    let victim = network.owners[(at + 1) % network.owners.len()];
    let watcher = (0..network.count()).find(|at| *at != victim && *at != current).expect("there are more");
    network.until("the turn of another one", |network| network.turn().0 == victim);
    let under = Under::new("a producer whose blocks are late", network);
    network.delay(victim, LATE);
    let lag = |network: &Network| {
        let lag = &network.health(watcher)["clock"]["block_lag_us"];
        lag.as_i64().or_else(|| lag.as_str()?.parse().ok()).unwrap_or(0)
    };
    let mut most = 0;
    let found = under.found(network, FOUND_WITHIN, |network| {
        most = most.max(lag(network));
        // Blocks are made up to 600 ms before their time.
        most > i64::try_from(LATE.as_micros()).expect("short") / 2
    });
    network.until("the turn of another one", |network| network.turn().0 != victim);
    std::thread::sleep(HELD);
    network.delay(victim, Duration::ZERO);
    under.healed(network, Some(found), format!("clock.block_lag_us {most}"))
}

fn disk_is_full(network: &mut Network, _: &mut Dice) -> Row {
    let filler = network.folder(CRAMPED).join("filler");
    let mut file = std::fs::File::create(&filler).expect("there is room yet");
    let chunk = vec![0; 4 << 20];
    let warned =
        |network: &Network| network.health(CRAMPED)["reasons"].to_string().contains("no transactions are taken");
    while !warned(network) {
        file.write_all(&chunk).expect("it is said before it is full");
    }
    let first = network.highest();
    while file.write_all(&chunk).is_ok() {}
    // It goes on as long as its log has room that was taken before.
    network.take(CRAMPED).wait_for_failure(PATIENCE);
    let under = Under { first, ..Under::new("a full disk", network) };
    let left = network.running().count() as u64;
    let found =
        under.found(network, CLOSED_WITHIN, |network| network.running().all(|at| network.connected(at) == left - 1));
    network.until("blocks of the others", |network| network.highest() > under.first + GOES_ON);
    drop(file);
    std::fs::remove_file(&filler).expect("it is there");
    network.start(CRAMPED, false);
    under.healed(network, Some(found), format!("its reasons while there was some room; peers.connected {}", left - 1))
}
