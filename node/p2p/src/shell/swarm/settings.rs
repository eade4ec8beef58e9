//! libp2p's parts, with limits in place of its defaults.

use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::Transport;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::timeout::TransportTimeout;
use libp2p::core::upgrade::Version as UpgradeVersion;
use libp2p::gossipsub::{
    self, ConfigBuilder, DataTransform, IdentTopic, MessageAuthenticity, MessageId, PeerScoreParams,
    PeerScoreThresholds, RawMessage, TopicHash, ValidationMode, Version,
};
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{Swarm, identify, mdns, noise, quic, swarm, tcp, yamux};

use primitives::ChainId;

use super::half_open::{Guarded, HalfOpen};
use super::links::Links;
use crate::limits::{DIAL_SECONDS, DIALLED_MAX, GOSSIP_BLOCK_BYTES_MAX, GOSSIP_BYTES_MAX, HALF_OPEN_MAX};

/// What the protocols together are called, with their version, when nodes identify themselves.
pub(super) const PROTOCOL_VERSION: &str = "boreas/3";

/// Streams of a connection: three each way, those of gossip and of identification, and some for what is refused. Each
/// may hold 256 KiB that are not read.
const STREAMS_MAX: usize = 64;
/// Streams of a connection that are being opened by the other end.
const OPENING_STREAMS_MAX: usize = 16;
/// Bytes of a stream that QUIC takes before they are read.
const QUIC_STREAM_BYTES_MAX: u32 = 4 << 20;
/// The same of all streams of a connection.
const QUIC_CONNECTION_BYTES_MAX: u32 = 8 << 20;
/// Milliseconds of silence after which a QUIC connection ends.
const QUIC_SILENCE_MS: u32 = 20_000;
/// Seconds that a connection may take to become an encrypted one.
const ESTABLISH_SECONDS: u64 = DIAL_SECONDS;

/// Transactions that wait for one peer in gossip, each at most [`GOSSIP_BYTES_MAX`] long; more are dropped, and asked
/// for when they are announced.
const GOSSIP_QUEUE_MAX: usize = 512;
/// Blocks that wait for one peer in gossip, each at most [`GOSSIP_BLOCK_BYTES_MAX`] long; more are dropped.
const GOSSIP_BLOCKS_QUEUE_MAX: usize = 16;
/// What a message of gossip has beside its transaction or block, at most, in bytes.
const GOSSIP_HEAD_BYTES_MAX: usize = 1 << 10;
/// Bytes of the next message that may have been read with the last of one: gossipsub counts them as that one's.
const GOSSIP_READ_BYTES: usize = 8 << 10;
/// How often the mesh is looked after and messages are announced: a few times in a slot's transactions' life.
const GOSSIP_BEAT: Duration = Duration::from_millis(500);
/// The same for blocks: within a slot whoever is in nobody's mesh has heard of one, asked for it and has it.
const GOSSIP_BLOCKS_BEAT: Duration = Duration::from_millis(200);
/// Beats for which a block that came may wait to be judged, and may be asked for: five seconds.
const GOSSIP_BLOCKS_KEPT: usize = 25;
/// Beats in which a block is announced.
const GOSSIP_BLOCKS_ANNOUNCED: usize = 3;
/// Peers outside of the mesh that each block is announced to, at most.
const GOSSIP_BLOCKS_TOLD_MAX: usize = 256;
/// Messages of blocks' gossip that come together, and ids of blocks that are announced, or asked for in a beat, at most.
const GOSSIP_BLOCKS_AT_ONCE_MAX: usize = 64;
/// Peers of the mesh of blocks: how many are wanted, fewest, most.
const GOSSIP_BLOCKS_MESH: [usize; 3] = [8, 6, 12];
/// How long a block is waited for that a peer announced, before another one is asked.
const GOSSIP_BLOCKS_PATIENCE: Duration = Duration::from_millis(500);
/// How long a block may wait to be sent by gossip.
const GOSSIP_BLOCKS_SENT_WITHIN: Duration = Duration::from_secs(5);
/// How long a message's id is remembered, so that it is not taken twice.
const GOSSIP_MEMORY: Duration = Duration::from_secs(120);
/// How long gossipsub remembers a peer that is gone.
const GOSSIP_PEER_MEMORY: Duration = Duration::from_secs(10);
/// Commands that wait for a connection.
const NOTIFIED_CAPACITY: usize = 64;
/// Events of a connection that wait for the swarm; each may be a message of gossip.
const EVENTS_PER_CONNECTION: usize = 8;

