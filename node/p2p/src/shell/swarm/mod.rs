//! libp2p's wire: TCP with noise and yamux, and QUIC. The same core and the same frames as on nodeos' wire, on streams of
//! their own for talk, asked blocks and news; small transactions travel by gossip, and where there are many peers blocks.
//!
//! Reading order: [`identity`] the node's key, `links` streams, `half_open` connections that are not encrypted yet,
//! `settings` libp2p's parts and their limits, `resolve` names of hosts, `gossip` what travels by it, and here the task that has the swarm: it never waits for a peer.

mod gossip;
mod half_open;
pub mod identity;
mod links;
mod resolve;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::gossipsub::{self, MessageId};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, DialError, Stream, SwarmEvent};
use libp2p::{Multiaddr, Swarm, identify, mdns, noise};
use primitives::{BlockId, ChainId, TransactionId};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};

use super::connection::own_room;
use super::event::{End, Event, Link};
use crate::address::host_of;
use crate::core::{BlockJudgement, Input, Lane, PeerId, TransactionJudgement};
use crate::wire::TransactionMessage;
use gossip::Source;
use half_open::HalfOpen;
use identity::{Identity, IdentityError};
use links::LinkEvent;
use settings::{Behaviour, BehaviourEvent, Doors, PROTOCOL_VERSION, SwarmSettings, Topics};

/// What the operator says of this wire.
#[derive(Debug, Clone, Default)]
pub struct Libp2pSettings {
    /// Where to listen.
    pub listen: Vec<Multiaddr>,
    /// `agent-name`.
    pub agent: String,
    /// `max-clients`.
    pub max_clients: u32,
    /// Whether nodes of the local network are looked for.
    pub mdns: bool,
    /// `p2p-accept-transactions`.
    pub accept_transactions: bool,
    /// `p2p-peer-address`: whose hosts are let in before others.
    pub peers: Vec<String>,
    /// Whether the identity is kept in the data folder: where others connect, or this node is known by it.
    pub keep_identity: bool,
}

/// Why this wire cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Libp2pError {
    /// The key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// An address.
    #[error("cannot listen on {address} for peers; choose another --p2p-listen-endpoint: {why}")]
    Listen {
        /// Where.
        address: Multiaddr,
        /// What the system says.
        why: String,
    },
    /// libp2p itself.
    #[error("encrypted connections cannot be had: {0}")]
    Parts(std::io::Error),
}

/// The wire before the chain is there: its addresses are taken, and nobody is answered.
pub struct Libp2p {
    swarm: Swarm<Behaviour>,
    doors: Doors,
    half_open: HalfOpen,
    identity: Identity,
    settings: Libp2pSettings,
}

impl std::fmt::Debug for Libp2p {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Libp2p").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Libp2p {
    /// Reads the identity and takes the addresses; nothing in the folder is changed. Called on a runtime.
    ///
    /// # Errors
    /// The identity's file is damaged, or an address cannot be listened at.
    pub fn open(folder: &Path, settings: Libp2pSettings) -> Result<Self, Libp2pError> {
        let identity = Identity::of_folder(folder)?;
        let parts = SwarmSettings { agent: &settings.agent, max_clients: settings.max_clients, mdns: settings.mdns };
        let (mut swarm, doors, half_open) = settings::build(&identity.keys, parts).map_err(Libp2pError::Parts)?;
        for address in &settings.listen {
            swarm
                .listen_on(address.clone())
                .map_err(|error| Libp2pError::Listen { address: address.clone(), why: deepest(&error) })?;
        }
        Ok(Self { swarm, doors, half_open, identity, settings })
    }

    /// What others call this node.
    pub fn identity(&self) -> String {
        self.swarm.local_peer_id().to_string()
    }

    /// Keeps the identity where that is wanted.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&mut self) -> Result<(), Libp2pError> {
        if self.settings.keep_identity {
            self.identity.save()?;
        }
        Ok(())
    }
}

