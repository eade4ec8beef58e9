//! What peers may take: every limit of the network, with its unit. Beside them stand those of the wire
//! ([`crate::wire::frame::FRAME_BYTES_MAX`]) and those that the operator sets ([`crate::core::Settings`]).

/// Bytes of received messages that one peer may have in this node at once, those of the frame under way included.
/// Its connection is not read further until some of them are done with.
pub const RECEIVED_BYTES_PER_PEER: usize = 16 << 20;
/// The same for all peers together.
pub const RECEIVED_BYTES_MAX: usize = 192 << 20;
/// What a message counts at least.
pub const MESSAGE_BYTES_MIN: usize = 512;
/// Bytes that a frame may have before the peer has introduced itself.
pub const GREETING_BYTES_MAX: usize = 8 << 10;
/// Bytes of a frame that is neither a block nor a transaction, where such ones have a stream of their own.
pub const TALK_BYTES_MAX: usize = 16 << 10;
/// Bytes that may wait to be sent to one peer. Who is further behind is disconnected.
pub const QUEUED_BYTES_PER_PEER: usize = 24 << 20;
/// Bytes that may wait to be sent to all peers; beyond it the peer with the longest queue is disconnected.
pub const QUEUED_BYTES_MAX: usize = 192 << 20;
/// Bytes that wait for a peer beyond which it gets no more transactions.
pub const QUEUED_BYTES_FOR_TRANSACTIONS: usize = 4 << 20;
/// Bytes of asked blocks that wait for a peer; the next block is read from the store when there is less.
pub const SERVED_BYTES_AHEAD: usize = 512 << 10;

/// Bytes that a packed transaction may have to travel with others or by gossip; larger ones go to every peer that lacks
/// them, counted as blocks are.
pub const GOSSIP_BYTES_MAX: usize = 16 << 10;
/// Bytes and number of transactions that nodes of ours give each other in one message.
pub const SHARED_BYTES_MAX: usize = 64 << 10;
/// See [`SHARED_BYTES_MAX`].
pub const SHARED_MAX: usize = 512;
/// Peers of ours that get transactions from this node without asking, where transactions do not go by gossip.
pub const SHARED_WITH: usize = 4;
/// Microseconds after which the others are told of what has been there for as long.
pub const ANNOUNCE_US: i64 = 500_000;
/// Transactions of that time that they are told of.
pub const ANNOUNCED_MAX: usize = 16_384;
/// Ids of transactions in one message.
pub const IDS_AT_ONCE_MAX: usize = 256;
/// Transactions that peers told of and were asked for.
pub const WANTED_MAX: usize = 16_384;
/// Microseconds within which a peer must give what it was asked for, before another one is asked.
pub const WANTED_US: i64 = 1_000_000;
/// Copies of a block that a node takes from peers of ours as they come; whoever brings more is told so, and gives it the
/// blocks of that producer no more.
pub const COPIES_WANTED: u8 = 2;
/// Other forms of a block, each from another peer, that are kept while one of them is judged: an id does not say which
/// signature is that of its block.
pub const OTHER_FORMS_MAX: usize = 2;
/// Microseconds after which such a peer is told of a block.
pub const TELL_BLOCK_US: i64 = 100_000;
/// Microseconds within which a peer must give a block that it told of, before another one is asked.
pub const WANT_BLOCK_US: i64 = 300_000;
/// Microseconds after which a block that peers told of is not asked for any more.
pub const MISSING_BLOCK_US: i64 = 3_000_000;
/// Blocks that peers told of and that have not come.
pub const MISSING_BLOCKS_MAX: usize = 256;
/// Peers that may be asked for such a block.
pub const TELLERS_MAX: usize = 8;
/// Bytes of blocks that are kept for those that are told of them.
pub const KEPT_BLOCK_BYTES_MAX: usize = 16 << 20;
/// Reversible blocks of which is known how often they came.
pub const SPREAD_BLOCKS_MAX: usize = 2048;
/// Producers whose blocks a peer gets from others.
pub const PRODUCERS_MAX: usize = 256;
/// Bytes that a packed block may have to travel by gossip; larger ones go from node to node.
pub const GOSSIP_BLOCK_BYTES_MAX: usize = 256 << 10;
/// Peers that take blocks as they come, up to which each gets them from this node; of more most get them by gossip.
pub const PUSHED_PEERS_MAX: usize = 30;
/// Of the peers that gossip reaches so many get a block from this node all the same, other ones for each block: what
/// gossip loses comes to the others from them.
pub const PUSHED_BESIDE_GOSSIP: usize = 8;
/// Blocks that came by gossip and wait to be passed on, or not; more are not taken.
pub const GOSSIPED_BLOCKS_MAX: usize = 64;

