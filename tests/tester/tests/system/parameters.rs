//! The chain's own numbers: their bounds, what changes with them and what does not, and rows that older modules left.

use genesis::contracts;
use primitives::{Name, Pack};
use serde_json::{Map, Value, json};

use crate::audit;
use crate::world::{
    BALANCE, DAY, FOUNDER, STAKE, SYS, World, YEAR, float, integer, producer_names, raw_action, stake, units,
};

const NO_LIMIT: i64 = -1;
const RAM_GIFT: i64 = 1400;
const SUPPLY: i64 = 1_000_000_000 * SYS;
const YEAR_SEC_MAX: i64 = 365 * DAY as i64;
/// A database key that is not a number, by nodeos' number.
const NOT_A_NUMBER: u32 = 3_040_000;

/// Every number with its bounds.
pub const BOUNDS: [(&str, i64, i64); 17] = [
    ("refund_delay_sec", 0, YEAR_SEC_MAX),
    ("refunds_swept", 0, 1),
    ("min_activated_stake", 0, SUPPLY),
    ("schedule_size", 1, 125),
    ("schedule_interval_slots", 0, 2 * DAY as i64),
    ("name_close_interval_slots", 0, 2 * YEAR_SEC_MAX),
    ("name_quiet_sec", 0, YEAR_SEC_MAX),
    ("name_activation_sec", 0, YEAR_SEC_MAX),
    ("claim_interval_sec", 0, YEAR_SEC_MAX - 1),
    ("votepay_expiry_sec", 1, YEAR_SEC_MAX),
    ("min_pervote_daily_pay", 0, (1 << 62) - 1),
    ("vote_step_sec", 1, 50 * YEAR_SEC_MAX + 12 * DAY as i64),
    ("vote_steps_per_doubling", 1, u32::MAX as i64),
    ("ram_gift_bytes", 0, 64 * 1024 * 1024),
    ("refunds_apart", 0, 1),
    ("gifts_renew_votes", 0, 1),
    ("keep_unlimited", 0, 1),
];

/// What must stand beside a number at its bound.
fn beside(parameter: &str, value: i64) -> Value {
    match (parameter, value) {
        ("claim_interval_sec", _) => json!({ "votepay_expiry_sec": YEAR_SEC_MAX }),
        ("votepay_expiry_sec", _) => json!({ "claim_interval_sec": 0 }),
        ("vote_step_sec", 1) => json!({ "vote_steps_per_doubling": 52 * 7 * DAY }),
        ("vote_steps_per_doubling", 1) => json!({ "vote_step_sec": YEAR }),
        _ => json!({}),
    }
}

fn with(mut changes: Value, parameter: &str, value: i64) -> Value {
    changes[parameter] = json!(value);
    changes
}

#[test]
fn the_row_is_there_from_the_first_block_on_and_each_number_changes_alone() {
    let mut world = World::new(1, &json!({}));
    let before = world.global("chainparams");
    assert_eq!((&before["refund_delay_sec"], &before["schedule_size"]), (&json!(3 * DAY), &json!(21)));
    for (parameter, ..) in BOUNDS {
        assert!(before.get(parameter).is_some(), "{parameter} is missing in {before}");
    }
    world.system("setchain", "eosio", json!({ "changes": [{ "parameter": "schedule_size", "value": 5 }] })).succeed();
    let mut expected = before;
    expected["schedule_size"] = json!(5);
    assert_eq!(world.global("chainparams"), expected);
    world.set_chain("alice", &json!({ "schedule_size": 5 })).fail(3_090_004, "missing authority of eosio");
    let unknown = json!({ "changes": [{ "parameter": "schedule_sise", "value": 5 }] });
    world.system("setchain", "eosio", unknown).refuse("the chain has no parameter schedule_sise");
    let kept = json!({ "changes": [{ "parameter": "vote_epoch_sec", "value": 5 }] });
    world.system("setchain", "eosio", kept).refuse("the chain has no parameter vote_epoch_sec");
}

