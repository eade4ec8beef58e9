//! Failures as keosd answers them: fault, place in its sources, status and JSON.

use primitives::{Fault, FaultKind};
use serde_json::{Value, json};
use wallet::WalletError;

/// Messages of a fault that are shown with `--verbose-http-errors`.
const DETAILS_VERBOSE_MAX: usize = 10;

/// A file of keosd's sources, a line and a function: clients show them.
pub type Place = (&'static str, u32, &'static str);

/// An answer of failure.
#[derive(Debug)]
pub struct Failure {
    status: u16,
    message: &'static str,
    code: u64,
    name: String,
    what: String,
    details: Vec<String>,
    place: Place,
}

impl Failure {
    /// A fault at a place.
    pub fn new(kind: FaultKind, message: impl Into<String>, place: Place) -> Self {
        Self::from(Fault::new(kind, message)).at(place)
    }

    /// A request that is turned away before it reaches an endpoint; `what` tells why.
    pub fn plain(status: u16, message: &'static str, what: String) -> Self {
        Self { status, message, code: 0, name: String::new(), what, details: Vec::new(), place: ("", 0, "") }
    }

    /// A path that no endpoint has.
    pub fn unknown_path() -> Self {
        Self {
            name: "exception".to_owned(),
            details: vec!["Unknown Endpoint".to_owned()],
            place: ("beast_http_session.hpp", 185, "handle_request"),
            ..Self::plain(404, "Not Found", "unspecified".to_owned())
        }
    }

    /// The same, from another place.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// A body that is not what the endpoint reads.
    pub fn unreadable(why: Fault) -> Self {
        let message = "Unable to parse valid input from POST body";
        let mut failure = Self::new(FaultKind::INVALID_HTTP_REQUEST, message, ("http_plugin.hpp", 270, "parse_params"));
        failure.details.extend(why.details);
        failure
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body; without `verbose` only the first message stays.
    pub fn body(&self, verbose: bool) -> Value {
        let shown = if verbose { DETAILS_VERBOSE_MAX } else { 1 };
        let (file, line, method) = self.place;
        let details = self.details.iter().take(shown);
        let details =
            details.map(|message| json!({ "message": message, "file": file, "line_number": line, "method": method }));
        json!({
            "code": self.status,
            "message": self.message,
            "error": { "code": self.code, "name": self.name, "what": self.what, "details": details.collect::<Vec<_>>() },
        })
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let (status, message) = match fault.kind == FaultKind::INVALID_HTTP_REQUEST {
            true => (400, "Invalid Request"),
            false => (500, "Internal Service Error"),
        };
        Self {
            status,
            message,
            code: u64::from(fault.kind.code),
            name: fault.kind.name.to_owned(),
            what: fault.what().to_owned(),
            details: fault.details,
            place: ("", 0, ""),
        }
    }
}

impl From<WalletError> for Failure {
    /// What happens to the file of a wallet while keosd would hold it in memory.
    fn from(error: WalletError) -> Self {
        let kind = match error {
            WalletError::BadKey(fault) => return fault.into(),
            WalletError::Missing(_) => FaultKind::WALLET_NONEXISTENT_EXCEPTION,
            WalletError::Locked(_) => FaultKind::WALLET_LOCKED_EXCEPTION,
            WalletError::KeyExists => FaultKind::KEY_EXIST_EXCEPTION,
            WalletError::KeyMissing => FaultKind::KEY_NONEXISTENT_EXCEPTION,
            _ => FaultKind::WALLET_EXCEPTION,
        };
        Self::new(kind, error.to_string(), ("wallet.cpp", 0, ""))
    }
}
