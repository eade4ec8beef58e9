//! How this node comes to the others' head: ranges of what is irreversible there, then what follows this node's head
//! from one peer (net_plugin.cpp `recv_handshake`, `sync_recv_notice`, `verify_catchup`).

use std::collections::BTreeMap;

use primitives::{BlockId, Checksum256, TimePoint};

use super::peer::PeerId;
use super::planted::Planted;
use super::sync::Source;
use super::{Blocks, Core};
use crate::limits::{STALL_US, SYNC_SPANS_AHEAD};
use crate::wire::message::Point;
use crate::wire::{Handshake, Message, Mode, Notice, Pending, Request, SyncRequest};

/// Microseconds before the same peer is asked again for what this node lacks.
const ASK_AGAIN_US: i64 = 1_000_000;
/// Microseconds that a slow peer is passed over while others can be asked.
const SLOW_US: i64 = 60_000_000;
/// Microseconds of age of the head within which this node follows the chain as it grows.
const LIVE_US: i64 = 5_000_000;
/// Nanoseconds of a block's slot.
const SLOT_NS: f64 = 500_000_000.0;

/// Blocks after this node's head that a peer was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct CatchUp {
    pub peer: PeerId,
    target: Point,
    /// When a block last came of it.
    at: TimePoint,
}

/// Blocks that may have been made while a handshake travelled, both ways (`update_latency`).
fn latency_blocks(handshake: &Handshake, now: TimePoint) -> u32 {
    let nanoseconds = super::greeting::nanoseconds(now).saturating_sub(handshake.time).unsigned_abs();
    2 * (nanoseconds as f64 / SLOT_NS).round().min(f64::from(u32::MAX / 4)) as u32
}

impl Core {
    /// What a handshake means for who sends what.
    pub(super) fn compare_chains(&mut self, peer: PeerId, said: &Handshake, now: TimePoint, blocks: &dyn Blocks) {
        let (stands, latency) = (self.stands, latency_blocks(said, self.clock(now)));
        let Some(found) = self.peers.get_mut(&peer).filter(|found| found.kind.has_blocks()) else { return };
        found.syncs_from_us = false;
        if stands.head.id == said.head.id {
            let known_trx = Pending { mode: Mode::CatchUp, ..Pending::default() };
            self.send(peer, &Message::Notice(Notice { known_trx, ..Notice::default() }));
        } else if stands.head.num < said.irreversible.num {
            self.send_handshake(peer, now);
        } else if stands.irreversible.num > said.head.num.saturating_add(latency) {
            found.syncs_from_us = true;
            self.notice_head(
                peer,
                Pending { mode: Mode::LastIrreversibleCatchUp, pending: stands.irreversible.num, ids: Vec::new() },
                Mode::LastIrreversibleCatchUp,
            );
        } else if stands.head.num.saturating_add(latency) < said.head.num {
            self.begin_catch_up(peer, said.head, now);
        } else if stands.head.num >= said.head.num.saturating_add(latency) {
            self.notice_head(peer, Pending::default(), Mode::CatchUp);
            if blocks.id_at(said.head.num) != Some(said.head.id) {
                self.ask_catch_up(peer, None, now);
            }
        }
        self.pump_sync(now);
    }

    fn notice_head(&mut self, peer: PeerId, known_trx: Pending, mode: Mode) {
        let mut ids = vec![self.stands.head.id];
        if self.reads_ranges(peer) {
            let mut first = [0; 32];
            first[..4].copy_from_slice(&self.stands.earliest.to_be_bytes());
            ids.push(Checksum256(first));
        }
        let known_blocks = Pending { mode, pending: self.stands.head.num, ids };
        self.send(peer, &Message::Notice(Notice { known_trx, known_blocks }));
    }

    /// A `notice` came.
    pub(super) fn noticed(&mut self, peer: PeerId, notice: &Notice, now: TimePoint, blocks: &dyn Blocks) {
        let known = &notice.known_blocks;
        let Some(found) = self.peers.get_mut(&peer) else { return };
        if let [head, first] = known.ids[..] {
            found.earliest = primitives::number_of(&first);
            found.head = Point::of(head);
        }
        match known.mode {
            Mode::LastIrreversibleCatchUp => {
                found.irreversible = found.irreversible.max(notice.known_trx.pending);
                self.pump_sync(now);
            }
            Mode::CatchUp => {
                let Some(id) = known.ids.first().copied() else { return };
                found.head = Point::of(id);
                found.note_has(Point::of(id));
                if !found.open {
                    return;
                }
                if blocks.has(&id) {
                    // It is told where this node stands, but not for each notice of many.
                    if now.us_since(found.greeted) >= ASK_AGAIN_US {
                        self.send_handshake(peer, now);
                    }
                } else {
                    self.begin_catch_up(peer, Point::of(id), now);
                }
            }
            _ => {}
        }
    }

