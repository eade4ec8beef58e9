//! Those who try to cheat: forged notifications, re-entrancy, other people's RAM, and amounts that no honest client sends.

use genesis::contracts;
use primitives::{Name, Pack};
use serde_json::{Value, json};

use crate::audit;
use crate::world::{
    BALANCE, DAY, FOUNDER, STAKE, SYS, World, YEAR, float, payment, producer_names, raw_action, stake, sys,
};

const MAX: i64 = (1 << 62) - 1;
const MALLORY: &str = "mallory";
const MISSING_AUTHORITY: u32 = 3_090_004;

/// A module whose `apply` runs `own` when it is called itself and `told` when it is notified.
fn module(own: &str, told: &str, data: &[u8]) -> Vec<u8> {
    let data: String = data.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = format!(
        r#"(module
            (import "env" "require_recipient" (func $require_recipient (param i64)))
            (import "env" "send_inline" (func $send_inline (param i32 i32)))
            (import "env" "db_store_i64" (func $store (param i64 i64 i64 i64 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 16) "{data}")
            (func (export "apply") (param $receiver i64) (param $code i64) (param $action i64)
                (if (i64.eq (local.get $receiver) (local.get $code)) (then {own}) (else {told}))))"#
    );
    wat::parse_str(text).expect("a module")
}

fn number(name: &str) -> i64 {
    Name::new(name).0.cast_signed()
}

/// A chain with an account that has tokens, stake and, it thinks, ideas.
fn world() -> World {
    let mut world = World::new(2, &json!({}));
    world.account(MALLORY);
    world
}

/// Every sum still holds.
fn audit(world: &mut World) {
    audit::check(world, &mut 0.0);
}

#[test]
fn nobody_acts_on_a_foreign_contracts_word() {
    let mut world = world();
    for contract in [&contracts::SYSTEM, &contracts::TOKEN, &contracts::MSIG, &contracts::WRAP] {
        let victim = if contract.account == contracts::SYSTEM.account { Name::new("eosio") } else { contract.account };
        let tell = format!("(call $require_recipient (i64.const {}))", number(&victim.to_string()));
        world.chain.deploy_module(MALLORY, &module(&tell, "", &[]));
        let before = (world.balance("alice"), world.balance(MALLORY), world.row("voters", "alice"));
        let arguments = payment("alice", MALLORY, SYS);
        let data = world.chain.action("eosio.token", "transfer", "alice", &arguments).data.0;
        for action in contract.abi_definition().actions {
            let forged = raw_action(MALLORY, &action.name.to_string(), MALLORY, data.clone());
            let told = world.chain.push_action(forged).succeed();
            let receivers: Vec<_> = told.actions().iter().map(|trace| trace.receiver).collect();
            assert_eq!(receivers, [Name::new(MALLORY), victim], "{} is only told of {}", victim, action.name);
            assert!(told.actions()[1].account_ram_deltas.is_empty());
        }
        assert_eq!(before, (world.balance("alice"), world.balance(MALLORY), world.row("voters", "alice")));
    }
    audit(&mut world);
}

#[test]
fn a_false_token_buys_nothing() {
    let mut world = world();
    world
        .system("buyram", "eosio", json!({ "payer": "eosio", "receiver": MALLORY, "quant": sys(10_000 * SYS) }))
        .succeed();
    world.chain.deploy(Name::new(MALLORY), &contracts::TOKEN);
    world
        .chain
        .push(MALLORY, "create", MALLORY, json!({ "issuer": MALLORY, "maximum_supply": sys(1_000_000 * SYS) }))
        .succeed();
    let issue = json!({ "to": MALLORY, "quantity": sys(1_000_000 * SYS), "memo": "" });
    world.chain.push(MALLORY, "issue", MALLORY, issue).succeed();
    for account in ["eosio", "eosio.stake", "eosio.ram", "eosio.names", "eosio.token", "alice"] {
        let before = world.balance(account);
        world.chain.push(MALLORY, "transfer", MALLORY, payment(MALLORY, account, SYS)).succeed();
        assert_eq!(world.balance(account), before);
    }
    world.bid(MALLORY, "xy", 2000 * SYS).refuse("overdrawn balance");
    audit(&mut world);
}

