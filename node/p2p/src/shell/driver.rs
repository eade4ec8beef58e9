//! The task that asks the core and does what it says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::clock::{machine_time, since_boot_us};
use engine::{Handle, Position};
use execution::RecoveredTransaction;
use primitives::TimePoint;
use prometheus::{IntCounter, IntGauge, IntGaugeVec, Opts};
use tokio::net::TcpStream;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::ShellSettings;
use super::chain_door::{self, StoredBlocks, Taken};
use super::connection::{Connection, Write};
use super::event::{Ask, Event, Link};
use super::purses::Purses;
use super::swarm::{Command, Libp2p, Shared, SwarmTask};
use crate::address::{Address, is_multiaddress};
use crate::core::standing::Key;
use crate::core::{Core, Counts, Input, Lane, Output, PeerId, Seen, Settings, Stands, Wire};
use crate::limits::{DIAL_SECONDS, RECEIVED_BYTES_MAX};
use crate::wire::TransactionMessage;
use crate::wire::message::Point;

/// How often the core hears that time passes, and nodes of ours give each other the transactions that they gathered.
const TICK: Duration = Duration::from_millis(50);

/// Pause after transactions that were accepted here: the writer does not wake this task for each of them.
const GATHER: Duration = Duration::from_millis(5);

/// How often it hears how the node stands.
const LOOK: Duration = Duration::from_secs(1);

/// The machine's time when the network began, and what has passed since: nobody sets that.
#[derive(Debug, Clone, Copy)]
struct Steady {
    began: TimePoint,
    began_us: i64,
}

impl Steady {
    fn new() -> Self {
        Self { began: machine_time(), began_us: since_boot_us() }
    }

    fn now(self) -> TimePoint {
        self.began.plus_us(since_boot_us().saturating_sub(self.began_us))
    }
}

/// Gauges under nodeos' names (prometheus_plugin's metrics.hpp).
struct Metrics {
    connections: IntGaugeVec,
    failed: IntCounter,
    dropped_transactions: IntCounter,
    refused: IntCounter,
    bans: IntCounter,
    double_signs: IntCounter,
    failed_checks: IntCounter,
    published_blocks: IntCounter,
    unwell: IntGauge,
    queued_bytes: IntGauge,
    syncing: IntGauge,
}

impl Metrics {
    fn new(engine: &Handle) -> Self {
        let registry = engine.metrics().registry();
        let directions = Opts::new("p2p_connections", "current number of connected p2p connections");
        let gauge = |name, help| engine::metrics::registered(registry, IntGauge::new(name, help));
        let counter = |name, help| engine::metrics::registered(registry, IntCounter::new(name, help));
        Self {
            connections: engine::metrics::registered(registry, IntGaugeVec::new(directions, &["direction"])),
            failed: counter("failed_p2p_connections", "total number of failed out-going p2p connections"),
            dropped_transactions: counter("dropped_trxs_total", "total number of dropped transactions by net plugin"),
            refused: counter("refused_p2p_connections", "total number of incoming connections beyond a limit"),
            bans: counter("p2p_bans", "total number of bans of peers"),
            double_signs: counter("double_signs", "total number of slots for which a producer signed two blocks"),
            failed_checks: counter(
                "p2p_failed_checks",
                "total number of peers that were given up: no answer to checks",
            ),
            published_blocks: counter("p2p_published_blocks", "total number of blocks that were passed on by gossip"),
            unwell: gauge("p2p_unwell_peers", "current number of peers that say they are not well"),
            queued_bytes: gauge("p2p_queued_bytes", "bytes that wait to be sent to peers"),
            syncing: gauge("p2p_syncing", "1 while blocks are fetched that are irreversible elsewhere"),
        }
    }

