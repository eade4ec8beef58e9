//! The network's decisions, without clock or sockets: `step(input, now) -> outputs`. The rules are those of nodeos
//! (net_plugin.cpp of Leap 4), with limits where it has none.
//!
//! Reading order: [`link`] what carries a connection, [`peer`] what is known of a peer, [`standing`] who misbehaved, [`dials`] whom this node dials,
//! `greeting` handshakes and clocks, `meeting` nodes that peers know of, `serving` blocks that peers ask for, [`sync`] ranges that this node asks for,
//! [`checks`] and `checking` whether peers are well, `catching_up` how it comes to the others' head, [`relay`] and `relaying` blocks and transactions as they come, `sharing` transactions between nodes of ours, `spreading` which peers are told of blocks in place of getting them, `meshing` which get them by gossip,
//! [`doubles`] who signs two blocks for a slot, [`planted`] bugs of tests.

mod catching_up;
mod checking;
pub mod checks;
pub mod dials;
pub mod doubles;
mod greeting;
pub mod link;
mod meeting;
mod meshing;
mod peer;
pub mod planted;
pub mod relay;
mod relaying;
mod serving;
mod sharing;
mod spreading;
pub mod standing;
pub mod sync;
#[cfg(test)]
pub(crate) mod tests;
mod trials;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use primitives::{BlockId, ChainId, Checksum256, PrivateKey, PublicKey, TimePoint, TransactionId};

use crate::address::{Address, Kind, PeerAddress};
use crate::limits::{
    ANNOUNCED_MAX, DIALLED_MAX, FAILED_MAX, GOSSIPED_BLOCKS_MAX, GREETING_US, HALF_OPEN_GRACE_US, HALF_OPEN_MAX,
    JUDGED_BYTES_MAX, KEPT_BLOCK_BYTES_MAX, KNOWN_BLOCKS_MAX, KNOWN_TRANSACTIONS_MAX, MISSING_BLOCKS_MAX,
    OTHER_FORMS_MAX, OTHER_TRANSACTIONS_MAX, QUEUED_BYTES_MAX, QUEUED_BYTES_PER_PEER, RECENT_BYTES_MAX,
    TRANSACTIONS_IN_HAND_MAX, TURNED_AWAY_US, WANTED_MAX,
};
use crate::wire::message::Point;
use crate::wire::{BlockMessage, GoAway, Handshake, Message, TransactionMessage};

use catching_up::CatchUp;
use checks::CheckSettings;
use dials::{Dials, Ended, State};
use doubles::{DoubleSign, DoubleSigns};
pub use link::{Lane, Wire};
use meeting::Book;
pub use meshing::Meshing;
use peer::Peer;
pub use peer::PeerId;
use planted::Planted;
use relay::{Held, InHand, KnownTransactions, Recent};
use relaying::RELAYED_BYTES_MAX;
use sharing::Sharing;
use spreading::Spreading;
use standing::{Consequence, Key, Standing};
use sync::Sync;
use trials::Trials;

/// A message's part of what its peer may have in this node; given back when it is dropped.
#[derive(Default)]
pub struct Charge(pub Option<Box<dyn std::any::Any + Send>>);

impl Charge {
    /// Parts of it: it is given back with the last of them.
    fn shared(self) -> impl Iterator<Item = Self> {
        let whole = self.0.map(|part| Arc::new(Mutex::new(part)));
        let part = move || whole.as_ref().map(|whole| Box::new(Arc::clone(whole)) as Box<dyn std::any::Any + Send>);
        std::iter::repeat_with(move || Self(part()))
    }
}

impl std::fmt::Debug for Charge {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Charge")
    }
}

/// Who may connect (`allowed-connection`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "nodeos' own names")]
pub struct Allowed {
    pub any: bool,
    /// Whoever has one of this node's producers' keys.
    pub producers: bool,
    /// Whoever has one of the named keys.
    pub specified: bool,
}

