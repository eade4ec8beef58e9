//! Connections: how many there may be, and how long their clients may take.
//!
//! A client may hold a connection for nothing, send its head or take its answer byte by byte. Each of that ends in a
//! bounded time, and when there are too many connections, the one that has been idle longest makes room for a new one.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a client may take to send the head of a request, from its first chance to do so: an idle connection is
/// closed after this.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(30);
/// Bytes that the head of a request may have.
pub const HEAD_BYTES_MAX: usize = 64 << 10;
/// How long a client may leave an answer untaken.
pub const SEND_TIME_MAX: Duration = Duration::from_secs(20);
/// Bytes a second that a client has to take of an answer in the long run.
pub const SEND_BYTES_PER_SECOND_MIN: u64 = 16 << 10;
/// Connections at most, however many descriptors the system allows.
pub const CONNECTIONS_MAX: usize = 16_384;
/// Share of all connections that one address may have.
const PER_ADDRESS_DIVISOR: usize = 2;
/// How long a new connection waits for the one that makes room for it.
const ROOM_TIME_MAX: Duration = Duration::from_millis(100);
/// Pause between two looks whether there is room.
const ROOM_PAUSE: Duration = Duration::from_millis(1);

/// All connections, over all addresses.
#[derive(Debug)]
pub struct Connections {
    table: Mutex<Table>,
    max: usize,
    per_address_max: usize,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    open: FxHashMap<u64, Open>,
    /// How many each address has.
    of: FxHashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Open {
    /// The client's; none over a Unix socket.
    address: Option<IpAddr>,
    /// Since when no request is under way; none while one is.
    idle: Option<Instant>,
    close: Arc<Notify>,
}

impl Connections {
    /// Room for so many connections; at least one.
    pub fn new(max: usize) -> Self {
        let max = max.clamp(1, CONNECTIONS_MAX);
        Self { table: Mutex::default(), max, per_address_max: max.div_ceil(PER_ADDRESS_DIVISOR) }
    }

    /// How many there may be.
    pub fn max(&self) -> usize {
        self.max
    }

    /// Makes room for a connection. None when all others are at work.
    pub(crate) async fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Place> {
        let until = Instant::now() + ROOM_TIME_MAX;
        loop {
            if let Some(place) = self.try_admit(address) {
                return Some(place);
            }
            if Instant::now() >= until {
                return None;
            }
            tokio::time::sleep(ROOM_PAUSE).await;
        }
    }

    /// A place, if there is one; else the connection that has been idle longest is asked to go.
    fn try_admit(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Place> {
        let mut table = self.table.lock();
        let own = address.and_then(|address| table.of.get(&address)).copied().unwrap_or(0);
        let crowded = own >= self.per_address_max;
        if crowded || table.open.len() >= self.max {
            let others = table.open.values().filter(|open| !crowded || open.address == address);
            let idle = others.filter_map(|open| open.idle.map(|since| (since, &open.close)));
            if let Some((_, close)) = idle.min_by_key(|(since, _)| *since) {
                close.notify_one();
            }
            return None;
        }
        let (id, close) = (table.next, Arc::new(Notify::new()));
        table.next += 1;
        table.open.insert(id, Open { address, idle: Some(Instant::now()), close: Arc::clone(&close) });
        if let Some(address) = address {
            *table.of.entry(address).or_default() += 1;
        }
        Some(Place { connections: Arc::clone(self), id, close })
    }

    fn set_idle(&self, id: u64, idle: Option<Instant>) {
        if let Some(open) = self.table.lock().open.get_mut(&id) {
            open.idle = idle;
        }
    }
}

/// The place of one connection, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Arc<Connections>,
    id: u64,
    close: Arc<Notify>,
}

impl Place {
    /// Resolves when the connection has to make room for another.
    pub async fn asked_to_close(&self) {
        self.close.notified().await;
    }

    /// Keeps the connection from being closed for others until the guard is dropped.
    pub fn begin_work(&self) -> Work {
        self.connections.set_idle(self.id, None);
        Work { connections: Arc::clone(&self.connections), id: self.id }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.connections.table.lock();
        let Some(address) = table.open.remove(&self.id).and_then(|open| open.address) else { return };
        if let Some(count) = table.of.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                table.of.remove(&address);
            }
        }
    }
}