    /// Whether this node follows the chain as it grows. It goes on with that while ranges are under way: what one peer
    /// says of irreversible blocks, which it may not have, stops nobody.
    pub(super) fn is_live(&self, now: TimePoint) -> bool {
        self.clock(now).us_since(self.head_time) <= LIVE_US && !self.plants(Planted::IrreversibleOfOnePeer)
    }

    /// Whether ranges come first: blocks and transactions as they are made are of no use yet. What follows the head may
    /// come meanwhile from a peer that has nothing irreversible beyond it: who says that there is more, and gives it
    /// slowly or not at all, keeps nobody from that.
    pub(super) fn is_behind(&self, now: TimePoint) -> bool {
        let catches_up = self.catch_up.is_some() && !self.plants_ranges_alone();
        self.sync.is_active() && !self.is_live(now) && !catches_up
    }

    /// Whether ranges come before what a peer has after this node's head.
    pub(super) fn is_behind_of(&self, peer: PeerId, now: TimePoint) -> bool {
        self.is_behind(now) && (self.has_ranges(peer) || self.plants_ranges_alone())
    }

    /// Whether blocks after this node's head are irreversible at a peer.
    fn has_ranges(&self, peer: PeerId) -> bool {
        self.peers.get(&peer).is_none_or(|found| found.irreversible > self.stands.head.num)
    }

    /// Asks a peer for what follows this node's head, unless ranges are under way or another peer was asked.
    fn begin_catch_up(&mut self, peer: PeerId, target: Point, now: TimePoint) {
        let others_say_so = || self.sources(now).iter().any(|source| source.irreversible > self.stands.head.num);
        let ranges_alone = self.plants_ranges_alone() && (self.sync.is_active() || others_say_so());
        if ((self.has_ranges(peer) || ranges_alone) && !self.is_live(now))
            || self.catch_up.is_some()
            || target.num < self.stands.irreversible.num
        {
            return;
        }
        self.catch_up = Some(CatchUp { peer, target, at: now });
        let from = (target.num >= self.stands.head.num).then_some(self.stands.head.id);
        self.ask_catch_up(peer, from, now);
    }

    /// Asks for what follows a block; without one for what follows this node's irreversible block.
    pub(super) fn ask_catch_up(&mut self, peer: PeerId, from: Option<BlockId>, now: TimePoint) {
        if let Some(found) = self.peers.get_mut(&peer) {
            found.asked = now;
        }
        let req_blocks = Pending { mode: Mode::CatchUp, pending: 0, ids: from.into_iter().collect() };
        self.send(peer, &Message::Request(Request { req_trx: Pending::default(), req_blocks }));
    }

    /// A block came that follows none that is known: asks its peer for those between, and not for each block anew.
    pub(super) fn fill_gap(&mut self, peer: PeerId, now: TimePoint) {
        let head = self.stands.head;
        if self.is_behind_of(peer, now) {
            return;
        }
        let Some(found) = self.peers.get_mut(&peer) else { return };
        if !found.open || now.us_since(found.asked) < ASK_AGAIN_US {
            return;
        }
        // Where this node is ahead, the peer does not know its head.
        let from = (found.head.num > head.num).then_some(head.id);
        self.ask_catch_up(peer, from, now);
    }

    /// A block came while this node catches up.
    pub(super) fn note_progress(&mut self, peer: PeerId, now: TimePoint) {
        if let Some(catch_up) = self.catch_up.as_mut().filter(|catch_up| catch_up.peer == peer) {
            catch_up.at = now;
        }
    }

    pub(super) fn sources(&self, now: TimePoint) -> Vec<Source> {
        let able = self.peers.iter().filter(|(_, peer)| peer.open && !peer.leaving && peer.kind.has_blocks());
        able.map(|(id, peer)| Source {
            peer: *id,
            earliest: peer.earliest,
            irreversible: peer.irreversible,
            slow: peer.slow_until > now || peer.checks.is_unwell(),
        })
        .collect()
    }