/// What the operator decides, with nodeos' names.
#[derive(Debug)]
pub struct Settings {
    /// The chain.
    pub chain_id: ChainId,
    /// This run of the node.
    pub node_id: Checksum256,
    /// `p2p-server-address`, or else what it listens on.
    pub server_address: String,
    /// `agent-name`.
    pub agent: String,
    /// `p2p-accept-transactions`.
    pub accept_transactions: bool,
    /// `max-clients`; 0 for no limit.
    pub max_clients: u32,
    /// `p2p-max-nodes-per-host`.
    pub max_nodes_per_host: u32,
    /// `sync-fetch-span`.
    pub sync_fetch_span: u32,
    /// `sync-peer-limit`.
    pub sync_peer_limit: u32,
    /// `p2p-keepalive-interval-ms`, in microseconds.
    pub keepalive_us: i64,
    /// When a peer that does not answer counts as gone.
    pub checks: CheckSettings,
    /// `connection-cleanup-period`, in microseconds: the longest pause before an address is dialled again.
    pub redial_max_us: i64,
    /// `allowed-connection`.
    pub allowed: Allowed,
    /// `peer-key`.
    pub peer_keys: Vec<PublicKey>,
    /// `peer-private-key`: the first one signs handshakes.
    pub own_keys: Vec<(PublicKey, PrivateKey)>,
    /// Keys of this node's producers.
    pub producer_keys: Vec<PublicKey>,
    /// What others call this node on encrypted connections; empty without such ones.
    pub identity: String,
    /// Whether peers are told of each other.
    pub peer_exchange: bool,
    /// When blocks go by gossip: no option, tests alone have others than the default.
    pub meshing: Meshing,
    /// A bug that the simulator shall find.
    #[cfg(feature = "planted")]
    pub planted: Option<planted::Planted>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            chain_id: ChainId::default(),
            node_id: Checksum256::default(),
            server_address: String::new(),
            agent: "EOS Test Agent".to_owned(),
            accept_transactions: true,
            max_clients: 25,
            max_nodes_per_host: 1,
            sync_fetch_span: 1000,
            sync_peer_limit: 3,
            keepalive_us: 10_000_000,
            checks: CheckSettings::default(),
            redial_max_us: 30_000_000,
            allowed: Allowed { any: true, ..Allowed::default() },
            peer_keys: Vec::new(),
            own_keys: Vec::new(),
            producer_keys: Vec::new(),
            identity: String::new(),
            peer_exchange: true,
            meshing: Meshing::default(),
            #[cfg(feature = "planted")]
            planted: None,
        }
    }
}

/// Where this node's chain stands, as far as it is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "named as elsewhere")]
pub struct Stands {
    pub head: Point,
    pub irreversible: Point,
    /// The first block that this node has.
    pub earliest: u32,
}

/// Blocks that are on disk.
pub trait Blocks {
    /// The id of the chain's block with a number.
    fn id_at(&self, num: u32) -> Option<BlockId>;
    /// The chain's block with a number, packed.
    fn block_at(&self, num: u32) -> Option<Arc<[u8]>>;
    /// Whether a block is known, on any branch.
    fn has(&self, id: &BlockId) -> bool;
}

/// What the chain says of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockJudgement {
    /// It is in the chain or on another branch.
    Good,
    /// It will be tried when this node's own block is sealed. Nothing may be known of its header yet.
    Held,
    /// The block before it is not known.
    Unlinkable,
    /// This node does not want it, and others may: too much waits, or the operator named another block.
    NotNow,
    /// Its header or signature breaks a rule: nobody relays that.
    BadHeader,
    /// It breaks another rule: whoever relays blocks before they run may have relayed it in good faith.
    Bad,
}

/// What the chain says of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionJudgement {
    /// It ran.
    Accepted,
    /// It is in a block, or in the one that is made.
    Known,
    /// It is late, or this node is too busy.
    NotNow,
    /// It was not run: failed transactions of its peer took all the time that they may.
    Spent,
    /// It failed here, and may have run elsewhere.
    Failed,
    /// It cannot run anywhere: nobody relays that.
    Bad,
}

/// What makes the network act.
#[derive(Debug)]
#[allow(missing_docs, reason = "named as the types are")]
pub enum Input {
    /// A socket is connected. For one that came to this node [`Core::admits`] was asked before.
    Connected { peer: PeerId, wire: Wire, address: IpAddr, dialled: Option<String> },
    /// An address cannot be reached. `turned_away`: somebody is there, and closed the connection at once.
    DialFailed { address: String, why: String, turned_away: bool },
    /// A socket is closed.
    Closed { peer: PeerId },
    /// A message came; nodeos' wire has one lane for all, which is [`Lane::Talk`].
    Received { peer: PeerId, lane: Lane, message: Message, charge: Charge },
    /// A block came by gossip, which waits until it is told what becomes of it.
    Gossiped { peer: PeerId, block: BlockMessage, charge: Charge },
    /// Gossip brings a peer blocks, or does no more.
    Gossips { peer: PeerId, blocks: bool },
    /// This node can be reached at these addresses.
    Listening { addresses: Vec<String> },
    /// Nodes of the local network were found.
    Found { addresses: Vec<String> },
    /// A peer speaks another version of the protocol, or another one.
    WrongVersion { peer: PeerId, why: String },
    /// Something came that is not a message.
    Malformed { peer: PeerId, why: String },
    /// Bytes were sent.
    Written { peer: PeerId, lane: Lane, bytes: usize },
    /// A block's header and signatures are in order.
    HeaderGood { id: BlockId },
    /// The chain judged a block.
    BlockJudged { peer: PeerId, id: BlockId, bytes: usize, epoch: Option<u64>, judgement: BlockJudgement, why: String },
    /// The chain judged a peer's transaction.
    TransactionJudged { peer: PeerId, id: TransactionId, judgement: TransactionJudgement, why: String },
    /// A transaction was accepted, wherever it came from.
    Accepted(TransactionMessage),
    /// The chain has moved, and that is on disk.
    Stands(Stands),
    /// Time passes.
    Tick,
}

