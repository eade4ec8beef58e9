//! Sockets: reads requests, turns away what nodeos would, hands the rest to its endpoint, writes the answer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use rustc_hash::FxHashMap;
use tokio::net::TcpListener;

use crate::ApiError;
use crate::endpoints::{ENDPOINTS, Run};
use crate::node::Node;
use crate::reply::{Answer, Reply};

/// How the server is set up.
#[derive(Debug, Clone, Default)]
pub struct HttpSettings {
    /// Bytes that a request's body may have.
    pub body_bytes_max: usize,
    /// Turn away requests whose Host header is not one of `hosts`.
    pub validate_host: bool,
    /// Accepted Host headers, with port.
    pub hosts: Vec<String>,
    /// `Access-Control-Allow-Origin`, if any.
    pub allow_origin: Option<String>,
    /// `Access-Control-Allow-Headers`, if any.
    pub allow_headers: Option<String>,
    /// `Access-Control-Max-Age`, if any.
    pub max_age: Option<String>,
    /// Send `Access-Control-Allow-Credentials: true`.
    pub allow_credentials: bool,
}

struct Server {
    node: Arc<Node>,
    settings: HttpSettings,
    endpoints: FxHashMap<&'static str, Run>,
    common: HeaderMap,
}

/// Serves requests until `stop` resolves; answers under way are finished.
///
/// # Errors
/// The socket fails.
pub async fn serve(
    listener: TcpListener,
    node: Arc<Node>,
    settings: HttpSettings,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let endpoints = ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.needs.met_by(&node))
        .map(|endpoint| (endpoint.path, endpoint.run))
        .collect();
    let common = common_headers(&settings);
    let limit = settings.body_bytes_max;
    let server = Arc::new(Server { node, settings, endpoints, common });
    let router = Router::new().fallback(answer).layer(DefaultBodyLimit::max(limit)).with_state(server);
    axum::serve(tcp_nodelay(listener), router.into_make_service()).with_graceful_shutdown(stop).await
}

fn tcp_nodelay(listener: TcpListener) -> impl axum::serve::Listener<Io = tokio::net::TcpStream, Addr = SocketAddr> {
    use axum::serve::ListenerExt;
    listener.tap_io(|stream| {
        // A slow answer is the worst that can come of it.
        let _ = stream.set_nodelay(true);
    })
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
    let path = head.uri.path();
    if path.contains("..") {
        return Err(ApiError::plain(400, "Illegal request-target"));
    }
    if !host_is_allowed(&server.settings, &head.headers) {
        return Err(ApiError::plain(400, "Disallowed HTTP HOST header in the request"));
    }
    if head.method == Method::OPTIONS {
        return Ok(Reply { status: 200, body: Vec::new() });
    }
    let Some(run) = server.endpoints.get(path) else { return Err(ApiError::unknown_path()) };
    let body = axum::body::to_bytes(body, server.settings.body_bytes_max)
        .await
        .map_err(|_| params_too_large(server.settings.body_bytes_max))?;
    match run {
        Run::Now(run) => run(&server.node, &body),
        Run::Later(run) => run(Arc::clone(&server.node), body).await,
    }
}

fn params_too_large(limit: usize) -> ApiError {
    let why = format!("the body is larger than {limit} bytes; raise --max-body-size");
    ApiError::bad_body("Unable to parse valid input from POST body", vec![why])
}

fn host_is_allowed(settings: &HttpSettings, headers: &HeaderMap) -> bool {
    if !settings.validate_host {
        return true;
    }
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let with_port = |host: &str| match host.rsplit_once(':') {
        Some((_, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host.to_owned(),
        _ => format!("{host}:80"),
    };
    let host = with_port(host);
    settings.hosts.contains(&host)
}
