//! A peer of nodeos' network, written from the description of its wire alone: it judges boreasd and nodeos alike.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use primitives::{Checksum256, Pack, VarUint32};
use socket2::{Domain, Socket, Type};

/// Bytes of a packed node id and reason, of ids and numbers in messages.
const ID_BYTES: usize = 32;
/// The version of Leap 4 in handshakes.
const NETWORK_VERSION: u16 = 0x04b5 + 7;

/// Handshakes that were made.
static CONNECTIONS: AtomicU32 = AtomicU32::new(0);

/// A handshake to send; what tests change of it is public.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "nodeos' own names")]
pub struct WirePeer {
    pub network_version: u16,
    pub chain_id: Checksum256,
    pub node_id: Checksum256,
    pub p2p_address: String,
    pub irreversible: (u32, Checksum256),
    pub head: (u32, Checksum256),
}

/// What the other side tells, as far as tests compare it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Versions of its handshakes, each once.
    pub versions: Vec<u16>,
    /// The first reason to go away.
    pub go_away: Option<u32>,
    /// Modes of its notices (transactions, blocks) and how many ids they have, each once.
    pub notices: Vec<(u32, u32, usize)>,
    /// Modes of its requests for blocks, and how many ids they have.
    pub requests: Vec<(u32, usize)>,
    /// Ranges that it asks for.
    pub ranges: usize,
    /// Packed blocks.
    pub blocks: Vec<Vec<u8>>,
    /// Times that answer ours.
    pub times: usize,
    /// Whether it closed the connection.
    pub closed: bool,
}

impl WirePeer {
    /// A peer that has nothing but the genesis of a chain.
    pub fn new(chain_id: Checksum256, genesis: Checksum256) -> Self {
        let address = "judge:1 - 4a4a4a4".to_owned();
        Self {
            network_version: NETWORK_VERSION,
            chain_id,
            node_id: Checksum256([0x4a; 32]),
            p2p_address: address,
            irreversible: (1, genesis),
            head: (1, genesis),
        }
    }

    /// The handshake as a frame.
    pub fn handshake(&self) -> Vec<u8> {
        let time = i64::try_from(
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .expect("a clock of this century")
                .as_nanos(),
        );
        let mut out = vec![0];
        self.network_version.pack(&mut out);
        // Two connections of one node would be duplicates.
        let mut node_id = self.node_id;
        node_id.0[31] = CONNECTIONS.fetch_add(1, Ordering::Relaxed) as u8;
        node_id.0[30] = (CONNECTIONS.load(Ordering::Relaxed) >> 8) as u8;
        (self.chain_id, node_id).pack(&mut out);
        // No key.
        out.extend([0; 34]);
        time.expect("a clock of this century").pack(&mut out);
        // No token and no signature.
        out.extend([0; 32 + 66]);
        text(&self.p2p_address, &mut out);
        (self.irreversible, self.head).pack(&mut out);
        text("linux", &mut out);
        text("judge", &mut out);
        1i16.pack(&mut out);
        framed(&out)
    }

    /// Connects and introduces itself.
    pub fn connect(&self, address: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).expect("the node listens");
        // It may be closed already.
        let _ = stream.write_all(&self.handshake());
        stream
    }
}

/// A connection from one of the addresses that this machine has for itself, 127.0.0.1 to 127.255.255.254.
///
/// # Errors
/// It is refused.
pub fn connect_from(host: Ipv4Addr, address: &str) -> Result<TcpStream> {
    let address: SocketAddr = address.parse().expect("an IPv4 address with a port");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((host, 0)).into())?;
    socket.connect(&address.into())?;
    Ok(socket.into())
}

fn text(text: &str, out: &mut Vec<u8>) {
    VarUint32(u32::try_from(text.len()).expect("a short text")).pack(out);
    out.extend(text.as_bytes());
}

/// A message with its length before it.
pub fn framed(message: &[u8]) -> Vec<u8> {
    [&u32::try_from(message.len()).expect("a message").to_le_bytes()[..], message].concat()
}

fn number(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(u32::MAX, |bytes| u32::from_le_bytes(*bytes))
}

impl Told {
    /// Listens until nothing comes any more for `quiet`, or until `enough`.
    pub fn hear(stream: &mut TcpStream, quiet: Duration, enough: impl Fn(&Self) -> bool) -> Self {
        let (mut told, mut bytes, mut buffer) = (Self::default(), Vec::new(), [0; 65536]);
        let mut last = Instant::now();
        stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a socket option");
        while !told.closed && !enough(&told) && last.elapsed() < quiet {
            match stream.read(&mut buffer) {
                Ok(0) => told.closed = true,
                Ok(count) => {
                    bytes.extend(&buffer[..count]);
                    last = Instant::now();
                }
                Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
                Err(_) => told.closed = true,
            }
            while bytes.len() >= 4 && bytes.len() >= 4 + number(&bytes) as usize {
                let rest = bytes.split_off(4 + number(&bytes) as usize);
                told.note(&bytes[4..]);
                bytes = rest;
            }
        }
        told
    }

    fn note(&mut self, message: &[u8]) {
        let Some((index, rest)) = message.split_first() else { return };
        // A list of ids: mode, number, length, ids.
        let list = |at: usize| (number(&rest[at..]), usize::from(rest[at + 8]));
        let once = |known: &mut Vec<_>, new| {
            if !known.contains(&new) {
                known.push(new)
            }
        };
        match index {
            0 => {
                let version = u16::from_le_bytes([rest[0], rest[1]]) - 0x04b5;
                if !self.versions.contains(&version) {
                    self.versions.push(version);
                }
            }
            2 => self.go_away = self.go_away.or(Some(number(rest))),
            3 => self.times += usize::from(rest[..8] != [0; 8]),
            4 => {
                let (transactions, ids) = list(0);
                let (blocks, count) = list(9 + ids * ID_BYTES);
                once(&mut self.notices, (transactions, blocks, count));
            }
            5 => {
                let (_, ids) = list(0);
                self.requests.push(list(9 + ids * ID_BYTES));
            }
            6 => self.ranges += 1,
            7 => self.blocks.push(rest.to_vec()),
            _ => {}
        }
    }
}
