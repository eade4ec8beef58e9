//! The chain of others, taken over by a development node: every producer gets a key that this node has.
//!
//! A snapshot of a real chain says who produces, with keys that nobody here has. The keys stand in three places: in the
//! schedules of the head's header state (active and pending), in the schedule that a contract has proposed, and in the
//! system contract's `producers` rows, from which the next elections take them. In all three each producer gets its
//! development key, so that this node signs for whoever is elected.

use std::collections::BTreeSet;
use std::sync::Arc;

use chain::{Chain, ChainError};
use primitives::{BlockSigningAuthority, Bytes, Name, Pack, ProducerSchedule, PublicKey, Reader, Unpack, name};

use crate::document::dev_key;

const EOSIO: Name = name!("eosio");
const PRODUCERS: Name = name!("producers");

/// What was found and replaced.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TakenOver {
    /// Who produces now.
    pub schedule: Vec<Name>,
    /// Registered producers with another key than before.
    pub registered: usize,
    /// Rows of `producers` that are not laid out as the system contract's; they stay as they are.
    pub unknown: usize,
}

/// Gives every producer its development key. The chain has just begun with a snapshot.
///
/// # Errors
/// A block follows the snapshot already.
pub fn take_over(chain: &mut Chain) -> Result<TakenOver, ChainError> {
    let mut taken = TakenOver::default();
    chain.edit_origin(|header, ledger| {
        taken.schedule = header.active_schedule.producers.iter().map(|producer| producer.producer_name).collect();
        let pending = &mut header.pending_schedule;
        let announced = if pending.schedule.producers.is_empty() { &header.active_schedule } else { &pending.schedule };
        let was_legacy = pending.schedule_hash == announced.to_legacy().hash();
        header.active_schedule = Arc::new(with_dev_keys(&header.active_schedule));
        pending.schedule = Arc::new(with_dev_keys(&pending.schedule));
        let announced = if pending.schedule.producers.is_empty() { &header.active_schedule } else { &pending.schedule };
        pending.schedule_hash = if was_legacy { announced.to_legacy().hash() } else { announced.hash() };
        ledger.modify_global_property(|global| global.proposed_schedule = with_dev_keys(&global.proposed_schedule));
        let Some(table) = ledger.find_table(EOSIO, EOSIO, PRODUCERS) else { return };
        let mut next = ledger.first_row(table);
        while let Some(row) = next {
            next = ledger.next_row(row);
            let (payer, edited) = (ledger.row(row).payer, with_dev_key(ledger.row(row).value()));
            match edited {
                Some(bytes) => {
                    ledger.update_row(row, payer, &bytes);
                    taken.registered += 1;
                }
                None => taken.unknown += 1,
            }
        }
    })?;
    Ok(taken)
}

/// Whoever produces, will produce, or can be elected.
pub fn producers(chain: &Chain) -> BTreeSet<Name> {
    let header = &chain.head().header;
    let proposed = &chain.ledger().global_property().proposed_schedule;
    let schedules = [&*header.active_schedule, &*header.pending_schedule.schedule, proposed];
    let scheduled = schedules.into_iter().flat_map(|schedule| &schedule.producers);
    let mut names: BTreeSet<_> = scheduled.map(|producer| producer.producer_name).collect();
    let ledger = chain.ledger();
    let mut next = ledger.find_table(EOSIO, EOSIO, PRODUCERS).and_then(|table| ledger.first_row(table));
    while let Some(row) = next {
        names.insert(Name(ledger.row(row).primary));
        next = ledger.next_row(row);
    }
    names
}

fn dev_public(producer: Name) -> PublicKey {
    dev_key(producer).public_key().expect("a development key is valid")
}

fn with_dev_keys(schedule: &ProducerSchedule) -> ProducerSchedule {
    let mut schedule = schedule.clone();
    for producer in &mut schedule.producers {
        producer.authority = BlockSigningAuthority::of_key(dev_public(producer.producer_name));
    }
    schedule
}

/// The fields of a row of `producers` up to the signing authority: owner, votes, key, whether it is active, URL, unpaid
/// blocks, last claim, location.
type Registered = ((Name, u64, PublicKey, bool), (Bytes, u32, u64, u16));

/// A row of `producers` with its owner's development key, as `producer_key` and as `producer_authority`, where the row
/// has one.
fn with_dev_key(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut input = Reader::new(bytes);
    let ((owner, votes, _, active), rest) = Registered::unpack(&mut input).ok()?;
    let authority = !input.rest().is_empty();
    if authority {
        BlockSigningAuthority::unpack(&mut input).ok()?;
    }
    input.finish().ok()?;
    let key = dev_public(owner);
    let mut row = ((owner, votes, key.clone(), active), rest).to_bytes();
    if authority {
        BlockSigningAuthority::of_key(key).pack(&mut row);
    }
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_all_but_their_keys() {
        let row = |key: &PublicKey, authority: bool| {
            let mut row = ((name!("proda"), 7u64, key.clone(), true), (Bytes(b"https://a".to_vec()), 3u32, 9u64, 1u16))
                .to_bytes();
            if authority {
                BlockSigningAuthority::of_key(key.clone()).pack(&mut row);
            }
            row
        };
        let (old, new) = (dev_public(name!("somebody")), dev_public(name!("proda")));
        for authority in [false, true] {
            assert_eq!(with_dev_key(&row(&old, authority)), Some(row(&new, authority)));
        }
        // A producer that has gone has no key.
        assert_eq!(with_dev_key(&row(&PublicKey::default(), true)), Some(row(&new, true)));
        assert_eq!(with_dev_key(b"something else"), None);
        assert_eq!(with_dev_key(&[row(&old, true), vec![0]].concat()), None);
    }
}
