//! Connections that are not encrypted yet: how many there may be, and which one makes room for another. A behaviour of
//! libp2p cannot end a connection that is not established, so the transport does.

use std::collections::{BTreeMap, HashMap};
use std::future::{Future, ready};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::future::{AbortHandle, AbortRegistration, Abortable};
use libp2p::core::Transport;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use crate::address::host_of;
use crate::limits::{
    HALF_OPEN_GRACE_US, HALF_OPEN_KNOWN_MAX, HALF_OPEN_MAX, HALF_OPEN_PER_HOST_MAX, KNOWN_HOST_SECONDS,
    KNOWN_HOSTS_MAX, STAYED_SECONDS,
};

/// How long a connection is left alone.
const GRACE: Duration = Duration::from_micros(HALF_OPEN_GRACE_US.unsigned_abs());
/// Pause between two lines of the log about connections that are turned away.
const TELL_EVERY: Duration = Duration::from_secs(60);

type Upgrade = Pin<Box<dyn Future<Output = io::Result<(PeerId, StreamMuxerBox)>> + Send>>;

/// A transport whose incoming connections take places until they are established.
pub(super) struct Guarded {
    inner: Boxed<(PeerId, StreamMuxerBox)>,
    places: HalfOpen,
}

impl Guarded {
    pub fn new(inner: Boxed<(PeerId, StreamMuxerBox)>, places: HalfOpen) -> Self {
        Self { inner, places }
    }
}

impl Transport for Guarded {
    type Output = (PeerId, StreamMuxerBox);
    type Error = io::Error;
    type ListenerUpgrade = Upgrade;
    type Dial = Upgrade;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Upgrade, TransportError<io::Error>> {
        self.inner.dial(address, options)
    }

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<TransportEvent<Upgrade, io::Error>> {
        Pin::new(&mut self.inner).poll(context).map(|event| match event {
            TransportEvent::Incoming { listener_id, upgrade, local_addr, send_back_addr } => {
                let upgrade = self.places.guard(&send_back_addr, upgrade);
                TransportEvent::Incoming { listener_id, upgrade, local_addr, send_back_addr }
            }
            other => other,
        })
    }
}

/// The places: the transport gives them, and the swarm's task says which hosts are known to be good.
#[derive(Debug, Clone, Default)]
pub(super) struct HalfOpen(Arc<Mutex<Places>>);

impl HalfOpen {
    /// A host that the operator named.
    pub fn named(&self, host: IpAddr) {
        self.places().hosts.entry(host).or_default().named = true;
    }

    /// A connection with a host is established.
    pub fn joined(&self, host: IpAddr) {
        self.places().joined(host, Instant::now());
    }

    /// One has ended.
    pub fn left(&self, host: IpAddr) {
        self.places().left(host, Instant::now());
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a connection from an address take a place for as long as `upgrade` takes, or ends it.
    fn guard(&self, from: &Multiaddr, upgrade: Upgrade) -> Upgrade {
        let Some(host) = host_of(from) else { return upgrade };
        let datagrams = from.iter().any(|part| matches!(part, Protocol::Udp(_)));
        let admitted = self.places().admit(host, datagrams, Instant::now());
        match admitted {
            None => Box::pin(ready(Err(io::Error::other("too many connections are not established yet")))),
            Some((number, registration)) => {
                let taken = Taken { number, places: self.clone() };
                Box::pin(async move {
                    let _taken = taken;
                    let ended = |_| Err(io::Error::other("it took long, and others came"));
                    Abortable::new(upgrade, registration).await.unwrap_or_else(ended)
                })
            }
        }
    }
}

/// A place, given back when it is dropped.
struct Taken {
    number: u64,
    places: HalfOpen,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.places.places().taken.remove(&self.number);
    }
}

/// A connection that is under way.
#[derive(Debug)]
struct Place {
    host: IpAddr,
    /// Over QUIC: senders of its first datagrams can be feigned, and take nothing from those that come over TCP.
    datagrams: bool,
    known: bool,
    since: Instant,
    end: AbortHandle,
}

/// What is known of a host.
#[derive(Debug, Default)]
struct Host {
    named: bool,
    /// Since when there is a connection.
    since: Option<Instant>,
    /// Until when it is remembered that one lasted.
    until: Option<Instant>,
}

impl Host {
    fn is_known(&self, now: Instant) -> bool {
        self.named || self.until.is_some_and(|until| until > now) || self.stayed(now)
    }

