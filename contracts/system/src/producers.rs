//! Producers: who stands for election, who is elected, and what every block brings.

use crate::accounts::{self, NAMES};
use crate::globals::{Global, Global2, Global3, Global4, State};
use crate::parameters::{ChainParameters, us};
use crate::ram::core_symbol;
use crate::system::calls;
use crate::tables::{BlockInfoRecord, NameBid, ProducerInfo, ProducerInfo2};
use crate::voting::Tally;
use sdk::authority::ProducerAuthority;
use sdk::prelude::*;
use sdk::privileged;

const URL_BYTES_LIMIT: usize = 512;
/// Blocks that `blockinfo` remembers.
const BLOCKS_REMEMBERED: u32 = 10;
/// Rows of `blockinfo` removed with every block: one for the one added, one to shrink.
const BLOCKS_FORGOTTEN_AT_ONCE: usize = 2;

/// Registers a producer that signs with one key.
pub fn regproducer(producer: Name, key: PublicKey, url: ByteStr, location: u16) {
    require_auth(producer);
    check(url.len() < URL_BYTES_LIMIT, "url too long");
    register(producer, BlockSigningAuthority::single(key), url, location);
}

/// Registers a producer that signs with any authority.
pub fn regproducer2(producer: Name, authority: BlockSigningAuthority, url: ByteStr, location: u16) {
    require_auth(producer);
    check(url.len() < URL_BYTES_LIMIT, "url too long");
    check(authority.v0().is_valid(), "invalid producer authority");
    register(producer, authority, url, location);
}

fn register(producer: Name, authority: BlockSigningAuthority, url: ByteStr, location: u16) {
    let now = current_time();
    let key = match authority.v0().keys.as_slice() {
        [only] => only.key.clone(),
        _ => PublicKey::default(),
    };
    let share = ProducerInfo2 { owner: producer, votepay_share: 0.0, last_votepay_share_update: now };
    let producers = ProducerInfo::table();
    match producers.find(producer) {
        Some(mut row) => {
            row.modify(producer, |row| {
                row.producer_key = key;
                row.is_active = true;
                row.url = ByteString::from(url);
                row.location = location;
                row.producer_authority = Extension(Some(authority));
                if row.last_claim_time == TimePoint(0) {
                    row.last_claim_time = now;
                }
            });
            if !ProducerInfo2::table().contains(producer) {
                ProducerInfo2::table().insert(producer, share);
                let parameters = ChainParameters::load();
                Tally::load(&parameters).update_total_votepay_share(0.0, row.total_votes);
            }
        }
        None => {
            let row = ProducerInfo {
                owner: producer,
                total_votes: 0.0,
                producer_key: key,
                is_active: true,
                url: ByteString::from(url),
                unpaid_blocks: 0,
                last_claim_time: now,
                location,
                producer_authority: Extension(Some(authority)),
            };
            producers.insert(producer, row);
            ProducerInfo2::table().insert(producer, share);
        }
    }
}

/// A producer stands for election no longer.
pub fn unregprod(producer: Name) {
    ProducerInfo::table().get(producer, "producer not found").modify(SAME_PAYER, ProducerInfo::deactivate);
}

/// What every block does: counts itself, and once in a while elects producers and closes an auction.
pub fn onblock(timestamp: BlockTimestamp, producer: Name, previous: Checksum256) {
    remember_block(timestamp, previous);
    State::<Global2>::load().last_block_num = timestamp;
    let (mut global, _, _) = (State::<Global>::load(), State::<Global3>::load(), State::<Global4>::load());
    if global.thresh_activated_stake_time == TimePoint(0) {
        return;
    }
    if global.last_pervote_bucket_fill == TimePoint(0) {
        global.last_pervote_bucket_fill = current_time();
    }
    if let Some(mut row) = ProducerInfo::table().find(producer) {
        global.total_unpaid_blocks = global.total_unpaid_blocks.wrapping_add(1);
        row.modify(SAME_PAYER, |row| row.unpaid_blocks = row.unpaid_blocks.wrapping_add(1));
    }
    let parameters = ChainParameters::load();
    let since_election = timestamp.0.wrapping_sub(global.last_producer_schedule_update.0);
    if since_election > parameters.schedule_interval_slots {
        elect(&mut global, timestamp, &parameters);
        if timestamp.0.wrapping_sub(global.last_name_close.0) > parameters.name_close_interval_slots {
            close_auction(&mut global, timestamp, &parameters);
        }
    }
}

