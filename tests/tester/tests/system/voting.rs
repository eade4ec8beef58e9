//! Votes, their decay, proxies, and who is elected.

use primitives::{BlockSigningAuthority, KeyWeight, PrivateKey, Sha256};
use serde_json::json;

use crate::world::{DAY, FOUNDER, STAKE, SYS, World, YEAR, float, integer, producer_names};

/// Seconds from 1970 to 2000, where weights begin.
const WEIGHTS_BEGIN_SEC: i64 = 946_684_800;

/// What the reference says a stake weighs at a time: twice as much every 52 whole weeks.
fn weight(stake: i64, now_sec: i64) -> f64 {
    let weeks = (now_sec - WEIGHTS_BEGIN_SEC) / (7 * i64::from(DAY));
    stake as f64 * (weeks as f64 / 52.0).exp2()
}

#[track_caller]
fn assert_close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() <= wanted.abs() * 1e-12, "{found} is not {wanted}");
}

fn now(world: &World) -> i64 {
    i64::from(world.chain.now().seconds().0)
}

#[test]
fn a_vote_keeps_its_weight_while_new_ones_weigh_more() {
    let mut world = World::new(2, &json!({}));
    let names = producer_names(2);
    let founded = world.votes_of(&names[0]);
    world.vote("alice", &names[..1]).succeed();
    let cast = weight(STAKE, now(&world));
    assert_close(float(&world.row("voters", "alice")["last_vote_weight"]), cast);
    assert_close(world.votes_of(&names[0]), founded + cast);
    assert_close(world.votes_of(&names[1]), founded);
    world.chain.advance(YEAR);
    assert_close(world.votes_of(&names[0]), founded + cast);
    world.vote("bob", &names[..1]).succeed();
    let newer = float(&world.row("voters", "bob")["last_vote_weight"]);
    assert_close(newer, 2.0 * cast);
    assert_close(newer, weight(STAKE, now(&world)));
    // The old vote, cast anew, weighs as much; twice in the same week changes nothing.
    for _ in 0..2 {
        world.system("voteupdate", "alice", json!({ "voter_name": "alice" })).succeed();
        assert_close(world.votes_of(&names[0]), founded + 2.0 * newer);
    }
    world.system("voteupdate", "bob", json!({ "voter_name": "alice" })).fail(3_090_004, "missing authority of alice");
    let total = float(&world.global("global")["total_producer_vote_weight"]);
    let sum = world.votes_of(&names[0]) + world.votes_of(&names[1]);
    assert_close(total, sum);
}

#[test]
fn a_private_chain_sets_its_own_decay() {
    let mut world = World::new(1, &json!({ "vote_step_sec": 60, "vote_steps_per_doubling": 10_000_000 }));
    world.vote("alice", &producer_names(1)).succeed();
    // Steps of the new length are counted from when it was set; until then weights doubled as in the reference.
    let row = world.global("chainparams");
    let (epoch, before) = (integer(&row["vote_epoch_sec"]), float(&row["vote_epoch_doublings"]));
    assert_close(before, ((epoch - WEIGHTS_BEGIN_SEC) / i64::from(7 * DAY)) as f64 / 52.0);
    let doublings = before + ((now(&world) - epoch) / 60) as f64 / 1e7;
    assert_close(float(&world.row("voters", "alice")["last_vote_weight"]), STAKE as f64 * doublings.exp2());
}