/// What the network wants done.
#[derive(Debug)]
#[allow(missing_docs, reason = "named as the types are")]
pub enum Output {
    /// Connect to an address.
    Dial { address: String },
    /// Send a frame.
    Send { peer: PeerId, lane: Lane, frame: Arc<[u8]> },
    /// Close a socket, `flushed` once everything before is sent.
    Close { peer: PeerId, flushed: bool },
    /// Hand a block to the chain. With an epoch it is one of a range, and nobody waits for it to be relayed.
    TakeBlock { peer: PeerId, block: BlockMessage, charge: Charge, epoch: Option<u64> },
    /// Hand a transaction to the chain.
    TakeTransaction { peer: PeerId, transaction: TransactionMessage, charge: Charge },
    /// Pass an accepted transaction on to the peers that share transactions with each other (gossip).
    Publish(TransactionMessage),
    /// What became of a peer's transaction, for a wire that has not passed it on yet.
    TransactionDone { id: TransactionId, judgement: TransactionJudgement },
    /// Pass a block on by gossip. It may have come by gossip itself.
    PublishBlock { id: BlockId, bytes: Arc<[u8]> },
    /// Gossip does not pass a block on that it brought; what it is judged to be.
    BlockDone { id: BlockId, judgement: BlockJudgement },
}

/// What is counted, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is a number of what it is named after")]
pub struct Counts {
    pub dropped_transactions: u64,
    pub refused_connections: u64,
    pub bans: u64,
    pub failed_dials: u64,
    pub failed_checks: u64,
    pub double_signs: u64,
    pub published_blocks: u64,
}

/// What a node sees of its peers: those that have introduced themselves, those of them that say they are not well, how far
/// their clocks are ahead of this machine's in microseconds, and their heads of this node's in blocks (medians).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "told above")]
pub struct Seen {
    pub connected: usize,
    pub unwell: usize,
    pub clock_offset_us: Option<i64>,
    pub blocks_behind: u32,
}

/// How a connection stands, as `/v1/net/connections` shows it.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "nodeos' own names")]
pub struct ConnectionStatus {
    pub peer: String,
    pub connecting: bool,
    pub syncing: bool,
    pub last_handshake: Handshake,
}

/// The network.
#[derive(Debug)]
pub struct Core {
    settings: Settings,
    stands: Stands,
    /// How far the machine's clock is ahead of the time of steps, in microseconds.
    clock_ahead_us: i64,
    /// When the head's slot began, once it has moved.
    head_time: TimePoint,
    peers: BTreeMap<PeerId, Peer>,
    dials: Dials,
    standing: Standing,
    book: Book,
    /// Why this node is not to be counted on.
    unwell: Option<String>,
    /// Where this node can be reached on encrypted connections.
    listening: Vec<String>,
    sync: Sync,
    catch_up: Option<CatchUp>,
    transactions: KnownTransactions,
    /// Those that are being judged, and whether gossip waits for that.
    trials: Trials,
    sharing: Sharing,
    spreading: Spreading,
    recent: Recent,
    in_hand: InHand,
    held: Held,
    /// Blocks that gossip brought and has not been told about.
    gossiped: BTreeSet<BlockId>,
    /// Blocks whose headers were checked, until they are irreversible: they travel on before they run.
    relayed: BTreeMap<BlockId, Arc<[u8]>>,
    double_signs: DoubleSigns,
    counts: Counts,
    out: Vec<Output>,
}

