//! Transactions between nodes of ours: many in one message. What a transaction costs a node is the messages that bring
//! it and take it away, not its bytes. So accepted ones are gathered until the next tick, and go together to a few peers,
//! who do the same. The peers stand on a ring with this node, by the ids of their nodes, and it gives to the next one and
//! to those at a half, a fourth and so on of the ring: where all are connected each node gets each transaction from as
//! many as it gives to, and all get it within a few ticks, in the order in which one node took them.
//!
//! The others are told the ids a while later, those left out that they are known to have, and ask for what they lack: so
//! a peer that keeps things to itself keeps nothing from others. Where a node has many peers gossip does both.

use codec::Pack;
use primitives::{TimePoint, TransactionId};
use rustc_hash::FxHashMap;

use super::link::Wire;
use super::peer::{Peer, PeerId};
use super::{Charge, Core, Lane};
use crate::limits::{
    ANNOUNCE_US, ANNOUNCED_MAX, IDS_AT_ONCE_MAX, QUEUED_BYTES_FOR_TRANSACTIONS, SHARED_BYTES_MAX, SHARED_MAX,
    SHARED_WITH, WANTED_MAX, WANTED_US,
};
use crate::wire::{Message, TransactionMessage, transactions_frame};

/// What is on its way to peers of ours.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    /// Accepted since the last tick.
    gathered: Vec<TransactionMessage>,
    bytes: usize,
    /// Accepted since the last announcement, and those that the next one tells of.
    young: Vec<TransactionId>,
    told_next: Vec<TransactionId>,
    announced: TimePoint,
    /// Asked for, until another peer may be asked.
    wanted: FxHashMap<TransactionId, TimePoint>,
}

impl Sharing {
    /// Ids that wait to be announced or to be answered.
    pub fn ids(&self) -> usize {
        self.young.len().max(self.told_next.len()).max(self.wanted.len())
    }

    /// A transaction came.
    pub fn came(&mut self, id: &TransactionId) {
        self.wanted.remove(id);
    }
}

/// How far from a node on a ring of so many those are whom it gives to.
fn distances(nodes: usize) -> Vec<usize> {
    if nodes <= SHARED_WITH + 1 {
        return (1..nodes).collect();
    }
    let mut distances: Vec<_> = (1..SHARED_WITH).map(|halvings| (nodes >> halvings).max(1)).collect();
    distances.push(1);
    distances.dedup();
    distances
}

impl Core {
    /// Whether transactions go to a peer now.
    pub(super) fn takes_transactions(peer: &Peer) -> bool {
        peer.is_current() && peer.kind.has_transactions() && peer.queued < QUEUED_BYTES_FOR_TRANSACTIONS
    }

    /// Peers of ours that transactions go to now.
    fn sharers(&self) -> impl Iterator<Item = (PeerId, &Peer)> {
        let ours = self.peers.iter().filter(|(_, peer)| matches!(peer.wire, Wire::Libp2p { .. }));
        ours.filter(|(_, peer)| Self::takes_transactions(peer)).map(|(id, peer)| (*id, peer))
    }

    /// Whether there are so many of them that gossip is cheaper.
    pub(super) fn has_gossip_share(&self) -> bool {
        self.sharers().count() > self.settings.meshing.pushed_max
    }

    /// Gathers an accepted transaction for peers of ours.
    pub(super) fn share(&mut self, transaction: &TransactionMessage) {
        self.sharing.bytes += transaction.packed.packed_size();
        self.sharing.gathered.push(transaction.clone());
        if self.sharing.young.len() < ANNOUNCED_MAX {
            self.sharing.young.push(transaction.id);
        }
        if self.sharing.bytes >= SHARED_BYTES_MAX || self.sharing.gathered.len() >= SHARED_MAX {
            self.give_gathered();
        }
    }

    /// Time passes: what was gathered goes out, and what went out before is told of.
    pub(super) fn keep_sharing(&mut self, now: TimePoint) {
        self.give_gathered();
        if now.us_since(self.sharing.announced) < ANNOUNCE_US {
            return;
        }
        self.sharing.announced = now;
        self.sharing.wanted.retain(|_, until| *until > now);
        let next = std::mem::take(&mut self.sharing.young);
        let told = std::mem::replace(&mut self.sharing.told_next, next);
        for peer in self.sharers().map(|(id, _)| id).collect::<Vec<_>>() {
            let lacking: Vec<_> = told.iter().filter(|id| !self.transactions.has(id, peer)).copied().collect();
            for ids in lacking.chunks(IDS_AT_ONCE_MAX) {
                self.send(peer, &Message::Have(ids.to_vec()));
            }
        }
    }