    /// Begins, continues or ends the fetching of ranges.
    pub(super) fn pump_sync(&mut self, now: TimePoint) {
        let sources = self.sources(now);
        let target = sources.iter().map(|source| source.irreversible).max().unwrap_or(0);
        if !self.sync.is_active() {
            if target <= self.stands.head.num {
                return;
            }
            tracing::info!(
                "syncing: the chain is irreversible up to {target}, and here up to {}",
                self.stands.irreversible.num
            );
            self.catch_up = self.catch_up.filter(|catch_up| !self.has_ranges(catch_up.peer));
            self.sync.begin(self.stands.irreversible);
        }
        if self.sync.has_reached(target) && self.stands.head.num >= target {
            return self.end_sync(now);
        }
        let span = self.settings.sync_fetch_span.max(1);
        let ahead = self
            .stands
            .head
            .num
            .max(self.stands.irreversible.num)
            .saturating_add(span.saturating_mul(SYNC_SPANS_AHEAD));
        let chunks = self.settings.sync_peer_limit.max(1) as usize;
        for ask in self.sync.plan(&sources, span, target.min(ahead), chunks, now) {
            tracing::debug!("asking for blocks {} to {}", ask.start, ask.end);
            self.send(ask.peer, &Message::SyncRequest(SyncRequest { start: ask.start, end: ask.end }));
        }
    }

    fn end_sync(&mut self, now: TimePoint) {
        tracing::info!("synced up to what is irreversible; head is {}", self.stands.head.num);
        self.sync.end();
        let current = self.peers.iter().filter(|(_, peer)| peer.is_current()).map(|(id, _)| *id);
        for peer in current.collect::<Vec<_>>() {
            self.send_handshake(peer, now);
        }
    }

    /// Begins ranges anew after what was good before.
    pub(super) fn restart_sync(&mut self, now: TimePoint) {
        if !self.sync.is_active() {
            return;
        }
        for peer in self.sync.asked() {
            // A peer that is asked while it still sends would go on where it is.
            self.send(peer, &Message::SyncRequest(SyncRequest::default()));
        }
        self.sync.begin(self.stands.irreversible);
        self.pump_sync(now);
    }

    /// Replaces peers that do not give what they were asked for.
    pub(super) fn watch_sync(&mut self, now: TimePoint) {
        let share = crate::limits::RECEIVED_BYTES_PER_PEER / 2;
        let waiting: BTreeMap<PeerId, usize> =
            self.peers.iter().map(|(id, peer)| (*id, peer.in_hand + self.sync.waiting_bytes(*id))).collect();
        let sources = self.sources(now);
        let (stalled, slow) =
            self.sync.late(&sources, now, |peer| waiting.get(&peer).is_some_and(|bytes| *bytes > share));
        let (stalled, slow) =
            if self.plants(Planted::WaitsForDeadPeer) { (Vec::new(), Vec::new()) } else { (stalled, slow) };
        for peer in stalled {
            self.sync.lose(peer);
            self.doubt(peer, 10.0, "it does not send the blocks that it was asked for", now);
            if let Some(found) = self.peers.get_mut(&peer) {
                tracing::info!("peer {} is left: it does not send the blocks that it was asked for", found.name());
                found.parting = Some(crate::wire::GoAway::BenignOther);
            }
            self.close(peer, Some(crate::wire::GoAway::BenignOther), now);
        }
        for peer in slow {
            if let Some(found) = self.peers.get_mut(&peer) {
                tracing::info!("peer {} is slow: another one is asked in its place", found.name());
                found.slow_until = now.plus_us(SLOW_US);
                self.sync.lose(peer);
                self.send(peer, &Message::SyncRequest(SyncRequest { start: 0, end: 0 }));
            }
        }
        if let Some(catch_up) = self.catch_up {
            if self.stands.head.num >= catch_up.target.num {
                self.catch_up = None;
            } else if now.us_since(catch_up.at) > STALL_US {
                self.catch_up = None;
                self.doubt(catch_up.peer, 2.0, "it does not send the blocks after this node's head", now);
                // Others that are ahead say so again when they hear where this node stands.
                let ahead = self.peers.iter().filter(|(id, peer)| {
                    **id != catch_up.peer && peer.is_current() && peer.head.num > self.stands.head.num
                });
                if let Some((peer, target)) = ahead.map(|(id, peer)| (*id, peer.head)).next() {
                    self.begin_catch_up(peer, target, now);
                }
            }
        }
        self.pump_sync(now);
    }
}
