//! Networks of cores in one thread: messages go from one to the other as bytes, time is a number.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use codec::{Pack, Unpack};
use primitives::{
    BlockHeader, BlockId, BlockTimestamp, ChainId, Checksum256, PackedTransaction, TimePoint, TimePointSec,
    block::SignedBlockHeader,
};

use super::*;
use crate::limits::{KNOWN_BLOCKS_MAX, STALL_US, TRANSACTIONS_IN_HAND_PER_PEER_MAX};
use crate::wire::message::{Text, VERSION, VERSION_BASE};
use crate::wire::{Mode, Pending, Request, SyncRequest, Time, block_frame};

mod hostile;

/// A chain without rules: blocks that link.
#[derive(Debug, Default, Clone)]
pub(crate) struct Chain {
    ids: BTreeMap<u32, BlockId>,
    blocks: BTreeMap<BlockId, Arc<[u8]>>,
}

impl Blocks for Chain {
    fn id_at(&self, num: u32) -> Option<BlockId> {
        self.ids.get(&num).copied()
    }

    fn block_at(&self, num: u32) -> Option<Arc<[u8]>> {
        self.blocks.get(self.ids.get(&num)?).cloned()
    }

    fn has(&self, id: &BlockId) -> bool {
        self.blocks.contains_key(id)
    }
}

/// A disk without a block.
pub(super) struct NoBlocks;

impl Blocks for NoBlocks {
    fn id_at(&self, _: u32) -> Option<BlockId> {
        None
    }

    fn block_at(&self, _: u32) -> Option<Arc<[u8]>> {
        None
    }

    fn has(&self, _: &BlockId) -> bool {
        false
    }
}

/// A block after another one; `branch` makes it another block.
pub(crate) fn block_after(previous: BlockId, branch: u32) -> BlockMessage {
    let num = Point::of(previous).num + 1;
    let header =
        BlockHeader { previous, timestamp: BlockTimestamp(num), schedule_version: branch, ..BlockHeader::default() };
    // No receipts and no extensions follow.
    let bytes = [SignedBlockHeader { header, ..SignedBlockHeader::default() }.to_bytes(), vec![0, 0]].concat();
    BlockMessage::read(&bytes).unwrap()
}

impl Chain {
    /// A chain of this many blocks.
    pub(crate) fn of(length: u32) -> Self {
        let mut chain = Self::default();
        (0..length).for_each(|_| drop(chain.grow(0)));
        chain
    }

    pub(crate) fn head(&self) -> Point {
        self.ids.last_key_value().map_or(Point::default(), |(num, id)| Point { num: *num, id: *id })
    }

    pub(crate) fn grow(&mut self, branch: u32) -> BlockMessage {
        let block = block_after(self.head().id, branch);
        self.join(&block);
        block
    }

    /// Whether a block follows what is there.
    pub(crate) fn join(&mut self, block: &BlockMessage) -> bool {
        let links = block.num == 1 || self.blocks.contains_key(&block.previous);
        if links {
            self.blocks.insert(block.id, Arc::clone(&block.bytes));
            if block.num > self.head().num {
                self.ids.insert(block.num, block.id);
            }
        }
        links
    }

    /// Takes a block, or says why not. A branch of 666 breaks the chain's rules.
    pub(crate) fn judge(&mut self, block: &BlockMessage) -> BlockJudgement {
        let bad = SignedBlockHeader::from_prefix(&block.bytes).unwrap().header.schedule_version == 666;
        match () {
            () if bad => BlockJudgement::BadHeader,
            () if self.join(block) => BlockJudgement::Good,
            () => BlockJudgement::Unlinkable,
        }
    }

    /// As one producer's chain stands: all but the head is irreversible.
    pub(crate) fn stands(&self) -> Stands {
        let irreversible = self.head().num.saturating_sub(1).max(1);
        Stands {
            head: self.head(),
            irreversible: Point { num: irreversible, id: self.ids[&irreversible] },
            earliest: 1,
        }
    }
}

/// What a node does with blocks on their way out.
type Lie = fn(u32, Arc<[u8]>) -> Option<Arc<[u8]>>;

fn honest(_: u32, frame: Arc<[u8]>) -> Option<Arc<[u8]>> {
    Some(frame)
}

struct Node {
    core: Core,
    chain: Chain,
    lie: Lie,
    /// Transactions that reached it.
    transactions: Vec<TransactionId>,
    closed: Vec<PeerId>,
    said: Vec<Message>,
}

/// Nodes and what travels between them.
struct Net {
    nodes: Vec<Node>,
    /// To a node, over which of its connections.
    travelling: VecDeque<(usize, PeerId, Arc<[u8]>)>,
    /// Both ends of connections.
    lines: BTreeMap<(usize, PeerId), (usize, PeerId)>,
    now: TimePoint,
}

