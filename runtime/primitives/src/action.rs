//! Actions and the permissions that authorise them.

use codec::{Bytes, Pack, Sink, Unpack};
use serde::{Deserialize, Serialize};

use crate::{Checksum256, Name, Sha256};

/// An account's permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pack, Unpack, Serialize, Deserialize)]
pub struct PermissionLevel {
    /// The account.
    pub actor: Name,
    /// Its permission.
    pub permission: Name,
}

impl std::fmt::Display for PermissionLevel {
    /// `actor@permission`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.actor, self.permission)
    }
}

/// One call of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
pub struct Action {
    /// The contract.
    pub account: Name,
    /// The action's name.
    pub name: Name,
    /// Who stands for it.
    #[serde(default)]
    pub authorization: Vec<PermissionLevel>,
    /// Its arguments, packed as the contract's ABI says.
    #[serde(default)]
    pub data: Bytes,
}

impl Action {
    /// What receipts say was done, before ACTION_RETURN_VALUE.
    pub fn digest(&self) -> Checksum256 {
        Sha256::packed(self)
    }

    /// What receipts say was done and returned, since ACTION_RETURN_VALUE (nodeos: `generate_action_digest`).
    pub fn digest_with_return_value(&self, return_value: &[u8]) -> Checksum256 {
        let mut base = Sha256::default();
        self.account.pack(&mut base);
        self.name.pack(&mut base);
        self.authorization.pack(&mut base);
        let mut data = Sha256::default();
        self.data.pack(&mut data);
        codec::VarUint32(u32::try_from(return_value.len()).expect("limited by the chain's parameters")).pack(&mut data);
        data.put(return_value);
        let mut pair = [0; 64];
        pair[..32].copy_from_slice(&base.finish().0);
        pair[32..].copy_from_slice(&data.finish().0);
        Sha256::of(&pair)
    }
}
