//! Nodes that peers know of, so that one address is enough to meet all: a peer tells where it can be reached and where
//! its peers can, and while a node has few peers it dials what it was told. Only encrypted wires have this: there an
//! address names whose key it must be, so that a lie leads nowhere.

use std::collections::BTreeMap;

use libp2p::Multiaddr;
use primitives::TimePoint;

use super::peer::PeerId;
use super::standing::Key;
use super::{Core, Wire};
use crate::address::{PeerAddress, host_of, identity_of};
use crate::limits::{MEET_AGAIN_US, MEET_FAILURES_MAX, MET_ADDRESSES_MAX, MET_MAX, MET_PEERS_MAX, TOLD_ADDRESSES_MAX};
use crate::wire::message::Text;
use crate::wire::{Addresses, Message};

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Met {
    /// Where it may be.
    addresses: Vec<String>,
    /// Dials that failed, one after another.
    failures: u32,
    /// When it may be dialled.
    due: TimePoint,
}

/// When a node is dialled that the operator parted with.
const NEVER: TimePoint = TimePoint(i64::MAX);

/// Nodes by identity.
#[derive(Debug, Default)]
pub struct Book {
    nodes: BTreeMap<String, Met>,
}

impl Book {
    /// Notes where a node is. False when that is known, or there is no room.
    fn note(&mut self, identity: &str, address: &str, due: TimePoint) -> bool {
        if !self.nodes.contains_key(identity) && self.nodes.len() >= MET_MAX && !self.forget_one() {
            return false;
        }
        let new = || Met { addresses: Vec::new(), failures: 0, due };
        let met = self.nodes.entry(identity.to_owned()).or_insert_with(new);
        let news = !met.addresses.iter().any(|known| known == address) && met.addresses.len() < MET_ADDRESSES_MAX;
        if news {
            met.addresses.push(address.to_owned());
        }
        news
    }

    /// Makes room: whoever failed most goes, if anybody did.
    fn forget_one(&mut self) -> bool {
        let most = self.nodes.iter().filter(|(_, met)| met.failures > 0).max_by_key(|(_, met)| met.failures);
        let identity = most.map(|(identity, _)| identity.clone());
        identity.is_some_and(|identity| self.nodes.remove(&identity).is_some())
    }

    /// Where nodes are that are due, each with one of its addresses: after a failure another one.
    fn due(&self, now: TimePoint) -> impl Iterator<Item = (&String, &String)> {
        let due = self.nodes.iter().filter(move |(_, met)| met.due <= now);
        due.filter_map(|(identity, met)| {
            Some((identity, met.addresses.get(met.failures as usize % met.addresses.len().max(1))?))
        })
    }

    /// The operator ended the connection to a node: whoever tells of it, it is not dialled until it is a peer again.
    pub fn part(&mut self, identity: &str) {
        if self.nodes.contains_key(identity) || self.nodes.len() < MET_MAX || self.forget_one() {
            let unknown = Met { addresses: Vec::new(), failures: 0, due: NEVER };
            self.nodes.entry(identity.to_owned()).or_insert(unknown).due = NEVER;
        }
    }

    /// A node is a peer.
    pub fn joined(&mut self, identity: &str, now: TimePoint) {
        if let Some(met) = self.nodes.get_mut(identity).filter(|met| met.due == NEVER) {
            met.due = now;
        }
    }

    /// A connection to a node ended, or there was none. It is tried again later, and not for ever.
    pub fn ended(&mut self, address: &str, was_open: bool, now: TimePoint) {
        let Some(identity) = identity_of(address) else { return };
        let Some(met) = self.nodes.get_mut(identity) else { return };
        met.failures = if was_open { 0 } else { met.failures + 1 };
        met.due = now.plus_us(MEET_AGAIN_US.saturating_mul(1 << met.failures));
        if met.failures >= MEET_FAILURES_MAX {
            self.nodes.remove(identity);
        }
    }
}

/// Whether an address can lead anywhere from here. This machine's own means something only to who is on it.
fn is_of_use(address: &Multiaddr, local: bool) -> bool {
    host_of(address).is_none_or(|host| !host.is_unspecified() && !host.is_multicast() && (local || !host.is_loopback()))
}

