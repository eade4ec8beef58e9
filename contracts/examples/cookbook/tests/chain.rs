//! The recipes of the cookbook on a chain in the test process.

use primitives::{Name, PrivateKey, Sha256};
use tester::{Outcome, Tester, Value, json};

const COOKBOOK: &str = "../../contracts/dist/cookbook";

/// The system's chain, with the cookbook on an account of its name.
fn world() -> Tester {
    let mut chain = Tester::system();
    chain.account("cookbook");
    chain.deploy_folder("cookbook", COOKBOOK);
    chain
}

fn pay(chain: &mut Tester, quantity: &str, memo: &str) -> Outcome {
    let transfer = json!({ "from": "alice", "to": "cookbook", "quantity": quantity, "memo": memo });
    chain.push("eosio.token", "transfer", "alice", transfer)
}

fn withdraw(chain: &mut Tester, by: &str, quantity: &str) -> Outcome {
    chain.push("cookbook", "withdraw", by, json!({ "owner": "alice", "quantity": quantity }))
}

#[test]
fn deposits_come_by_memo_and_go_by_withdrawal() {
    let mut chain = world();
    pay(&mut chain, "2.0000 SYS", "hello").refuse("the memo must be: deposit");
    for _ in 0..2 {
        pay(&mut chain, "2.0000 SYS", "deposit").succeed();
    }
    let deposit = |chain: &mut Tester| chain.row("cookbook", "cookbook", "deposits");
    assert_eq!(deposit(&mut chain), Some(json!({ "owner": "alice", "balance": "4.0000 SYS" })));
    withdraw(&mut chain, "bob", "1.0000 SYS").fail(3_090_004, "missing authority of alice");
    withdraw(&mut chain, "alice", "4.0001 SYS").refuse("only 4.0000 SYS are deposited");
    withdraw(&mut chain, "alice", "-1.0000 SYS").refuse("the quantity must be a positive amount of SYS");
    withdraw(&mut chain, "alice", "1.0000 SYS").succeed();
    chain
        .push("cookbook", "pause", "alice", json!({ "paused": true }))
        .fail(3_090_004, "missing authority of cookbook");
    chain.push("cookbook", "pause", "cookbook", json!({ "paused": true })).succeed();
    withdraw(&mut chain, "alice", "3.0000 SYS").refuse("withdrawals are paused");
    chain.push("cookbook", "pause", "cookbook", json!({ "paused": false })).succeed();
    withdraw(&mut chain, "alice", "3.0000 SYS").succeed();
    assert_eq!(deposit(&mut chain), None);
    assert_eq!(chain.balance("eosio.token", "cookbook", "SYS").as_deref(), Some("0.0000 SYS"));
}

#[test]
fn notes_are_read_and_swept_by_pages() {
    let mut chain = world();
    let now = chain.now().seconds().0;
    for at in [30, 10, 20, 4000, 40] {
        let expires = primitives::TimePointSec(now + at).to_string();
        chain
            .push("cookbook", "leave", "alice", json!({ "author": "alice", "expires": expires, "text": "" }))
            .succeed();
    }
    let page = |chain: &mut Tester, from: u64| -> Value {
        let told = chain.push("cookbook", "list", "bob", json!({ "from": from, "limit": 3 })).succeed();
        told.result::<Value>(chain)
    };
    assert_eq!(page(&mut chain, 0), json!({ "notes": [0, 1, 2], "next": 3 }));
    assert_eq!(page(&mut chain, 3), json!({ "notes": [3, 4], "next": null }));
    let used = chain.ram_bytes("alice");
    chain.advance(60);
    let sweep = |chain: &mut Tester| {
        let told = chain.push("cookbook", "sweep", "bob", json!({ "limit": 3 })).succeed();
        told.result::<u32>(chain)
    };
    assert_eq!([sweep(&mut chain), sweep(&mut chain), sweep(&mut chain)], [3, 1, 0]);
    assert_eq!(page(&mut chain, 0), json!({ "notes": [3], "next": null }));
    assert!(chain.ram_bytes("alice") < used);
}

#[test]
fn members_join_with_the_new_field() {
    let mut chain = world();
    chain.push("cookbook", "join", "alice", json!({ "account": "alice", "nickname": "al" })).succeed();
    let row = chain.row("cookbook", "cookbook", "members").expect("a member");
    assert_eq!((&row["nickname"], row["since"].is_string()), (&json!("al"), true));
    let told = chain.push("cookbook", "migrate", "cookbook", json!({ "from": "", "limit": 10 })).succeed();
    assert_eq!(told.result::<Value>(&mut chain), Value::Null);
}

