//! Whether peers are there and well: each is checked at a fixed interval, as Elasticsearch's leader and followers check
//! each other. A check is an exchange of clocks, which both wires have. A connection ends after so many checks in a row
//! that nothing came of; one that says it is not well stays connected, and nothing is asked of it that others can give.

use primitives::TimePoint;
use primitives::time::SLOT_US;

use super::checks::{State, median};
use super::peer::PeerId;
use super::{Core, Seen};
use crate::limits::REASON_BYTES_MAX;
use crate::wire::message::Text;
use crate::wire::{Message, Time, Unwell};

impl Core {
    /// Why this node is not to be counted on, for peers that ask; nothing while it is well.
    pub fn say_unwell(&mut self, reason: Option<&str>) {
        self.unwell = reason.map(short);
    }

    /// Checks a peer, or gives it up.
    pub(super) fn check(&mut self, peer: PeerId, now: TimePoint) {
        let settings = self.settings.checks;
        let Some(found) = self.peers.get_mut(&peer).filter(|found| found.open && !found.leaving) else { return };
        match found.checks.judge(&settings, found.heard, now) {
            State::Waits => {}
            State::Due => self.send_time(peer, None, now),
            State::Gone => {
                let (name, failures) = (found.name(), settings.failures_max);
                tracing::warn!("peer {name} is given up: nothing came of {failures} checks in a row");
                self.counts.failed_checks += 1;
                self.close(peer, None, now);
            }
        }
    }

    /// The answer to a check, or to any other question for the time.
    pub(super) fn check_answered(&mut self, peer: PeerId, time: Time, arrived: i64) {
        let Some(found) = self.peers.get_mut(&peer) else { return };
        if time.org != found.clocks.org {
            // Whatever it answers, this node did not ask it last.
            return;
        }
        let (there, back) = (time.rec.saturating_sub(time.org), time.xmt.saturating_sub(arrived));
        if found.checks.answered((there / 2).saturating_add(back / 2) / 1000) {
            tracing::info!("peer {} is well again", found.name());
        }
    }

    /// A peer answers a check: it is not well.
    pub(super) fn check_refused(&mut self, peer: PeerId, unwell: &Unwell) {
        let Some(found) = self.peers.get_mut(&peer) else { return };
        if unwell.org != found.clocks.org {
            return;
        }
        let reason = short(&unwell.reason.shown());
        if found.checks.refused(reason.clone()) {
            tracing::warn!("peer {} says that it is not well: {reason}. Others are asked before it", found.name());
        }
    }

    /// Answers a peer's check.
    pub(super) fn answer_check(&mut self, peer: PeerId, time: Time, now: TimePoint) {
        let own_wire = self.peers.get(&peer).is_some_and(|found| found.wire.identity().is_some());
        match &self.unwell {
            // nodeos' wire has no word for it.
            Some(reason) if own_wire => {
                let unwell = Unwell { org: time.xmt, reason: Text::from(reason.as_str()) };
                self.send(peer, &Message::Unwell(unwell));
            }
            _ => self.send_time(peer, Some(time), now),
        }
    }

    /// What this node sees of its peers. Of what they say of themselves the median counts, of those that this node
    /// dialled where there are any: a few strangers cannot shift it. And nobody is ahead by more blocks than there were
    /// slots since this node's head.
    pub fn sees(&self, now: TimePoint) -> Seen {
        let open = || self.peers.values().filter(|peer| peer.open && !peer.leaving);
        let dials = open().any(|peer| peer.dialled.is_some());
        let believed = || open().filter(|peer| peer.dialled.is_some() == dials);
        let head = self.stands.head.num;
        let slots = u32::try_from(self.clock(now).us_since(self.head_time) / SLOT_US).unwrap_or(0);
        let behind = believed().map(|peer| i64::from(peer.head.num.saturating_sub(head).min(slots)));
        Seen {
            connected: open().count(),
            unwell: open().filter(|peer| peer.checks.is_unwell()).count(),
            clock_offset_us: median(believed().filter_map(|peer| peer.checks.clock_offset_us())),
            blocks_behind: median(behind).and_then(|blocks| u32::try_from(blocks).ok()).unwrap_or(0),
        }
    }
}

