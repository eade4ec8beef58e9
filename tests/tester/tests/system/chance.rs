//! Random actions, thousands if wished: whatever succeeds, the sums hold; and undone, nothing is left behind.
//!
//! SYSTEM_STEPS and SYSTEM_SEEDS (`7` or `1-20`) ask for longer runs.

use std::collections::BTreeSet;
use std::env;

use serde_json::{Value, json};
use tester::Outcome;

use crate::audit;
use crate::parameters::BOUNDS;
use crate::world::{DAY, SYS, USERS, World, integer, producer_names, stake, sys, units};

const STEPS: usize = 800;
const STEPS_BETWEEN_CHECKS: usize = 20;
const PRODUCERS: usize = 8;
const SHORT_NAMES: [&str; 6] = ["ab", "cd", "ef", "gh", "ij", "kl"];

/// SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.roll() % end as u64) as usize
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn amount(&mut self) -> i64 {
        match self.below(12) {
            0 => self.of(&[0, 1, 2, 199, 200, 201, -1, i64::MAX / 2, (1 << 62) - 1]),
            1 => 1 + self.below(1_000_000 * SYS as usize) as i64,
            _ => 1 + self.below(500 * SYS as usize) as i64,
        }
    }

    fn bytes(&mut self) -> i64 {
        if self.below(10) == 0 { self.of(&[0, 1, 2, -1, 1 << 62]) } else { 1 + self.below(5000) as i64 }
    }
}

struct Chance {
    world: World,
    dice: Dice,
    producers: Vec<String>,
    largest_vote: f64,
    last_schedule: usize,
    /// Whether the chain's own numbers change as well.
    settings: bool,
}

impl Chance {
    fn new(seed: u64, settings: bool) -> Self {
        let mut world = World::new(5, &json!({}));
        let producers = producer_names(PRODUCERS);
        for name in &producers[5..] {
            world.producer(name);
        }
        Self { world, dice: Dice(seed), producers, largest_vote: 0.0, last_schedule: 5, settings }
    }

