//! The actions that every chain has before its first contract: their names and arguments (nodeos: contract_types.hpp).

use codec::{Pack, Unpack};
use primitives::{Authority, Bytes, Name, PermissionLevel, TransactionId, name};

pub(crate) const NEWACCOUNT: Name = name!("newaccount");
pub(crate) const SETCODE: Name = name!("setcode");
pub(crate) const SETABI: Name = name!("setabi");
pub(crate) const UPDATEAUTH: Name = name!("updateauth");
pub(crate) const DELETEAUTH: Name = name!("deleteauth");
pub(crate) const LINKAUTH: Name = name!("linkauth");
pub(crate) const UNLINKAUTH: Name = name!("unlinkauth");
pub(crate) const CANCELDELAY: Name = name!("canceldelay");
pub(crate) const ONBLOCK: Name = name!("onblock");
pub(crate) const ONERROR: Name = name!("onerror");

/// Creates an account.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct NewAccount {
    /// Who pays.
    pub creator: Name,
    /// The new name.
    pub name: Name,
    /// Its owner authority.
    pub owner: Authority,
    /// Its active authority.
    pub active: Authority,
}

/// Deploys code; empty code removes it.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct SetCode {
    /// Where.
    pub account: Name,
    /// Kind of code; 0.
    pub vmtype: u8,
    /// Version of the kind; 0.
    pub vmversion: u8,
    /// The WASM module.
    pub code: Bytes,
}

/// Sets the packed ABI of an account.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct SetAbi {
    /// Where.
    pub account: Name,
    /// The packed ABI; any bytes are taken.
    pub abi: Bytes,
}

/// Creates or changes a permission.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct UpdateAuth {
    /// Whose.
    pub account: Name,
    /// Which.
    pub permission: Name,
    /// The permission above it; empty for `owner`.
    pub parent: Name,
    /// Who satisfies it.
    pub auth: Authority,
}

/// Removes a permission.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct DeleteAuth {
    /// Whose.
    pub account: Name,
    /// Which.
    pub permission: Name,
}

/// Says which permission is enough for an action.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct LinkAuth {
    /// Whose.
    pub account: Name,
    /// The contract.
    pub code: Name,
    /// Its action, or empty for all (nodeos: `type`).
    pub action: Name,
    /// The permission.
    pub requirement: Name,
}

/// Removes a link.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct UnlinkAuth {
    /// Whose.
    pub account: Name,
    /// The contract.
    pub code: Name,
    /// Its action, or empty for all (nodeos: `type`).
    pub action: Name,
}

/// Cancels a delayed transaction.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct CancelDelay {
    /// A permission that the transaction declares.
    pub canceling_auth: PermissionLevel,
    /// The transaction.
    pub trx_id: TransactionId,
}

/// Arguments of `eosio::onerror`: what failed, delivered to its sender.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct OnError {
    /// The sender's own number of the transaction.
    pub sender_id: u128,
    /// The packed transaction.
    pub sent_trx: Bytes,
}