/// What the driver wants of the swarm.
#[derive(Debug)]
pub(super) enum Command {
    /// Connect to a multiaddress.
    Dial(String),
    /// Connect to where a multiaddress' name was found to be.
    DialResolved { text: String, found: Result<Multiaddr, String> },
    /// End a connection.
    Close(ConnectionId),
    /// Gossip an accepted transaction.
    Publish(TransactionMessage),
    /// A peer's transaction has been judged: gossip passes it on, or not.
    Judged(TransactionId, TransactionJudgement),
    /// Gossip a block whose header is in order.
    PublishBlock(BlockId, Arc<[u8]>),
    /// A block of gossip is not passed on.
    BlockJudged(BlockId, BlockJudgement),
}

/// The ends of streams that are not open yet, by lane.
#[derive(Debug)]
struct Unopened {
    peer: PeerId,
    identity: libp2p::PeerId,
    host: IpAddr,
    room: Arc<Semaphore>,
    streams: [(Option<StreamSender>, Option<StreamSender>); 3],
}

type StreamSender = oneshot::Sender<Compat<Stream>>;

/// The task with the swarm.
pub(super) struct SwarmTask {
    swarm: Swarm<Behaviour>,
    topics: Topics,
    commands: mpsc::UnboundedReceiver<Command>,
    /// The way to itself, for ends of connections.
    back: mpsc::UnboundedSender<Command>,
    events: mpsc::Sender<Event>,
    room: Arc<Semaphore>,
    numbers: Arc<AtomicU64>,
    links: HashMap<ConnectionId, Unopened>,
    /// Addresses as they were given, while they are dialled.
    dialling: HashMap<ConnectionId, String>,
    half_open: HalfOpen,
    /// Addresses that the operator named.
    named: HashSet<String>,
    /// A connection of each peer, by identity.
    identities: HashMap<libp2p::PeerId, Source>,
    /// Whom gossip brings blocks.
    gossips_blocks: HashSet<libp2p::PeerId>,
    /// Transactions of gossip that are being judged.
    judging: BTreeMap<TransactionId, (MessageId, libp2p::PeerId)>,
    /// Blocks of gossip that are being judged.
    judging_blocks: BTreeMap<BlockId, (MessageId, libp2p::PeerId)>,
    listening: Vec<Multiaddr>,
}

/// What the task shares with the driver.
#[derive(Debug)]
pub(super) struct Shared {
    pub events: mpsc::Sender<Event>,
    /// Room for what peers sent.
    pub room: Arc<Semaphore>,
    /// The number of the next connection.
    pub numbers: Arc<AtomicU64>,
}

impl SwarmTask {
    pub fn new(libp2p: Libp2p, chain_id: ChainId, shared: Shared) -> (mpsc::UnboundedSender<Command>, Self) {
        let Libp2p { mut swarm, doors, half_open, settings, .. } = libp2p;
        let topics = doors.open(chain_id);
        if settings.accept_transactions
            && let Err(error) = swarm.behaviour_mut().gossip.subscribe(&topics.transactions)
        {
            tracing::error!("transactions do not come by gossip: {error}");
        }
        // Also where there are few peers: others may have many.
        if let Err(error) = swarm.behaviour_mut().blocks.subscribe(&topics.blocks) {
            tracing::error!("blocks do not come by gossip: {error}");
        }
        // Bounded by what the core bounds: dials, connections, transactions in hand and accepted ones, blocks to relay.
        let (back, commands) = mpsc::unbounded_channel();
        let task = Self {
            swarm,
            topics,
            commands,
            back: back.clone(),
            events: shared.events,
            room: shared.room,
            numbers: shared.numbers,
            links: HashMap::new(),
            dialling: HashMap::new(),
            half_open,
            named: settings.peers.into_iter().collect(),
            identities: HashMap::new(),
            gossips_blocks: HashSet::new(),
            judging: BTreeMap::new(),
            judging_blocks: BTreeMap::new(),
            listening: Vec::new(),
        };
        (back, task)
    }

