//! The sockets of `boreas wallet serve`: HTTP as keosd speaks it, with bounds on what clients may hold.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use super::agent::Agent;
use super::endpoints::ENDPOINTS;
use super::fault::Failure;

/// Stops the server.
const STOP: &str = "/v1/keosd/stop";
/// Lists the endpoints.
const SUPPORTED_APIS: &str = "/v1/node/get_supported_apis";

/// More connections at a time wait until one ends.
const CONNECTIONS_MAX: usize = 64;
/// A connection may be silent so long before and between requests.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);
/// Bytes of a request before its body.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long a body may take.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// How long answers that are under way may take when the server stops.
const LAST_ANSWERS_TIME_MAX: Duration = Duration::from_secs(1);
/// Pause after a connection could not be taken, such as for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Whether wallets were unused for too long is looked at so often.
const LOCK_INTERVAL: Duration = Duration::from_secs(1);

/// How the server is set up.
#[derive(Debug, Default)]
pub struct Settings {
    /// Bytes that a body may have.
    pub body_bytes_max: usize,
    /// All messages of a failure are told.
    pub verbose_errors: bool,
    /// Turn away requests whose Host header names another machine.
    pub validate_host: bool,
    /// The address as it was given, and other names that a Host header may have.
    pub hosts: Vec<String>,
    /// Pages of this origin may call; without it no page may.
    pub allow_origin: Option<String>,
    /// Further headers of each answer.
    pub headers: Vec<(HeaderName, String)>,
    /// Keep connections open after an answer.
    pub keep_alive: bool,
}

/// What all connections share.
pub struct Server {
    agent: Agent,
    settings: Settings,
    headers: HeaderMap,
    stop: Notify,
}