#[test]
fn each_number_has_bounds_and_works_at_both() {
    let mut world = World::new(1, &json!({}));
    for (parameter, least, most) in BOUNDS {
        let message = format!("{parameter} must be from {least} to {most}");
        let wrong = [least.checked_sub(1), most.checked_add(1), Some(i64::MIN), Some(i64::MAX)];
        for value in wrong.into_iter().flatten() {
            world.set_chain("eosio", &json!({ parameter: value })).refuse(&message);
        }
    }
    for (parameter, least, most) in BOUNDS {
        for value in [least, most] {
            let mut world = World::new(1, &json!({}));
            world.set_chain("eosio", &with(beside(parameter, value), parameter, value)).succeed();
            works(&mut world);
        }
    }
    let expires = "votepay_expiry_sec must be more than claim_interval_sec: votes would expire before they are paid";
    world.set_chain("eosio", &json!({ "claim_interval_sec": 3 * DAY })).refuse(expires);
}

/// Accounts are made, RAM is traded, votes are cast, producers are elected and stake comes back.
fn works(world: &mut World) {
    world.producer("newproducer1");
    world.system("sellram", "alice", json!({ "account": "alice", "bytes": 1000 })).succeed();
    world.system("buyrambytes", "alice", json!({ "payer": "alice", "receiver": "bob", "bytes": 1000 })).succeed();
    world.delegate("alice", "bob", SYS, SYS).succeed();
    world.vote("alice", &["newproducer1", "produceraa"]).succeed();
    world.chain.advance(DAY + 1);
    world.chain.produce(300);
    assert!(world.schedule().contains(&"produceraa".to_owned()), "{:?}", world.schedule());
    world.undelegate("alice", "bob", SYS, SYS).succeed();
    world.undelegate("alice", "alice", STAKE / 2 - SYS, STAKE / 2 - SYS).succeed();
    let delay = integer(&world.global("chainparams")["refund_delay_sec"]);
    world.chain.advance(u32::try_from(delay).expect("a delay") + 1);
    world.refund("alice").succeed();
    assert_eq!(integer(&world.row("voters", "alice")["staked"]), 2 * SYS, "all but what its next action needs");
    audit::check(world, &mut 0.0);
}

#[test]
fn a_decay_that_would_overflow_is_refused() {
    let mut world = World::new(1, &json!({}));
    let overflow = "votes would overflow within 50 years";
    for (step, steps) in [(60, 1), (1, 1), (DAY, 1), (1, 52)] {
        let outcome = world
            .set_chain("eosio", &json!({ "vote_step_sec": step, "vote_steps_per_doubling": steps }))
            .fault()
            .map(|fault| fault.to_string())
            .unwrap_or_default();
        assert!(outcome.contains(overflow), "{step} {steps}: {outcome}");
    }
    // A decay in steps that one can watch: every second a little.
    world.set_chain("eosio", &json!({ "vote_step_sec": 1, "vote_steps_per_doubling": 30 * DAY })).succeed();
    world.vote("alice", &["produceraa"]).succeed();
    let first = float(&world.row("voters", "alice")["last_vote_weight"]);
    world.chain.advance(15 * DAY);
    world.vote("alice", &["produceraa"]).succeed();
    let ratio = float(&world.row("voters", "alice")["last_vote_weight"]) / first;
    assert!((ratio - 2f64.sqrt()).abs() < 1e-4, "{ratio}");
    // Block times end in 2068.
    world.chain.advance(40 * YEAR);
    world.vote("alice", &["produceraa"]).succeed();
    world.undelegate("alice", "alice", SYS, SYS).succeed();
    assert!(world.votes_of("produceraa").is_finite());
    audit::check(&mut world, &mut f64::MAX.sqrt());
}

