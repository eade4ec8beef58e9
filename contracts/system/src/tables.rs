//! The rows of accounts, producers, voters and names, as the reference contract lays them out.

use sdk::prelude::*;

/// The hash of an account's ABI.
#[table("abihash")]
pub struct AbiHash {
    /// The account.
    #[primary]
    pub owner: Name,
    /// SHA-256 of the packed ABI.
    pub hash: Checksum256,
}

/// What an account has of resources; the scope is the account.
#[table("userres")]
pub struct UserResources {
    /// The account.
    #[primary]
    pub owner: Name,
    /// Staked for network bandwidth, by whomever.
    pub net_weight: Asset,
    /// Staked for CPU time, by whomever.
    pub cpu_weight: Asset,
    /// Bytes of RAM bought.
    pub ram_bytes: i64,
}

impl UserResources {
    /// Nothing yet.
    pub fn new(owner: Name, core: Symbol) -> Self {
        let nothing = Asset { amount: 0, symbol: core };
        Self { owner, net_weight: nothing, cpu_weight: nothing, ram_bytes: 0 }
    }

    /// The table in the scope of `owner`.
    pub fn of(owner: Name) -> Table<Self> {
        Table::new(current_receiver(), owner)
    }
}

/// What one account has staked to another; the scope is the giver.
#[table("delband")]
pub struct DelegatedBandwidth {
    /// Who gave.
    pub from: Name,
    /// Who may use it.
    #[primary]
    pub to: Name,
    /// For network bandwidth.
    pub net_weight: Asset,
    /// For CPU time.
    pub cpu_weight: Asset,
}

/// What an account gets back of its stake; the scope is the account.
#[table("refunds")]
pub struct RefundRequest {
    /// The account.
    #[primary]
    pub owner: Name,
    /// When it last undelegated.
    pub request_time: TimePointSec,
    /// From network bandwidth.
    pub net_amount: Asset,
    /// From CPU time.
    pub cpu_amount: Asset,
}

/// What one undelegation gives back, where the chain keeps them apart; the scope is the account.
#[table("refundparts")]
pub struct RefundPart {
    /// Its number: later ones have greater ones.
    #[primary]
    pub id: u64,
    /// When it was undelegated.
    pub request_time: TimePointSec,
    /// From network bandwidth.
    pub net_amount: Asset,
    /// From CPU time.
    pub cpu_amount: Asset,
}

impl RefundPart {
    /// All parts of an account.
    pub fn of(owner: Name) -> Table<Self> {
        Table::new(current_receiver(), owner)
    }
}

/// A voter, a proxy, or an account whose resources are managed.
#[table("voters")]
#[derive(Clone)]
pub struct VoterInfo {
    /// The account.
    #[primary]
    pub owner: Name,
    /// Who votes for it.
    pub proxy: Name,
    /// For whom it votes.
    pub producers: Vec<Name>,
    /// All it has staked.
    pub staked: i64,
    /// What its vote weighed when it was last reckoned.
    pub last_vote_weight: f64,
    /// What others' votes weigh that it casts.
    pub proxied_vote_weight: f64,
    /// Whether it votes for others.
    pub is_proxy: bool,
    /// Which resources are managed.
    pub flags1: u32,
    /// Nothing.
    pub reserved2: u32,
    /// Nothing.
    pub reserved3: Asset,
}

/// Managed resources: bits of `flags1`.
pub mod managed {
    /// RAM.
    pub const RAM: u32 = 1;
    /// Network bandwidth.
    pub const NET: u32 = 2;
    /// CPU time.
    pub const CPU: u32 = 4;
}

impl VoterInfo {
    /// A voter without stake or vote.
    pub fn new(owner: Name) -> Self {
        Self {
            owner,
            proxy: Name(0),
            producers: Vec::new(),
            staked: 0,
            last_vote_weight: 0.0,
            proxied_vote_weight: 0.0,
            is_proxy: false,
            flags1: 0,
            reserved2: 0,
            // The reference's rows hold an empty asset of no valid symbol here.
            reserved3: Asset { amount: 0, symbol: Symbol(0) },
        }
    }

    /// All voters.
    pub fn table() -> Table<Self> {
        let this = current_receiver();
        Table::new(this, this)
    }

    /// Which of an account's resources are managed.
    pub fn managed(account: Name) -> u32 {
        Self::table().find(account).map_or(0, |voter| voter.flags1)
    }
}