/// What a peer is told of addresses.
fn of_use<'a>(addresses: impl Iterator<Item = &'a String>, local: bool) -> Vec<Text> {
    let of_use = addresses.filter(|text| text.parse().is_ok_and(|address| is_of_use(&address, local)));
    of_use.take(TOLD_ADDRESSES_MAX / 2).map(|text| Text::from(&**text)).collect()
}

impl Core {
    /// This node can be reached at other addresses than before.
    pub(super) fn listens(&mut self, addresses: Vec<String>) {
        self.listening = addresses;
        self.listening.truncate(MET_ADDRESSES_MAX);
        let peers: Vec<_> = self.libp2p_peers().map(|(id, _)| id).collect();
        for peer in peers {
            self.send_addresses(peer);
        }
    }

    /// Nodes of the local network were found.
    pub(super) fn found(&mut self, addresses: &[String], now: TimePoint) {
        for address in addresses {
            self.learn(address, true, now);
        }
    }

    fn libp2p_peers(&self) -> impl Iterator<Item = (PeerId, &super::Peer)> {
        let open = self.peers.iter().filter(|(_, peer)| peer.open && !peer.leaving);
        open.filter(|(_, peer)| peer.wire.identity().is_some()).map(|(id, peer)| (*id, peer))
    }

    /// Tells a peer where this node is, and where others are.
    pub(super) fn send_addresses(&mut self, peer: PeerId) {
        let Some(found) = self.peers.get(&peer) else { return };
        if !self.settings.peer_exchange || found.wire == Wire::Nodeos {
            return;
        }
        let local = found.address.is_loopback();
        let known = self.libp2p_peers().filter(|(id, _)| *id != peer).flat_map(|(_, other)| &other.addresses);
        let (own, others) = (of_use(self.listening.iter(), local), of_use(known, local));
        let addresses = Addresses { own, others };
        self.send(peer, &Message::Addresses(addresses));
    }

    /// A peer told where it is, and where others are.
    pub(super) fn addresses_came(&mut self, peer: PeerId, addresses: &Addresses, now: TimePoint) {
        let Some(found) = self.peers.get(&peer) else { return };
        let (Some(identity), true) = (found.wire.identity().map(str::to_owned), self.settings.peer_exchange) else {
            return;
        };
        let (local, before) = (found.address.is_loopback(), found.addresses.clone());
        let own: Vec<String> = addresses
            .own
            .iter()
            .map(Text::shown)
            .filter(|text| identity_of(text) == Some(&identity) && text.parse::<PeerAddress>().is_ok())
            .filter(|text| text.parse().is_ok_and(|address| is_of_use(&address, local)))
            .take(MET_ADDRESSES_MAX)
            .collect();
        for text in own.iter().cloned().chain(addresses.others.iter().map(Text::shown)) {
            self.learn(&text, local, now);
        }
        if own != before {
            if let Some(found) = self.peers.get_mut(&peer) {
                found.addresses = own;
            }
            let others: Vec<_> = self.libp2p_peers().map(|(id, _)| id).filter(|id| *id != peer).collect();
            for other in others {
                self.send_addresses(other);
            }
        }
    }

    fn learn(&mut self, text: &str, local: bool, now: TimePoint) {
        let Ok(PeerAddress::Libp2p(address)) = text.parse() else { return };
        let Some(identity) = identity_of(text).filter(|identity| *identity != self.settings.identity) else { return };
        if is_of_use(&address, local) {
            // Two that hear of each other at the same time do not dial each other at the same time.
            let first = *self.settings.identity < *identity;
            self.book.note(identity, text, if first { now } else { now.plus_us(MEET_AGAIN_US) });
        }
    }

