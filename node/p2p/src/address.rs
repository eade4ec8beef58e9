//! Addresses of peers as nodeos writes them: `host:port`, `host:port:trx` or `host:port:blk`.

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
    "{text} is not a peer's address: write HOST:PORT, HOST:PORT:trx or HOST:PORT:blk, with [..] around IPv6 addresses"
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

/// What a handshake's address (`host:port[:trx|:blk] - abcdef0`) says of the connection, if it says so.
pub fn kind_told(told: &str) -> Option<Kind> {
    let address = told.split(" - ").next()?;
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
    fn a_handshake_tells_the_kind() {
        assert_eq!(kind_told("host:9876:blk - 1a2b3c4"), Some(Kind::Blocks));
        assert_eq!(kind_told("host:9876 - 1a2b3c4"), Some(Kind::Both));
        assert_eq!(kind_told(" - 1a2b3c4"), None);
    }
}
