//! Inflation and what producers get of it, figure by figure.

use serde_json::{Value, json};

use crate::world::{DAY, SYS, World, YEAR, float, integer, producer_names, time, units};

const SECOND_US: i64 = 1_000_000;

/// What a claim finds: the rows before it, brought up to the block that it is in.
struct Before {
    supply: i64,
    saving: i64,
    per_block: i64,
    per_vote: i64,
    unpaid: i64,
    total_unpaid: i64,
    last_fill: i64,
    balance: i64,
    producer: Value,
    share: Value,
    global: Value,
    global2: Value,
    global3: Value,
}

impl Before {
    fn new(world: &mut World, claimer: &str) -> Self {
        let (global, producer) = (world.global("global"), world.row("producers", claimer));
        let supply = world.chain.row("eosio.token", &symbol_scope(world), "stat").expect("the token")["supply"].clone();
        Self {
            supply: units(&supply),
            saving: world.balance("eosio.saving"),
            per_block: integer(&global["perblock_bucket"]),
            per_vote: integer(&global["pervote_bucket"]),
            unpaid: integer(&producer["unpaid_blocks"]),
            total_unpaid: integer(&global["total_unpaid_blocks"]),
            last_fill: time(&global["last_pervote_bucket_fill"]),
            balance: world.balance(claimer),
            share: world.row("producers2", claimer),
            global2: world.global("global2"),
            global3: world.global("global3"),
            producer,
            global,
        }
    }

    /// The block of the claim was counted before the claim.
    fn count_block(&mut self, world: &World, claimer: &str) {
        let producer = world.last_producer();
        self.unpaid += i64::from(producer == claimer);
        self.total_unpaid += 1;
    }
}

/// Stats are scoped by the number of the symbol's code.
fn symbol_scope(world: &World) -> String {
    let scopes = world.chain.scopes("eosio.token", "stat");
    scopes.first().expect("one token").to_string()
}

/// What 5 % a year brings in so many microseconds.
fn inflation(supply: i64, elapsed_us: i64) -> i64 {
    let year_us = i64::from(YEAR) * SECOND_US;
    (0.05f64.ln_1p() * supply as f64 * elapsed_us as f64 / year_us as f64) as i64
}

/// Claims and checks every figure; returns pay per block and per vote.
fn claim(world: &mut World, claimer: &str, revision: i64) -> (i64, i64) {
    let mut before = Before::new(world, claimer);
    world.system("claimrewards", claimer, json!({ "owner": claimer })).succeed();
    before.count_block(world, claimer);
    let now = world.chain.now().0;
    let after = world.global("global");
    assert_eq!(time(&after["last_pervote_bucket_fill"]), now);

    let issued = inflation(before.supply, now - before.last_fill);
    let supply = world.chain.row("eosio.token", &symbol_scope(world), "stat").expect("the token")["supply"].clone();
    // The last bit of a logarithm is the library's.
    assert!(
        (units(&supply) - before.supply - issued).abs() <= 1,
        "{} was issued, not {issued}",
        units(&supply) - before.supply
    );
    let issued = units(&supply) - before.supply;
    let to_producers = (i128::from(issued) * 10_000 / 50_000) as i64;
    let to_blocks = (i128::from(to_producers) * 10_000 / 40_000) as i64;
    assert_eq!(world.balance("eosio.saving") - before.saving, issued - to_producers);

    let per_block_bucket = before.per_block + to_blocks;
    let per_vote_bucket = before.per_vote + to_producers - to_blocks;
    let block_pay = per_block_bucket * before.unpaid / before.total_unpaid;
    let votes = float(&before.producer["total_votes"]);
    let vote_pay = if revision == 0 {
        (per_vote_bucket as f64 * votes / float(&before.global["total_producer_vote_weight"])) as i64
    } else {
        let held_since = time(&before.share["last_votepay_share_update"]);
        let share = float(&before.share["votepay_share"]) + votes * ((now - held_since) as f64 / 1e6);
        let summed_until = time(&before.global3["last_vpay_state_update"]);
        let rate = float(&before.global3["total_vpay_share_change_rate"]);
        let total = float(&before.global2["total_producer_votepay_share"]) + rate * ((now - summed_until) as f64 / 1e6);
        (share * per_vote_bucket as f64 / total) as i64
    };
    let vote_pay = if vote_pay < 100 * SYS { 0 } else { vote_pay };
    assert_eq!(integer(&after["perblock_bucket"]), per_block_bucket - block_pay);
    assert!((integer(&after["pervote_bucket"]) - (per_vote_bucket - vote_pay)).abs() <= 1);
    assert_eq!(world.balance("eosio.bpay"), per_block_bucket - block_pay);
    assert_eq!(world.balance("eosio.vpay"), integer(&after["pervote_bucket"]));
    let paid = world.balance(claimer) - before.balance;
    assert!((paid - block_pay - vote_pay).abs() <= 1, "{paid} was paid, not {block_pay} and {vote_pay}");
    assert_eq!(integer(&after["total_unpaid_blocks"]), before.total_unpaid - before.unpaid);
    let row = world.row("producers", claimer);
    assert_eq!((integer(&row["unpaid_blocks"]), time(&row["last_claim_time"])), (0, now));
    (block_pay, vote_pay)
}