/// A request that is under way, until its answer is sent.
#[derive(Debug)]
pub(crate) struct Work {
    connections: Arc<Connections>,
    id: u64,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.connections.set_idle(self.id, Some(Instant::now()));
    }
}

/// A stream that fails when its client does not take what is written.
///
/// Waiting uses up an allowance of [`SEND_TIME_MAX`], and each byte that is taken gives some of it back.
#[derive(Debug)]
pub(crate) struct Patient<S> {
    stream: S,
    allowance: Duration,
    allowance_max: Duration,
    /// Since when the client has taken nothing, and when that has been too long.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<S> Patient<S> {
    pub fn new(stream: S) -> Self {
        Self::with_allowance(stream, SEND_TIME_MAX)
    }

    fn with_allowance(stream: S, allowance: Duration) -> Self {
        Self { stream, allowance, allowance_max: allowance, waiting: None }
    }

    /// Looks at what came of writing.
    fn judge(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                if let Some((since, _)) = self.waiting.take() {
                    self.allowance = self.allowance.saturating_sub(since.elapsed());
                }
                let regained = Duration::from_micros(bytes as u64 * 1_000_000 / SEND_BYTES_PER_SECOND_MIN);
                self.allowance = (self.allowance + regained).min(self.allowance_max);
                Poll::Ready(Ok(bytes))
            }
            Poll::Pending => {
                let (_, until) = self.waiting.get_or_insert_with(|| {
                    let now = Instant::now();
                    (now, Box::pin(sleep_until(now + self.allowance)))
                });
                ready!(until.as_mut().poll(context));
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not take its answer")))
            }
            failed => failed,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    #[test]
    fn the_longest_idle_connection_makes_room_and_those_at_work_stay() {
        runtime().block_on(async {
            let connections = Arc::new(Connections::new(2));
            // One address may have half.
            let first = connections.admit(HOME).await.unwrap();
            let work = first.begin_work();
            assert!(connections.admit(HOME).await.is_none(), "the only one is at work");
            let other = connections.admit(None).await.unwrap();
            assert!(connections.try_admit(None).is_none());
            other.asked_to_close().await;
            drop(other);
            let other = connections.admit(None).await.unwrap();
            let busy = other.begin_work();
            assert!(connections.admit(None).await.is_none());
            drop(work);
            assert!(connections.try_admit(HOME).is_none());
            first.asked_to_close().await;
            drop((first, busy, other));
            assert!(connections.table.lock().open.is_empty() && connections.table.lock().of.is_empty());
        });
    }

    /// A client that takes `bytes` every `pause`.
    struct Slow {
        bytes: usize,
        pause: Duration,
        next: Pin<Box<Sleep>>,
    }

    impl AsyncWrite for Slow {
        fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            ready!(self.next.as_mut().poll(context));
            let next = Instant::now() + self.pause;
            self.next.as_mut().reset(next);
            Poll::Ready(Ok(bytes.len().min(self.bytes)))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_client_that_takes_too_little_is_given_up_and_one_that_takes_enough_is_not() {
        const ALLOWANCE: Duration = Duration::from_millis(200);
        let write = |bytes: usize, pause: Duration| {
            runtime().block_on(async {
                let slow = Slow { bytes, pause, next: Box::pin(sleep_until(Instant::now())) };
                let mut stream = Patient::with_allowance(slow, ALLOWANCE);
                let begun = Instant::now();
                while begun.elapsed() < 3 * ALLOWANCE {
                    let writing = std::future::poll_fn(|context| Pin::new(&mut stream).poll_write(context, &[0; 4096]));
                    if let Err(error) = writing.await {
                        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                        return Err(begun.elapsed());
                    }
                }
                Ok(())
            })
        };
        let nothing = write(4096, Duration::from_secs(60)).unwrap_err();
        assert!((ALLOWANCE..2 * ALLOWANCE).contains(&nothing), "{nothing:?}");
        let pause = Duration::from_millis(50);
        let enough = usize::try_from(SEND_BYTES_PER_SECOND_MIN).unwrap() / 20 * 2;
        assert_eq!(write(enough, pause), Ok(()));
        let little = write(enough / 8, pause).unwrap_err();
        assert!(little > ALLOWANCE, "{little:?}");
    }
}
