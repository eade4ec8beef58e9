//! A network that one command starts: `.dev/net`.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use client::Node;
use e2e::{binary, free_port};
use serde_json::{Value, json};

/// What must happen has happened after this, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(120);
const NODES: u16 = 3;
const POLL: Duration = Duration::from_millis(200);

/// The first of so many free ports in a row.
fn free_ports(count: u16) -> u16 {
    loop {
        let first = free_port();
        if (1..count).all(|after| free_port() == first + after) {
            return first;
        }
    }
}

/// What `.dev/net` runs.
struct Network {
    script: Child,
    nodes: Vec<Node>,
}

impl Network {
    fn start(folder: &Path) -> Self {
        let (http, p2p) = (free_ports(NODES), free_ports(NODES));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.dev/net");
        let log = File::options().create(true).append(true).open(folder.join("log")).expect("a log");
        let mut command = Command::new("bash");
        command.arg(script).arg(NODES.to_string()).env("NET_BOREASD", binary("boreasd"));
        command.env("NET_DIR", folder.join("net")).env("NET_HTTP_PORT", http.to_string());
        command.env("NET_P2P_PORT", p2p.to_string()).stderr(log.try_clone().expect("a log")).stdout(log);
        let script = command.spawn().expect("bash runs");
        let node = |at| Node::new(&format!("http://127.0.0.1:{}", http + at), Vec::new());
        Self { script, nodes: (0..NODES).map(node).collect() }
    }

    /// A field of `get_info` of each node, as far as they answer.
    fn heads(&self) -> Vec<u64> {
        let head = |node: &Node| node.call("/v1/chain/get_info", &json!({})).ok()?["head_block_num"].as_u64();
        self.nodes.iter().filter_map(head).collect()
    }

    fn block(&self, node: usize, number: u64) -> Value {
        self.nodes[node].call("/v1/chain/get_block", &json!({ "block_num_or_id": number })).expect("it has the block")
    }

    /// Ends it. Ctrl-C does the same, but that signal is ignored by whatever was started in the background of a script.
    fn stop(mut self) {
        let pid = self.script.id().to_string();
        assert!(Command::new("kill").arg(&pid).status().expect("kill runs").success());
        assert!(self.script.wait().expect("it ends").success());
        assert!(self.heads().is_empty(), "nodes outlive the script");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if !matches!(self.script.try_wait(), Ok(None)) {
            return;
        }
        let _ = Command::new("kill").arg(self.script.id().to_string()).status();
        let _ = self.script.wait();
    }
}

fn until(folder: &Path, what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(begin.elapsed() < PATIENCE, "no {what}: {}", log());
        std::thread::sleep(POLL);
    }
}

#[test]
fn a_network_of_producers_starts_with_one_command_and_goes_on_the_next_time() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let place = folder.path();
    let network = Network::start(place);
    until(place, "answers of all nodes", || network.heads().len() == usize::from(NODES));
    let first = network.heads().into_iter().max().expect("they answer") + 1;
    let mut producers = BTreeSet::new();
    let mut next = first;
    until(place, "blocks of every producer at every node", || {
        while network.heads().iter().filter(|head| **head >= next).count() == usize::from(NODES) {
            producers.insert(network.block(0, next)["producer"].to_string());
            next += 1;
        }
        producers.len() == usize::from(NODES)
    });
    let ids: BTreeSet<_> = (0..usize::from(NODES)).map(|node| network.block(node, first)["id"].to_string()).collect();
    assert_eq!(ids.len(), 1, "block {first}");
    network.stop();
    let network = Network::start(place);
    until(place, "more blocks at all nodes", || {
        network.heads().iter().filter(|head| **head > next + 2).count() == usize::from(NODES)
    });
    network.stop();
}
