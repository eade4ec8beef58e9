//! Contract ABIs (`eosio::abi/1.0` to `1.3`): definitions, and packed bytes to JSON and back as nodeos does it.
//!
//! For the API and for tools, never for execution. The rules and messages are those of nodeos' `abi_serializer`.
//!
//! - [`AbiDefinition`]: what a contract publishes, in binary and JSON.
//! - [`Abi`]: a definition that was checked and can be used.
//! - [`Abi::decode`] and [`Abi::encode`]: bytes to JSON and JSON to bytes.
//! - [`json`]: JSON text as nodeos reads it.
//! - [`present`]: transactions and blocks in JSON with their actions' arguments decoded.

mod builtin;
mod checked;
mod context;
mod decode;
mod definition;
mod encode;
pub mod json;
mod limits;
pub mod present;
mod text;

pub use checked::Abi;
pub use definition::{
    AbiDefinition, ActionDefinition, ActionResultDefinition, ClausePair, ErrorMessage, FieldDefinition,
    StructDefinition, TableDefinition, TypeDefinition, VariantDefinition,
};
pub use limits::{Budget, Limits};
pub use text::Text;