impl Core {
    /// A network without peers.
    pub fn new(settings: Settings, stands: Stands) -> Self {
        Self {
            settings,
            stands,
            clock_ahead_us: 0,
            head_time: TimePoint(0),
            peers: BTreeMap::new(),
            dials: Dials::default(),
            standing: Standing::default(),
            book: Book::default(),
            unwell: None,
            listening: Vec::new(),
            sync: Sync::default(),
            catch_up: None,
            transactions: KnownTransactions::default(),
            trials: Trials::default(),
            sharing: Sharing::default(),
            spreading: Spreading::default(),
            recent: Recent::default(),
            in_hand: InHand::default(),
            held: Held::default(),
            gossiped: BTreeSet::new(),
            relayed: BTreeMap::new(),
            double_signs: DoubleSigns::default(),
            counts: Counts::default(),
            out: Vec::new(),
        }
    }

    /// The machine's clock is ahead of the time that steps are told by so many microseconds. That time goes on evenly
    /// though the clock is set: pauses, checks and bans go by it. What others are told, and how old a block or a
    /// transaction is, goes by the clock.
    pub fn tell_clock(&mut self, ahead_us: i64) {
        self.clock_ahead_us = ahead_us;
    }

    /// What the machine's clock says.
    fn clock(&self, now: TimePoint) -> TimePoint {
        now.plus_us(self.clock_ahead_us)
    }

    /// What is to be done after something happened.
    pub fn step(&mut self, input: Input, now: TimePoint, blocks: &dyn Blocks) -> Vec<Output> {
        self.act(input, now, blocks);
        std::mem::take(&mut self.out)
    }

    fn act(&mut self, input: Input, now: TimePoint, blocks: &dyn Blocks) {
        match input {
            Input::Connected { peer, wire, address, dialled } => self.connected(peer, wire, address, dialled, now),
            Input::DialFailed { address, why, turned_away } => {
                tracing::info!("cannot connect to {address}: {why}");
                self.counts.failed_dials += 1;
                let ended = if turned_away { Ended::TurnedAway } else { Ended::Failed(None) };
                self.dials.failed(&address, ended, self.settings.redial_max_us, now);
                self.book.ended(&address, false, now);
            }
            Input::Listening { addresses } => self.listens(addresses),
            Input::Found { addresses } => self.found(&addresses, now),
            Input::WrongVersion { peer, why } => self.wrong_version(peer, &why, now),
            Input::Closed { peer } => {
                let turned_away = self.peers.get(&peer).is_some_and(|found| {
                    !found.leaving
                        && found.said.is_none()
                        && found.parting.is_none()
                        && now.us_since(found.since) < TURNED_AWAY_US
                });
                self.closed_as(peer, turned_away, now);
            }
            Input::Received { peer, lane, message, charge } => {
                self.received((peer, lane), message, charge, now, blocks)
            }
            Input::Gossiped { peer, block, charge } => self.block_gossiped(peer, block, charge, now, blocks),
            Input::Gossips { peer, blocks } => {
                if let Some(found) = self.peers.get_mut(&peer) {
                    found.gossips = blocks;
                }
            }
            Input::Malformed { peer, why } => {
                self.blame(peer, 10.0, &why, now);
                // Also one that was to read a farewell: its socket is closed.
                self.out.push(Output::Close { peer, flushed: false });
                self.closed(peer, now);
            }
            Input::Written { peer, lane, bytes } => {
                if let Some(found) = self.peers.get_mut(&peer) {
                    found.written(lane, bytes);
                    self.serve(peer, now, blocks);
                }
            }
            Input::HeaderGood { id } => {
                self.in_hand.note_header_good(&id);
                if let Some(bytes) = self.relayed.get(&id).cloned() {
                    self.note_signed(&bytes);
                }
                self.relay_block(id, now);
            }
            Input::BlockJudged { peer, id, bytes, epoch, judgement, why } => {
                self.block_judged(peer, id, bytes, epoch, judgement, &why, now, blocks);
            }
            Input::TransactionJudged { peer, id, judgement, why } => {
                self.transaction_judged(peer, id, judgement, &why, now);
            }
            Input::Accepted(transaction) => self.relay_transaction(&transaction, now),
            Input::Stands(stands) => self.chain_moved(stands, now, blocks),
            Input::Tick => self.tick(now),
        }
    }

