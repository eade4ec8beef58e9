//! What happens around the core, as the driver hears of it.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::core::{ConnectionStatus, Input};

/// What happens around the core.
#[derive(Debug)]
pub(crate) enum Event {
    /// Something for the core.
    Happened(Input),
    /// Somebody connects.
    Came(TcpStream, SocketAddr),
    /// An address was dialled.
    Dialled(String, Result<(TcpStream, SocketAddr), String>),
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
}
