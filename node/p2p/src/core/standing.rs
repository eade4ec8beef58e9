//! How peers behaved: points of blame that fade, bans that end.

use std::collections::BTreeMap;
use std::net::IpAddr;

use primitives::TimePoint;

use crate::limits::{BAN_AT, BAN_US, BLAME_HALF_LIFE_US, BLAMED_MAX, DISCONNECT_AT};

/// Whom blame sticks to: who came to this node is known by its host, whom this node dialled by the address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// An incoming connection's.
    Host(IpAddr),
    /// A dialled one's.
    Dialled(String),
}

impl Key {
    /// Of a connection from or to a host.
    pub fn of(host: IpAddr, dialled: Option<&str>) -> Self {
        dialled.map_or(Self::Host(host), |address| Self::Dialled(address.to_owned()))
    }

    /// Programs of this machine are disconnected and never banned: all of them share one address.
    fn can_be_banned(&self) -> bool {
        match self {
            Self::Host(IpAddr::V4(address)) => *address != std::net::Ipv4Addr::LOCALHOST,
            Self::Host(IpAddr::V6(address)) => *address != std::net::Ipv6Addr::LOCALHOST,
            Self::Dialled(_) => true,
        }
    }
}

/// What follows from blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing yet.
    None,
    /// Its connection ends.
    Disconnect,
    /// Its connection ends, and it is not let in again for a while.
    Ban,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    /// What it may still do before it is disconnected is reckoned from these.
    points: f64,
    /// All of its blame that is beyond doubt, whatever it was disconnected for: who comes back for more is banned in the
    /// end.
    total: f64,
    at: TimePoint,
    banned_until: Option<TimePoint>,
}

impl Record {
    /// The record as it has faded.
    fn at(self, now: TimePoint) -> Self {
        let age = now.us_since(self.at).max(0) as f64;
        let left = (-age / BLAME_HALF_LIFE_US).exp2();
        Self { points: self.points * left, total: self.total * left, at: now, ..self }
    }
}

/// Everybody's blame.
#[derive(Debug, Default)]
pub struct Standing {
    records: BTreeMap<Key, Record>,
}

impl Standing {
    /// Adds blame for what nobody does who means well.
    pub fn blame(&mut self, key: &Key, points: f64, now: TimePoint) -> Consequence {
        self.add(key, points, points, now)
    }

    /// Adds blame for what an honest peer may have done, too: it is disconnected for it, and banned only if it is much at
    /// once.
    pub fn doubt(&mut self, key: &Key, points: f64, now: TimePoint) -> Consequence {
        self.add(key, points, 0.0, now)
    }

    fn add(&mut self, key: &Key, points: f64, certain: f64, now: TimePoint) -> Consequence {
        if !self.records.contains_key(key) && self.records.len() >= BLAMED_MAX {
            self.forget_least(now);
        }
        let new = Record { points: 0.0, total: 0.0, at: now, banned_until: None };
        let record = self.records.entry(key.clone()).or_insert(new);
        *record = record.at(now);
        record.points += points;
        record.total += certain;
        if record.points.max(record.total) >= BAN_AT && key.can_be_banned() {
            record.banned_until = Some(now.plus_us(BAN_US));
            Consequence::Ban
        } else if record.points >= DISCONNECT_AT {
            // A peer that comes back after it was disconnected begins with half of what it had.
            record.points = DISCONNECT_AT / 2.0;
            Consequence::Disconnect
        } else {
            Consequence::None
        }
    }

    /// Until when somebody is not let in.
    pub fn banned_until(&mut self, key: &Key, now: TimePoint) -> Option<TimePoint> {
        let until = self.records.get(key)?.banned_until?;
        if until > now {
            return Some(until);
        }
        self.records.remove(key);
        None
    }

    /// Who is banned until when.
    pub fn bans(&self, now: TimePoint) -> Vec<(Key, TimePoint)> {
        let banned = self.records.iter().filter_map(|(key, record)| Some((key.clone(), record.banned_until?)));
        banned.filter(|(_, until)| *until > now).collect()
    }

    /// How many are banned.
    pub fn banned(&self, now: TimePoint) -> usize {
        self.records.values().filter(|record| record.banned_until.is_some_and(|until| until > now)).count()
    }

    fn forget_least(&mut self, now: TimePoint) {
        let weight = |record: &Record| {
            (record.banned_until.filter(|until| *until > now), record.at(now).points.max(record.at(now).total))
        };
        let least = self
            .records
            .iter()
            .min_by(|(_, a), (_, b)| weight(a).partial_cmp(&weight(b)).unwrap_or(std::cmp::Ordering::Equal));
        if let Some(key) = least.map(|(key, _)| key.clone()) {
            self.records.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(last: u8) -> Key {
        Key::Host(IpAddr::from([10, 0, 0, last]))
    }

    #[test]
    fn blame_adds_up_fades_and_ends() {
        let mut standing = Standing::default();
        let at = |seconds: i64| TimePoint(seconds * 1_000_000);
        assert_eq!(standing.blame(&host(1), 15.0, at(0)), Consequence::None);
        // Half of it is gone after a minute.
        assert_eq!(standing.blame(&host(1), 12.0, at(60)), Consequence::None);
        assert_eq!(standing.blame(&host(1), 12.0, at(60)), Consequence::Disconnect);
        assert_eq!(standing.blame(&host(1), 40.0, at(60)), Consequence::Ban);
        assert!(standing.banned_until(&host(1), at(61)).is_some());
        assert!(standing.banned_until(&host(2), at(61)).is_none());
        let end = at(60).plus_us(BAN_US);
        assert_eq!(standing.banned_until(&host(1), end), None);
        assert_eq!(standing.blame(&host(1), 15.0, end), Consequence::None);
    }

    #[test]
    fn who_comes_back_for_more_is_banned() {
        let (mut standing, mut told) = (Standing::default(), Vec::new());
        for seconds in 0.. {
            told.push(standing.blame(&host(1), 5.0, TimePoint(seconds * 1_000_000)));
            if told.last() == Some(&Consequence::Ban) {
                break;
            }
        }
        let disconnects = told.iter().filter(|consequence| **consequence == Consequence::Disconnect).count();
        assert!(told.len() < 13 && disconnects > 1, "{told:?}");
        // What may have been in good faith never comes to a ban, and what is once in a while neither.
        for seconds in 0..100 {
            assert_ne!(standing.doubt(&host(3), 10.0, TimePoint(seconds * 1_000_000)), Consequence::Ban);
        }
        for minutes in 0..100 {
            assert_ne!(standing.blame(&host(2), 20.0, TimePoint(minutes * 60_000_000)), Consequence::Ban);
        }
    }

    #[test]
    fn this_machine_is_disconnected_and_not_banned() {
        let mut standing = Standing::default();
        let own = Key::Host(IpAddr::from([127, 0, 0, 1]));
        assert_eq!(standing.blame(&own, 100.0, TimePoint(0)), Consequence::Disconnect);
        assert_eq!(standing.banned_until(&own, TimePoint(0)), None);
    }

    #[test]
    fn memory_is_bounded_and_bans_are_kept_longest() {
        let mut standing = Standing::default();
        assert_eq!(standing.blame(&host(1), 60.0, TimePoint(0)), Consequence::Ban);
        for number in 0..2 * BLAMED_MAX as u32 {
            standing.blame(&Key::Host(IpAddr::from(number.to_be_bytes())), 1.0, TimePoint(1));
        }
        assert_eq!(standing.records.len(), BLAMED_MAX);
        assert!(standing.banned_until(&host(1), TimePoint(2)).is_some());
    }
}