fn settings(node: u8) -> Settings {
    let mut id = [0; 32];
    id[0] = node + 1;
    Settings {
        node_id: Checksum256(id),
        server_address: format!("node{node}:9876"),
        max_nodes_per_host: 100,
        sync_fetch_span: 10,
        ..Settings::default()
    }
}

fn host(node: usize) -> IpAddr {
    IpAddr::from([10, 0, 0, node as u8])
}

impl Net {
    fn new(lengths: &[u32]) -> Self {
        let node = |(number, length): (usize, &u32)| {
            let chain = Chain::of(*length);
            let core = Core::new(settings(number as u8), chain.stands());
            Node { core, chain, lie: honest, transactions: Vec::new(), closed: Vec::new(), said: Vec::new() }
        };
        let nodes = lengths.iter().enumerate().map(node).collect();
        Self { nodes, travelling: VecDeque::new(), lines: BTreeMap::new(), now: TimePoint(1_000_000_000_000) }
    }

    /// `from` dials `to`.
    fn link(&mut self, from: usize, to: usize) {
        let (here, there) = ((from, 100 + to as PeerId), (to, 200 + from as PeerId));
        self.lines.insert(here, there);
        self.lines.insert(there, here);
        let address = format!("node{to}:9876");
        assert_eq!(self.nodes[from].core.connect(&address, self.now), "added connection");
        self.step(from, Input::Tick);
        self.nodes[to].core.admits(host(from), self.now).unwrap();
        self.step(to, Input::Connected { peer: there.1, wire: Wire::Nodeos, address: host(from), dialled: None });
        self.step(
            from,
            Input::Connected { peer: here.1, wire: Wire::Nodeos, address: host(to), dialled: Some(address) },
        );
    }

    fn step(&mut self, at: usize, input: Input) {
        let node = &mut self.nodes[at];
        let outputs = node.core.step(input, self.now, &node.chain);
        for output in outputs {
            self.perform(at, output);
        }
    }

    fn perform(&mut self, at: usize, output: Output) {
        match output {
            Output::Dial { .. } => {}
            Output::Send { peer, lane, frame } => {
                let bytes = frame.len();
                let message = Message::read(&frame[4..]).unwrap();
                let frame = match &message {
                    Message::Block(block) => (self.nodes[at].lie)(block.num, frame),
                    _ => Some(frame),
                };
                self.nodes[at].said.push(message);
                if let (Some(frame), Some((to, line))) = (frame, self.lines.get(&(at, peer))) {
                    self.travelling.push_back((*to, *line, frame));
                }
                self.step(at, Input::Written { peer, lane, bytes });
            }
            Output::Close { peer, .. } => {
                self.nodes[at].closed.push(peer);
                if let Some((to, line)) = self.lines.remove(&(at, peer)) {
                    self.lines.remove(&(to, line));
                    self.step(at, Input::Closed { peer });
                    self.step(to, Input::Closed { peer: line });
                }
            }
            Output::TakeBlock { peer, block, epoch, .. } => {
                let (id, bytes) = (block.id, block.bytes.len());
                let judgement = self.nodes[at].chain.judge(&block);
                if judgement == BlockJudgement::Good {
                    self.step(at, Input::HeaderGood { id });
                }
                self.step(at, Input::BlockJudged { peer, id, bytes, epoch, judgement, why: String::new() });
                let stands = self.nodes[at].chain.stands();
                self.step(at, Input::Stands(stands));
            }
            Output::TakeTransaction { peer, transaction, .. } => {
                self.nodes[at].transactions.push(transaction.id);
                let judgement = TransactionJudgement::Accepted;
                self.step(at, Input::TransactionJudged { peer, id: transaction.id, judgement, why: String::new() });
                self.step(at, Input::Accepted(transaction));
            }
            Output::Publish(_) | Output::TransactionDone { .. } => {}
            Output::PublishBlock { .. } | Output::BlockDone { .. } => unreachable!("there is no gossip"),
        }
    }

    /// Lets everything arrive that travels.
    fn settle(&mut self) {
        for _ in 0..100_000 {
            let Some((to, peer, frame)) = self.travelling.pop_front() else { return };
            if self.lines.contains_key(&(to, peer)) {
                let message = Message::read(&frame[4..]).unwrap();
                self.step(to, Input::Received { peer, lane: Lane::Talk, message, charge: Charge::default() });
            }
        }
        panic!("the network does not come to rest");
    }

    /// Time passes for all.
    fn wait(&mut self, seconds: i64) {
        for _ in 0..seconds * 10 {
            self.now = self.now.plus_us(100_000);
            (0..self.nodes.len()).for_each(|at| self.step(at, Input::Tick));
            self.settle();
        }
    }

    fn make_block(&mut self, at: usize) -> BlockMessage {
        let block = self.nodes[at].chain.grow(0);
        let stands = self.nodes[at].chain.stands();
        self.step(at, Input::Stands(stands));
        self.settle();
        block
    }

