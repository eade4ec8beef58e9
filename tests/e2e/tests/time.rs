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

fn schedule(node: &RunningNode) -> Vec<String> {
    let schedule = call(node, "/v1/chain/get_producer_schedule", &json!({}));
    assert_eq!(schedule["pending"], Value::Null, "{schedule}");
    let producers = schedule["active"]["producers"].as_array().expect("a list").clone();
    producers.iter().map(|entry| entry["producer_name"].as_str().expect("a name").to_owned()).collect()
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

#[test]
fn ten_users_decide_and_one_schedule_of_twenty_one_follows_another() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &[]);
    let named = |letter: char| -> Vec<String> {
        (0..21u8).map(|at| format!("prod{letter}{}", char::from(b'a' + at))).collect()
    };
    let mut eosio = Load::new(node.api.clone());
    for producer in named('x').iter().chain(&named('y')) {
        let key = e2e::DEV_PUBLIC_KEY;
        let auth = json!({ "threshold": 1, "keys": [{ "key": key, "weight": 1 }], "accounts": [], "waits": [] });
        let new = json!({ "creator": "eosio", "name": producer, "owner": auth, "active": auth });
        eosio.send(EOSIO, name!("newaccount"), EOSIO, &new).expect("eosio can create accounts");
        let ram = json!({ "payer": "eosio", "receiver": producer, "bytes": 8192 });
        eosio.send(EOSIO, name!("buyrambytes"), EOSIO, &ram).expect("eosio can buy RAM");
        let stake = json!({
            "from": "eosio", "receiver": producer,
            "stake_net_quantity": "1.0000 SYS", "stake_cpu_quantity": "1.0000 SYS", "transfer": false,
        });
        eosio.send(EOSIO, name!("delegatebw"), EOSIO, &stake).expect("eosio can stake");
        let register = json!({ "producer": producer, "producer_key": key, "url": "", "location": 0 });
        let actor = producer.parse().expect("a name");
        eosio.send(EOSIO, name!("regproducer"), actor, &register).expect("its key is eosio's");
    }
    let users = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];
    let elect = |producers: &[String]| {
        for user in users {
            let mut voter = Load::signing_with(node.api.clone(), &node.printed_keys(user).1);
            let vote = json!({ "voter": user, "proxy": "", "producers": producers });
            voter.send(EOSIO, name!("voteproducer"), user.parse().expect("a name"), &vote).expect("a vote");
        }
        let arrival = call(&node, "/v1/dev/move_time", &json!({ "seconds": 61 }));
        // An election and two rounds of one block each, twice over.
        assert!(arrival["blocks"].as_u64() < Some(200), "{arrival}");
        assert_eq!(schedule(&node), producers);
        arrival
    };
    assert_eq!(schedule(&node), ["producer1"]);
    elect(&named('x'));
    let arrival = elect(&named('y'));
    // What was done then is irreversible, and blocks go on.
    assert!(arrival["last_irreversible_block_num"].as_u64() > Some(0));
    let made = call(&node, "/v1/dev/produce", &json!({ "blocks": 800 }));
    let lag = made["head_block_num"].as_u64().expect("a number")
        - made["last_irreversible_block_num"].as_u64().expect("a number");
    assert!(lag < 400, "{made}");
}