/// What runs on connections.
#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub limits: connection_limits::Behaviour,
    pub links: Links,
    pub identify: identify::Behaviour,
    pub gossip: gossipsub::Behaviour<Door>,
    pub blocks: gossipsub::Behaviour<Door>,
    pub mdns: Toggle<mdns::tokio::Behaviour>,
}

/// What the operator says of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct SwarmSettings<'a> {
    /// `agent-name`.
    pub agent: &'a str,
    /// Connections that may come; 0 for no limit.
    pub max_clients: u32,
    /// Whether nodes of the local network are looked for.
    pub mdns: bool,
}

/// The parts together, listening nowhere yet.
pub(super) fn build(keys: &Keypair, settings: SwarmSettings<'_>) -> io::Result<(Swarm<Behaviour>, Doors, HalfOpen)> {
    let (doors, places) = (Doors::default(), HalfOpen::default());
    let behaviour = behaviour(keys, settings, &doors)?;
    let mut streams = yamux::Config::default();
    streams.set_max_num_streams(STREAMS_MAX);
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(UpgradeVersion::V1Lazy)
        .authenticate(noise::Config::new(keys).map_err(io::Error::other)?)
        .multiplex(streams)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let mut config = quic::Config::new(keys);
    config.handshake_timeout = Duration::from_secs(ESTABLISH_SECONDS);
    config.max_idle_timeout = QUIC_SILENCE_MS;
    config.keep_alive_interval = Duration::from_millis(u64::from(QUIC_SILENCE_MS) / 3);
    config.max_concurrent_stream_limit = STREAMS_MAX as u32;
    config.max_stream_data = QUIC_STREAM_BYTES_MAX;
    config.max_connection_data = QUIC_CONNECTION_BYTES_MAX;
    let quic = quic::tokio::Transport::new(config).map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let both = tcp.or_transport(quic).map(|either, _| either.into_inner());
    let timed = TransportTimeout::new(both, Duration::from_secs(ESTABLISH_SECONDS));
    let transport = Guarded::new(timed.boxed(), places.clone());
    let config = swarm::Config::with_tokio_executor()
        .with_max_negotiating_inbound_streams(OPENING_STREAMS_MAX)
        .with_notify_handler_buffer_size(NonZeroUsize::MIN.saturating_add(NOTIFIED_CAPACITY - 1))
        .with_per_connection_event_buffer_size(EVENTS_PER_CONNECTION);
    let swarm = Swarm::new(transport.boxed(), behaviour, keys.public().to_peer_id(), config);
    Ok((swarm, doors, places))
}

fn behaviour(keys: &Keypair, settings: SwarmSettings<'_>, doors: &Doors) -> io::Result<Behaviour> {
    let clients = (settings.max_clients > 0).then(|| settings.max_clients.saturating_add(HALF_OPEN_MAX as u32));
    // The core counts the connections of hosts, and all of them, when they are there; until then they have places.
    let limits = ConnectionLimits::default()
        .with_max_pending_outgoing(Some(DIALLED_MAX as u32))
        .with_max_established_incoming(clients)
        .with_max_established_outgoing(Some(2 * DIALLED_MAX as u32));
    let identify = identify::Config::new(PROTOCOL_VERSION.to_owned(), keys.public())
        .with_agent_version(settings.agent.to_owned())
        .with_cache_size(0);
    let mdns = settings
        .mdns
        .then(|| mdns::tokio::Behaviour::new(mdns::Config::default(), keys.public().to_peer_id()))
        .transpose()?;
    Ok(Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        links: Links::default(),
        identify: identify::Behaviour::new(identify),
        gossip: transactions(doors.transactions.clone())?,
        blocks: blocks(doors.blocks.clone())?,
        mdns: mdns.into(),
    })
}

/// What gossip is about, on one chain.
pub(super) struct Topics {
    pub transactions: IdentTopic,
    pub blocks: IdentTopic,
}

/// What gossip lets in: nothing until the chain is there, and then one topic. Messages of others would be kept for a
/// while, uncounted.
#[derive(Debug, Clone, Default)]
pub struct Door(Arc<OnceLock<TopicHash>>);

/// Those of both kinds of gossip.
#[derive(Debug, Default)]
pub(super) struct Doors {
    transactions: Door,
    blocks: Door,
}

impl Doors {
    /// Lets in what is of a chain.
    pub fn open(self, chain_id: ChainId) -> Topics {
        let topic = |what| IdentTopic::new(format!("/boreas/{chain_id}/{what}/1"));
        let topics = Topics { transactions: topic("transactions"), blocks: topic("blocks") };
        // Nobody else opens them.
        let _ = self.transactions.0.set(topics.transactions.hash());
        let _ = self.blocks.0.set(topics.blocks.hash());
        topics
    }
}

