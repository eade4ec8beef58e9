//! Votes: their weight, which decays against newer ones, and the sums that follow from them.

use crate::accounts::B1;
use crate::globals::{Global, Global2, Global3, State};
use crate::parameters::{ChainParameters, us};
use crate::rex;
use crate::rex::tables::{RexBalance, table};
use crate::tables::{DelegatedBandwidth, ProducerInfo, ProducerInfo2, VoterInfo};
use sdk::prelude::*;

const VOTES_MAX: usize = 30;

/// The global sums that votes change, and the moment they change at.
pub struct Tally<'a> {
    /// Activation and the sum of votes.
    pub global: State<Global>,
    /// Shares of vote pay.
    pub global2: State<Global2>,
    /// Their growth.
    pub global3: State<Global3>,
    now: TimePoint,
    parameters: &'a ChainParameters,
}

impl<'a> Tally<'a> {
    /// The sums as they stand.
    pub fn load(parameters: &'a ChainParameters) -> Self {
        let (global, global2, global3) = (State::load(), State::load(), State::load());
        Self { global, global2, global3, now: current_time(), parameters }
    }

    /// Brings the sum of shares up to now, changes it, and changes its growth. Returns the sum.
    pub fn update_total_votepay_share(&mut self, shares_delta: f64, rate_delta: f64) -> f64 {
        let mut delta = 0.0;
        if self.now > self.global3.last_vpay_state_update {
            let elapsed = self.now.since(self.global3.last_vpay_state_update) as f64 / 1E6;
            delta = self.global3.total_vpay_share_change_rate * elapsed;
        }
        delta += shares_delta;
        let share = self.global2.total_producer_votepay_share;
        self.global2.total_producer_votepay_share = if delta < 0.0 && share < -delta { 0.0 } else { share + delta };
        let rate = self.global3.total_vpay_share_change_rate;
        let none_left = rate_delta < 0.0 && rate < -rate_delta;
        self.global3.total_vpay_share_change_rate = if none_left { 0.0 } else { rate + rate_delta };
        self.global3.last_vpay_state_update = self.now;
        self.global2.total_producer_votepay_share
    }

    /// Brings a producer's share up to now, or sets it back. Returns what it was now.
    pub fn update_producer_votepay_share(&self, producer: &mut Entry<ProducerInfo2>, rate: f64, reset: bool) -> f64 {
        let mut delta = 0.0;
        if rate > 0.0 && self.now > producer.last_votepay_share_update {
            delta = rate * (self.now.since(producer.last_votepay_share_update) as f64 / 1E6);
        }
        let share = producer.votepay_share + delta;
        producer.modify(SAME_PAYER, |row| {
            row.votepay_share = if reset { 0.0 } else { share };
            row.last_votepay_share_update = self.now;
        });
        share
    }

    /// Until when a producer's votes earn.
    pub fn votepay_expiry(&self, producer: &ProducerInfo) -> TimePoint {
        producer.last_claim_time.plus_us(us(self.parameters.votepay_expiry_sec))
    }

    /// Changes a producer's votes by `delta` and what follows from it for vote pay.
    fn change_votes(&mut self, mut producer: Entry<ProducerInfo>, delta: f64, floor: bool, pay: &mut PayChange) {
        let before = producer.total_votes;
        producer.modify(SAME_PAYER, |row| {
            row.total_votes += delta;
            if floor && row.total_votes < 0.0 {
                row.total_votes = 0.0;
            }
        });
        self.global.total_producer_vote_weight += delta;
        let Some(mut share) = ProducerInfo2::table().find(producer.owner) else { return };
        let expiry = self.votepay_expiry(&producer);
        let expired = expiry <= self.now;
        let expired_before = expiry <= share.last_votepay_share_update;
        let rate = if expired_before { 0.0 } else { before };
        let new_share = self.update_producer_votepay_share(&mut share, rate, expired && !expired_before);
        if !expired {
            pay.rate += delta;
        } else if !expired_before {
            pay.inactive_share += new_share;
            pay.rate -= before;
        }
    }

    /// What a stake weighs now: doubling every so many steps of time.
    fn weight(&self, staked: i64) -> f64 {
        vote_weight(staked, self.now.seconds(), self.parameters)
    }

    fn weight_of(&self, voter: &VoterInfo) -> f64 {
        let own = self.weight(voter.staked);
        if voter.is_proxy { own + voter.proxied_vote_weight } else { own }
    }

    /// Passes a change of a voter's weight on to its proxy or its producers.
    pub fn propagate_weight_change(&mut self, voter: Entry<VoterInfo>) {
        let weight = self.weight_of(&voter);
        self.set_weight(voter, weight);
    }

