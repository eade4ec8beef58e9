//! Sockets: reads requests, turns away what nodeos would, hands the rest to its endpoint, writes the answer.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::{Body as _, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use primitives::FaultKind;
use prometheus::{IntCounterVec, Opts};
use rustc_hash::FxHashMap;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

use crate::ApiError;
use crate::breakers::{IN_FLIGHT, REQUESTS};
use crate::category::{Api, Category, is_for_probes};
use crate::connection::{Connections, HEAD_BYTES_MAX, HEAD_TIME_MAX, Patient, Place, Work};
use crate::endpoints::{ENDPOINTS, Endpoint, PAGE, Run};
use crate::in_flight::Share;
use crate::large::{Allowance, LIGHT_BODY_BYTES, allowance};
use crate::node::Node;
use crate::reply::{Answer, Reply, json};

/// Lists the endpoints of the address that is asked.
const SUPPORTED_APIS: &str = "/v1/node/get_supported_apis";

/// Characters of a Host header that a refusal shows.
const HOST_SHOWN_MAX: usize = 64;

/// How long a client may take to send the body of a request.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a client may take to send the rest of a body that is refused.
const REFUSED_BODY_TIME_MAX: Duration = Duration::from_secs(5);
/// Pause after a connection could not be taken, such as for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// How the server is set up.
#[derive(Debug, Clone, Default)]
pub struct HttpSettings {
    /// Bytes that a request's body may have.
    pub body_bytes_max: usize,
    /// Turn away requests whose Host header names another machine.
    pub validate_host: bool,
    /// Names of this machine that a Host header may have beside the address that a client connected to. Their ports and
    /// those of the headers do not count.
    pub aliases: Vec<String>,
    /// The address that is listened at as it was configured, which a Host header may always be.
    pub address: String,
    /// `Access-Control-Allow-Origin`, if any.
    pub allow_origin: Option<String>,
    /// `Access-Control-Allow-Headers`, if any.
    pub allow_headers: Option<String>,
    /// `Access-Control-Max-Age`, if any.
    pub max_age: Option<String>,
    /// Send `Access-Control-Allow-Credentials: true`.
    pub allow_credentials: bool,
    /// Take transactions and blocks.
    pub accept_transactions: bool,
    /// Close each connection after its answer.
    pub close_connections: bool,
    /// Serve these APIs.
    pub apis: BTreeSet<Api>,
    /// Take calls that act on the node itself only from clients on this machine that are not web pages.
    pub guard_operator_calls: bool,
}

/// A socket that listens.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket, whose clients are all on this machine: their Host header is not looked at.
    Unix(UnixListener),
}

/// What all addresses share.
#[derive(Debug, Clone)]
pub struct Shared {
    node: Arc<Node>,
    connections: Arc<Connections>,
    /// Requests by endpoint.
    requests: IntCounterVec,
}

impl Shared {
    /// What addresses share that serve a node; the counter of requests is one of the node's metrics.
    pub fn new(node: Node, connections: Connections) -> Self {
        let options = Opts::new("http_requests_total", "number of HTTP requests");
        let requests = IntCounterVec::new(options, &["handler"]);
        let requests = engine::metrics::registered(node.handle.metrics().registry(), requests);
        let (node, connections) = (Arc::new(node), Arc::new(connections));
        Self { node, connections, requests }
    }
}

struct Server {
    shared: Shared,
    settings: HttpSettings,
    endpoints: FxHashMap<&'static str, &'static Endpoint>,
    common: HeaderMap,
}

/// The two ends of a connection; none for a Unix socket.
#[derive(Debug, Clone, Copy)]
struct Ends {
    client: IpAddr,
    /// The address of this machine that the client connected to.
    local: SocketAddr,
}

/// Serves requests at one address for as long as it is polled. `categories` are those of its endpoints; none for all.
pub async fn serve(
    socket: Socket,
    shared: Shared,
    settings: HttpSettings,
    categories: Option<BTreeSet<Category>>,
) -> Infallible {
    let served = |path: &str| {
        let category = Category::of(path);
        let here = |wanted: &BTreeSet<_>| category.is_none_or(|category| wanted.contains(&category));
        let named = Api::of(path).is_some_and(|api| settings.apis.contains(&api)) || is_for_probes(path);
        named && categories.as_ref().is_none_or(here)
    };
    let page = settings.apis.contains(&Api::Dev).then_some(PAGE);
    let endpoints = ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.needs.met_by(&shared.node) && served(endpoint.path))
        .chain(page)
        .map(|endpoint| (endpoint.path, endpoint))
        .collect();
    let common = common_headers(&settings);
    let validate_host = settings.validate_host && matches!(socket, Socket::Tcp(_));
    let aliases = settings.aliases.iter().map(|alias| host_of(alias).to_owned()).collect();
    let settings = HttpSettings { validate_host, aliases, ..settings };
    let server = Arc::new(Server { shared, settings, endpoints, common });
    loop {
        if let Err(error) = accept(&socket, &server).await {
            tracing::error!("cannot take a connection: {error}");
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    }
}

