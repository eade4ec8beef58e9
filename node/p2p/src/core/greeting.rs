//! Handshakes, clocks, and why a peer is sent away.

use primitives::{PublicKey, Signature, TimePoint};

use super::peer::PeerId;
use super::{Blocks, Core};
use crate::address::{Kind, kind_told};
use crate::wire::message::{Text, VERSION, VERSION_BASE, VERSION_BLOCK_RANGE, token_of};
use crate::wire::{GoAway, Handshake, Message, Time};

/// Versions of EOSIO 2.1, whose transactions this node does not read: they are told a version before that.
const VERSIONS_OF_2_1: std::ops::Range<u16> = 3..7;
/// The version that they are told (`proto_explicit_sync`).
const VERSION_BEFORE_2_1: u16 = 1;
/// Digits of a node's id that its address ends with.
const SHORT_ID_DIGITS: usize = 7;

pub(super) fn nanoseconds(time: TimePoint) -> i64 {
    time.0.saturating_mul(1000)
}

impl Core {
    pub(super) fn send_handshake(&mut self, peer: PeerId, now: TimePoint) {
        let Some(found) = self.peers.get_mut(&peer).filter(|found| !found.leaving) else { return };
        found.generation = found.generation.checked_add(1).unwrap_or(1);
        found.greeted = now;
        let (generation, kind) = (found.generation, found.kind);
        let old = found.said.is_some() && VERSIONS_OF_2_1.contains(&found.version);
        let handshake = self.handshake(generation, kind, if old { VERSION_BEFORE_2_1 } else { VERSION }, now);
        self.send(peer, &Message::Handshake(Box::new(handshake)));
    }

    fn handshake(&self, generation: i16, kind: Kind, version: u16, now: TimePoint) -> Handshake {
        let settings = &self.settings;
        let suffix = match kind {
            Kind::Transactions => ":trx",
            Kind::Blocks => ":blk",
            Kind::Both if settings.accept_transactions => "",
            // Others are not to send what is not taken.
            Kind::Both => ":blk",
        };
        let short: String = settings.node_id.to_string().chars().take(SHORT_ID_DIGITS).collect();
        let time = nanoseconds(self.clock(now));
        let token = token_of(time);
        let signed =
            settings.own_keys.first().and_then(|(public, private)| Some((public.clone(), private.sign(&token).ok()?)));
        let (key, token, sig) = match signed {
            Some((key, sig)) => (key, token, sig),
            None => Default::default(),
        };
        Handshake {
            network_version: VERSION_BASE + version,
            chain_id: settings.chain_id,
            node_id: settings.node_id,
            key,
            time,
            token,
            sig,
            p2p_address: Text::from(&*format!("{}{suffix} - {short}", settings.server_address)),
            irreversible: self.stands.irreversible,
            head: self.stands.head,
            os: "linux".into(),
            agent: Text::from(&*settings.agent),
            generation,
        }
    }

    /// A handshake came.
    pub(super) fn greeted(&mut self, peer: PeerId, handshake: Handshake, now: TimePoint, blocks: &dyn Blocks) {
        if !handshake.is_sound() {
            return self.close(peer, Some(GoAway::FatalOther), now);
        }
        let Some(found) = self.peers.get_mut(&peer) else { return };
        found.irreversible = handshake.irreversible.num;
        found.head = handshake.head;
        let first = handshake.generation == 1 || !found.open;
        if handshake.generation == 1 && handshake.node_id == self.settings.node_id {
            return self.close(peer, Some(GoAway::SelfConnection), now);
        }
        found.said = Some(Box::new(handshake.clone()));
        if first && !self.introduced(peer, &handshake, now, blocks) {
            return;
        }
        self.compare_chains(peer, &handshake, now, blocks);
        if first {
            self.offer_recent(peer, now);
        }
    }

    /// The first handshake of a connection. Whether the peer's chain is looked at further.
    fn introduced(&mut self, peer: PeerId, handshake: &Handshake, now: TimePoint, blocks: &dyn Blocks) -> bool {
        let duplicate = self.is_duplicate(peer, handshake);
        let twin = self.dialled_twice(peer, handshake);
        let Some(found) = self.peers.get_mut(&peer) else { return false };
        if found.dialled.is_none()
            && let Some(kind) = kind_told(&handshake.p2p_address.shown())
        {
            found.kind = kind;
        }
        found.version = handshake.version();
        let refused = if found.dialled.is_none() && duplicate || twin == Some(peer) {
            Some(GoAway::Duplicate)
        } else if handshake.chain_id != self.settings.chain_id {
            let (name, theirs, ours) = (found.name(), handshake.chain_id, self.settings.chain_id);
            tracing::warn!("peer {name} is on another chain: {theirs}, and this node on {ours}");
            Some(GoAway::WrongChain)
        } else if found.wire.identity().is_some() && found.version != VERSION {
            let (name, version) = (found.name(), found.version);
            tracing::warn!("peer {name} speaks version {version} of the protocol, and this node {VERSION}");
            Some(GoAway::WrongVersion)
        } else if !self.may_connect(handshake) {
            tracing::warn!("peer {} has no key that may connect", handshake.p2p_address.shown());
            Some(GoAway::Authentication)
        } else {
            None
        };
        if let Some(reason) = refused {
            self.close(peer, Some(reason), now);
            return false;
        }
        if let Some(twin) = twin {
            self.close(twin, Some(GoAway::Duplicate), now);
        }
        let irreversible = handshake.irreversible;
        let forked = (1..=self.stands.irreversible.num).contains(&irreversible.num)
            && blocks.id_at(irreversible.num).is_some_and(|id| id != irreversible.id);
        let Some(found) = self.peers.get_mut(&peer) else { return false };
        found.open = true;
        let (name, dialled) = (found.name(), found.dialled.clone());
        tracing::info!(
            "connected to {name}, agent {}, head {}, irreversible {}",
            handshake.agent.shown(),
            handshake.head.num,
            irreversible.num
        );
        if let Some(dialled) = dialled {
            self.dials.succeeded(&dialled);
        }
        if VERSIONS_OF_2_1.contains(&handshake.version()) {
            self.forget_generation(peer);
            self.send_handshake(peer, now);
            return false;
        }
        if self.peers.get(&peer).is_some_and(|found| found.generation == 0) {
            self.send_handshake(peer, now);
        }
        self.send_addresses(peer);
        if forked {
            tracing::warn!("peer {name} is on another branch: block {} is irreversible there", irreversible.id);
            self.close(peer, Some(GoAway::Forked), now);
            return false;
        }
        true
    }

