//! Numbered faults: nodeos' exceptions by code, name and message.
//!
//! A fault is objective: every node finds the same one. Local refusals and broken nodes are other types.

mod table;

use std::fmt;

use crate::message::printable;

/// What kind of fault: one of nodeos' exceptions. The kinds are constants, e.g. [`FaultKind::NAME_TYPE_EXCEPTION`].
#[derive(Clone, Copy)]
pub struct FaultKind {
    /// nodeos' number, e.g. 3050003.
    pub code: u32,
    /// nodeos' name, e.g. `eosio_assert_message_exception`.
    pub name: &'static str,
    /// nodeos' general description.
    pub what: &'static str,
    /// The more general kind that handlers may look for.
    pub parent: Option<&'static FaultKind>,
}

impl PartialEq for FaultKind {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for FaultKind {}

impl fmt::Debug for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.code)
    }
}

impl FaultKind {
    /// The kind with nodeos' number `code`.
    pub fn by_code(code: u32) -> Option<Self> {
        table::ALL.binary_search_by_key(&code, |kind| kind.code).ok().map(|index| table::ALL[index])
    }

    /// The kind that nodeos calls `name`.
    pub fn by_name(name: &str) -> Option<Self> {
        table::ALL.iter().find(|kind| kind.name == name).copied()
    }

    /// Every kind, ascending by number.
    pub fn all() -> &'static [Self] {
        table::ALL
    }

    /// Whether this is `other` or a special case of it, as a C++ `catch` would see it.
    pub fn is_a(self, other: Self) -> bool {
        self == other || self.parent.is_some_and(|parent| parent.is_a(other))
    }
}

/// A fault of one transaction or block: a value, never a broken node.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// nodeos' log messages, the first one from where it was thrown, later ones from where it was passed on.
    pub details: Vec<String>,
    /// The number a contract gave to `eosio_assert_code`; nodeos shows it as the trace's `error_code`.
    pub error_code: Option<u64>,
    /// What a C++ standard exception says of itself (`std::exception::what`); it takes the place of the kind's sentence.
    standard: Option<Box<str>>,
}

impl Fault {
    /// A fault with the message of the place that found it.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, details: vec![said(message.into())], error_code: None, standard: None }
    }

    /// A C++ standard exception. It has no messages before somebody passes it on.
    pub fn standard(what: impl Into<Box<str>>) -> Self {
        Self { kind: FaultKind::STD_EXCEPTION, details: Vec::new(), error_code: None, standard: Some(what.into()) }
    }

    /// The sentence that says what kind of fault it is.
    pub fn what(&self) -> &str {
        self.standard.as_deref().unwrap_or(self.kind.what)
    }

    /// What a standard exception says that nobody has passed on yet.
    fn bare(&self) -> Option<&str> {
        self.standard.as_deref().filter(|_| self.details.is_empty())
    }

    /// The same fault with one more message, from a place that passes it on (`FC_RETHROW_EXCEPTIONS`).
    #[must_use]
    pub fn with_context(mut self, message: impl Into<String>) -> Self {
        let message = said(message.into());
        let message = self.bare().map(|what| format!("{what}: {message}")).unwrap_or(message);
        self.details.push(message);
        self
    }

    /// The same fault with a contract's own error number.
    #[must_use]
    pub fn with_error_code(mut self, code: u64) -> Self {
        self.error_code = Some(code);
        self
    }

    /// Passes a fault on as `EOS_RETHROW_EXCEPTIONS(kind, message)` does: a chain exception keeps its kind, anything
    /// else takes the new one; the message is added, with what a standard exception says of itself.
    #[must_use]
    pub fn rethrown_as(mut self, kind: FaultKind, message: impl Into<String>) -> Self {
        if self.kind.is_a(FaultKind::CHAIN_EXCEPTION) {
            return self.with_context(message);
        }
        let message = said(message.into());
        let message = self.bare().map(|what| format!("{message} ({what})")).unwrap_or(message);
        self.details.insert(0, message);
        Self { kind, standard: None, ..self }
    }

    /// Finds a fault again in a text that its `Display` is part of, such as the error of a JSON reader.
    pub fn recognise(text: &str) -> Option<Self> {
        let (before, after) = text.split_once("): ")?;
        let (name, code) = before.rsplit_once(" (")?;
        let kind = FaultKind::by_code(code.parse().ok()?)?;
        name.ends_with(kind.name).then(|| Self::new(kind, after))
    }
}

