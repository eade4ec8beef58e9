//! A machine's clock that is set wrong and corrected: no block is signed for the wrong time, and where there is one
//! already, it is said what the node waits for.

use std::time::{Duration, SystemTime};

use e2e::{RunningNode, ShiftedClock};
use primitives::TimePoint;

const HOUR_S: i64 = 3600;

/// Seconds that the head is ahead of the time.
fn ahead_s(node: &RunningNode) -> i64 {
    let info = node.info().expect("the node answers");
    let head: TimePoint = info["head_block_time"].as_str().expect("a time").parse().expect("a time");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970");
    head.0 / 1_000_000 - i64::try_from(now.as_secs()).expect("the near future")
}

fn reasons(node: &RunningNode) -> String {
    let (status, body) = node.get("/v1/node/health/ready");
    assert_eq!((status == 200, body["ok"].as_bool()), (body["reasons"] == serde_json::json!([]), Some(status == 200)));
    body["reasons"].to_string()
}

#[test]
fn a_clock_set_forward_and_corrected_stops_nothing() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let clock = ShiftedClock::new(folder.path());
    let mut node = RunningNode::start_with_limits(folder.path(), clock.environment(), &[]);
    for seconds in [HOUR_S, -HOUR_S] {
        let head = node.head();
        clock.set(seconds);
        node.wait_until("blocks in spite of the clock", |info| info["head_block_num"].as_u64() > Some(head + 5));
        assert!(ahead_s(&node).abs() < 60, "no block is of the wrong time: {} s", ahead_s(&node));
        assert!(reasons(&node).contains("clock jumped by"), "{}", reasons(&node));
        assert_eq!(node.get("/v1/node/health/live").0, 200, "it lives");
        clock.set(0);
        let head = node.head();
        node.wait_until("blocks afterwards", |info| info["head_block_num"].as_u64() > Some(head + 5));
        assert!(!reasons(&node).contains("clock"), "{}", reasons(&node));
    }
    let log = node.log();
    // The clocks are not read at the same moment: an hour may be a little less.
    let said = |words: [&str; 2]| log.lines().filter(|line| words.iter().all(|word| line.contains(word))).count();
    let jumps = [said(["clock jumped 3", " s forward."]), said(["clock jumped 3", " s back."])];
    assert_eq!((jumps, said(["is back at the time", ""])), ([1, 1], 2), "{log}");
    node.stop();
}

#[test]
fn a_head_of_the_future_is_waited_for_in_words() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let clock = ShiftedClock::new(folder.path());
    clock.set(HOUR_S);
    let mut node = RunningNode::start_with_limits(folder.path(), clock.environment(), &[]);
    node.wait_until("blocks of the future", |info| info["head_block_num"].as_u64() > Some(3));
    assert!(ahead_s(&node) > HOUR_S - 60);
    node.stop();
    clock.set(0);
    let node = RunningNode::start_with_limits(folder.path(), clock.environment(), &[]);
    std::thread::sleep(Duration::from_secs(2));
    let log = node.log();
    // 3600 s, or a little less.
    assert_eq!(log.matches("Not producing block because the head").count(), 1, "{log}");
    assert!(log.contains("--truncate-at-block"), "{log}");
    let (status, body) = node.get("/v1/node/health");
    assert!(
        status == 503 && body["ready"]["reasons"][0].as_str().is_some_and(|text| text.contains("comes in")),
        "{body}"
    );
    assert!(body["live"]["ok"] == true && body["started"]["ok"] == true, "{body}");
}
