//! A node that produces loses its power, again and again, with whatever its disk was not told to sync: the node starts
//! again, what it answered as stored is there, so is every block that another node has from it, and none is signed again.
//!
//! `BOREAS_KILLS=100` makes the test a long one.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use client::WaitFor;
use e2e::{Dice, ForgetfulDisk, Load, Loss, Over, RunningNode, free_port, genesis, producer_names, producer_options};
use serde_json::json;

const LOSSES: u32 = 4;
/// Producers in one process: many blocks are reversible.
const PRODUCERS: usize = 5;
/// Clients that wait until each transfer is stored.
const CLIENTS: usize = 2;

fn losses() -> u32 {
    std::env::var("BOREAS_KILLS").map_or(LOSSES, |text| text.parse().expect("BOREAS_KILLS is a number"))
}

/// Units that alice has.
fn balance(node: &RunningNode) -> u64 {
    let question = json!({ "code": "eosio.token", "account": "alice", "symbol": "SYS" });
    let answer = node.call("/v1/chain/get_currency_balance", &question);
    let text = answer[0].as_str().unwrap_or("0.0000 SYS").trim_end_matches(" SYS").replace('.', "");
    text.parse().expect("an amount")
}

/// The node whose power goes.
struct Machine<'a> {
    folder: &'a Path,
    disk: ForgetfulDisk,
    arguments: Vec<String>,
}

impl Machine<'_> {
    fn start(&self, more: &[&str]) -> RunningNode {
        let arguments: Vec<_> = self.arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        RunningNode::start_with_limits(self.folder, &self.disk.enter(), &arguments)
    }
}

#[test]
fn what_was_promised_outlives_a_loss_of_power() {
    let [folder, notes, other] = [(); 3].map(|()| tempfile::tempdir().expect("temporary folder"));
    let genesis = genesis(&folder.path().join("genesis.json"), 60);
    let address = format!("127.0.0.1:{}", free_port());
    let producers = producer_names(PRODUCERS);
    let mut arguments = producer_options(&producers);
    arguments.extend(
        ["--genesis-json", &genesis, "--plugin", "eosio::producer_api_plugin", "--plugin", "eosio::trace_api_plugin"]
            .map(str::to_owned),
    );
    let disk = ForgetfulDisk::new(folder.path(), notes.path());
    let machine = Machine { folder: folder.path(), disk, arguments };
    let connected = ["--p2p-listen-endpoint", &address];
    let mut node = machine.start(&connected);
    node.wait_until("first blocks", |info| info["head_block_num"].as_u64() > Some(4));
    let mut load = Load::set_up(node.api.clone()).expect("the chain takes its set-up");
    load.schedule(&mut node, &producers);
    let following = ["--genesis-json", &genesis, "--p2p-peer-address", &address, "--plugin", "eosio::net_api_plugin"];
    let mut witness = RunningNode::follow_with(other.path(), &following);
    let caught_up = node.head_block().0;
    witness.wait_until("same head", |info| info["head_block_num"].as_u64() >= Some(caught_up));

    let (mut dice, stored) = (Dice::of_test(u64::from(std::process::id())), AtomicU64::new(balance(&node)));
    eprintln!("SEED={}", dice.seed());
    for round in 0..losses() {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (over, stored) = (&over, &stored);
            let _over = Over(over);
            for _ in 0..CLIENTS {
                let mut load = Load::new(node.api.clone());
                load.wait = Some(WaitFor::Stored);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        // It may find the node dead: that is the test.
                        let _ = load.transfer().map(|_| stored.fetch_add(1, Ordering::Relaxed));
                    }
                });
            }
            let mut filling = Load::new(node.api.clone());
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let _ = filling.fill();
                }
            });
            std::thread::sleep(Duration::from_millis(1000 + dice.bits() % 1500));
            node.kill();
        });
        let seen = witness.head_block();
        machine.disk.lose_power(if round % 2 == 0 { Loss::All } else { Loss::Some(&mut dice) });
        // Alone at first: nobody gives it what it lost.
        let alone = machine.start(&[]);
        assert_eq!(alone.block_id(seen.0).as_ref(), Some(&seen.1), "round {round}: block {} is gone", seen.0);
        let (has, promised) = (balance(&alone), stored.load(Ordering::Relaxed));
        assert!(has >= promised, "round {round}: {has} transfers, {promised} were answered as stored");
        // What was under way may have been stored without an answer.
        stored.store(has, Ordering::Relaxed);
        alone.stop();
        node = machine.start(&connected);
        let now = node.head_block().0;
        node.wait_until("new block", |info| info["head_block_num"].as_u64() > Some(now + 1));
        witness.wait_until("new block at the other node", |info| info["head_block_num"].as_u64() > Some(now + 1));
    }

    node.call("/v1/producer/pause", &json!({}));
    std::thread::sleep(Duration::from_millis(1500));
    let last = node.head_block();
    witness.wait_until("last block", |info| info["head_block_id"] == last.1.as_str());
    let hash = |node: &RunningNode| node.call("/v1/producer/get_integrity_hash", &json!({}));
    assert_eq!(hash(&witness), hash(&node), "the states differ");
    let (_, doubles) = witness.get("/v1/node/double_signs");
    assert_eq!(doubles, json!([]), "signed twice");
}