    fn heads(&self) -> Vec<u32> {
        self.nodes.iter().map(|node| node.chain.head().num).collect()
    }
}

fn go_aways(node: &Node) -> Vec<GoAway> {
    let reason = |message: &Message| if let Message::GoAway { reason, .. } = message { Some(*reason) } else { None };
    node.said.iter().filter_map(reason).collect()
}

#[test]
fn a_held_block_waits_until_its_header_is_known_to_be_good() {
    let mut net = Net::new(&[3, 3, 3]);
    net.link(0, 1);
    net.link(1, 2);
    net.settle();
    let block = net.nodes[0].chain.clone().grow(0);
    let frame = block_frame(&block.bytes);
    let sent = |net: &Net| {
        let is_it = |message: &&Message| matches!(message, Message::Block(sent) if sent.id == block.id);
        net.nodes[1].said.iter().filter(is_it).count()
    };
    let message = Message::read(&frame[4..]).unwrap();
    let (id, bytes, now) = (block.id, block.bytes.len(), net.now);
    let node = &mut net.nodes[1];
    let taken = node.core.step(
        Input::Received { peer: 200, lane: Lane::Talk, message, charge: Charge::default() },
        now,
        &node.chain,
    );
    assert!(matches!(taken[..], [Output::TakeBlock { .. }]), "{taken:?}");
    let judgement = BlockJudgement::Held;
    net.step(1, Input::BlockJudged { peer: 200, id, bytes, epoch: None, judgement, why: String::new() });
    assert_eq!(sent(&net), 0, "nobody has looked at its header");
    net.nodes[1].chain.join(&block);
    let stands = net.nodes[1].chain.stands();
    net.step(1, Input::Stands(stands));
    assert_eq!(sent(&net), 1, "it is in the chain");
}

#[test]
fn a_node_that_is_behind_comes_to_the_head() {
    for (behind, ahead) in [(1, 2), (1, 95), (40, 41), (40, 200)] {
        let mut net = Net::new(&[ahead, behind]);
        net.link(1, 0);
        net.settle();
        net.wait(1);
        assert_eq!(net.heads(), [ahead, ahead], "from {behind}");
        assert!(!net.nodes[1].core.is_syncing());
        // The other way round, and blocks as they are made.
        let mut net = Net::new(&[ahead, behind]);
        net.link(0, 1);
        net.settle();
        net.wait(1);
        net.make_block(0);
        assert_eq!(net.heads(), [ahead + 1, ahead + 1], "dialled, from {behind}");
    }
}

#[test]
fn ranges_come_from_several_peers_and_the_dead_are_replaced() {
    let mut net = Net::new(&[300, 300, 300, 1]);
    // One is silent from some block on.
    net.nodes[1].lie = |num, frame| (num < 25).then_some(frame);
    (0..3).for_each(|source| net.link(3, source));
    net.settle();
    let asked: Vec<_> = (0..3)
        .map(|at| net.nodes[at].said.iter().filter(|message| matches!(message, Message::Block(_))).count())
        .collect();
    assert!(asked.iter().all(|blocks| *blocks > 0), "{asked:?}");
    net.wait(STALL_US / 1_000_000 + 2);
    assert_eq!(net.heads()[3], 300);
    assert!(!net.nodes[3].core.is_syncing());
    // It is passed over before it counts as stalled, and stays a peer.
    assert!(net.nodes[3].closed.is_empty(), "{:?}", net.nodes[3].closed);
}

/// A new block that comes while ranges are under way follows none that is known yet. It is refused for that, and is
/// handed on again in its place of the range.
#[test]
fn a_range_is_whole_though_one_of_its_blocks_is_in_hand() {
    let mut net = Net::new(&[12, 2]);
    // What it asks for comes later.
    net.nodes[0].lie = |_, _| None;
    net.make_block(1);
    net.link(1, 0);
    net.settle();
    assert!(net.nodes[1].core.is_syncing());
    let (now, chain) = (net.now, net.nodes[0].chain.clone());
    let mut taken = |number: u32| {
        let frame = block_frame(&chain.block_at(number).unwrap());
        let (message, node) = (Message::read(&frame[4..]).unwrap(), &mut net.nodes[1]);
        let outputs = node.core.step(
            Input::Received { peer: 100, lane: Lane::Talk, message, charge: Charge::default() },
            now,
            &node.chain,
        );
        let blocks = outputs.into_iter().filter_map(|output| match output {
            Output::TakeBlock { block, epoch, .. } => Some((block.num, epoch.is_some())),
            _ => None,
        });
        blocks.collect::<Vec<_>>()
    };
    assert_eq!(taken(4), [(4, false)]);
    let range: Vec<_> = (3..=11).flat_map(&mut taken).collect();
    assert_eq!(range, (4..=11).map(|number| (number, true)).collect::<Vec<_>>());
}

