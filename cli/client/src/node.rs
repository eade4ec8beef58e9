//! Calls to a node and the errors that come back.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use primitives::{Fault, FaultKind};
use serde_json::Value;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::DefaultResolver;

use crate::pool::Pool;
use crate::unix::UnixConnector;

/// A call may wait this long: a large contract compiles, a retried transaction becomes irreversible.
const CALL_TIMEOUT: Duration = Duration::from_secs(300);
/// A call to one of several endpoints waits this long before it goes to the next one.
const TRY_TIMEOUT: Duration = Duration::from_secs(10);
/// Statuses of an endpoint that has no time, or of something before it that has no node.
const BUSY: [u16; 4] = [429, 502, 503, 504];
/// Larger answers are not read.
const ANSWER_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A node reached over HTTP, at one endpoint or at several: nodes of the same chain.
#[derive(Debug, Clone)]
pub struct Node {
    endpoints: Arc<[Endpoint]>,
    pool: Arc<Pool>,
    headers: Vec<(String, String)>,
    /// Sees what is sent and what comes back.
    observer: Option<fn(Message, &str)>,
}

/// One address.
#[derive(Debug)]
struct Endpoint {
    url: String,
    agent: ureq::Agent,
}

/// What came of a call over all its tries.
#[derive(Debug)]
pub(crate) struct Tried {
    /// The last answer.
    pub answer: Result<Value, ApiError>,
    /// An earlier try may have reached a node, though no answer came.
    pub may_have_run: bool,
}

/// What an observer of a node sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// The body of a call.
    Request,
    /// The body of its answer.
    Response,
}

/// A fault as nodeos reports it over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiFault {
    /// HTTP status.
    pub status: u16,
    /// nodeos' fault number, e.g. 3050003.
    pub code: u64,
    /// nodeos' name of it.
    pub name: String,
    /// nodeos' general description.
    pub what: String,
    /// Messages, the innermost first.
    pub details: Vec<String>,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The node answered with a fault.
    #[error("{0}")]
    Fault(ApiFault),
    /// The node could not be reached.
    #[error("no answer from {url}: {reason}\n{advice}")]
    Unreachable {
        /// What was called.
        url: String,
        /// What the network said.
        reason: String,
        /// What to look at.
        advice: &'static str,
        /// Whether something may have been sent before.
        sent: bool,
    },
    /// The answer is not what a node answers.
    #[error("{url} does not answer like a node (status {status}): {body}")]
    NotANode {
        /// What was called.
        url: String,
        /// HTTP status.
        status: u16,
        /// The beginning of the body.
        body: String,
    },
}

/// How a node is reached.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Names and values that go with every call.
    pub headers: Vec<(String, String)>,
    /// Whether the certificate of a node at `https://` is checked.
    pub verify: bool,
    /// How long one try of a call may take; ten seconds with several endpoints, five minutes with one, when not given.
    pub try_timeout: Option<Duration>,
}

impl Default for Connection {
    fn default() -> Self {
        Self { headers: Vec::new(), verify: true, try_timeout: None }
    }
}

impl fmt::Display for ApiFault {
    /// As cleos prints it, but without a number that tells nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            0 => write!(f, "Error: {}", self.what)?,
            code => write!(f, "Error {code}: {}", self.what)?,
        }
        if !self.details.is_empty() {
            write!(f, "\nError Details:")?;
        }
        self.details.iter().try_for_each(|line| write!(f, "\n{line}"))
    }
}

impl From<primitives::Fault> for ApiFault {
    fn from(fault: primitives::Fault) -> Self {
        let primitives::Fault { kind, details, .. } = fault;
        Self { status: 0, code: kind.code.into(), name: kind.name.into(), what: kind.what.into(), details }
    }
}

impl Node {
    /// A node at `url`, see [`Node::connect`]; `headers` go with every call.
    pub fn new(url: &str, headers: Vec<(String, String)>) -> Self {
        Self::connect(url, Connection { headers, ..Connection::default() })
    }

    /// A node at `http://host:port`, `https://host:port` or `unix:///path`. Nothing is called yet.
    ///
    /// Certificates are checked against Mozilla's list, or against the file that `SSL_CERT_FILE` names.
    pub fn connect(url: &str, connection: Connection) -> Self {
        Self::connect_all(&[url], connection)
    }