fn remember_block(timestamp: BlockTimestamp, previous: Checksum256) {
    let [a, b, c, d, ..] = previous.0;
    let block_height = u32::from_be_bytes([a, b, c, d]).wrapping_add(1);
    let this = current_receiver();
    let table = Table::<BlockInfoRecord>::new(this, 0u64);
    table.insert(this, BlockInfoRecord { version: 0, block_height, block_timestamp: timestamp.into() });
    let last_forgotten = block_height.saturating_sub(BLOCKS_REMEMBERED);
    let old = table.iter().take_while(|block| block.block_height <= last_forgotten);
    for block in old.take(BLOCKS_FORGOTTEN_AT_ONCE) {
        block.remove();
    }
}

/// Fewest producers that a schedule may have after one of `before`.
///
/// A block is irreversible once two thirds of the schedule have implied it, so `(producers - 1) / 3` of them may not have
/// yet. In a shorter schedule fewer may not: those that stay could leave an earlier block irreversible, and no node takes a
/// block that goes back. One too many mends itself with its own next block; two would stop the chain for ever.
fn size_after(before: usize) -> usize {
    let behind = before.saturating_sub(1) / 3;
    3 * behind.saturating_sub(1) + 1
}

/// Proposes the producers with most votes, in the order of their names; fewer than before only where the chain wants a
/// smaller schedule, and then step by step.
fn elect(global: &mut State<Global>, timestamp: BlockTimestamp, parameters: &ChainParameters) {
    global.last_producer_schedule_update = timestamp;
    let before = usize::from(global.last_producer_schedule_size);
    let size = usize::from(parameters.schedule_size).max(size_after(before));
    let mut elected: Vec<ProducerAuthority> = ProducerInfo::table()
        .index(ProducerInfo::BY_VOTES)
        .iter()
        .take_while(|producer| producer.total_votes > 0.0 && producer.is_active)
        .take(size)
        .map(|producer| ProducerAuthority { producer_name: producer.owner, authority: producer.authority() })
        .collect();
    if elected.is_empty() || elected.len() < before.min(size) {
        return;
    }
    sort_by_name(&mut elected);
    if privileged::set_proposed_producers(&elected).is_some() {
        global.last_producer_schedule_size = elected.len() as u16;
    }
}

/// Insertion sort: the lists are short and the library's sort is larger than this contract's elections.
fn sort_by_name(producers: &mut [ProducerAuthority]) {
    for end in 1..producers.len() {
        let mut at = end;
        while at > 0 && producers[at - 1].producer_name > producers[at].producer_name {
            producers.swap(at - 1, at);
            at -= 1;
        }
    }
}

/// Closes the auction with the highest bid, if nobody has bid more for long enough.
fn close_auction(global: &mut State<Global>, timestamp: BlockTimestamp, parameters: &ChainParameters) {
    let auctions = NameBid::table().index(NameBid::BY_HIGH_BID);
    let Some(mut highest) = auctions.lower_bound(u64::MAX / 2).next() else { return };
    let now = current_time();
    let quiet = now.since(highest.last_bid_time) > us(parameters.name_quiet_sec);
    let activated = global.thresh_activated_stake_time > TimePoint(0);
    let ripe = now.since(global.thresh_activated_stake_time) > us(parameters.name_activation_sec);
    if highest.high_bid > 0 && quiet && activated && ripe {
        global.last_name_close = timestamp;
        let paid = Asset::new(highest.high_bid, core_symbol());
        accounts::channel_to_system_fees(NAMES, paid);
        let this = current_receiver();
        calls::logsystemfee(this, NAMES, paid, "buy name".into()).send_as(this);
        highest.modify(SAME_PAYER, |bid| bid.high_bid = -bid.high_bid);
    }
}
