//! Actions and the permissions that authorise them.

use codec::{Bytes, Pack, Unpack};

use crate::Name;

/// An account's permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pack, Unpack)]
pub struct PermissionLevel {
    /// The account.
    pub actor: Name,
    /// Its permission.
    pub permission: Name,
}

/// One call of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct Action {
    /// The contract.
    pub account: Name,
    /// The action's name.
    pub name: Name,
    /// Who stands for it.
    pub authorization: Vec<PermissionLevel>,
    /// Its arguments, packed as the contract's ABI says.
    pub data: Bytes,
}