    /// Dials nodes that were told of, while there are few peers.
    pub(super) fn meet(&mut self, now: TimePoint) {
        let count = self.peers.values().filter(|peer| peer.wire.identity().is_some()).count();
        let under_way = self.dials.iter().filter(|dial| dial.was_told && !dial.is_connected()).count();
        let wanted = MET_PEERS_MAX.saturating_sub(count + under_way);
        if wanted == 0 {
            return;
        }
        let met = |identity: &str| {
            self.peers.values().any(|peer| peer.wire.identity() == Some(identity))
                || self.dials.iter().any(|dial| identity_of(&dial.address) == Some(identity))
        };
        let new = self.book.due(now).filter(|(identity, _)| !met(identity)).take(wanted);
        for address in new.map(|(_, address)| address.clone()).collect::<Vec<_>>() {
            if self.standing.banned_until(&Key::Dialled(address.clone()), now).is_some() {
                continue;
            }
            tracing::info!("a peer or the local network tells of a node at {address}");
            self.dials.add_told(&address, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use primitives::{ChainId, Checksum256};

    use super::*;
    use crate::core::tests::NoBlocks;
    use crate::core::{Charge, Input, Lane, Output, Settings, Stands, TransactionJudgement};
    use crate::wire::message::{VERSION, VERSION_BASE};
    use crate::wire::{GoAway, Handshake};

    fn identity(seed: u8) -> String {
        let keys = libp2p::identity::Keypair::ed25519_from_bytes([seed; 32]).unwrap();
        keys.public().to_peer_id().to_string()
    }

    fn address(host: &str, seed: u8) -> String {
        format!("/ip4/{host}/tcp/9876/p2p/{}", identity(seed))
    }

    const T: TimePoint = TimePoint(1_000_000_000_000);

    struct Stage {
        core: Core,
    }

    impl Stage {
        fn new() -> Self {
            let settings = Settings { identity: identity(1), max_nodes_per_host: 9, ..Settings::default() };
            let mut stage = Self { core: Core::new(settings, Stands::default()) };
            stage.step(Input::Listening { addresses: vec![address("10.0.0.1", 1)] }, T);
            stage
        }

        fn step(&mut self, input: Input, now: TimePoint) -> Vec<Output> {
            self.core.step(input, now, &NoBlocks)
        }

        /// A peer connects and says who it is.
        fn joined(&mut self, peer: PeerId, seed: u8, version: u16) -> Vec<Output> {
            let (wire, address) = (Wire::Libp2p { identity: identity(seed) }, IpAddr::from([10, 0, 0, seed]));
            self.step(Input::Connected { peer, wire, address, dialled: None }, T);
            self.greets(peer, seed, version)
        }

        fn greets(&mut self, peer: PeerId, seed: u8, version: u16) -> Vec<Output> {
            let handshake = Handshake {
                network_version: VERSION_BASE + version,
                chain_id: ChainId::default(),
                node_id: Checksum256([seed; 32]),
                p2p_address: Text::from("/ip4/10.0.0.9/tcp/1 - 1234567"),
                os: "linux".into(),
                generation: 1,
                ..Handshake::default()
            };
            self.says(peer, Message::Handshake(Box::new(handshake)))
        }

        fn says(&mut self, peer: PeerId, message: Message) -> Vec<Output> {
            self.step(Input::Received { peer, lane: Lane::Talk, message, charge: Charge::default() }, T)
        }

        fn tells(&mut self, peer: PeerId, own: &[String], others: &[String]) -> Vec<Output> {
            let texts = |list: &[String]| list.iter().map(|text| Text::from(&**text)).collect();
            self.says(peer, Message::Addresses(Addresses { own: texts(own), others: texts(others) }))
        }

        fn dials(&mut self, now: TimePoint) -> Vec<String> {
            let outputs = self.step(Input::Tick, now);
            let dials = outputs.into_iter().filter_map(|output| match output {
                Output::Dial { address } => Some(address),
                _ => None,
            });
            dials.collect()
        }
    }

    /// Addresses that were sent, to whom.
    fn told(outputs: &[Output]) -> Vec<(PeerId, Addresses)> {
        let messages = outputs.iter().filter_map(|output| match output {
            Output::Send { peer, lane: Lane::Talk, frame } => Some((*peer, Message::read(&frame[4..]).unwrap())),
            _ => None,
        });
        messages
            .filter_map(|(peer, message)| match message {
                Message::Addresses(addresses) => Some((peer, addresses)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn peers_tell_of_each_other() {
        let mut stage = Stage::new();
        let first = told(&stage.joined(2, 2, VERSION));
        assert_eq!(first, [(2, Addresses { own: vec![Text::from(&*address("10.0.0.1", 1))], others: vec![] })]);
        stage.tells(2, &[address("10.0.0.2", 2)], &[]);
        let second = told(&stage.joined(3, 3, VERSION));
        assert_eq!(second[0].1.others, [Text::from(&*address("10.0.0.2", 2))]);
        // Where the new one is, the other one hears.
        let news = told(&stage.tells(3, &[address("10.0.0.3", 3)], &[]));
        assert_eq!((news.len(), news[0].0), (1, 2));
        assert_eq!(news[0].1.others, [Text::from(&*address("10.0.0.3", 3))]);
        assert!(told(&stage.tells(3, &[address("10.0.0.3", 3)], &[])).is_empty(), "once");
        // Nobody is dialled who is a peer.
        assert!(stage.dials(T.plus_us(10 * MEET_AGAIN_US)).is_empty());
    }

    #[test]
    fn who_is_told_of_is_dialled_a_few_times() {
        let mut stage = Stage::new();
        stage.joined(2, 2, VERSION);
        let others = [
            address("10.0.0.4", 4),
            address("127.0.0.1", 5),
            address("0.0.0.0", 5),
            address("10.0.0.1", 1),
            "/ip4/10.0.0.6/tcp/1".to_owned(),
            "nonsense".to_owned(),
            "host:1".to_owned(),
        ];
        stage.tells(2, &[address("10.0.0.2", 2), address("10.0.0.7", 7)], &others);
        let mut now = T;
        let mut dials = 0;
        for _ in 0..200 {
            now = now.plus_us(MEET_AGAIN_US);
            // The peer stays: it says something.
            stage.core.peers.get_mut(&2).unwrap().heard = now;
            for dialled in stage.dials(now) {
                // What a peer says of its own address is only believed of its own identity.
                assert!(dialled == others[0] || dialled == address("10.0.0.7", 7), "{dialled}");
                dials += u32::from(dialled == others[0]);
                stage.step(Input::DialFailed { address: dialled, why: String::new(), turned_away: false }, now);
            }
        }
        assert_eq!(dials, MEET_FAILURES_MAX);
        assert!(stage.core.connections().iter().all(|one| one.peer.is_empty()), "what was told of goes");
    }

    /// This node dials `at`, where the node of `seed` answers.
    fn dialled(stage: &mut Stage, peer: PeerId, seed: u8, at: &str) -> Vec<Output> {
        let (wire, address) = (Wire::Libp2p { identity: identity(seed) }, IpAddr::from([10, 0, 0, seed]));
        stage.step(Input::Connected { peer, wire, address, dialled: Some(at.to_owned()) }, T);
        stage.greets(peer, seed, VERSION)
    }

    fn farewells(outputs: &[Output]) -> Vec<PeerId> {
        let to = outputs.iter().filter_map(|output| match output {
            Output::Send { peer, frame, .. } => {
                let duplicate = Message::GoAway { reason: GoAway::Duplicate, node_id: Checksum256::default() };
                (frame[4] == duplicate.frame()[4]).then_some(*peer)
            }
            _ => None,
        });
        to.collect()
    }

    #[test]
    fn a_node_of_two_addresses_is_one_peer() {
        let (named, told) = ("/ip4/10.0.0.2/tcp/9876", address("10.0.0.2", 2));
        // The one that a peer told of goes, whichever was there first; of two that the operator named, the later one.
        for told_first in [true, false] {
            let mut stage = Stage::new();
            stage.core.connect(named, T);
            stage.core.dials.add_told(&told, T);
            stage.dials(T);
            let ends: [(PeerId, &str); 2] =
                if told_first { [(2, &told), (3, named)] } else { [(3, named), (2, &told)] };
            assert_eq!(farewells(&dialled(&mut stage, ends[0].0, 2, ends[0].1)), Vec::<PeerId>::new());
            assert_eq!(farewells(&dialled(&mut stage, ends[1].0, 2, ends[1].1)), [2]);
        }
        let mut stage = Stage::new();
        for (peer, at) in [(2, named), (3, &told)] {
            stage.core.connect(at, T);
            stage.dials(T);
            assert_eq!(farewells(&dialled(&mut stage, peer, 2, at)), if peer == 3 { vec![3] } else { vec![] });
        }
    }

    #[test]
    fn the_operator_parts_with_a_node_until_it_is_wanted_again() {
        let mut stage = Stage::new();
        let named = "/ip4/10.0.0.2/tcp/9876";
        stage.joined(3, 3, VERSION);
        stage.core.connect(named, T);
        stage.dials(T);
        dialled(&mut stage, 2, 2, named);
        stage.tells(2, &[address("10.0.0.2", 2)], &[]);
        assert_eq!(stage.core.disconnect(named, T).0, "connection removed");
        let later = T.plus_us(2 * MEET_AGAIN_US);
        assert!(stage.dials(later).is_empty(), "what it told of itself does not bring it back");
        stage.tells(3, &[], &[address("10.0.0.2", 2)]);
        assert!(stage.dials(later).is_empty(), "nor what others tell");
        // It comes back when it is named, and then a broken connection is made again as that of others.
        stage.core.connect(named, T);
        assert_eq!(stage.dials(later), [named]);
        dialled(&mut stage, 4, 2, named);
        stage.core.dials.remove(named);
        stage.step(Input::Closed { peer: 4 }, later);
        assert_eq!(stage.dials(later.plus_us(2 * MEET_AGAIN_US)), [address("10.0.0.2", 2)]);
    }

    #[test]
    fn memory_for_nodes_is_bounded() {
        let mut stage = Stage::new();
        stage.joined(2, 2, VERSION);
        for number in 0..1000_u32 {
            let keys = libp2p::identity::Keypair::ed25519_from_bytes(primitives::Sha256::of(&number.to_le_bytes()).0);
            let identity = keys.unwrap().public().to_peer_id();
            let now = T.plus_us(i64::from(number) * 1_000_000);
            let address = format!("/ip4/10.1.0.1/tcp/{}/p2p/{identity}", number + 1);
            let message = Message::Addresses(Addresses { own: vec![], others: vec![Text::from(&*address)] });
            stage.step(Input::Received { peer: 2, lane: Lane::Talk, message, charge: Charge::default() }, now);
        }
        assert_eq!(stage.core.book.nodes.len(), MET_MAX);
        stage.core.book.part(&identity(8));
        assert_eq!(stage.core.book.nodes.len(), MET_MAX);
        for port in 1..100 {
            let address = format!("/ip4/10.1.0.1/tcp/{port}/p2p/{}", identity(9));
            stage.core.book.note(&identity(9), &address, T);
        }
        assert!(stage.core.book.nodes.values().all(|met| met.addresses.len() <= MET_ADDRESSES_MAX));
    }

    #[test]
    fn another_version_is_refused_where_there_is_no_older_one() {
        let mut stage = Stage::new();
        let outputs = stage.joined(2, 2, VERSION + 1);
        let refused = outputs.iter().any(|output| {
            let Output::Send { frame, .. } = output else { return false };
            matches!(Message::read(&frame[4..]), Ok(Message::GoAway { reason: GoAway::WrongVersion, .. }))
        });
        assert!(refused && told(&outputs).is_empty());
    }

    #[test]
    fn transactions_of_gossip_end_as_something() {
        use primitives::{Compression, PackedTransaction, SignedTransaction, TimePointSec};
        let mut stage = Stage::new();
        let packed = PackedTransaction::new(&SignedTransaction::default(), Compression::None);
        let mut transaction = crate::wire::TransactionMessage::read(packed).unwrap();
        let done = |outputs: &[Output]| {
            outputs
                .iter()
                .any(|output| matches!(output, Output::TransactionDone { judgement: TransactionJudgement::NotNow, .. }))
        };
        let message = |transaction: &crate::wire::TransactionMessage| Message::Transaction(transaction.clone());
        // Of nobody, of somebody who has not said who it is, and an expired one.
        assert!(done(&stage.says(2, message(&transaction))));
        let wire = Wire::Libp2p { identity: identity(2) };
        stage.step(Input::Connected { peer: 2, wire, address: IpAddr::from([10, 0, 0, 2]), dialled: None }, T);
        assert!(done(&stage.says(2, message(&transaction))));
        assert!(stage.core.peers.contains_key(&2), "gossip may come before the introduction");
        stage.joined(3, 3, VERSION);
        assert!(done(&stage.says(3, message(&transaction))));
        transaction.expiration = TimePointSec((T.0 / 1_000_000) as u32 + 60);
        let outputs = stage.says(3, message(&transaction));
        assert!(matches!(outputs[..], [Output::TakeTransaction { .. }]), "{outputs:?}");
        assert!(stage.says(3, message(&transaction)).is_empty(), "it is being judged");
        let accepted = stage.step(Input::Accepted(transaction.clone()), T);
        assert!(accepted.is_empty(), "few peers are given it: {accepted:?}");
        let judged = Input::TransactionJudged {
            peer: 3,
            id: transaction.id,
            judgement: TransactionJudgement::Accepted,
            why: String::new(),
        };
        let judged = stage.step(judged, T);
        assert!(matches!(judged[..], [Output::TransactionDone { .. }]), "{judged:?}");
    }
}