#[test]
fn prices_are_reported_by_a_key_of_their_own_and_read_while_fresh() {
    let mut chain = world();
    chain.account("consumer");
    chain.deploy_folder("consumer", COOKBOOK);
    let feeder = PrivateKey::k1_from_seed(Sha256::of(b"feeder").0).expect("a hash is a valid secret");
    let authority = json!({
        "threshold": 1, "keys": [{ "key": feeder.public_key().expect("valid"), "weight": 1 }], "accounts": [], "waits": [],
    });
    chain.know(feeder);
    let permission = json!({ "account": "cookbook", "permission": "feeder", "parent": "active", "auth": authority });
    chain.push("eosio", "updateauth", "cookbook", permission).succeed();
    let link = json!({ "account": "cookbook", "code": "cookbook", "type": "report", "requirement": "feeder" });
    chain.push("eosio", "linkauth", "cookbook", link).succeed();

    let report = json!({ "pair": "sysusd", "micros": 1_250_000 });
    chain
        .push("cookbook", "report", "cookbook", report.clone())
        .fail(3_090_004, "missing authority of cookbook/feeder");
    chain.push("cookbook", "report", "cookbook@feeder", report).succeed();
    // The key can do nothing else.
    chain.push("cookbook", "pause", "cookbook@feeder", json!({ "paused": true })).fail(3_090_005, "irrelevant");

    let worth = |chain: &mut Tester, pair: &str| {
        let ask = json!({ "oracle": "cookbook", "pair": pair, "quantity": "3.0000 SYS" });
        chain.push("consumer", "worth", "bob", ask)
    };
    let told = worth(&mut chain, "sysusd").succeed();
    assert_eq!(told.result::<i64>(&mut chain), 37_500);
    worth(&mut chain, "syseur").refuse("the oracle has no such price");
    chain.advance(100);
    let fault = worth(&mut chain, "sysusd").fault().expect("the price is old").to_string();
    assert!(fault.contains("the price is 10") && fault.contains(" s old"), "{fault}");
}

#[test]
fn code_is_upgraded_when_both_approve() {
    let mut chain = Tester::system();
    chain.account("vault");
    chain.deploy_folder("vault", "../../contracts/dist/escrow");
    let level = |actor: &str, permission: &str| json!({ "actor": actor, "permission": permission });
    let weight = |actor: &str, permission: &str, weight: u16| json!({ "permission": level(actor, permission), "weight": weight });
    let both = json!({
        "threshold": 2, "keys": [], "waits": [],
        "accounts": [weight("alice", "active", 1), weight("bob", "active", 1), weight("vault", "eosio.code", 2)],
    });
    for (permission, parent) in [("active", "owner"), ("owner", "")] {
        let auth = json!({ "account": "vault", "permission": permission, "parent": parent, "auth": both });
        chain.push("eosio", "updateauth", "vault@owner", auth).succeed();
    }
    let file = |extension: &str| std::fs::read(format!("{COOKBOOK}/cookbook.{extension}")).expect("a built contract");
    let setcode = json!({ "account": "vault", "vmtype": 0, "vmversion": 0, "code": hex(&file("wasm")) });
    let alone = chain.action("eosio", "setcode", "alice", &setcode);
    chain.push_action(alone).fail(3_090_004, "missing authority of vault");
    let setcode = chain.action("eosio", "setcode", "vault", &setcode);

    let expiration = primitives::TimePointSec(chain.now().seconds().0 + 3600).to_string();
    let upgrade = json!({
        "proposer": "alice", "proposal_name": "upgrade", "requested": [level("alice", "active"), level("bob", "active")],
        "trx": {
            "expiration": expiration, "ref_block_num": 0, "ref_block_prefix": 0, "max_net_usage_words": 0,
            "max_cpu_usage_ms": 0, "delay_sec": 0, "context_free_actions": [], "transaction_extensions": [],
            "actions": [{
                "account": "eosio", "name": "setcode", "authorization": [level("vault", "active")],
                "data": hex(&setcode.data.0),
            }],
        },
    });
    chain
        .push("eosio", "buyrambytes", "eosio", json!({ "payer": "eosio", "receiver": "alice", "bytes": 1_000_000 }))
        .succeed();
    chain
        .push("eosio", "buyrambytes", "eosio", json!({ "payer": "eosio", "receiver": "vault", "bytes": 1_000_000 }))
        .succeed();
    chain.push("eosio.msig", "propose", "alice", upgrade).succeed();
    let execute = json!({ "proposer": "alice", "proposal_name": "upgrade", "executer": "alice" });
    let approve = |chain: &mut Tester, by: &str| {
        let approval = json!({ "proposer": "alice", "proposal_name": "upgrade", "level": level(by, "active") });
        chain.push("eosio.msig", "approve", by, approval).succeed();
    };
    approve(&mut chain, "alice");
    chain.push("eosio.msig", "exec", "alice", execute.clone()).refuse("transaction authorization failed");
    approve(&mut chain, "bob");
    chain.push("eosio.msig", "exec", "alice", execute).succeed();
    let version = chain.push_action(primitives::Action {
        account: Name::new("vault"),
        name: Name::new("version"),
        authorization: vec![primitives::PermissionLevel { actor: Name::new("bob"), permission: Name::new("active") }],
        data: primitives::Bytes::default(),
    });
    let version = version.succeed();
    assert_eq!(version.actions()[0].return_value, 2u32.to_le_bytes());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