#[test]
fn a_vote_keeps_its_worth_when_the_unit_changes() {
    let mut world = World::new(1, &json!({}));
    let weight = |world: &mut World, voter: &str| float(&world.row("voters", voter)["last_vote_weight"]);
    world.vote("alice", &["produceraa"]).succeed();
    for changes in [
        json!({ "vote_steps_per_doubling": 104 }),
        json!({ "vote_step_sec": 3600 * 24, "vote_steps_per_doubling": 364 }),
        json!({ "vote_step_sec": 7 * DAY, "vote_steps_per_doubling": 52 }),
    ] {
        world.set_chain("eosio", &changes).succeed();
        world.vote("bob", &["produceraa"]).succeed();
        assert_eq!(weight(&mut world, "alice"), weight(&mut world, "bob"), "after {changes}");
    }
    world.chain.advance(YEAR);
    world.vote("bob", &["produceraa"]).succeed();
    assert_eq!(weight(&mut world, "bob") / weight(&mut world, "alice"), 2.0, "the last unit doubles in a year");
}

/// Puts a row of the module that came before this one in place of the chain's numbers: it has 14 fields.
fn set_old_row(world: &mut World, vote_step_sec: u32, vote_steps_per_doubling: u32) {
    let day = DAY;
    let first = [(3 * day, false, 0i64).to_bytes(), (21u16, 120u32).to_bytes()];
    let second = [(2 * day, day).to_bytes(), (14 * day, day, 3 * day).to_bytes(), 1_000_000i64.to_bytes()];
    let third = [(vote_step_sec, vote_steps_per_doubling).to_bytes(), RAM_GIFT.to_bytes()];
    let row = [first.concat(), second.concat(), third.concat()].concat();
    let data: String = row.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let number = |name: &str| Name::new(name).0.cast_signed();
    let (eosio, table, poke) = (number("eosio"), number("chainparams"), number("poke"));
    let text = format!(
        r#"(module
            (import "env" "db_find_i64" (func $find (param i64 i64 i64 i64) (result i32)))
            (import "env" "db_update_i64" (func $update (param i32 i64 i32 i32)))
            (memory (export "memory") 1)
            (data (i32.const 16) "{data}")
            (func (export "apply") (param $receiver i64) (param $code i64) (param $action i64)
                (if (i64.eq (local.get $action) (i64.const {poke})) (then
                    (call $update
                        (call $find (i64.const {eosio}) (i64.const {eosio}) (i64.const {table}) (i64.const {table}))
                        (i64.const 0) (i32.const 16) (i32.const {size}))))))"#,
        size = row.len(),
    );
    world.chain.deploy_module("eosio", &wat::parse_str(text).expect("a module"));
    world.chain.push_action(raw_action("eosio", "poke", "eosio", Vec::new())).succeed();
    world.chain.deploy(Name::new("eosio"), &contracts::SYSTEM);
}

#[test]
fn votes_that_have_overflowed_are_healed() {
    let mut world = World::new(2, &json!({}));
    let producers = producer_names(2);
    world.vote("alice", &producers).succeed();
    world.system("regproxy", "dave", json!({ "proxy": "dave", "isproxy": true })).succeed();
    world.vote_by("carol", "dave").succeed();
    world.vote("dave", &producers[..1]).succeed();
    let carol = float(&world.row("voters", "carol")["last_vote_weight"]);
    let before = [world.votes_of(&producers[0]), world.votes_of(&producers[1])];
    set_old_row(&mut world, 60, 1);
    world.vote("bob", &producers[..1]).succeed();
    assert!(world.votes_of(&producers[0]).is_infinite());
    world.undelegate("bob", "bob", SYS, SYS).fail(NOT_A_NUMBER, "");
    // The setting taken back does not help those who voted; their votes counted anew do.
    world.set_chain("eosio", &json!({ "vote_step_sec": 7 * DAY, "vote_steps_per_doubling": 52 })).succeed();
    world.undelegate("bob", "bob", SYS, SYS).fail(NOT_A_NUMBER, "");
    world.system("recountvotes", "alice", json!({})).fail(3_090_004, "missing authority of eosio");
    world.system("recountvotes", "eosio", json!({})).succeed();
    audit::check(&mut world, &mut 0.0);
    assert_eq!(float(&world.row("voters", "carol")["last_vote_weight"]), carol, "a sound vote stays as it is");
    let bob = float(&world.row("voters", "bob")["last_vote_weight"]);
    let after = [world.votes_of(&producers[0]), world.votes_of(&producers[1])];
    let close = |one: f64, other: f64| (one - other).abs() <= one * 1e-9;
    assert!(close(before[0] + bob, after[0]) && close(before[1], after[1]), "{before:?} {bob} {after:?}");
    world.undelegate("bob", "bob", STAKE / 2 - SYS, STAKE / 2 - SYS).succeed();
    world.chain.advance(3 * DAY);
    world.refund("bob").succeed();
    assert_eq!(world.balance("bob"), BALANCE + STAKE - 2 * SYS);
    world.elect();
    audit::check(&mut world, &mut 0.0);
}

