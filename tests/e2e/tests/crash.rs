//! `kill -9` under load: the node serves again at once, and no block that it showed is gone.
//!
//! `BOREAS_KILLS=100` makes the test a long one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use e2e::{Load, RunningNode};

const KILLS: u32 = 4;
const SERVES_AGAIN_WITHIN: Duration = Duration::from_secs(2);

/// A small generator: the moments only have to differ.
fn random_pause(seed: &mut u64) -> Duration {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    Duration::from_millis(300 + (*seed >> 33) % 1500)
}

#[test]
fn killed_at_any_moment_nothing_accepted_is_lost() {
    let kills = std::env::var("BOREAS_KILLS").map_or(KILLS, |text| text.parse().expect("BOREAS_KILLS is a number"));
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut node = RunningNode::start(folder.path(), &[]);
    Load::set_up(node.api.clone()).expect("the chain takes its set-up");
    let mut seed = u64::from(std::process::id());
    for round in 0..kills {
        let stop = AtomicBool::new(false);
        let seen = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut load = Load::new(node.api.clone());
                while !stop.load(Ordering::Relaxed) {
                    // A transfer may find the node dead: that is the test.
                    let _ = load.transfer();
                }
            });
            std::thread::sleep(random_pause(&mut seed));
            let info = node.info().expect("the node answers");
            let (number, id) = (info["head_block_num"].as_u64(), info["head_block_id"].as_str().map(str::to_owned));
            let seen = (number.expect("a number"), id.expect("an id"));
            std::thread::sleep(random_pause(&mut seed) / 8);
            stop.store(true, Ordering::Relaxed);
            seen
        });
        node.kill();
        node = RunningNode::start(folder.path(), &[]);
        assert!(node.started_in < SERVES_AGAIN_WITHIN, "round {round}: serves after {:?}", node.started_in);
        assert_eq!(node.block_id(seen.0), Some(seen.1), "round {round}: block {} was shown and is gone", seen.0);
        node.wait_until("new block", |info| info["head_block_num"].as_u64() > Some(seen.0 + 1));
    }
    let stopped_in = node.stop();
    assert!(stopped_in < Duration::from_secs(1), "SIGTERM took {stopped_in:?}");
}