#[test]
fn thirty_may_be_voted_for_and_twenty_one_are_elected() {
    let mut world = World::new(21, &json!({}));
    let names = producer_names(30);
    assert_eq!(world.schedule(), names[..21]);
    for name in &names[21..] {
        world.producer(name);
    }
    world.vote(FOUNDER, &names).succeed();
    let thirty_one: Vec<_> = names.iter().map(String::as_str).chain(["zzz"]).collect();
    world.vote("alice", &thirty_one).refuse("attempt to vote for too many producers");
    let unsorted = json!({ "voter": "alice", "proxy": "", "producers": [names[1], names[0]] });
    world.system("voteproducer", "alice", unsorted).refuse("producer votes must be unique and sorted");
    let twice = json!({ "voter": "alice", "proxy": "", "producers": [names[0], names[0]] });
    world.system("voteproducer", "alice", twice).refuse("producer votes must be unique and sorted");
    world.vote("alice", &["nobody"]).refuse("producer nobody is not registered");
    // All are equal until alice prefers the last nine.
    world.vote("alice", &names[21..]).succeed();
    world.elect();
    let wanted: Vec<_> = names[..12].iter().chain(&names[21..]).cloned().collect();
    assert_eq!(world.schedule(), wanted, "those with most votes, in the order of their names");
    // One that leaves is replaced; its votes stay with it.
    world.system("unregprod", &names[25], json!({ "producer": names[25] })).succeed();
    world.vote("bob", &names[25..26]).refuse(&format!("producer {} is not currently registered", names[25]));
    world.elect();
    let replaced: Vec<_> =
        names[..13].iter().chain(names[21..].iter().filter(|name| **name != names[25])).cloned().collect();
    assert_eq!(world.schedule(), replaced);
    world.register(&names[25]).succeed();
    world.elect();
    assert_eq!(world.schedule(), wanted);
}

#[test]
fn a_schedule_never_shrinks() {
    let mut world = World::new(5, &json!({}));
    let names = producer_names(5);
    world.system("rmvproducer", "eosio", json!({ "producer": names[0] })).succeed();
    world
        .system("rmvproducer", &names[1], json!({ "producer": names[1] }))
        .fail(3_090_004, "missing authority of eosio");
    world.elect();
    assert_eq!(world.schedule(), names, "four are too few to replace five");
    world.producer("another");
    world.vote("alice", &["another"]).succeed();
    world.elect();
    let mut wanted = names[1..].to_vec();
    wanted.insert(0, "another".to_owned());
    assert_eq!(world.schedule(), wanted);
}

#[test]
fn a_chain_sets_how_many_are_elected_and_how_often() {
    let mut world = World::new(3, &json!({ "schedule_size": 3, "schedule_interval_slots": 4 }));
    let names = producer_names(3);
    world.producer("another");
    world.vote("alice", &["another"]).succeed();
    world.chain.produce(8);
    world.chain.produce(3 * 12 * 3);
    assert_eq!(world.schedule(), names, "the founder's votes weigh more than alice's");
    world.vote(FOUNDER, &["another", &names[1], &names[2]]).succeed();
    world.chain.produce(3 * 12 * 3);
    assert_eq!(world.schedule(), ["another", &names[1], &names[2]]);
}

#[test]
fn a_producer_may_sign_with_several_keys() {
    let mut world = World::new(2, &json!({}));
    let names = producer_names(2);
    let keys: Vec<_> = (0..3u8).map(|at| PrivateKey::k1_from_seed(Sha256::of(&[at]).0).expect("a hash")).collect();
    let public: Vec<_> = keys.iter().map(|key| key.public_key().expect("a valid secret")).collect();
    let weighted = public.iter().map(|key| KeyWeight { key: key.clone(), weight: 1 }).collect();
    let authority = BlockSigningAuthority::V0 { threshold: 2, keys: weighted };
    keys.into_iter().for_each(|key| world.chain.know(key));
    let signing = |threshold: u32, keys: &[&primitives::PublicKey]| {
        let keys: Vec<_> = keys.iter().map(|key| json!({ "key": key, "weight": 1 })).collect();
        json!(["block_signing_authority_v0", { "threshold": threshold, "keys": keys }])
    };
    let mut register = |threshold, keys: &[&primitives::PublicKey]| {
        world.system(
            "regproducer2",
            &names[0],
            json!({
                "producer": names[0], "producer_authority": signing(threshold, keys), "url": "", "location": 0,
            }),
        )
    };
    register(4, &[&public[0], &public[1], &public[2]]).refuse("invalid producer authority");
    register(0, &[&public[0]]).refuse("invalid producer authority");
    register(1, &[&public[0], &public[0]]).refuse("invalid producer authority");
    register(2, &[&public[0], &public[1], &public[2]]).succeed();
    world.elect();
    let schedule = &world.chain.chain().head().header.active_schedule.producers;
    assert_eq!(schedule[0].authority, authority);
    let signed_by_two = (0..48).any(|_| {
        world.chain.produce(1);
        world.last_producer() == names[0]
    });
    assert!(signed_by_two, "it makes blocks");
}

