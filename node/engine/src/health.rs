//! How the node stands, in its own judgement: for probes, which ask often and must not wait. Everything is read from
//! counters; the lock of the chain is not taken.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chain::BlockState;
use parking_lot::Mutex;
use primitives::{BlockTimestamp, Name, TimePoint};

use crate::Refusal;
use crate::absent::Absent;
use crate::moved::{Follows, Moved};
use crate::slots::{HEAD_AHEAD_MAX_US, MISSED_WINDOW_SLOTS};

/// How long the writer may be silent: it looks for commands each second, and no step of it takes long.
pub const WRITER_SILENT_MAX: Duration = Duration::from_secs(10);
/// How long the disk may take to have what was written.
pub const SYNC_TIME_MAX: Duration = Duration::from_secs(5);
/// Age of the head, in microseconds, up to which a node is ready: longer than a turn of twelve slots that is missed.
pub const HEAD_AGE_MAX_US: i64 = 10_000_000;
/// Missed slots of this node's producers, within [`MISSED_READY_SLOTS`], with which it is not ready: a whole turn.
pub const MISSED_MAX: u32 = 12;
/// See [`MISSED_MAX`]: a minute.
pub const MISSED_READY_SLOTS: u32 = 120;
/// Bytes that the disk of the data folder must have left, unless a twentieth of it is less.
pub const DISK_FREE_MIN: u64 = 2 << 30;
/// How far the machine's clock may be from those of its peers, in microseconds: two slots.
pub const CLOCK_OFFSET_MAX_US: i64 = 1_000_000;
/// Blocks that this node may be behind its peers: half a minute.
pub const BLOCKS_BEHIND_MAX: u32 = 60;
/// No block of others came yet.
const NONE: i64 = i64::MIN;

/// What the writer and the thread behind it tell as they go.
#[derive(Debug)]
pub(crate) struct Health {
    began: Instant,
    /// Milliseconds since the beginning when the writer was last at its queue.
    beat_ms: AtomicU64,
    /// Milliseconds since the beginning when the oldest write was made that is not synced; the largest number for none.
    unsynced_ms: AtomicU64,
    head_time_us: AtomicI64,
    block_lag_us: AtomicI64,
    missed: Mutex<Missed>,
    /// Why the disk is not well, as it was tried last.
    disk: Mutex<Option<String>>,
    peers: Mutex<Option<Peers>>,
    absent: Mutex<Absent>,
    /// Why no block can be started, if so.
    stuck: Mutex<Option<String>>,
    /// Bytes that the disk keeps.
    disk_reserve: u64,
    /// Whether it has less left.
    flooded: AtomicBool,
}

/// What the node sees of its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peers {
    /// Those that have introduced themselves.
    pub connected: usize,
    /// Those of them that say they are not well.
    pub unwell: usize,
    /// How far their clocks are ahead of this machine's, in microseconds: the median.
    pub clock_offset_us: Option<i64>,
    /// How many blocks their heads are ahead of this node's: the median.
    pub blocks_behind: u32,
}

/// Something that keeps a node from its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What it concerns, in a word; the same as long as it lasts.
    pub kind: &'static str,
    /// The reason, with its figures.
    pub words: String,
}

/// Slots of this node's producers without a block.
#[derive(Debug, Default)]
struct Missed {
    total: u64,
    recent: VecDeque<BlockTimestamp>,
}

