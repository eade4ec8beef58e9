//! Addresses of peers. As nodeos writes them (`host:port`, `host:port:trx`, `host:port:blk`) they speak its wire; as
//! multiaddresses (`/ip4/../tcp/..`, `/ip4/../udp/../quic-v1`, each with or without `/p2p/ID`) they speak libp2p's.

use std::net::IpAddr;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// What travels on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// All.
    #[default]
    Both,
    /// Blocks alone.
    Blocks,
    /// Transactions alone.
    Transactions,
}

impl Kind {
    /// Whether blocks travel.
    pub fn has_blocks(self) -> bool {
        self != Self::Transactions
    }

    /// Whether transactions travel.
    pub fn has_transactions(self) -> bool {
        self != Self::Blocks
    }
}

/// A host, a port, and what is wanted from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What travels.
    pub kind: Kind,
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text} is not a peer's address: write HOST:PORT, HOST:PORT:trx or HOST:PORT:blk, with [..] around IPv6 addresses, \
     for nodeos' wire; /ip4/HOST/tcp/PORT or /ip4/HOST/udp/PORT/quic-v1 (or /ip6, /dns4, /dns6, /dns), with or \
     without /p2p/ID, for libp2p"
)]
pub struct AddressError {
    text: String,
}

impl std::str::FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (host, rest) = split_host(text).ok_or_else(|| wrong(text))?;
        let (port, kind) = rest.split_once(':').unwrap_or((rest, ""));
        let kind = match kind {
            "" => Kind::Both,
            "trx" => Kind::Transactions,
            "blk" => Kind::Blocks,
            _ => return Err(wrong(text)),
        };
        let port = port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(|| wrong(text))?;
        Ok(Self { host: host.to_owned(), port, kind })
    }
}

fn wrong(text: &str) -> AddressError {
    AddressError { text: text.chars().take(200).collect() }
}

/// The host and what follows its colon.
fn split_host(text: &str) -> Option<(&str, &str)> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (inner, rest) = bracketed.split_once(']')?;
            (&text[..inner.len() + 2], rest.strip_prefix(':')?)
        }
        None => text.split_once(':')?,
    };
    let sound = !host.is_empty() && !host.contains(char::is_whitespace);
    sound.then_some((host, rest))
}

/// Where a peer is, and what it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerAddress {
    /// nodeos' wire.
    Nodeos(Address),
    /// libp2p.
    Libp2p(Multiaddr),
}

impl std::str::FromStr for PeerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if !is_multiaddress(text) {
            return text.parse().map(Self::Nodeos);
        }
        let address = text.parse::<Multiaddr>().map_err(|_| wrong(text))?;
        let parts: Vec<_> = address.iter().collect();
        let transport = match parts.split_first() {
            Some((
                Protocol::Ip4(_) | Protocol::Ip6(_) | Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_),
                rest,
            )) => rest,
            _ => return Err(wrong(text)),
        };
        match transport {
            [Protocol::Tcp(port)] | [Protocol::Tcp(port), Protocol::P2p(_)] if *port > 0 => {}
            [Protocol::Udp(port), Protocol::QuicV1] | [Protocol::Udp(port), Protocol::QuicV1, Protocol::P2p(_)]
                if *port > 0 => {}
            _ => return Err(wrong(text)),
        }
        Ok(Self::Libp2p(address))
    }
}

/// Why a text is not an address to listen at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text} is not an address to listen at for libp2p: write /ip4/HOST/tcp/PORT or /ip4/HOST/udp/PORT/quic-v1 (or /ip6), \
     with an IP address; port 0 lets the system choose"
)]
pub struct ListeningError {
    text: String,
}

/// Where libp2p's peers connect to.
///
/// # Errors
/// The text has another form.
pub fn listening(text: &str) -> Result<Multiaddr, ListeningError> {
    let wrong = || ListeningError { text: text.chars().take(200).collect() };
    let address = text.parse::<Multiaddr>().map_err(|_| wrong())?;
    let parts: Vec<_> = address.iter().collect();
    match parts[..] {
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_)]
        | [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Udp(_), Protocol::QuicV1] => Ok(address),
        _ => Err(wrong()),
    }
}