#[test]
fn counting_votes_anew_changes_nothing_that_is_sound() {
    let mut world = World::new(3, &json!({}));
    let producers = producer_names(3);
    world.system("regproxy", "dave", json!({ "proxy": "dave", "isproxy": true })).succeed();
    world.vote_by("carol", "dave").succeed();
    world.vote("dave", &producers[1..]).succeed();
    world.chain.advance(9 * DAY);
    world.vote("alice", &producers[..2]).succeed();
    let (voters, votes) = (world.rows("voters"), world.rows("producers"));
    world.system("recountvotes", "eosio", json!({})).succeed();
    assert_eq!(world.rows("voters"), voters);
    for (before, after) in votes.iter().zip(world.rows("producers")) {
        let (before, after) = (float(&before["total_votes"]), float(&after["total_votes"]));
        assert!((before - after).abs() <= before * 1e-12, "{before} {after}");
    }
    audit::check(&mut world, &mut 0.0);
}

#[test]
fn a_schedule_shrinks_step_by_step_and_elections_go_on() {
    const STEPS: [usize; 5] = [16, 13, 10, 7, 5];
    let mut world = World::new(21, &json!({}));
    assert_eq!(world.schedule().len(), 21);
    world.set_chain("eosio", &json!({ "schedule_size": 5 })).succeed();
    // With the votes as they are, the five first names are elected: neighbours, who all are behind at the same time.
    let (mut sizes, mut irreversible, mut longest_pause_sec) = (vec![21], 0, 0);
    let mut blocks_left = 3 * 21 * 12 * STEPS.len();
    while world.schedule().len() > 5 && blocks_left > 0 {
        let before = world.chain.now();
        world.chain.produce(1);
        blocks_left -= 1;
        longest_pause_sec = longest_pause_sec.max((world.chain.now().0 - before.0) / 1_000_000);
        let head = &world.chain.chain().head().header;
        assert!(head.dpos_irreversible_blocknum >= irreversible, "what is irreversible stays so");
        irreversible = head.dpos_irreversible_blocknum;
        if sizes.last() != Some(&world.schedule().len()) {
            sizes.push(world.schedule().len());
        }
    }
    assert_eq!(sizes[1..], STEPS);
    assert_eq!(world.schedule(), producer_names(5));
    assert!(longest_pause_sec <= 21 * 6, "{longest_pause_sec} s without a block are more than a round");
    world.chain.produce(2 * 5 * 12);
    let head = &world.chain.chain().head().header;
    assert!(head.block_num - head.dpos_irreversible_blocknum < 2 * 5 * 12, "what is irreversible follows the head");

    // Elections go on: another is elected, the schedule grows, and shrinks to one.
    world.producer("newproducer1");
    let mut names = producer_names(5);
    names[0] = "newproducer1".to_owned();
    names.sort();
    world.vote(FOUNDER, &names).succeed();
    world.elect();
    assert_eq!(world.schedule(), names, "another is elected");
    for size in [6, 1] {
        world.set_chain("eosio", &json!({ "schedule_size": size })).succeed();
        world.vote(FOUNDER, &producer_names(6)).succeed();
        world.elect();
        assert_eq!(world.schedule(), producer_names(size));
    }
}

