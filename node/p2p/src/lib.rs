//! The network. What peers tell each other and what is done about it is a pure core; bytes and sockets are shells
//! around it.
//!
//! Reading order: [`limits`] what peers may take, [`address`] how peers are named, [`wire`] messages, [`core`]
//! the decisions, [`judging`] what the chain says of blocks and transactions, [`shell`] sockets, threads and the way to the engine.

pub mod address;
pub mod core;
pub mod judging;
pub mod limits;
pub mod shell;
pub mod wire;

pub use core::checks::CheckSettings;
pub use core::doubles::DoubleSign;
pub use core::{Allowed, ConnectionStatus, Settings};
pub use shell::swarm::{Libp2p, Libp2pSettings};
pub use shell::{Network, NetworkHandle, ShellSettings};

/// A node's id: another one for each start.
pub fn random_node_id() -> primitives::Checksum256 {
    primitives::Checksum256(rand::random())
}
