//! Contract ABIs (`eosio::abi/1.0` to `1.3`): definitions, and packed bytes to JSON and back as nodeos does it.
//!
//! For the API and for tools, never for execution. In reading order:
//! - [`definition`]: what an ABI says, in binary and JSON.
//! - [`abi`]: a checked ABI: which types there are.
//! - [`builtin`]: the types that every ABI knows.
//! - [`path`]: where in a value the reader or writer is, for messages, and how deep.
//! - [`decode`] and [`encode`]: bytes to JSON, JSON to bytes.

mod abi;
mod builtin;
mod decode;
pub mod definition;
mod encode;
mod path;

pub use abi::Abi;
pub use definition::AbiDefinition;
pub use path::Names;

/// Types may be nested this deep (`abi_serializer::max_recursion_depth`).
pub const RECURSION_DEPTH_MAX: usize = 32;
/// JSON is packed into at most this many bytes (the buffer of `variant_to_binary`).
pub const PACKED_BYTES_MAX: usize = 1024 * 1024;
