//! A peer that takes a long range slowly, over QUIC: its connection holds, and what it has not taken yet does not pile
//! up in the node that gives it.

use std::time::{Duration, Instant};

use e2e::{DEV_PUBLIC_KEY, Load, RunningNode, free_port};
use primitives::{Action, Bytes, PermissionLevel, TimePoint, name};
use serde_json::json;

/// Bytes of the range, and of each of its transactions: two of them fill a block.
const RANGE_BYTES: usize = 100 << 20;
const FILLING_BYTES: usize = 480_000;
/// How long the reader runs and how long it stands still, by turns.
const RUNS: Duration = Duration::from_millis(100);
const STANDS: Duration = Duration::from_millis(900);
/// It takes at least so long, else it was not slow, and at most so long.
const LEAST: Duration = Duration::from_secs(10);
const MOST: Duration = Duration::from_secs(240);
/// Bytes by which the giver's memory may grow: what QUIC has under way on a connection, what is read ahead, and a
/// little.
const GROWTH_MAX: u64 = 32 << 20;

#[test]
fn a_long_range_goes_to_a_slow_reader_over_quic() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock of this century");
    let began = TimePoint((now.as_secs() as i64 - 60) * 1_000_000);
    let genesis = folders[0].path().join("genesis.json");
    let document = json!({ "initial_timestamp": began.to_string(), "initial_key": DEV_PUBLIC_KEY });
    std::fs::write(&genesis, document.to_string()).expect("written");
    let genesis = genesis.to_str().expect("a path of ASCII");
    let address = format!("/ip4/127.0.0.1/udp/{}/quic-v1", free_port());
    let listening = ["--genesis-json", genesis, "--p2p-listen-endpoint", &address, "--max-transaction-time", "400"];
    let mut giver = RunningNode::start(folders[0].path(), &listening);
    let mut load = Load::new(giver.api.clone());
    for number in 0..RANGE_BYTES.div_ceil(FILLING_BYTES) {
        let mut data = number.to_le_bytes().to_vec();
        data.resize(FILLING_BYTES, 7);
        let authorization = vec![PermissionLevel { actor: name!("eosio"), permission: name!("active") }];
        let action = Action { account: name!("eosio"), name: name!("fill"), authorization, data: Bytes(data) };
        load.send_action(action).expect("the node takes it");
    }
    let head = giver.head();
    giver.wait_until("irreversible blocks", |info| info["last_irreversible_block_num"].as_u64() >= Some(head));

    let dialling = ["--genesis-json", genesis, "--p2p-peer-address", &address];
    let reader = RunningNode::follow_with(folders[1].path(), &dialling);
    let (begin, before) = (Instant::now(), giver.private_bytes());
    let mut most = before;
    while reader.head() < head {
        reader.signal("STOP");
        std::thread::sleep(STANDS);
        most = most.max(giver.private_bytes());
        reader.signal("CONT");
        std::thread::sleep(RUNS);
        assert!(begin.elapsed() < MOST, "the reader is at {} of {head}:\n{}", reader.head(), reader.log());
    }
    let (took, grown) = (begin.elapsed(), most.saturating_sub(before));
    let (seconds, had) = (took.as_secs_f64(), before >> 20);
    eprintln!("{} MB in {seconds:.1} s; {had} MB of memory before, {} MB more", RANGE_BYTES >> 20, grown >> 20);
    assert!(took >= LEAST, "the reader was not slow: {took:?}");
    assert!(grown <= GROWTH_MAX, "{before} bytes of memory before, {most} while the range went out");
    for log in [giver.log(), reader.log()] {
        assert_eq!(log.matches("connected to ").count(), 1, "the connection broke:\n{log}");
    }
}
