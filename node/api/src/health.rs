//! `/v1/node/health`, for probes: 200 where all is well and 503 where not, with the reasons and what was measured.

use engine::{Obstacle, Standing};
use serde_json::{Value, json as value};

use crate::node::Node;
use crate::reply::{Answer, integer, json, signed};

/// `health/live`: whether the node does anything; one that does not should be ended and started again.
pub fn live(node: &Node, _body: &[u8]) -> Answer {
    let standing = node.handle.standing();
    answer(node, &standing, &standing.obstacles_to_life())
}

/// `health` and `health/ready`: whether clients should be sent here.
pub fn ready(node: &Node, _body: &[u8]) -> Answer {
    let standing = node.handle.standing();
    answer(node, &standing, &standing.obstacles())
}

/// `health/started`: whether the start is over. Nobody listens before that.
pub fn started(node: &Node, _body: &[u8]) -> Answer {
    answer(node, &node.handle.standing(), &[])
}

fn answer(node: &Node, standing: &Standing, obstacles: &[Obstacle]) -> Answer {
    json(if obstacles.is_empty() { 200 } else { 503 }, &shown(node, standing, obstacles))
}

fn shown(node: &Node, standing: &Standing, obstacles: &[Obstacle]) -> Value {
    node.breakers.measure(node.handle.metrics(), &node.aside);
    let reasons = |obstacles: &[Obstacle]| -> Value {
        obstacles.iter().map(|obstacle| Value::from(obstacle.words.as_str())).collect()
    };
    let told = |obstacles: &[Obstacle]| value!({"ok": obstacles.is_empty(), "reasons": reasons(obstacles)});
    let absent = standing
        .absent
        .iter()
        .map(|(producer, missed)| value!({"producer": producer.to_string(), "slots_missed": missed}));
    value!({
        "ok": obstacles.is_empty(),
        "reasons": reasons(obstacles),
        "live": told(&standing.obstacles_to_life()),
        "ready": told(&standing.obstacles()),
        "started": told(&[]),
        "head_age_us": signed(standing.head_age_us()),
        "clock": {
            "jump_us": signed(standing.clock_jump_us),
            "block_lag_us": standing.block_lag_us.map(signed),
        },
        "slots_missed": {
            "since_start": integer(standing.missed),
            "last_ten_minutes": standing.missed_lately,
            "last_minute": standing.missed_now,
        },
        "peers": standing.peers.map(|peers| value!({
            "connected": peers.connected,
            "unwell": peers.unwell,
            "clock_offset_us": peers.clock_offset_us.map(signed),
            "blocks_behind": peers.blocks_behind,
        })),
        "absent_producers": absent.collect::<Value>(),
        "disk": standing.disk.map(|disk| value!({
            "free_bytes": integer(disk.free),
            "flood_stage_bytes": integer(standing.disk_reserve),
            "ready_bytes": integer(disk.least()),
            "unsynced_us": integer(u64::try_from(standing.unsynced.as_micros()).unwrap_or(u64::MAX)),
        })),
        "breakers": node.breakers.shown(node.handle.metrics()),
        "writer_silent_us": integer(u64::try_from(standing.writer_silent.as_micros()).unwrap_or(u64::MAX)),
    })
}