#[test]
fn a_schedule_does_not_shrink_for_want_of_candidates() {
    let mut world = World::new(21, &json!({}));
    for name in &producer_names(21)[..3] {
        world.system("unregprod", name, json!({ "producer": name })).succeed();
    }
    world.elect();
    assert_eq!(world.schedule(), producer_names(21), "as with the reference");
    world.set_chain("eosio", &json!({ "schedule_size": 18 })).succeed();
    world.elect();
    assert_eq!(world.schedule(), producer_names(21)[3..]);
}

#[test]
fn a_row_of_an_older_module_is_completed() {
    let mut world = World::new(1, &json!({}));
    let expected = world.global("chainparams");
    set_old_row(&mut world, 7 * DAY, 52);
    assert_eq!(world.global("chainparams").get("refunds_apart"), None);
    world.vote("alice", &["produceraa"]).succeed();
    world.set_chain("eosio", &json!({ "min_activated_stake": integer(&expected["min_activated_stake"]) })).succeed();
    assert_eq!(world.global("chainparams"), expected);
}

#[test]
fn refunds_kept_apart_do_not_wait_for_each_other() {
    let mut world = World::new(1, &json!({}));
    world.undelegate("alice", "alice", 7 * SYS, 0).succeed();
    world.set_chain("eosio", &json!({ "refunds_apart": true })).succeed();
    for amount in [1, 2, 3] {
        world.chain.advance(DAY);
        world.undelegate("alice", "alice", amount * SYS, amount).succeed();
    }
    audit::check(&mut world, &mut 0.0);
    let parts = world.chain.rows_json("eosio", "alice", "refundparts");
    assert_eq!(parts.iter().map(|part| units(&part["net_amount"]) / SYS).collect::<Vec<_>>(), [1, 2, 3]);
    // The one from before the change is due, and only that.
    world.refund("alice").succeed();
    assert_eq!(world.balance("alice"), BALANCE + 7 * SYS);
    world.refund("alice").refuse("refund is not available yet");
    // What is staked again comes out of the youngest.
    world.delegate("alice", "alice", 4 * SYS, 4).succeed();
    let parts = world.chain.rows_json("eosio", "alice", "refundparts");
    assert_eq!(parts.iter().map(|part| units(&part["net_amount"])).collect::<Vec<_>>(), [SYS, SYS]);
    assert_eq!(world.balance("alice"), BALANCE + 7 * SYS);
    world.chain.advance(DAY);
    world.refund("alice").succeed();
    assert_eq!(world.balance("alice"), BALANCE + 8 * SYS + 1);
    // Switched off, what waits is still paid; staking again uses it first.
    world.set_chain("eosio", &json!({ "refunds_apart": false })).succeed();
    world.undelegate("alice", "alice", 5 * SYS, 0).succeed();
    world.chain.advance(3 * DAY);
    world.refund("alice").succeed();
    assert_eq!(world.balance("alice"), BALANCE + 14 * SYS + 2);
    world.refund("alice").refuse("refund request not found");
    audit::check(&mut world, &mut 0.0);
}