/// Takes the next connection and serves it aside.
async fn accept(socket: &Socket, server: &Arc<Server>) -> std::io::Result<()> {
    match socket {
        Socket::Tcp(listener) => {
            let (stream, peer) = match listener.accept().await {
                // The client is gone again.
                Err(error) if is_of_client(&error) => return Ok(()),
                other => other?,
            };
            let client = peer.ip().to_canonical();
            let (Some(place), Ok(local)) = (server.shared.connections.admit(Some(client)).await, stream.local_addr())
            else {
                return Ok(());
            };
            // A slow answer is the worst that can come of it.
            let _ = stream.set_nodelay(true);
            let local = SocketAddr::new(local.ip().to_canonical(), local.port());
            tokio::spawn(converse(stream, Arc::clone(server), place, Some(Ends { client, local })));
        }
        Socket::Unix(listener) => {
            let (stream, _) = listener.accept().await?;
            if let Some(place) = server.shared.connections.admit(None).await {
                tokio::spawn(converse(stream, Arc::clone(server), place, None));
            }
        }
    }
    Ok(())
}

fn is_of_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Answers the requests of one connection.
async fn converse<S>(stream: S, server: Arc<Server>, place: Place, ends: Option<Ends>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answered = service_fn(|request| {
        let (server, work) = (Arc::clone(&server), place.begin_work());
        async move { Ok::<_, Infallible>(answer(&server, request, ends, work).await) }
    });
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Patient::new(stream)), answered);
    tokio::select! {
        // Why a client left is its own affair.
        _ = conversation => {}
        () = place.asked_to_close() => {}
    }
}