#[test]
fn a_proxy_votes_with_the_weight_of_those_who_chose_it() {
    let mut world = World::new(2, &json!({}));
    let names = producer_names(2);
    let founded = world.votes_of(&names[0]);
    let of = |world: &mut World, producer: &str| world.votes_of(producer) - founded;
    world.vote_by("alice", "bob").refuse("proxy not found");
    world.vote_by("alice", "alice").refuse("cannot proxy to self");
    world.vote_by("alice", "nobody").refuse("invalid proxy specified");
    world.system("regproxy", "bob", json!({ "proxy": "bob", "isproxy": true })).succeed();
    world.system("regproxy", "bob", json!({ "proxy": "bob", "isproxy": true })).refuse("action has no effect");
    world.vote_by("alice", "bob").succeed();
    let single = weight(STAKE, now(&world));
    assert_eq!(of(&mut world, &names[0]), 0.0, "the proxy has not voted");
    world.vote("bob", &names[..1]).succeed();
    assert_close(of(&mut world, &names[0]), 2.0 * single);
    assert_close(float(&world.row("voters", "bob")["proxied_vote_weight"]), single);
    world.vote_by("bob", "carol").refuse("account registered as a proxy is not allowed to use a proxy");
    world
        .system("regproxy", "alice", json!({ "proxy": "alice", "isproxy": true }))
        .refuse("account that uses a proxy is not allowed to become a proxy");
    // More stake of one who chose it reaches the producers through it.
    world.delegate("alice", "alice", STAKE / 2, STAKE / 2).succeed();
    assert_close(of(&mut world, &names[0]), 3.0 * single);
    // A proxy no longer: its own weight is left, and comes back with it.
    world.system("regproxy", "bob", json!({ "proxy": "bob", "isproxy": false })).succeed();
    assert_close(of(&mut world, &names[0]), single);
    world.system("regproxy", "bob", json!({ "proxy": "bob", "isproxy": true })).succeed();
    assert_close(of(&mut world, &names[0]), 3.0 * single);
    // The one who leaves it votes for itself.
    world.vote("alice", &names[1..]).succeed();
    assert_close(of(&mut world, &names[0]), single);
    assert_close(of(&mut world, &names[1]), 2.0 * single);
    assert!(float(&world.row("voters", "bob")["proxied_vote_weight"]).abs() <= single * 1e-9);
}

#[test]
fn enough_stake_must_vote_before_the_chain_counts_as_activated() {
    let mut world = World::new(0, &json!({ "min_activated_stake": 2 * STAKE }));
    world.producer("producer");
    world.undelegate("alice", "alice", SYS, 0).refuse(
        "cannot undelegate bandwidth until the chain is activated (at least 15% of all tokens participate in voting)",
    );
    world.vote("alice", &["producer"]).succeed();
    // Voting again does not count again.
    world.vote("alice", &["producer"]).succeed();
    assert_eq!(integer(&world.global("global")["total_activated_stake"]), STAKE);
    world.elect();
    assert_eq!(world.schedule(), ["eosio"]);
    world.vote("bob", &["producer"]).succeed();
    world.elect();
    assert_eq!(world.schedule(), ["producer"]);
    world.undelegate("alice", "alice", SYS, 0).succeed();
}
