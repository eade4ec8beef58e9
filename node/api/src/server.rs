//! Sockets: reads requests, turns away what nodeos would, hands the rest to its endpoint, writes the answer.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use primitives::FaultKind;
use rustc_hash::FxHashMap;
use tokio::net::{TcpListener, TcpStream, UnixListener};

use crate::ApiError;
use crate::category::Category;
use crate::endpoints::{ENDPOINTS, Run};
use crate::node::Node;
use crate::reply::{Answer, Reply, json};

/// Lists the endpoints of the address that is asked.
const SUPPORTED_APIS: &str = "/v1/node/get_supported_apis";

/// Characters of a Host header that a refusal shows.
const HOST_SHOWN_MAX: usize = 64;

/// How long a client may take to send the body of a request.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);

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
    /// Requests under way at most, over all addresses; none for no limit.
    pub requests_max: Option<u64>,
    /// Bytes of requests under way at most, over all addresses; none for no limit.
    pub request_bytes_max: Option<u64>,
}

/// What is under way, over all addresses.
#[derive(Debug, Default)]
pub struct InFlight {
    requests: AtomicU64,
    bytes: AtomicU64,
}

/// A share of what is under way, given back when dropped.
struct Share<'a> {
    counter: &'a AtomicU64,
    amount: u64,
}

impl<'a> Share<'a> {
    /// Takes a share.
    ///
    /// # Errors
    /// How much would be under way, where that is more than `max`.
    fn take(counter: &'a AtomicU64, amount: u64, max: Option<u64>) -> Result<Self, u64> {
        let share = Self { counter, amount };
        let taken = counter.fetch_add(amount, Ordering::Relaxed) + amount;
        if max.is_some_and(|max| taken > max) { Err(taken) } else { Ok(share) }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.counter.fetch_sub(self.amount, Ordering::Relaxed);
    }
}

/// A socket that listens.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket, whose clients are all on this machine: their Host header is not looked at.
    Unix(UnixListener),
}

struct Server {
    node: Arc<Node>,
    settings: HttpSettings,
    in_flight: Arc<InFlight>,
    endpoints: FxHashMap<&'static str, Run>,
    common: HeaderMap,
}

/// Serves requests at one address for as long as it is polled. `categories` are those of its endpoints; none for all.
///
/// # Errors
/// The socket fails.
pub async fn serve(
    socket: Socket,
    node: Arc<Node>,
    settings: HttpSettings,
    categories: Option<BTreeSet<Category>>,
    in_flight: Arc<InFlight>,
) -> std::io::Result<()> {
    let served = |path: &str| {
        let category = Category::of(path);
        categories.as_ref().is_none_or(|wanted| category.is_none_or(|category| wanted.contains(&category)))
    };
    let endpoints = ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.needs.met_by(&node) && served(endpoint.path))
        .map(|endpoint| (endpoint.path, endpoint.run))
        .collect();
    let common = common_headers(&settings);
    let limit = settings.body_bytes_max;
    let validate_host = settings.validate_host && matches!(socket, Socket::Tcp(_));
    let aliases = settings.aliases.iter().map(|alias| host_of(alias).to_owned()).collect();
    let settings = HttpSettings { validate_host, aliases, ..settings };
    let server = Arc::new(Server { node, settings, in_flight, endpoints, common });
    let router = Router::new().fallback(answer).layer(DefaultBodyLimit::max(limit)).with_state(server);
    match socket {
        Socket::Tcp(listener) => {
            let service = router.into_make_service_with_connect_info::<LocalAddress>();
            axum::serve(NoDelay(listener), service).await
        }
        Socket::Unix(listener) => axum::serve(listener, router.into_make_service()).await,
    }
}

/// The address of this machine that a client connected to.
#[derive(Debug, Clone, Copy)]
struct LocalAddress(Option<IpAddr>);

impl Connected<IncomingStream<'_, NoDelay>> for LocalAddress {
    fn connect_info(stream: IncomingStream<'_, NoDelay>) -> Self {
        Self(stream.io().local_addr().ok().map(|address| address.ip().to_canonical()))
    }
}

/// TCP connections that send at once what is written.
struct NoDelay(TcpListener);

impl Listener for NoDelay {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        // A slow answer is the worst that can come of it.
        let _ = stream.set_nodelay(true);
        (stream, peer)
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
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

async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let result = route(&server, request).await;
    let Reply { status, body } = result.unwrap_or_else(|error| Reply {
        status: error.status(),
        body: error.body(server.node.settings.verbose_http_errors),
    });
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = server.common.clone();
    response
}

async fn route(server: &Server, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    // nodeos takes whatever follows the path for a part of it.
    let path = head.uri.path_and_query().map_or("", |target| target.as_str());
    if path.contains("..") {
        return Err(ApiError::plain(400, "Illegal request-target"));
    }
    let local = head.extensions.get::<ConnectInfo<LocalAddress>>().and_then(|info| info.0.0);
    if server.settings.validate_host {
        check_host(&server.settings, &head.headers, local)?;
    }
    if head.method == Method::OPTIONS {
        return Ok(Reply { status: 200, body: b"{}".to_vec() });
    }
    if path == SUPPORTED_APIS {
        let mut apis: Vec<_> = server.endpoints.keys().collect();
        apis.sort_unstable();
        return json(200, &serde_json::json!({ "apis": apis }));
    }
    let Some(run) = server.endpoints.get(path) else { return Err(ApiError::unknown_path()) };
    if !server.settings.accept_transactions && Category::of(path) == Some(Category::ChainRw) {
        let message = "Not allowed, node has api-accept-transactions = false";
        return Err(ApiError::new(FaultKind::MISSING_CHAIN_API_PLUGIN_EXCEPTION, message));
    }
    let _request = Share::take(&server.in_flight.requests, 1, server.settings.requests_max)
        .map_err(|count| ApiError::busy(format!("Too many requests in flight: {count}")))?;
    let reading = axum::body::to_bytes(body, server.settings.body_bytes_max);
    let body = tokio::time::timeout(BODY_TIME_MAX, reading)
        .await
        .map_err(|_| ApiError::plain(408, "Request Timeout"))?
        .map_err(|_| params_too_large(server.settings.body_bytes_max))?;
    let _bytes = Share::take(&server.in_flight.bytes, body.len() as u64, server.settings.request_bytes_max)
        .map_err(|count| ApiError::busy(format!("Too many bytes in flight: {count}")))?;
    match run {
        Run::Now(run) => run(&server.node, &body),
        Run::Later(run) => run(Arc::clone(&server.node), body).await,
    }
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