fn common_headers(settings: &HttpSettings) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut set = |name, value: Option<&String>| {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    };
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, settings.allow_origin.as_ref());
    set(header::ACCESS_CONTROL_ALLOW_HEADERS, settings.allow_headers.as_ref());
    set(header::ACCESS_CONTROL_MAX_AGE, settings.max_age.as_ref());
    if settings.close_connections {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if settings.allow_credentials {
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    headers
}

/// A body on its way to the client: it counts until its memory is free again.
struct Outgoing {
    bytes: Vec<u8>,
    _share: Share,
    _work: Work,
}

impl AsRef<[u8]> for Outgoing {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

async fn answer(server: &Server, request: Request<Incoming>, ends: Option<Ends>, work: Work) -> Response<Body> {
    let verbose = server.shared.node.settings.verbose_http_errors;
    let breakers = &server.shared.node.breakers;
    let reply_of = |error: ApiError| {
        error.breaker().inspect(|breaker| breakers.tripped(breaker));
        Reply { status: error.status(), body: error.body(verbose) }
    };
    let endpoint = server.endpoints.get(request.uri().path()).copied();
    let (head, mut body) = request.into_parts();
    let mut reply = match route(server, &head, &mut body, ends).await {
        Ok(reply) => reply,
        Err(error) => {
            skip_rest(&mut body, server.settings.body_bytes_max).await;
            reply_of(error)
        }
    };
    let in_flight = &breakers.in_flight;
    let share = in_flight.some_bytes(reply.body.len()).unwrap_or_else(|count| {
        reply = reply_of(too_many_bytes(count));
        in_flight.no_bytes()
    });
    let body = Bytes::from_owner(Outgoing { bytes: reply.body, _share: share, _work: work });
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = server.common.clone();
    if let Some(endpoint) = endpoint.filter(|_| reply.status == 200) {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(endpoint.content_type));
    }
    response
}

async fn route(server: &Server, head: &Parts, body: &mut Incoming, ends: Option<Ends>) -> Answer {
    // nodeos takes whatever follows the path for a part of it.
    let path = head.uri.path_and_query().map_or("", |target| target.as_str());
    if path.contains("..") {
        return Err(ApiError::plain(400, "Illegal request-target"));
    }
    if server.settings.validate_host {
        check_host(&server.settings, &head.headers, ends.map(|ends| ends.local.ip()))?;
    }
    if head.method == Method::OPTIONS {
        return Ok(Reply { status: 200, body: b"{}".to_vec() });
    }
    if path == SUPPORTED_APIS {
        let mut apis: Vec<_> =
            server.endpoints.keys().filter(|path| **path != PAGE.path && !is_for_probes(path)).collect();
        apis.sort_unstable();
        return json(200, &serde_json::json!({ "apis": apis }));
    }
    let Some(endpoint) = server.endpoints.get(path) else { return Err(ApiError::unknown_path()) };
    server.shared.requests.with_label_values(&[path]).inc();
    let category = Category::of(path);
    if !server.settings.accept_transactions && category == Some(Category::ChainRw) {
        let message = "Not allowed, node has api-accept-transactions = false";
        return Err(ApiError::new(FaultKind::MISSING_CHAIN_API_PLUGIN_EXCEPTION, message));
    }
    let guarded = server.settings.guard_operator_calls && category.is_some_and(Category::acts_on_the_node);
    if guarded || Category::is_for_this_machine(path) {
        is_operator(&server.settings, &head.headers, ends).map_err(ApiError::forbidden)?;
    }
    let in_flight = &server.shared.node.breakers.in_flight;
    let _request = in_flight
        .one_request()
        .map_err(|count| ApiError::busy(REQUESTS, format!("Too many requests in flight: {count}")))?;
    let share = in_flight.no_bytes();
    let _trims = server.shared.node.aside.trims_after(body.size_hint().lower());
    let (body, _bytes) = tokio::time::timeout(BODY_TIME_MAX, read_body(body, server.settings.body_bytes_max, share))
        .await
        .map_err(|_| ApiError::plain(408, "Request Timeout"))??;
    let (node, size) = (&server.shared.node, body.len());
    let check_memory = |is_large| if is_large { node.breakers.check_memory() } else { Ok(()) };
    match endpoint.run {
        Run::Now(run) => node.aside.run(size, || {
            check_memory(allowance() == Allowance::Large)?;
            run(node, &body)
        }),
        Run::Later(run) => {
            check_memory(size >= LIGHT_BODY_BYTES)?;
            node.aside.run_later(size, run(Arc::clone(node), body)).await
        }
    }
}

/// Reads what is left of a body that was refused, up to `limit` bytes, and keeps none of it. A connection that is
/// closed while its client is still sending takes the answer with it, and the next request of a client that keeps it.
async fn skip_rest(body: &mut Incoming, limit: usize) {
    let skipped = async {
        let mut length = 0;
        while let Some(Ok(frame)) = next_frame(body).await {
            length += frame.data_ref().map_or(0, Bytes::len);
            if length > limit {
                return;
            }
        }
    };
    // The connection is closed if there is more.
    let _ = tokio::time::timeout(REFUSED_BODY_TIME_MAX, skipped).await;
}

async fn next_frame(body: &mut Incoming) -> Option<hyper::Result<Frame<Bytes>>> {
    poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await
}

/// Reads a body; its memory counts from the first byte.
async fn read_body(body: &mut Incoming, limit: usize, mut share: Share) -> Result<(Bytes, Share), ApiError> {
    let announced = body.size_hint().lower();
    if usize::try_from(announced).is_ok_and(|announced| announced > limit) {
        return Err(params_too_large(limit));
    }
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(frame) = next_frame(body).await {
        let frame = frame.map_err(|_| ApiError::plain(400, "Bad Request"))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > limit {
            return Err(params_too_large(limit));
        }
        let before = bytes.capacity();
        bytes.reserve(data.len());
        share.grow(bytes.capacity() - before).map_err(too_many_bytes)?;
        bytes.extend_from_slice(&data);
    }
    Ok((bytes.into(), share))
}

fn too_many_bytes(count: u64) -> ApiError {
    ApiError::busy(IN_FLIGHT, format!("Too many bytes in flight: {count}"))
}

fn params_too_large(limit: usize) -> ApiError {
    let why = format!("the body is larger than {limit} bytes; raise --max-body-size");
    ApiError::bad_body("Unable to parse valid input from POST body", vec![why])
}

/// The host in an address or Host header that may have a port, without brackets.
fn host_of(address: &str) -> &str {
    match address.rsplit_once(':') {
        Some((host, _)) if host.len() >= 2 && host.starts_with('[') => &host[1..host.len() - 1],
        Some((host, _)) => host,
        None => address,
    }
}

/// Whether a Host header names this machine: as it was configured, by an alias, or by the address that the client
/// connected to (nodeos: `host_is_valid`).
fn is_this_host(settings: &HttpSettings, host: &str, local: Option<IpAddr>) -> bool {
    if host == settings.address {
        return true;
    }
    let name = host_of(host);
    match name.parse::<IpAddr>() {
        Ok(address) => local == Some(address.to_canonical()),
        Err(_) => settings.aliases.iter().any(|alias| alias == name),
    }
}

/// Makes sure that a request was meant for this machine: a web page could otherwise reach it under a name of its own.
///
/// # Errors
/// The header is missing or names another machine.
fn check_host(settings: &HttpSettings, headers: &HeaderMap, local: Option<IpAddr>) -> Result<(), ApiError> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !host.is_empty() && is_this_host(settings, host, local) {
        return Ok(());
    }
    let name: String = host_of(host).chars().take(HOST_SHOWN_MAX).collect();
    let what = if name.is_empty() {
        "The request has no Host header; http-validate-host = false takes requests without one".to_owned()
    } else {
        format!(
            "This node does not go by the name {name}: http-alias = {name} lets it, http-validate-host = false takes any"
        )
    };
    Err(ApiError::plain(400, "Disallowed HTTP HOST header in the request").because(what))
}

