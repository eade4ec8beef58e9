//! libp2p's parts, with limits in place of its defaults.

use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::gossipsub::{self, MessageAuthenticity, MessageId, ValidationMode};
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{Swarm, SwarmBuilder, identify, mdns, noise, tcp, yamux};

use super::links::Links;
use crate::limits::{DIAL_SECONDS, DIALLED_MAX, GOSSIP_BYTES_MAX, HALF_OPEN_MAX};

/// What the protocols together are called, with their version, when nodes identify themselves.
pub(super) const PROTOCOL_VERSION: &str = "boreas/1";

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
/// What a message of gossip has beside its transaction, at most, in bytes.
const GOSSIP_HEAD_BYTES_MAX: usize = 1 << 10;
/// How often the mesh is looked after and messages are announced: a few times in a slot's transactions' life.
const GOSSIP_BEAT: Duration = Duration::from_millis(500);
/// How long a message's id is remembered, so that it is not taken twice.
const GOSSIP_MEMORY: Duration = Duration::from_secs(120);
/// Events and commands that wait between a connection and the swarm.
const NOTIFIED_CAPACITY: usize = 64;

/// What runs on connections.
#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub limits: connection_limits::Behaviour,
    pub links: Links,
    pub identify: identify::Behaviour,
    pub gossip: gossipsub::Behaviour,
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
pub(super) fn build(keys: &Keypair, settings: SwarmSettings<'_>) -> io::Result<Swarm<Behaviour>> {
    let behaviour = behaviour(keys, settings)?;
    let mut streams = yamux::Config::default();
    streams.set_max_num_streams(STREAMS_MAX);
    let swarm = SwarmBuilder::with_existing_identity(keys.clone())
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, || streams)
        .map_err(io::Error::other)?
        .with_quic_config(|mut config| {
            config.handshake_timeout = Duration::from_secs(ESTABLISH_SECONDS);
            config.max_idle_timeout = QUIC_SILENCE_MS;
            config.keep_alive_interval = Duration::from_millis(u64::from(QUIC_SILENCE_MS) / 3);
            config.max_concurrent_stream_limit = STREAMS_MAX as u32;
            config.max_stream_data = QUIC_STREAM_BYTES_MAX;
            config.max_connection_data = QUIC_CONNECTION_BYTES_MAX;
            config
        })
        .with_behaviour(|_| behaviour)
        .map_err(|never| -> io::Error { match never {} })?
        .with_swarm_config(|config| {
            config
                .with_max_negotiating_inbound_streams(OPENING_STREAMS_MAX)
                .with_notify_handler_buffer_size(NonZeroUsize::MIN.saturating_add(NOTIFIED_CAPACITY - 1))
                .with_per_connection_event_buffer_size(NOTIFIED_CAPACITY)
        })
        .with_connection_timeout(Duration::from_secs(ESTABLISH_SECONDS))
        .build();
    Ok(swarm)
}

fn behaviour(keys: &Keypair, settings: SwarmSettings<'_>) -> io::Result<Behaviour> {
    let clients = (settings.max_clients > 0).then(|| settings.max_clients.saturating_add(HALF_OPEN_MAX as u32));
    // The core counts the connections of hosts, and all of them, when they are there.
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(HALF_OPEN_MAX as u32))
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
        gossip: gossip()?,
        mdns: mdns.into(),
    })
}

/// Transactions are passed on once this node has accepted them, and say nothing of who began.
fn gossip() -> io::Result<gossipsub::Behaviour> {
    let config = gossipsub::ConfigBuilder::default()
        .validate_messages()
        .validation_mode(ValidationMode::Anonymous)
        .message_id_fn(|message| MessageId::new(&primitives::Sha256::of(&message.data).0))
        .max_transmit_size(GOSSIP_BYTES_MAX + GOSSIP_HEAD_BYTES_MAX)
        .heartbeat_initial_delay(GOSSIP_BEAT / 5)
        .heartbeat_interval(GOSSIP_BEAT)
        .duplicate_cache_time(GOSSIP_MEMORY)
        .connection_handler_queue_len(GOSSIP_QUEUE_MAX)
        .build()
        .map_err(io::Error::other)?;
    gossipsub::Behaviour::new(MessageAuthenticity::Anonymous, config).map_err(io::Error::other)
}