#[test]
fn liars_do_not_keep_a_node_from_its_end() {
    let lies: [Lie; 4] = [
        |num, frame| Some(if num == 47 { block_frame_of(block_after(Checksum256([7; 32]), 0)) } else { frame }),
        |num, frame| (num % 50 != 7).then_some(frame),
        |num, frame| Some(if num > 55 { block_frame_of(block_after(other_branch(num - 1), 1)) } else { frame }),
        |num, frame| Some(if num == 48 { block_frame_of(block_after(Chain::of(47).head().id, 666)) } else { frame }),
    ];
    for (kind, lie) in lies.into_iter().enumerate() {
        let mut net = Net::new(&[200, 200, 200, 1]);
        net.nodes[1].lie = lie;
        (0..3).for_each(|source| net.link(3, source));
        net.settle();
        net.wait(30);
        assert_eq!(net.heads()[3], 200, "lie {kind}");
        assert_eq!(net.nodes[3].chain.head(), net.nodes[0].chain.head(), "lie {kind}");
        assert!(!net.nodes[3].core.is_syncing(), "lie {kind}");
        assert_eq!(net.nodes[3].core.counts().bans, 1, "lie {kind}");
        assert!(
            !net.nodes[3].closed.contains(&100) && !net.nodes[3].closed.contains(&102),
            "lie {kind}: honest peers stay"
        );
    }
}

fn block_frame_of(block: BlockMessage) -> Arc<[u8]> {
    crate::wire::block_frame(&block.bytes).into()
}

/// The id of a block of a branch that parts at block 50.
fn other_branch(num: u32) -> BlockId {
    let mut id = Chain::of(50).head().id;
    while Point::of(id).num < num {
        id = block_after(id, 1).id;
    }
    id
}

#[test]
fn blocks_go_once_to_each_that_lacks_them() {
    let mut net = Net::new(&[10, 10, 10]);
    net.link(0, 1);
    net.link(1, 2);
    net.link(0, 2);
    net.settle();
    let before = sent_blocks(&net);
    net.make_block(0);
    assert_eq!(net.heads(), [11, 11, 11]);
    let sent: usize = sent_blocks(&net).iter().zip(before).map(|(after, before)| after - before).sum();
    // Node 0 has sent two; between 1 and 2 it may cross, or be known to the other in time.
    assert!((2..=4).contains(&sent), "{sent}");
    for node in &net.nodes {
        assert!(node.core.peers.values().all(|peer| peer.known_len() < 10 && peer.known_len() < KNOWN_BLOCKS_MAX));
        assert!(!node.core.in_hand.contains(&node.chain.head().id) && node.core.relayed.is_empty());
    }
}

fn sent_blocks(net: &Net) -> Vec<usize> {
    net.nodes
        .iter()
        .map(|node| node.said.iter().filter(|message| matches!(message, Message::Block(_))).count())
        .collect()
}

fn transaction(number: u8, now: TimePoint) -> TransactionMessage {
    let expiration = TimePointSec((now.0 / 1_000_000 + 60) as u32);
    let header = primitives::TransactionHeader { expiration, ref_block_num: number.into(), ..Default::default() };
    let signed = primitives::SignedTransaction {
        transaction: primitives::Transaction { header, ..Default::default() },
        ..Default::default()
    };
    TransactionMessage::read(PackedTransaction::new(&signed, primitives::Compression::None)).unwrap()
}

#[test]
fn transactions_reach_everybody_once() {
    let mut net = Net::new(&[10, 10, 10, 10]);
    for (from, to) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
        net.link(from, to);
    }
    net.settle();
    let sent = transaction(1, net.now);
    net.step(0, Input::Accepted(sent.clone()));
    net.settle();
    for at in 1..4 {
        assert_eq!(net.nodes[at].transactions, [sent.id], "node {at}");
    }
    assert!(net.nodes[0].transactions.is_empty());
    // A node that takes none gets none.
    net.nodes[1].core.settings.accept_transactions = false;
    let late = TransactionMessage { expiration: TimePointSec(1), ..transaction(2, net.now) };
    net.step(
        0,
        Input::Received { peer: 101, lane: Lane::Talk, message: Message::Transaction(late), charge: Charge::default() },
    );
    assert!(net.nodes[0].transactions.is_empty(), "an expired one goes no further");
}

/// One node, with a peer that the test plays.
struct Stage {
    net: Net,
}

const PLAYED: PeerId = 7;

impl Stage {
    fn new() -> Self {
        let mut net = Net::new(&[50]);
        net.step(0, Input::Connected { peer: PLAYED, wire: Wire::Nodeos, address: host(9), dialled: None });
        Self { net }
    }

