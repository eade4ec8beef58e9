//! Stake and its refund, and RAM.

use serde_json::json;

use crate::world::{BALANCE, DAY, STAKE, SYS, World, integer, stake, sys, units};

fn staked(world: &mut World, from: &str, to: &str) -> Option<(i64, i64)> {
    let rows = world.chain.rows_json("eosio", from, "delband").into_iter();
    let mut of = rows.filter(|row| row["to"] == to).map(|row| (units(&row["net_weight"]), units(&row["cpu_weight"])));
    of.next()
}

#[test]
fn a_refund_waits_three_days_and_leaves_no_row() {
    let mut world = World::new(1, &json!({}));
    world.delegate("alice", "bob", 100 * SYS, 50 * SYS).succeed();
    assert_eq!(staked(&mut world, "alice", "bob"), Some((100 * SYS, 50 * SYS)));
    assert_eq!(world.balance("alice"), BALANCE - 150 * SYS);
    assert_eq!(integer(&world.row("voters", "alice")["staked"]), STAKE + 150 * SYS);
    let resources = world.own("bob", "userres").expect("bob has resources");
    assert_eq!(
        (units(&resources["net_weight"]), units(&resources["cpu_weight"])),
        (STAKE / 2 + 100 * SYS, STAKE / 2 + 50 * SYS)
    );

    world.undelegate("alice", "bob", 100 * SYS, 20 * SYS).succeed();
    world.undelegate("alice", "bob", 1, 0).refuse("insufficient staked net bandwidth");
    world.undelegate("alice", "bob", 0, 30 * SYS).succeed();
    assert_eq!(staked(&mut world, "alice", "bob"), None);
    world.chain.advance(3 * DAY - 2);
    world.refund("alice").refuse("refund is not available yet");
    world.chain.advance(2);
    world.refund("bob").refuse("refund request not found");
    world.refund("alice").succeed();
    assert_eq!(world.balance("alice"), BALANCE);
    assert_eq!(world.own("alice", "refunds"), None);
    world.refund("alice").refuse("refund request not found");
}

#[test]
fn staking_again_takes_from_the_refund_and_undelegating_again_starts_it_anew() {
    let mut world = World::new(1, &json!({}));
    world.undelegate("alice", "alice", 100 * SYS, 100 * SYS).succeed();
    world.chain.advance(2 * DAY);
    world.delegate("alice", "alice", 30 * SYS, 130 * SYS).succeed();
    // Only what the refund did not cover was paid.
    assert_eq!(world.balance("alice"), BALANCE - 30 * SYS);
    let refund = world.own("alice", "refunds").expect("something is still to be refunded");
    assert_eq!((units(&refund["net_amount"]), units(&refund["cpu_amount"])), (70 * SYS, 0));
    world.undelegate("alice", "alice", SYS, 0).succeed();
    world.chain.advance(2 * DAY);
    world.refund("alice").refuse("refund is not available yet");
    world.chain.advance(DAY);
    world.refund("alice").succeed();
    assert_eq!(world.balance("alice"), BALANCE + 41 * SYS);
}

#[test]
fn stake_can_be_given_away() {
    let mut world = World::new(1, &json!({}));
    world.system("delegatebw", "alice", stake("alice", "bob", 10 * SYS, 10 * SYS, true)).succeed();
    assert_eq!(integer(&world.row("voters", "bob")["staked"]), STAKE + 20 * SYS);
    assert_eq!(integer(&world.row("voters", "alice")["staked"]), STAKE);
    world.undelegate("alice", "bob", 1, 0).refuse("insufficient staked net bandwidth");
    world.undelegate("bob", "bob", 10 * SYS, 10 * SYS).succeed();
    world
        .system("delegatebw", "alice", stake("alice", "alice", SYS, SYS, true))
        .refuse("cannot use transfer flag if delegating to self");
}

