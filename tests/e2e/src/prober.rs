//! Asks a node on schedule and notes how long each answer took. A late answer delays no question: what waits because of
//! it counts as late too.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time between two questions.
const INTERVAL: Duration = Duration::from_millis(3);
/// Questions that may be under way together; enough for half a second of silence.
const CONNECTIONS: usize = 160;

/// A prober at work.
#[derive(Debug)]
pub struct Prober {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Times>>,
}

/// What one thread saw.
#[derive(Debug, Default)]
struct Times {
    /// From when each question was due to its answer.
    answers: Vec<Duration>,
    /// The longest that the machine let the thread sleep beyond its time.
    overslept: Duration,
}

/// How long the answers took.
#[derive(Debug, Clone, Copy)]
pub struct Latency {
    /// How many there were.
    pub count: usize,
    /// The time that half of them took at most.
    pub median: Duration,
    /// The slowest.
    pub max: Duration,
    /// The longest that the machine kept one who asks from running, by itself or because others were busy on it.
    pub machine: Duration,
}

impl Prober {
    /// Begins to ask `get_info` of the node at `address`.
    pub fn start(address: &str) -> Self {
        let (over, next, begin) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default(), Instant::now());
        let ask = |_| {
            let (over, next, address) = (Arc::clone(&over), Arc::clone(&next), address.to_owned());
            std::thread::spawn(move || ask_all(&address, begin, &next, &over))
        };
        let threads = (0..CONNECTIONS).map(ask).collect();
        Self { over, threads }
    }

    /// Ends, and says how long the answers took.
    ///
    /// # Panics
    /// When a question was not answered.
    pub fn stop(self) -> Latency {
        self.over.store(true, Ordering::Relaxed);
        let times = self.threads.into_iter().map(|thread| thread.join().expect("every question is answered"));
        let times: Vec<_> = times.collect();
        let mut all: Vec<_> = times.iter().flat_map(|times| &times.answers).copied().collect();
        all.sort_unstable();
        let max = *all.last().expect("there were questions");
        let machine = times.iter().map(|times| times.overslept).max().unwrap_or_default();
        Latency { count: all.len(), median: all[all.len() / 2], max, machine }
    }
}

/// Takes one question after another until it is over.
fn ask_all(address: &str, begin: Instant, next: &AtomicU64, over: &AtomicBool) -> Times {
    let stream = TcpStream::connect(address).expect("the node listens");
    stream.set_nodelay(true).expect("a socket option");
    let mut reader = BufReader::new(stream);
    let mut times = Times::default();
    while !over.load(Ordering::Relaxed) {
        let number = u32::try_from(next.fetch_add(1, Ordering::Relaxed)).expect("a short test");
        let due = begin + INTERVAL * number;
        let early = due.saturating_duration_since(Instant::now());
        std::thread::sleep(early);
        if !early.is_zero() {
            times.overslept = times.overslept.max(due.elapsed());
        }
        if over.load(Ordering::Relaxed) {
            break;
        }
        ask(&mut reader, address);
        times.answers.push(due.elapsed());
    }
    times
}

fn ask(reader: &mut BufReader<TcpStream>, address: &str) {
    let request = format!("POST /v1/chain/get_info HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n");
    reader.get_mut().write_all(request.as_bytes()).expect("a request is taken");
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line).expect("an answer");
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a whole answer");
}
