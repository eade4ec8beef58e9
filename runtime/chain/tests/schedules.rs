//! Schedules announced, promoted and signed for: legacy ones, and ones with several keys for each producer.

mod common;

use chain::ChainError;
use common::contract::Call;
use common::{
    chain_of_three, create_account, deploy, key, name, new_chain, produce, produce_as, public, push_ok, seal, start,
};
use execution::Feature;
use primitives::{BlockSigningAuthority, FaultKind, KeyWeight, Pack as _, ProducerAuthority};

#[test]
fn a_schedule_is_announced_then_active() {
    let mut chain = chain_of_three();
    let announced = chain.reversible_blocks();
    let head = &chain.head().header;
    assert_eq!((head.active_schedule.version, head.active_schedule.producers.len()), (1, 3));
    assert_eq!(head.block_header().schedule_version, 0, "the block that promotes is still the old schedule's");
    assert!(!head.has_pending_producers());
    assert!(announced.iter().chain([chain.root()]).any(|state| state.header.block_header().new_producers.is_some()));
    let next = produce_as(&mut chain, &["alice", "bob", "carol"]);
    assert_eq!(next.applied[0].state.header.block_header().schedule_version, 1);
    let majority = chain
        .ledger()
        .get_permission(primitives::PermissionLevel { actor: name("eosio.prods"), permission: name("active") });
    let majority = &chain.ledger().permission(majority.expect("every chain has it")).auth;
    assert_eq!((majority.threshold, majority.accounts.len()), (3, 3));
}

/// `key(1..=3)` of a producer with these weights.
fn weighted(producer: &str, threshold: u32, weights: [u16; 3]) -> ProducerAuthority {
    let key = |(index, weight): (usize, u16)| KeyWeight { key: public(&key(&format!("{producer}{index}"))), weight };
    let mut keys: Vec<_> = weights.into_iter().enumerate().map(key).collect();
    keys.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    ProducerAuthority { producer_name: name(producer), authority: BlockSigningAuthority::V0 { threshold, keys } }
}

#[test]
fn producers_may_need_several_signatures() {
    let mut chain = new_chain();
    let slot = chain.head().header.timestamp().next();
    let start_with = |chain: &mut chain::LiveChain, slot, features: Vec<_>| {
        let purpose = chain::BlockPurpose::Produce;
        chain.start_block(&chain::StartBlock { timestamp: slot, confirmed: 0, features, purpose })
    };
    start_with(&mut chain, slot, vec![Feature::PreactivateFeature.digest()]).expect("needs no preactivation");
    deploy(&mut chain, &[Call::Preactivate]);
    create_account(&mut chain, "alice");
    push_ok(&mut chain, "eosio", "preactivate", "eosio", Feature::WtmsigBlockSignatures.digest().to_bytes());
    seal(&mut chain, &[key("eosio")]).expect("eosio produces");
    let missing = start_with(&mut chain, slot.next(), Vec::new());
    assert!(matches!(missing, Err(ChainError::Block(fault)) if fault.kind == FaultKind::BLOCK_VALIDATE_EXCEPTION));
    produce(&mut chain);
    let slot = chain.head().header.timestamp().next();
    start(&mut chain, slot, 0).expect("a later slot");
    deploy(&mut chain, &[Call::SetProducersEx]);
    push_ok(&mut chain, "eosio", "setprodsex", "eosio", vec![weighted("alice", 3, [2, 1, 1])].to_bytes());
    seal(&mut chain, &[key("eosio")]).expect("eosio produces");
    while chain.head().header.active_schedule.version == 0 {
        produce(&mut chain);
        assert!(chain.head().number() < 12, "the schedule does not become active");
    }
    let mut try_keys = |keys: &[&str]| {
        let slot = chain.head().header.timestamp().next();
        start(&mut chain, slot, 0).expect("a later slot");
        let keys: Vec<_> = keys.iter().map(|seed| key(seed)).collect();
        match seal(&mut chain, &keys) {
            Ok(applied) => Ok(applied.applied[0].state.block.clone().expect("sealed")),
            Err(ChainError::Block(fault)) => Err(fault.kind),
            Err(other) => panic!("{other:?}"),
        }
    };
    for keys in [&["alice0"][..], &["alice1", "alice2"], &["alice0", "alice0"], &["alice0", "mallory"], &["mallory"]] {
        assert_eq!(try_keys(keys).err(), Some(FaultKind::WRONG_SIGNING_KEY), "{keys:?}");
    }
    assert_eq!(try_keys(&[]).err(), Some(FaultKind::NO_BLOCK_SIGNATURES));
    let block = try_keys(&["alice0", "alice1"]).expect("weight 3");
    assert_eq!(block.additional_signatures().expect("well formed").len(), 1);
    let block = try_keys(&["alice0", "alice1", "alice2"]).expect("weight 4");
    assert_eq!(block.additional_signatures().expect("well formed").len(), 2);
}
