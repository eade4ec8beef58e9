//! The contract SDK: what a contract author imports, and nothing else.
//!
//! A contract is a module with `#[contract]`; its `#[action]` functions are what the chain can call, its `#[table]`
//! structs are the rows it keeps. `use sdk::prelude::*;` brings in everything below. The crate knows no particular
//! contract and no node; it is `no_std` on the chain, and on the build machine it can describe a contract as an ABI.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate self as sdk;

#[doc(hidden)]
pub extern crate alloc;

// --- the ground: host functions, memory, failing
pub mod fail;
mod memory;
pub mod raw;

// --- values
pub mod asset;
pub mod authority;
pub mod bytestr;
pub mod codec;
pub mod digest;
pub mod float128;
pub mod key;
pub mod name;
pub mod ordered;
pub mod parameters;
pub mod text;
pub mod time;
pub mod writer;

// --- what a contract does
pub mod action;
pub mod chain;
pub mod crypto;
pub mod index;
pub mod print;
pub mod privileged;
pub mod singleton;
pub mod table;
pub mod transaction;

// --- how it is called, described and tested
#[cfg(not(target_arch = "wasm32"))]
pub mod abi;
pub mod dispatch;
#[cfg(not(target_arch = "wasm32"))]
pub mod mock;
#[doc(hidden)]
pub mod quiet;

pub use sdk_macros::{Record, action, contract, interface, name, on_notify, symbol, table};

/// Everything a contract usually needs.
pub mod prelude {
    pub use crate::action::{Action, Call, PermissionLevel};
    pub use crate::asset::{Asset, ExtendedAsset, Symbol, SymbolCode};
    pub use crate::authority::{Authority, BlockSigningAuthority, KeyWeight, PermissionLevelWeight, WaitWeight};
    pub use crate::bytestr::{ByteStr, ByteString};
    pub use crate::chain::{
        current_receiver, current_time, has_auth, is_account, require_auth, require_auth_of, require_recipient,
    };
    pub use crate::codec::{Extension, Ignore, Pack, Reader, Unpack, VarInt32, VarUint32, Writer, pack, unpack};
    pub use crate::digest::{Checksum160, Checksum256, Checksum512};
    pub use crate::fail::{check, fail};
    pub use crate::key::{PublicKey, Signature};
    pub use crate::name::Name;
    pub use crate::singleton::Singleton;
    pub use crate::table::{Entry, SAME_PAYER, Table};
    pub use crate::text::Text;
    pub use crate::time::{BlockTimestamp, TimePoint, TimePointSec};
    pub use crate::transaction::{Transaction, TransactionHeader};
    pub use crate::{Record, action, check, contract, interface, name, on_notify, print, symbol, table, text};
    pub use alloc::boxed::Box;
    pub use alloc::collections::BTreeMap;
    pub use alloc::string::String;
    pub use alloc::vec;
    pub use alloc::vec::Vec;
    pub use core::time::Duration;

    use crate::alloc;
}
