//! What a connection is to the core: what carries it, and the streams that it has there.

/// What carries a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wire {
    /// nodeos' frames on a TCP connection.
    Nodeos,
    /// Streams of an encrypted connection.
    Libp2p {
        /// Whose key it was made with, as multiaddresses have it after `/p2p/`.
        identity: String,
    },
}

impl Wire {
    /// The peer's identity, where it has proved one.
    pub fn identity(&self) -> Option<&str> {
        match self {
            Self::Nodeos => None,
            Self::Libp2p { identity } => Some(identity),
        }
    }
}

/// What a frame is for. A wire with several streams has one for each, so that no kind waits behind another; nodeos' has
/// one for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Who is who, who has what, who wants what.
    Talk,
    /// Blocks that were asked for.
    Asked,
    /// Blocks, and large transactions, as they come.
    News,
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Talk, Self::Asked, Self::News];
}