/// Lets mallory's contract answer every transfer it is told of with one action of its own.
fn answer(world: &mut World, action: &str, arguments: &Value) {
    let again = world.chain.action("eosio", action, MALLORY, arguments).to_bytes();
    let send = format!("(call $send_inline (i32.const 16) (i32.const {}))", again.len());
    world.chain.deploy_module(MALLORY, &module("", &send, &again));
}

fn be_silent(world: &mut World) {
    world.chain.deploy_module(MALLORY, &module("", "", b"silent"));
}

#[test]
fn a_refund_is_paid_once_even_to_one_who_asks_again_while_it_is_paid() {
    let mut world = world();
    world.undelegate(MALLORY, MALLORY, 5 * SYS, 5 * SYS).succeed();
    world.chain.advance(3 * DAY);
    answer(&mut world, "refund", &json!({ "owner": MALLORY }));
    let before = world.balance(MALLORY);
    world.refund(MALLORY).refuse("refund request not found");
    assert_eq!(world.balance(MALLORY), before);
    be_silent(&mut world);
    world.refund(MALLORY).succeed();
    assert_eq!(world.balance(MALLORY), before + 10 * SYS);
    audit(&mut world);
}

#[test]
fn a_bid_is_refunded_once_even_to_one_who_asks_again_while_it_is_paid() {
    let mut world = world();
    world.bid(MALLORY, "xy", SYS).succeed();
    world.bid("alice", "xy", 2 * SYS).succeed();
    world.bid("bob", "zz", 5 * SYS).succeed();
    let claim = json!({ "bidder": MALLORY, "newname": "xy" });
    answer(&mut world, "bidrefund", &claim);
    world.system("bidrefund", "alice", claim.clone()).refuse("refund not found");
    assert_eq!(world.balance("eosio.names"), 8 * SYS);
    be_silent(&mut world);
    world.system("bidrefund", "alice", claim).succeed();
    assert_eq!(world.balance("eosio.names"), 7 * SYS);
    audit(&mut world);
}

#[test]
fn selling_while_one_is_paid_for_a_sale_sells_only_what_there_is() {
    let mut world = world();
    answer(&mut world, "sellram", &json!({ "account": MALLORY, "bytes": 5000 }));
    let outcome = world.system("sellram", MALLORY, json!({ "account": MALLORY, "bytes": 5000 }));
    assert!(outcome.fault().is_some(), "every sale is answered with another one, without end");
    audit(&mut world);
    // Undelegating what is being delegated: the stake is there by then, and taken back at once.
    answer(
        &mut world,
        "undelegatebw",
        &json!({
            "from": MALLORY, "receiver": MALLORY, "unstake_net_quantity": sys(3 * SYS), "unstake_cpu_quantity": sys(0),
        }),
    );
    world.delegate(MALLORY, MALLORY, 3 * SYS, 0).succeed();
    audit(&mut world);
    let refund = world.own(MALLORY, "refunds").expect("it waits as every other");
    assert_eq!(refund["net_amount"], sys(3 * SYS));
}

#[test]
fn one_who_refuses_a_payment_stops_only_itself() {
    let mut world = world();
    world.set_chain("eosio", &json!({ "refunds_swept": true, "refund_delay_sec": 5 })).succeed();
    world.undelegate(MALLORY, MALLORY, SYS, SYS).succeed();
    world.undelegate("alice", "alice", SYS, SYS).succeed();
    world.chain.advance(5);
    world.chain.deploy_module(MALLORY, &module("", "unreachable", &[]));
    let claim = |owner: &str| json!({ "owner": owner });
    assert!(world.system("refund", "bob", claim(MALLORY)).fault().is_some());
    world.system("refund", "bob", claim("alice")).succeed();
    // Blocks, elections and auctions go on: none of them pays a user's account.
    world.elect();
    audit(&mut world);
}

