//! Plugins of nodeos: which APIs a node serves, to whom, and what each of the smaller ones does.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use e2e::{RunningNode, binary, exchange, free_port};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(20);

/// A POST without a body and with these headers, which each end their line: its status and body.
fn post(node: &RunningNode, path: &str, headers: &str) -> (u16, String) {
    let host = node.url.trim_start_matches("http://");
    let request =
        format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n{headers}\r\n");
    let answer = exchange(host, request.as_bytes());
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, answer.split_once("\r\n\r\n").expect("a body").1.to_owned())
}

fn apis(node: &RunningNode) -> Vec<String> {
    let known = node.call("/v1/node/get_supported_apis", &json!({}));
    serde_json::from_value(known["apis"].clone()).expect("a list of paths")
}

#[test]
fn only_the_apis_of_named_plugins_are_served() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::launch(folder.path(), &["-e", "-p", "eosio", "--plugin", "eosio::chain_api_plugin"]);
    for path in ["/v1/producer/pause", "/v1/producer/create_snapshot", "/v1/net/connect", "/v1/db_size/get"] {
        let (status, body) = post(&node, path, "");
        assert!(status == 404 && body.contains("Unknown Endpoint"), "{path}: {status} {body}");
    }
    for path in ["/v1/trace_api/get_block", "/v1/prometheus/metrics", "/v1/test_control/kill_node_on_producer"] {
        assert_eq!(post(&node, path, "").0, 404, "{path}");
    }
    assert!(apis(&node).iter().all(|path| path.starts_with("/v1/chain/")), "{:?}", apis(&node));
    node.stop();

    let plugins = ["--plugin", "eosio::chain_api_plugin eosio::db_size_api_plugin", "--plugin", "net_api_plugin"];
    let node = RunningNode::launch(folder.path(), &plugins);
    let groups: std::collections::BTreeSet<_> =
        apis(&node).iter().filter_map(|path| path.split('/').nth(2).map(str::to_owned)).collect();
    assert_eq!(
        groups.into_iter().collect::<Vec<_>>(),
        ["chain", "db_size", "net", "node"],
        "who signed twice is told with the network"
    );
}

#[test]
fn a_node_without_an_api_plugin_does_not_listen() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let address = format!("127.0.0.1:{}", free_port());
    let log = folder.path().join("node.log");
    let mut node = Command::new(binary("boreasd"))
        .args(["-e", "-p", "eosio", "--http-server-address", &address, "--config-dir"])
        .args([folder.path(), Path::new("--data-dir"), folder.path()])
        .stderr(std::fs::File::create(&log).expect("the folder can be written"))
        .spawn()
        .expect("boreasd starts");
    let begin = Instant::now();
    let text = loop {
        let text = std::fs::read_to_string(&log).expect("the log is there");
        if text.contains("#3 @ ") || begin.elapsed() > SOON {
            break text;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let refused = TcpStream::connect(&address);
    node.kill().and_then(|()| node.wait()).expect("a child can be killed");
    assert!(refused.is_err() && text.contains("no API is served: name its plugin"), "{text}");
}

#[test]
fn on_a_development_chain_only_programs_of_this_machine_act_on_the_node() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &["--http-validate-host", "false"]);
    const JSON: &str = "Content-Type: application/json\r\n";
    let paths =
        ["/v1/producer/pause", "/v1/producer/create_snapshot", "/v1/net/connect", "/v1/producer/get_integrity_hash"];
    for path in paths {
        for headers in ["", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"] {
            let (status, body) = post(&node, path, headers);
            assert!(
                status == 403 && body.contains("Content-Type: application/json"),
                "{path} {headers}: {status} {body}"
            );
        }
        for origin in ["https://evil.example", "http://127.0.0.1.evil.example", "http://localhost:1", "null"] {
            let (status, body) = post(&node, path, &format!("{JSON}Origin: {origin}\r\n"));
            assert!(status == 403 && body.contains(origin), "{path} {origin}: {status} {body}");
        }
    }
    assert_eq!(post(&node, "/v1/producer/paused", "").1, "false");
    assert_eq!(post(&node, "/v1/producer/pause", &format!("{JSON}Origin: {}\r\n", node.url)).0, 201);
    assert_eq!(post(&node, "/v1/producer/paused", "Origin: https://evil.example\r\n").1, "true");
    assert_eq!(post(&node, "/v1/producer/resume", "Content-Type: Application/JSON; charset=utf-8\r\n").0, 201);
    node.stop();

    // A page of a chosen origin may, and a node whose operator named the plugin answers as nodeos does.
    let origin = ["--access-control-allow-origin", "https://desk.example"];
    let node = RunningNode::dev(folder.path(), &origin);
    assert_eq!(post(&node, "/v1/producer/pause", &format!("{JSON}Origin: https://desk.example\r\n")).0, 201);
    node.stop();
    let other = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(other.path(), &[]);
    assert_eq!(post(&node, "/v1/producer/pause", "Origin: https://evil.example\r\n").0, 201);
}

