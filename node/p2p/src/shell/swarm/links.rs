//! Connections as libp2p's swarm has them: each end opens one stream for each lane and takes one of each from the other.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use libp2p::core::transport::PortUse;
use libp2p::core::{Endpoint, UpgradeInfo};
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour, Stream,
    StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{InboundUpgrade, Multiaddr, OutboundUpgrade, PeerId};

use crate::core::Lane;

/// What a lane's streams are called when they are opened. The number is the version of what is said there.
pub(super) fn protocol(lane: Lane) -> &'static str {
    match lane {
        Lane::Talk => "/boreas/talk/3",
        Lane::Asked => "/boreas/asked/3",
        Lane::News => "/boreas/news/3",
    }
}

/// A lane's name.
#[derive(Debug, Clone, Copy)]
pub struct Name(Lane);

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        protocol(self.0)
    }
}

/// Streams of these lanes, without anything around what is sent there.
#[derive(Debug, Clone)]
pub struct Lanes(Vec<Lane>);

impl UpgradeInfo for Lanes {
    type Info = Name;
    type InfoIter = Vec<Name>;

    fn protocol_info(&self) -> Vec<Name> {
        self.0.iter().copied().map(Name).collect()
    }
}

impl InboundUpgrade<Stream> for Lanes {
    type Output = (Lane, Stream);
    type Error = Infallible;
    type Future = Ready<Result<(Lane, Stream), Infallible>>;

    fn upgrade_inbound(self, stream: Stream, name: Name) -> Self::Future {
        ready(Ok((name.0, stream)))
    }
}

impl OutboundUpgrade<Stream> for Lanes {
    type Output = (Lane, Stream);
    type Error = Infallible;
    type Future = Ready<Result<(Lane, Stream), Infallible>>;

    fn upgrade_outbound(self, stream: Stream, name: Name) -> Self::Future {
        ready(Ok((name.0, stream)))
    }
}

/// What happens on a connection.
#[derive(Debug)]
pub enum LinkEvent {
    /// The other end opened a stream.
    Came(Lane, Stream),
    /// A stream to the other end is open.
    Opened(Lane, Stream),
    /// The other end does not take a stream.
    Refused(String),
}

/// One connection.
#[derive(Debug)]
pub struct LinkHandler {
    /// Lanes whose streams are still to be opened.
    unopened: VecDeque<Lane>,
    /// Lanes whose streams came.
    came: Vec<Lane>,
    events: VecDeque<LinkEvent>,
}

impl LinkHandler {
    fn new() -> Self {
        Self { unopened: Lane::ALL.into(), came: Vec::new(), events: VecDeque::new() }
    }
}

impl ConnectionHandler for LinkHandler {
    type FromBehaviour = Infallible;
    type ToBehaviour = LinkEvent;
    type InboundProtocol = Lanes;
    type OutboundProtocol = Lanes;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Lane;

    fn listen_protocol(&self) -> SubstreamProtocol<Lanes, ()> {
        SubstreamProtocol::new(Lanes(Lane::ALL.to_vec()), ())
    }

    /// The core ends connections.
    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Lanes, Lanes, (), Lane>) {
        match event {
            // A second one of a lane is dropped, which closes it.
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol: (lane, stream), .. })
                if !self.came.contains(&lane) =>
            {
                self.came.push(lane);
                self.events.push_back(LinkEvent::Came(lane, stream));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: (lane, stream), .. }) => {
                self.events.push_back(LinkEvent::Opened(lane, stream))
            }
            ConnectionEvent::DialUpgradeError(refused) => {
                // Where the connection breaks, or nothing is answered, the core finds out the same.
                if matches!(refused.error, StreamUpgradeError::NegotiationFailed) {
                    let why = format!("it does not speak {}, as this node does", protocol(refused.info));
                    self.events.push_back(LinkEvent::Refused(why));
                }
            }
            _ => {}
        }
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Lanes, Lane, LinkEvent>> {
        if let Some(event) = self.events.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event));
        }
        match self.unopened.pop_front() {
            Some(lane) => {
                let protocol = SubstreamProtocol::new(Lanes(vec![lane]), lane);
                Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
            }
            None => Poll::Pending,
        }
    }
}

/// All connections.
#[derive(Debug, Default)]
pub struct Links {
    events: VecDeque<(ConnectionId, LinkEvent)>,
}

impl NetworkBehaviour for Links {
    type ConnectionHandler = LinkHandler;
    type ToSwarm = (ConnectionId, LinkEvent);

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(LinkHandler::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(LinkHandler::new())
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, _: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.events.push_back((connection, event));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.events.pop_front().map_or(Poll::Pending, |event| Poll::Ready(ToSwarm::GenerateEvent(event)))
    }
}
