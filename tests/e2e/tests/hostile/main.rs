//! Peers that speak nodeos' wire as they should and then misbehave, one kind after another, against one node that signs
//! for 21 producers, under honest load: it makes its blocks, keeps to its memory, an honest peer on another address follows
//! it all the time, and who misbehaves is sent away.
//!
//! `BOREAS_PEERS=1 cargo test --release --workspace --test hostile -- --nocapture` mounts the attacks at full strength,
//! holds the node to its slots and prints the table of `node/TRUST.md`; it takes the ten minutes until a ban ends.
//! Without that they are short, and little depends on how fast the machine is.

mod forged;
mod offender;

use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use e2e::{
    DEV_PRIVATE_KEY, Load, Over, PRODUCERS, RunningNode, Told, free_port, genesis, producer_names, producer_options,
};
use offender::{Flood, repeat_blocks};
use primitives::name;
use primitives::{Action, BlockTimestamp, Bytes, Checksum256, Name, Pack as _, PermissionLevel, PrivateKey, Signature};
use serde_json::json;

/// What must happen has happened after this, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most memory that the node may have, whatever peers do: twice 192 MiB of what they send and are sent, and itself.
const MEMORY_MAX: u64 = 512 << 20;
/// Slots that may be missed during one attack while the machine has other things to do.
const MISSED_MAX: u64 = 12;
/// Share of honest transfers that may be in no block, in percent.
const LOST_PERCENT_MAX: u64 = 2;
/// How many of a processor's hundred parts repeated blocks may cost, at full strength and on a busy machine.
const REPEATED_COST_MAX: [f64; 2] = [10.0, 3.0];
/// How long a ban lasts (`BAN_US`), and a little.
const BAN: Duration = Duration::from_secs(605);
/// Peers that repeat blocks.
const REPEATERS: usize = 20;
/// Bytes of a transaction that takes room: two of them fill a block.
const FILLING_BYTES: usize = 480_000;

const ALICE: Name = name!("alice");

/// One host for each kind of offence; the honest peer is at 127.0.0.1.
const fn host(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, number)
}

/// A producing node, an honest peer of it, and what a stranger knows of their chain.
struct Ground {
    full: bool,
    producer: RunningNode,
    follower: RunningNode,
    peers: String,
    chain_id: Checksum256,
    key: PrivateKey,
    _folders: [tempfile::TempDir; 2],
}

/// What is looked at during an attack.
#[derive(Default)]
struct Watched {
    most_bytes: u64,
    /// Blocks that the honest peer was behind at most.
    lag: u64,
}

impl Ground {
    fn new() -> Self {
        let full = std::env::var("BOREAS_PEERS").is_ok_and(|value| value != "0");
        let folders = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
        let genesis = genesis(&folders[0].path().join("genesis.json"), 60);
        let peers = format!("127.0.0.1:{}", free_port());
        let shared = ["--genesis-json", &genesis, "--plugin", "eosio::net_api_plugin"];
        let producers = producer_names(PRODUCERS);
        let options = producer_options(&producers);
        let mut listening = vec!["--p2p-listen-endpoint", &peers, "--plugin", "eosio::prometheus_plugin"];
        listening.extend(["--p2p-max-nodes-per-host", "30", "--max-clients", "0"]);
        listening.extend(options.iter().map(String::as_str));
        let mut producer = RunningNode::start(folders[0].path(), &[&shared[..], &listening].concat());
        let mut load = Load::set_up(producer.api.clone()).expect("the chain is set up");
        load.schedule(&mut producer, &producers);
        let dialling = [&shared[..], &["--p2p-peer-address", &peers]].concat();
        let follower = RunningNode::follow_with(folders[1].path(), &dialling);
        let chain_id = producer.info().expect("the node answers")["chain_id"].clone();
        let chain_id = chain_id.as_str().expect("an id").parse().expect("an id");
        let key = DEV_PRIVATE_KEY.parse().expect("a key");
        let ground = Self { full, producer, follower, peers, chain_id, key, _folders: folders };
        ground.wait("the honest peer at the head", || ground.lag() == 0);
        ground
    }

    /// A number, in the short form and at full strength.
    fn of<T>(&self, short: T, full: T) -> T {
        if self.full { full } else { short }
    }

