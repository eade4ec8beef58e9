//! What failed transactions of each peer may take of the engine's time. Whoever comes back finds what it left.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use engine::{PEER_FAILURES_US, Purse};
use primitives::TimePoint;

use crate::core::PeerId;
use crate::core::standing::Key;

/// The purses of peers.
#[derive(Debug, Default)]
pub(super) struct Purses {
    of_keys: BTreeMap<Key, Arc<Purse>>,
    of_peers: HashMap<PeerId, Arc<Purse>>,
}

impl Purses {
    /// A peer is connected, whose blame sticks to `key`.
    pub fn connected(&mut self, peer: PeerId, key: Key) {
        let purse = self.of_keys.entry(key).or_insert_with(|| Arc::new(Purse::new(PEER_FAILURES_US)));
        self.of_peers.insert(peer, Arc::clone(purse));
    }

    /// That of a peer. One that is gone has nothing.
    pub fn of(&self, peer: PeerId) -> Arc<Purse> {
        self.of_peers.get(&peer).cloned().unwrap_or_else(|| Arc::new(Purse::new((0, 0))))
    }

    /// Forgets peers that are gone, and purses that nobody has and that are full again.
    pub fn keep(&mut self, is_there: impl Fn(&PeerId) -> bool, now: TimePoint) {
        self.of_peers.retain(|peer, _| is_there(peer));
        self.of_keys.retain(|_, purse| Arc::strong_count(purse) > 1 || !purse.is_full(now));
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn who_comes_back_finds_what_it_left() {
        let (mut purses, now) = (Purses::default(), TimePoint(1_000_000_000_000_000));
        let key = || Key::of(IpAddr::from([10, 0, 0, 1]), None);
        purses.connected(1, key());
        purses.of(1).spend(PEER_FAILURES_US.0, now);
        purses.keep(|_| false, now);
        assert!(purses.of_peers.is_empty() && purses.of(1).is_empty(now));
        purses.connected(2, key());
        purses.connected(3, Key::of(IpAddr::from([10, 0, 0, 2]), None));
        assert!(purses.of(2).is_empty(now) && !purses.of(3).is_empty(now));
        purses.keep(|_| false, now.plus_us(60_000_000));
        assert!(purses.of_keys.is_empty());
    }
}