    fn show(&self, core: &Core, before: Counts, now: TimePoint) {
        let (clients, peers) = core.peer_counts();
        for (direction, count) in [("out", peers), ("in", clients)] {
            self.connections.with_label_values(&[direction]).set(count as i64);
        }
        self.queued_bytes.set(core.load(now).0 as i64);
        self.syncing.set(core.is_syncing().into());
        let counts = core.counts();
        self.failed.inc_by(counts.failed_dials - before.failed_dials);
        self.dropped_transactions.inc_by(counts.dropped_transactions - before.dropped_transactions);
        self.refused.inc_by(counts.refused_connections - before.refused_connections);
        self.bans.inc_by(counts.bans - before.bans);
        self.double_signs.inc_by(counts.double_signs - before.double_signs);
        self.failed_checks.inc_by(counts.failed_checks - before.failed_checks);
        self.published_blocks.inc_by(counts.published_blocks - before.published_blocks);
    }
}

pub(super) struct Driver {
    core: Core,
    steady: Steady,
    blocks: StoredBlocks,
    engine: Handle,
    events: mpsc::Sender<Event>,
    connections: BTreeMap<PeerId, Connection>,
    purses: Purses,
    /// Room for what peers sent.
    room: Arc<Semaphore>,
    /// The number of the next connection.
    numbers: Arc<AtomicU64>,
    /// The way to libp2p's swarm, if there is one.
    swarm: Option<mpsc::UnboundedSender<Command>>,
    to_writer: mpsc::UnboundedSender<Taken>,
    /// [`Core::sync_epoch`], for what waits to be prepared.
    epoch: Arc<AtomicU64>,
    /// Whose threads recover the keys of transactions.
    keys: tokio::runtime::Handle,
    /// Dials and transactions under way.
    errands: JoinSet<()>,
    position: watch::Receiver<Position>,
    accepted: broadcast::Receiver<Arc<RecoveredTransaction>>,
    metrics: Metrics,
    shown: Counts,
}

impl Driver {
    pub fn new(
        settings: Settings,
        shell: &ShellSettings,
        libp2p: Option<Libp2p>,
        engine: Handle,
        events: mpsc::Sender<Event>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let (position, accepted) = (engine.subscribe(), engine.subscribe_accepted());
        let stands = stands(&engine, *position.borrow());
        let (mut core, steady) = (Core::new(settings, stands), Steady::new());
        for peer in &shell.peers {
            core.connect(peer, steady.now());
        }
        let epoch = Arc::<AtomicU64>::default();
        let (room, numbers) = (Arc::new(Semaphore::new(RECEIVED_BYTES_MAX)), Arc::new(AtomicU64::new(1)));
        let shared = Shared { events: events.clone(), room: Arc::clone(&room), numbers: Arc::clone(&numbers) };
        let swarm = libp2p.map(|libp2p| {
            let (swarm, task) = SwarmTask::new(libp2p, engine.chain_id(), shared);
            tasks.spawn(task.run());
            swarm
        });
        Self {
            core,
            steady,
            blocks: StoredBlocks(engine.clone()),
            to_writer: chain_door::blocks_to(engine.clone(), events.clone(), Arc::clone(&epoch), shell.threads, tasks),
            epoch,
            metrics: Metrics::new(&engine),
            engine,
            events,
            keys: shell.keys.clone(),
            connections: BTreeMap::new(),
            purses: Purses::default(),
            room,
            numbers,
            swarm,
            errands: JoinSet::new(),
            position,
            accepted,
            shown: Counts::default(),
        }
    }

