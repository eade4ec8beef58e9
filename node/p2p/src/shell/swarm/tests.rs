//! Swarms over the machine's own sockets, each with a core and a chain without rules: blocks by gossip.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use codec::Pack;
use primitives::{BlockId, ChainId, Checksum256, Compression, PackedTransaction, SignedTransaction, TimePointSec};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::{Command, Libp2p, Libp2pSettings, Shared, SwarmTask};
use crate::core::tests::{Chain, block_after};
use crate::core::{BlockJudgement, Core, Input, Lane, Meshing, Output, PeerId, Settings, Wire};
use crate::limits::{GOSSIP_BLOCK_BYTES_MAX, GOSSIP_BYTES_MAX, RECEIVED_BYTES_MAX};
use crate::shell::connection::{Connection, Write};
use crate::shell::event::Event;
use crate::wire::{BlockMessage, Message, TransactionMessage};

/// What must happen has happened after this, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(30);
/// What must not happen would have happened after this: several beats of gossip.
const QUIET: Duration = Duration::from_millis(1500);
/// Everything goes by gossip where it can.
const GOSSIP_ALONE: Meshing = Meshing { pushed_max: 0, beside: 0 };

/// What a node is told by the test.
#[derive(Debug)]
enum Order {
    Dial(String),
    /// It makes a block.
    Make(BlockMessage),
    /// Blocks of gossip wait from now on.
    Hold,
    /// Its swarm alone is told something.
    Tell(Command),
}

/// What is seen of a node.
#[derive(Debug, Default)]
struct Seen {
    address: Option<String>,
    /// Peers that gossip brings blocks.
    gossiping: BTreeSet<PeerId>,
    has: BTreeSet<BlockId>,
    by_gossip: BTreeMap<BlockId, Arc<[u8]>>,
    /// Blocks that it pushed.
    pushed: usize,
    transactions: BTreeSet<Checksum256>,
    connections: usize,
}

struct Node {
    core: Core,
    chain: Chain,
    swarm: mpsc::UnboundedSender<Command>,
    events: mpsc::Sender<Event>,
    connections: BTreeMap<PeerId, Connection>,
    room: Arc<Semaphore>,
    seen: Arc<Mutex<Seen>>,
    /// Whether blocks of gossip wait.
    holds: bool,
}

impl Node {
    async fn run(mut self, mut received: mpsc::Receiver<Event>, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        loop {
            tokio::select! {
                Some(event) = received.recv() => self.take(event),
                order = orders.recv() => match order {
                    Some(Order::Dial(address)) => drop(self.core.connect(&address, engine::clock::machine_time())),
                    Some(Order::Make(block)) => self.makes(&block),
                    Some(Order::Hold) => self.holds = true,
                    Some(Order::Tell(command)) => self.tell(command),
                    None => return,
                },
                _ = tick.tick() => self.step(Input::Tick),
            }
            self.seen.lock().unwrap().connections = self.connections.len();
        }
    }

    fn tell(&self, command: Command) {
        self.swarm.send(command).unwrap();
    }

    fn makes(&mut self, block: &BlockMessage) {
        assert_eq!(self.chain.judge(block), BlockJudgement::Good);
        self.seen.lock().unwrap().has.insert(block.id);
        let stands = self.chain.stands();
        self.step(Input::Stands(stands));
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Linked(link) => {
                let (peer, address, dialled) = (link.peer, link.address, link.dialled.clone());
                let wire = Wire::Libp2p { identity: link.identity.clone() };
                self.connections.insert(peer, Connection::of_link(peer, link, &self.events, &self.room));
                self.step(Input::Connected { peer, wire, address, dialled });
            }
            Event::Happened(input) => {
                let mut seen = self.seen.lock().unwrap();
                match &input {
                    Input::Closed { peer } | Input::Malformed { peer, .. } => drop(self.connections.remove(peer)),
                    Input::Listening { addresses } => seen.address = addresses.first().cloned(),
                    Input::Gossips { peer, blocks: true } => drop(seen.gossiping.insert(*peer)),
                    Input::Gossiped { block, .. } => {
                        seen.by_gossip.insert(block.id, Arc::clone(&block.bytes));
                        if self.holds {
                            return;
                        }
                    }
                    Input::Received { message: Message::Transaction(transaction), .. } => {
                        seen.transactions.insert(transaction.id);
                    }
                    _ => {}
                }
                drop(seen);
                self.step(input);
            }
            other => panic!("{other:?}"),
        }
    }

    fn step(&mut self, input: Input) {
        let outputs = self.core.step(input, engine::clock::machine_time(), &self.chain);
        for output in outputs {
            self.perform(output);
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Dial { address } => self.tell(Command::Dial(address)),
            Output::Send { peer, lane, frame } => {
                if matches!(Message::read(&frame[4..]), Ok(Message::Block(_))) && lane == Lane::News {
                    self.seen.lock().unwrap().pushed += 1;
                }
                self.write(peer, lane, Write::Frame(frame));
            }
            Output::Close { peer, flushed: true } => self.write(peer, Lane::Talk, Write::Last),
            Output::Close { peer, flushed: false } => {
                self.connections.remove(&peer);
                self.step(Input::Closed { peer });
            }
            Output::PublishBlock { id, bytes } => self.tell(Command::PublishBlock(id, bytes)),
            Output::BlockDone { id, judgement } => self.tell(Command::BlockJudged(id, judgement)),
            Output::TakeBlock { peer, block, epoch, .. } => {
                let (id, bytes, judgement) = (block.id, block.bytes.len(), self.chain.judge(&block));
                if judgement == BlockJudgement::Good {
                    self.seen.lock().unwrap().has.insert(id);
                    self.step(Input::HeaderGood { id });
                }
                self.step(Input::BlockJudged { peer, id, bytes, epoch, judgement, why: String::new() });
                let stands = self.chain.stands();
                self.step(Input::Stands(stands));
            }
            Output::TakeTransaction { .. } | Output::Publish(_) | Output::TransactionDone { .. } => {}
        }
    }

    fn write(&self, peer: PeerId, lane: Lane, write: Write) {
        if let Some(connection) = self.connections.get(&peer) {
            connection.write(lane, write);
        }
    }
}

