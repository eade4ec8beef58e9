//! How execution ends: objective faults, and those of nodeos' C++ that more than one file raises.

use codec::{Reader, Unpack};
use primitives::{DecodeError, Fault, FaultKind, Name};

/// An objective fault ends what is being done; it becomes a value of the trace.
pub type Outcome<T = ()> = Result<T, Fault>;

/// `generic_system_error`: the error code of every fault that is not a contract's own.
const GENERIC_SYSTEM_ERROR: u64 = 10_000_000_000_000_000_000;

/// The error code that a trace shows for a fault.
pub(crate) fn error_code(fault: &Fault) -> Option<u64> {
    fault.kind.is_a(FaultKind::CHAIN_EXCEPTION).then(|| fault.error_code.unwrap_or(GENERIC_SYSTEM_ERROR))
}

/// Whether a failure rejects the block it happens in, not the transaction alone.
pub(crate) fn rejects_block(fault: &Fault) -> bool {
    [FaultKind::DISALLOWED_TRANSACTION_EXTENSIONS_BAD_BLOCK_EXCEPTION, FaultKind::PROTOCOL_FEATURE_BAD_BLOCK_EXCEPTION]
        .contains(&fault.kind)
}

/// The fault of C++ code that looked up a missing row.
#[cold]
pub(crate) fn unknown_key(name: Name) -> Fault {
    Fault::standard(format!("unknown key (eosio::chain::name): {name}"))
}

/// What nodeos' tables throw where a unique index has the key already.
#[cold]
pub(crate) fn uniqueness_violated() -> Fault {
    Fault::standard("could not insert object, most likely a uniqueness constraint was violated")
}

/// Reads a value from the front of bytes, with the fault of `fc::datastream` where they end early.
pub(crate) fn unpack_prefix<T: Unpack>(bytes: &[u8]) -> Outcome<T> {
    T::unpack(&mut Reader::new(bytes)).map_err(|error| decode_fault(error, bytes.len()))
}

pub(crate) fn decode_fault(error: DecodeError, length: usize) -> Fault {
    match error {
        DecodeError::Truncated { left, .. } => Fault::new(
            FaultKind::OUT_OF_RANGE_EXCEPTION,
            format!("read datastream of length {length} over by {}", 1 - left as i64),
        ),
        other => other.into(),
    }
}
