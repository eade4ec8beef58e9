//! Two nodes of ours and two nodeos, with producers on all four: schedules change, the network is cut in the middle and
//! grows together again, and in the end all have one chain.
//!
//! `BOREAS_MIXED=30 cargo test --release --workspace --test mixed -- --nocapture` takes thirty minutes, with 500 transfers a
//! second; without that it takes four, with fewer transfers and producers.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use client::Node;
use e2e::{Load, Over, Peer, Relay, RunningNode, free_port, genesis};
use primitives::Name;
use serde_json::{Value, json};

/// What must happen has happened after this, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(120);
/// Producers of each node, two of ours and two nodeos. No half of the network has two thirds of them.
type Producers = [&'static [&'static str]; 4];
const SEVEN: Producers = [&["oura", "ourb"], &["ourc", "ourd"], &["theira", "theirb"], &["theirc"]];
const FOUR: Producers = [&["oura"], &["ourc"], &["theira"], &["theirc"]];
const NAMES: [&str; 4] = ["boreasd 1", "boreasd 2", "nodeos 1", "nodeos 2"];

/// How long and how much.
struct Plan {
    /// Between two events: schedule, cut, healing, schedule, end.
    pause: Duration,
    cut: Duration,
    transfers_per_second: u32,
    producers: Producers,
    /// Blocks after the last transfer, for what is in none to expire.
    blocks_after: u64,
}

impl Plan {
    fn of_environment() -> Self {
        match std::env::var("BOREAS_MIXED") {
            Err(_) => Self {
                pause: Duration::from_secs(5),
                cut: Duration::from_secs(20),
                transfers_per_second: 20,
                producers: FOUR,
                blocks_after: 20,
            },
            Ok(minutes) => {
                let minutes: u64 = minutes.parse().expect("BOREAS_MIXED is a number of minutes");
                Self {
                    pause: Duration::from_secs(60 * minutes / 4),
                    cut: Duration::from_secs(60),
                    transfers_per_second: 500,
                    producers: SEVEN,
                    blocks_after: 130,
                }
            }
        }
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < PATIENCE, "no {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn info(node: &Node) -> Value {
    node.call("/v1/chain/get_info", &json!({})).expect("the node answers")
}

fn number(node: &Node, field: &str) -> u64 {
    info(node)[field].as_u64().expect("a number")
}

/// A block as all nodes have it.
fn block(node: &Node, number: u64) -> Value {
    node.call("/v1/chain/get_block", &json!({ "block_num_or_id": number })).expect("the node has the block")
}

/// Sends transfers through all nodes in turn, and notes the ids of those that are taken.
fn transfers(nodes: &[Node], per_second: u32, over: &AtomicBool) -> Vec<String> {
    const SENDERS: u32 = 4;
    let taken = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let taken = &taken;
            scope.spawn(move || {
                let mut loads: Vec<_> = nodes.iter().map(|node| Load::new(node.clone())).collect();
                let (begin, interval) = (Instant::now(), Duration::from_secs(1) * SENDERS / per_second);
                for number in 0.. {
                    std::thread::sleep((begin + interval * number).saturating_duration_since(Instant::now()));
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    let at = (number + sender) as usize % loads.len();
                    // One that is refused, in the cut or by a node that is busy, is nobody's.
                    if let Ok(answer) = loads[at].transfer() {
                        let id = answer["transaction_id"].as_str().expect("an id").to_owned();
                        taken.lock().expect("nobody panicked with it").push(id);
                    }
                }
            });
        }
    });
    taken.into_inner().expect("nobody panicked with it")
}

fn schedule(load: &mut Load, nodes: &[Node], producers: &[&str]) {
    let names: Vec<Name> = producers.iter().map(|name| name.parse().expect("a name")).collect();
    let version = |node: &Node| {
        let schedule = node.call("/v1/chain/get_producer_schedule", &json!({})).expect("the node answers");
        schedule["active"]["version"].as_u64().expect("a number")
    };
    let before = version(&nodes[0]);
    load.propose(&names).expect("the schedule is proposed");
    until("new schedule at all nodes", || nodes.iter().all(|node| version(node) > before));
}