    fn give_gathered(&mut self) {
        self.sharing.bytes = 0;
        let gathered = std::mem::take(&mut self.sharing.gathered);
        if !gathered.is_empty() {
            for peer in self.next_on_ring() {
                self.give(peer, &gathered);
            }
        }
    }

    fn next_on_ring(&self) -> Vec<PeerId> {
        let own = self.settings.node_id;
        let mut ring: Vec<_> = self
            .sharers()
            .map(|(id, peer)| {
                let node = peer.node_id().unwrap_or_default();
                (node < own, node, id)
            })
            .collect();
        ring.sort_unstable();
        let places = distances(ring.len() + 1);
        places.into_iter().filter_map(|distance| ring.get(distance - 1)).map(|(.., id)| *id).collect()
    }

    /// Gives a peer those of some transactions that it lacks, as far as is known, in as few messages as may be.
    fn give(&mut self, peer: PeerId, transactions: &[TransactionMessage]) {
        let lacks = |transaction: &&TransactionMessage| self.transactions.note_has(&transaction.id, peer);
        let lacking: Vec<_> = transactions.iter().filter(lacks).collect();
        self.send_together(peer, lacking.into_iter());
    }

    /// Sends a peer of ours transactions, as long as it takes them.
    pub(super) fn send_together<'a>(
        &mut self,
        peer: PeerId,
        transactions: impl Iterator<Item = &'a TransactionMessage>,
    ) {
        let mut transactions = transactions.map(|transaction| transaction.packed.as_ref()).peekable();
        while transactions.peek().is_some() && self.peers.get(&peer).is_some_and(Self::takes_transactions) {
            let (mut together, mut bytes) = (Vec::new(), 0);
            while together.len() < SHARED_MAX
                && let Some(packed) =
                    transactions.next_if(|next| bytes == 0 || bytes + next.packed_size() <= SHARED_BYTES_MAX)
            {
                bytes += packed.packed_size();
                together.push(packed);
            }
            self.send_frame(peer, Lane::News, transactions_frame(&together).into());
        }
    }

    /// Several transactions came together. Each is judged as if it had come alone.
    pub(super) fn transactions_came(
        &mut self,
        peer: PeerId,
        transactions: Vec<TransactionMessage>,
        charge: Charge,
        now: TimePoint,
    ) {
        for (transaction, charge) in transactions.into_iter().zip(charge.shared()) {
            self.transaction_came(peer, transaction, charge, false, now);
            if self.peers.get(&peer).is_none_or(|found| found.leaving) {
                return;
            }
        }
    }

    /// A peer says which transactions it has: it is asked for those that are news.
    pub(super) fn told_of(&mut self, peer: PeerId, ids: &[TransactionId], now: TimePoint) {
        if !self.settings.accept_transactions || self.is_behind(now) {
            return;
        }
        let mut asked = Vec::new();
        for id in ids {
            if self.transactions.is_known(id) {
                self.transactions.note_has(id, peer);
            } else if self.sharing.wanted.get(id).is_none_or(|until| *until <= now)
                && self.sharing.wanted.len() < WANTED_MAX
            {
                self.sharing.wanted.insert(*id, now.plus_us(WANTED_US));
                asked.push(*id);
            }
        }
        if !asked.is_empty() {
            self.send(peer, &Message::Want(asked));
        }
    }

    /// A peer asks for transactions. It gets each once.
    pub(super) fn asked_for(&mut self, peer: PeerId, ids: &[TransactionId], now: TimePoint) {
        if !self.peers.get(&peer).is_some_and(Self::takes_transactions) {
            return;
        }
        let clock = self.clock(now);
        let found = ids.iter().filter_map(|id| self.recent.find(id, clock));
        let found: Vec<TransactionMessage> = found.cloned().collect();
        self.give(peer, &found);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::IpAddr;
    use std::sync::{Arc, Mutex};

    use primitives::{Checksum256, Compression, PackedTransaction, SignedTransaction, TimePointSec};

    use super::*;
    use crate::core::tests::Chain;
    use crate::core::{Input, Output, Settings, TransactionJudgement};
    use crate::wire::message::{VERSION, VERSION_BASE};
    use crate::wire::{Handshake, WireError};

    const BEGIN: TimePoint = TimePoint(1_000_000_000_000);
    const TICK_US: i64 = 50_000;

    fn transaction(number: u32) -> TransactionMessage {
        let mut signed = SignedTransaction::default();
        signed.transaction.header.ref_block_prefix = number;
        signed.transaction.header.expiration = TimePointSec((BEGIN.0 / 1_000_000) as u32 + 60);
        TransactionMessage::read(PackedTransaction::new(&signed, Compression::None)).unwrap()
    }

    fn address(node: usize) -> IpAddr {
        IpAddr::from([10, 0, 0, node as u8 + 1])
    }

    /// A node, and what came to it.
    struct Node {
        core: Core,
        taken: Vec<TransactionId>,
        /// Transactions that were given to it, known ones too, and the messages that had them.
        copies: usize,
        messages: usize,
        closed: Vec<PeerId>,
        asks: usize,
    }

    /// Nodes that are all connected. `lost` says what does not arrive from whom at whom, `judge` what transactions are.
    struct Net {
        nodes: Vec<Node>,
        chain: Chain,
        now: TimePoint,
        lost: fn(usize, usize, &Message) -> bool,
        judge: fn(&TransactionMessage) -> TransactionJudgement,
    }

    impl Net {
        fn new(count: usize, wire: fn(usize) -> Wire) -> Self {
            let chain = Chain::of(10);
            let node_id = |node: usize| primitives::Sha256::of(&[node as u8]);
            let node = |number| {
                let settings = Settings {
                    node_id: node_id(number),
                    max_nodes_per_host: 100,
                    max_clients: 0,
                    ..Settings::default()
                };
                let core = Core::new(settings, chain.stands());
                Node { core, taken: Vec::new(), copies: 0, messages: 0, closed: Vec::new(), asks: 0 }
            };
            let nodes = (0..count).map(node).collect();
            let (lost, judge) = (
                (|_, _, _| false) as fn(usize, usize, &Message) -> bool,
                (|_| TransactionJudgement::Accepted) as fn(&TransactionMessage) -> TransactionJudgement,
            );
            let mut net = Self { nodes, chain, now: BEGIN, lost, judge };
            for at in 0..count {
                for other in (0..count).filter(|other| *other != at) {
                    let peer = other as PeerId;
                    let connected =
                        Input::Connected { peer, wire: wire(other), address: address(other), dialled: None };
                    net.step(at, connected);
                    let handshake = Handshake {
                        network_version: VERSION_BASE + VERSION,
                        node_id: node_id(other),
                        time: net.now.0 * 1000,
                        p2p_address: "a:1 - 1234567".into(),
                        irreversible: net.chain.stands().irreversible,
                        head: net.chain.head(),
                        os: "linux".into(),
                        generation: 1,
                        ..Handshake::default()
                    };
                    net.comes(at, other, Message::Handshake(Box::new(handshake)));
                }
            }
            net
        }

        fn ours(count: usize) -> Self {
            Self::new(count, |node| Wire::Libp2p { identity: format!("node{node}") })
        }

        fn comes(&mut self, at: usize, from: usize, message: Message) {
            self.step(
                at,
                Input::Received { peer: from as PeerId, lane: Lane::News, message, charge: Charge::default() },
            );
        }

        fn step(&mut self, at: usize, input: Input) {
            let outputs = self.nodes[at].core.step(input, self.now, &self.chain);
            for output in outputs {
                match output {
                    Output::Send { peer, lane, frame } => {
                        self.step(at, Input::Written { peer, lane, bytes: frame.len() });
                        let (to, message) = (peer as usize, Message::read(&frame[4..]).unwrap());
                        let is_ours = matches!(message, Message::Transactions(_) | Message::Have(_) | Message::Want(_));
                        if !is_ours || (self.lost)(at, to, &message) {
                            continue;
                        }
                        let node = &mut self.nodes[to];
                        match &message {
                            Message::Transactions(transactions) => {
                                node.copies += transactions.len();
                                node.messages += 1;
                            }
                            Message::Want(_) => self.nodes[at].asks += 1,
                            _ => {}
                        }
                        self.comes(to, at, message);
                    }
                    Output::TakeTransaction { peer, transaction, .. } => {
                        self.nodes[at].taken.push(transaction.id);
                        let (id, judgement) = (transaction.id, (self.judge)(&transaction));
                        self.step(at, Input::TransactionJudged { peer, id, judgement, why: String::new() });
                        if judgement == TransactionJudgement::Accepted {
                            self.step(at, Input::Accepted(transaction));
                        }
                    }
                    Output::Close { peer, .. } => self.nodes[at].closed.push(peer),
                    Output::Publish(_) => panic!("it goes by gossip"),
                    _ => {}
                }
            }
        }

        fn accepts(&mut self, at: usize, numbers: std::ops::Range<u32>) -> Vec<TransactionId> {
            let transactions: Vec<_> = numbers.map(transaction).collect();
            let ids = transactions.iter().map(|transaction| transaction.id).collect();
            transactions.into_iter().for_each(|transaction| self.step(at, Input::Accepted(transaction)));
            ids
        }

        fn ticks(&mut self, count: usize) {
            for _ in 0..count {
                self.now = self.now.plus_us(TICK_US);
                // What one sends in a tick is sent on in the next one.
                (0..self.nodes.len()).rev().for_each(|at| self.step(at, Input::Tick));
            }
        }
    }

    #[test]
    fn who_gives_to_whom_reaches_all_and_costs_each_the_same() {
        for nodes in 1..=60 {
            let distances = distances(nodes);
            assert!(distances.len() <= SHARED_WITH && distances.iter().all(|distance| (1..nodes).contains(distance)));
            let mut hops = BTreeMap::from([(0, 0)]);
            for hop in 0..nodes {
                let reached: Vec<_> = hops.iter().filter(|(_, at)| **at == hop).map(|(node, _)| *node).collect();
                for (node, distance) in reached.iter().flat_map(|node| distances.iter().map(move |way| (node, way))) {
                    hops.entry((node + distance) % nodes).or_insert(hop + 1);
                }
            }
            assert_eq!(hops.len(), nodes);
            assert!(nodes > 30 || hops.values().all(|hop| *hop <= 5), "{nodes}: {hops:?}");
        }
    }

    #[test]
    fn many_transactions_come_in_few_messages_and_in_order() {
        let mut net = Net::ours(21);
        let sent = net.accepts(3, 0..100);
        net.ticks(6);
        for (at, node) in net.nodes.iter().enumerate().filter(|(at, _)| *at != 3) {
            assert_eq!(node.taken, sent, "node {at}");
            assert!(
                node.copies <= SHARED_WITH * 100 && node.messages <= SHARED_WITH,
                "{} {}",
                node.copies,
                node.messages
            );
        }
        assert!(net.nodes[3].taken.is_empty());
        // Nobody lacks anything when the others say what they have.
        net.ticks(30);
        assert!(net.nodes.iter().all(|node| node.asks == 0 && node.messages <= SHARED_WITH && node.closed.is_empty()));
    }

    #[test]
    fn what_is_not_given_is_asked_for() {
        let mut net = Net::ours(21);
        // Nothing comes to node 7.
        net.lost = |_, to, message| to == 7 && matches!(message, Message::Transactions(_));
        let sent = net.accepts(3, 0..10);
        net.ticks(6);
        assert!(net.nodes[7].taken.is_empty());
        net.lost = |_, _, _| false;
        net.ticks((2 * ANNOUNCE_US / TICK_US) as usize);
        assert_eq!(net.nodes[7].taken, sent);
        assert_eq!((net.nodes[7].asks, net.nodes[7].copies), (1, 10), "one is asked, once");
        // It does not pass on again what all have.
        net.ticks(30);
        assert!(net.nodes.iter().all(|node| node.copies <= SHARED_WITH * 10));
    }

    #[test]
    fn who_does_not_answer_is_not_waited_for() {
        let mut net = Net::ours(3);
        let (known, id) = (transaction(1), transaction(1).id);
        // The first one says what it has, and gives nothing.
        net.lost = |_, to, message| to == 1 && matches!(message, Message::Want(_));
        net.comes(0, 1, Message::Have(vec![id]));
        net.comes(0, 2, Message::Have(vec![id]));
        assert_eq!(net.nodes[0].asks, 0, "its question is lost, and nobody else is asked meanwhile");
        net.now = net.now.plus_us(WANTED_US);
        net.step(2, Input::Accepted(known));
        net.comes(0, 2, Message::Have(vec![id]));
        assert_eq!((net.nodes[0].asks, &net.nodes[0].taken[..]), (1, &[id][..]));
        // Each gets it once, however often it asks.
        let copies = net.nodes[1].copies;
        (0..5).for_each(|_| net.comes(2, 1, Message::Want(vec![id])));
        assert_eq!(net.nodes[1].copies, copies + 1);
    }

    #[test]
    fn a_bad_one_costs_who_gave_it_and_not_those_beside_it() {
        let mut net = Net::ours(3);
        net.judge = |transaction| match transaction.packed.transaction().unwrap().header.ref_block_prefix {
            number if number >= 100 => TransactionJudgement::Bad,
            _ => TransactionJudgement::Accepted,
        };
        let together =
            |numbers: &[u32]| Message::Transactions(numbers.iter().map(|number| transaction(*number)).collect());
        net.comes(0, 1, together(&[1, 100, 2]));
        let [first, bad, second] = [1, 100, 2].map(|number| transaction(number).id);
        assert_eq!(net.nodes[0].taken, [first, bad, second]);
        net.ticks(3);
        assert_eq!(net.nodes[2].taken, [first, second], "the bad one goes no further");
        assert!(net.nodes[0].closed.is_empty());
        // As many as cost it its connection, one by one or together.
        net.comes(0, 1, together(&(101..110).collect::<Vec<_>>()));
        assert_eq!(net.nodes[0].closed, [1]);
        let taken = net.nodes[0].taken.len();
        net.comes(0, 1, together(&[3]));
        assert_eq!(net.nodes[0].taken.len(), taken, "nothing more is taken of it");
    }

    #[test]
    fn these_messages_are_bounded_and_of_this_wire_alone() {
        let same = transaction(1);
        let read = |message: Message| Message::read(&message.frame()[4..]);
        assert!(read(Message::Transactions(vec![same.clone(); SHARED_MAX])).is_ok());
        let refused = read(Message::Transactions(vec![same.clone(); SHARED_MAX + 1]));
        assert!(matches!(refused, Err(WireError::Transactions(..))), "{refused:?}");
        assert!(read(Message::Have(vec![same.id; IDS_AT_ONCE_MAX])).is_ok());
        for ids in [Message::Have, Message::Want] {
            assert!(matches!(read(ids(vec![same.id; IDS_AT_ONCE_MAX + 1])), Err(WireError::Transactions(..))));
        }
        for message in
            [Message::Transactions(vec![same.clone()]), Message::Have(vec![same.id]), Message::Want(vec![same.id])]
        {
            let mut net = Net::new(2, |_| Wire::Nodeos);
            net.comes(0, 1, message);
            assert_eq!((&net.nodes[0].closed[..], net.nodes[0].taken.len()), (&[1][..], 0));
        }
        // What peers tell and ask takes no memory beyond its bound.
        let mut net = Net::ours(2);
        for number in 0..WANTED_MAX as u32 + 1000 {
            let mut id = [0; 32];
            id[..4].copy_from_slice(&number.to_be_bytes());
            net.nodes[0].core.told_of(1, &[Checksum256(id)], BEGIN);
        }
        assert_eq!(net.nodes[0].core.sharing.ids(), WANTED_MAX);
        net.ticks(2 * (WANTED_US / TICK_US) as usize);
        assert_eq!(net.nodes[0].core.sharing.ids(), 0);
    }

    #[test]
    fn a_message_is_paid_for_until_its_last_transaction_is_judged() {
        struct Paid(Arc<Mutex<bool>>);
        impl Drop for Paid {
            fn drop(&mut self) {
                *self.0.lock().unwrap() = false;
            }
        }
        let paid = Arc::new(Mutex::new(true));
        let charge = Charge(Some(Box::new(Paid(Arc::clone(&paid)))));
        let mut parts: Vec<_> = charge.shared().take(3).collect();
        while parts.pop().is_some() {
            assert_eq!(*paid.lock().unwrap(), !parts.is_empty());
        }
    }
}
