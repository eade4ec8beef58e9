//! Numbered faults: nodeos' exceptions by code, name and message.

/// What kind of fault: one of nodeos' exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultKind {
    /// nodeos' number, e.g. 3050003.
    pub code: u32,
    /// nodeos' name, e.g. `eosio_assert_message_exception`.
    pub name: &'static str,
    /// nodeos' general description.
    pub what: &'static str,
}

/// A fault of one transaction or block: a value, never a broken node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// nodeos' log messages, the first one from where it was thrown, later ones from where it was passed on.
    pub details: Vec<String>,
}