#[test]
fn a_contract_cannot_store_at_anothers_expense() {
    let mut world = world();
    let store = |payer: &str| {
        format!(
            "(drop (call $store (i64.const 1) (i64.const 1) (i64.const {}) (i64.const 1) (i32.const 0) (i32.const 4000)))",
            number(payer)
        )
    };
    let used = |world: &World, account: &str| {
        let ledger = world.chain.chain().ledger();
        ledger.account_usage(ledger.find_account(Name::new(account)).expect("an account")).ram
    };
    // The transfer's row is there already: nothing else may be billed to alice.
    world.transfer("alice", MALLORY, SYS).succeed();
    let before = used(&world, "alice");
    world.chain.deploy_module(MALLORY, &module(&store("alice"), &store("alice"), &[]));
    const UNAUTHORIZED_RAM_USAGE: u32 = 3_050_010;
    let told = world.transfer("alice", MALLORY, SYS);
    let fault = told.fault().expect("a notification may not bill the sender");
    assert_eq!(fault.kind.code, UNAUTHORIZED_RAM_USAGE, "{fault}");
    let called = world.chain.push_action(raw_action(MALLORY, "eat", MALLORY, Vec::new()));
    called.fail(UNAUTHORIZED_RAM_USAGE, "");
    assert_eq!(used(&world, "alice"), before);
    // Its own it may use up, and no more than that.
    world.chain.deploy_module(MALLORY, &module("", &store(MALLORY), &[]));
    world.transfer("alice", MALLORY, SYS).succeed();
    assert_eq!(used(&world, "alice"), before);
}

#[test]
fn gifts_of_stake_cost_their_receiver_no_more_than_two_rows() {
    let mut world = world();
    let used = |world: &World| {
        let ledger = world.chain.chain().ledger();
        ledger.account_usage(ledger.find_account(Name::new("alice")).expect("an account")).ram
    };
    world.system("delegatebw", MALLORY, stake(MALLORY, "alice", 1, 1, true)).succeed();
    let before = used(&world);
    for amount in 1..20 {
        world.system("delegatebw", MALLORY, stake(MALLORY, "alice", amount, 1, true)).succeed();
        world.delegate(MALLORY, "alice", amount, 1).succeed();
        world.transfer(MALLORY, "alice", amount).succeed();
    }
    assert_eq!(used(&world), before);
}