/// A message as nodeos prints it: what clients send can be in it, with characters that no terminal should get.
fn said(message: String) -> String {
    let harmless = |character: char| !character.is_control() || matches!(character, '\t' | '\n' | '\r');
    if message.chars().all(harmless) { message } else { printable(message.as_bytes()) }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.bare().map_or_else(|| self.details.join("; "), str::to_owned);
        write!(f, "{} ({}): {said}", self.kind.name, self.kind.code)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Fault {}

impl codec::Pack for Fault {
    fn pack<S: codec::Sink + ?Sized>(&self, out: &mut S) {
        self.kind.code.pack(out);
        self.details.pack(out);
        self.error_code.pack(out);
        self.standard.as_deref().pack(out);
    }
}

impl codec::Unpack for Fault {
    fn unpack(input: &mut codec::Reader<'_>) -> Result<Self, codec::DecodeError> {
        let kind = FaultKind::by_code(u32::unpack(input)?).ok_or(codec::DecodeError::Invalid("number of a fault"))?;
        let (details, error_code) = (Vec::unpack(input)?, Option::unpack(input)?);
        Ok(Self { kind, details, error_code, standard: Option::<String>::unpack(input)?.map(Into::into) })
    }
}

/// What nodeos says of a compression of packed transactions that there is not: a kind of its own.
pub(crate) const UNKNOWN_COMPRESSION: &str = "Unknown transaction compression algorithm";

impl From<codec::DecodeError> for Fault {
    /// The exception that `fc::raw::unpack` would throw.
    fn from(error: codec::DecodeError) -> Self {
        use codec::DecodeError;
        let kind = match error {
            DecodeError::Truncated { .. } | DecodeError::TruncatedVarint { .. } => FaultKind::OUT_OF_RANGE_EXCEPTION,
            DecodeError::Invalid(UNKNOWN_COMPRESSION) => FaultKind::UNKNOWN_TRANSACTION_COMPRESSION,
            _ => FaultKind::ASSERT_EXCEPTION,
        };
        let message = match error {
            DecodeError::TooLong { limit: codec::ITEMS_MAX, .. } => "size.value <= MAX_NUM_ARRAY_ELEMENTS: ",
            DecodeError::TooLong { .. } => "size.value <= MAX_SIZE_OF_BYTE_ARRAYS: ",
            DecodeError::UnknownVariant { .. } => "Provided index out of range for variant.",
            DecodeError::BadFlag(_) => "(b & ~1) == 0: ",
            other => return Self::new(kind, other.to_string()),
        };
        Self::new(kind, message)
    }
}

/// Returns `Err(Fault)` unless the condition holds: `ensure!(condition, KIND, "format", ...)`.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $kind:ident, $($message:tt)+) => {
        if !$condition {
            return Err($crate::Fault::new($crate::FaultKind::$kind, format!($($message)+)).into());
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_ascending_and_every_number_is_found() {
        assert!(FaultKind::all().is_sorted_by(|a, b| a.code < b.code));
        for kind in FaultKind::all() {
            assert_eq!(FaultKind::by_code(kind.code), Some(*kind));
            assert!(kind.is_a(FaultKind::EXCEPTION));
        }
        assert_eq!(FaultKind::all().len(), 1 + 20 + 220);
    }

    #[test]
    fn faults_are_packed_whole() {
        use codec::{Pack, Unpack};
        let plain = Fault::new(FaultKind::NAME_TYPE_EXCEPTION, "first").with_context("second").with_error_code(7);
        for fault in [plain, Fault::standard("bad"), Fault::standard("bad").with_context("passed on")] {
            let read = Fault::from_bytes(&fault.to_bytes()).expect("it was packed");
            assert_eq!((read.kind, &read.details, read.error_code), (fault.kind, &fault.details, fault.error_code));
            assert_eq!(read.what(), fault.what());
        }
    }

    #[test]
    fn a_leeway_deadline_is_a_resource_exhaustion() {
        let kind = FaultKind::LEEWAY_DEADLINE_EXCEPTION;
        assert!(kind.is_a(FaultKind::DEADLINE_EXCEPTION) && kind.is_a(FaultKind::RESOURCE_EXHAUSTED_EXCEPTION));
        assert!(!kind.is_a(FaultKind::WASM_EXCEPTION));
    }

    #[test]
    fn a_standard_exception_keeps_what_it_says() {
        let fault = Fault::standard("bad luck");
        assert_eq!((fault.what(), fault.to_string().as_str()), ("bad luck", "std_exception (13): bad luck"));
        let wrapped = fault.clone().with_context("while trying").with_context("again");
        assert_eq!(
            (wrapped.what(), &wrapped.details[..]),
            ("bad luck", &["bad luck: while trying".to_owned(), "again".to_owned()][..])
        );
        let turned = fault.rethrown_as(FaultKind::UNPACK_EXCEPTION, "Unable to unpack");
        assert_eq!(
            (turned.kind, &turned.details[..]),
            (FaultKind::UNPACK_EXCEPTION, &["Unable to unpack (bad luck)".to_owned()][..])
        );
        assert_eq!(turned.what(), FaultKind::UNPACK_EXCEPTION.what);
    }

    #[test]
    fn a_fault_is_recognised_in_another_error() {
        let fault = Fault::new(FaultKind::NAME_TYPE_EXCEPTION, "Name is too long");
        let text = format!("field x: {fault}");
        assert_eq!(Fault::recognise(&text), Some(fault));
        assert_eq!(Fault::recognise("plain (text): here"), None);
    }
}
