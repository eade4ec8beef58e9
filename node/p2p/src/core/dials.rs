//! Addresses that this node dials: those of the settings and those that the operator adds. Each is dialled again after
//! its connection ended, with growing pauses.

use primitives::TimePoint;

use super::peer::PeerId;
use crate::limits::{DIALLED_MAX, REDIAL_US, TURNED_AWAY_MAX};
use crate::wire::GoAway;

/// How an address stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is dialled at this time.
    Waits(TimePoint),
    /// The system connects.
    Dialling,
    /// It is a peer.
    Connected(PeerId),
    /// It is not dialled again: another chain, this node itself, no permission.
    GivenUp(GoAway),
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nobody answers, or it ended for a reason, if one was given.
    Failed(Option<GoAway>),
    /// Somebody is there and closed it at once.
    TurnedAway,
}

/// An address.
#[derive(Debug, Clone)]
pub struct Dial {
    /// As it was given.
    pub address: String,
    /// How it stands.
    pub state: State,
    /// Connections that failed or ended at once, one after another.
    failures: u32,
    /// Whether a peer told of it; such ones go when their connection ends.
    pub was_told: bool,
}

impl Dial {
    /// Whether it is a peer.
    pub fn is_connected(&self) -> bool {
        matches!(self.state, State::Connected(_))
    }

    /// Whether it was never tried.
    pub fn is_new(&self) -> bool {
        self.failures == 0 && matches!(self.state, State::Waits(_))
    }
}

/// All of them, in the order in which they were added.
#[derive(Debug, Default)]
pub struct Dials {
    dials: Vec<Dial>,
}

impl Dials {
    /// Adds an address. False when it is there, or there are too many.
    pub fn add(&mut self, address: &str, now: TimePoint) -> bool {
        self.enter(address, false, now)
    }

    /// The same of one that a peer told of.
    pub fn add_told(&mut self, address: &str, now: TimePoint) -> bool {
        self.enter(address, true, now)
    }

    fn enter(&mut self, address: &str, was_told: bool, now: TimePoint) -> bool {
        let new = self.find(address).is_none() && self.dials.len() < DIALLED_MAX;
        if new {
            let address = address.to_owned();
            self.dials.push(Dial { address, state: State::Waits(now), failures: 0, was_told });
        }
        new
    }

    /// An address.
    pub fn find(&self, address: &str) -> Option<&Dial> {
        self.dials.iter().find(|dial| dial.address == address)
    }

    /// Takes an address out.
    pub fn remove(&mut self, address: &str) -> Option<Dial> {
        let at = self.dials.iter().position(|dial| dial.address == address)?;
        Some(self.dials.remove(at))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Dial> {
        self.dials.iter()
    }

    /// Notes how an address stands.
    pub fn set(&mut self, address: &str, state: State) {
        if let Some(dial) = self.dials.iter_mut().find(|dial| dial.address == address) {
            dial.state = state;
        }
    }

    /// A connection has introduced itself: pauses begin anew.
    pub fn succeeded(&mut self, address: &str) {
        if let Some(dial) = self.dials.iter_mut().find(|dial| dial.address == address) {
            dial.failures = 0;
        }
    }

    /// A connection ended, or there was none.
    pub fn failed(&mut self, address: &str, ended: Ended, pause_max_us: i64, now: TimePoint) {
        self.dials.retain(|dial| !dial.was_told || dial.address != address);
        let Some(dial) = self.dials.iter_mut().find(|dial| dial.address == address) else { return };
        dial.failures = dial.failures.saturating_add(1);
        let parting = match ended {
            Ended::Failed(parting) => parting,
            Ended::TurnedAway => {
                dial.failures = dial.failures.min(TURNED_AWAY_MAX);
                None
            }
        };
        let pause = REDIAL_US.saturating_mul(1 << dial.failures.min(20).saturating_sub(1)).min(pause_max_us);
        // Nodes that lost the same peer do not come back all at once.
        let jitter = pause / 8
            * i64::from(
                address.bytes().fold(dial.failures, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 8,
            )
            / 8;
        dial.state = match parting {
            None | Some(GoAway::NoReason | GoAway::WrongVersion | GoAway::Duplicate) => {
                State::Waits(now.plus_us(pause + jitter))
            }
            Some(GoAway::BenignOther) => State::Waits(now.plus_us(pause_max_us)),
            Some(reason) => State::GivenUp(reason),
        };
    }

    /// Addresses that are due, from now on being dialled.
    pub fn due(&mut self, now: TimePoint) -> Vec<String> {
        let due = self.dials.iter_mut().filter(|dial| matches!(dial.state, State::Waits(at) if at <= now));
        due.map(|dial| {
            dial.state = State::Dialling;
            dial.address.clone()
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_begin_anew() {
        let mut dials = Dials::default();
        assert!(dials.add("a:1", TimePoint(0)) && !dials.add("a:1", TimePoint(0)));
        let pause = |dials: &mut Dials, ended: Ended| {
            assert_eq!(dials.due(TimePoint(i64::MAX)), ["a:1"]);
            dials.failed("a:1", ended, 30_000_000, TimePoint(0));
            match dials.find("a:1").unwrap().state {
                State::Waits(at) => at.0,
                other => panic!("{other:?}"),
            }
        };
        let pauses: Vec<_> = (0..12).map(|_| pause(&mut dials, Ended::Failed(None))).collect();
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1] + REDIAL_US * 100), "{pauses:?}");
        assert!(pauses[0] < 120_000 && (30_000_000..34_000_000).contains(&pauses[11]), "{pauses:?}");
        // Whoever is there and has no room is tried again soon.
        assert!((0..3).all(|_| pause(&mut dials, Ended::TurnedAway) < 2_000_000));
        dials.succeeded("a:1");
        assert!(pause(&mut dials, Ended::Failed(None)) < 120_000);
    }

    #[test]
    fn who_is_on_another_chain_is_not_dialled_again() {
        let mut dials = Dials::default();
        dials.add("a:1", TimePoint(0));
        dials.failed("a:1", Ended::Failed(Some(GoAway::WrongChain)), 1, TimePoint(0));
        assert!(dials.due(TimePoint(i64::MAX)).is_empty());
        assert!(dials.remove("a:1").is_some() && dials.add("a:1", TimePoint(0)));
    }
}