    pub async fn run(mut self) {
        loop {
            let go_on = tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => false,
                },
                event = self.swarm.select_next_some() => self.take(event).await,
            };
            if !go_on {
                return;
            }
        }
    }

    async fn obey(&mut self, command: Command) -> bool {
        match command {
            Command::Dial(text) => {
                let back = self.back.clone();
                tokio::spawn(async move {
                    let found = resolve::resolve(&text).await;
                    // The swarm may have ended.
                    let _ = back.send(Command::DialResolved { text, found });
                });
            }
            Command::DialResolved { text, found } => {
                if self.named.contains(&text)
                    && let Some(host) = found.as_ref().ok().and_then(host_of)
                {
                    self.half_open.named(host);
                }
                let begun = found.and_then(|address| {
                    // From a port of its own: two nodes that dial each other do not meet on the same pair of ports.
                    let dial = DialOpts::unknown_peer_id().address(address).allocate_new_port().build();
                    let connection = dial.connection_id();
                    self.swarm.dial(dial).map(|()| connection).map_err(|error| words(&error))
                });
                match begun {
                    Ok(connection) => drop(self.dialling.insert(connection, text)),
                    Err(why) => {
                        let failed = Input::DialFailed { address: text, why, turned_away: false };
                        return tell(&self.events, Event::Happened(failed)).await;
                    }
                }
            }
            Command::Close(connection) => drop(self.swarm.close_connection(connection)),
            Command::Publish(transaction) => {
                if !self.judged(transaction.id, TransactionJudgement::Accepted) {
                    self.publish(&transaction);
                }
            }
            Command::Judged(id, judgement) => drop(self.judged(id, judgement)),
            Command::PublishBlock(id, bytes) => self.publish_block(id, &bytes),
            Command::BlockJudged(id, judgement) => self.block_judged(id, judgement),
        }
        true
    }

    async fn take(&mut self, event: SwarmEvent<BehaviourEvent>) -> bool {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Links((connection, event))) => self.stream(connection, event).await,
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            })) => self.gossiped(propagation_source, message_id, &message.data).await,
            SwarmEvent::Behaviour(BehaviourEvent::Blocks(event)) => self.of_blocks(event).await,
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                connection_id, info, ..
            })) => self.identified(connection_id, &info).await,
            SwarmEvent::Behaviour(BehaviourEvent::Mdns(mdns::Event::Discovered(found))) => {
                let named = found.into_iter().filter_map(|(peer, address)| address.with_p2p(peer).ok());
                let addresses = named.map(|address| address.to_string()).collect();
                tell(&self.events, Event::Happened(Input::Found { addresses })).await
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.established(peer_id, connection_id, &endpoint).await
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, .. } => {
                // Readers whose streams never came end with their senders.
                if let Some(link) = self.links.remove(&connection_id) {
                    self.half_open.left(link.host);
                }
                match self.links.values().find(|link| link.identity == peer_id) {
                    Some(other) => {
                        let source = Source { peer: other.peer, room: Arc::clone(&other.room) };
                        self.identities.insert(peer_id, source);
                    }
                    None => {
                        self.identities.remove(&peer_id);
                        self.gossips_blocks.remove(&peer_id);
                    }
                }
                true
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                match self.dialling.remove(&connection_id) {
                    Some(address) => {
                        let why = words(&error);
                        let turned_away = is_reset(&error);
                        tell(&self.events, Event::Happened(Input::DialFailed { address, why, turned_away })).await
                    }
                    None => true,
                }
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                tracing::debug!("a connection from {send_back_addr} does not come about: {}", deepest(&error));
                true
            }
            SwarmEvent::NewListenAddr { address, .. } => self.listens(address).await,
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.listening.retain(|other| *other != address);
                self.tell_listening().await
            }
            SwarmEvent::ListenerClosed { addresses, reason, .. } => {
                tracing::error!("peers cannot connect to {addresses:?} any more: {reason:?}");
                true
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!("a peer's connection cannot be taken: {error}");
                true
            }
            _ => true,
        }
    }

    async fn listens(&mut self, address: Multiaddr) -> bool {
        let named = address.with(Protocol::P2p(*self.swarm.local_peer_id()));
        tracing::info!("start listening on {named} for peers");
        self.listening.push(named);
        self.tell_listening().await
    }

    async fn tell_listening(&mut self) -> bool {
        let addresses = self.listening.iter().map(Multiaddr::to_string).collect();
        tell(&self.events, Event::Happened(Input::Listening { addresses })).await
    }

    async fn established(
        &mut self,
        identity: libp2p::PeerId,
        connection: ConnectionId,
        endpoint: &ConnectedPoint,
    ) -> bool {
        let dialled = self.dialling.remove(&connection);
        let Some(address) = host_of(endpoint.get_remote_address()) else {
            self.swarm.close_connection(connection);
            return true;
        };
        let peer = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (unopened, link) = self.link(peer, identity, connection, address, dialled);
        self.identities.insert(identity, Source { peer, room: Arc::clone(&unopened.room) });
        self.links.insert(connection, unopened);
        self.half_open.joined(address);
        if !tell(&self.events, Event::Linked(link)).await {
            return false;
        }
        !self.gossips_blocks.contains(&identity) || self.tell_gossips(vec![peer], true).await
    }

    fn link(
        &self,
        peer: PeerId,
        identity: libp2p::PeerId,
        connection: ConnectionId,
        address: IpAddr,
        dialled: Option<String>,
    ) -> (Unopened, Link) {
        let pairs = [(); 3].map(|()| (oneshot::channel(), oneshot::channel()));
        let mut streams = [(None, None), (None, None), (None, None)];
        let mut at = 0;
        let receivers = pairs.map(|((coming, comes), (opening, opens))| {
            streams[at] = (Some(coming), Some(opening));
            at += 1;
            (comes, opens)
        });
        let back = self.back.clone();
        let end = End::by(move || {
            // The swarm may have ended.
            let _ = back.send(Command::Close(connection));
        });
        let room = own_room();
        let unopened = Unopened { peer, identity, host: address, room: Arc::clone(&room), streams };
        (unopened, Link { peer, identity: identity.to_string(), address, dialled, streams: receivers, room, end })
    }

    async fn stream(&mut self, connection: ConnectionId, event: LinkEvent) -> bool {
        let Some(link) = self.links.get_mut(&connection) else { return true };
        let (sender, stream) = match event {
            LinkEvent::Came(lane, stream) => (link.streams[lane as usize].0.take(), stream),
            LinkEvent::Opened(lane, stream) => (link.streams[lane as usize].1.take(), stream),
            LinkEvent::Refused(why) => {
                let peer = link.peer;
                return tell(&self.events, Event::Happened(Input::WrongVersion { peer, why })).await;
            }
        };
        if let Some(sender) = sender {
            // The connection may have been given up.
            let _ = sender.send(stream.compat());
        }
        true
    }

    /// A peer says what it speaks. One that is not a node of ours, or one of another version, is told so by name.
    async fn identified(&mut self, connection: ConnectionId, info: &identify::Info) -> bool {
        let speaks = Lane::ALL.iter().all(|lane| {
            let name = links::protocol(*lane);
            info.protocols.iter().any(|protocol| protocol.as_ref() == name)
        });
        let Some(link) = self.links.get(&connection).filter(|_| !speaks) else { return true };
        let theirs: String = info.protocol_version.chars().take(100).collect();
        let why = format!("it speaks {theirs}, and this node {PROTOCOL_VERSION}");
        tell(&self.events, Event::Happened(Input::WrongVersion { peer: link.peer, why })).await
    }
}