/// The way to a node.
struct Seat {
    orders: mpsc::UnboundedSender<Order>,
    seen: Arc<Mutex<Seen>>,
}

impl Seat {
    fn order(&self, order: Order) {
        self.orders.send(order).unwrap();
    }

    fn seen<T>(&self, look: impl Fn(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap())
    }

    async fn until(&self, what: &str, done: impl Fn(&Seen) -> bool) {
        let begin = Instant::now();
        while !self.seen(&done) {
            assert!(begin.elapsed() < PATIENCE, "no {what}: {:?}", self.seen.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Nodes at the head of one chain, who dial each other as told; all that can go by gossip goes by gossip.
async fn nodes(count: usize, dials: &[(usize, usize)], tasks: &mut JoinSet<()>) -> Vec<Seat> {
    let mut seats = Vec::new();
    for number in 0..count {
        let folder = tempfile::tempdir().unwrap();
        let listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
        let settings = Libp2pSettings { listen, accept_transactions: true, ..Libp2pSettings::default() };
        let libp2p = Libp2p::open(folder.path(), settings).unwrap();
        let settings = Settings {
            node_id: Checksum256([number as u8 + 1; 32]),
            identity: libp2p.identity(),
            server_address: format!("node{number}"),
            max_clients: 0,
            max_nodes_per_host: 1000,
            peer_exchange: false,
            meshing: GOSSIP_ALONE,
            ..Settings::default()
        };
        let (events, received) = mpsc::channel(1024);
        let room = Arc::new(Semaphore::new(RECEIVED_BYTES_MAX));
        let shared = Shared { events: events.clone(), room: Arc::clone(&room), numbers: Arc::new(AtomicU64::new(1)) };
        let (swarm, task) = SwarmTask::new(libp2p, ChainId::default(), shared);
        tasks.spawn(task.run());
        let (chain, seen) = (Chain::of(10), Arc::<Mutex<Seen>>::default());
        let core = Core::new(settings, chain.stands());
        let connections = BTreeMap::new();
        let seen_there = Arc::clone(&seen);
        let node = Node { core, chain, swarm, events, connections, room, seen: seen_there, holds: false };
        let (orders, ordered) = mpsc::unbounded_channel();
        tasks.spawn(node.run(received, ordered));
        seats.push(Seat { orders, seen });
    }
    for (from, to) in dials {
        seats[*to].until("address", |seen| seen.address.is_some()).await;
        let address = seats[*to].seen(|seen| seen.address.clone()).unwrap();
        seats[*from].order(Order::Dial(address));
    }
    for (number, seat) in seats.iter().enumerate() {
        let peers = dials.iter().filter(|(from, to)| *from == number || *to == number).count();
        seat.until("peers that gossip", |seen| seen.gossiping.len() == peers).await;
    }
    // Introductions are under way; a block before these would be asked for instead.
    tokio::time::sleep(Duration::from_millis(300)).await;
    seats
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_travel_by_gossip_and_bad_ones_do_not() {
    let mut tasks = JoinSet::new();
    let seats = nodes(4, &[(1, 0), (1, 2), (2, 3)], &mut tasks).await;
    let mut chain = Chain::of(10);
    for _ in 0..5 {
        let block = chain.grow(0);
        seats[0].order(Order::Make(block.clone()));
        for seat in &seats {
            seat.until("block", |seen| seen.has.contains(&block.id)).await;
        }
        assert!(seats[1..].iter().all(|seat| seat.seen(|seen| seen.by_gossip.contains_key(&block.id))));
    }
    assert!(seats.iter().all(|seat| seat.seen(|seen| seen.pushed) == 0));
    // The first node lies. Its peer looks at the block and ends the connection, and nobody else hears of it.
    let bad = block_after(chain.head().id, 666);
    seats[0].order(Order::Tell(Command::PublishBlock(bad.id, Arc::clone(&bad.bytes))));
    seats[1].until("bad block", |seen| seen.by_gossip.contains_key(&bad.id)).await;
    seats[1].until("end of the liar's connection", |seen| seen.connections == 1).await;
    tokio::time::sleep(QUIET).await;
    assert!(seats[2..].iter().all(|seat| seat.seen(|seen| !seen.by_gossip.contains_key(&bad.id))));
    // What follows is no worse for it.
    let block = chain.grow(0);
    seats[2].order(Order::Make(block.clone()));
    for seat in &seats[1..] {
        seat.until("block", |seen| seen.has.contains(&block.id)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_one_peer_that_has_many_gets_each_block() {
    const LEAVES: usize = 20;
    let mut tasks = JoinSet::new();
    let dials: Vec<_> = (1..=LEAVES).map(|leaf| (leaf, 0)).collect();
    let seats = nodes(LEAVES + 1, &dials, &mut tasks).await;
    let (mut chain, mut slowest) = (Chain::of(10), Duration::ZERO);
    for size in [0, 0, 0, GOSSIP_BLOCK_BYTES_MAX - 1000] {
        let mut block = chain.grow(0);
        block.bytes = [&block.bytes[..], &vec![7; size]].concat().into();
        let begin = Instant::now();
        seats[0].order(Order::Make(block.clone()));
        for seat in &seats {
            seat.until("block", |seen| seen.has.contains(&block.id)).await;
        }
        slowest = slowest.max(begin.elapsed());
    }
    eprintln!("the slowest block is at {LEAVES} nodes after {slowest:?}");
    // No mesh has room for all of them: these ask for what is announced. None waited until the next block showed the gap.
    assert_eq!(seats[0].seen(|seen| seen.pushed), 0);
    assert!(seats[1..].iter().all(|seat| seat.seen(|seen| seen.by_gossip.len() == 4)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_bytes_under_the_same_id_are_not_passed_on() {
    let mut tasks = JoinSet::new();
    let seats = nodes(3, &[(1, 0), (1, 2)], &mut tasks).await;
    let block = Chain::of(10).grow(0);
    let other: Arc<[u8]> = [&block.bytes[..], &[1]].concat().into();
    // While these wait for what becomes of them, others are found in order that came in another way.
    seats[1].order(Order::Hold);
    seats[0].order(Order::Tell(Command::PublishBlock(block.id, Arc::clone(&other))));
    seats[1].until("other bytes", |seen| seen.by_gossip.get(&block.id) == Some(&other)).await;
    seats[1].order(Order::Tell(Command::PublishBlock(block.id, Arc::clone(&block.bytes))));
    seats[2].until("block", |seen| seen.has.contains(&block.id)).await;
    assert_eq!(seats[2].seen(|seen| seen.by_gossip[&block.id].clone()), block.bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_large_transactions_travel_by_gossip() {
    const COUNT: u32 = 60;
    let mut tasks = JoinSet::new();
    let seats = nodes(2, &[(1, 0)], &mut tasks).await;
    let transaction = |number: u32| {
        let mut signed = SignedTransaction { context_free_data: vec![vec![7; 16_000].into()], ..Default::default() };
        signed.transaction.header.ref_block_prefix = number;
        signed.transaction.header.expiration = TimePointSec(u32::MAX);
        let transaction = TransactionMessage::read(PackedTransaction::new(&signed, Compression::None)).unwrap();
        assert!(transaction.packed.packed_size() <= GOSSIP_BYTES_MAX);
        transaction
    };
    for number in 0..COUNT {
        seats[0].order(Order::Tell(Command::Publish(transaction(number))));
    }
    seats[1].until("all of them", |seen| seen.transactions.len() == COUNT as usize).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_keep_nobody_out() {
    let mut tasks = JoinSet::new();
    let seats = nodes(2, &[], &mut tasks).await;
    seats[0].until("address", |seen| seen.address.is_some()).await;
    let address = seats[0].seen(|seen| seen.address.clone()).unwrap();
    let port: u16 = address.split('/').nth(4).unwrap().parse().unwrap();
    let opened = Arc::<std::sync::atomic::AtomicUsize>::default();
    // They come from a few networks, and come back whenever they are ended.
    for number in 0..40_u8 {
        let opened = Arc::clone(&opened);
        tasks.spawn(async move {
            loop {
                let socket = tokio::net::TcpSocket::new_v4().unwrap();
                socket.bind((std::net::Ipv4Addr::new(127, 0, number % 5 + 1, 7), 0).into()).unwrap();
                if let Ok(stream) = socket.connect((std::net::Ipv4Addr::LOCALHOST, port).into()).await {
                    opened.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    // What the node says is not answered.
                    let mut said = [0; 256];
                    while stream.readable().await.is_ok() {
                        match stream.try_read(&mut said) {
                            Ok(1..) => {}
                            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                            _ => break,
                        }
                    }
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }
    while opened.load(std::sync::atomic::Ordering::Relaxed) < 80 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let begin = Instant::now();
    seats[1].order(Order::Dial(address));
    seats[1].until("connection", |seen| seen.gossiping.len() == 1).await;
    assert!(begin.elapsed() < Duration::from_secs(3), "it was let in after {:?}", begin.elapsed());
}