/// Bytes that the transactions of a block may take when they are unpacked, before anything is known of who made it.
pub const UNPACKED_BYTES_MAX: usize = 16 << 20;
/// Blocks of one peer that nobody asked for and that are not judged yet; it is asked for more of them later.
pub const NEWS_IN_HAND_MAX: usize = 64;
/// Blocks of one producer for one slot that are taken as they come; others only where they are asked for.
pub const SIBLINGS_MAX: usize = 4;
/// Bytes that transactions which are judged may take in memory, unpacked: of one peer and of all.
pub const JUDGED_BYTES_PER_PEER_MAX: usize = 16 << 20;
/// See [`JUDGED_BYTES_PER_PEER_MAX`].
pub const JUDGED_BYTES_MAX: usize = 64 << 20;
/// Other forms of a transaction, each from another peer, that are kept while one of them is judged: an id does not say
/// which signatures belong to it.
pub const OTHER_TRANSACTIONS_MAX: usize = 8;
/// How often one form of a transaction is tried here that fails or finds no room.
pub const TRIES_MAX: u8 = 3;
/// Forms of transactions of which is known that they failed.
pub const FAILED_MAX: usize = 16_384;
/// Blocks that wait until this node's own is sealed and are remembered: others may follow them.
pub const HELD_MAX: usize = 256;

/// Connections that have not introduced themselves, at most.
pub const HALF_OPEN_MAX: usize = 32;
/// The same of one host, where connections are encrypted.
pub const HALF_OPEN_PER_HOST_MAX: usize = 8;
/// Places beside those where connections are encrypted, for hosts that are known: those that the operator names to be
/// dialled, and those of peers.
pub const HALF_OPEN_KNOWN_MAX: usize = 16;
/// Seconds after which a host counts as that of a peer: longer than anybody stays who does not introduce itself.
pub const STAYED_SECONDS: u64 = 15;
/// Seconds for which the host of a peer is known after that is gone.
pub const KNOWN_HOST_SECONDS: u64 = 3600;
/// Such hosts, at most.
pub const KNOWN_HOSTS_MAX: usize = 1024;
/// Microseconds after which a connection that has not introduced itself makes room for another one.
pub const HALF_OPEN_GRACE_US: i64 = 500_000;
/// Microseconds within which a connection must have introduced itself.
pub const GREETING_US: i64 = 10_000_000;
/// Seconds within which a frame must be whole once it has begun.
pub const FRAME_SECONDS: u64 = 20;
/// Seconds within which the system must take some of what is sent to a peer.
pub const WRITE_SECONDS: u64 = 20;
/// Seconds that a dial may take.
pub const DIAL_SECONDS: u64 = 5;
/// Addresses that are dialled, at most.
pub const DIALLED_MAX: usize = 256;