/// How a node stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// How long the writer has not been at its queue.
    pub writer_silent: Duration,
    /// How long the disk has not had what was written.
    pub unsynced: Duration,
    /// The time of the head.
    pub head_time: TimePoint,
    /// The time that the node goes by.
    pub now: TimePoint,
    /// How far the machine's clock is from it, in microseconds.
    pub clock_jump_us: i64,
    /// How long after its time the last fresh block of others came, in microseconds: below zero when one clock is wrong.
    pub block_lag_us: Option<i64>,
    /// Slots of this node's producers without a block, since it started.
    pub missed: u64,
    /// Those of the last ten minutes.
    pub missed_lately: u32,
    /// Those of the last minute.
    pub missed_now: u32,
    /// The disk of the data folder, where the system tells of it.
    pub disk: Option<Disk>,
    /// Bytes that it keeps: with less left no transactions are taken.
    pub disk_reserve: u64,
    /// Why the disk is not well, as it was tried last.
    pub disk_fault: Option<String>,
    /// Why no block can be started, if so.
    pub stuck: Option<String>,
    /// What the node sees of its peers, where it has a network.
    pub peers: Option<Peers>,
    /// Producers that let a turn pass and have not produced since, and how many slots each let pass.
    pub absent: Vec<(Name, u32)>,
    /// Whether this is a development chain, whose time obeys.
    pub dev: bool,
}

/// Room on a disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// What this node may still use.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

impl Disk {
    /// The disk that a folder is on.
    pub fn of(folder: &Path) -> Option<Self> {
        let path = std::ffi::CString::new(folder.as_os_str().as_encoded_bytes()).ok()?;
        // SAFETY: all bytes zero are a value of this structure of numbers.
        let mut room: libc::statvfs = unsafe { std::mem::zeroed() };
        // SAFETY: the path ends with a zero, and `room` is valid for the call.
        let told = unsafe { libc::statvfs(path.as_ptr(), &mut room) } == 0;
        told.then(|| Self { free: room.f_bavail * room.f_frsize, total: room.f_blocks * room.f_frsize })
    }

    /// Bytes below which the node is not ready.
    pub fn least(self) -> u64 {
        DISK_FREE_MIN.min(self.total / 20)
    }
}

impl Health {
    /// Of a node with a head of this time, whose disk keeps so many bytes.
    pub fn new(head_time: TimePoint, disk_reserve: u64) -> Self {
        Self {
            began: Instant::now(),
            beat_ms: AtomicU64::new(0),
            unsynced_ms: AtomicU64::new(u64::MAX),
            head_time_us: AtomicI64::new(head_time.0),
            block_lag_us: AtomicI64::new(NONE),
            missed: Mutex::default(),
            disk: Mutex::default(),
            peers: Mutex::default(),
            stuck: Mutex::default(),
            absent: Mutex::default(),
            disk_reserve,
            flooded: AtomicBool::new(false),
        }
    }

    /// Notes what room the disk has.
    pub fn has_room(&self, disk: Option<Disk>) {
        self.flooded.store(disk.is_some_and(|disk| disk.free < self.disk_reserve), Ordering::Relaxed);
    }

    /// Makes sure that the disk has room for what is not needed to go on with the chain.
    ///
    /// # Errors
    /// It has less than it keeps.
    pub fn check_room(&self) -> Result<(), Refusal> {
        if !self.flooded.load(Ordering::Relaxed) {
            return Ok(());
        }
        let reserve = self.disk_reserve >> 20;
        let reason =
            format!("the disk of the data folder has less than {reserve} MB left (--disk-reserve-mb): make room");
        Err(Refusal::Busy { breaker: "disk", reason })
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }

    /// The writer is at its queue.
    pub fn beat(&self) {
        self.beat_ms.store(self.elapsed_ms(), Ordering::Relaxed);
    }

    /// Something was written that is not synced yet.
    pub fn wrote(&self) {
        // An older write counts.
        let _ = self.unsynced_ms.fetch_min(self.elapsed_ms(), Ordering::Relaxed);
    }

    /// Everything is synced that was written.
    pub fn synced(&self) {
        self.unsynced_ms.store(u64::MAX, Ordering::Relaxed);
    }

    /// The chain has a new head.
    pub fn stands(&self, head_time: TimePoint) {
        self.head_time_us.store(head_time.0, Ordering::Relaxed);
    }

    /// A block of others came so long after its time.
    pub fn came(&self, lag_us: i64) {
        self.block_lag_us.store(lag_us, Ordering::Relaxed);
    }