/// Quantities that must be refused: negative, none, beyond every balance, beyond every sum, of another token or precision.
#[test]
fn odd_quantities_are_refused() {
    let mut world = world();
    world.delegate("alice", "bob", SYS, SYS).succeed();
    let moved = |quantity: &str| json!({ "from": "alice", "to": "bob", "quantity": quantity, "memo": "" });
    let spent = |quantity: &str| json!({ "payer": "alice", "receiver": "alice", "quant": quantity });
    let given = |net: &str, cpu: &str| json!({ "from": "alice", "receiver": "bob", "stake_net_quantity": net, "stake_cpu_quantity": cpu, "transfer": false });
    let taken = |net: &str, cpu: &str| json!({ "from": "alice", "receiver": "bob", "unstake_net_quantity": net, "unstake_cpu_quantity": cpu });
    let bid = |quantity: &str| json!({ "bidder": "alice", "newname": "xy", "bid": quantity });
    let (one, none, minus, most, foreign, coarse) =
        ("0.0001 SYS", "0.0000 SYS", "-0.0001 SYS", &*sys(MAX), "1.0000 EOS", "1.000 SYS");
    let different = "comparison of assets with different symbols is not allowed";
    let cases = [
        ("eosio.token", "transfer", moved(none), "must transfer positive quantity"),
        ("eosio.token", "transfer", moved(minus), "must transfer positive quantity"),
        ("eosio.token", "transfer", moved(most), "overdrawn balance"),
        ("eosio.token", "transfer", moved(foreign), "unable to find key"),
        ("eosio.token", "transfer", moved(coarse), "symbol precision mismatch"),
        ("eosio", "buyram", spent(none), "must purchase a positive amount"),
        ("eosio", "buyram", spent(minus), "must purchase a positive amount"),
        ("eosio", "buyram", spent(most), "overdrawn balance"),
        ("eosio", "buyram", spent(one), "must reserve a positive amount"),
        ("eosio", "buyram", spent(foreign), "must buy ram with core token"),
        ("eosio", "buyram", spent(coarse), "must buy ram with core token"),
        ("eosio", "delegatebw", given(none, none), "must stake a positive amount"),
        ("eosio", "delegatebw", given(minus, one), "must stake a positive amount"),
        ("eosio", "delegatebw", given(one, minus), "must stake a positive amount"),
        ("eosio", "delegatebw", given(most, one), "addition overflow"),
        ("eosio", "delegatebw", given(one, most), "addition overflow"),
        ("eosio", "delegatebw", given(most, none), "addition overflow"),
        ("eosio", "delegatebw", given(foreign, foreign), different),
        ("eosio", "delegatebw", given(coarse, one), different),
        ("eosio", "undelegatebw", taken(none, none), "must unstake a positive amount"),
        ("eosio", "undelegatebw", taken(minus, one), "must unstake a positive amount"),
        ("eosio", "undelegatebw", taken("1.0001 SYS", none), "insufficient staked net bandwidth"),
        ("eosio", "undelegatebw", taken(none, "1.0001 SYS"), "insufficient staked cpu bandwidth"),
        ("eosio", "undelegatebw", taken(foreign, none), different),
        ("eosio", "bidname", bid(none), "insufficient bid"),
        ("eosio", "bidname", bid(minus), "insufficient bid"),
        ("eosio", "bidname", bid(most), "overdrawn balance"),
        ("eosio", "bidname", bid(foreign), "asset must be system token"),
        (
            "eosio",
            "buyrambytes",
            json!({ "payer": "alice", "receiver": "alice", "bytes": 0 }),
            "must purchase a positive amount",
        ),
        ("eosio", "sellram", json!({ "account": "alice", "bytes": 0 }), "cannot reduce negative byte"),
        ("eosio", "sellram", json!({ "account": "alice", "bytes": i64::MIN }), "cannot reduce negative byte"),
        ("eosio", "sellram", json!({ "account": "alice", "bytes": i64::MAX }), "insufficient quota"),
        (
            "eosio",
            "ramtransfer",
            json!({ "from": "alice", "to": "bob", "bytes": -1, "memo": "" }),
            "cannot reduce negative byte",
        ),
    ];
    for (contract, action, arguments, message) in cases {
        world.chain.push(contract, action, "alice", arguments).refuse(message);
    }
    assert_eq!(world.balance("alice"), BALANCE - 2 * SYS);
    audit(&mut world);
}