#[test]
fn numbers_of_runtime_options_are_in_their_ranges() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &[]);
    let before = node.call("/v1/producer/get_runtime_options", &json!({}));
    let wrong = [
        json!({"cpu_effort_us": -1}),
        json!({"cpu_effort_us": 500_001}),
        json!({"incoming_defer_ratio": -0.5}),
        json!({"incoming_defer_ratio": "nan"}),
        json!({"subjective_cpu_leeway_us": -1}),
        json!({"greylist_limit": 0}),
        json!({"greylist_limit": 1001}),
        json!({"max_transaction_time": -2}),
        json!({"max_irreversible_block_age": -2}),
        json!({"max_scheduled_transaction_time_per_block_ms": -2}),
        // One wrong number refuses all of them.
        json!({"max_transaction_time": 50, "greylist_limit": 0}),
    ];
    for change in wrong {
        let error = node.api.call("/v1/producer/update_runtime_options", &change).expect_err("it is out of range");
        let name = change.as_object().and_then(|change| change.keys().next_back()).expect("a name");
        assert!(error.to_string().contains(name.as_str()), "{change}: {error}");
    }
    assert_eq!(node.call("/v1/producer/get_runtime_options", &json!({})), before);
    let change = json!({"max_transaction_time": -1, "cpu_effort_us": 250_000, "greylist_limit": 1000});
    node.call("/v1/producer/update_runtime_options", &change);
    let after = node.call("/v1/producer/get_runtime_options", &json!({}));
    assert_eq!((&after["max_transaction_time"], &after["cpu_effort_us"]), (&json!(-1), &json!(250_000)));
}

fn metric(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in\n{text}"))
}

#[test]
fn metrics_have_nodeos_names() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &["--plugin", "eosio::prometheus_plugin"]);
    let host = node.url.trim_start_matches("http://");
    let request = format!("GET /v1/prometheus/metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let answer = exchange(host, request.as_bytes());
    assert!(answer.to_ascii_lowercase().contains("\r\ncontent-type: text/plain\r\n"), "{answer}");
    let (_, text) = answer.split_once("\r\n\r\n").expect("a body");
    let (head, irreversible) = (metric(text, "head_block_num"), metric(text, "last_irreversible"));
    assert!(head > 4 && irreversible < head && irreversible >= head - 2, "{text}");
    assert_eq!(metric(text, "blocks_produced"), head - 1, "block 1 is the genesis");
    assert_eq!(metric(text, "blocks_incoming"), 0);
    assert!(metric(text, "cpu_usage_us_total{block_type=\"produced\"}") >= 100 * (head - 1), "{text}");
    assert!(metric(text, "http_requests_total{handler=\"/v1/chain/get_info\"}") > 0);
    assert!(text.contains("# TYPE head_block_num gauge\n") && text.contains("# TYPE blocks_produced counter\n"));
    let again = exchange(host, request.as_bytes());
    assert_eq!(metric(again.split_once("\r\n\r\n").expect("a body").1, "exposer_scrapes_total"), 1);
}

#[test]
fn a_node_ends_at_the_turn_of_a_producer() {
    let document = json!({
        "core_symbol": "4,SYS", "maximum_supply": "10000000000.0000 SYS", "initial_supply": "1000000000.0000 SYS",
        "parameters": { "min_activated_stake": 0 },
        "accounts": [{ "name": "alice", "balance": "100.0000 SYS", "stake": "20000.0000 SYS", "ram_bytes": 1_048_576 }],
        "producers": [{ "name": "proda" }, { "name": "prodb" }],
    });
    for irreversible in [false, true] {
        let folder = tempfile::tempdir().expect("temporary folder");
        let file = folder.path().join("document.json");
        std::fs::write(&file, document.to_string()).expect("the folder can be written");
        let arguments =
            ["--genesis-document", file.to_str().expect("ASCII"), "--plugin", "eosio::test_control_api_plugin"];
        let node = RunningNode::dev(folder.path(), &arguments);
        let kill = |body: &Value| node.call("/v1/test_control/kill_node_on_producer", body);
        assert_eq!(kill(&json!({"name": "nobody", "where_in_sequence": 12, "based_on_lib": "true"})), json!({}));
        assert!(node.api.call("/v1/test_control/kill_node_on_producer", &json!({})).is_err(), "a body is required");
        kill(&json!({"producer": "prodb", "where_in_sequence": 3, "based_on_lib": irreversible}));
        // Turns take six seconds, and only the first block of each makes blocks irreversible.
        let log = node.wait_for_end(Duration::from_secs(40));
        assert!(log.trim_end().ends_with("nodeos successfully exiting"), "{log}");
        let last = log.lines().rfind(|line| line.contains("Produced block")).expect("there are blocks");
        if irreversible {
            continue;
        }
        // The next slot would be its fourth.
        let slot = last.split(" @ ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a time");
        let time: primitives::TimePoint = slot.parse().expect("a time");
        assert_eq!(primitives::BlockTimestamp::at(time).0 % 12, 2, "{last}");
        assert!(last.contains("signed by prodb"), "{last}");
    }
}