    fn greeting(&self) -> Handshake {
        let chain = &self.net.nodes[0].chain;
        Handshake {
            network_version: VERSION_BASE + VERSION,
            chain_id: ChainId::default(),
            node_id: Checksum256([99; 32]),
            time: self.net.now.0 * 1000,
            p2p_address: Text::from("played:1 - 6363636"),
            irreversible: chain.stands().irreversible,
            head: chain.head(),
            os: "linux".into(),
            generation: 1,
            ..Handshake::default()
        }
    }

    fn hears(&mut self, message: Message) -> Vec<Message> {
        self.net.nodes[0].said.clear();
        self.net.step(0, Input::Received { peer: PLAYED, lane: Lane::Talk, message, charge: Charge::default() });
        self.net.nodes[0].said.clone()
    }

    fn greeted(change: impl FnOnce(&mut Handshake)) -> Vec<Message> {
        let mut stage = Self::new();
        let mut greeting = stage.greeting();
        change(&mut greeting);
        stage.hears(Message::Handshake(Box::new(greeting)))
    }
}

fn is_go_away(said: &[Message], wanted: GoAway) -> bool {
    said.iter().any(|message| matches!(message, Message::GoAway { reason, .. } if *reason == wanted))
}

#[test]
fn handshakes_are_answered_as_nodeos_answers() {
    let said = Stage::greeted(|_| {});
    assert!(
        matches!(&said[..], [Message::Handshake(own), Message::Notice(notice)]
        if own.generation == 1 && own.version() == VERSION && notice.known_trx.mode == Mode::CatchUp && notice.known_blocks.mode == Mode::None),
        "{said:?}"
    );
    assert!(is_go_away(&Stage::greeted(|greeting| greeting.chain_id = Checksum256([1; 32])), GoAway::WrongChain));
    assert!(is_go_away(&Stage::greeted(|greeting| greeting.node_id = settings(0).node_id), GoAway::SelfConnection));
    for broken in [
        |greeting: &mut Handshake| greeting.p2p_address = Text::default(),
        |greeting: &mut Handshake| greeting.os = Text::default(),
        |greeting: &mut Handshake| greeting.agent = Text(vec![b'x'; 385]),
        |greeting: &mut Handshake| greeting.irreversible.num = 51,
        |greeting: &mut Handshake| greeting.token = Checksum256([1; 32]),
    ] {
        assert!(is_go_away(&Stage::greeted(broken), GoAway::FatalOther));
    }
    assert!(is_go_away(&Stage::greeted(|greeting| greeting.irreversible.id = Checksum256([5; 32])), GoAway::Forked));
    // Far behind: it is told where the chain is irreversible.
    let said = Stage::greeted(|greeting| {
        (greeting.head, greeting.irreversible) =
            (Point { num: 2, id: Chain::of(2).head().id }, Point { num: 1, id: Chain::of(1).head().id })
    });
    assert!(said.iter().any(|message| matches!(message, Message::Notice(notice)
        if notice.known_blocks.mode == Mode::LastIrreversibleCatchUp && notice.known_trx.pending == 49 && notice.known_blocks.pending == 50 && notice.known_blocks.ids.len() == 1)), "{said:?}");
    // A version that reads ranges is told the first block, too.
    let said = Stage::greeted(|greeting| {
        greeting.network_version = VERSION_BASE + 12;
        (greeting.head, greeting.irreversible) =
            (Point { num: 2, id: Chain::of(2).head().id }, Point { num: 1, id: Chain::of(1).head().id });
    });
    assert!(
        said.iter().any(|message| matches!(message, Message::Notice(notice) if notice.known_blocks.ids.len() == 2)),
        "{said:?}"
    );
    // EOSIO 2.1 is told an older version.
    let said = Stage::greeted(|greeting| greeting.network_version = VERSION_BASE + 5);
    assert!(said.iter().any(|message| matches!(message, Message::Handshake(own) if own.version() == 1)), "{said:?}");
    // A head that is a million ahead brings a question for what follows ours, and no range.
    let said = Stage::greeted(|greeting| greeting.head = Point { num: 1_000_050, id: Checksum256([3; 32]) });
    assert!(!said.iter().any(|message| matches!(message, Message::SyncRequest(_))), "{said:?}");
}

