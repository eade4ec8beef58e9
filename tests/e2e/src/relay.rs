//! A relay between two nodes, which can be cut, and which may keep what it passes on for a while.

use std::collections::VecDeque;
use std::io::{ErrorKind, Result};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Dice;

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;
/// Bytes that wait in one direction of a connection beyond which nothing more is read.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// How long no connection is taken after one could not be.
const DELAY_AFTER_ERROR: Duration = Duration::from_millis(100);

/// How long bytes are kept: `mean`, give or take up to `jitter`, each time anew. They stay in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "told above")]
pub struct Delay {
    pub mean: Duration,
    pub jitter: Duration,
}

/// Passes on connections to one address as they come, until it is cut or dropped.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens, as `HOST:PORT`.
    pub address: String,
    cut: watch::Sender<bool>,
    listening: JoinHandle<()>,
}

impl Relay {
    /// One to `target`, where somebody may begin to listen later.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn to(target: &str) -> Self {
        Self::between("127.0.0.1:0", target, Delay::default()).expect("a free port")
    }

    /// One that listens at `address` and keeps what comes for a while.
    ///
    /// # Errors
    /// It cannot listen there.
    pub fn between(address: &str, target: &str, delay: Delay) -> Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?.to_string();
        let (cut, is_cut) = watch::channel(false);
        let target = target.to_owned();
        let _inside = runtime().enter();
        let listener = TcpListener::from_std(listener)?;
        let listening = runtime().spawn(async move {
            loop {
                match listener.accept().await {
                    Ok(_) if *is_cut.borrow() => {}
                    Ok((from, _)) => drop(runtime().spawn(pass_on(from, target.clone(), delay, is_cut.clone()))),
                    // There may be a descriptor for it later.
                    Err(_) => tokio::time::sleep(DELAY_AFTER_ERROR).await,
                }
            }
        });
        Ok(Self { address, cut, listening })
    }

    /// Ends all connections, and takes no more until it is healed.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Takes connections again.
    pub fn heal(&self) {
        self.cut.send_replace(false);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
        self.listening.abort();
    }
}

/// One thread for all relays of the process: what they cost is little, and not measured where nodes are.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("relays").enable_all().build().expect("a thread")
    })
}

/// Whichever end is closed, the other one is too.
async fn pass_on(from: TcpStream, target: String, delay: Delay, mut is_cut: watch::Receiver<bool>) {
    static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
    let Ok(to) = TcpStream::connect(target).await else { return };
    for end in [&from, &to] {
        // One that refuses is a little slower.
        let _ = end.set_nodelay(true);
    }
    let line = || Line::new(delay, Dice::of_test(CONNECTIONS.fetch_add(1, Ordering::Relaxed)));
    let (there, back) = (pass(&from, &to, line()), pass(&to, &from, line()));
    tokio::select! {
        _ = there => {}
        _ = back => {}
        // Also when the relay is dropped.
        _ = is_cut.wait_for(|cut| *cut) => {}
    }
}

