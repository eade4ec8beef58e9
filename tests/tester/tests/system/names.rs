//! Auctions of short names, and what a name may be.

use serde_json::json;

use crate::world::{BALANCE, DAY, SYS, World, integer, units};

const NOT_CLOSED: &str = "auction for name is not closed yet";
const ELECTION_SEC: u32 = 61;

impl World {
    /// `newaccount` with the tester's key; RAM comes with it, or the transaction could not end.
    #[must_use]
    #[track_caller]
    fn new_name(&mut self, creator: &str, account: &str) -> tester::Outcome {
        let authority = primitives::Authority::of_key(self.chain.key());
        let newcomer = json!({ "creator": creator, "name": account, "owner": authority, "active": authority });
        let ram = json!({ "payer": creator, "receiver": account, "bytes": 10_000 });
        let actions = vec![
            self.chain.action("eosio", "newaccount", creator, &newcomer),
            self.chain.action("eosio", "buyrambytes", creator, &ram),
        ];
        self.chain.push_actions(actions)
    }

    #[track_caller]
    fn high_bid(&mut self, name: &str) -> Option<i64> {
        let rows = self.rows("namebids").into_iter();
        let mut bids = rows.filter(|row| row["newname"] == name).map(|row| integer(&row["high_bid"]));
        bids.next()
    }
}

#[test]
fn a_name_is_bid_for_won_and_used() {
    let mut world = World::new(1, &json!({}));
    world.bid("alice", "xy", 10 * SYS).succeed();
    world.bid("alice", "xy", 20 * SYS).refuse("account is already highest bidder");
    world.bid("bob", "xy", 11 * SYS).refuse("must increase bid by 10%");
    world.bid("bob", "xy", 11 * SYS + 1).succeed();
    assert_eq!(world.balance("alice"), BALANCE - 10 * SYS);
    let refund = world.chain.row("eosio", "xy", "bidrefunds").expect("alice was outbid");
    assert_eq!((refund["bidder"].as_str(), units(&refund["amount"])), (Some("alice"), 10 * SYS));
    // Anyone may have it paid out.
    world.system("bidrefund", "carol", json!({ "bidder": "alice", "newname": "xy" })).succeed();
    assert_eq!(world.balance("alice"), BALANCE);
    assert_eq!(world.chain.row("eosio", "xy", "bidrefunds"), None);
    world.system("bidrefund", "alice", json!({ "bidder": "alice", "newname": "xy" })).refuse("refund not found");
    assert_eq!(world.balance("eosio.names"), 11 * SYS + 1);

    // Two weeks must have passed since the chain was activated, and a day since the last bid.
    world.chain.advance(2 * DAY);
    world.new_name("bob", "xy").refuse(NOT_CLOSED);
    world.chain.advance(13 * DAY);
    let fees = world.balance("eosio.fees");
    world.chain.advance(ELECTION_SEC);
    assert_eq!(world.high_bid("xy"), Some(-(11 * SYS + 1)), "closed");
    assert_eq!((world.balance("eosio.names"), world.balance("eosio.fees")), (0, fees + 11 * SYS + 1));
    world.bid("carol", "xy", 100 * SYS).refuse("this auction has already closed");
    world.new_name("alice", "xy").refuse("only highest bidder can claim");
    world.new_name("bob", "xy").succeed();
    assert_eq!(world.high_bid("xy"), None);
    world.bid("carol", "xy", 100 * SYS).refuse("account already exists");
    // Names that end in it are its own.
    world.new_name("bob", "sub.xy").refuse("only suffix may create this account");
    world.transfer("bob", "xy", 100 * SYS).succeed();
    world.delegate("bob", "xy", SYS, SYS).succeed();
    world.new_name("xy", "sub.xy").succeed();
}

#[test]
fn one_auction_closes_a_day_the_highest_first() {
    let mut world = World::new(1, &json!({}));
    world.chain.advance(15 * DAY);
    for (name, amount) in [("ab", 5), ("cd", 9), ("ef", 7)] {
        world.bid("alice", name, amount * SYS).succeed();
    }
    let mut closed = Vec::new();
    for _ in 0..5 {
        world.chain.advance(DAY);
        world.chain.advance(ELECTION_SEC);
        let open: Vec<_> = ["ab", "cd", "ef"].into_iter().filter(|name| world.high_bid(name) > Some(0)).collect();
        closed.push(open);
    }
    assert_eq!(closed, [vec!["ab", "ef"], vec!["ab"], vec![], vec![], vec![]]);
}

#[test]
fn a_late_bid_keeps_an_auction_open() {
    let mut world = World::new(1, &json!({}));
    world.chain.advance(15 * DAY);
    world.bid("alice", "xy", SYS).succeed();
    for amount in [2, 3, 4] {
        world.chain.advance(DAY - 2 * ELECTION_SEC);
        world.bid(if amount % 2 == 0 { "bob" } else { "alice" }, "xy", amount * SYS).succeed();
        world.chain.advance(ELECTION_SEC);
        assert!(world.high_bid("xy") > Some(0));
    }
    world.chain.advance(DAY);
    world.chain.advance(ELECTION_SEC);
    assert_eq!(world.high_bid("xy"), Some(-4 * SYS));
}

#[test]
fn a_chain_sets_its_own_waits() {
    let waits = json!({ "name_close_interval_slots": 20, "name_quiet_sec": 5, "name_activation_sec": 10, "schedule_interval_slots": 4 });
    let mut world = World::new(1, &waits);
    world.bid("alice", "xy", SYS).succeed();
    world.chain.advance(20);
    world.chain.produce(6);
    world.new_name("alice", "xy").succeed();
}

#[test]
fn not_every_name_is_for_sale() {
    let mut world = World::new(1, &json!({}));
    for (name, message) in [
        ("a.b", "you can only bid on top-level suffix"),
        ("", "the empty name is not a valid account name to bid on"),
        ("aaaaaaaaaaaaj", "13 character names are not valid account names to bid on"),
        ("aaaaaaaaaaaa", "accounts with 12 character names and no dots can be created without bidding required"),
        ("bob", "account already exists"),
    ] {
        world.bid("alice", name, SYS).refuse(message);
    }
    world.new_name("alice", "xy").refuse("no active bid for name");
    world.new_name("alice", "twelveletter").succeed();
    world.new_name("eosio", "zz").succeed();
}