#[test]
fn the_chain_sets_its_own_delay_and_lets_anyone_claim_for_an_owner() {
    let mut world = World::new(1, &json!({}));
    world.set_chain("alice", &json!({ "refund_delay_sec": 5 })).fail(3_090_004, "missing authority of eosio");
    world.set_chain("eosio", &json!({ "refund_delay_sec": 5 })).succeed();
    world.undelegate("alice", "alice", SYS, SYS).succeed();
    world.refund("alice").refuse("refund is not available yet");
    world.chain.advance(5);
    world.system("refund", "bob", json!({ "owner": "alice" })).fail(3_090_004, "missing authority of alice");
    world.set_chain("eosio", &json!({ "refund_delay_sec": 5, "refunds_swept": true })).succeed();
    world.system("refund", "bob", json!({ "owner": "alice" })).succeed();
    assert_eq!(world.balance("alice"), BALANCE + 2 * SYS);
    // The owner's own next step claims what is due by then.
    world.undelegate("alice", "alice", SYS, SYS).succeed();
    world.chain.advance(5);
    let pushed = world.delegate("alice", "bob", 1, 1).succeed();
    assert_eq!(world.balance("alice"), BALANCE + 4 * SYS - 2);
    assert_eq!(world.own("alice", "refunds"), None);
    let unstaked = pushed.actions().iter().any(|trace| {
        trace.act.name.to_string() == "transfer" && world.chain.arguments(&trace.act)["memo"] == "unstake"
    });
    assert!(unstaked, "the refund is a transfer of its own");
}

#[test]
fn ram_costs_a_fee_both_ways_and_all_of_it_is_accounted_for() {
    let mut world = World::new(1, &json!({}));
    let fees = world.balance("eosio.fees");
    let held = world.balance("eosio.ram");
    let bytes = |world: &mut World| integer(&world.own("alice", "userres").expect("alice has resources")["ram_bytes"]);
    let before = bytes(&mut world);
    world
        .system("buyram", "alice", json!({ "payer": "alice", "receiver": "alice", "quant": sys(100 * SYS) }))
        .succeed();
    let bought = bytes(&mut world) - before;
    let fee = 100 * SYS / 200;
    assert_eq!(world.balance("eosio.fees"), fees + fee);
    assert_eq!(world.balance("eosio.ram"), held + 100 * SYS - fee);
    world.system("sellram", "alice", json!({ "account": "alice", "bytes": bought })).succeed();
    let returned = held + 100 * SYS - fee - world.balance("eosio.ram");
    assert!((100 * SYS - fee - returned) <= 1, "the market gives back what it took, but for rounding: {returned}");
    let second_fee = (returned + 199) / 200;
    assert_eq!(world.balance("alice"), BALANCE - 100 * SYS + returned - second_fee);
    assert_eq!(world.balance("eosio.fees"), fees + fee + second_fee);
    assert_eq!(world.balance("eosio.ramfee"), 0);
    assert_eq!(bytes(&mut world), before);
}

#[test]
fn ram_in_use_can_be_neither_sold_nor_given_away() {
    let mut world = World::new(1, &json!({}));
    let all = integer(&world.own("alice", "userres").expect("alice has resources")["ram_bytes"]);
    let too_little = "account alice has insufficient ram";
    world.system("sellram", "alice", json!({ "account": "alice", "bytes": all })).fail(3_080_001, too_little);
    let gift = json!({ "from": "alice", "to": "bob", "bytes": all, "memo": "" });
    world.system("ramtransfer", "alice", gift).fail(3_080_001, too_little);
    world.system("ramburn", "alice", json!({ "owner": "alice", "bytes": all, "memo": "" })).fail(3_080_001, too_little);
    // The first to burn must burn enough for eosio.null to hold its own row.
    world.system("ramburn", "alice", json!({ "owner": "alice", "bytes": 2000, "memo": "" })).succeed();
    let burnt = world.own("eosio.null", "userres").expect("burnt RAM is eosio.null's");
    assert_eq!(integer(&burnt["ram_bytes"]), 2000);
}