/// Whether a call comes from a program of this machine's user. A web page, of whatever address, can send a simple
/// request from a browser on this machine, but none with a JSON content type, and never without its origin.
fn is_operator(settings: &HttpSettings, headers: &HeaderMap, ends: Option<Ends>) -> Result<(), String> {
    if ends.is_some_and(|ends| !ends.client.is_loopback()) {
        return Err("this call is taken only from clients on this machine".to_owned());
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err("this call is taken only with the header Content-Type: application/json".to_owned());
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let own = ends.map(|ends| format!("http://{}", ends.local));
    let is = |known: Option<&String>| known.is_some_and(|known| origin.as_bytes() == known.as_bytes());
    if is(own.as_ref()) || is(settings.allow_origin.as_ref()) {
        return Ok(());
    }
    let origin = String::from_utf8_lossy(origin.as_bytes());
    Err(format!("this call is not taken from pages of {origin}; see --access-control-allow-origin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What nodeos 4.1 answered at 127.0.0.1 with `http-alias` of `node.test`, `b.test:1` and `c.test:`.
    #[test]
    fn hosts_are_compared_without_their_ports() {
        let aliases = ["node.test", "b.test:1", "c.test:"].map(|alias| host_of(alias).to_owned()).to_vec();
        let settings = HttpSettings { aliases, address: "localhost:8888".to_owned(), ..HttpSettings::default() };
        let local = Some(IpAddr::from([127, 0, 0, 1]));
        let allowed = |host| is_this_host(&settings, host, local);
        for host in [
            "127.0.0.1",
            "127.0.0.1:8888",
            "127.0.0.1:80",
            "127.0.0.1:08888",
            "node.test",
            "node.test:80",
            "node.test:9",
            "b.test",
            "b.test:2",
            "c.test:",
            "c.test:x",
            "localhost:8888",
        ] {
            assert!(allowed(host), "{host}");
        }
        for host in [
            "localhost",
            "localhost:80",
            "NODE.test",
            "example.com",
            "foo:1",
            "[::1]:8888",
            "::1",
            "0.0.0.0:8888",
            "127.0.0.1:8888:80",
            "127.0.0.2",
            ":8888",
            "x.node.test",
        ] {
            assert!(!allowed(host), "{host}");
        }
        let six = Some("::1".parse::<IpAddr>().expect("an address"));
        assert!(is_this_host(&settings, "[::1]:8888", six) && !is_this_host(&settings, "[::2]:8888", six));
    }

    #[test]
    fn the_refusal_names_the_options() {
        let settings = HttpSettings { validate_host: true, ..HttpSettings::default() };
        let mut headers = HeaderMap::new();
        let refusal = |headers: &HeaderMap| {
            String::from_utf8(check_host(&settings, headers, None).expect_err("refused").body(false)).expect("UTF-8")
        };
        assert!(refusal(&headers).contains("has no Host header"));
        headers.insert(header::HOST, HeaderValue::from_static("node.test:8888"));
        assert!(refusal(&headers).contains("http-alias = node.test lets it"));
    }
}