#[test]
fn blocks_are_served_as_they_are_asked_for() {
    let mut stage = Stage::new();
    let greeting = stage.greeting();
    stage.hears(Message::Handshake(Box::new(greeting)));
    let numbers = |said: &[Message]| {
        said.iter()
            .filter_map(|message| if let Message::Block(block) = message { Some(block.num) } else { None })
            .collect::<Vec<_>>()
    };
    let range = |start, end| Message::SyncRequest(SyncRequest { start, end });
    assert_eq!(numbers(&stage.hears(range(2, 49))), (2..=49).collect::<Vec<_>>());
    assert!(stage.hears(range(0, 0)).is_empty());
    let branch = |ids: Vec<BlockId>| {
        Message::Request(Request { req_blocks: Pending { mode: Mode::CatchUp, pending: 0, ids }, ..Request::default() })
    };
    let known = Chain::of(45).head().id;
    assert_eq!(numbers(&stage.hears(branch(vec![known]))), [46, 47, 48, 49, 50]);
    assert_eq!(numbers(&stage.hears(branch(vec![]))), [50]);
    let forked = block_after(Chain::of(44).head().id, 1).id;
    assert_eq!(numbers(&stage.hears(branch(vec![forked]))), [50]);
    assert!(is_go_away(&stage.hears(branch(vec![Point { num: 51, id: other_branch(51) }.id])), GoAway::BenignOther));
    let mut stage = Stage::new();
    let greeting = stage.greeting();
    stage.hears(Message::Handshake(Box::new(greeting)));
    assert!(is_go_away(&stage.hears(range(51, 60)), GoAway::BenignOther));
}

#[test]
fn the_time_is_answered_and_silence_ends_a_connection() {
    let mut stage = Stage::new();
    let greeting = stage.greeting();
    stage.hears(Message::Handshake(Box::new(greeting)));
    let said = stage.hears(Message::Time(Time { xmt: 5, ..Time::default() }));
    let now = stage.net.now.0 * 1000;
    assert_eq!(said, [Message::Time(Time { org: 5, rec: now, xmt: now, dst: 0 })]);
    assert!(stage.hears(Message::Time(Time { xmt: 5, ..Time::default() })).is_empty(), "the same again");
    stage.net.wait(19);
    assert!(stage.net.nodes[0].closed.is_empty());
    stage.net.wait(12);
    assert_eq!(stage.net.nodes[0].closed, [PLAYED]);
}

#[test]
fn who_says_nothing_is_closed_and_who_asks_too_soon_too() {
    let mut stage = Stage::new();
    stage.net.wait(11);
    assert_eq!(stage.net.nodes[0].closed, [PLAYED]);
    let mut stage = Stage::new();
    stage.hears(Message::SyncRequest(SyncRequest { start: 1, end: 50 }));
    assert_eq!(stage.net.nodes[0].closed, [PLAYED]);
}

#[test]
fn connections_are_limited() {
    let mut core =
        Core::new(Settings { max_clients: 3, max_nodes_per_host: 2, ..Settings::default() }, Chain::of(5).stands());
    let (chain, now) = (Chain::of(5), TimePoint(0));
    let mut come = |peer: PeerId, address: IpAddr| {
        let admitted = core.admits(address, now);
        if admitted.is_ok() {
            core.step(Input::Connected { peer, wire: Wire::Nodeos, address, dialled: None }, now, &chain);
        }
        admitted.is_ok()
    };
    assert!(come(1, host(1)) && come(2, host(1)) && !come(3, host(1)));
    assert!(come(4, host(2)) && !come(5, host(3)));
    assert_eq!(core.counts().refused_connections, 2);
    let mut open =
        Core::new(Settings { max_clients: 0, max_nodes_per_host: 1000, ..Settings::default() }, chain.stands());
    let admitted = (0..1000).filter(|peer| {
        let admitted = open.admits(host(1), now).is_ok();
        if admitted {
            open.step(
                Input::Connected { peer: *peer, wire: Wire::Nodeos, address: host(1), dialled: None },
                now,
                &chain,
            );
        }
        admitted
    });
    assert_eq!(admitted.count(), HALF_OPEN_MAX);
    // Who had time and said nothing makes room, the first to come first, and one at a time.
    for peer in [1000, 1001] {
        let now = now.plus_us(HALF_OPEN_GRACE_US);
        assert!(open.admits(host(2), now).is_ok());
        let came = Input::Connected { peer, wire: Wire::Nodeos, address: host(2), dialled: None };
        let outputs = open.step(came, now, &chain);
        let gone = peer - 1000;
        assert!(matches!(outputs[..], [Output::Close { peer, flushed: false }] if peer == gone), "{outputs:?}");
        assert_eq!(open.peers.len(), HALF_OPEN_MAX);
    }
}

#[test]
fn a_peer_with_a_bad_block_is_banned_and_let_in_again_later() {
    let mut stage = Stage::new();
    let greeting = stage.greeting();
    stage.hears(Message::Handshake(Box::new(greeting)));
    let bad = block_after(stage.net.nodes[0].chain.head().id, 666);
    stage.hears(Message::Block(bad));
    assert_eq!(stage.net.nodes[0].closed, [PLAYED]);
    let now = stage.net.now;
    let core = &mut stage.net.nodes[0].core;
    assert!(core.admits(host(9), now).unwrap_err().contains("banned"));
    assert!(core.admits(host(8), now).is_ok());
    assert!(core.admits(host(9), now.plus_us(crate::limits::BAN_US)).is_ok());
}