    fn wait(&self, what: &str, mut done: impl FnMut() -> bool) {
        let begin = Instant::now();
        while !done() {
            assert!(begin.elapsed() < PATIENCE, "not seen: {what}; the producer's log:\n{}", self.producer.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Blocks that the honest peer is behind.
    fn lag(&self) -> u64 {
        let head = self.producer.head();
        head.saturating_sub(self.follower.head())
    }

    /// Slots without a block.
    fn missed(&self) -> u64 {
        let (_, health) = self.producer.get("/v1/node/health");
        health["slots_missed"]["since_start"].as_u64().expect("a number")
    }

    fn balance(&self) -> u64 {
        let question = json!({ "code": "eosio.token", "account": "alice", "symbol": "SYS" });
        let balance = self.producer.call("/v1/chain/get_currency_balance", &question);
        let Some(text) = balance[0].as_str() else { return 0 };
        text.strip_suffix(" SYS").expect("SYS").replace('.', "").parse().expect("a number")
    }

    fn watch(&self, over: &AtomicBool) -> Watched {
        let mut seen = Watched::default();
        while !over.load(Ordering::Relaxed) {
            seen.most_bytes = seen.most_bytes.max(self.producer.memory_bytes());
            seen.lag = seen.lag.max(self.lag());
            std::thread::sleep(Duration::from_millis(100));
        }
        seen
    }

    /// Mounts one attack, which says what became of who mounted it.
    fn mount(&self, name: &str, attack: impl FnOnce() -> String) {
        let node = &self.producer;
        let (before, missed_before, cpu, begin) = (node.memory_bytes(), self.missed(), node.cpu_time(), Instant::now());
        let over = AtomicBool::new(false);
        let (outcome, seen) = std::thread::scope(|scope| {
            let watching = scope.spawn(|| self.watch(&over));
            let outcome = {
                let _over = Over(&over);
                attack()
            };
            (outcome, watching.join().expect("both nodes answer"))
        });
        let took = begin.elapsed().as_secs_f64();
        let cpu = (node.cpu_time() - cpu).as_secs_f64() / took * 100.0;
        self.wait("the honest peer at the head after an attack", || self.lag() <= 1);
        let (missed, after) = (self.missed() - missed_before, node.memory_bytes());
        let row = format!(
            "| {name} | {took:.1} | {outcome} | {cpu:.0} | {missed} | {} / {} / {} | {} |",
            before >> 20,
            seen.most_bytes >> 20,
            after >> 20,
            seen.lag
        );
        eprintln!("{row}");
        assert!(seen.most_bytes.max(after) < MEMORY_MAX, "too much memory: {row}");
        assert!(missed <= self.of(MISSED_MAX, 0), "slots are missed: {row}");
        assert_eq!(self.follower.log().matches("connected to ").count(), 1, "the honest peer was sent away: {row}");
    }

    /// Has a host flood the node, which bans it for that.
    fn mount_flood(&self, number: u8, name: &str, next: impl FnMut(&mut Vec<u8>) -> usize) {
        self.mount(name, || {
            let Flood { sent, ended, banned_after } = self.flood(host(number), self.of(PATIENCE, 2 * PATIENCE), next);
            let banned = banned_after.unwrap_or_else(|| panic!("{name}: {sent} sent, {ended} times sent away, no ban"));
            assert!(self.introduced(host(number)).is_none(), "a banned host is let in");
            format!("{sent} messages, banned after {:.1} s", banned.as_secs_f64())
        });
    }
}

#[test]
fn hostile_peers_cost_little_and_are_sent_away() {
    let ground = &Ground::new();
    let (over, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let over = Over(&over);
        let interval = Duration::from_secs(1) / ground.of(20, 200);
        let (until, counted) = (over.0, &sent);
        scope.spawn(move || transfers(ground, interval, until, counted));
        eprintln!(
            "| attack | s | what came of it | CPU % | slots missed | MB before / most / after | honest peer behind |\n\
             |---|---:|---|---:|---:|---:|---:|"
        );
        ground.mount("nothing", || {
            std::thread::sleep(ground.of(Duration::from_secs(1), Duration::from_secs(10)));
            String::new()
        });
        repeated_blocks(ground);
        let banned = Instant::now();
        transactions(ground);
        forged_blocks(ground);
        requests(ground);
        half_open(ground);
        nobody_reads(ground);
        assert!(ground.producer.metric("p2p_bans") >= 5, "bans are counted");
        if ground.full {
            std::thread::sleep(BAN.saturating_sub(banned.elapsed()));
            ground.wait("an honest peer on an address whose ban is over", || ground.introduced(host(3)).is_some());
        }
    });
    let sent = sent.into_inner() as u64;
    let least = sent - sent * LOST_PERCENT_MAX / 100;
    ground.wait("honest transfers in blocks", || ground.balance() >= least);
    eprintln!("{sent} honest transfers, {} of them in blocks", ground.balance());
    assert!(sent > 50, "{sent} transfers are sent");
    for node in [&ground.producer, &ground.follower] {
        assert!(!node.log().contains("panicked"), "{}", node.log());
    }
}

/// Sends transfers by the honest peer, on schedule; those that it takes are counted.
fn transfers(ground: &Ground, interval: Duration, over: &AtomicBool, sent: &AtomicUsize) {
    let (mut load, mut due) = (Load::new(ground.follower.api.clone()), Instant::now());
    while !over.load(Ordering::Relaxed) {
        // A machine that is busy with other things as well may need longer than a transaction may take.
        sent.fetch_add(usize::from(load.transfer().is_ok()), Ordering::Relaxed);
        due = (due + interval).max(Instant::now());
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

/// What repeated blocks cost: peers that only listen and peers that send each block back as soon as they have it, by turns.
fn repeated_blocks(ground: &Ground) {
    ground.mount("20 peers that repeat each block", || {
        let window = ground.of(Duration::from_millis(2000), Duration::from_secs(20));
        let (repeats, over) = (AtomicBool::new(false), AtomicBool::new(false));
        let streams: Vec<TcpStream> =
            (0..REPEATERS).map(|_| ground.connect(host(2)).expect("the node listens")).collect();
        std::thread::scope(|scope| {
            let peers: Vec<_> =
                streams.into_iter().map(|stream| scope.spawn(|| repeat_blocks(stream, &repeats, &over))).collect();
            let guard = Over(&over);
            let (mut cpu, blocks) = ([Duration::ZERO; 2], ground.producer.head());
            for turn in 0..4 {
                repeats.store(turn % 2 == 1, Ordering::Relaxed);
                let before = ground.producer.cpu_time();
                std::thread::sleep(window);
                cpu[turn % 2] += ground.producer.cpu_time() - before;
            }
            let blocks = (ground.producer.head() - blocks) / 2;
            drop(guard);
            let repeated: usize = peers.into_iter().map(|peer| peer.join().expect("it stays")).sum();
            let percent = cpu.map(|cpu| cpu.as_secs_f64() / (2.0 * window.as_secs_f64()) * 100.0);
            assert!(repeated as u64 >= REPEATERS as u64 * (blocks / 2), "{repeated} of {blocks} blocks are repeated");
            assert!(
                percent[1] - percent[0] < ground.of(REPEATED_COST_MAX[0], REPEATED_COST_MAX[1]),
                "repeating costs too much: {percent:?}"
            );
            format!("{repeated} blocks, {:.1} % of a processor, {:.1} % when they only listen", percent[1], percent[0])
        })
    });
}

/// Invalid transactions as fast as they are read.
fn transactions(ground: &Ground) {
    const EOSIO: Name = name!("eosio");
    let mut unsigned = ground.transactions(60, EOSIO, Signature::K1([0; 65]));
    ground.mount_flood(3, "transactions with a bad signature", |out| unsigned.fill(out));
    let mut expired = ground.transactions(-10, EOSIO, ground.some_signature());
    ground.mount_flood(4, "expired transactions", |out| expired.fill(out));
    let mut nobody = ground.transactions(60, name!("nobody"), ground.some_signature());
    ground.mount_flood(5, "transactions of an unknown account", |out| nobody.fill(out));
    let failing = ground.overdrawn(ground.of(6000, 20_000));
    let mut turns = failing.chunks(50).cycle();
    ground.mount_flood(6, "transfers of more than there is", |out| {
        let some = turns.next().expect("it goes round");
        some.iter().for_each(|frame| out.extend_from_slice(frame));
        some.len()
    });
    let known = ground.overdrawn(50).concat();
    ground.mount_flood(7, "the same transactions again and again", |out| {
        out.extend_from_slice(&known);
        50
    });
}

/// Blocks that are wrong in some way, by one who has the producers' key.
fn forged_blocks(ground: &Ground) {
    let double_signs = || ground.producer.call("/v1/node/double_signs", &json!({}));
    ground.mount("a block with a bad signature", || {
        let bytes = ground.newest(host(8)).unsigned();
        assert!(ground.is_sent_away(host(8), &bytes, PATIENCE) && ground.is_banned(host(8)));
        "banned".to_owned()
    });
    ground.mount("a block of the wrong producer", || {
        let other = |newest: &forged::Newest, header: &mut primitives::BlockHeader| {
            header.producer = newest.producer_at(BlockTimestamp(header.timestamp.0 + 12));
        };
        let bytes = ground.newest(host(9)).signed(ground, other);
        assert!(ground.is_sent_away(host(9), &bytes, PATIENCE) && ground.is_banned(host(9)));
        "banned".to_owned()
    });
    ground.mount("blocks of the future", || {
        let newest = ground.newest(host(10));
        let bytes: Vec<u8> = (200..200 + ground.of(50, 500))
            .flat_map(|ahead| {
                newest.signed(ground, |newest, header| {
                    header.timestamp.0 += ahead;
                    (header.producer, header.confirmed) = (newest.producer_at(header.timestamp), 0);
                })
            })
            .collect();
        assert!(!ground.is_sent_away(host(10), &bytes, Duration::from_secs(1)), "a clock may be wrong");
        "refused; whose clock is wrong nobody knows".to_owned()
    });
    assert_eq!(double_signs(), json!([]));
    ground.mount("a second block for a slot", || {
        let bytes = ground.newest(host(11)).signed(ground, |_, _| {});
        assert!(!ground.is_sent_away(host(11), &bytes, Duration::from_millis(500)), "it is the producer's fault");
        ground.wait("the proof of the double signing", || double_signs()[0]["headers"][1].is_object());
        assert_eq!(ground.producer.metric("double_signs"), 1);
        "shown with both headers".to_owned()
    });
    let mut orphans = ground.orphans();
    ground.mount_flood(12, "blocks that follow nothing", |out| orphans.fill(out));
}

/// Requests as fast as they are read.
fn requests(ground: &Ground) {
    let range = [&[6][..], &(2u32, 1_000_000u32).to_bytes()].concat();
    // Nothing of transactions; blocks: catch_up, from the irreversible block on.
    let branch = [&[5][..], &[0; 9], &[1, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    for (number, name, message) in [(13, "requests for ranges", range), (14, "requests for branches", branch)] {
        let frames = e2e::framed(&message).repeat(100);
        ground.mount_flood(number, name, |out| {
            out.extend_from_slice(&frames);
            100
        });
    }
}

/// Connections that say nothing, half of a handshake, or half of a message, from 250 hosts.
fn half_open(ground: &Ground) {
    ground.mount("1,000 connections, silent or with half of a message", || {
        let rounds = ground.of(1, 10);
        let newcomer = |open: &mut Vec<TcpStream>| {
            for number in 0..1000_u16 {
                let introduction = ground.introduction(host(100)).handshake();
                let [_, low] = (number % 250).to_be_bytes();
                let Ok(mut stream) = e2e::connect_from(Ipv4Addr::new(127, 1, 0, low + 1), &ground.peers) else {
                    continue;
                };
                let bytes = match number % 3 {
                    0 => Vec::new(),
                    1 => vec![200, 0, 0, 0, 0, 1],
                    _ => [introduction.clone(), vec![0xe8, 3, 0, 0, 7, 1, 2, 3]].concat(),
                };
                // It may be closed already.
                let _ = std::io::Write::write_all(&mut stream, &bytes);
                open.push(stream);
            }
            let begin = Instant::now();
            let honest = host(200);
            while ground.introduced(honest).is_none() {
                assert!(begin.elapsed() < PATIENCE, "an honest peer is not let in beside them");
            }
            begin.elapsed()
        };
        let mut open = Vec::new();
        let times: Vec<_> = (0..rounds).map(|_| newcomer(&mut open)).collect();
        let slowest = times.into_iter().max().unwrap_or_default();
        if ground.full {
            // As long as a message may take to be whole, and a little.
            std::thread::sleep(Duration::from_secs(22));
            let closed = |stream: &mut TcpStream| Told::hear(stream, Duration::from_millis(500), |_| false).closed;
            open.iter_mut().for_each(|stream| assert!(closed(stream), "a connection is kept"));
        }
        format!("{} connections; an honest one was let in after {} ms", open.len(), slowest.as_millis())
    });
}

/// Large blocks, and a peer that takes none of them.
fn nobody_reads(ground: &Ground) {
    ground.mount("a peer that never reads, large blocks", || {
        let stream = ground.connect(host(15)).expect("it is let in");
        let begin = Instant::now();
        let mut load = Load::new(ground.producer.api.clone());
        let given_up = || ground.producer.log().contains("it does not take what is sent to it");
        let peers = || ground.producer.call("/v1/net/connections", &json!({})).to_string();
        ground.wait("the peer that never reads", || peers().contains("127.0.0.15:1"));
        let mut sent = 0;
        while peers().contains("127.0.0.15:1") {
            assert!(begin.elapsed() < 2 * PATIENCE, "the peer stays");
            let mut data = sent.to_string().into_bytes();
            data.resize(FILLING_BYTES, 7);
            let authorization = vec![PermissionLevel { actor: name!("eosio"), permission: name!("active") }];
            let action = Action { account: name!("eosio"), name: name!("fill"), authorization, data: Bytes(data) };
            // Some find no room left in a block.
            sent += usize::from(load.send_action(action).is_ok());
        }
        let how = if given_up() { "too much waited" } else { "it took nothing for too long" };
        // It may be closed already.
        let _ = stream.shutdown(Shutdown::Both);
        format!("{} MB, sent away after {:.0} s: {how}", (sent * FILLING_BYTES) >> 20, begin.elapsed().as_secs_f64())
    });
}