    #[inline(never)]
    fn set_weight(&mut self, mut voter: Entry<VoterInfo>, weight: f64) {
        let both = !voter.proxy.is_empty() && voter.is_proxy;
        check(!both, "account registered as a proxy is not allowed to use a proxy");
        let delta = weight - voter.last_vote_weight;
        // Smaller changes are lost in the noise of the sums.
        if delta.abs() > 1.0 {
            if voter.proxy.is_empty() {
                let mut pay = PayChange::default();
                for producer in &voter.producers {
                    let producer = ProducerInfo::table().get(*producer, "producer not found");
                    self.change_votes(producer, delta, false, &mut pay);
                }
                self.update_total_votepay_share(-pay.inactive_share, pay.rate);
            } else {
                let mut proxy = VoterInfo::table().get(voter.proxy, "proxy not found");
                proxy.modify(SAME_PAYER, |proxy| proxy.proxied_vote_weight += delta);
                self.propagate_weight_change(proxy);
            }
        }
        voter.modify(SAME_PAYER, |voter| voter.last_vote_weight = weight);
    }

    fn change_proxied(&mut self, mut proxy: Entry<VoterInfo>, delta: f64) {
        proxy.modify(SAME_PAYER, |proxy| proxy.proxied_vote_weight += delta);
        self.propagate_weight_change(proxy);
    }

    /// A first vote counts towards the activation of the chain.
    fn activate(&mut self, voter: &VoterInfo) {
        if self.global.thresh_activated_stake_time != TimePoint(0) || voter.last_vote_weight > 0.0 {
            return;
        }
        self.global.total_activated_stake = self.global.total_activated_stake.wrapping_add(voter.staked);
        if self.global.total_activated_stake >= self.parameters.min_activated_stake {
            self.global.thresh_activated_stake_time = self.now;
        }
    }

    /// Casts a vote anew: takes back what the old one weighed and adds what the new one weighs.
    fn update_votes(&mut self, mut voter: Entry<VoterInfo>, proxy: Name, producers: Vec<Name>, voting: bool) {
        let with_proxy = !proxy.is_empty();
        check(!with_proxy || !voter.is_proxy, "account registered as a proxy is not allowed to use a proxy");
        self.activate(&voter);
        let weight = self.weight_of(&voter);
        let mut deltas = Vec::new();
        if voter.last_vote_weight > 0.0 {
            if voter.proxy.is_empty() {
                let taken_back =
                    |producer: &Name| Delta { producer: *producer, votes: -voter.last_vote_weight, new: false };
                deltas.extend(voter.producers.iter().map(taken_back));
            } else {
                let old = VoterInfo::table().get(voter.proxy, "old proxy not found");
                self.change_proxied(old, -voter.last_vote_weight);
            }
        }
        if with_proxy {
            let new = VoterInfo::table().get(proxy, "invalid proxy specified");
            check(!voting || new.is_proxy, "proxy not found");
            if weight >= 0.0 {
                self.change_proxied(new, weight);
            }
        } else if weight >= 0.0 {
            add_deltas(&mut deltas, &producers, weight);
        }
        self.apply(&deltas, voting);
        voter.modify(SAME_PAYER, |voter| {
            voter.last_vote_weight = weight;
            voter.producers = producers;
            voter.proxy = proxy;
        });
    }

    fn apply(&mut self, deltas: &[Delta], voting: bool) {
        let mut pay = PayChange::default();
        for Delta { producer, votes, new } in deltas {
            match ProducerInfo::table().find(*producer) {
                Some(row) => {
                    let gone = voting && !row.is_active && *new;
                    check!(!gone, "producer ", row.owner, " is not currently registered");
                    self.change_votes(row, *votes, true, &mut pay);
                }
                None => check!(!*new, "producer ", producer, " is not registered"),
            }
        }
        self.update_total_votepay_share(-pay.inactive_share, pay.rate);
    }
}

/// What a stake weighs so many seconds after 1970.
pub fn vote_weight(staked: i64, now_sec: u32, parameters: &ChainParameters) -> f64 {
    staked as f64 * libm::pow(2.0, parameters.doublings(now_sec))
}

/// What the changes of votes change in the sums of vote pay.
#[derive(Default)]
struct PayChange {
    rate: f64,
    inactive_share: f64,
}

/// A change of one producer's votes.
struct Delta {
    producer: Name,
    votes: f64,
    /// Whether the producer is voted for now.
    new: bool,
}

/// Adds votes for `producers` to the changes; both lists are in the order of names, and stay so.
fn add_deltas(deltas: &mut Vec<Delta>, producers: &[Name], weight: f64) {
    for producer in producers {
        match deltas.binary_search_by_key(producer, |delta| delta.producer) {
            Ok(at) => {
                deltas[at].votes += weight;
                deltas[at].new = true;
            }
            Err(at) => deltas.insert(at, Delta { producer: *producer, votes: weight, new: true }),
        }
    }
}

fn check_choice(voter: Name, proxy: Name, producers: &[Name]) {
    if !proxy.is_empty() {
        check(producers.is_empty(), "cannot vote for producers and proxy at same time");
        check(voter != proxy, "cannot proxy to self");
        return;
    }
    check(producers.len() <= VOTES_MAX, "attempt to vote for too many producers");
    let ascending = producers.iter().zip(producers.iter().skip(1)).all(|(one, next)| one < next);
    check(ascending, "producer votes must be unique and sorted");
}

