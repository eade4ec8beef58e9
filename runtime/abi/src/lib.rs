//! Contract ABIs (`eosio::abi/1.0` to `1.3`): definitions, and packed bytes to JSON and back as nodeos does it.
//!
//! For the API and for tools, never for execution.

mod definition;

pub use definition::AbiDefinition;