/// A producer.
#[table("producers", index(by_votes: f64 = self.by_votes()))]
pub struct ProducerInfo {
    /// The account.
    #[primary]
    pub owner: Name,
    /// What its votes weigh.
    pub total_votes: f64,
    /// Its key, when it signs with one.
    pub producer_key: PublicKey,
    /// Whether it stands for election.
    pub is_active: bool,
    /// Its page.
    pub url: ByteString,
    /// Blocks it made since it last claimed.
    pub unpaid_blocks: u32,
    /// When it last claimed.
    pub last_claim_time: TimePoint,
    /// Where it is, by a number of its choice.
    pub location: u16,
    /// How it signs. Old rows lack the field.
    pub producer_authority: Extension<BlockSigningAuthority>,
}

impl ProducerInfo {
    /// All producers.
    pub fn table() -> Table<Self> {
        let this = current_receiver();
        Table::new(this, this)
    }

    /// Active producers first, by descending votes.
    pub fn by_votes(&self) -> f64 {
        if self.is_active { -self.total_votes } else { self.total_votes }
    }

    /// Stands for election no longer.
    pub fn deactivate(&mut self) {
        self.producer_key = PublicKey::default();
        self.producer_authority = Extension(None);
        self.is_active = false;
    }

    /// How it signs.
    pub fn authority(&self) -> BlockSigningAuthority {
        match &self.producer_authority.0 {
            Some(authority) if authority.v0().threshold > 0 => authority.clone(),
            _ => BlockSigningAuthority::single(self.producer_key.clone()),
        }
    }
}

/// A producer's share of vote pay.
#[table("producers2")]
pub struct ProducerInfo2 {
    /// The account.
    #[primary]
    pub owner: Name,
    /// Votes times seconds.
    pub votepay_share: f64,
    /// Up to when it is reckoned.
    pub last_votepay_share_update: TimePoint,
}

impl ProducerInfo2 {
    /// All shares.
    pub fn table() -> Table<Self> {
        let this = current_receiver();
        Table::new(this, this)
    }
}

/// A change of inflation to come.
#[table("schedules", primary = self.start_time.0)]
pub struct SchedulesInfo {
    /// From when.
    pub start_time: TimePointSec,
    /// The continuous rate from then on.
    pub continuous_rate: f64,
}

/// The auction of a name.
#[table("namebids", index(by_high_bid: u64 = self.high_bid.wrapping_neg() as u64))]
pub struct NameBid {
    /// The name.
    #[primary]
    pub newname: Name,
    /// Who bids most.
    pub high_bidder: Name,
    /// How much; negative once the auction is closed and until the name is used.
    pub high_bid: i64,
    /// When.
    pub last_bid_time: TimePoint,
}

impl NameBid {
    /// All auctions.
    pub fn table() -> Table<Self> {
        let this = current_receiver();
        Table::new(this, this)
    }
}

/// What an outbid bidder gets back; the scope is the name.
#[table("bidrefunds")]
pub struct BidRefund {
    /// The bidder.
    #[primary]
    pub bidder: Name,
    /// How much.
    pub amount: Asset,
}

/// When each of the last blocks was made; the scope is 0.
#[table("blockinfo", primary = u64::from(self.block_height))]
pub struct BlockInfoRecord {
    /// 0.
    pub version: u8,
    /// The block's number.
    pub block_height: u32,
    /// Its time.
    pub block_timestamp: TimePoint,
}

/// Which permissions may change an account's permissions.
#[table("limitauthchg")]
pub struct LimitAuthChange {
    /// 0.
    pub version: u8,
    /// The account.
    #[primary]
    pub account: Name,
    /// Only these, if any.
    pub allow_perms: Vec<Name>,
    /// Not these, if any.
    pub disallow_perms: Vec<Name>,
}

impl LimitAuthChange {
    /// All accounts that chose so.
    pub fn table() -> Table<Self> {
        let this = current_receiver();
        Table::new(this, this)
    }
}

/// One side of the RAM market.
#[derive(Record)]
pub struct Connector {
    /// What is in it.
    pub balance: Asset,
    /// Its weight: a half.
    pub weight: f64,
}

/// The RAM market.
#[table("rammarket", primary = self.supply.symbol)]
pub struct ExchangeState {
    /// Of the market's own unit.
    pub supply: Asset,
    /// RAM.
    pub base: Connector,
    /// The core token.
    pub quote: Connector,
}