#[test]
fn the_operator_restricts_protocol_features() {
    const PREACTIVATE: &str = "0ec7e080177b2c02b278d5088611686b49d739925a92d9bfcacd7fc6b74053bd";
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("protocol_features/BUILTIN-PREACTIVATE_FEATURE.json");
    let node = RunningNode::start(folder.path(), &[]);
    let block =
        |node: &RunningNode, number: u64| node.call("/v1/chain/get_raw_block", &json!({"block_num_or_id": number}));
    let built_in: Value = serde_json::from_slice(&std::fs::read(&file).expect("it is written")).expect("JSON");
    let schedule = |node: &RunningNode| {
        let body = json!({"protocol_features_to_activate": [PREACTIVATE]});
        node.api.call("/v1/producer/schedule_protocol_feature_activations", &body).map_err(|error| error.to_string())
    };
    let supported = |node: &RunningNode, body: Value| {
        let all = node.call("/v1/producer/get_supported_protocol_features", &body);
        all.as_array().expect("a list").iter().find(|feature| feature["feature_digest"] == PREACTIVATE).cloned()
    };
    node.stop();
    let restrict = |restrictions: Value| {
        let mut changed = built_in.clone();
        changed["subjective_restrictions"] = restrictions;
        std::fs::write(&file, changed.to_string()).expect("it can be written");
    };

    let early = json!({"earliest_allowed_activation_time": "2100-01-01T00:00:00.000", "preactivation_required": false, "enabled": true});
    restrict(early.clone());
    let node = RunningNode::start(folder.path(), &[]);
    assert_eq!(supported(&node, json!({})).expect("it is known")["subjective_restrictions"], early);
    assert_eq!(supported(&node, json!({"exclude_unactivatable": true})), None);
    assert!(supported(&node, json!({"exclude_disabled": true})).is_some());
    let refused = schedule(&node).expect_err("it is too early");
    assert!(refused.contains("is too early for the earliest allowed activation time"), "{refused}");
    node.stop();

    let disabled = json!({"earliest_allowed_activation_time": "1970-01-01T00:00:00.000", "preactivation_required": false, "enabled": false});
    restrict(disabled);
    let node = RunningNode::start(folder.path(), &[]);
    assert_eq!(supported(&node, json!({"exclude_disabled": true})), None);
    let refused = schedule(&node).expect_err("it is disabled");
    assert!(refused.contains("is disabled"), "{refused}");
    node.stop();

    let preactivated = json!({"earliest_allowed_activation_time": "1970-01-01T00:00:00.000", "preactivation_required": true, "enabled": true});
    restrict(preactivated);
    let node = RunningNode::start(folder.path(), &[]);
    let refused = schedule(&node).expect_err("it needs preactivation");
    assert!(refused.contains("protocol feature requires preactivation"), "{refused}");
    node.stop();

    // A node that does not know a feature does not follow a chain that activates it.
    std::fs::remove_file(&file).expect("it is there");
    let node = RunningNode::start(folder.path(), &[]);
    schedule(&node).expect("nothing is in the way");
    let active = |node: &RunningNode| {
        node.call("/v1/chain/get_activated_protocol_features", &json!({}))["activated_protocol_features"][0]["activation_block_num"].as_u64()
    };
    let begin = Instant::now();
    let at = loop {
        if let Some(at) = active(&node).filter(|at| node.head() >= *at) {
            break at;
        }
        assert!(begin.elapsed() < SOON, "the feature is not activated");
        std::thread::sleep(Duration::from_millis(100));
    };
    let other = tempfile::tempdir().expect("temporary folder");
    std::fs::create_dir(other.path().join("protocol_features")).expect("the folder can be written");
    let mut disabled = built_in.clone();
    disabled["subjective_restrictions"]["enabled"] = json!(false);
    std::fs::write(other.path().join("protocol_features/any name.json"), disabled.to_string()).expect("written");
    let follower = RunningNode::follow(other.path());
    for number in 2..=at {
        // As from nodeos, the answer does not tell.
        let _ = follower.api.call("/v1/chain/push_block", &block(&node, number));
    }
    assert_eq!(follower.head(), at - 1);
}