/// Ids of blocks that are remembered for a peer; those at or below the last irreversible block are forgotten.
pub const KNOWN_BLOCKS_MAX: usize = 2048;
/// Ids of transactions that are remembered, each until it expires; beyond it the first to expire is forgotten.
pub const KNOWN_TRANSACTIONS_MAX: usize = 200_000;
/// Transactions from peers that are judged at once; more are dropped.
pub const TRANSACTIONS_IN_HAND_MAX: usize = 2048;
/// The same of one peer: who floods leaves room for the others.
pub const TRANSACTIONS_IN_HAND_PER_PEER_MAX: usize = 1024;
/// Microseconds for which accepted transactions are kept for peers that connect: as long as a peer may be gone before that
/// is noticed, and as clients let their transactions live.
pub const RECENT_US: i64 = 60_000_000;
/// Bytes of them.
pub const RECENT_BYTES_MAX: usize = 4 << 20;
/// Seconds of a transaction's life that are remembered, whatever it says of its expiration.
pub const TRANSACTION_SECONDS_MAX: i64 = 3600;

/// Requests (of any kind but blocks and transactions) that a peer may send at once, and how many more each second.
pub const REQUESTS: (f64, f64) = (500.0, 200.0);
/// Blocks that this node has not asked for and that it knows already, or that do not join its chain now.
pub const USELESS_BLOCKS: (f64, f64) = (2000.0, 100.0);
/// Transactions that have expired, or that the peer has sent before.
pub const USELESS_TRANSACTIONS: (f64, f64) = (2000.0, 500.0);

/// Bytes of the reason that a node gives its peers when it is not well.
pub const REASON_BYTES_MAX: usize = 256;

/// Blocks beyond the head that are asked for while syncing, in spans.
pub const SYNC_SPANS_AHEAD: u32 = 4;
/// Microseconds without a block after which another peer is asked for a range.
pub const STALL_US: i64 = 5_000_000;
/// The same for the range that is next, if another peer can give it: all others wait for it.
pub const HELD_UP_US: i64 = 1_500_000;
/// Blocks and bytes a second that a peer must give of a range, else another one that is there gets it.
pub const SLOW_BLOCKS_PER_SECOND: f64 = 20.0;
/// See [`SLOW_BLOCKS_PER_SECOND`].
pub const SLOW_BYTES_PER_SECOND: f64 = 65_536.0;

/// Nodes that peers told of and that are remembered.
pub const MET_MAX: usize = 256;
/// Addresses of one node that are remembered.
pub const MET_ADDRESSES_MAX: usize = 8;
/// Addresses that a peer may tell at once.
pub const TOLD_ADDRESSES_MAX: usize = 64;
/// Peers on encrypted connections beyond which a node dials none that it was told of.
pub const MET_PEERS_MAX: usize = 8;
/// Dials after which a node that was told of is forgotten.
pub const MEET_FAILURES_MAX: u32 = 5;
/// Microseconds before a node that was told of is dialled again; doubled by each failure.
pub const MEET_AGAIN_US: i64 = 3_000_000;

/// Slots of producers whose headers are remembered, to find who signs twice for one.
pub const SIGNED_SLOTS_MAX: usize = 2048;
/// Double signings that are remembered.
pub const DOUBLE_SIGNS_MAX: usize = 128;

/// Points of blame at which a peer is disconnected.
pub const DISCONNECT_AT: f64 = 20.0;
/// Points of blame at which a peer is banned.
pub const BAN_AT: f64 = 50.0;
/// Microseconds in which blame halves.
pub const BLAME_HALF_LIFE_US: f64 = 60_000_000.0;
/// Microseconds that a ban lasts. Nothing is left of the blame after it.
pub const BAN_US: i64 = 600_000_000;
/// Hosts whose blame is remembered, at most.
pub const BLAMED_MAX: usize = 4096;

/// Microseconds before an address is dialled again; doubled by each failure, up to the operator's pause.
pub const REDIAL_US: i64 = 100_000;
/// Failures beyond which the pause is not doubled where the other end is there and closes connections at once: it may have
/// no room for a moment.
pub const TURNED_AWAY_MAX: u32 = 5;
/// Microseconds within which that is so.
pub const TURNED_AWAY_US: i64 = 1_000_000;
