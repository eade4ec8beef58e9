//! Peers that introduce themselves as they should, and what they do then.

use std::io::{ErrorKind, Read as _, Result, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use e2e::{Told, WirePeer, connect_from, framed};
use primitives::Checksum256;

use crate::{Ground, PATIENCE};

/// Index of a block among the messages.
const BLOCK: u8 = 7;
/// Index of a time message, and bytes of the times in it, which may be any.
const TIME: u8 = 3;
const TIME_BYTES: usize = 32;
/// Who says nothing for longer is given up.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// How long a flooding peer waits for the node to read on before it gives up.
const HELD_BACK: Duration = Duration::from_secs(2);
/// Between two attempts of a peer that is not let in.
const AGAIN: Duration = Duration::from_millis(50);

/// What became of a flood.
#[derive(Debug, Default)]
pub struct Flood {
    /// Messages that went out.
    pub sent: usize,
    /// Connections that the node ended.
    pub ended: usize,
    /// When its host was banned.
    pub banned_after: Option<Duration>,
}

impl Ground {
    /// A handshake of one who stands where the producer stands; its address tells the host.
    pub fn introduction(&self, host: Ipv4Addr) -> WirePeer {
        let info = self.producer.info().expect("the node answers");
        let id = |field: &str| info[field].as_str().expect("an id").parse::<Checksum256>().expect("an id");
        let number = |field: &str| u32::try_from(info[field].as_u64().expect("a number")).expect("a number");
        WirePeer {
            p2p_address: name_of(host),
            irreversible: (number("last_irreversible_block_num"), id("last_irreversible_block_id")),
            head: (number("head_block_num"), id("head_block_id")),
            ..WirePeer::new(self.chain_id, Checksum256::default())
        }
    }

    /// Connects from a host and introduces itself, whatever comes of it.
    pub fn connect(&self, host: Ipv4Addr) -> Result<TcpStream> {
        let mut stream = connect_from(host, &self.peers)?;
        stream.write_all(&self.introduction(host).handshake())?;
        Ok(stream)
    }

    /// The same; none if the node closes the connection without an introduction of its own. What comes after that may be
    /// read already, in part.
    pub fn introduced(&self, host: Ipv4Addr) -> Option<TcpStream> {
        let mut stream = self.connect(host).ok()?;
        let told = Told::hear(&mut stream, PATIENCE, |told| !told.versions.is_empty());
        (!told.closed).then_some(stream)
    }

    /// Whether the producer said that it banned a host.
    pub fn is_banned(&self, host: Ipv4Addr) -> bool {
        self.producer.log().contains(&format!("peer {} is banned", name_of(host)))
    }

    /// Sends what `next` adds, which says how many messages that is, as fast as the node reads it; comes back when the
    /// connection is ended, until its host is banned or the time is over.
    pub fn flood(&self, host: Ipv4Addr, time: Duration, mut next: impl FnMut(&mut Vec<u8>) -> usize) -> Flood {
        let (begin, mut seen, mut bytes) = (Instant::now(), Flood::default(), Vec::new());
        while begin.elapsed() < time {
            let Some(mut stream) = self.introduced(host) else {
                if self.is_banned(host) {
                    seen.banned_after = Some(begin.elapsed());
                    break;
                }
                std::thread::sleep(AGAIN);
                continue;
            };
            // What the node says is thrown away.
            let mut reading = stream.try_clone().expect("a handle can be cloned");
            reading.set_read_timeout(None).expect("a socket has one");
            let reader = std::thread::spawn(move || drop(std::io::copy(&mut reading, &mut std::io::sink())));
            stream.set_write_timeout(Some(HELD_BACK)).expect("a socket has one");
            while begin.elapsed() < time {
                bytes.clear();
                let count = next(&mut bytes);
                if let Err(error) = stream.write_all(&bytes) {
                    seen.ended += usize::from(!is_late(&error));
                    break;
                }
                seen.sent += count;
            }
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
            reader.join().expect("it only reads");
        }
        seen
    }

    /// Sends some bytes and says whether the node ends the connection for it.
    pub fn is_sent_away(&self, host: Ipv4Addr, bytes: &[u8], within: Duration) -> bool {
        let mut stream = self.introduced(host).expect("it is let in");
        stream.write_all(bytes).expect("sent");
        let (begin, mut buffer) = (Instant::now(), vec![0; 1 << 16]);
        stream.set_read_timeout(Some(AGAIN)).expect("a socket has one");
        while begin.elapsed() < within {
            match stream.read(&mut buffer) {
                Ok(0) => return true,
                Err(error) if !is_late(&error) => return true,
                _ => {}
            }
        }
        false
    }
}

/// What a peer of a host calls itself.
fn name_of(host: Ipv4Addr) -> String {
    format!("{host}:1 - 4a4a4a4")
}

fn is_late(error: &std::io::Error) -> bool {
    [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind())
}

/// Reads until all is over and, while it is to, sends each block back as soon as it is there. How many it sent.
///
/// # Panics
/// When the node ends the connection.
pub fn repeat_blocks(mut stream: TcpStream, repeats: &AtomicBool, over: &AtomicBool) -> usize {
    let (mut bytes, mut buffer, mut count) = (Vec::new(), vec![0; 1 << 16], 0);
    stream.set_read_timeout(Some(AGAIN)).expect("a socket has one");
    let mut said = Instant::now();
    while !over.load(Ordering::Relaxed) {
        if said.elapsed() > SIGN_OF_LIFE {
            said = Instant::now();
            stream.write_all(&framed(&[TIME; 1 + TIME_BYTES])).expect("sent");
        }
        match stream.read(&mut buffer) {
            Ok(0) => panic!("the node ends the connection of a peer that repeats blocks"),
            Ok(read) => bytes.extend(&buffer[..read]),
            Err(error) => assert!(is_late(&error), "{error}"),
        }
        let mut begin = 0;
        while let Some(length) = bytes[begin..].first_chunk().map(|length| u32::from_le_bytes(*length) as usize)
            && let Some(frame) = bytes.get(begin..begin + 4 + length)
        {
            if frame[4] == BLOCK && repeats.load(Ordering::Relaxed) {
                stream.write_all(frame).expect("sent");
                count += 1;
            }
            begin += 4 + length;
        }
        bytes.drain(..begin);
    }
    count
}

/// A message that was made once and is sent often, each time with another number in place of [`Self::MARK`].
pub struct Template {
    frame: Vec<u8>,
    at: usize,
    number: u64,
}

impl Template {
    /// What stands where the number goes.
    pub const MARK: [u8; 8] = [0xa7; 8];
    /// Messages that are sent together.
    const TOGETHER: usize = 200;

    /// Of a message without its length.
    pub fn new(message: &[u8]) -> Self {
        let frame = framed(message);
        let at = frame.windows(Self::MARK.len()).position(|bytes| bytes == Self::MARK).expect("the mark is in it");
        Self { frame, at, number: 0 }
    }

    /// Adds some, and says how many.
    pub fn fill(&mut self, out: &mut Vec<u8>) -> usize {
        for _ in 0..Self::TOGETHER {
            self.number += 1;
            self.frame[self.at..self.at + Self::MARK.len()].copy_from_slice(&self.number.to_le_bytes());
            out.extend_from_slice(&self.frame);
        }
        Self::TOGETHER
    }
}
