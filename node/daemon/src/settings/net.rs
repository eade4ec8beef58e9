//! Options of the network, with nodeos' names and defaults. One thing differs: nodeos' network always listens on
//! 0.0.0.0:9876 unless told otherwise; here nobody listens until an address is given.

use clap::{ArgAction, Args};

use super::value::{number, switch};

/// How the node meets others.
#[derive(Debug, Clone, Args)]
pub struct NetArgs {
    /// Where peers connect to: HOST:PORT for nodeos' wire, /ip4/HOST/tcp/PORT or /ip4/HOST/udp/PORT/quic-v1 for
    /// libp2p; without any, or empty, no peer can
    #[arg(long, value_name = "ADDRESS", action = ArgAction::Append, num_args = 1..)]
    pub p2p_listen_endpoint: Vec<String>,
    /// Address and port that peers are told, where that is another one
    #[arg(long, value_name = "HOST:PORT")]
    pub p2p_server_address: Option<String>,
    /// Peer to connect to: HOST:PORT for nodeos' wire, with :trx or :blk for transactions or blocks alone;
    /// /ip4/HOST/tcp/PORT or /ip4/HOST/udp/PORT/quic-v1, with or without /p2p/ID, for libp2p
    #[arg(long, value_name = "ADDRESS", action = ArgAction::Append, num_args = 1..)]
    pub p2p_peer_address: Vec<String>,
    /// Tell libp2p's peers of each other, and dial nodes that they tell of while there are few
    #[arg(long, value_parser = switch, action = ArgAction::Set, default_value_t = true)]
    pub p2p_peer_exchange: bool,
    /// Look for libp2p's peers on the local network
    #[arg(long, value_parser = switch, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true", default_value_t = false)]
    pub p2p_mdns: bool,
    /// Connections that one address may have to this node
    #[arg(long, value_name = "NUM", default_value_t = 1, allow_hyphen_values = true, value_parser = number::<u32>(0..=i32::MAX.into()))]
    pub p2p_max_nodes_per_host: u32,
    /// Run peers' transactions, and pass them on
    #[arg(long, value_parser = switch, action = ArgAction::Set, default_value_t = true)]
    pub p2p_accept_transactions: bool,
    /// Name that peers are told
    #[arg(long, value_name = "NAME", default_value = "EOS Test Agent")]
    pub agent_name: String,
    /// Who may connect: any, producers (with a key that this node produces with), specified (with a --peer-key), none
    #[arg(long, value_name = "WHO", action = ArgAction::Append, num_args = 1.., default_value = "any", value_parser = ["any", "producers", "specified", "none"])]
    pub allowed_connection: Vec<String>,
    /// Key of a peer that may connect
    #[arg(long, value_name = "KEY", action = ArgAction::Append, num_args = 1..)]
    pub peer_key: Vec<String>,
    /// Keys that this node shows to peers: ["PUBLIC","PRIVATE"]
    #[arg(long, value_name = "KEYS", action = ArgAction::Append, num_args = 1..)]
    pub peer_private_key: Vec<String>,
    /// Connections that may come from others; 0 for no limit
    #[arg(long, value_name = "NUM", default_value_t = 25, allow_hyphen_values = true, value_parser = number::<u32>(0..))]
    pub max_clients: u32,
    /// Seconds before a peer that did not answer, or sent this node away, is tried again, at most
    #[arg(long, value_name = "SECONDS", default_value_t = 30, allow_hyphen_values = true, value_parser = number::<u32>(0..=i32::MAX.into()))]
    pub connection_cleanup_period: u32,
    /// Threads that serve peers
    #[arg(long, value_name = "NUM", default_value_t = 4, allow_hyphen_values = true, value_parser = number::<u16>(1..=u16::MAX.into()))]
    pub net_threads: u16,
    /// Blocks that one peer is asked for at once
    #[arg(long, value_name = "NUM", default_value_t = 1000, allow_hyphen_values = true, value_parser = number::<u32>(0..))]
    pub sync_fetch_span: u32,
    /// Peers that blocks are fetched from at the same time
    #[arg(long, value_name = "NUM", default_value_t = 3, allow_hyphen_values = true, value_parser = number::<u32>(0..))]
    pub sync_peer_limit: u32,
    /// Milliseconds between signs of life to a peer; without any from it for twice as long its connection ends
    #[arg(long, value_name = "MS", default_value_t = 10_000, allow_hyphen_values = true, value_parser = number::<u32>(1..=i32::MAX.into()))]
    pub p2p_keepalive_interval_ms: u32,
    /// Milliseconds between two checks of a peer
    #[arg(long, value_name = "MS", default_value_t = 1000, allow_hyphen_values = true, value_parser = number::<u32>(100..=i32::MAX.into()))]
    pub p2p_check_interval_ms: u32,
    /// Milliseconds that a peer has to answer a check
    #[arg(long, value_name = "MS", default_value_t = 10_000, allow_hyphen_values = true, value_parser = number::<u32>(100..=i32::MAX.into()))]
    pub p2p_check_timeout_ms: u32,
    /// Checks in a row without an answer after which a peer is given up, and tried again with growing pauses
    #[arg(long, value_name = "NUM", default_value_t = 3, allow_hyphen_values = true, value_parser = number::<u32>(1..))]
    pub p2p_check_failures: u32,
}