/// Votes for producers or for a proxy.
pub fn voteproducer(voter: Name, proxy: Name, producers: Vec<Name>) {
    require_auth(if voter == B1 { name!("eosio") } else { voter });
    rex::balance::update_stake(voter);
    check_choice(voter, proxy, &producers);
    let entry = VoterInfo::table().get(voter, "user must stake before they can vote");
    let parameters = ChainParameters::load();
    Tally::load(&parameters).update_votes(entry, proxy, producers, true);
}

/// Casts the old vote anew with what is staked now.
pub fn voteupdate(voter: Name) {
    check(VoterInfo::table().contains(voter), "no voter found");
    require_auth(voter);
    let mut in_rex = 0;
    if let Some(balance) = table::<RexBalance>().find(voter) {
        rex::updaterex(voter);
        let now = if balance.rex_balance.amount > 0 { table::<RexBalance>().find(voter) } else { None };
        in_rex = now.map_or(0, |balance| balance.vote_stake.amount);
    }
    let mut entry = VoterInfo::table().get(voter, "no voter found");
    let delegated = Table::<DelegatedBandwidth>::new(current_receiver(), voter);
    let of = |row: Entry<DelegatedBandwidth>| row.net_weight.amount.wrapping_add(row.cpu_weight.amount);
    let staked = delegated.iter().map(of).fold(in_rex, i64::wrapping_add);
    if entry.staked != staked {
        entry.modify(SAME_PAYER, |voter| voter.staked = staked);
    }
    let (proxy, producers) = (entry.proxy, entry.producers.clone());
    check_choice(voter, proxy, &producers);
    let parameters = ChainParameters::load();
    Tally::load(&parameters).update_votes(entry, proxy, producers, true);
}

/// Changes what a voter has staked, and its vote with it: cast anew (`renew`), or by what the change weighs. Returns what
/// it has staked now.
pub fn update_voting_power(account: Name, change: Asset, renew: bool, parameters: &ChainParameters) -> i64 {
    let voters = VoterInfo::table();
    let voter = match voters.find(account) {
        Some(mut voter) => {
            voter.modify(SAME_PAYER, |voter| voter.staked = voter.staked.wrapping_add(change.amount));
            voter
        }
        None => voters.insert(account, VoterInfo { staked: change.amount, ..VoterInfo::new(account) }),
    };
    let staked = voter.staked;
    check(staked >= 0, "stake for voting cannot be negative");
    let votes = !voter.producers.is_empty() || !voter.proxy.is_empty();
    if votes && !renew {
        let mut tally = Tally::load(parameters);
        let weight = voter.last_vote_weight + tally.weight(change.amount);
        tally.set_weight(voter, weight);
    } else if votes {
        let (proxy, producers) = (voter.proxy, voter.producers.clone());
        check_choice(account, proxy, &producers);
        Tally::load(parameters).update_votes(voter, proxy, producers, false);
    }
    staked
}

/// Makes an account a proxy, or no longer one.
pub fn regproxy(proxy: Name, is_proxy: bool) {
    require_auth(proxy);
    let voters = VoterInfo::table();
    match voters.find(proxy) {
        Some(mut voter) => {
            check(is_proxy != voter.is_proxy, "action has no effect");
            let free = !is_proxy || voter.proxy.is_empty();
            check(free, "account that uses a proxy is not allowed to become a proxy");
            voter.modify(SAME_PAYER, |voter| voter.is_proxy = is_proxy);
            let parameters = ChainParameters::load();
            Tally::load(&parameters).propagate_weight_change(voter);
        }
        None => {
            voters.insert(proxy, VoterInfo { is_proxy, ..VoterInfo::new(proxy) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vote_a_year_later_weighs_twice_as_much() {
        const YEAR_2000_SEC: u32 = 946_684_800;
        let parameters = ChainParameters::default();
        let week = 7 * 24 * 3600;
        let weight = |weeks: u32| vote_weight(10_000, YEAR_2000_SEC + weeks * week, &parameters);
        assert_eq!(weight(52), 20_000.0);
        assert_eq!(weight(1352) / weight(1300), 2.0);
        assert_eq!(vote_weight(10_000, YEAR_2000_SEC + week - 1, &parameters), 10_000.0);
    }

    #[test]
    fn deltas_stay_in_the_order_of_names() {
        let name = |number: u64| Name(number);
        let mut deltas = Vec::from([2, 4].map(|producer| Delta { producer: name(producer), votes: -1.0, new: false }));
        add_deltas(&mut deltas, &[1, 2, 5].map(name), 3.0);
        let seen: Vec<_> = deltas.iter().map(|delta| (delta.producer.0, delta.votes, delta.new)).collect();
        assert_eq!(seen, [(1, 3.0, true), (2, 2.0, true), (4, -1.0, false), (5, 3.0, true)]);
    }
}
