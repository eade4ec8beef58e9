//! Nodes of a local network find each other: two network namespaces with one cable between them, and two nodes that
//! were told of no peer.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use client::Node;
use e2e::{DEV_PUBLIC_KEY, binary};
use serde_json::{Value, json};

/// What must happen has happened after this, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two namespaces, taken away when dropped.
struct Cable([String; 2]);

impl Cable {
    /// Lays one. `None`, with a line that says so, where this user or this system cannot.
    fn lay() -> Option<Self> {
        let process = std::process::id();
        let cable = Self([format!("boreas-{process}-a"), format!("boreas-{process}-b")]);
        let [one, other] = &cable.0;
        let [first, second] = ["a", "b"].map(|end| format!("b{process}{end}"));
        let mut steps = vec![
            format!("netns add {one}"),
            format!("netns add {other}"),
            format!("link add {first} netns {one} type veth peer name {second} netns {other}"),
        ];
        for (place, (namespace, end)) in [(one, &first), (other, &second)].into_iter().enumerate() {
            steps.push(format!("-n {namespace} address add 10.98.7.{}/24 dev {end}", place + 1));
            steps.push(format!("-n {namespace} link set lo up"));
            steps.push(format!("-n {namespace} link set {end} up"));
        }
        for step in steps {
            let run = Command::new("ip").args(step.split(' ')).output();
            if run.as_ref().is_ok_and(|run| run.status.success()) {
                continue;
            }
            let why = run.map_or_else(|why| why.to_string(), |run| String::from_utf8_lossy(&run.stderr).into_owned());
            eprintln!("SKIPPED: this needs network namespaces, and \"ip {step}\" fails: {}", why.trim());
            return None;
        }
        Some(cable)
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for namespace in &self.0 {
            // One that was not made cannot be taken away.
            let _ = Command::new("ip").args(["netns", "delete", namespace]).output();
        }
    }
}

/// A node in a namespace, which is asked over a Unix socket: these have no namespaces.
struct Inside {
    process: Child,
    api: Node,
    log: PathBuf,
}

impl Inside {
    fn start(namespace: &str, folder: &Path, arguments: &[&str]) -> Self {
        let log = folder.join("node.log");
        let file = std::fs::File::create(&log).expect("the folder can be written");
        let process = Command::new("ip")
            .args(["netns", "exec", namespace])
            .arg(binary("boreasd"))
            .args(["--http-server-address", "", "--unix-socket-path", "node.sock", "--p2p-mdns"])
            .args(["--plugin", "eosio::chain_api_plugin", "--plugin", "eosio::net_api_plugin"])
            .args(["--p2p-listen-endpoint", "/ip4/0.0.0.0/tcp/9876"])
            .args(arguments)
            .args([Path::new("--data-dir"), folder, Path::new("--config-dir"), folder])
            .env("XDG_CACHE_HOME", folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a file handle can be cloned"))
            .stderr(file)
            .spawn()
            .expect("ip runs");
        let api = Node::new(&format!("unix://{}", folder.join("node.sock").display()), Vec::new());
        Self { process, api, log }
    }

    fn ask(&self, path: &str) -> Value {
        self.api.call(path, &json!({})).unwrap_or_default()
    }

    fn wait_until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !done(self) {
            let log = || std::fs::read_to_string(&self.log).unwrap_or_default();
            assert!(begin.elapsed() < PATIENCE, "no {what}:\n{}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // Both fail where the process is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn two_nodes_of_a_local_network_find_each_other() {
    let Some(cable) = Cable::lay() else { return };
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock of this century");
    let began = primitives::TimePoint((now.as_secs() as i64 - 60) * 1_000_000);
    let genesis = folders[0].path().join("genesis.json");
    let document = json!({ "initial_timestamp": began.to_string(), "initial_key": DEV_PUBLIC_KEY });
    std::fs::write(&genesis, document.to_string()).expect("written");
    let genesis = ["--genesis-json", genesis.to_str().expect("a path of ASCII")];
    let [producing, following] = &cable.0;
    let producer = Inside::start(producing, folders[0].path(), &[&genesis[..], &["-e", "-p", "eosio"]].concat());
    producer.wait_until("blocks", |node| node.ask("/v1/chain/get_info")["head_block_num"].as_u64() > Some(4));
    let follower = Inside::start(following, folders[1].path(), &genesis);
    follower.wait_until("peer", |node| {
        let connections = node.ask("/v1/net/connections");
        let mut open = connections.as_array().into_iter().flatten().filter(|one| one["connecting"] == false);
        open.any(|one| one["last_handshake"]["p2p_address"].as_str().is_some_and(|address| !address.is_empty()))
    });
    let head = producer.ask("/v1/chain/get_info")["head_block_num"].as_u64().expect("a number");
    follower.wait_until("blocks of the producer", |node| {
        node.ask("/v1/chain/get_info")["head_block_num"].as_u64() > Some(head + 2)
    });
}
