//! Nothing slow stands in the way of readers and of production: `get_info` is asked every three milliseconds while
//! things happen that take long.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::{DEV_PRIVATE_KEY, DEV_PUBLIC_KEY, Latency, Load, Prober, RunningNode};
use primitives::{BlockTimestamp, Name, TimePoint, name};
use serde_json::{Value, json};

/// What an answer may take at most, beside what the machine takes.
const LATENCY_MAX: Duration = Duration::from_millis(50);
/// Threads that an answer goes through, each of which the machine may keep waiting as it keeps one who asks.
const THREADS: u32 = 2;
/// Functions of the large contract, 800 bytes each: as many as a busy machine checks in the time that one transaction
/// may take. A quiet one checks twice as many.
const FUNCTIONS: usize = 256;
const ALICE: Name = name!("alice");

/// A module of about `functions` times 800 bytes, of code that takes time to compile.
fn large_module(functions: usize) -> Vec<u8> {
    let mut text = String::from("(module");
    for index in 0..functions {
        write!(text, "(func $f{index} (param i64) (result i64) (local i64 i64 i64 i64)").expect("memory");
        for step in 0..60 {
            let (to, from) = (1 + step % 4, (step + index) % 5);
            let constant = index * 1000 + step + 1_000_000;
            write!(
                text,
                "(local.set {to} (i64.xor (i64.mul (local.get {from}) (local.get 0)) (i64.const {constant})))"
            )
            .expect("memory");
        }
        text.push_str("(i64.add (local.get 1) (local.get 4)))");
    }
    text.push_str("(func (export \"apply\") (param i64 i64 i64) (drop (call $f0 (local.get 2)))))");
    wat::parse_str(&text).expect("a module")
}

/// The blocks of the chain from `first` to `last` as slot and producer.
fn blocks(node: &RunningNode, first: u64, last: u64) -> Vec<(BlockTimestamp, String)> {
    let block = |number| {
        let block = node.call("/v1/chain/get_block", &json!({ "block_num_or_id": number }));
        let text = |key: &str| block[key].as_str().expect("a text").to_owned();
        (text("timestamp").parse().expect("a slot"), text("producer"))
    };
    (first..=last).map(block).collect()
}

/// The slot that this moment is in.
fn now() -> BlockTimestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock of this century");
    BlockTimestamp::at(TimePoint(i64::try_from(since.as_micros()).expect("a clock of this century")))
}

fn assert_quick(latency: Latency) {
    let most = LATENCY_MAX + latency.machine * THREADS;
    assert!(latency.count > 500 && latency.max < most, "{latency:?}");
}

#[test]
fn a_large_contract_is_compiled_while_the_node_produces_and_answers() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut node = RunningNode::start(folder.path(), &[]);
    let mut load = Load::set_up(node.api.clone()).expect("the chain takes its set-up");
    let code = large_module(FUNCTIONS);
    let first = node.head();
    let prober = Prober::start(node.address());
    load.set_code(ALICE, &code).expect("the code is set");
    load.send_plain(ALICE, name!("anything"), ALICE).expect("the contract runs");
    load.transfer().expect("others go on");
    let last = node.head() + 4;
    node.wait_until("more blocks", |info| info["head_block_num"].as_u64() >= Some(last));
    let latency = prober.stop();
    let slots: Vec<_> = blocks(&node, first, last).into_iter().map(|(slot, _)| slot.0).collect();
    assert!(slots.windows(2).all(|pair| pair[1] == pair[0] + 1), "slots are missed: {slots:?}");
    assert_quick(latency);
}

#[test]
fn a_signer_that_hangs_holds_up_nobody_but_its_own_producer() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let document = folder.path().join("chain.json");
    let producers = json!([{ "name": "proda", "key": DEV_PUBLIC_KEY }, { "name": "prodb" }]);
    let chain = json!({
        "core_symbol": "4,SYS", "maximum_supply": "90000000.0000 SYS", "initial_supply": "80000000.0000 SYS",
        "parameters": { "min_activated_stake": 0 }, "accounts": [], "producers": producers,
    });
    std::fs::write(&document, chain.to_string()).expect("written");
    let provider = format!("{DEV_PUBLIC_KEY}=KEY:{DEV_PRIVATE_KEY}");
    let given = ["--genesis-document", document.to_str().expect("a path of ASCII"), "--signature-provider"];
    let mut node = RunningNode::dev(folder.path(), &[&given[..], &[&provider]].concat());
    node.wait_until("block of proda", |info| info["head_block_producer"] == "proda");
    node.stop();

    // It takes connections and never says anything.
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let provider = format!("{DEV_PUBLIC_KEY}=KEOSD:http://{}", silent.local_addr().expect("it is bound"));
    let patient = [&given[..], &[&provider, "--keosd-provider-timeout", "10000"]].concat();
    let mut node = RunningNode::dev(folder.path(), &patient);
    let by = |producer: &'static str| move |info: &Value| info["head_block_producer"] == producer;
    node.wait_until("block of prodb", by("prodb"));
    let first = node.head();
    let prober = Prober::start(node.address());
    std::thread::sleep(Duration::from_secs(19));
    let latency = prober.stop();
    let end = now();
    let blocks = blocks(&node, first, node.head());
    assert!(blocks.iter().all(|(_, producer)| producer == "prodb"), "nobody signs for proda: {blocks:?}");
    // Each of its turns that began and ended meanwhile has all of its blocks.
    let turn = |slot: BlockTimestamp| slot.0 / 12;
    let whole = blocks.iter().map(|(slot, _)| turn(*slot)).filter(|at| (turn(blocks[0].0) + 1..turn(end)).contains(at));
    let whole = whole.count();
    assert!(whole > 0 && whole % 12 == 0, "slots are missed: {blocks:?}");
    assert_quick(latency);
}
