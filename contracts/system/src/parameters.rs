//! What the reference contract has as fixed numbers, as parameters of the chain.
//!
//! The row is there only once `setchain` was used; until then every number is the reference's.

use sdk::prelude::*;

/// Seconds of a day.
pub const DAY_SEC: u32 = 24 * 3600;
/// Microseconds of a day.
pub const DAY_US: i64 = DAY_SEC as i64 * 1_000_000;
/// The reference's year: 52 weeks.
pub const YEAR_US: i64 = 52 * 7 * DAY_US;

/// Most producers that a schedule can hold.
const SCHEDULE_SIZE_MAX: u16 = 125;

/// The numbers of this chain.
#[table("chainparams", singleton)]
#[derive(Clone)]
#[abi(name = "chain_parameters")]
pub struct ChainParameters {
    /// Seconds from an undelegation until its refund.
    pub refund_delay_sec: u32,
    /// Whether anyone may claim a refund for its owner, and an owner's next staking claims what is due.
    pub refunds_swept: bool,
    /// Stake that must have voted before the chain counts as activated.
    pub min_activated_stake: i64,
    /// Producers in a schedule.
    pub schedule_size: u16,
    /// Slots between two elections.
    pub schedule_interval_slots: u32,
    /// Slots between two closings of name auctions.
    pub name_close_interval_slots: u32,
    /// Seconds without a higher bid before an auction may close.
    pub name_quiet_sec: u32,
    /// Seconds from the chain's activation until auctions close.
    pub name_activation_sec: u32,
    /// Seconds between two claims of a producer.
    pub claim_interval_sec: u32,
    /// Seconds after its last claim for which a producer's votes earn.
    pub votepay_expiry_sec: u32,
    /// Least that is paid per vote in a claim.
    pub min_pervote_daily_pay: i64,
    /// Seconds in which a vote's weight takes one step.
    pub vote_step_sec: u32,
    /// Steps in which a vote's weight doubles.
    pub vote_steps_per_doubling: u32,
    /// Bytes of RAM that every account has without buying.
    pub ram_gift_bytes: i64,
}

impl Default for ChainParameters {
    fn default() -> Self {
        Self {
            refund_delay_sec: 3 * DAY_SEC,
            refunds_swept: false,
            min_activated_stake: 1_500_000_000_000,
            schedule_size: 21,
            schedule_interval_slots: 120,
            name_close_interval_slots: 2 * DAY_SEC,
            name_quiet_sec: DAY_SEC,
            name_activation_sec: 14 * DAY_SEC,
            claim_interval_sec: DAY_SEC,
            votepay_expiry_sec: 3 * DAY_SEC,
            min_pervote_daily_pay: 1_000_000,
            vote_step_sec: 7 * DAY_SEC,
            vote_steps_per_doubling: 52,
            ram_gift_bytes: 1400,
        }
    }
}

impl ChainParameters {
    /// The chain's numbers.
    pub fn load() -> Self {
        let this = current_receiver();
        Singleton::<Self>::new(this, this).find().unwrap_or_default()
    }

    /// Sets the chain's numbers.
    pub fn set(self) {
        let this = current_receiver();
        require_auth(this);
        check((1..=SCHEDULE_SIZE_MAX).contains(&self.schedule_size), "schedule_size must be from 1 to 125");
        check(self.vote_step_sec > 0, "vote_step_sec must be positive");
        check(self.vote_steps_per_doubling > 0, "vote_steps_per_doubling must be positive");
        check(self.min_activated_stake >= 0, "min_activated_stake can't be negative");
        check(self.min_pervote_daily_pay >= 0, "min_pervote_daily_pay can't be negative");
        check(self.ram_gift_bytes >= 0, "ram_gift_bytes can't be negative");
        Singleton::new(this, this).set(self, this);
    }
}

/// Seconds as the microseconds that times are counted in.
pub fn us(seconds: u32) -> i64 {
    i64::from(seconds) * 1_000_000
}
