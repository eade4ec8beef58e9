//! Votes counted anew: heals sums that overflowed while an older module let a vote's weight grow without bound.
//!
//! Reads every voter and producer in one action: for the chains that can need it, not for one with a hundred thousand
//! voters.

use crate::globals::{Global, Global2, Global3, State};
use crate::parameters::{ChainParameters, us};
use crate::tables::{ProducerInfo, ProducerInfo2, VoterInfo};
use crate::voting::vote_weight;
use sdk::prelude::*;

/// Sums by name, in the order of names.
#[derive(Default)]
struct Sums(Vec<(Name, f64)>);

impl Sums {
    fn add(&mut self, name: Name, votes: f64) {
        match self.0.binary_search_by_key(&name, |sum| sum.0) {
            Ok(at) => self.0[at].1 += votes,
            Err(at) => self.0.insert(at, (name, votes)),
        }
    }

    fn of(&self, name: Name) -> f64 {
        self.0.binary_search_by_key(&name, |sum| sum.0).map_or(0.0, |at| self.0[at].1)
    }
}

/// Reckons what proxies and producers have from the weights that voters have; a vote whose weight has overflowed weighs
/// what its stake weighs now.
pub fn recountvotes() {
    let (parameters, now) = (ChainParameters::load(), current_time());
    let (mut proxies, mut producers) = (Sums::default(), Sums::default());
    for mut voter in VoterInfo::table().iter().filter(|voter| !voter.is_proxy) {
        heal(&mut voter, 0.0, &parameters, now);
        count(&voter, &mut proxies, &mut producers);
    }
    for mut voter in VoterInfo::table().iter().filter(|voter| voter.is_proxy) {
        let proxied = proxies.of(voter.owner);
        heal(&mut voter, proxied, &parameters, now);
        count(&voter, &mut proxies, &mut producers);
    }
    recount_producers(&producers, &parameters, now);
}

/// Gives a voter a finite weight, and a proxy what it has from others.
fn heal(voter: &mut Entry<VoterInfo>, proxied: f64, parameters: &ChainParameters, now: TimePoint) {
    let own = voter.last_vote_weight - if voter.is_proxy { voter.proxied_vote_weight } else { 0.0 };
    let own = if own.is_finite() { own } else { vote_weight(voter.staked, now.seconds(), parameters) };
    voter.modify(SAME_PAYER, |voter| {
        voter.last_vote_weight = own + proxied;
        voter.proxied_vote_weight = proxied;
    });
}

fn count(voter: &VoterInfo, proxies: &mut Sums, producers: &mut Sums) {
    if !voter.proxy.is_empty() {
        proxies.add(voter.proxy, voter.last_vote_weight);
    }
    for producer in &voter.producers {
        producers.add(*producer, voter.last_vote_weight);
    }
}

/// Sets every producer's votes, and reckons vote pay from now on; a share that has overflowed begins anew.
fn recount_producers(votes: &Sums, parameters: &ChainParameters, now: TimePoint) {
    let (mut weight, mut share, mut rate) = (0.0, 0.0, 0.0);
    for mut producer in ProducerInfo::table().iter() {
        let expired = producer.last_claim_time.plus_us(us(parameters.votepay_expiry_sec)) <= now;
        let (before, total) = (producer.total_votes, votes.of(producer.owner));
        producer.modify(SAME_PAYER, |row| row.total_votes = total);
        weight += total;
        let Some(mut row) = ProducerInfo2::table().find(producer.owner) else { continue };
        let elapsed = now.since(row.last_votepay_share_update) as f64 / 1E6;
        let earned = row.votepay_share + before * elapsed;
        let earned = if expired || !earned.is_finite() { 0.0 } else { earned };
        row.modify(SAME_PAYER, |row| {
            row.votepay_share = earned;
            row.last_votepay_share_update = now;
        });
        share += earned;
        rate += if expired { 0.0 } else { total };
    }
    State::<Global>::load().total_producer_vote_weight = weight;
    State::<Global2>::load().total_producer_votepay_share = share;
    let mut global3 = State::<Global3>::load();
    global3.last_vpay_state_update = now;
    global3.total_vpay_share_change_rate = rate;
}