#[test]
fn supply_cannot_overflow() {
    let mut world = world();
    let token = |world: &mut World, action: &str, actor: &str, arguments| {
        world.chain.push("eosio.token", action, actor, arguments)
    };
    let amount = |units: i64| format!("{}.{:04} BIG", units / SYS, units % SYS);
    token(&mut world, "create", "eosio.token", json!({ "issuer": "alice", "maximum_supply": amount(MAX) })).succeed();
    let issue = |quantity: String| json!({ "to": "alice", "quantity": quantity, "memo": "" });
    token(&mut world, "issue", "alice", issue(amount(MAX))).succeed();
    token(&mut world, "issue", "alice", issue(amount(1))).refuse("quantity exceeds available supply");
    token(&mut world, "issue", "alice", issue(amount(MAX))).refuse("quantity exceeds available supply");
    // An amount beyond what assets may be: no client packs it, an attacker does.
    let symbol = u64::from_le_bytes(*b"\x04BIG\0\0\0\0");
    let data = (Name::new("alice"), MAX + 1, symbol, 0u8).to_bytes();
    let beyond = raw_action("eosio.token", "issue", "alice", data);
    world.chain.push_action(beyond).refuse("invalid quantity");
    let fixed = json!({ "to": "alice", "supply": amount(MAX), "memo": "" });
    token(&mut world, "issuefixed", "alice", fixed).refuse("must issue positive quantity");
    let less = json!({ "issuer": "alice", "maximum_supply": amount(MAX - 1) });
    token(&mut world, "setmaxsupply", "alice", less).refuse("max supply is less than available supply");
    token(&mut world, "retire", "alice", json!({ "quantity": amount(MAX), "memo": "" })).succeed();
    token(&mut world, "retire", "alice", json!({ "quantity": amount(1), "memo": "" })).refuse("overdrawn balance");
}

#[test]
fn weights_stay_finite_as_long_as_the_chain_can_count_time() {
    let mut world = world();
    let names = producer_names(2);
    // Time is counted in 32 bits of half seconds since 2000: until 2068.
    world.chain.advance(42 * YEAR);
    for voter in [FOUNDER, "alice"] {
        world.vote(voter, &names).succeed();
    }
    let votes = world.votes_of(&names[0]);
    assert!(votes.is_finite() && votes > STAKE as f64 * 60f64.exp2(), "{votes}");
    // What 42 years would bring is more than there may be: it is paid from the system's own balance or refused.
    world
        .system(
            "setinflation",
            "eosio",
            json!({ "annual_rate": i64::MAX, "inflation_pay_factor": 10_000, "votepay_factor": 10_000 }),
        )
        .succeed();
    world
        .system("claimrewards", &names[0], json!({ "owner": names[0] }))
        .refuse("insufficient system token balance for claiming rewards");
    let rate = float(&world.global("global4")["continuous_rate"]);
    assert!(rate.is_finite());
    audit(&mut world);
}

#[test]
fn what_is_the_systems_is_not_for_others() {
    let mut world = world();
    let account = MALLORY;
    for (action, arguments) in [
        ("setpriv", json!({ "account": account, "is_priv": 1 })),
        ("setalimits", json!({ "account": account, "ram_bytes": -1, "net_weight": -1, "cpu_weight": -1 })),
        ("setacctram", json!({ "account": account, "ram_bytes": 1 })),
        ("setacctnet", json!({ "account": account, "net_weight": 1 })),
        ("setacctcpu", json!({ "account": account, "cpu_weight": 1 })),
        ("setram", json!({ "max_ram_size": 1u64 << 40 })),
        ("setramrate", json!({ "bytes_per_block": 1 })),
        ("rmvproducer", json!({ "producer": "produceraa" })),
        ("updtrevision", json!({ "revision": 1 })),
        ("wasmcfg", json!({ "settings": "high" })),
        ("activate", json!({ "feature_digest": "00".repeat(32) })),
        ("unvest", json!({ "account": "b1", "unvest_net_quantity": sys(1), "unvest_cpu_quantity": sys(1) })),
        ("init", json!({ "version": 0, "core": "4,SYS" })),
        ("setschedule", json!({ "start_time": "2030-01-01T00:00:00", "continuous_rate": 0.1 })),
        ("delschedule", json!({ "start_time": "2030-01-01T00:00:00" })),
        ("logsystemfee", json!({ "protocol": account, "fee": sys(1), "memo": "" })),
        ("logramchange", json!({ "owner": account, "bytes": 1, "ram_bytes": 1 })),
    ] {
        world.system(action, MALLORY, arguments).fail(MISSING_AUTHORITY, "missing authority of eosio");
    }
    world
        .system("onerror", MALLORY, json!({ "sender_id": "0", "sent_trx": "" }))
        .refuse("the onerror action cannot be called directly");
}