#[test]
fn a_gift_need_not_renew_a_decayed_vote() {
    let mut world = World::new(1, &json!({}));
    world.vote("alice", &["produceraa"]).succeed();
    let before = float(&world.row("voters", "alice")["last_vote_weight"]);
    world.chain.advance(YEAR);
    world.set_chain("eosio", &json!({ "gifts_renew_votes": false })).succeed();
    let gift = stake("bob", "alice", 1, 0, true);
    world.system("delegatebw", "bob", gift.clone()).succeed();
    let after = float(&world.row("voters", "alice")["last_vote_weight"]);
    assert!(after > before && after < before * 1.001, "only the gift weighs more: {before} {after}");
    audit::check(&mut world, &mut 0.0);
    world.set_chain("eosio", &json!({ "gifts_renew_votes": true })).succeed();
    world.system("delegatebw", "bob", gift).succeed();
    let renewed = float(&world.row("voters", "alice")["last_vote_weight"]);
    assert!(renewed > before * 1.99, "by default the whole vote is cast anew, as in the reference: {renewed}");
}

#[test]
fn an_account_without_limits_can_stay_so() {
    let mut world = World::new(1, &json!({}));
    let limits = |world: &World| {
        let ledger = world.chain.chain().ledger();
        let account = ledger.find_account(Name::new("eosio.saving")).expect("an account of the system");
        let limits = ledger.account_limits(account);
        (limits.ram_bytes, limits.net_weight, limits.cpu_weight)
    };
    let unlimited = (NO_LIMIT, NO_LIMIT, NO_LIMIT);
    assert_eq!(limits(&world), unlimited);
    let ram = json!({ "from": "alice", "to": "eosio.saving", "bytes": 10_000, "memo": "" });
    world.set_chain("eosio", &json!({ "keep_unlimited": true })).succeed();
    world.system("ramtransfer", "alice", ram.clone()).succeed();
    world.delegate("alice", "eosio.saving", SYS, SYS).succeed();
    assert_eq!(limits(&world), unlimited);
    world.set_chain("eosio", &json!({ "keep_unlimited": false })).succeed();
    world.system("ramtransfer", "alice", ram).succeed();
    assert_eq!(limits(&world), (20_000 + RAM_GIFT, NO_LIMIT, NO_LIMIT), "as in the reference");
}

#[test]
fn a_lowered_gift_takes_no_ram_from_those_who_have_it() {
    let mut world = World::new(1, &json!({}));
    let limit = |world: &World| {
        let ledger = world.chain.chain().ledger();
        ledger.account_limits(ledger.find_account(Name::new("alice")).expect("alice")).ram_bytes
    };
    let bytes = |world: &mut World| integer(&world.own("alice", "userres").expect("alice has resources")["ram_bytes"]);
    let trade = |world: &mut World| {
        world.system("sellram", "alice", json!({ "account": "alice", "bytes": 100 })).succeed();
        world.system("buyrambytes", "alice", json!({ "payer": "alice", "receiver": "alice", "bytes": 100 })).succeed();
        limit(world) - bytes(world)
    };
    assert_eq!(trade(&mut world), RAM_GIFT);
    world.set_chain("eosio", &json!({ "ram_gift_bytes": 5000 })).succeed();
    assert_eq!(trade(&mut world), 5000);
    world.set_chain("eosio", &json!({ "ram_gift_bytes": 0 })).succeed();
    assert_eq!(trade(&mut world), 5000);
    world.account("newcomer1234");
    let ledger = world.chain.chain().ledger();
    let newcomer = ledger.find_account(Name::new("newcomer1234")).expect("a newcomer");
    let limit = ledger.account_limits(newcomer).ram_bytes;
    let bought = integer(&world.own("newcomer1234", "userres").expect("its resources")["ram_bytes"]);
    assert_eq!(limit, bought);
    audit::check(&mut world, &mut 0.0);
}

#[test]
fn a_boot_document_names_a_wrong_parameter() {
    for (parameter, value) in [("refund_delay", json!(5)), ("refund_delay_sec", json!(1.5))] {
        let document: Map<String, Value> = [(parameter.to_owned(), value)].into_iter().collect();
        let error = genesis::plan::changes(&document).expect_err("a typo");
        assert!(error.to_string().contains(&format!("parameters.{parameter}")), "{error}");
    }
}
