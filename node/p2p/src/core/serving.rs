//! Blocks that a peer asks for: one after another, as fast as it takes them.

use primitives::{BlockId, TimePoint};

use super::peer::{PeerId, Serving};
use super::{Blocks, Core, Lane};
use crate::limits::SERVED_BYTES_AHEAD;
use crate::wire::message::Point;
use crate::wire::{GoAway, Mode, Request, SyncRequest, block_frame};

impl Core {
    /// A `request` came (`handle_message(request_message)`).
    pub(super) fn requested(&mut self, peer: PeerId, request: &Request, now: TimePoint, blocks: &dyn Blocks) {
        match request.req_blocks.mode {
            Mode::CatchUp => {
                let from = request.req_blocks.ids.last().copied().unwrap_or_default();
                self.serve_branch(peer, from, now, blocks);
            }
            Mode::Normal => {
                let wanted = request.req_blocks.ids.last().map(|id| Point::of(*id));
                let bytes = wanted
                    .filter(|block| blocks.id_at(block.num) == Some(block.id))
                    .and_then(|block| blocks.block_at(block.num));
                if let Some(bytes) = bytes {
                    self.send_frame(peer, Lane::Asked, block_frame(&bytes).into());
                }
            }
            Mode::None if request.req_trx.mode == Mode::None => {
                if let Some(found) = self.peers.get_mut(&peer) {
                    found.syncs_from_us = false;
                }
            }
            _ => {}
        }
    }

    /// What follows a block that the peer has (`blk_send_branch`): from there if it is on this chain, else from the
    /// peer's irreversible block.
    fn serve_branch(&mut self, peer: PeerId, from: BlockId, now: TimePoint, blocks: &dyn Blocks) {
        let from = Point::of(from);
        let on_chain = match from.num {
            0 => false,
            num => match blocks.id_at(num) {
                Some(id) => id == from.id,
                None => return self.has_none(peer, now),
            },
        };
        let head = self.stands.head.num;
        let Some(found) = self.peers.get_mut(&peer).filter(|found| found.irreversible > 0) else { return };
        let after = match found.serving {
            _ if on_chain => from.num,
            Some(serving) => found.irreversible.min(serving.next.saturating_sub(1)),
            None => found.irreversible,
        };
        let end = found.serving.map_or(head, |serving| serving.end.max(head));
        found.serving = (after < end).then_some(Serving { next: after + 1, end });
        self.serve(peer, now, blocks);
    }

    /// A `sync_request` came.
    pub(super) fn range_requested(&mut self, peer: PeerId, request: SyncRequest, now: TimePoint, blocks: &dyn Blocks) {
        let head = self.stands.head.num;
        let Some(found) = self.peers.get_mut(&peer) else { return };
        let SyncRequest { start, end } = request;
        if end == 0 {
            found.serving = None;
            return;
        }
        found.serving = match found.serving {
            Some(serving) => Some(Serving { end: serving.end.max(end), ..serving }),
            None if start == 0 || start > end || start > head => {
                return self.has_none(peer, now);
            }
            None => Some(Serving { next: start, end }),
        };
        self.serve(peer, now, blocks);
    }

    /// A peer asked for blocks that this node does not have, though it was told which there are: it may ask others. Who
    /// comes back for the same again and again is banned.
    fn has_none(&mut self, peer: PeerId, now: TimePoint) {
        self.blame(peer, 2.0, "it asks for blocks that are not here", now);
        self.close(peer, Some(GoAway::BenignOther), now);
    }

    /// Sends what a peer asked for, as long as it takes it.
    pub(super) fn serve(&mut self, peer: PeerId, now: TimePoint, blocks: &dyn Blocks) {
        loop {
            let Some(found) = self.peers.get_mut(&peer) else { return };
            let Some(serving) = found.serving.filter(|_| found.queued < SERVED_BYTES_AHEAD) else { return };
            let bytes = blocks.block_at(serving.next);
            found.serving = (serving.next < serving.end).then_some(Serving { next: serving.next + 1, ..serving });
            let Some(bytes) = bytes else {
                tracing::info!("peer {} asks for block {}, which is not here", found.name(), serving.next);
                found.serving = None;
                return self.has_none(peer, now);
            };
            if !self.send_frame(peer, Lane::Asked, block_frame(&bytes).into()) {
                return;
            }
        }
    }
}