#[test]
fn two_of_ours_and_two_nodeos_keep_one_chain() {
    let Some(peer) = Peer::find() else { return };
    let plan = Plan::of_environment();
    let folders: [tempfile::TempDir; 4] = [(); 4].map(|()| tempfile::tempdir().expect("temporary folder"));
    let genesis = genesis(&folders[0].path().join("genesis.json"), 10);
    let listening = [(); 4].map(|()| format!("127.0.0.1:{}", free_port()));
    // Ours know each other, and nodeos each other; what lies between the two kinds can be cut.
    let relays: Vec<_> = [(2, 0), (2, 1), (3, 0), (3, 1)].map(|(from, to)| (from, Relay::to(&listening[to]))).into();
    let options = |at: usize| {
        let mut options = vec!["--genesis-json".to_owned(), genesis.clone()];
        options.extend(["--p2p-listen-endpoint".to_owned(), listening[at].clone()]);
        options.extend(["--p2p-max-nodes-per-host", "20", "--plugin", "eosio::producer_api_plugin"].map(str::to_owned));
        options.extend(plan.producers[at].iter().flat_map(|name| ["-p".to_owned(), (*name).to_owned()]));
        let direct = [None, Some(0), None, Some(2)][at].map(|other: usize| listening[other].clone());
        let relayed = relays.iter().filter(|(from, _)| *from == at).map(|(_, relay)| relay.address.clone());
        options.extend(direct.into_iter().chain(relayed).flat_map(|peer| ["--p2p-peer-address".to_owned(), peer]));
        options
    };
    fn texts(options: &[String]) -> Vec<&str> {
        options.iter().map(String::as_str).collect()
    }
    let mut first = options(0);
    first.extend(["-e", "-p", "eosio", "--plugin", "eosio::chain_api_plugin"].map(str::to_owned));
    let first = RunningNode::launch(folders[0].path(), &texts(&first));
    let second = options(1);
    let second = RunningNode::follow_with(folders[1].path(), &texts(&second));
    let theirs: Vec<_> = [2, 3].map(|at: usize| peer.join(folders[at].path(), &texts(&options(at)))).into();
    let nodes: Vec<Node> = [first.url.clone(), second.url.clone(), theirs[0].url.clone(), theirs[1].url.clone()]
        .iter()
        .map(|url| Node::new(url, Vec::new()))
        .collect();
    until("first blocks", || number(&nodes[0], "head_block_num") > 4);
    let mut load = Load::set_up(nodes[0].clone()).expect("the chain is set up");
    let all: Vec<&str> = plan.producers.concat();
    for name in &all {
        load.new_account(name.parse().expect("a name")).expect("the account is made");
    }
    load.set_proposing().expect("the module is taken");
    until("set-up at all nodes", || {
        let head = number(&nodes[0], "last_irreversible_block_num");
        nodes.iter().all(|node| number(node, "head_block_num") >= head) && head > 10
    });

    let over = AtomicBool::new(false);
    let (sent, cut_blocks) = std::thread::scope(|scope| {
        let sending = scope.spawn(|| transfers(&nodes, plan.transfers_per_second, &over));
        let over = Over(&over);
        schedule(&mut load, &nodes, &all);
        std::thread::sleep(plan.pause);
        let before = number(&nodes[0], "head_block_num");
        relays.iter().for_each(|(_, relay)| relay.cut());
        std::thread::sleep(plan.cut);
        let heads = [0, 2].map(|at: usize| info(&nodes[at])["head_block_id"].clone());
        assert_ne!(heads[0], heads[1], "the cut makes two branches");
        relays.iter().for_each(|(_, relay)| relay.heal());
        until("one chain after the cut", || {
            let irreversible = nodes.iter().map(|node| number(node, "last_irreversible_block_num"));
            irreversible.min() > Some(before + 20)
        });
        let after = number(&nodes[0], "head_block_num");
        // Others in another order, and fewer.
        let mut fewer = all[..all.len() - 1].to_vec();
        fewer.reverse();
        schedule(&mut load, &nodes, &fewer);
        std::thread::sleep(plan.pause);
        schedule(&mut load, &nodes, &all);
        std::thread::sleep(plan.pause);
        drop(over);
        (sending.join().expect("the senders end"), before..after)
    });
    assert!(sent.len() > 100, "{} transfers are taken", sent.len());

    let last = number(&nodes[0], "head_block_num") + plan.blocks_after;
    until("last blocks", || nodes.iter().all(|node| number(node, "last_irreversible_block_num") > last));
    let mut found: BTreeMap<String, u32> = BTreeMap::new();
    let (mut missed, mut previous) = (Vec::new(), None);
    for at in 2..=last {
        let ours = block(&nodes[0], at);
        for (name, node) in NAMES.iter().zip(&nodes).skip(1) {
            assert_eq!(block(node, at)["id"], ours["id"], "block {at} at {name}");
        }
        for receipt in ours["transactions"].as_array().expect("a list") {
            let id = receipt["trx"]["id"].as_str().expect("an id").to_owned();
            *found.entry(id).or_default() += 1;
        }
        let slot = slot(&ours);
        if let Some(slots) = previous.map(|previous| slot - previous - 1).filter(|slots| *slots > 0) {
            missed.push(format!("{slots} before block {at} of {}", ours["producer"]));
        }
        previous = Some(slot);
    }
    let lost = sent.iter().filter(|id| !found.contains_key(*id)).count();
    eprintln!("{last} blocks, the network was cut in blocks {cut_blocks:?}; missed slots: {}", missed.join(", "));
    eprintln!("{} transfers taken, {lost} of them in no block", sent.len());
    assert!(found.values().all(|count| *count == 1), "a transaction is in two blocks");
    assert!(lost * 20 <= sent.len(), "{lost} of {} transfers are in no block", sent.len());
    for node in &nodes {
        node.call("/v1/producer/pause", &json!({})).expect("production pauses");
    }
    let mut states = Vec::new();
    until("moment at which all are at one head", || {
        let answers = nodes.iter().map(|node| node.call("/v1/producer/get_integrity_hash", &json!({})));
        states = answers.map(|answer| answer.expect("the node answers")).collect();
        states.iter().all(|one| one["head_block_id"] == states[0]["head_block_id"])
    });
    assert!(states.iter().all(|state| state["integrity_hash"] == states[0]["integrity_hash"]), "{states:?}");
    assert!(![&first, &second].iter().any(|node| node.log().contains("panicked")));
}

/// The slot of a block.
fn slot(block: &Value) -> u64 {
    let time: primitives::TimePoint = block["timestamp"].as_str().expect("a time").parse().expect("a time");
    u64::try_from(time.0).expect("after 1970") / 500_000
}
