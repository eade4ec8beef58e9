//! The tester itself, and through it the contracts and the chain.

use serde_json::json;
use tester::Tester;

fn token() -> Tester {
    let mut chain = Tester::bare();
    chain.create("eosio.token");
    chain.create("alice");
    chain.create("bob");
    chain.deploy("eosio.token".parse().expect("a name"), &genesis::contracts::TOKEN);
    let create = json!({ "issuer": "alice", "maximum_supply": "1000.0000 TOK" });
    chain.push("eosio.token", "create", "eosio.token", create).succeed();
    let issue = json!({ "to": "alice", "quantity": "100.0000 TOK", "memo": "" });
    chain.push("eosio.token", "issue", "alice", issue).succeed();
    chain
}

fn transfer(chain: &mut Tester, from: &str, to: &str, quantity: &str) -> tester::Outcome {
    chain.push("eosio.token", "transfer", from, json!({ "from": from, "to": to, "quantity": quantity, "memo": "" }))
}

#[test]
fn tokens_move_and_refuse_to() {
    let mut chain = token();
    let outcome = transfer(&mut chain, "alice", "bob", "1.5000 TOK").succeed();
    let receivers: Vec<_> = outcome.actions().iter().map(|trace| trace.receiver.to_string()).collect();
    assert_eq!(receivers, ["eosio.token", "alice", "bob"]);
    assert_eq!(chain.balance("eosio.token", "bob", "TOK").as_deref(), Some("1.5000 TOK"));
    transfer(&mut chain, "bob", "alice", "9.0000 TOK").refuse("overdrawn balance");
    transfer(&mut chain, "bob", "nobody", "1.0000 TOK").refuse("to account does not exist");
    let stolen = json!({ "from": "alice", "to": "bob", "quantity": "1.0000 TOK", "memo": "" });
    chain.push("eosio.token", "transfer", "bob", stolen).fail(3_090_004, "missing authority of alice");
}

#[test]
fn time_moves_by_years() {
    let mut chain = token();
    let before = chain.now().seconds().0;
    chain.advance(365 * 24 * 3600);
    assert!(chain.now().seconds().0 - before >= 365 * 24 * 3600);
    transfer(&mut chain, "alice", "bob", "1.0000 TOK").succeed();
}

#[test]
fn a_system_chain_has_an_elected_schedule() {
    let mut chain = Tester::system();
    let schedule = &chain.chain().head().header.active_schedule;
    assert_eq!(schedule.version, 1);
    assert_eq!(chain.balance("eosio.token", "alice", "SYS").as_deref(), Some("1000000.0000 SYS"));
}

#[test]
fn an_undelegation_is_refunded_after_its_delay() {
    let mut chain = Tester::system();
    let undelegate = json!({
        "from": "alice", "receiver": "alice",
        "unstake_net_quantity": "100.0000 SYS", "unstake_cpu_quantity": "50.0000 SYS",
    });
    chain.push("eosio", "undelegatebw", "alice", undelegate).succeed();
    let refund = || json!({ "owner": "alice" });
    chain.push("eosio", "refund", "alice", refund()).refuse("refund is not available yet");
    chain.advance(6);
    chain.push("eosio", "refund", "alice", refund()).succeed();
    assert_eq!(chain.balance("eosio.token", "alice", "SYS").as_deref(), Some("1000150.0000 SYS"));
    assert_eq!(chain.row("eosio", "alice", "refunds"), None);
}