/// Tells the driver; false when it has ended.
async fn tell(events: &mpsc::Sender<Event>, event: Event) -> bool {
    events.send(event).await.is_ok()
}

/// Why an address cannot be dialled.
fn words(error: &DialError) -> String {
    match error {
        DialError::LocalPeerId { .. } => "it is this node's own".to_owned(),
        DialError::WrongPeerId { obtained, .. } => format!("the node there has another identity, {obtained}"),
        DialError::Transport(errors) => errors.first().map_or_else(|| error.to_string(), |(_, error)| deepest(error)),
        other => deepest(other),
    }
}

/// Whether the other end took a connection and closed it before it was encrypted: it may have no room.
fn is_reset(error: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    if let Some(DialError::Transport(errors)) = error.downcast_ref() {
        return errors.iter().any(|(_, error)| is_reset(error));
    }
    // It shows the error that it holds as its own.
    if let Some(noise::Error::Io(error)) = error.downcast_ref() {
        return is_reset(error);
    }
    let inner = match error.downcast_ref::<std::io::Error>() {
        Some(error) if matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof) => {
            return true;
        }
        // What it holds is not its source.
        Some(error) => error.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static)),
        None => error.source(),
    };
    inner.is_some_and(is_reset)
}

/// What is at the bottom of an error says most.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