    /// Nodes of one chain. Calls go round them. One that does not answer, or says that it has no time, is put aside for
    /// min(1 s * 2^(n-1), 30 s) after n failures, and the call goes to another one with the same bytes; so a transaction
    /// that is sent again is the same transaction.
    pub fn connect_all(urls: &[&str], connection: Connection) -> Self {
        let timeout = if urls.len() > 1 { TRY_TIMEOUT } else { CALL_TIMEOUT };
        let timeout = connection.try_timeout.unwrap_or(timeout);
        let endpoints = urls.iter().map(|url| Endpoint::new(url, timeout, connection.verify));
        let seed = RandomState::new().build_hasher().finish();
        Self {
            endpoints: endpoints.collect(),
            pool: Arc::new(Pool::new(urls.len(), seed)),
            headers: connection.headers,
            observer: None,
        }
    }

    /// Its address; the first one of several.
    pub fn url(&self) -> &str {
        self.endpoints.first().map_or("", |endpoint| &endpoint.url)
    }

    /// The same node, with everything that is sent and received shown to `observer`.
    pub fn observed(self, observer: fn(Message, &str)) -> Self {
        Self { observer: Some(observer), ..self }
    }

    fn show(&self, message: Message, body: &str) {
        if let Some(observer) = self.observer {
            observer(message, body);
        }
    }

    /// Posts `body` to `path` (`/v1/chain/...`) and reads the JSON answer.
    pub fn call(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.try_call(path, body).answer
    }

    /// The same, and whether a try before the last one may have been heard.
    pub(crate) fn try_call(&self, path: &str, body: &Value) -> Tried {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut may_have_run = false;
        let mut tries = self.pool.tries();
        loop {
            tries -= 1;
            let at = self.pool.take(Instant::now());
            let answer = self.call_one(&self.endpoints[at], path, &body);
            let failure = match &answer {
                Err(error) => error.is_of_endpoint(),
                Ok(_) => false,
            };
            if !failure {
                self.pool.answered(at);
                return Tried { answer, may_have_run };
            }
            self.pool.failed(at, Instant::now());
            if tries == 0 {
                return Tried { answer, may_have_run };
            }
            may_have_run |= !matches!(&answer, Err(ApiError::Unreachable { sent: false, .. }));
        }
    }

    fn call_one(&self, endpoint: &Endpoint, path: &str, body: &str) -> Result<Value, ApiError> {
        let url = format!("{}{path}", endpoint.url);
        let unreachable = |error: ureq::Error| unreachable(&endpoint.url, &error);
        // A Unix socket has no host; what the request names instead is the one that nodes accept.
        let target = if endpoint.url.starts_with("unix://") { format!("http://localhost{path}") } else { url.clone() };
        let mut request = endpoint.agent.post(&target).header("content-type", "application/json");
        for (key, value) in &self.headers {
            request = request.header(key, value);
        }
        self.show(Message::Request, body);
        let mut answer = request.send(body).map_err(unreachable)?;
        let status = answer.status();
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(unreachable)?;
        self.show(Message::Response, &text);
        if let Some(fault) = missing_plugin(path, status.as_u16(), &text) {
            return Err(ApiError::Fault(fault));
        }
        let parsed = serde_json::from_str::<Value>(&text);
        match parsed {
            Ok(value) if status.is_success() => Ok(value),
            Ok(value) if value["error"].is_object() => Err(ApiError::Fault(fault(status.as_u16(), &value))),
            _ => {
                let body = text.chars().take(400).collect();
                Err(ApiError::NotANode { url, status: status.as_u16(), body })
            }
        }
    }
}

impl Endpoint {
    fn new(url: &str, timeout: Duration, verify: bool) -> Self {
        let settings = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(timeout))
            .tls_config(tls(verify))
            .build();
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let agent = match url.strip_prefix("unix://") {
            Some(path) => {
                let connector = UnixConnector(Path::new(path).to_owned());
                ureq::Agent::with_parts(settings, connector, DefaultResolver::default())
            }
            None => settings.into(),
        };
        Self { url: url.trim_end_matches('/').to_owned(), agent }
    }
}

impl ApiError {
    /// Whether another endpoint may do better: this one does not answer, has no time, or is not a node.
    fn is_of_endpoint(&self) -> bool {
        match self {
            Self::Fault(fault) => BUSY.contains(&fault.status),
            Self::Unreachable { .. } | Self::NotANode { .. } => true,
        }
    }
}