/// Whether a text is meant as a multiaddress.
pub fn is_multiaddress(text: &str) -> bool {
    text.starts_with('/')
}

/// The identity that a multiaddress names.
pub fn identity_of(text: &str) -> Option<&str> {
    is_multiaddress(text).then(|| text.rsplit_once("/p2p/")).flatten().map(|(_, identity)| identity)
}

/// The IP address that a multiaddress begins with; an IPv4 one that is written as an IPv6 one is the same.
pub fn host_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(host) => Some(host.into()),
        Protocol::Ip6(host) => Some(IpAddr::from(host).to_canonical()),
        _ => None,
    }
}

/// What a handshake's address (`host:port[:trx|:blk] - abcdef0`) says of the connection, if it says so.
pub fn kind_told(told: &str) -> Option<Kind> {
    let address = told.split(" - ").next()?;
    if is_multiaddress(address) {
        let kind = if address.ends_with(":blk") { Kind::Blocks } else { Kind::Both };
        return Some(if address.ends_with(":trx") { Kind::Transactions } else { kind });
    }
    address.parse::<Address>().ok().map(|address| address.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_a_port_and_a_kind() {
        let read = |text: &str| text.parse::<Address>();
        let of = |host: &str, port, kind| Ok(Address { host: host.to_owned(), port, kind });
        assert_eq!(read("a.example:9876"), of("a.example", 9876, Kind::Both));
        assert_eq!(read("127.0.0.1:1:trx"), of("127.0.0.1", 1, Kind::Transactions));
        assert_eq!(read("[::1]:9876:blk"), of("[::1]", 9876, Kind::Blocks));
        for wrong in ["", "a", "a:", ":1", "a:0", "a:65536", "a:1:all", "::1:9876", "[::1]", "a b:1", "a:1:trx:blk"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn multiaddresses_have_a_host_a_transport_and_an_identity() {
        let read = |text: &str| text.parse::<PeerAddress>();
        let id = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
        for right in
            ["/ip4/10.0.0.1/tcp/9876", "/ip6/::1/udp/1/quic-v1", "/dns4/a.example/tcp/1", "/dns/a/udp/1/quic-v1"]
        {
            assert!(matches!(read(right), Ok(PeerAddress::Libp2p(_))), "{right}");
            let named = format!("{right}/p2p/{id}");
            assert!(matches!(read(&named), Ok(PeerAddress::Libp2p(_))), "{named}");
            assert_eq!((identity_of(right), identity_of(&named)), (None, Some(id)));
        }
        assert!(matches!(read("a.example:1"), Ok(PeerAddress::Nodeos(_))));
        let wrong = [
            "/",
            "/ip4/10.0.0.1",
            "/ip4/10.0.0.1/tcp/0",
            "/ip4/10.0.0.256/tcp/1",
            "/ip4/10.0.0.1/udp/1",
            "/tcp/1",
            "/ip4/10.0.0.1/tcp/1/ws",
            "/ip4/10.0.0.1/tcp/1/p2p/x",
            "/ip4/10.0.0.1/tcp/1:trx",
            "/unix/a",
        ];
        for text in wrong {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_handshake_tells_the_kind() {
        assert_eq!(kind_told("/ip4/10.0.0.1/tcp/1:blk - 1a2b3c4"), Some(Kind::Blocks));
        assert_eq!(kind_told("/ip4/10.0.0.1/tcp/1 - 1a2b3c4"), Some(Kind::Both));
        assert_eq!(kind_told("host:9876:blk - 1a2b3c4"), Some(Kind::Blocks));
        assert_eq!(kind_told("host:9876 - 1a2b3c4"), Some(Kind::Both));
        assert_eq!(kind_told(" - 1a2b3c4"), None);
    }
}