    fn forget_generation(&mut self, peer: PeerId) {
        if let Some(found) = self.peers.get_mut(&peer) {
            found.generation = 0;
        }
    }

    /// Of two connections between two nodes the one goes that the node with the lower id dialled; its other end says so.
    fn is_duplicate(&self, peer: PeerId, handshake: &Handshake) -> bool {
        let other = |(id, other): (&PeerId, &super::peer::Peer)| {
            *id != peer && other.open && !other.leaving && other.node_id() == Some(handshake.node_id)
        };
        self.peers.iter().any(other) && self.settings.node_id >= handshake.node_id
    }

    /// Of two connections to one node that this node dialled itself, by different addresses, the one that goes: whose
    /// address a peer told of, or the later one. Its other end cannot know which of them is wanted.
    fn dialled_twice(&self, peer: PeerId, handshake: &Handshake) -> Option<PeerId> {
        let was_told = |peer: &super::peer::Peer| {
            peer.dialled.as_ref().map(|dialled| self.dials.find(dialled).is_some_and(|dial| dial.was_told))
        };
        let told = was_told(self.peers.get(&peer)?)?;
        let (twin, other) = self.peers.iter().find(|(id, other)| {
            **id != peer && other.open && !other.leaving && other.node_id() == Some(handshake.node_id)
        })?;
        let twin_told = was_told(other)?;
        Some(if twin_told && !told { *twin } else { peer })
    }

    /// Whether a peer may connect (`authenticate_peer`).
    fn may_connect(&self, handshake: &Handshake) -> bool {
        let (settings, allowed) = (&self.settings, self.settings.allowed);
        if allowed.any {
            return true;
        }
        if !allowed.producers && !allowed.specified {
            return false;
        }
        let known = |key: &PublicKey| {
            settings.peer_keys.contains(key)
                || settings.own_keys.iter().any(|(own, _)| own == key)
                || settings.producer_keys.contains(key)
        };
        handshake.sig != Signature::default()
            && handshake.token == token_of(handshake.time)
            && known(&handshake.key)
            && handshake.sig.recover(&handshake.token).is_ok_and(|key| key == handshake.key)
    }

    /// A peer speaks what this node does not: there is no way to tell it, and it finds out the same.
    pub(super) fn wrong_version(&mut self, peer: PeerId, why: &str, now: TimePoint) {
        let Some(found) = self.peers.get_mut(&peer) else { return };
        tracing::warn!("peer {} is refused: {why}", found.name());
        found.parting = Some(GoAway::WrongVersion);
        self.close(peer, None, now);
    }

    /// A peer wants to end the connection.
    pub(super) fn sent_away(&mut self, peer: PeerId, reason: GoAway, now: TimePoint) {
        let Some(found) = self.peers.get_mut(&peer) else { return };
        tracing::info!("peer {} ends the connection: {reason}", found.name());
        found.parting = Some(reason);
        self.close(peer, None, now);
    }

    /// Sends the time: the first of an exchange, or the answer to one that came.
    pub(super) fn send_time(&mut self, peer: PeerId, answered: Option<Time>, now: TimePoint) {
        let now = nanoseconds(self.clock(now));
        let Some(found) = self.peers.get_mut(&peer) else { return };
        let time = match answered {
            Some(came) => Time { org: came.xmt, rec: now, xmt: now, dst: 0 },
            None => {
                found.clocks.org = now;
                Time { org: 0, rec: 0, xmt: now, dst: 0 }
            }
        };
        self.send(peer, &Message::Time(time));
    }

    pub(super) fn compare_clocks(&mut self, peer: PeerId, time: Time, now: TimePoint) {
        let arrived = nanoseconds(self.clock(now));
        let Some(found) = self.peers.get_mut(&peer) else { return };
        if time.xmt == 0 || time.xmt == found.clocks.xmt {
            return;
        }
        found.clocks.xmt = time.xmt;
        if time.org == 0 {
            return self.answer_check(peer, time, now);
        }
        (found.clocks.rec, found.clocks.dst) = (time.rec, arrived);
        let greets = found.generation == 0;
        self.check_answered(peer, time, arrived);
        if greets {
            self.send_handshake(peer, now);
        }
    }

    /// Whether a peer reads a second id in notices: the first block that this node has.
    pub(super) fn reads_ranges(&self, peer: PeerId) -> bool {
        self.peers.get(&peer).is_some_and(|found| found.version >= VERSION_BLOCK_RANGE)
    }
}