    /// Whether it has been connected for longer than anybody is who does not introduce itself.
    fn stayed(&self, now: Instant) -> bool {
        self.since.is_some_and(|since| now.duration_since(since) >= Duration::from_secs(STAYED_SECONDS))
    }
}

#[derive(Debug, Default)]
struct Places {
    /// By number: the oldest first.
    taken: BTreeMap<u64, Place>,
    next: u64,
    hosts: HashMap<IpAddr, Host>,
    /// Connections that were turned away since that was told.
    turned_away: u64,
    told: Option<Instant>,
}

impl Places {
    fn joined(&mut self, host: IpAddr, now: Instant) {
        self.hosts.entry(host).or_default().since.get_or_insert(now);
        if self.hosts.len() > KNOWN_HOSTS_MAX {
            // Those that are connected now are bounded by what may connect.
            let gone = self.hosts.iter().filter(|(_, host)| !host.named && host.since.is_none());
            if let Some(first) = gone.min_by_key(|(_, host)| host.until).map(|(host, _)| *host) {
                self.hosts.remove(&first);
            }
        }
    }

    fn left(&mut self, host: IpAddr, now: Instant) {
        let Some(found) = self.hosts.get_mut(&host) else { return };
        if found.stayed(now) {
            found.until = Some(now + Duration::from_secs(KNOWN_HOST_SECONDS));
        }
        found.since = None;
        self.hosts.retain(|_, host| host.since.is_some() || host.is_known(now));
    }

    /// A place for a connection; none where all are taken and nobody makes room.
    fn admit(&mut self, host: IpAddr, datagrams: bool, now: Instant) -> Option<(u64, AbortRegistration)> {
        let known = self.hosts.get(&host).is_some_and(|host| host.is_known(now));
        let most = if known { HALF_OPEN_KNOWN_MAX } else { HALF_OPEN_MAX };
        let beside = |place: &&Place| place.datagrams == datagrams && place.known == known;
        let from_there = |place: &&Place| place.datagrams == datagrams && place.host == host;
        let has_room = if self.taken.values().filter(from_there).count() >= HALF_OPEN_PER_HOST_MAX {
            let oldest = self.taken.iter().find(|(_, place)| from_there(place));
            let oldest = oldest.filter(|(_, place)| now.duration_since(place.since) >= GRACE).map(|(at, _)| *at);
            self.turn_away(host, oldest, now)
        } else if self.taken.values().filter(beside).count() >= most {
            let (network, end) = self.crowd(beside, host, now);
            self.turn_away(network, end, now)
        } else {
            true
        };
        if !has_room {
            return None;
        }
        let (end, registration) = AbortHandle::new_pair();
        self.next += 1;
        self.taken.insert(self.next, Place { host, datagrams, known, since: now, end });
        Some((self.next, registration))
    }

    /// The network that has most places of some, and its oldest one if that is to make room for a connection from `host`:
    /// it had its time, or its network has more than that of `host` would have.
    fn crowd(&self, of: impl Fn(&&Place) -> bool, host: IpAddr, now: Instant) -> (IpAddr, Option<u64>) {
        let mut counts = HashMap::<IpAddr, usize>::new();
        for place in self.taken.values().filter(&of) {
            *counts.entry(network(place.host)).or_default() += 1;
        }
        let count = |host| counts.get(&network(host)).copied().unwrap_or(0);
        let most = counts.values().copied().max().unwrap_or(0);
        let oldest = self.taken.iter().find(|(_, place)| of(place) && count(place.host) == most);
        let Some((number, place)) = oldest else { return (host, None) };
        let goes = most > count(host) + 1 || now.duration_since(place.since) >= GRACE;
        (network(place.host), goes.then_some(*number))
    }

    /// Ends a connection, if one makes room; otherwise the one that came is turned away. The log has it once a minute.
    fn turn_away(&mut self, crowd: IpAddr, end: Option<u64>, now: Instant) -> bool {
        if let Some(place) = end.and_then(|number| self.taken.remove(&number)) {
            place.end.abort();
        }
        self.turned_away += 1;
        if self.told.is_none_or(|told| now.duration_since(told) >= TELL_EVERY) {
            self.told = Some(now);
            let count = std::mem::take(&mut self.turned_away);
            tracing::warn!(
                "connections are turned away before they are encrypted ({count} since this was told last): too many are \
                 under way, most from {crowd}; if that is no peer, keep it out by a firewall"
            );
        }
        end.is_some()
    }
}