/// How often a peer may say what is made for it before its connection ends.
fn patience(make: impl Fn(&Stage, u32) -> Message) -> usize {
    let mut stage = Stage::new();
    let greeting = stage.greeting();
    stage.hears(Message::Handshake(Box::new(greeting)));
    let said = (0..100_000).take_while(|number| {
        let message = make(&stage, *number);
        stage.hears(message);
        stage.net.nodes[0].closed.is_empty()
    });
    said.count()
}

#[test]
fn floods_end_the_connection() {
    assert!(patience(|_, _| Message::SyncRequest(SyncRequest { start: 0, end: 0 })) <= 500);
    // What brings nothing costs a look-up until there is too much of it.
    let known =
        |stage: &Stage, _| Message::Block(BlockMessage::read(&stage.net.nodes[0].chain.block_at(50).unwrap()).unwrap());
    assert!((2000..2100).contains(&patience(known)));
    let orphan = |_: &Stage, number: u32| {
        let mut previous = other_branch(60);
        previous.0[4..8].copy_from_slice(&number.to_be_bytes());
        Message::Block(block_after(previous, 0))
    };
    assert!((2000..2100).contains(&patience(orphan)));
    let expired = |stage: &Stage, _| {
        let transaction = transaction(1, stage.net.now);
        Message::Transaction(TransactionMessage { expiration: TimePointSec(1), ..transaction })
    };
    assert!((2000..2100).contains(&patience(expired)));
    let same = |stage: &Stage, _| Message::Transaction(transaction(1, stage.net.now));
    assert!((2000..2100).contains(&patience(same)));
    // Those that are of use are no flood.
    let new = |stage: &Stage, number: u32| {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        Message::Transaction(TransactionMessage { id: Checksum256(id), ..transaction(1, stage.net.now) })
    };
    assert_eq!(patience(new), 100_000);
}

#[test]
fn transactions_that_cost_too_much_end_the_connection_and_ban_nobody() {
    let (chain, now) = (Chain::of(5), TimePoint(1_000_000_000_000));
    let mut core = Core::new(settings(0), chain.stands());
    for peer in 1..10 {
        core.step(Input::Connected { peer, wire: Wire::Nodeos, address: host(1), dialled: None }, now, &chain);
        let ends = (0..30).any(|number: u8| {
            let (id, judgement) = (Checksum256([number; 32]), TransactionJudgement::Spent);
            let outputs = core.step(Input::TransactionJudged { peer, id, judgement, why: String::new() }, now, &chain);
            outputs.iter().any(|output| matches!(output, Output::Close { .. }))
        });
        assert!(ends, "connection {peer} is kept");
    }
    assert!(core.banned(now).is_empty());
}

#[test]
fn transactions_beyond_the_limit_are_dropped_and_may_come_again() {
    let (chain, now) = (Chain::of(5), TimePoint(1_000_000_000_000));
    let mut core = Core::new(Settings { max_nodes_per_host: 5, ..settings(0) }, chain.stands());
    core.step(Input::Connected { peer: 1, wire: Wire::Nodeos, address: host(1), dialled: None }, now, &chain);
    let greeting = Handshake {
        node_id: Checksum256([9; 32]),
        head: chain.head(),
        irreversible: chain.stands().irreversible,
        p2p_address: "p:1 - 1".into(),
        os: "linux".into(),
        time: now.0 * 1000,
        generation: 1,
        ..Handshake::default()
    };
    core.step(
        Input::Received {
            peer: 1,
            lane: Lane::Talk,
            message: Message::Handshake(Box::new(greeting)),
            charge: Charge::default(),
        },
        now,
        &chain,
    );
    let mut send = |number: u32| {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let message = Message::Transaction(TransactionMessage { id: Checksum256(id), ..transaction(1, now) });
        let outputs =
            core.step(Input::Received { peer: 1, lane: Lane::Talk, message, charge: Charge::default() }, now, &chain);
        outputs.iter().filter(|output| matches!(output, Output::TakeTransaction { .. })).count()
    };
    let taken: usize = (0..3000).map(&mut send).sum();
    assert_eq!(taken, TRANSACTIONS_IN_HAND_PER_PEER_MAX);
    assert_eq!(core.counts().dropped_transactions, 3000 - TRANSACTIONS_IN_HAND_PER_PEER_MAX as u64);
}

#[test]
fn a_peer_that_never_reads_is_given_up() {
    let chain = Chain::of(50);
    let mut core = Core::new(settings(0), chain.stands());
    let now = TimePoint(1_000_000_000_000);
    core.step(Input::Connected { peer: 1, wire: Wire::Nodeos, address: host(1), dialled: None }, now, &chain);
    core.peers.get_mut(&1).unwrap().open = true;
    let frame: Arc<[u8]> = vec![0; 1 << 20].into();
    let sent = (0..1000).take_while(|_| core.send_frame(1, Lane::News, Arc::clone(&frame))).count();
    assert_eq!(sent, QUEUED_BYTES_PER_PEER >> 20);
    let closes = core.out.iter().filter(|output| matches!(output, Output::Close { peer: 1, flushed: false })).count();
    assert_eq!((closes, core.queued_bytes()), (1, 0));
}

