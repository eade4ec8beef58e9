//! Calls to a node and the errors that come back.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

/// A call may wait this long: a large contract compiles, a retried transaction becomes irreversible.
const CALL_TIMEOUT: Duration = Duration::from_secs(300);
/// Larger answers are not read.
const ANSWER_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A node reached over HTTP.
#[derive(Debug, Clone)]
pub struct Node {
    url: String,
    headers: Vec<(String, String)>,
    agent: ureq::Agent,
    /// Sees what is sent and what comes back.
    observer: Option<fn(Message, &str)>,
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
    #[error("no answer from {url}: {reason}\nis the node running, and is this its address (--url)?")]
    Unreachable {
        /// What was called.
        url: String,
        /// What the network said.
        reason: String,
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

impl fmt::Display for ApiFault {
    /// As cleos prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error {}: {}", self.code, self.what)?;
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
    /// A node at `url` (`http://host:port`); `headers` go with every call.
    pub fn new(url: &str, headers: Vec<(String, String)>) -> Self {
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let settings =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(CALL_TIMEOUT)).build();
        Self { url: url.trim_end_matches('/').to_owned(), headers, agent: settings.into(), observer: None }
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
        let url = format!("{}{path}", self.url);
        let unreachable = |error: ureq::Error| ApiError::Unreachable { url: url.clone(), reason: error.to_string() };
        let mut request = self.agent.post(&url).header("content-type", "application/json");
        for (key, value) in &self.headers {
            request = request.header(key, value);
        }
        let body = body.to_string();
        self.show(Message::Request, &body);
        let mut answer = request.send(body).map_err(unreachable)?;
        let status = answer.status();
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(unreachable)?;
        self.show(Message::Response, &text);
        let parsed = serde_json::from_str::<Value>(&text);
        match parsed {
            Ok(value) if status.is_success() => Ok(value),
            Ok(value) if value["error"].is_object() => Err(ApiError::Fault(fault(status.as_u16(), &value["error"]))),
            _ => {
                let body = text.chars().take(400).collect();
                Err(ApiError::NotANode { url, status: status.as_u16(), body })
            }
        }
    }
}

fn fault(status: u16, error: &Value) -> ApiFault {
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    let details = error["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    ApiFault {
        status,
        code: error["code"].as_u64().unwrap_or_default(),
        name: text("name"),
        what: text("what"),
        details: details.iter().filter_map(|detail| detail["message"].as_str()).map(str::to_owned).collect(),
    }
}