    /// These slots of this node's producers, ascending, have no block. Returns how many they are.
    pub fn missed(&self, slots: impl Iterator<Item = BlockTimestamp>) -> u64 {
        let mut missed = self.missed.lock();
        let before = missed.total;
        for slot in slots {
            missed.total += 1;
            missed.recent.push_back(slot);
            if missed.recent.len() > MISSED_WINDOW_SLOTS as usize {
                missed.recent.pop_front();
            }
        }
        missed.total - before
    }

    /// The disk was tried: why it is not well, if it is not.
    pub fn probed(&self, fault: Option<String>) {
        *self.disk.lock() = fault;
    }

    /// No block can be started.
    pub fn starts_no_block(&self, why: String) {
        *self.stuck.lock() = Some(why);
    }

    /// A block was started.
    pub fn starts_blocks(&self) {
        *self.stuck.lock() = None;
    }

    /// What the node sees of its peers now.
    pub fn sees(&self, peers: Peers) {
        *self.peers.lock() = Some(peers);
    }

    /// The chain goes on with a block, after the slot of the block before it.
    pub fn follows(&self, block: &BlockState, after: BlockTimestamp) {
        self.absent.lock().follow(block, after);
    }

    /// How the node stands at a time, whose clock jumped so far, with its data in `folder`.
    pub fn standing(&self, now: TimePoint, clock_jump_us: i64, folder: &Path, dev: bool) -> Standing {
        let elapsed = self.elapsed_ms();
        let since = |ms: u64| Duration::from_millis(elapsed.saturating_sub(ms));
        let slot = BlockTimestamp::at(now).0;
        let missed = self.missed.lock();
        let within = |slots: u32| {
            let recent = missed.recent.iter().filter(|missed| missed.0.saturating_add(slots) >= slot);
            u32::try_from(recent.count()).unwrap_or(u32::MAX)
        };
        Standing {
            writer_silent: since(self.beat_ms.load(Ordering::Relaxed)),
            unsynced: since(self.unsynced_ms.load(Ordering::Relaxed)),
            head_time: TimePoint(self.head_time_us.load(Ordering::Relaxed)),
            now,
            clock_jump_us,
            block_lag_us: Some(self.block_lag_us.load(Ordering::Relaxed)).filter(|lag| *lag != NONE),
            missed: missed.total,
            missed_lately: within(MISSED_WINDOW_SLOTS),
            missed_now: within(MISSED_READY_SLOTS),
            disk: Disk::of(folder),
            disk_reserve: self.disk_reserve,
            disk_fault: self.disk.lock().clone(),
            peers: *self.peers.lock(),
            stuck: self.stuck.lock().clone(),
            absent: self.absent.lock().list(),
            dev,
        }
    }
}

impl Follows for &Health {
    fn follow(&mut self, moved: &Moved<'_>) {
        if let Some(end) = moved.applied.joined().next_back() {
            self.stands(end.header.timestamp().time());
        }
    }
}

impl Standing {
    /// How old the head is, in microseconds; below zero for one of the future.
    pub fn head_age_us(&self) -> i64 {
        self.now.0.saturating_sub(self.head_time.0)
    }

    /// Why the node should be ended and started again; nothing for a node that lives.
    pub fn obstacles_to_life(&self) -> Vec<Obstacle> {
        let silent = self.writer_silent > WRITER_SILENT_MAX;
        let words = || format!("the thread that owns the chain has been silent for {} s", self.writer_silent.as_secs());
        silent.then(|| Obstacle { kind: "writer", words: words() }).into_iter().collect()
    }

    /// Why other nodes should not count on this one; nothing for a node that is sound.
    pub fn obstacles_to_service(&self) -> Vec<Obstacle> {
        let mut obstacles = self.obstacles_to_life();
        if self.unsynced > SYNC_TIME_MAX {
            let words = format!("the disk has not had what was written for {} s", self.unsynced.as_secs());
            obstacles.push(Obstacle { kind: "sync", words });
        }
        obstacles.extend(self.disk_fault.clone().map(|words| Obstacle { kind: "disk", words }));
        obstacles
    }