    /// Whether a connection from an address is let in; otherwise why not.
    ///
    /// # Errors
    /// The limit that it would pass, in words.
    pub fn admits(&mut self, address: IpAddr, now: TimePoint) -> Result<(), String> {
        let settings = &self.settings;
        let incoming = || self.peers.values().filter(|peer| peer.dialled.is_none());
        let from_there = incoming().filter(|peer| peer.address == address).count();
        let refusal = if let Some(until) = self.standing.banned_until(&Key::Host(address), now) {
            Some(format!("it is banned until {until}"))
        } else if from_there >= settings.max_nodes_per_host as usize {
            Some(format!("it has {from_there} already, as many as p2p-max-nodes-per-host allows"))
        } else if settings.max_clients > 0 && incoming().count() >= settings.max_clients as usize {
            Some("there are as many as max-clients allows".to_owned())
        } else if incoming().filter(|peer| !peer.open).count() >= HALF_OPEN_MAX && !self.makes_room(now) {
            Some("too many have not introduced themselves yet".to_owned())
        } else {
            None
        };
        match refusal {
            None => Ok(()),
            Some(why) => {
                self.counts.refused_connections += 1;
                Err(why)
            }
        }
    }

    /// Ends the oldest connection that has not introduced itself, if it had time for that: who says nothing keeps nobody
    /// out.
    fn makes_room(&mut self, now: TimePoint) -> bool {
        let silent = self.peers.iter().filter(|(_, peer)| peer.dialled.is_none() && !peer.open && !peer.leaving);
        let oldest = silent.min_by_key(|(_, peer)| peer.since);
        let oldest = oldest.filter(|(_, peer)| now.us_since(peer.since) >= HALF_OPEN_GRACE_US).map(|(id, _)| *id);
        oldest.is_some_and(|oldest| {
            self.blame(oldest, 1.0, "it does not introduce itself and others come", now);
            self.close(oldest, None, now);
            true
        })
    }

