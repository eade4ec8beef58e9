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
    name: &'static str,
    what: Box<str>,
    details: Box<[String]>,
    place: Place,
}

impl Failure {
    /// A fault at a place.
    pub fn new(kind: FaultKind, message: impl Into<String>, place: Place) -> Self {
        Self::from(Fault::new(kind, message)).at(place)
    }

    /// A request that is turned away before it reaches an endpoint; `what` tells why.
    pub fn plain(status: u16, message: &'static str, what: String) -> Self {
        Self { status, message, code: 0, name: "", what: what.into(), details: Box::default(), place: ("", 0, "") }
    }

    /// A path that no endpoint has.
    pub fn unknown_path() -> Self {
        Self {
            name: "exception",
            details: ["Unknown Endpoint".to_owned()].into(),
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
        let message = "Unable to parse valid input from POST body".to_owned();
        let place = ("http_plugin.hpp", 270, "parse_params");
        let details = [message].into_iter().chain(why.details).collect();
        Self { details, ..Self::new(FaultKind::INVALID_HTTP_REQUEST, "", place) }
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
            name: fault.kind.name,
            what: fault.what().into(),
            details: fault.details.into(),
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