/// A reason, not longer than reasons may be.
fn short(reason: &str) -> String {
    reason[..reason.floor_char_boundary(REASON_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests {
    use primitives::Checksum256;

    use super::super::checks::CheckSettings;
    use super::*;
    use crate::core::tests::NoBlocks;
    use crate::core::{Charge, Input, Lane, Output, Settings, Stands, Wire};
    use crate::wire::Handshake;
    use crate::wire::message::{Point, VERSION, VERSION_BASE};

    const SETTINGS: CheckSettings = CheckSettings { interval_us: 100, timeout_us: 1000, failures_max: 3 };

    /// Long after the head, which is of the beginning of time.
    const LATER: TimePoint = TimePoint(1_000_000_000);

    fn at(us: i64) -> TimePoint {
        TimePoint(1_000_000 + us)
    }

    /// Steps a core that has one peer; what it says to it.
    fn step(core: &mut Core, input: Input, now: TimePoint) -> Vec<Message> {
        let outputs = core.step(input, now, &NoBlocks);
        let frames = outputs.into_iter().filter_map(|output| match output {
            Output::Send { frame, .. } => Some(Message::read(&frame[4..]).unwrap()),
            _ => None,
        });
        frames.collect()
    }

    fn says(core: &mut Core, message: Message, now: TimePoint) -> Vec<Message> {
        step(core, Input::Received { peer: 1, lane: Lane::Talk, message, charge: Charge::default() }, now)
    }

    /// A core with a peer that introduced itself over a wire.
    fn with_peer(wire: Wire) -> Core {
        let mut core = Core::new(Settings { checks: SETTINGS, ..Settings::default() }, Stands::default());
        step(&mut core, Input::Connected { peer: 1, wire, address: [10, 0, 0, 1].into(), dialled: None }, at(0));
        let handshake = Handshake {
            network_version: VERSION_BASE + VERSION,
            node_id: Checksum256([1; 32]),
            p2p_address: "a:1 - 1234567".into(),
            os: "linux".into(),
            head: Point { num: 100, ..Point::default() },
            generation: 1,
            ..Handshake::default()
        };
        says(&mut core, Message::Handshake(Box::new(handshake)), at(0));
        core
    }

    fn own_wire() -> Wire {
        Wire::Libp2p { identity: "QmPeer".to_owned() }
    }

    /// The check that is sent at a time.
    fn asked(core: &mut Core, now: TimePoint) -> i64 {
        match &step(core, Input::Tick, now)[..] {
            [Message::Time(Time { org: 0, xmt, .. })] => *xmt,
            other => panic!("no check: {other:?}"),
        }
    }

    #[test]
    fn a_peer_that_is_not_well_stays_and_is_asked_last() {
        let mut core = with_peer(own_wire());
        let org = asked(&mut core, at(100));
        let unwell = |org| Message::Unwell(Unwell { org, reason: "its disk is full".into() });
        says(&mut core, unwell(org + 1), at(110));
        assert_eq!(core.sees(LATER).unwell, 0, "of another question");
        says(&mut core, unwell(org), at(120));
        let seen = Seen { connected: 1, unwell: 1, clock_offset_us: None, blocks_behind: 100 };
        assert_eq!(core.sees(LATER), seen);
        assert_eq!(core.sees(TimePoint(3 * SLOT_US)), Seen { blocks_behind: 3, ..seen });
        assert!(core.sources(at(120)).iter().all(|source| source.slow));
        // Its clock is 50 us ahead, and the message travels 10 us each way.
        let org = asked(&mut core, at(250));
        let there = at(310).0 * 1000;
        says(&mut core, Message::Time(Time { org, rec: there, xmt: there, dst: 0 }), at(270));
        assert_eq!(core.sees(LATER), Seen { unwell: 0, clock_offset_us: Some(50), ..seen });
    }

    #[test]
    fn a_node_that_is_not_well_says_so_where_there_is_a_word_for_it() {
        let question = |xmt| Message::Time(Time { xmt, ..Time::default() });
        for wire in [own_wire(), Wire::Nodeos] {
            let mut core = with_peer(wire.clone());
            core.say_unwell(Some(&"\u{e9}".repeat(REASON_BYTES_MAX)));
            let [answer] = &says(&mut core, question(5), at(1))[..] else { panic!("one answer") };
            match answer {
                Message::Unwell(unwell) => assert!(wire != Wire::Nodeos && unwell.org == 5),
                other => assert!(wire == Wire::Nodeos && matches!(other, Message::Time(Time { org: 5, .. }))),
            }
            core.say_unwell(None);
            assert!(matches!(says(&mut core, question(6), at(2))[..], [Message::Time(Time { org: 6, .. })]));
        }
    }

    #[test]
    fn numbers_of_strangers_are_only_numbers() {
        let mut core = with_peer(own_wire());
        let org = asked(&mut core, at(100));
        says(&mut core, Message::Time(Time { org, rec: i64::MIN, xmt: i64::MAX, dst: 7 }), at(110));
        assert!(core.sees(LATER).clock_offset_us.is_some());
    }
}