impl DataTransform for Door {
    fn inbound_transform(&self, message: RawMessage) -> io::Result<gossipsub::Message> {
        let RawMessage { source, data, sequence_number, topic, .. } = message;
        if self.0.get() != Some(&topic) {
            return Err(io::Error::other("it is of another topic"));
        }
        Ok(gossipsub::Message { source, data, sequence_number, topic })
    }

    fn outbound_transform(&self, _: &TopicHash, data: Vec<u8>) -> io::Result<Vec<u8>> {
        Ok(data)
    }
}

/// What a message is called: after all of it. A block's id says nothing of its signature, so that whoever sent another
/// one under the same id first would keep the right block out.
pub(super) fn message_id(data: &[u8]) -> MessageId {
    MessageId::new(&primitives::Sha256::of(data).0)
}

/// Transactions are passed on once this node has accepted them.
fn transactions(door: Door) -> io::Result<gossipsub::Behaviour<Door>> {
    let mut config = ConfigBuilder::default();
    config
        .max_transmit_size(GOSSIP_BYTES_MAX + GOSSIP_HEAD_BYTES_MAX + GOSSIP_READ_BYTES)
        .heartbeat_initial_delay(GOSSIP_BEAT / 5)
        .heartbeat_interval(GOSSIP_BEAT)
        .connection_handler_queue_len(GOSSIP_QUEUE_MAX);
    gossip(&mut config, door)
}

/// Blocks are passed on once their headers are in order. They have streams and queues of their own, so that none waits
/// behind transactions, and so that what waits is bounded; with a name of its own gossipsub has no IDONTWANT.
fn blocks(door: Door) -> io::Result<gossipsub::Behaviour<Door>> {
    let [wanted, fewest, most] = GOSSIP_BLOCKS_MESH;
    let mut config = ConfigBuilder::default();
    config
        .protocol_id("/boreas/blocks-gossip/1", Version::V1_1)
        .max_transmit_size(GOSSIP_BLOCK_BYTES_MAX + GOSSIP_HEAD_BYTES_MAX + GOSSIP_READ_BYTES)
        .mesh_n(wanted)
        .mesh_n_low(fewest)
        .mesh_n_high(most)
        .flood_publish(false)
        // Whoever is in no mesh, because its one peer has enough, hears of each block all the same.
        .gossip_lazy(GOSSIP_BLOCKS_TOLD_MAX)
        .heartbeat_initial_delay(GOSSIP_BLOCKS_BEAT / 2)
        .heartbeat_interval(GOSSIP_BLOCKS_BEAT)
        .history_length(GOSSIP_BLOCKS_KEPT)
        .history_gossip(GOSSIP_BLOCKS_ANNOUNCED)
        .iwant_followup_time(GOSSIP_BLOCKS_PATIENCE)
        .max_publish_messages(GOSSIP_BLOCKS_AT_ONCE_MAX)
        .max_control_messages_sent(GOSSIP_BLOCKS_AT_ONCE_MAX)
        .publish_queue_duration(GOSSIP_BLOCKS_SENT_WITHIN)
        .forward_queue_duration(GOSSIP_BLOCKS_SENT_WITHIN)
        .connection_handler_queue_len(GOSSIP_BLOCKS_QUEUE_MAX);
    gossip(&mut config, door)
}

/// Messages say nothing of who began, and go no further before the core says so.
fn gossip(config: &mut ConfigBuilder, door: Door) -> io::Result<gossipsub::Behaviour<Door>> {
    let config = config
        .validate_messages()
        .validation_mode(ValidationMode::Anonymous)
        .message_id_fn(|message| message_id(&message.data))
        .duplicate_cache_time(GOSSIP_MEMORY)
        .build()
        .map_err(io::Error::other)?;
    let mut behaviour = gossipsub::Behaviour::new_with_transform(MessageAuthenticity::Anonymous, config, door)
        .map_err(io::Error::other)?;
    // The core judges peers. But without scores gossipsub waits for ever for what a peer announced and does not send, and
    // asks nobody else for it.
    let scores = PeerScoreParams {
        app_specific_weight: 0.0,
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_weight: 0.0,
        slow_peer_weight: 0.0,
        retain_score: GOSSIP_PEER_MEMORY,
        ..PeerScoreParams::default()
    };
    let thresholds = PeerScoreThresholds { opportunistic_graft_threshold: 0.0, ..PeerScoreThresholds::default() };
    behaviour.with_peer_score(scores, thresholds).map_err(io::Error::other)?;
    Ok(behaviour)
}