    /// Why nobody should be sent to this node now; nothing for a node that is ready.
    pub fn obstacles(&self) -> Vec<Obstacle> {
        let mut obstacles = self.obstacles_to_service();
        let mut when = |holds: bool, kind: &'static str, words: &dyn Fn() -> String| {
            if holds {
                obstacles.push(Obstacle { kind, words: words() });
            }
        };
        let age_us = self.head_age_us();
        when(!self.dev && age_us > HEAD_AGE_MAX_US, "head", &|| {
            format!("the head is {} s old: the chain stands still, or this node is behind", age_us / 1_000_000)
        });
        when(!self.dev && age_us < -HEAD_AHEAD_MAX_US, "head", &|| {
            format!(
                "the head is of a time that comes in {} s only: a clock is wrong, or was when it was made",
                -age_us / 1_000_000
            )
        });
        when(self.clock_jump_us != 0, "clock", &|| {
            format!(
                "the machine's clock jumped by {:.1} s: it is doubted for {} s",
                self.clock_jump_us as f64 / 1e6,
                crate::clock::DOUBT_US / 1_000_000
            )
        });
        if let Some(disk) = self.disk.filter(|disk| disk.free < self.disk_reserve) {
            when(true, "flood", &|| {
                format!(
                    "the disk of the data folder has {} MB left and keeps {} (--disk-reserve-mb): no transactions are \
                     taken until there is room",
                    disk.free >> 20,
                    self.disk_reserve >> 20
                )
            });
        } else if let Some(disk) = self.disk.filter(|disk| disk.free < disk.least()) {
            when(true, "room", &|| {
                format!(
                    "the disk of the data folder has {} MB left, {} should be: make room before it is full",
                    disk.free >> 20,
                    disk.least() >> 20
                )
            });
        }
        when(self.stuck.is_some(), "onblock", &|| self.stuck.clone().unwrap_or_default());
        when(self.missed_now >= MISSED_MAX, "slots", &|| {
            format!("{} slots of this node's producers in the last minute have no block", self.missed_now)
        });
        if let Some(peers) = self.peers.filter(|_| !self.dev) {
            let offset = peers.clock_offset_us.unwrap_or(0);
            when(offset.unsigned_abs() > CLOCK_OFFSET_MAX_US.unsigned_abs(), "skew", &|| {
                let side = if offset > 0 { "behind" } else { "ahead of" };
                let seconds = offset.unsigned_abs() as f64 / 1e6;
                format!("the machine's clock is {seconds:.1} s {side} those of the peers: set one of them right")
            });
            when(peers.blocks_behind > BLOCKS_BEHIND_MAX, "behind", &|| {
                format!("this node is {} blocks behind its peers", peers.blocks_behind)
            });
        }
        obstacles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: TimePoint = TimePoint(1_700_000_000_000_000);

    const PEERS: Peers = Peers {
        connected: 3,
        unwell: 1,
        clock_offset_us: Some(-CLOCK_OFFSET_MAX_US),
        blocks_behind: BLOCKS_BEHIND_MAX,
    };

    fn well() -> Standing {
        Standing {
            writer_silent: Duration::from_millis(900),
            unsynced: Duration::ZERO,
            head_time: TimePoint(NOW.0 - 500_000),
            now: NOW,
            clock_jump_us: 0,
            block_lag_us: None,
            missed: 40,
            missed_lately: 20,
            missed_now: MISSED_MAX - 1,
            disk: Some(Disk { free: 3 << 30, total: 100 << 30 }),
            disk_reserve: 512 << 20,
            disk_fault: None,
            peers: Some(PEERS),
            stuck: None,
            absent: Vec::new(),
            dev: false,
        }
    }