    pub async fn run(mut self, mut received: mpsc::Receiver<Event>) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut gathers, mut gathered) = (false, pin!(sleep(GATHER)));
        loop {
            tokio::select! {
                event = received.recv() => match event {
                    Some(event) => self.take(event),
                    None => return,
                },
                changed = self.position.changed() => {
                    if changed.is_err() {
                        // The writer has ended.
                        return;
                    }
                    let position = *self.position.borrow_and_update();
                    let stands = stands(&self.engine, position);
                    self.step(Input::Stands(stands));
                }
                accepted = self.accepted.recv(), if !gathers => {
                    if self.take_accepted(accepted).is_none() {
                        return;
                    }
                    gathers = true;
                    gathered.as_mut().reset(Instant::now() + GATHER);
                },
                () = &mut gathered, if gathers => gathers = false,
                _ = tick.tick() => {
                    self.step(Input::Tick);
                    self.metrics.show(&self.core, self.shown, self.steady.now());
                    self.shown = self.core.counts();
                }
                _ = look.tick() => self.look(),
                // What ended is forgotten.
                Some(_) = self.errands.join_next() => {}
            }
        }
    }

    /// Takes a transaction that was accepted here, and those that were meanwhile. None when the writer has ended.
    fn take_accepted(&mut self, first: Result<Arc<RecoveredTransaction>, RecvError>) -> Option<()> {
        let mut next = first.map_err(|error| match error {
            RecvError::Closed => TryRecvError::Closed,
            RecvError::Lagged(missed) => TryRecvError::Lagged(missed),
        });
        loop {
            match next {
                Ok(transaction) => self.step(Input::Accepted(message_of(&transaction))),
                Err(TryRecvError::Lagged(missed)) => {
                    tracing::warn!("{missed} transactions are not passed on: they came faster than they can be");
                }
                Err(TryRecvError::Empty) => return Some(()),
                Err(TryRecvError::Closed) => return None,
            }
            next = self.accepted.try_recv();
        }
    }

    /// Tells the core how the node stands, and the node what the core sees.
    fn look(&mut self) {
        self.purses.keep(|peer| self.connections.contains_key(peer), self.engine.now());
        let obstacles = self.engine.standing().obstacles_to_service();
        self.core.say_unwell(obstacles.first().map(|obstacle| obstacle.words.as_str()));
        let Seen { connected, unwell, clock_offset_us, blocks_behind } = self.core.sees(self.steady.now());
        self.metrics.unwell.set(unwell as i64);
        self.engine.sees(engine::Peers { connected, unwell, clock_offset_us, blocks_behind });
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Happened(input) => {
                if let Input::Closed { peer } | Input::Malformed { peer, .. } = &input {
                    self.connections.remove(peer);
                }
                self.step(input);
            }
            Event::Came(stream, address) => match self.core.admits(address.ip(), self.steady.now()) {
                Ok(()) => self.connected(stream, address, None),
                Err(why) => tracing::debug!("a connection from {address} is not taken: {why}"),
            },
            Event::Dialled(address, Ok((stream, to))) => self.connected(stream, to, Some(address)),
            Event::Dialled(address, Err(why)) => self.step(Input::DialFailed { address, why, turned_away: false }),
            Event::Linked(link) => self.linked(link),
            Event::Asked(ask) => self.answer(ask),
        }
    }

    fn connected(&mut self, stream: TcpStream, address: SocketAddr, dialled: Option<String>) {
        let peer = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.purses.connected(peer, Key::of(address.ip(), dialled.as_deref()));
        self.connections.insert(peer, Connection::of_socket(peer, stream, &self.events, &self.room));
        self.step(Input::Connected { peer, wire: Wire::Nodeos, address: address.ip(), dialled });
    }

    fn linked(&mut self, link: Link) {
        let (peer, address, dialled) = (link.peer, link.address, link.dialled.clone());
        if dialled.is_none()
            && let Err(why) = self.core.admits(address, self.steady.now())
        {
            tracing::debug!("a connection from {address} is not taken: {why}");
            return;
        }
        let wire = Wire::Libp2p { identity: link.identity.clone() };
        self.purses.connected(peer, Key::of(address, dialled.as_deref()));
        self.connections.insert(peer, Connection::of_link(peer, link, &self.events, &self.room));
        self.step(Input::Connected { peer, wire, address, dialled });
    }

    fn answer(&mut self, ask: Ask) {
        let now = self.steady.now();
        match ask {
            Ask::Connect(address, reply) => send(reply, self.core.connect(&address, now)),
            Ask::Disconnect(address, reply) => {
                let (answer, outputs) = self.core.disconnect(&address, now);
                self.perform(outputs);
                send(reply, answer);
            }
            Ask::Status(address, reply) => send(reply, self.core.status(&address)),
            Ask::Connections(reply) => send(reply, self.core.connections()),
            Ask::DoubleSigns(reply) => send(reply, self.core.double_signs()),
        }
    }

    fn step(&mut self, input: Input) {
        let now = self.steady.now();
        self.core.tell_clock(machine_time().us_since(now));
        let outputs = self.core.step(input, now, &self.blocks);
        self.epoch.store(self.core.sync_epoch(), Ordering::Relaxed);
        self.perform(outputs);
    }

    fn perform(&mut self, outputs: Vec<Output>) {
        let mut transactions = Vec::new();
        for output in outputs {
            match output {
                Output::Dial { address } if is_multiaddress(&address) => {
                    if !self.tell_swarm(Command::Dial(address.clone())) {
                        let why = "this node speaks nodeos' wire alone".to_owned();
                        self.step(Input::DialFailed { address, why, turned_away: false });
                    }
                }
                Output::Dial { address } => {
                    let events = self.events.clone();
                    self.errands.spawn(dial(address, events));
                }
                Output::Send { peer, lane, frame } => self.write(peer, lane, Write::Frame(frame)),
                Output::Close { peer, flushed: true } => self.write(peer, Lane::Talk, Write::Last),
                Output::Close { peer, flushed: false } => {
                    self.connections.remove(&peer);
                    self.step(Input::Closed { peer });
                }
                Output::Publish(transaction) => drop(self.tell_swarm(Command::Publish(transaction))),
                Output::TransactionDone { id, judgement } => drop(self.tell_swarm(Command::Judged(id, judgement))),
                Output::PublishBlock { id, bytes } => drop(self.tell_swarm(Command::PublishBlock(id, bytes))),
                Output::BlockDone { id, judgement } => drop(self.tell_swarm(Command::BlockJudged(id, judgement))),
                Output::TakeBlock { peer, block, charge, epoch } => {
                    // The task ends with the node.
                    let _ = self.to_writer.send(Taken { peer, block, charge, epoch });
                }
                Output::TakeTransaction { peer, transaction, charge } => {
                    transactions.push((peer, transaction, charge));
                }
            }
        }
        if !transactions.is_empty() {
            let purses = transactions.iter().map(|(peer, ..)| self.purses.of(*peer)).collect();
            self.errands.spawn(chain_door::run_transactions(
                self.engine.clone(),
                self.keys.clone(),
                transactions,
                purses,
                self.events.clone(),
            ));
        }
    }

    fn write(&self, peer: PeerId, lane: Lane, write: Write) {
        if let Some(connection) = self.connections.get(&peer) {
            connection.write(lane, write);
        }
    }

    /// Whether there is a swarm that hears it.
    fn tell_swarm(&self, command: Command) -> bool {
        self.swarm.as_ref().is_some_and(|swarm| swarm.send(command).is_ok())
    }
}

