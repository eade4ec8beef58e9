//! The four rows of global state, as the reference contract lays them out.
//!
//! A row is read when it is first asked for and writes itself when it goes out of scope, if it changed.

use core::ops::{Deref, DerefMut};
use sdk::parameters::BlockchainParameters;
use sdk::prelude::*;
use sdk::privileged;
use sdk::table::{NoKeys, Row};

/// RAM market, schedule, pay and votes of the whole chain; begins with the chain's configuration.
#[table("global", singleton)]
#[abi(name = "eosio_global_state")]
pub struct Global {
    /// The chain's configuration as last set here.
    #[abi(base)]
    pub chain: BlockchainParameters,
    /// Bytes of RAM that can be sold.
    pub max_ram_size: u64,
    /// Bytes of RAM that are sold.
    pub total_ram_bytes_reserved: u64,
    /// What was paid for them.
    pub total_ram_stake: i64,
    /// When the schedule was last looked at.
    pub last_producer_schedule_update: BlockTimestamp,
    /// When the pay buckets were last filled.
    pub last_pervote_bucket_fill: TimePoint,
    /// To be paid per vote.
    pub pervote_bucket: i64,
    /// To be paid per block.
    pub perblock_bucket: i64,
    /// Blocks produced and not yet paid.
    pub total_unpaid_blocks: u32,
    /// Stake that has voted before the chain was activated.
    pub total_activated_stake: i64,
    /// When the chain was activated; zero before.
    pub thresh_activated_stake_time: TimePoint,
    /// Producers in the last schedule.
    pub last_producer_schedule_size: u16,
    /// Sum of all votes for producers.
    pub total_producer_vote_weight: f64,
    /// When an auction was last closed.
    pub last_name_close: BlockTimestamp,
}

/// Additions of 2018.
#[table("global2", singleton)]
#[abi(name = "eosio_global_state2")]
pub struct Global2 {
    /// Bytes by which the RAM for sale grows with every block.
    pub new_ram_per_block: u16,
    /// Up to when it has grown.
    pub last_ram_increase: BlockTimestamp,
    /// The last block seen.
    pub last_block_num: BlockTimestamp,
    /// Sum of the producers' shares of vote pay.
    pub total_producer_votepay_share: f64,
    /// Which rules of vote pay hold.
    pub revision: u8,
}

/// How the sum of vote pay shares changes.
#[table("global3", singleton)]
#[abi(name = "eosio_global_state3")]
pub struct Global3 {
    /// Up to when the sum is reckoned.
    pub last_vpay_state_update: TimePoint,
    /// By how much it grows a second.
    pub total_vpay_share_change_rate: f64,
}

/// Inflation.
#[table("global4", singleton)]
#[abi(name = "eosio_global_state4")]
pub struct Global4 {
    /// Continuous rate of a year.
    pub continuous_rate: f64,
    /// Share of producers: 10000 divided by this.
    pub inflation_pay_factor: i64,
    /// Share of block pay in that: 10000 divided by this.
    pub votepay_factor: i64,
}

const MAX_RAM_SIZE_AT_FIRST: u64 = 64 * 1024 * 1024 * 1024;
/// In hundredths of a percent.
const ANNUAL_RATE_AT_FIRST: i64 = 500;

/// A row that there is only one of, and what it is before it is first written.
pub trait Kept: Row<Secondary = NoKeys> {
    /// The row before it is first written.
    fn first() -> Self;
}

impl Kept for Global {
    fn first() -> Self {
        Self {
            chain: privileged::blockchain_parameters(),
            max_ram_size: MAX_RAM_SIZE_AT_FIRST,
            total_ram_bytes_reserved: 0,
            total_ram_stake: 0,
            last_producer_schedule_update: BlockTimestamp(0),
            last_pervote_bucket_fill: TimePoint(0),
            pervote_bucket: 0,
            perblock_bucket: 0,
            total_unpaid_blocks: 0,
            total_activated_stake: 0,
            thresh_activated_stake_time: TimePoint(0),
            last_producer_schedule_size: 0,
            total_producer_vote_weight: 0.0,
            last_name_close: BlockTimestamp(0),
        }
    }
}

impl Kept for Global2 {
    fn first() -> Self {
        Self {
            new_ram_per_block: 0,
            last_ram_increase: BlockTimestamp(0),
            last_block_num: BlockTimestamp(0),
            total_producer_votepay_share: 0.0,
            revision: 0,
        }
    }
}

impl Kept for Global3 {
    fn first() -> Self {
        Self { last_vpay_state_update: TimePoint(0), total_vpay_share_change_rate: 0.0 }
    }
}

impl Kept for Global4 {
    fn first() -> Self {
        Self {
            continuous_rate: continuous_rate(ANNUAL_RATE_AT_FIRST),
            inflation_pay_factor: 50_000,
            votepay_factor: 40_000,
        }
    }
}

/// The continuous rate that yields `annual_rate` hundredths of a percent in a year.
pub fn continuous_rate(annual_rate: i64) -> f64 {
    libm::log1p(annual_rate as f64 / 10_000.0)
}

/// A row of global state while an action works with it.
pub struct State<R: Kept> {
    row: Option<R>,
    entry: Option<Entry<R>>,
    changed: bool,
}

impl<R: Kept> State<R> {
    /// Reads the row; one that was never written will be.
    pub fn load() -> Self {
        let this = current_receiver();
        match Table::<R>::new(this, this).find(R::TABLE) {
            Some(entry) => Self { row: None, entry: Some(entry), changed: false },
            None => Self { row: Some(R::first()), entry: None, changed: true },
        }
    }
}

impl<R: Kept> Deref for State<R> {
    type Target = R;
    fn deref(&self) -> &R {
        match (&self.entry, &self.row) {
            (Some(entry), _) => entry,
            (None, Some(row)) => row,
            (None, None) => fail("state is gone"),
        }
    }
}

impl<R: Kept> DerefMut for State<R> {
    fn deref_mut(&mut self) -> &mut R {
        self.changed = true;
        match (&mut self.entry, &mut self.row) {
            (Some(entry), _) => entry.row_mut(),
            (None, Some(row)) => row,
            (None, None) => fail("state is gone"),
        }
    }
}

impl<R: Kept> Drop for State<R> {
    fn drop(&mut self) {
        if !self.changed {
            return;
        }
        let this = current_receiver();
        match (&mut self.entry, self.row.take()) {
            (Some(entry), _) => entry.save(this),
            (None, Some(row)) => {
                Table::new(this, this).insert(this, row);
            }
            (None, None) => {}
        }
    }
}
