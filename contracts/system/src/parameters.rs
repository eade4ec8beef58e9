//! What the reference contract has as fixed numbers, as parameters of the chain.
//!
//! The row is written by `init` with the reference's numbers; `setchain` changes them one by one, within bounds that keep
//! elections going, sums exact, and stake within reach of whoever staked.

use crate::accounts::token_stats;
use crate::ram::core_symbol;
use sdk::asset::MAX_AMOUNT;
use sdk::prelude::*;

/// Seconds of a day.
pub const DAY_SEC: u32 = 24 * 3600;
/// Microseconds of a day.
pub const DAY_US: i64 = DAY_SEC as i64 * 1_000_000;
/// The reference's year: 52 weeks.
pub const YEAR_US: i64 = 52 * 7 * DAY_US;

/// Most producers that a schedule can hold.
const SCHEDULE_SIZE_MAX: i64 = 125;
/// Longest time that anybody can be made to wait.
const WAIT_SEC_MAX: i64 = 365 * DAY_SEC as i64;
const SLOTS_PER_SEC: i64 = 2;
/// Longest time between two elections: a day.
const SCHEDULE_INTERVAL_SLOTS_MAX: i64 = SLOTS_PER_SEC * DAY_SEC as i64;
/// Most RAM that an account has without buying: a thousandth of what a new chain sells.
const RAM_GIFT_BYTES_MAX: i64 = 64 * 1024 * 1024;
/// A vote can take that many doublings more, times the largest stake, seconds and pay, before a double overflows.
const DOUBLINGS_MAX: f64 = 800.0;
/// For how long a decay must not overflow: 50 years.
const DECAY_SEC: i64 = 50 * 365 * DAY_SEC as i64 + 12 * DAY_SEC as i64;
/// Where the reference counts the steps of a vote's weight from.
const REFERENCE_EPOCH_SEC: u32 = (BlockTimestamp::EPOCH_MS / 1000) as u32;

/// The numbers of this chain. The last fields are missing in rows of older modules.
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
    /// Whether each undelegation has a refund and a delay of its own.
    pub refunds_apart: Extension<bool>,
    /// Whether stake given by others casts the receiver's vote anew.
    pub gifts_renew_votes: Extension<bool>,
    /// Whether an account without limits stays so when it gets stake or RAM.
    pub keep_unlimited: Extension<bool>,
    /// The largest RAM gift there was: who has it keeps it.
    pub ram_gift_bytes_before: Extension<i64>,
    /// From when on steps are counted: when their length last changed.
    pub vote_epoch_sec: Extension<u32>,
    /// Doublings until then.
    pub vote_epoch_doublings: Extension<f64>,
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
            refunds_apart: Extension(Some(false)),
            gifts_renew_votes: Extension(Some(true)),
            keep_unlimited: Extension(Some(false)),
            ram_gift_bytes_before: Extension(Some(0)),
            vote_epoch_sec: Extension(Some(REFERENCE_EPOCH_SEC)),
            vote_epoch_doublings: Extension(Some(0.0)),
        }
    }
}

/// One number to be changed.
#[derive(Record)]
pub struct ParameterChange {
    /// Its name.
    pub parameter: String,
    /// Its value; 1 and 0 stand for yes and no.
    pub value: i64,
}

