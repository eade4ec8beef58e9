//! Time that obeys: on a development chain blocks are made on demand, and what should have happened by a time happens.

use e2e::{Load, RunningNode};
use primitives::{Name, TimePoint, name};
use serde_json::{Value, json};

const EOSIO: Name = name!("eosio");
const DAY_US: i64 = 86_400_000_000;

fn call(node: &RunningNode, path: &str, body: &Value) -> Value {
    node.api.call(path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn refusal(node: &RunningNode, path: &str, body: &Value) -> String {
    node.api.call(path, body).expect_err(path).to_string()
}

fn time(value: &Value) -> TimePoint {
    value.as_str().expect("a time").parse().expect("a time")
}

fn rows(node: &RunningNode, table: &str) -> Vec<Value> {
    let body = json!({ "json": true, "code": "eosio", "scope": "eosio", "table": table, "limit": 100 });
    call(node, "/v1/chain/get_table_rows", &body)["rows"].as_array().expect("rows").clone()
}

#[test]
fn what_should_have_happened_by_a_time_happens() {
    let folder = tempfile::tempdir().expect("temporary folder");
    // Three days until a refund, two weeks until auctions close.
    let node = RunningNode::dev(folder.path(), &["--preset=mainnet"]);
    let mut alice = Load::signing_with(node.api.clone(), &node.printed_keys("alice").1);
    let mut push = |action, arguments: Value| alice.send(EOSIO, action, name!("alice"), &arguments);
    let unstake = json!({
        "from": "alice", "receiver": "alice",
        "unstake_net_quantity": "1.0000 SYS", "unstake_cpu_quantity": "1.0000 SYS",
    });
    push(name!("undelegatebw"), unstake).expect("alice has stake");
    for bid in ["aa", "bb"] {
        push(name!("bidname"), json!({ "bidder": "alice", "newname": bid, "bid": "10.0000 SYS" })).expect("a bid");
    }
    let before = call(&node, "/v1/dev/get_time", &json!({}));
    call(&node, "/v1/dev/move_time", &json!({ "seconds": 2 * 86_400 }));
    let early = push(name!("refund"), json!({ "owner": "alice" })).expect_err("two of three days");
    assert!(early.to_string().contains("refund is not available yet"), "{early}");
    let after = call(&node, "/v1/dev/move_time", &json!({ "seconds": 86_400 }));
    let moved = time(&after["head_block_time"]).0 - time(&before["head_block_time"]).0;
    assert!((3 * DAY_US..3 * DAY_US + 60_000_000).contains(&moved), "{before} {after}");
    push(name!("refund"), json!({ "owner": "alice" })).expect("the refund is due");

    // An auction a day, once the chain has been active for two weeks.
    let open = |node: &RunningNode| {
        rows(node, "namebids").iter().filter(|bid| bid["high_bid"].as_i64().is_none_or(|bid| bid >= 0)).count()
    };
    assert_eq!(open(&node), 2, "{:?}", rows(&node, "namebids"));
    call(&node, "/v1/dev/move_time", &json!({ "seconds": 14 * 86_400 }));
    assert_eq!(open(&node), 0, "both auctions are closed: {:?}", rows(&node, "namebids"));

    // A year later a vote weighs twice as much; the time given is the time that it is.
    let vote = json!({ "voter": "alice", "proxy": "", "producers": ["producer1"] });
    let weight = |node: &RunningNode| {
        let voter = call(node, "/v1/chain/get_account", &json!({ "account_name": "alice" }));
        voter["voter_info"]["last_vote_weight"].as_str().expect("a weight").parse::<f64>().expect("a number")
    };
    push(name!("voteproducer"), vote.clone()).expect("alice can vote");
    let old = weight(&node);
    let now = time(&call(&node, "/v1/dev/get_time", &json!({}))["time"]);
    let until = TimePoint(now.0 + 364 * DAY_US).to_string();
    let arrival = call(&node, "/v1/dev/move_time", &json!({ "until": until }));
    let late = time(&arrival["head_block_time"]).0 - now.0 - 364 * DAY_US;
    assert!((0..20_000_000).contains(&late), "{until} {arrival}");
    push(name!("voteproducer"), vote).expect("alice can vote again");
    assert!((weight(&node) / old - 2.0).abs() < 0.03, "{old} {}", weight(&node));

    for (wrong, why) in [
        (json!({ "until": "2020-01-01T00:00:00" }), "lies behind"),
        (json!({ "seconds": -5 }), "lies behind"),
        (json!({ "until": "2090-01-01T00:00:00" }), "too late"),
        (json!({ "until": "tomorrow" }), "is not a valid time"),
        (json!({ "days": 1 }), "give either"),
    ] {
        let message = refusal(&node, "/v1/dev/move_time", &wrong);
        assert!(message.contains(why), "{wrong}: {message}");
    }
    let message = refusal(&node, "/v1/dev/produce", &json!({ "blocks": 4_294_967_297u64 }));
    assert!(message.contains("too many"), "{message}");

    // The chain goes on in its own time after a restart.
    let head = call(&node, "/v1/dev/get_time", &json!({}));
    node.stop();
    let node = RunningNode::dev(folder.path(), &[]);
    let again = call(&node, "/v1/dev/get_time", &json!({}));
    assert!(time(&again["time"]) >= time(&head["head_block_time"]), "{head} {again}");
    assert!(time(&again["time"]).0 < time(&head["time"]).0 + 60_000_000, "{head} {again}");
    let made = call(&node, "/v1/dev/produce", &json!({ "blocks": 30 }));
    assert_eq!(made["blocks"], 30);
}
