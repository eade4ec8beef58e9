//! The values of an Antelope chain, each with its binary form (`codec`) and its text and JSON forms as nodeos
//! prints them. No state, no rules that need state, no execution.

pub mod action;
pub mod asset;
pub mod authority;
pub mod block;
pub mod chain_config;
pub mod digest;
pub mod extensions;
pub mod fault;
pub mod genesis;
pub mod json;
pub mod key;
pub mod merkle;
pub mod message;
pub mod name;
pub mod number;
pub mod packed;
pub mod schedule;
pub mod system_abi;
pub mod time;
pub mod transaction;
pub mod variant;

pub use action::{Action, PermissionLevel};
pub use asset::{Asset, ExtendedAsset, Symbol, SymbolCode};
pub use authority::{Authority, KeyWeight, PermissionLevelWeight, WaitWeight};
pub use block::{BlockHeader, SignedBlock, SignedBlockHeader, TransactionReceipt, TransactionStatus};
pub use chain_config::{ChainConfig, WasmConfig};
pub use codec::{Bytes, DecodeError, Pack, Reader, Sink, Unpack, VarInt32, VarUint32};
pub use digest::{BlockId, ChainId, Checksum160, Checksum256, Checksum512, Sha256, TransactionId, number_of};
pub use fault::{Fault, FaultKind};
pub use genesis::Genesis;
pub use key::{PrivateKey, PublicKey, Signature, Signed, recover_all};
pub use name::Name;
pub use packed::{Compression, PackedTransaction};
pub use schedule::{BlockSigningAuthority, LegacySchedule, ProducerAuthority, ProducerKey, ProducerSchedule};
pub use system_abi::system_abi;
pub use time::{BlockTimestamp, TimePoint, TimePointSec};
pub use transaction::{SignedTransaction, Transaction, TransactionHeader};