/// Where a number is kept.
enum Place<'a> {
    Flag(&'a mut bool),
    U16(&'a mut u16),
    U32(&'a mut u32),
    I64(&'a mut i64),
}

impl ChainParameters {
    /// The chain's numbers.
    #[inline(never)]
    pub fn load() -> Self {
        let this = current_receiver();
        let mut row = Singleton::<Self>::new(this, this).find().unwrap_or_default();
        if row.vote_epoch_doublings.0.is_none() {
            row.complete();
        }
        row
    }

    /// Adds what a row of an older module lacks: until then all was as in the reference.
    #[cold]
    fn complete(&mut self) {
        let Self { refunds_apart, gifts_renew_votes, keep_unlimited, .. } = Self::default();
        (self.refunds_apart, self.gifts_renew_votes, self.keep_unlimited) =
            (refunds_apart, gifts_renew_votes, keep_unlimited);
        self.ram_gift_bytes_before = Extension(Some(0));
        self.vote_epoch_sec = Extension(Some(REFERENCE_EPOCH_SEC));
        self.vote_epoch_doublings = Extension(Some(0.0));
    }

    #[inline(never)]
    fn save(self) {
        let this = current_receiver();
        Singleton::new(this, this).set(self, this);
    }

    /// Writes the row of a new chain; numbers that an older module set stay.
    pub fn init() {
        Self::load().save();
    }

    /// Changes some of the chain's numbers, all or none of them.
    pub fn change(changes: &[ParameterChange]) {
        require_auth(current_receiver());
        let before = Self::load();
        let mut parameters = before.clone();
        for change in changes {
            parameters.set(&change.parameter, change.value);
        }
        if parameters.vote_unit() != before.vote_unit() {
            parameters.begin_vote_epoch(&before, current_time().seconds());
        }
        if parameters.ram_gift_bytes != before.ram_gift_bytes {
            let largest = before.ram_gift_bytes.max(before.ram_gift_bytes_before.0.unwrap_or_default());
            parameters.ram_gift_bytes_before = Extension(Some(largest));
        }
        let earns = parameters.votepay_expiry_sec > parameters.claim_interval_sec;
        check(
            earns,
            "votepay_expiry_sec must be more than claim_interval_sec: votes would expire before they are paid",
        );
        parameters.save();
    }

    /// Sets one number within its bounds.
    fn set(&mut self, parameter: &str, value: i64) {
        let seconds = (0, WAIT_SEC_MAX);
        let flag = (0, 1);
        let (place, (least, most)) = match parameter {
            "refund_delay_sec" => (Place::U32(&mut self.refund_delay_sec), seconds),
            "refunds_swept" => (Place::Flag(&mut self.refunds_swept), flag),
            "min_activated_stake" => {
                let supply = token_stats(core_symbol().code()).supply.amount;
                (Place::I64(&mut self.min_activated_stake), (0, supply))
            }
            "schedule_size" => (Place::U16(&mut self.schedule_size), (1, SCHEDULE_SIZE_MAX)),
            "schedule_interval_slots" => {
                (Place::U32(&mut self.schedule_interval_slots), (0, SCHEDULE_INTERVAL_SLOTS_MAX))
            }
            "name_close_interval_slots" => {
                (Place::U32(&mut self.name_close_interval_slots), (0, SLOTS_PER_SEC * WAIT_SEC_MAX))
            }
            "name_quiet_sec" => (Place::U32(&mut self.name_quiet_sec), seconds),
            "name_activation_sec" => (Place::U32(&mut self.name_activation_sec), seconds),
            "claim_interval_sec" => (Place::U32(&mut self.claim_interval_sec), (0, WAIT_SEC_MAX - 1)),
            "votepay_expiry_sec" => (Place::U32(&mut self.votepay_expiry_sec), (1, WAIT_SEC_MAX)),
            "min_pervote_daily_pay" => (Place::I64(&mut self.min_pervote_daily_pay), (0, MAX_AMOUNT)),
            "vote_step_sec" => (Place::U32(&mut self.vote_step_sec), (1, DECAY_SEC)),
            "vote_steps_per_doubling" => (Place::U32(&mut self.vote_steps_per_doubling), (1, i64::from(u32::MAX))),
            "ram_gift_bytes" => (Place::I64(&mut self.ram_gift_bytes), (0, RAM_GIFT_BYTES_MAX)),
            "refunds_apart" => (Place::Flag(self.refunds_apart.0.get_or_insert_default()), flag),
            "gifts_renew_votes" => (Place::Flag(self.gifts_renew_votes.0.get_or_insert_default()), flag),
            "keep_unlimited" => (Place::Flag(self.keep_unlimited.0.get_or_insert_default()), flag),
            _ => fail(&text!("the chain has no parameter ", parameter)),
        };
        check!((least..=most).contains(&value), parameter, " must be from ", least, " to ", most);
        match place {
            Place::Flag(flag) => *flag = value == 1,
            Place::U16(number) => *number = value as u16,
            Place::U32(number) => *number = value as u32,
            Place::I64(number) => *number = value,
        }
    }

    fn vote_unit(&self) -> (u32, u32) {
        (self.vote_step_sec, self.vote_steps_per_doubling)
    }

    /// How often a vote's weight has doubled at a time, in seconds since 1970.
    pub fn doublings(&self, now_sec: u32) -> f64 {
        let elapsed = i64::from(now_sec) - i64::from(self.vote_epoch_sec.0.unwrap_or(REFERENCE_EPOCH_SEC));
        let steps = elapsed / i64::from(self.vote_step_sec);
        let before = self.vote_epoch_doublings.0.unwrap_or_default();
        before + steps as f64 / f64::from(self.vote_steps_per_doubling)
    }

    /// Counts on from now with the new unit: a vote cast before weighs what it weighed. Where an older module let weights
    /// overflow there is nothing to keep, and the count is what it would be by the reference.
    fn begin_vote_epoch(&mut self, before: &Self, now_sec: u32) {
        let doublings = before.doublings(now_sec);
        let kept = if doublings < DOUBLINGS_MAX { doublings } else { Self::default().doublings(now_sec) };
        let doubling_sec = i64::from(self.vote_step_sec) * i64::from(self.vote_steps_per_doubling);
        let least = libm::ceil(DECAY_SEC as f64 / (DOUBLINGS_MAX - kept)) as i64;
        check!(
            doubling_sec >= least,
            "vote_step_sec times vote_steps_per_doubling must be at least ",
            least,
            ": votes would overflow within 50 years"
        );
        self.vote_epoch_sec = Extension(Some(now_sec));
        self.vote_epoch_doublings = Extension(Some(kept));
    }

    /// Whether each undelegation has a refund of its own.
    pub fn refunds_apart(&self) -> bool {
        self.refunds_apart.0.unwrap_or_default()
    }

    /// Whether stake given by others casts the receiver's vote anew.
    pub fn gifts_renew_votes(&self) -> bool {
        self.gifts_renew_votes.0.unwrap_or(true)
    }

    /// Whether a limit stays as it is: none at all, where the chain keeps that.
    pub fn keeps(&self, limit: i64) -> bool {
        limit < 0 && self.keep_unlimited.0.unwrap_or_default()
    }

    /// The RAM that an account has without buying: what it got when the gift was larger stays.
    pub fn ram_gift(&self, limit: i64, bought: i64) -> i64 {
        let (gift, before) = (self.ram_gift_bytes, self.ram_gift_bytes_before.0.unwrap_or_default());
        let has = limit.saturating_sub(bought);
        if gift < has && has <= before { has } else { gift }
    }
}

/// Seconds as the microseconds that times are counted in.
pub fn us(seconds: u32) -> i64 {
    i64::from(seconds) * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_SEC: u32 = 1_800_000_000;

    fn with_unit(step_sec: u32, steps: u32) -> ChainParameters {
        ChainParameters { vote_step_sec: step_sec, vote_steps_per_doubling: steps, ..ChainParameters::default() }
    }

    #[test]
    fn a_new_unit_keeps_what_votes_weigh() {
        let before = ChainParameters::default();
        let mut after = with_unit(3600, 104 * 7 * 24);
        after.begin_vote_epoch(&before, NOW_SEC);
        assert_eq!(after.doublings(NOW_SEC), before.doublings(NOW_SEC));
        assert_eq!(after.doublings(NOW_SEC + 104 * 7 * DAY_SEC) - after.doublings(NOW_SEC), 1.0);
    }

    #[test]
    fn the_fastest_decay_lasts_for_fifty_years() {
        let before = ChainParameters::default();
        let kept = before.doublings(NOW_SEC);
        let least = libm::ceil(DECAY_SEC as f64 / (DOUBLINGS_MAX - kept)) as u32;
        let mut fastest = with_unit(least, 1);
        fastest.begin_vote_epoch(&before, NOW_SEC);
        let end = fastest.doublings(NOW_SEC + DECAY_SEC as u32);
        assert!(end > DOUBLINGS_MAX - 1.0 && end <= DOUBLINGS_MAX, "{end}");
        let most = MAX_AMOUNT as f64 * libm::pow(2.0, end) * DECAY_SEC as f64 * MAX_AMOUNT as f64;
        assert!(most.is_finite());
    }

    #[test]
    fn what_has_overflowed_begins_anew() {
        let infinite = with_unit(60, 1);
        assert!(infinite.doublings(NOW_SEC) > 1e6);
        let mut healed = ChainParameters::default();
        healed.begin_vote_epoch(&infinite, NOW_SEC);
        assert_eq!(healed.doublings(NOW_SEC), ChainParameters::default().doublings(NOW_SEC));
    }

    #[test]
    fn a_lowered_gift_is_left_to_who_has_it() {
        let lowered = ChainParameters {
            ram_gift_bytes: 1000,
            ram_gift_bytes_before: Extension(Some(5000)),
            ..ChainParameters::default()
        };
        assert_eq!(lowered.ram_gift(700 + 5000, 700), 5000);
        assert_eq!(lowered.ram_gift(0, 0), 1000);
        assert_eq!(lowered.ram_gift(700 + 9000, 700), 1000);
        assert_eq!(ChainParameters::default().ram_gift(700 + 5000, 700), 1400);
    }
}