    fn user(&mut self) -> &'static str {
        self.dice.of(&USERS)
    }

    fn step(&mut self) -> Outcome {
        let (actor, other) = (self.user(), self.user());
        let producer = self.dice.of(&self.producers);
        let (one, two) = (self.dice.amount(), self.dice.amount());
        let bytes = self.dice.bytes();
        let name = self.dice.of(&SHORT_NAMES);
        if self.settings && self.dice.below(20) == 0 {
            return self.change_settings();
        }
        let world = &mut self.world;
        match self.dice.below(26) {
            0..3 => world.system("delegatebw", actor, stake(actor, other, one, two, self.dice.below(5) == 0)),
            3 => world.delegate(actor, actor, one, two),
            4..6 => world.undelegate(actor, other, one.min(SYS), two.min(SYS)),
            6 => world.undelegate(actor, actor, one, two),
            7 => world.refund(actor),
            8 => world.system("buyram", actor, json!({ "payer": actor, "receiver": other, "quant": sys(one) })),
            9 => {
                let bytes = bytes.clamp(0, i64::from(u32::MAX));
                world.system("buyrambytes", actor, json!({ "payer": actor, "receiver": other, "bytes": bytes }))
            }
            10 => world.system("sellram", actor, json!({ "account": actor, "bytes": bytes })),
            11 => world.system("ramtransfer", actor, json!({ "from": actor, "to": other, "bytes": bytes, "memo": "" })),
            12 => world.system("ramburn", actor, json!({ "owner": actor, "bytes": bytes, "memo": "" })),
            13..16 => {
                let (first, count) = (self.dice.below(PRODUCERS), self.dice.below(PRODUCERS));
                let last = (first + count).min(PRODUCERS);
                world.vote(actor, &self.producers[first..last])
            }
            16 => world.vote_by(actor, other),
            17 => world.system("regproxy", actor, json!({ "proxy": actor, "isproxy": self.dice.below(3) > 0 })),
            18 => match self.dice.below(3) {
                0 => world.system("unregprod", &producer, json!({ "producer": producer })),
                1 => world.system("rmvproducer", "eosio", json!({ "producer": producer })),
                _ => world.register(&producer),
            },
            19 => world.register(&producer),
            20 => world.system("claimrewards", &producer, json!({ "owner": producer })),
            21 => world.bid(actor, name, one),
            22 => world.system("bidrefund", actor, json!({ "bidder": other, "newname": name })),
            23 => world.transfer(actor, other, one),
            24 => {
                let (action, field) = self.dice.of(&[
                    ("setacctram", "ram_bytes"),
                    ("setacctnet", "net_weight"),
                    ("setacctcpu", "cpu_weight"),
                ]);
                let value = self.dice.of(&[Value::Null, json!(1_000_000_000), json!(10_000_000)]);
                world.system(action, "eosio", json!({ "account": actor, field: value }))
            }
            _ => match self.dice.below(3) {
                0 => world.system("setramrate", "eosio", json!({ "bytes_per_block": self.dice.below(1000) })),
                1 => world.system("updtrevision", "eosio", json!({ "revision": 1 })),
                _ => world.set_chain("eosio", &json!({ "refunds_swept": self.dice.below(2) == 0 })),
            },
        }
    }

    /// One or two of the chain's numbers, at their bounds or between. Refused when they do not fit each other.
    fn change_settings(&mut self) -> Outcome {
        let mut changes = json!({});
        for _ in 0..=self.dice.below(2) {
            let (parameter, least, most) = self.dice.of(&BOUNDS);
            // Small numbers as often as large ones.
            let magnitude = 1 + self.dice.below(62);
            let between = least + (self.dice.roll() >> magnitude) as i64 % (most - least + 1).max(1);
            changes[parameter] = json!(self.dice.of(&[least, most, between, between, between]));
        }
        let outcome = self.world.set_chain("eosio", &changes);
        if let Some(fault) = outcome.fault() {
            let fault = fault.to_string();
            let reasons = ["votes would overflow", "votes would expire"];
            let reason = reasons.iter().any(|reason| fault.contains(reason));
            assert!(reason, "{changes} is within the bounds, but {fault}");
        }
        outcome
    }

    /// Elections have not stopped, whatever the chain's numbers were: all are elected once all have votes.
    fn elect(&mut self) {
        const LONGEST_INTERVAL_SEC: u32 = DAY;
        for name in self.producers.clone() {
            self.world.register(&name).succeed();
        }
        self.world.vote("founder", &self.producers).succeed();
        self.world.set_chain("eosio", &json!({ "schedule_size": PRODUCERS })).succeed();
        // What was proposed just before is confirmed first; all are proposed at the next election.
        for _ in 0..2 {
            self.world.chain.advance(LONGEST_INTERVAL_SEC + 1);
            self.world.chain.produce(21 * 12 * 4);
        }
        assert_eq!(self.world.schedule(), self.producers);
        self.last_schedule = PRODUCERS;
    }

    fn leap(&mut self) {
        let seconds = self.dice.of(&[0, 0, 0, 1, 1, 61, 3600, DAY, 3 * DAY, 8 * DAY]);
        let candidates = self.active();
        if seconds > 0 {
            self.world.chain.advance(seconds);
        } else {
            self.world.chain.produce(1 + self.dice.below(30) as u32);
        }
        self.check_proposal(&candidates);
    }

    fn active(&mut self) -> BTreeSet<String> {
        let rows = self.world.rows("producers").into_iter();
        rows.filter(|row| row["is_active"] == json!(1) || row["is_active"] == true)
            .map(|row| row["owner"].as_str().expect("a name").to_owned())
            .collect()
    }

    /// A proposed schedule has only producers that stood for election before the block, and is shorter by no more than
    /// a step.
    fn check_proposal(&mut self, candidates: &BTreeSet<String>) {
        let global = self.world.chain.chain().ledger().global_property();
        let head = self.world.chain.chain().head().header.block_num;
        if global.proposed_schedule_block_num != Some(head) {
            return;
        }
        let proposed: Vec<_> =
            global.proposed_schedule.producers.iter().map(|entry| entry.producer_name.to_string()).collect();
        assert!(proposed.iter().all(|name| candidates.contains(name)), "{proposed:?} of {candidates:?}");
        assert!(proposed.is_sorted(), "{proposed:?}");
        let behind = |producers: usize| (producers - 1) / 3;
        let (now, before) = (behind(proposed.len()), behind(self.last_schedule));
        assert!(now + 1 >= before, "{proposed:?} is shorter than {}", self.last_schedule);
        self.last_schedule = proposed.len();
    }

    fn check(&mut self) {
        audit::check(&mut self.world, &mut self.largest_vote);
    }

    /// Takes everything back that can be; then no row of it is left.
    fn undo_everything(&mut self) {
        let world = &mut self.world;
        world.set_chain("eosio", &json!({ "refunds_swept": true, "refund_delay_sec": 3 * DAY })).succeed();
        let everyone: Vec<String> = world.chain.scopes("eosio", "delband").iter().map(ToString::to_string).collect();
        for (action, field) in [("setacctcpu", "cpu_weight"), ("setacctnet", "net_weight")] {
            for account in &everyone {
                world.system(action, "eosio", json!({ "account": account, field: -1 })).succeed();
            }
        }
        for name in SHORT_NAMES {
            for row in world.chain.rows_json("eosio", name, "bidrefunds") {
                world.system("bidrefund", "eosio", json!({ "bidder": row["bidder"], "newname": name })).succeed();
            }
        }
        for account in &everyone {
            world.vote::<&str>(account, &[]).succeed();
            for row in world.chain.rows_json("eosio", account, "delband") {
                let to = row["to"].as_str().expect("a name");
                world.undelegate(account, to, units(&row["net_weight"]), units(&row["cpu_weight"])).succeed();
            }
        }
        world.chain.advance(3 * DAY);
        for table in ["refunds", "refundparts"] {
            while let Some(account) = world.chain.scopes("eosio", table).first() {
                world.system("refund", "eosio", json!({ "owner": account })).succeed();
            }
        }
        for table in ["delband", "refunds", "refundparts", "bidrefunds"] {
            assert_eq!(world.chain.scopes("eosio", table), [], "{table} is empty");
        }
        assert_eq!(world.balance("eosio.stake"), 0);
        for row in world.rows("voters") {
            assert_eq!(integer(&row["staked"]), 0);
        }
        for row in world.rows("producers") {
            let votes = crate::world::float(&row["total_votes"]);
            assert!(votes.abs() <= self.largest_vote * 1e-9, "no vote is left: {row}");
        }
        self.check();
    }
}

