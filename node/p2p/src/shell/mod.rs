//! Sockets and threads around the core: one task takes all that happens, asks the core, and does what it says. It
//! never waits for a peer, the chain or the disk's writer; whoever has something for it waits instead.
//!
//! Reading order: `connection` one socket or link, `chain_door` the way to the engine and its store, `event` what
//! happens, `purses` what peers' failed transactions may cost, [`swarm`] libp2p, `driver` the task.

mod chain_door;
mod connection;
mod driver;
mod event;
mod purses;
pub mod swarm;

use std::net::SocketAddr;
use std::sync::Arc;

use engine::Handle;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::core::doubles::DoubleSign;
use crate::core::{ConnectionStatus, Settings};
use driver::Driver;
use event::{Ask, Event};
use swarm::Libp2p;

/// Events that wait for the core; whoever brings one more waits.
const EVENTS_CAPACITY: usize = 1024;

/// What the shell is told.
#[derive(Debug)]
pub struct ShellSettings {
    /// Addresses to dial.
    pub peers: Vec<String>,
    /// Blocks whose keys are recovered at the same time.
    pub threads: usize,
    /// Whose threads recover the keys of transactions.
    pub keys: tokio::runtime::Handle,
}

/// A running network. Connections end when it is dropped.
#[derive(Debug)]
pub struct Network {
    /// The way to it.
    pub handle: NetworkHandle,
    tasks: tokio::task::JoinSet<()>,
}

/// The way to the network; cheap to clone.
#[derive(Debug, Clone)]
pub struct NetworkHandle {
    events: mpsc::Sender<Event>,
}

/// The network has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node is stopping")]
pub struct Stopped;

impl NetworkHandle {
    /// Dials an address from now on. The answer in nodeos' words.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn connect(&self, address: String) -> Result<&'static str, Stopped> {
        self.ask(|reply| Ask::Connect(address, reply)).await
    }

    /// Ends the connection to an address that is dialled. The answer in nodeos' words.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn disconnect(&self, address: String) -> Result<&'static str, Stopped> {
        self.ask(|reply| Ask::Disconnect(address, reply)).await
    }

    /// How the connection to an address stands.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn status(&self, address: String) -> Result<Option<ConnectionStatus>, Stopped> {
        self.ask(|reply| Ask::Status(address, reply)).await
    }

    /// How all connections stand.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn connections(&self) -> Result<Vec<ConnectionStatus>, Stopped> {
        self.ask(Ask::Connections).await
    }

    /// Who signed two blocks for a slot.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn double_signs(&self) -> Result<Vec<DoubleSign>, Stopped> {
        self.ask(Ask::DoubleSigns).await
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.events.send(Event::Asked(ask(reply))).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}

impl Network {
    /// Starts the network on this runtime: dials its peers, and lets others in where a listener is given.
    pub fn start(
        settings: Settings,
        shell: &ShellSettings,
        listener: Option<TcpListener>,
        libp2p: Option<Libp2p>,
        engine: Handle,
    ) -> Self {
        let (events, received) = mpsc::channel(EVENTS_CAPACITY);
        let mut tasks = tokio::task::JoinSet::new();
        if let Some(listener) = listener {
            tasks.spawn(listen(listener, events.clone()));
        }
        let driver = Driver::new(settings, shell, libp2p, engine, events.clone(), &mut tasks);
        tasks.spawn(driver.run(received));
        Self { handle: NetworkHandle { events }, tasks }
    }

    /// Ends all connections.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Brings connections that come. While the core is busy they wait in the system's queue, which is bounded.
async fn listen(listener: TcpListener, events: mpsc::Sender<Event>) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                if events.send(Event::Came(stream, plain(address))).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!("a peer's connection cannot be taken: {error}");
                // Without descriptors the next one would fail at once.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

/// An IPv4 address that is written as an IPv6 one is the same host.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Bytes that cross tasks without being copied.
type Frame = Arc<[u8]>;
