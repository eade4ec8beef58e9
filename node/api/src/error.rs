//! Failures as nodeos' http_plugin shows them: status, and a body with code, name, what and details.

use primitives::{Fault, FaultKind};
use serde::Serialize;

/// Messages that an answer holds at most with `--verbose-http-errors`.
const DETAILS_VERBOSE_MAX: usize = 10;

/// One log message of a failure.
#[derive(Debug, Clone, Serialize)]
pub struct Detail {
    /// The message.
    pub message: String,
    /// The source file that wrote it; nodeos' for failures of the API itself, else empty.
    pub file: &'static str,
    /// The line.
    pub line_number: u64,
    /// The function.
    pub method: &'static str,
}

/// A failure on its way to the client.
#[derive(Debug, Clone)]
pub struct ApiError {
    status: u16,
    message: &'static str,
    code: u64,
    name: String,
    what: String,
    details: Vec<Detail>,
    /// The breaker that refuses.
    breaker: Option<&'static str>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: u16,
    message: &'a str,
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: u64,
    name: &'a str,
    what: &'a str,
    details: &'a [Detail],
}

impl ApiError {
    /// A fault with the status that nodeos gives its kind.
    pub fn of(fault: &Fault) -> Self {
        let kind = fault.kind;
        let (status, message) = if kind.is_a(FaultKind::UNKNOWN_BLOCK_EXCEPTION) {
            (400, "Unknown Block")
        } else if kind.is_a(FaultKind::INVALID_HTTP_REQUEST) {
            (400, "Invalid Request")
        } else if kind.is_a(FaultKind::ACCOUNT_QUERY_EXCEPTION) {
            (400, "Account lookup")
        } else if kind.is_a(FaultKind::UNSATISFIED_AUTHORIZATION) {
            (401, "UnAuthorized")
        } else if kind == FaultKind::TX_DUPLICATE {
            (409, "Conflict")
        } else {
            (500, "Internal Service Error")
        };
        // A standard exception that reaches the end is passed on there.
        let bare = fault.details.is_empty().then(|| format!("rethrow {}: ", fault.what()));
        let details = fault.details.iter().chain(&bare).map(|message| Detail {
            message: message.clone(),
            file: "",
            line_number: 0,
            method: "",
        });
        Self {
            status,
            message,
            code: u64::from(kind.code),
            name: kind.name.to_owned(),
            what: fault.what().to_owned(),
            details: details.collect(),
            breaker: None,
        }
    }

    /// The failure of a transaction that was run: nodeos shows all kinds but duplicates alike.
    pub fn of_transaction(fault: &Fault) -> Self {
        let error = Self::of(fault);
        match error.status {
            409 => error,
            _ => Self { status: 500, message: "Internal Service Error", ..error },
        }
    }

    /// A failure of the API itself.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self::of(&Fault::new(kind, message))
    }

    /// A body that is not what the endpoint reads; `why` are the reader's own messages.
    pub fn bad_body(message: &str, why: Vec<String>) -> Self {
        let mut error = Self::new(FaultKind::INVALID_HTTP_REQUEST, message).at("http_plugin.hpp", 270, "parse_params");
        error.details.extend(why.into_iter().map(|message| Detail { message, file: "", line_number: 0, method: "" }));
        error
    }

    /// A path that no endpoint has.
    pub fn unknown_path() -> Self {
        Self {
            status: 404,
            message: "Not Found",
            code: 0,
            name: "exception".to_owned(),
            what: "unspecified".to_owned(),
            details: vec![Detail {
                message: "Unknown Endpoint".to_owned(),
                file: "beast_http_session.hpp",
                line_number: 185,
                method: "handle_request",
            }],
            breaker: None,
        }
    }

    /// A request that is turned away before it reaches an endpoint.
    pub fn plain(status: u16, message: &'static str) -> Self {
        Self { status, message, code: 0, name: String::new(), what: String::new(), details: Vec::new(), breaker: None }
    }

    /// The same with a sentence on what is wrong and what to do, where nodeos says nothing.
    #[must_use]
    pub fn because(self, what: String) -> Self {
        Self { what, ..self }
    }

    /// Too much is asked at once, of what the breaker is named for.
    pub fn busy(breaker: &'static str, what: String) -> Self {
        let message = format!("the breaker {breaker} is open; try again");
        let details = vec![Detail { message, file: "", line_number: 0, method: "" }];
        let breaker = Some(breaker);
        Self { code: 429, name: "Busy".to_owned(), what, details, breaker, ..Self::plain(429, "Busy") }
    }

    /// The breaker that refuses, if one does.
    pub fn breaker(&self) -> Option<&'static str> {
        self.breaker
    }

    /// The call is not this client's to make.
    pub fn forbidden(what: String) -> Self {
        Self { code: 403, name: "Forbidden".to_owned(), what, ..Self::plain(403, "Forbidden") }
    }

    /// Names the place in nodeos' sources that the first message comes from, as clients know it.
    #[must_use]
    pub fn at(mut self, file: &'static str, line_number: u64, method: &'static str) -> Self {
        if let Some(first) = self.details.first_mut() {
            (first.file, first.line_number, first.method) = (file, line_number, method);
        }
        self
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The JSON body; without `verbose` only the first message stays.
    pub fn body(&self, verbose: bool) -> Vec<u8> {
        let shown = if verbose { DETAILS_VERBOSE_MAX } else { 1 };
        let details = &self.details[..self.details.len().min(shown)];
        let inner = Inner { code: self.code, name: &self.name, what: &self.what, details };
        serde_json::to_vec(&Body { code: self.status, message: self.message, error: inner })
            .expect("texts and numbers are always JSON")
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        Self::of(&fault)
    }
}

impl From<engine::Refused> for ApiError {
    fn from(refused: engine::Refused) -> Self {
        Fault::from(refused).into()
    }
}

impl From<engine::Refusal> for ApiError {
    fn from(refusal: engine::Refusal) -> Self {
        Fault::from(refusal).into()
    }
}

impl From<store::StoreError> for ApiError {
    fn from(error: store::StoreError) -> Self {
        Self::new(FaultKind::EXCEPTION, error.to_string())
    }
}