fn run(seed: u64, steps: usize, settings: bool) {
    let mut chance = Chance::new(seed, settings);
    let mut succeeded = 0;
    for at in 0..steps {
        if chance.dice.below(8) == 0 {
            chance.leap();
        }
        let candidates = chance.active();
        succeeded += usize::from(chance.step().fault().is_none());
        chance.check_proposal(&candidates);
        if at % STEPS_BETWEEN_CHECKS == 0 {
            chance.check();
        }
    }
    chance.check();
    assert!(succeeded * 3 > steps, "of {steps} actions only {succeeded} succeeded: nothing was tested");
    if settings {
        chance.elect();
    }
    chance.undo_everything();
}

#[test]
fn sums_hold_whatever_happens() {
    run_all(false);
}

#[test]
fn sums_hold_and_elections_go_on_with_any_numbers_of_the_chain() {
    run_all(true);
}

fn run_all(settings: bool) {
    let steps = env::var("SYSTEM_STEPS").ok().map_or(STEPS, |text| text.parse().expect("SYSTEM_STEPS is a number"));
    let seeds = env::var("SYSTEM_SEEDS").unwrap_or_else(|_| "1-2".to_owned());
    let (first, last) = seeds.split_once('-').unwrap_or((&seeds, &seeds));
    let number = |text: &str| text.parse::<u64>().expect("SYSTEM_SEEDS is a number or FIRST-LAST");
    for seed in number(first)..=number(last) {
        run(seed, steps, settings);
    }
}
