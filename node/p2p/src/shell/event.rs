//! What happens around the core, as the driver hears of it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use libp2p::swarm::Stream;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio_util::compat::Compat;

use crate::core::doubles::DoubleSign;
use crate::core::{ConnectionStatus, Input, PeerId};

/// What happens around the core.
#[derive(Debug)]
pub(crate) enum Event {
    /// Something for the core.
    Happened(Input),
    /// Somebody connects.
    Came(TcpStream, SocketAddr),
    /// An address was dialled.
    Dialled(String, Result<(TcpStream, SocketAddr), String>),
    /// An encrypted connection is there, whoever began it.
    Linked(Link),
    /// An operator asks.
    Asked(Ask),
}

/// What an operator asks of the network.
#[derive(Debug)]
pub(crate) enum Ask {
    Connect(String, oneshot::Sender<&'static str>),
    Disconnect(String, oneshot::Sender<&'static str>),
    Status(String, oneshot::Sender<Option<ConnectionStatus>>),
    Connections(oneshot::Sender<Vec<ConnectionStatus>>),
    DoubleSigns(oneshot::Sender<Vec<DoubleSign>>),
}

/// A stream of an encrypted connection, once it is open.
pub(crate) type Opening = oneshot::Receiver<Compat<Stream>>;

/// An encrypted connection.
#[derive(Debug)]
pub(crate) struct Link {
    /// Its number.
    pub peer: PeerId,
    /// Whose key it was made with.
    pub identity: String,
    /// Where the peer is.
    pub address: IpAddr,
    /// The address that was dialled; none for one that came to this node.
    pub dialled: Option<String>,
    /// For each lane the stream that comes from the peer, and the one to it.
    pub streams: [(Opening, Opening); 3],
    /// Room for what the peer sends, by whatever streams.
    pub room: Arc<Semaphore>,
    /// Ends it.
    pub end: End,
}

/// Does something when it is dropped.
pub(crate) struct End(Option<Box<dyn FnOnce() + Send>>);

impl End {
    pub fn by(end: impl FnOnce() + Send + 'static) -> Self {
        Self(Some(Box::new(end)))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if let Some(end) = self.0.take() {
            end();
        }
    }
}

impl std::fmt::Debug for End {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("End")
    }
}
