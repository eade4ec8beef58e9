//! Many connections, each of which sends its next request when the last one is answered.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// An answer that takes longer is none.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// Stack of a sending thread.
const STACK_BYTES: usize = 128 << 10;

/// What the senders saw.
#[derive(Debug, Default)]
pub struct Sent {
    /// Time of every answer, ascending.
    pub latencies: Vec<Duration>,
    /// Answers that were no success.
    pub refused: usize,
    /// The first of them.
    pub refusal: Option<String>,
}

/// Sends every body once, over `connections` connections.
pub fn send(address: &str, bodies: &[String], connections: usize) -> anyhow::Result<Sent> {
    let share = bodies.len().div_ceil(connections.max(1)).max(1);
    let parts = thread::scope(|scope| {
        let senders: Vec<_> = bodies
            .chunks(share)
            .map(|part| {
                thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, move || send_part(address, part))
            })
            .collect::<Result<_, _>>()?;
        let join = |sender: thread::ScopedJoinHandle<'_, anyhow::Result<Sent>>| {
            sender.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        senders.into_iter().map(join).collect::<anyhow::Result<Vec<_>>>()
    })?;
    let mut all = Sent::default();
    for part in parts {
        all.latencies.extend(part.latencies);
        all.refused += part.refused;
        all.refusal = all.refusal.or(part.refusal);
    }
    all.latencies.sort_unstable();
    Ok(all)
}

fn send_part(address: &str, bodies: &[String]) -> anyhow::Result<Sent> {
    let mut connection = Connection::open(address)?;
    let mut sent = Sent::default();
    for body in bodies {
        let begin = Instant::now();
        let (status, answer) = connection.post(body)?;
        sent.latencies.push(begin.elapsed());
        if status != 200 && status != 202 {
            sent.refused += 1;
            sent.refusal.get_or_insert_with(|| format!("{status} {answer}"));
        }
    }
    Ok(sent)
}

/// A kept-alive connection, opened again when the node closes it.
struct Connection {
    address: String,
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> anyhow::Result<Self> {
        let stream = BufReader::new(connect(address)?);
        Ok(Self { address: address.to_owned(), stream, request: Vec::new(), answer: Vec::new() })
    }

    fn post(&mut self, body: &str) -> anyhow::Result<(u16, String)> {
        self.request.clear();
        write!(
            self.request,
            "POST /v1/chain/send_transaction2 HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )?;
        self.stream.get_mut().write_all(&self.request)?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no HTTP answer")?;
        let (mut length, mut close) = (None, false);
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                bail!("the node closed the connection within an answer");
            }
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse::<usize>().ok();
            }
            close |= name.eq_ignore_ascii_case("connection") && value.trim().eq_ignore_ascii_case("close");
        }
        self.answer.resize(length.context("an answer without its length")?, 0);
        self.stream.read_exact(&mut self.answer)?;
        if close {
            self.stream = BufReader::new(connect(&self.address)?);
        }
        Ok((status, String::from_utf8_lossy(&self.answer).chars().take(300).collect()))
    }
}

fn connect(address: &str) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    Ok(stream)
}