/// The fault that a body tells of. Some endpoints have nothing but the message beside it (the trace API).
fn fault(status: u16, body: &Value) -> ApiFault {
    let error = &body["error"];
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    let message = || body["message"].as_str().unwrap_or_default().to_owned();
    let details = error["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    ApiFault {
        status,
        code: error["code"].as_u64().unwrap_or_default(),
        name: text("name"),
        what: Some(text("what")).filter(|what| !what.is_empty()).unwrap_or_else(message),
        details: details.iter().filter_map(|detail| detail["message"].as_str()).map(str::to_owned).collect(),
    }
}

/// Why nothing came back, and what to look at.
fn unreachable(url: &str, error: &ureq::Error) -> ApiError {
    use std::io::ErrorKind;

    const ADDRESS: &str = "is the node running, and is this its address (--url)?";
    const SCHEME: &str = "is it http:// or https:// there (--url)?";
    let text = error.to_string();
    let reason = text.strip_prefix("io: ").unwrap_or(&text).to_owned();
    let kind = match error {
        ureq::Error::Io(error) => Some(error.kind()),
        _ => None,
    };
    let (reason, advice) = match (error, kind) {
        (ureq::Error::BadUri(_) | ureq::Error::Http(_), _) => {
            (reason, "an address looks like http://127.0.0.1:8888 (--url)")
        }
        _ if reason.contains("certificate") => {
            (reason, "name a file with its authority in SSL_CERT_FILE, or leave the check out with -n")
        }
        (ureq::Error::HostNotFound, _) => ("there is no such host".to_owned(), "is the host's name right (--url)?"),
        _ if reason.contains("lookup") => (reason, "is the host's name right (--url)?"),
        (ureq::Error::Timeout(_), _) => (reason, "the node takes its time, or something between swallows packets"),
        (ureq::Error::Protocol(_) | ureq::Error::Tls(_) | ureq::Error::Rustls(_), _) => (reason, SCHEME),
        (_, Some(ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)) => (reason, SCHEME),
        (_, Some(ErrorKind::ConnectionRefused)) => ("nobody listens there".to_owned(), ADDRESS),
        (_, Some(ErrorKind::NotFound)) => ("there is no such socket".to_owned(), ADDRESS),
        _ => (reason, ADDRESS),
    };
    let refused = matches!(kind, Some(ErrorKind::ConnectionRefused | ErrorKind::NotFound));
    let sent = !refused && !matches!(error, ureq::Error::HostNotFound | ureq::Error::BadUri(_));
    ApiError::Unreachable { url: url.to_owned(), reason, advice, sent }
}

/// A file that cannot be read counts as none: the check then fails, and says so.
fn tls(verify: bool) -> TlsConfig {
    let pem = std::env::var_os("SSL_CERT_FILE").and_then(|file| std::fs::read(file).ok());
    let roots = pem.map_or(RootCerts::WebPki, |pem| {
        let certificates = parse_pem(&pem).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        });
        RootCerts::new_with_certs(&certificates.collect::<Vec<Certificate<'static>>>())
    });
    TlsConfig::builder().disable_verification(!verify).root_certs(roots).build()
}

/// The fault, as cleos makes it, of an endpoint that a node serves only with a plugin that it does not have.
fn missing_plugin(path: &str, status: u16, body: &str) -> Option<ApiFault> {
    const PLUGINS: [(&str, FaultKind, &str); 4] = [
        (
            "/v1/chain/",
            FaultKind::MISSING_CHAIN_API_PLUGIN_EXCEPTION,
            "Chain API plugin is not enabled on specified endpoint",
        ),
        (
            "/v1/wallet/",
            FaultKind::MISSING_WALLET_API_PLUGIN_EXCEPTION,
            "Wallet is not available on specified endpoint",
        ),
        (
            "/v1/history/",
            FaultKind::MISSING_HISTORY_API_PLUGIN_EXCEPTION,
            "History API support is not enabled on specified endpoint",
        ),
        (
            "/v1/net/",
            FaultKind::MISSING_NET_API_PLUGIN_EXCEPTION,
            "Net API plugin is not enabled on specified endpoint",
        ),
    ];
    let (_, kind, message) = PLUGINS.into_iter().find(|(prefix, ..)| path.starts_with(prefix))?;
    // Blocks that are not known are answered so, too.
    let unknown = status == 404 && body.contains("Unknown Endpoint");
    unknown.then(|| ApiFault { status, ..ApiFault::from(Fault::new(kind, message)) })
}