impl Server {
    /// A server of these wallets.
    pub fn new(agent: Agent, settings: Settings) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::SERVER, HeaderValue::from_static(concat!("boreas/", env!("CARGO_PKG_VERSION"))));
        let origin = settings.allow_origin.iter().map(|origin| (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin));
        for (name, value) in settings.headers.iter().map(|(name, value)| (name.clone(), value)).chain(origin) {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        Self { agent, settings, headers, stop: Notify::new() }
    }

    /// Answers at these sockets until it is told to stop, by an endpoint or a signal.
    pub async fn run(self, tcp: Option<TcpListener>, unix: Option<UnixListener>) -> std::io::Result<()> {
        let server = Arc::new(self);
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let mut watch = tokio::time::interval(LOCK_INTERVAL);
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut conversations = JoinSet::new();
        loop {
            let accepted = async {
                // It is never closed.
                let place = Arc::clone(&places).acquire_owned().await.map_err(std::io::Error::other)?;
                let stream = tokio::select! {
                    stream = accept_tcp(tcp.as_ref()) => stream?,
                    stream = accept_unix(unix.as_ref()) => stream?,
                };
                Ok::<_, std::io::Error>((place, stream))
            };
            tokio::select! {
                accepted = accepted => match accepted {
                    Ok((place, (stream, local))) => {
                        let server = Arc::clone(&server);
                        conversations.spawn(async move {
                            server.converse(stream, local).await;
                            drop(place);
                        });
                    }
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = conversations.join_next() => {}
                _ = watch.tick() => server.agent.lock_if_unused(),
                () = server.stop.notified() => break,
                _ = terminated.recv() => break,
                interrupted = tokio::signal::ctrl_c() => break interrupted?,
            }
        }
        let rest = async { while conversations.join_next().await.is_some() {} };
        // Who has no answer by then has none.
        let _ = tokio::time::timeout(LAST_ANSWERS_TIME_MAX, rest).await;
        Ok(())
    }

    async fn converse(self: Arc<Self>, stream: Stream, local: Option<IpAddr>) {
        let server = Arc::clone(&self);
        let answered = service_fn(move |request| {
            let server = Arc::clone(&server);
            async move { Ok::<_, Infallible>(server.answer(request, local).await) }
        });
        let conversation = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME_MAX)
            .max_buf_size(HEAD_BYTES_MAX)
            .keep_alive(self.settings.keep_alive)
            .serve_connection(TokioIo::new(stream), answered);
        // Why a client left is its own affair.
        let _ = conversation.await;
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>, local: Option<IpAddr>) -> Response<String> {
        let headers = self.headers.clone();
        let stop = request.uri().path() == STOP;
        let verbose = self.settings.verbose_errors;
        let answered = Arc::clone(&self).route(request, local).await;
        let (status, value) = answered.unwrap_or_else(|failure| (failure.status(), failure.body(verbose)));
        let mut response = Response::new(value.to_string());
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = headers;
        if stop && status == 200 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            self.stop.notify_one();
        }
        response
    }

    async fn route(
        self: Arc<Self>,
        request: Request<Incoming>,
        local: Option<IpAddr>,
    ) -> Result<(u16, Value), Failure> {
        let (head, body) = request.into_parts();
        self.check_client(&head.headers, local)?;
        if head.method == Method::OPTIONS {
            return Ok((200, json!({})));
        }
        // keosd takes whatever follows the path for a part of it.
        let path = head.uri.path_and_query().map_or("", |target| target.as_str()).to_owned();
        let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.path == path);
        match (endpoint, path.as_str()) {
            (None, STOP) => Ok((200, json!({}))),
            (None, SUPPORTED_APIS) => {
                let paths: Vec<_> = [STOP].into_iter().chain(ENDPOINTS.iter().map(|endpoint| endpoint.path)).collect();
                Ok((200, json!({ "apis": paths })))
            }
            (None, _) => Err(Failure::unknown_path()),
            (Some(endpoint), _) => {
                let limit = self.settings.body_bytes_max;
                let body = tokio::time::timeout(BODY_TIME_MAX, read(body, limit)).await;
                let body =
                    body.map_err(|_| Failure::plain(408, "Request Timeout", "the body took too long".to_owned()))??;
                // A password takes a while to become a key.
                let answered = tokio::task::spawn_blocking(move || endpoint.answer(&self.agent, &body)).await;
                answered.unwrap_or_else(|_| {
                    Err(Failure::plain(500, "Internal Service Error", "the request could not be finished".to_owned()))
                })
            }
        }
    }

    /// Makes sure that a request was meant for this machine, and does not come from a web page: pages can send simple
    /// requests to any address, and reach this one under a name of their own.
    fn check_client(&self, headers: &HeaderMap, local: Option<IpAddr>) -> Result<(), Failure> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if let Some(local) = local.filter(|_| self.settings.validate_host) {
            let host = text(header::HOST);
            let known = |known: &String| known == host || host_of(known) == host_of(host);
            let own = host_of(host).parse::<IpAddr>().is_ok_and(|host| host.to_canonical() == local);
            if host.is_empty() || !(own || self.settings.hosts.iter().any(known)) {
                let what = "The Host header names another machine; --http-alias NAME lets it, --http-validate-host=false takes any";
                return Err(Failure::plain(400, "Disallowed HTTP HOST header in the request", what.to_owned()));
            }
        }
        let origin = text(header::ORIGIN);
        let allowed = self.settings.allow_origin.as_deref().is_some_and(|allowed| allowed == "*" || allowed == origin);
        if !headers.contains_key(header::ORIGIN) || allowed {
            return Ok(());
        }
        let what = "Wallets are not for web pages; --access-control-allow-origin names one that may call";
        Err(Failure::plain(403, "Forbidden", what.to_owned()))
    }
}

/// A connection of either kind.
trait Conversation: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Conversation for S {}
type Stream = Box<dyn Conversation>;

/// The next connection, and the address of this machine that it came to.
async fn accept_tcp(listener: Option<&TcpListener>) -> std::io::Result<(Stream, Option<IpAddr>)> {
    let Some(listener) = listener else { return std::future::pending().await };
    let (stream, _) = listener.accept().await?;
    let local = stream.local_addr()?.ip().to_canonical();
    // A slow answer is the worst that can come of it.
    let _ = stream.set_nodelay(true);
    Ok((Box::new(stream), Some(local)))
}

/// The next connection of this machine's users.
async fn accept_unix(listener: Option<&UnixListener>) -> std::io::Result<(Stream, Option<IpAddr>)> {
    let Some(listener) = listener else { return std::future::pending().await };
    let (stream, _) = listener.accept().await?;
    Ok((Box::new(stream), None))
}

/// Reads a body. It may have a password in it: its memory is cleared afterwards.
async fn read(mut body: Incoming, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let too_large = || {
        let what = format!("the body is larger than {limit} bytes; --max-body-size takes larger ones");
        Failure::plain(413, "Payload Too Large", what)
    };
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(too_large());
    }
    // All at once where the length is known: vectors that grow leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(announced));
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| Failure::plain(400, "Bad Request", "the body ends too early".to_owned()))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// The host in an address or Host header that may have a port, without brackets.
fn host_of(address: &str) -> &str {
    match address.rsplit_once(':') {
        Some((host, _)) if host.len() >= 2 && host.starts_with('[') => &host[1..host.len() - 1],
        Some((host, _)) => host,
        None => address,
    }
}
