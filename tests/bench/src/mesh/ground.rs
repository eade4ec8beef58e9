//! Where the nodes of a mesh run: each in a network namespace of its own with one cable to this one, or, where this user
//! may not make such, on loopback. A namespace ends with its node.

use std::net::Ipv4Addr;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::peers::free_port;
use crate::process::Process;

/// The name of a node's end of its cable.
const CABLE: &str = "hub0";
/// Where a node listens in its namespace.
const PORT: u16 = 9876;
/// Where the relays to the nodes listen, in this namespace: the first of these ports, and those after it.
const RELAYS_AT: u16 = 20_000;
/// A namespace is there after this, or never.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(5);
/// Waits for its cable, then becomes the node. The node reaches the other end of the cable, and nothing else.
const SCRIPT: &str = r#"until ip link set "$0" up 2>/dev/null; do sleep 0.02; done
ip link set lo up && ip address add "$1/30" dev "$0" && shift && exec "$@""#;

/// Where they run.
#[derive(Debug, Clone)]
pub enum Ground {
    Namespaces,
    /// With the port of each.
    Loopback(Vec<u16>),
}

/// The ends of a node's cable: this one, and the node's. The network is the one that RFC 2544 keeps for benchmarks.
fn ends(node: usize) -> [Ipv4Addr; 2] {
    let node = u8::try_from(node).unwrap_or(u8::MAX);
    [1, 2].map(|end| Ipv4Addr::new(198, 18, node, end))
}

impl Ground {
    /// For so many nodes.
    pub fn of(nodes: usize) -> anyhow::Result<Self> {
        let may = Command::new("unshare").args(["--net", "ip", "link"]).output();
        if may.is_ok_and(|run| run.status.success()) {
            return Ok(Self::Namespaces);
        }
        Ok(Self::Loopback((0..nodes).map(|_| free_port()).collect::<anyhow::Result<_>>()?))
    }

    /// Where a node listens, as a multiaddress.
    pub fn listening(&self, node: usize) -> String {
        match self {
            Self::Namespaces => format!("/ip4/0.0.0.0/tcp/{PORT}"),
            Self::Loopback(ports) => format!("/ip4/127.0.0.1/tcp/{}", ports[node]),
        }
    }

    /// Where the relay from one node to another listens, and whereto it leads, each as `HOST:PORT`.
    pub fn relay(&self, from: usize, to: usize) -> [String; 2] {
        match self {
            Self::Namespaces => {
                [format!("{}:{}", ends(from)[0], usize::from(RELAYS_AT) + to), format!("{}:{PORT}", ends(to)[1])]
            }
            Self::Loopback(ports) => ["127.0.0.1:0".to_owned(), format!("127.0.0.1:{}", ports[to])],
        }
    }

    /// What runs a command there.
    pub fn inside(&self, node: usize, command: Command) -> Command {
        if matches!(self, Self::Loopback(_)) {
            return command;
        }
        let mut inside = Command::new("unshare");
        inside.args(["--net", "bash", "-c", SCRIPT, CABLE, &ends(node)[1].to_string()]);
        inside.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }

    /// Lays the cable of a node that was started.
    pub fn connect(&self, node: usize, process: &Process) -> anyhow::Result<()> {
        if matches!(self, Self::Loopback(_)) {
            return Ok(());
        }
        let (begin, id) = (Instant::now(), process.id());
        let namespace = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net"));
        let own = namespace("self").context("this system has network namespaces")?;
        while namespace(&id.to_string()).context("a node ended at once")? == own {
            ensure!(begin.elapsed() < PATIENCE, "a node gets no network namespace");
            std::thread::sleep(POLL);
        }
        let (here, address) = (format!("bm{:x}-{node}", std::process::id()), ends(node)[0]);
        ip(&format!("link add {here} type veth peer name {CABLE} netns {id}"))?;
        ip(&format!("address add {address}/30 dev {here}"))?;
        ip(&format!("link set {here} up"))
    }
}

fn ip(words: &str) -> anyhow::Result<()> {
    let Output { status, stderr, .. } = Command::new("ip").args(words.split(' ')).output().context("cannot run ip")?;
    ensure!(status.success(), "ip {words}: {}", String::from_utf8_lossy(&stderr));
    Ok(())
}