async fn pass(from: &TcpStream, to: &TcpStream, mut line: Line) -> Result<()> {
    let (mut buffer, mut open) = (vec![0; READ_BYTES], true);
    while open || !line.parts.is_empty() {
        let due = line.take_due(Instant::now());
        if !due.is_empty() {
            write_all(to, &due).await?;
            continue;
        }
        let next = line.next_due();
        tokio::select! {
            ready = from.readable(), if open && line.has_room() => {
                ready?;
                match from.try_read(&mut buffer) {
                    Ok(0) => open = false,
                    Ok(count) => line.push(Instant::now(), &buffer[..count]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
            () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now).into()), if next.is_some() => {}
        }
    }
    Ok(())
}

async fn write_all(to: &TcpStream, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Bytes on their way in one direction, in order.
#[derive(Debug)]
struct Line {
    delay: Delay,
    dice: Dice,
    /// When each is due, ascending.
    parts: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
}

impl Line {
    fn new(delay: Delay, dice: Dice) -> Self {
        Self { delay, dice, parts: VecDeque::new(), bytes: 0 }
    }

    fn has_room(&self) -> bool {
        self.bytes < WAITING_BYTES_MAX
    }

    fn push(&mut self, now: Instant, bytes: &[u8]) {
        let Delay { mean, jitter } = self.delay;
        let span = usize::try_from(2 * jitter.as_micros()).unwrap_or(usize::MAX - 1) + 1;
        let due = now + mean.saturating_sub(jitter) + Duration::from_micros(self.dice.below(span) as u64);
        // What came before it is not overtaken.
        let due = self.parts.back().map_or(due, |(before, _)| due.max(*before));
        self.parts.push_back((due, bytes.to_vec()));
        self.bytes += bytes.len();
    }

    fn next_due(&self) -> Option<Instant> {
        self.parts.front().map(|(due, _)| *due)
    }

    /// All that is due.
    fn take_due(&mut self, now: Instant) -> Vec<u8> {
        let mut taken = Vec::new();
        while let Some((_, part)) = self.parts.pop_front_if(|(due, _)| *due <= now) {
            self.bytes -= part.len();
            if taken.is_empty() { taken = part } else { taken.extend(part) }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    const DELAY: Delay = Delay { mean: Duration::from_millis(20), jitter: Duration::from_millis(10) };

    /// The delays in milliseconds of a hundred bytes, so many milliseconds apart.
    fn delays(apart: u64) -> Vec<u64> {
        let (mut line, begin) = (Line::new(DELAY, Dice::of_test(1)), Instant::now());
        let ms = |count: u64| begin + Duration::from_millis(count);
        for number in 0..100u8 {
            line.push(ms(apart * u64::from(number)), &[number]);
        }
        let (mut came, mut delays) = (Vec::new(), Vec::new());
        for now in 0..100 * apart + 40 {
            for number in line.take_due(ms(now)) {
                delays.push(now - apart * u64::from(number));
                came.push(number);
            }
        }
        assert_eq!(came, (0..100).collect::<Vec<_>>());
        assert_eq!((line.bytes, line.next_due()), (0, None));
        delays
    }

    #[test]
    fn bytes_stay_in_order_and_come_within_the_jitter() {
        // Close to each other, they wait for those before them.
        let dense = delays(1);
        assert!(dense.iter().all(|delay| (10..=31).contains(delay)), "{dense:?}");
        let sparse = delays(50);
        let mean = sparse.iter().sum::<u64>() / 100;
        assert!(sparse.iter().all(|delay| (10..=31).contains(delay)) && (17..=23).contains(&mean), "{sparse:?}");
        let (least, most) = (sparse.iter().min(), sparse.iter().max());
        assert!(least < Some(&15) && most > Some(&25), "{sparse:?}");
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut line = Line::new(DELAY, Dice::of_test(1));
        while line.has_room() {
            line.push(Instant::now(), &[0; READ_BYTES]);
        }
        assert!(line.bytes < WAITING_BYTES_MAX + READ_BYTES);
        line.take_due(Instant::now() + DELAY.mean + DELAY.jitter);
        assert!(line.has_room());
    }

    #[test]
    fn an_echo_takes_two_delays_until_the_relay_is_cut() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let target = listener.local_addr().expect("an address").to_string();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut echo = stream.try_clone().expect("a handle can be cloned");
                let _ = std::io::copy(&mut stream, &mut echo);
            }
        });
        let relay = Relay::between("127.0.0.1:0", &target, DELAY).expect("a free port");
        let echo = || {
            let mut stream = std::net::TcpStream::connect(&relay.address).expect("the relay listens");
            let begin = Instant::now();
            // Where it is cut, this fails or nothing comes back.
            stream.write_all(b"there and back").ok()?;
            let mut came = [0; 14];
            stream.read_exact(&mut came).ok()?;
            assert_eq!(&came, b"there and back");
            Some((stream, begin.elapsed()))
        };
        let (mut stream, took) = echo().expect("an echo");
        assert!(took >= 2 * (DELAY.mean - DELAY.jitter), "{took:?}");
        relay.cut();
        assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
        assert!(echo().is_none());
        relay.heal();
        assert!(echo().is_some());
    }
}