/// Answers whoever asked, who may be gone.
fn send<T>(reply: tokio::sync::oneshot::Sender<T>, answer: T) {
    let _ = reply.send(answer);
}

async fn dial(address: String, events: mpsc::Sender<Event>) {
    let result = match timeout(Duration::from_secs(DIAL_SECONDS), reach(&address)).await {
        Ok(result) => result,
        Err(_) => Err(format!("no answer within {DIAL_SECONDS} seconds")),
    };
    // The driver may have ended.
    let _ = events.send(Event::Dialled(address, result)).await;
}

async fn reach(address: &str) -> Result<(TcpStream, SocketAddr), String> {
    let parsed: Address = address.parse().map_err(|error: crate::address::AddressError| error.to_string())?;
    let host = parsed.host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, parsed.port)).await.map_err(|error| error.to_string())?;
    let to = stream.peer_addr().map_err(|error| error.to_string())?;
    Ok((stream, super::plain(to)))
}

fn stands(engine: &Handle, position: Position) -> Stands {
    let earliest = engine.store().earliest_block_num().ok().flatten().unwrap_or(1);
    Stands { head: Point::of(position.head), irreversible: Point::of(position.irreversible), earliest }
}

fn message_of(transaction: &RecoveredTransaction) -> TransactionMessage {
    TransactionMessage {
        id: transaction.id,
        expiration: transaction.parts.header.expiration,
        packed: Arc::new(transaction.packed.clone()),
        memory_bytes: transaction.memory_bytes,
    }
}
