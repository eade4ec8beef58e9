//! Multiaddresses with names of hosts become ones with IP addresses, by the system's own resolver.

use std::net::IpAddr;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use crate::address::PeerAddress;

/// Where a multiaddress leads.
///
/// # Errors
/// It is not one, or its name is not known, in words.
pub(super) async fn resolve(text: &str) -> Result<Multiaddr, String> {
    let address = match text.parse() {
        Ok(PeerAddress::Libp2p(address)) => address,
        Ok(PeerAddress::Nodeos(_)) => return Err(format!("{text} is not a multiaddress")),
        Err(error) => return Err(error.to_string()),
    };
    let Some(first) = address.iter().next() else { return Ok(address) };
    let wanted: fn(&IpAddr) -> bool = match first {
        Protocol::Dns(_) => |_| true,
        Protocol::Dns4(_) => IpAddr::is_ipv4,
        Protocol::Dns6(_) => IpAddr::is_ipv6,
        _ => return Ok(address),
    };
    let (Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)) = first else { return Ok(address) };
    let found = tokio::net::lookup_host((&*name, 0)).await.map_err(|error| format!("{name}: {error}"))?;
    let host = found.map(|socket| socket.ip()).find(wanted).ok_or_else(|| format!("{name} has no such address"))?;
    let rest = address.iter().skip(1);
    Ok(std::iter::once(Protocol::from(host)).chain(rest).collect())
}