#[test]
fn a_days_pay_by_the_votes_at_the_moment() {
    let mut world = World::new(3, &json!({}));
    let names = producer_names(3);
    world
        .system("claimrewards", &names[0], json!({ "owner": names[0] }))
        .refuse("already claimed rewards within past day");
    world.chain.advance(DAY);
    world.chain.produce(48);
    let (block_pay, vote_pay) = claim(&mut world, &names[0], 0);
    assert!(block_pay > 0 && vote_pay > 100 * SYS, "{block_pay} and {vote_pay}");
    world
        .system("claimrewards", &names[0], json!({ "owner": names[0] }))
        .refuse("already claimed rewards within past day");
    claim(&mut world, &names[1], 0);
    claim(&mut world, &names[2], 0);
    world.system("claimrewards", "alice", json!({ "owner": "alice" })).refuse("producer not registered");
    world
        .system("claimrewards", "alice", json!({ "owner": names[0] }))
        .fail(3_090_004, &format!("missing authority of {}", names[0]));
    world.system("unregprod", &names[0], json!({ "producer": names[0] })).succeed();
    world.chain.advance(DAY + 1);
    world
        .system("claimrewards", &names[0], json!({ "owner": names[0] }))
        .refuse("producer does not have an active key");
}

#[test]
fn a_days_pay_by_the_votes_held_over_time() {
    let mut world = World::new(3, &json!({}));
    let names = producer_names(3);
    world.system("updtrevision", "eosio", json!({ "revision": 1 })).succeed();
    // The second has alice's votes for half a day.
    world.chain.advance(DAY / 2);
    world.vote("alice", &names[1..2]).succeed();
    world.chain.advance(DAY / 2 + 1);
    world.chain.produce(24);
    let (_, first) = claim(&mut world, &names[0], 1);
    assert!(first > 0);
    claim(&mut world, &names[1], 1);
    claim(&mut world, &names[2], 1);
}

#[test]
fn votes_do_not_earn_for_one_who_never_claims() {
    let mut world = World::new(2, &json!({}));
    let names = producer_names(2);
    world.system("updtrevision", "eosio", json!({ "revision": 1 })).succeed();
    world.chain.advance(DAY + 1);
    claim(&mut world, &names[0], 1);
    // Three days after its last claim a producer's votes earn no longer; its blocks do.
    world.chain.advance(2 * DAY + 2);
    world.vote("alice", &names).succeed();
    let bucket = integer(&world.global("global")["pervote_bucket"]);
    let before = world.balance(&names[1]);
    let blocks = integer(&world.row("producers", &names[1])["unpaid_blocks"]);
    assert!(blocks > 0);
    world.system("claimrewards", &names[1], json!({ "owner": names[1] })).succeed();
    assert!(integer(&world.global("global")["pervote_bucket"]) >= bucket, "nothing was taken for votes");
    assert!(world.balance(&names[1]) > before, "blocks were paid");
}

#[test]
fn inflation_follows_its_schedule_and_its_shares() {
    let mut world = World::new(1, &json!({}));
    let name = &producer_names(1)[0];
    let rate = |world: &mut World| float(&world.global("global4")["continuous_rate"]);
    assert!((rate(&mut world) - 0.05f64.ln_1p()).abs() < 1e-16);
    let change = json!({ "annual_rate": 100, "inflation_pay_factor": 20_000, "votepay_factor": 30_000 });
    world.system("setinflation", "alice", change.clone()).fail(3_090_004, "missing authority of eosio");
    world.system("setinflation", "eosio", change).succeed();
    assert!((rate(&mut world) - 0.01f64.ln_1p()).abs() < 1e-16);
    let soon = primitives::TimePointSec(world.chain.now().seconds().0 + DAY).to_string();
    let plan = |rate: f64| json!({ "start_time": soon, "continuous_rate": rate });
    world.system("setschedule", "eosio", plan(1.1)).refuse("continuous_rate can't be over 100%");
    world.system("setschedule", "eosio", plan(-0.1)).refuse("continuous_rate can't be negative");
    world.system("setschedule", "eosio", plan(0.5)).succeed();
    world.system("execschedule", "alice", json!({})).refuse("no schedule to execute");
    world.chain.advance(DAY + 1);
    // A claim applies what is due; the planned row is gone with it.
    world.system("claimrewards", name, json!({ "owner": name })).succeed();
    assert_eq!(rate(&mut world), 0.5);
    assert!(world.rows("schedules").is_empty());
    world
        .system(
            "setinflation",
            "eosio",
            json!({ "annual_rate": 500, "inflation_pay_factor": 9_999, "votepay_factor": 10_000 }),
        )
        .refuse("inflation_pay_factor must not be less than 10000");
    world
        .system("setpayfactor", "eosio", json!({ "inflation_pay_factor": 10_000, "votepay_factor": 9_999 }))
        .refuse("votepay_factor must not be less than 10000");
}

#[test]
fn a_chain_sets_how_often_pay_is_claimed() {
    let mut world = World::new(1, &json!({ "claim_interval_sec": 10, "min_pervote_daily_pay": 0 }));
    let name = &producer_names(1)[0];
    world.chain.advance(11);
    let before = world.balance(name);
    world.system("claimrewards", name, json!({ "owner": name })).succeed();
    assert!(world.balance(name) > before);
    world.system("claimrewards", name, json!({ "owner": name })).refuse("already claimed rewards within past day");
    world.chain.advance(11);
    world.system("claimrewards", name, json!({ "owner": name })).succeed();
}