    /// Dials an address from now on (`/v1/net/connect`), in nodeos' words.
    pub fn connect(&mut self, address: &str, now: TimePoint) -> &'static str {
        if self.dials.find(address).is_some() {
            return "already connected";
        }
        // nodeos says this of any text and never dials what is not an address.
        if address.parse::<PeerAddress>().is_err() {
            tracing::error!("Invalid peer address. must be \"host:port[:<blk>|<trx>]\" or a multiaddress: {address}");
        } else if !self.dials.add(address, now) {
            tracing::error!("{address} is not dialled: there are as many addresses as this node dials at most");
        }
        "added connection"
    }

    /// Dials an address no more (`/v1/net/disconnect`), in nodeos' words.
    pub fn disconnect(&mut self, address: &str, now: TimePoint) -> (&'static str, Vec<Output>) {
        let Some(dial) = self.dials.remove(address) else { return ("no known connection for host", Vec::new()) };
        if let State::Connected(peer) = dial.state {
            let identity = self.peers.get(&peer).and_then(|peer| peer.wire.identity()).map(str::to_owned);
            self.close(peer, None, now);
            if let Some(identity) = identity {
                self.book.part(&identity);
            }
        }
        ("connection removed", std::mem::take(&mut self.out))
    }

    /// How the connections stand.
    pub fn connections(&self) -> Vec<ConnectionStatus> {
        let incoming = self.peers.values().filter(|peer| peer.dialled.is_none());
        let dialled = self.dials.iter().map(|dial| self.status_of(dial));
        dialled.chain(incoming.map(|peer| status(peer, String::new()))).collect()
    }

    /// How the connection to an address stands.
    pub fn status(&self, address: &str) -> Option<ConnectionStatus> {
        if address.is_empty() {
            // nodeos finds one that came to it by the address that it does not have.
            return self.peers.values().find(|peer| peer.dialled.is_none()).map(|peer| status(peer, String::new()));
        }
        self.dials.find(address).map(|dial| self.status_of(dial))
    }

    fn status_of(&self, dial: &dials::Dial) -> ConnectionStatus {
        match dial.state {
            State::Connected(peer) if self.peers.contains_key(&peer) => {
                status(&self.peers[&peer], dial.address.clone())
            }
            state => ConnectionStatus {
                peer: dial.address.clone(),
                // One that failed before is not shown as connecting while it waits.
                connecting: state == State::Dialling || dial.is_new(),
                syncing: false,
                last_handshake: Handshake::default(),
            },
        }
    }

    /// Who signed two blocks for a slot, with both headers.
    pub fn double_signs(&self) -> Vec<DoubleSign> {
        self.double_signs.found().cloned().collect()
    }

    /// What was counted.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Peers that came to this node, and peers that it dialled, which have introduced themselves.
    pub fn peer_counts(&self) -> (usize, usize) {
        let open = || self.peers.values().filter(|peer| peer.open);
        let incoming = open().filter(|peer| peer.dialled.is_none()).count();
        (incoming, open().count() - incoming)
    }

    /// Bytes that wait to be sent, and hosts that are banned.
    pub fn load(&self, now: TimePoint) -> (usize, usize) {
        (self.queued_bytes(), self.standing.banned(now))
    }

    /// Whether blocks are fetched that are irreversible elsewhere.
    pub fn is_syncing(&self) -> bool {
        self.sync.is_active()
    }

    /// Which beginning of ranges is under way: blocks of earlier ones are asked for again.
    pub fn sync_epoch(&self) -> u64 {
        self.sync.epoch()
    }

    /// What is remembered and what waits: in words, how much it is, and how much it may be.
    pub fn sizes(&self) -> Vec<(&'static str, usize, usize)> {
        let known = self.peers.values().map(Peer::known_len).max().unwrap_or(0);
        let queued = self.peers.values().map(|peer| peer.queued).max().unwrap_or(0);
        let (kept, missing) = self.spreading.sizes();
        vec![
            ("bytes for one peer", queued, QUEUED_BYTES_PER_PEER),
            ("bytes for all peers", self.queued_bytes(), QUEUED_BYTES_MAX),
            ("ids of blocks for one peer", known, KNOWN_BLOCKS_MAX),
            ("ids of transactions", self.transactions.count(), KNOWN_TRANSACTIONS_MAX),
            ("bytes of recent transactions", self.recent.bytes(), RECENT_BYTES_MAX),
            ("ids of transactions to tell or to get", self.sharing.ids(), ANNOUNCED_MAX.max(WANTED_MAX)),
            ("transactions in hand", self.trials.len(), TRANSACTIONS_IN_HAND_MAX),
            ("bytes of transactions in hand", self.trials.bytes(), JUDGED_BYTES_MAX),
            ("other forms of a transaction", self.trials.sizes().0, OTHER_TRANSACTIONS_MAX),
            ("transactions that failed", self.trials.sizes().1, FAILED_MAX),
            ("other forms of a block", self.in_hand.others_max(), OTHER_FORMS_MAX),
            ("blocks of gossip", self.gossiped.len(), GOSSIPED_BLOCKS_MAX),
            ("bytes of blocks that peers are told of", kept, KEPT_BLOCK_BYTES_MAX),
            ("blocks that peers told of", missing, MISSING_BLOCKS_MAX),
            ("addresses to dial", self.dials.iter().count(), DIALLED_MAX),
            ("bytes of blocks to relay", self.relayed.values().map(|bytes| bytes.len()).sum(), RELAYED_BYTES_MAX),
        ]
    }

    /// Who is banned until when.
    pub fn banned(&self, now: TimePoint) -> Vec<(Key, TimePoint)> {
        self.standing.bans(now)
    }

    fn queued_bytes(&self) -> usize {
        self.peers.values().map(|peer| peer.queued).sum()
    }

    fn connected(&mut self, peer: PeerId, wire: Wire, address: IpAddr, dialled: Option<String>, now: TimePoint) {
        let kind =
            dialled.as_deref().and_then(|text| text.parse::<Address>().ok()).map_or(Kind::Both, |parsed| parsed.kind);
        if let Some(dialled) = &dialled {
            if self.dials.find(dialled).is_none() {
                // The operator took it out meanwhile.
                self.out.push(Output::Close { peer, flushed: false });
                return;
            }
            self.dials.set(dialled, State::Connected(peer));
        }
        if let Some(identity) = wire.identity() {
            self.book.joined(identity, now);
        }
        let is_dialled = dialled.is_some();
        self.peers.insert(peer, Peer::new(wire, address, dialled, kind, now));
        if is_dialled {
            self.send_handshake(peer, now);
        }
    }

    /// The socket is gone, or is to be forgotten.
    fn closed(&mut self, peer: PeerId, now: TimePoint) {
        self.closed_as(peer, false, now);
    }

    fn closed_as(&mut self, peer: PeerId, turned_away: bool, now: TimePoint) {
        let Some(gone) = self.peers.remove(&peer) else { return };
        self.transactions.part(peer);
        if gone.open {
            tracing::info!("connection to {} ends", gone.name());
        }
        if let Some(dialled) = &gone.dialled {
            let until = self.standing.banned_until(&gone.key(), now);
            let ended = if turned_away { Ended::TurnedAway } else { Ended::Failed(gone.parting) };
            self.dials.failed(dialled, ended, self.settings.redial_max_us, now);
            self.book.ended(dialled, gone.open && gone.parting.is_none(), now);
            if let Some(until) = until {
                self.dials.set(dialled, State::Waits(until));
            }
        }
        if !self.plants(Planted::WaitsForDeadPeer) {
            self.sync.lose(peer);
        }
        if self.catch_up.is_some_and(|catch_up| catch_up.peer == peer) {
            self.catch_up = None;
        }
        self.pump_sync(now);
    }

    /// Ends a connection, with a reason for the peer if there is one.
    fn close(&mut self, peer: PeerId, reason: Option<GoAway>, now: TimePoint) {
        let Some(found) = self.peers.get_mut(&peer).filter(|found| !found.leaving) else { return };
        found.leaving = true;
        found.serving = None;
        match reason {
            Some(reason) => {
                found.parting = found.parting.or(Some(reason));
                self.send(peer, &Message::GoAway { reason, node_id: self.settings.node_id });
                self.out.push(Output::Close { peer, flushed: true });
            }
            None => {
                self.out.push(Output::Close { peer, flushed: false });
                self.closed(peer, now);
            }
        }
    }

    /// Adds blame for what nobody does who means well, with what follows from it.
    fn blame(&mut self, peer: PeerId, points: f64, why: &str, now: TimePoint) {
        self.judge(peer, points, Standing::blame, why, now);
    }

    /// Adds blame for what an honest peer may have done, too.
    fn doubt(&mut self, peer: PeerId, points: f64, why: &str, now: TimePoint) {
        self.judge(peer, points, Standing::doubt, why, now);
    }

    fn judge(
        &mut self,
        peer: PeerId,
        points: f64,
        add: fn(&mut Standing, &Key, f64, TimePoint) -> Consequence,
        why: &str,
        now: TimePoint,
    ) {
        let Some(found) = self.peers.get(&peer) else { return };
        let (key, name) = (found.key(), found.name());
        let for_ever = self.plants(Planted::BannedForEver);
        match add(&mut self.standing, &key, points, if for_ever { TimePoint(i64::MAX / 2) } else { now }) {
            Consequence::None => tracing::debug!("peer {name}: {why}"),
            Consequence::Disconnect => {
                tracing::warn!("peer {name} is disconnected: {why}");
                self.close(peer, None, now);
            }
            Consequence::Ban => {
                tracing::warn!("peer {name} is banned for a while: {why}");
                self.counts.bans += 1;
                let others = self.peers.iter().filter(|(_, other)| other.key() == key).map(|(other, _)| *other);
                for other in others.collect::<Vec<_>>() {
                    self.close(other, None, now);
                }
            }
        }
    }

    fn send(&mut self, peer: PeerId, message: &Message) {
        self.send_frame(peer, Lane::Talk, message.frame().into());
    }

    /// Queues a frame. Who does not take what it gets is disconnected.
    fn send_frame(&mut self, peer: PeerId, lane: Lane, frame: Arc<[u8]>) -> bool {
        let Some(found) = self.peers.get_mut(&peer) else { return false };
        found.queue(lane, frame.len());
        if found.queued > QUEUED_BYTES_PER_PEER {
            tracing::warn!("peer {} is disconnected: it does not take what is sent to it", found.name());
            self.drop_silently(peer);
            return false;
        }
        self.out.push(Output::Send { peer, lane, frame });
        if self.queued_bytes() > QUEUED_BYTES_MAX
            && let Some(longest) = self.peers.iter().max_by_key(|(_, other)| other.queued).map(|(id, _)| *id)
        {
            tracing::warn!("too much waits to be sent: the peer that is furthest behind is disconnected");
            self.drop_silently(longest);
            return longest != peer;
        }
        true
    }

    /// Closes at once, where the caller goes on with its peers: what follows comes with [`Input::Closed`].
    fn drop_silently(&mut self, peer: PeerId) {
        if let Some(found) = self.peers.get_mut(&peer) {
            (found.leaving, found.serving, found.queued) = (true, None, 0);
            self.out.push(Output::Close { peer, flushed: false });
        }
    }

    fn received(
        &mut self,
        (peer, lane): (PeerId, Lane),
        message: Message,
        charge: Charge,
        now: TimePoint,
        blocks: &dyn Blocks,
    ) {
        let Some(found) = self.peers.get_mut(&peer).filter(|found| !found.leaving) else {
            return self.pass_over(&message);
        };
        found.heard = now;
        let is_news = matches!(message, Message::Transaction(_) | Message::Transactions(_));
        if !found.open && found.wire.identity().is_some() && is_news {
            // Gossip, and streams of their own, may be faster than the introduction.
            return self.pass_over(&message);
        }
        let is_content = matches!(message, Message::Block(_) | Message::Transaction(_) | Message::Transactions(_));
        if !is_content && !found.requests.draw(now) {
            self.blame(peer, 10.0, "it sends too many requests", now);
            return self.close(peer, None, now);
        }
        if !found.open
            && !matches!(
                message,
                Message::Handshake(_)
                    | Message::GoAway { .. }
                    | Message::Time(_)
                    | Message::Notice(_)
                    | Message::ChainSize(_)
            )
        {
            self.blame(peer, 10.0, "it has not introduced itself", now);
            return self.close(peer, None, now);
        }
        match message {
            Message::Handshake(handshake) => self.greeted(peer, *handshake, now, blocks),
            Message::ChainSize(_) => {}
            Message::Addresses(_)
            | Message::Unwell(_)
            | Message::Transactions(_)
            | Message::Have(_)
            | Message::Want(_)
            | Message::HaveBlocks(_)
            | Message::WantBlocks(_)
            | Message::Enough(_)
                if found.wire == Wire::Nodeos =>
            {
                self.blame(peer, 10.0, "it sends a message of another wire", now);
                self.close(peer, None, now);
            }
            Message::Addresses(addresses) => self.addresses_came(peer, &addresses, now),
            Message::Unwell(unwell) => self.check_refused(peer, &unwell),
            Message::GoAway { reason, .. } => self.sent_away(peer, reason, now),
            Message::Time(time) => self.compare_clocks(peer, time, now),
            Message::Notice(notice) => self.noticed(peer, &notice, now, blocks),
            Message::Request(request) => self.requested(peer, &request, now, blocks),
            Message::SyncRequest(request) => self.range_requested(peer, request, now, blocks),
            Message::Block(block) => self.block_came((peer, lane), block, charge, now, blocks),
            Message::Transaction(transaction) => {
                let by_gossip = found.wire != Wire::Nodeos;
                self.transaction_came(peer, transaction, charge, by_gossip, now);
            }
            Message::Transactions(transactions) => self.transactions_came(peer, transactions, charge, now),
            Message::Have(ids) => self.told_of(peer, &ids, now),
            Message::Want(ids) => self.asked_for(peer, &ids, now),
            Message::HaveBlocks(ids) => self.told_of_blocks(peer, &ids, now, blocks),
            Message::WantBlocks(ids) => self.asked_for_blocks(peer, &ids, now, blocks),
            Message::Enough(producer) => self.spare(peer, producer),
        }
    }

    /// A message is not looked at.
    fn pass_over(&mut self, message: &Message) {
        if let Message::Transaction(TransactionMessage { id, .. }) = message
            && !self.trials.contains(id)
        {
            self.out.push(Output::TransactionDone { id: *id, judgement: TransactionJudgement::NotNow });
        }
    }

    fn tick(&mut self, now: TimePoint) {
        self.transactions.expire(self.clock(now));
        self.recent.expire(now);
        self.keep_sharing(now);
        self.keep_spreading(now);
        self.meet(now);
        for address in self.dials.due(now) {
            self.out.push(Output::Dial { address });
        }
        for peer in self.peers.keys().copied().collect::<Vec<_>>() {
            self.check(peer, now);
            self.beat(peer, now);
        }
        self.watch_sync(now);
    }

    /// Keeps a connection alive, or ends it.
    fn beat(&mut self, peer: PeerId, now: TimePoint) {
        let keepalive = self.settings.keepalive_us;
        let syncing = self.sync.is_active();
        let Some(found) = self.peers.get_mut(&peer) else { return };
        if found.leaving {
            // What is queued is not sent any more: the peer does not take it.
            if now.us_since(found.beat) > keepalive {
                self.out.push(Output::Close { peer, flushed: false });
            }
            return;
        }
        if !found.open && now.us_since(found.since) > GREETING_US {
            // One that this node dialled may be frozen.
            let add = if found.dialled.is_some() { Self::doubt } else { Self::blame };
            add(self, peer, 5.0, "it does not introduce itself", now);
            return self.close(peer, None, now);
        }
        if now.us_since(found.beat) < keepalive {
            return;
        }
        found.beat = now;
        if now.us_since(found.heard) > 2 * keepalive {
            tracing::warn!("heartbeat timed out for peer {}", found.name());
            found.parting = Some(GoAway::BenignOther);
            return self.close(peer, None, now);
        }
        if found.open && !syncing && now.us_since(found.block_at) > keepalive.max(1_000_000) {
            self.send_handshake(peer, now);
        } else if found.open || found.dialled.is_some() {
            self.send_time(peer, None, now);
        }
    }
}

fn status(peer: &Peer, address: String) -> ConnectionStatus {
    ConnectionStatus {
        peer: address,
        connecting: !peer.open,
        syncing: peer.syncs_from_us,
        last_handshake: peer.said.as_deref().cloned().unwrap_or_default(),
    }
}