#[test]
fn only_who_has_a_key_may_connect() {
    use primitives::PrivateKey;
    let key = |seed| PrivateKey::k1_from_seed([seed; 32]).unwrap();
    let greet = |allowed: Allowed, signer: Option<u8>| {
        let mut stage = Stage::new();
        let settings = &mut stage.net.nodes[0].core.settings;
        (settings.allowed, settings.peer_keys) = (allowed, vec![key(1).public_key().unwrap()]);
        let mut greeting = stage.greeting();
        if let Some(seed) = signer {
            greeting.token = crate::wire::message::token_of(greeting.time);
            (greeting.key, greeting.sig) = (key(seed).public_key().unwrap(), key(seed).sign(&greeting.token).unwrap());
        }
        !is_go_away(&stage.hears(Message::Handshake(Box::new(greeting))), GoAway::Authentication)
    };
    let specified = Allowed { specified: true, ..Allowed::default() };
    assert!(greet(specified, Some(1)) && !greet(specified, Some(2)) && !greet(specified, None));
    assert!(!greet(Allowed::default(), Some(1)));
    assert!(greet(Allowed { any: true, ..Allowed::default() }, None));
}

#[test]
fn a_cut_network_heals() {
    let mut net = Net::new(&[10, 10, 10]);
    net.link(0, 1);
    net.link(1, 2);
    net.settle();
    let cut = net.lines.keys().find(|(at, _)| *at == 2).copied().unwrap();
    net.perform(2, Output::Close { peer: cut.1, flushed: false });
    for _ in 0..30 {
        net.make_block(0);
    }
    assert_eq!(net.heads(), [40, 40, 10]);
    net.nodes[1].core.dials.remove("node2:9876");
    net.link(1, 2);
    net.settle();
    net.wait(2);
    assert_eq!(net.heads(), [40, 40, 40]);
    assert!(go_aways(&net.nodes[2]).is_empty());
}

#[test]
fn nobody_is_counted_after_its_socket_is_closed() {
    let mut stage = Stage::new();
    let greeting = Handshake { chain_id: Checksum256([1; 32]), ..stage.greeting() };
    let node = &mut stage.net.nodes[0];
    let greeting = Message::Handshake(Box::new(greeting));
    let now = stage.net.now;
    node.core.step(
        Input::Received { peer: PLAYED, lane: Lane::Talk, message: greeting, charge: Charge::default() },
        now,
        &node.chain,
    );
    // It was sent away, and sends nonsense before it has read why.
    node.core.step(Input::Malformed { peer: PLAYED, why: String::new() }, now, &node.chain);
    assert!(node.core.peers.is_empty());
}

#[test]
fn who_signs_two_blocks_for_a_slot_is_found() {
    let mut stage = Stage::new();
    stage.hears(Message::Handshake(Box::new(stage.greeting())));
    let head = stage.net.nodes[0].chain.head().id;
    let blocks = [0, 1].map(|branch| block_after(head, branch));
    stage.hears(Message::Block(blocks[0].clone()));
    assert!(stage.net.nodes[0].core.double_signs().is_empty());
    for _ in 0..2 {
        stage.hears(Message::Block(blocks[1].clone()));
    }
    let core = &stage.net.nodes[0].core;
    let found = core.double_signs();
    let ids = found.iter().map(|found| [found.first.header.id(), found.second.header.id()]);
    assert_eq!(ids.collect::<Vec<_>>(), [blocks.map(|block| block.id)]);
    assert_eq!(core.counts().double_signs, 1);
}

#[test]
fn a_clock_that_is_set_ends_no_connection() {
    for ahead_us in [60_000_000, -60_000_000] {
        let mut stage = Stage::new();
        let greeting = stage.greeting();
        stage.hears(Message::Handshake(Box::new(greeting)));
        stage.net.nodes[0].core.tell_clock(ahead_us);
        stage.net.nodes[0].said.clear();
        stage.net.wait(5);
        assert!(stage.net.nodes[0].closed.is_empty());
        // Checks go on, and the peer sees that the clock is wrong.
        let told = stage.net.nodes[0].said.iter().filter_map(|message| match message {
            Message::Time(time) => Some(time.xmt / 1000 - stage.net.now.0),
            _ => None,
        });
        let told: Vec<_> = told.collect();
        assert!(!told.is_empty() && told.iter().all(|us| us.abs_diff(ahead_us) <= 5_000_000), "{told:?}");
    }
}
