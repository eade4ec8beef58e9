//! Looks after the node from outside its other threads: whether the disk still takes what is written, and a line in the
//! log whenever how the node stands changes. What the allocator keeps for nothing goes back to the system. All of it ends
//! with the node.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::EngineError;
use crate::handle::Shared;
use crate::health::{Obstacle, SYNC_TIME_MAX};
use crate::memory::Keeper;

/// Pause between two tries of the disk.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);
/// How often the node is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The file that is written and removed, in the folder of the database.
const PROBE_FILE: &str = "probe";
/// Its bytes.
const PROBE_BYTES: [u8; 64] = [0x42; 64];
/// Bytes of stack of threads that mostly sleep.
const STACK_BYTES: usize = 128 << 10;

/// Starts both threads.
///
/// # Errors
/// The system refuses one.
pub(crate) fn start(shared: &Arc<Shared>) -> Result<(), EngineError> {
    let node = Arc::downgrade(shared);
    spawn("disk probe", move || {
        while let Some(folder) = after(PROBE_INTERVAL, &node).map(|shared| shared.folder.clone()) {
            let reason = try_disk(&folder);
            let Some(shared) = node.upgrade() else { return };
            shared.health.probed(reason);
        }
    })?;
    let node = Arc::downgrade(shared);
    spawn("health", move || {
        let (mut told, mut keeper) = (Told::default(), Keeper::new(Instant::now()));
        while let Some(shared) = after(LOOK_INTERVAL, &node) {
            let standing = shared.standing();
            shared.health.has_room(standing.disk);
            let obstacles = standing.obstacles();
            shared.metrics.ready(obstacles.is_empty());
            if let Some(line) = told.line(&obstacles) {
                tracing::info!("{line}");
            }
            keeper.look();
        }
    })
}

fn spawn(name: &'static str, work: impl FnOnce() + Send + 'static) -> Result<(), EngineError> {
    let thread = std::thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn(work);
    thread.map(drop).map_err(|source| EngineError::Thread { name, source })
}

/// The node after a pause, if it still runs.
fn after(pause: Duration, node: &Weak<Shared>) -> Option<Arc<Shared>> {
    std::thread::sleep(pause);
    node.upgrade()
}

/// Writes, syncs and removes a file. Why the disk is not well, if it is not.
fn try_disk(folder: &Path) -> Option<String> {
    let path = folder.join(PROBE_FILE);
    let begun = Instant::now();
    let write = || -> io::Result<()> {
        let mut file = File::create(&path)?;
        file.write_all(&PROBE_BYTES)?;
        file.sync_all()?;
        fs::remove_file(&path)
    };
    match write() {
        Ok(()) if begun.elapsed() <= SYNC_TIME_MAX => None,
        Ok(()) => Some(format!("the disk took {} s to take a small file", begun.elapsed().as_secs())),
        Err(error) => Some(format!("a file cannot be written to {}: {error}", folder.display())),
    }
}

/// What the log said of the node last.
#[derive(Debug, Default)]
struct Told(BTreeSet<&'static str>);

impl Told {
    /// The line for a change of what is in the way.
    fn line(&mut self, obstacles: &[Obstacle]) -> Option<String> {
        let kinds: BTreeSet<_> = obstacles.iter().map(|obstacle| obstacle.kind).collect();
        if std::mem::replace(&mut self.0, kinds) == self.0 {
            return None;
        }
        if obstacles.is_empty() {
            return Some("this node is well again, and ready".to_owned());
        }
        let reasons: Vec<_> = obstacles.iter().map(|obstacle| obstacle.words.as_str()).collect();
        Some(format!("this node is not ready: {}", reasons.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_tried_and_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(try_disk(folder.path()), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let gone = folder.path().join("gone");
        assert!(try_disk(&gone).is_some_and(|reason| reason.contains("cannot be written to")));
    }

    #[test]
    fn a_change_is_told_once() {
        let obstacle = |kind, words: &str| Obstacle { kind, words: words.to_owned() };
        let mut told = Told::default();
        assert_eq!(told.line(&[]), None, "all is well from the beginning");
        let line = told.line(&[obstacle("head", "it is 11 s old"), obstacle("disk", "it is full")]);
        assert_eq!(line.as_deref(), Some("this node is not ready: it is 11 s old; it is full"));
        assert_eq!(told.line(&[obstacle("disk", "it is full"), obstacle("head", "it is 12 s old")]), None);
        assert!(told.line(&[obstacle("disk", "it is full")]).is_some());
        assert!(told.line(&[]).is_some_and(|line| line.contains("well again")));
    }
}