/// The hosts that one owner may have any number of: 256 addresses of IPv4, or the least that is given away of IPv6.
fn network(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(host) => Ipv4Addr::from_bits(host.to_bits() & (u32::MAX << 8)).into(),
        IpAddr::V6(host) => Ipv6Addr::from_bits(host.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(network: u8, last: u8) -> IpAddr {
        IpAddr::from([10, 0, network, last])
    }

    /// Takes all places, from as few networks as can have them, or from as many.
    fn full(networks: usize, now: Instant) -> Places {
        let mut places = Places::default();
        for number in 0..HALF_OPEN_MAX {
            let network = u8::try_from(number % networks).unwrap();
            assert!(places.admit(host(network, 7), false, now).is_some());
        }
        places
    }

    #[test]
    fn who_has_most_makes_room_at_once() {
        let now = Instant::now();
        let mut places = full(HALF_OPEN_MAX / HALF_OPEN_PER_HOST_MAX, now);
        let first = places.taken[&1].end.clone();
        assert!(places.admit(host(200, 1), false, now).is_some() && first.is_aborted());
        assert_eq!(places.taken.len(), HALF_OPEN_MAX);
        // Also other hosts of such a network have no more than others.
        for last in 0..HALF_OPEN_PER_HOST_MAX {
            assert!(places.admit(host(0, u8::try_from(last).unwrap()), false, now).is_none());
        }
        assert!(places.admit(host(201, 1), false, now).is_some() && places.admit(host(202, 1), false, now).is_some());
    }

    #[test]
    fn among_equals_the_oldest_makes_room_after_its_time() {
        let now = Instant::now();
        let mut places = full(HALF_OPEN_MAX, now);
        assert!(places.admit(host(200, 1), false, now).is_none());
        let first = places.taken[&1].end.clone();
        assert!(places.admit(host(200, 1), false, now + GRACE).is_some() && first.is_aborted());
        // Connections over TCP and QUIC do not take each other's.
        assert!(places.admit(host(201, 1), true, now).is_some());
    }

    #[test]
    fn a_host_has_few_places_and_the_newest_connections() {
        let (now, mut places) = (Instant::now(), Places::default());
        for _ in 0..HALF_OPEN_PER_HOST_MAX {
            assert!(places.admit(host(1, 1), false, now).is_some());
        }
        assert!(places.admit(host(1, 1), false, now).is_none() && places.admit(host(1, 2), false, now).is_some());
        let first = places.taken[&1].end.clone();
        assert!(places.admit(host(1, 1), false, now + GRACE).is_some() && first.is_aborted());
    }

    #[test]
    fn known_hosts_have_places_of_their_own() {
        let now = Instant::now();
        let mut places = full(HALF_OPEN_MAX, now);
        let comes = |places: &mut Places, host, now| places.admit(host, false, now).is_some();
        let stayed = now + Duration::from_secs(STAYED_SECONDS);
        places.hosts.entry(host(100, 1)).or_default().named = true;
        places.joined(host(100, 2), now);
        places.joined(host(100, 3), now);
        places.left(host(100, 3), now);
        // What was under way may not have made room.
        places.taken.values_mut().for_each(|place| place.since = stayed);
        assert!(comes(&mut places, host(100, 1), stayed) && comes(&mut places, host(100, 2), stayed));
        assert!(!comes(&mut places, host(100, 3), stayed), "who was there for a moment is not known");
        places.left(host(100, 2), stayed);
        let (within, after) = (Duration::from_secs(KNOWN_HOST_SECONDS - 1), Duration::from_secs(KNOWN_HOST_SECONDS));
        places.taken.values_mut().for_each(|place| place.since = stayed + after);
        assert!(comes(&mut places, host(100, 2), stayed + within) && !comes(&mut places, host(100, 2), stayed + after));
        assert!(comes(&mut places, host(100, 1), stayed + after), "what the operator names is not forgotten");
    }

    #[test]
    fn memory_for_hosts_is_bounded() {
        let (now, mut places) = (Instant::now(), Places::default());
        let later = now + Duration::from_secs(STAYED_SECONDS);
        for number in 0..2 * u32::try_from(KNOWN_HOSTS_MAX).unwrap() {
            let host = IpAddr::from(number.to_be_bytes());
            places.joined(host, now);
            places.left(host, later);
        }
        assert_eq!(places.hosts.len(), KNOWN_HOSTS_MAX);
    }
}