    #[test]
    fn each_reason_is_told() {
        assert!(well().obstacles().is_empty() && well().obstacles_to_life().is_empty());
        let small = Disk { free: 60 << 20, total: 1 << 30 };
        assert!(
            Standing { disk: Some(small), disk_reserve: 0, ..well() }.obstacles().is_empty(),
            "a twentieth is enough"
        );
        let table = [
            (Standing { writer_silent: Duration::from_secs(11), ..well() }, "silent for 11 s"),
            (Standing { head_time: TimePoint(NOW.0 - 11_000_000), ..well() }, "the head is 11 s old"),
            (Standing { head_time: TimePoint(NOW.0 + 3_600_000_000), ..well() }, "comes in 3600 s only"),
            (Standing { clock_jump_us: -3_600_000_000, ..well() }, "jumped by -3600.0 s"),
            (Standing { unsynced: Duration::from_secs(6), ..well() }, "for 6 s"),
            (Standing { disk: Some(Disk { free: 1 << 30, total: 100 << 30 }), ..well() }, "has 1024 MB left, 2048"),
            (
                Standing { disk: Some(Disk { free: 500 << 20, total: 100 << 30 }), ..well() },
                "500 MB left and keeps 512",
            ),
            (Standing { missed_now: MISSED_MAX, ..well() }, "12 slots"),
            (Standing { stuck: Some("onblock takes too long".to_owned()), ..well() }, "onblock takes"),
            (Standing { disk_fault: Some("a file cannot be written".to_owned()), ..well() }, "cannot be written"),
            (
                Standing { peers: Some(Peers { clock_offset_us: Some(60_000_000), ..PEERS }), ..well() },
                "60.0 s behind those of the peers",
            ),
            (
                Standing { peers: Some(Peers { clock_offset_us: Some(i64::MIN), ..PEERS }), ..well() },
                "s ahead of those of the peers",
            ),
            (Standing { peers: Some(Peers { blocks_behind: 61, ..PEERS }), ..well() }, "61 blocks behind its peers"),
        ];
        for (standing, words) in table {
            let reasons = standing.obstacles();
            assert!(reasons.len() == 1 && reasons[0].words.contains(words), "{words}: {reasons:?}");
            assert_eq!(standing.obstacles_to_life().is_empty(), words != "silent for 11 s");
            let unsound = ["silent for 11 s", "for 6 s", "cannot be written"].contains(&words);
            assert_eq!(standing.obstacles_to_service().is_empty(), !unsound, "{words}");
        }
        let dev = Standing { dev: true, head_time: TimePoint(NOW.0 + 3_600_000_000), ..well() };
        assert!(dev.obstacles().is_empty(), "its time obeys");
    }

    #[test]
    fn what_was_missed_is_forgotten_after_a_while() {
        let health = Health::new(NOW, 1 << 20);
        let slot = BlockTimestamp::at(NOW).0;
        health.missed([600, 100, 2, 1].map(|ago| BlockTimestamp(slot - ago)).into_iter());
        let at = |slots: i64| {
            let now = TimePoint(NOW.0 + slots * primitives::time::SLOT_US);
            let standing = health.standing(now, 0, Path::new("/"), false);
            (standing.missed, standing.missed_lately, standing.missed_now)
        };
        assert_eq!([at(0), at(30), at(1199), at(2000)], [(4, 4, 3), (4, 4, 2), (4, 1, 0), (4, 0, 0)]);
        health.missed((0..5000).map(BlockTimestamp));
        assert_eq!(health.missed.lock().recent.len(), MISSED_WINDOW_SLOTS as usize);
        let standing = health.standing(NOW, 0, Path::new("/"), false);
        assert!(standing.disk.is_some_and(|disk| disk.total >= disk.free && disk.total > 0));
        assert!(standing.unsynced.is_zero());
        for (free, is_flooded) in [(1 << 20, false), ((1 << 20) - 1, true), (1 << 20, false)] {
            health.has_room(Some(Disk { free, total: 1 << 40 }));
            assert_eq!(health.check_room().is_err(), is_flooded, "{free}");
        }
        health.wrote();
        health.synced();
        assert!(health.standing(NOW, 0, Path::new("/nowhere/to/be/found"), false).disk.is_none());
    }
}
