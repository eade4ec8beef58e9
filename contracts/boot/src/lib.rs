//! `eosio.boot`: switches protocol features on, and asks for nothing that a chain without them lacks.
//!
//! The companions of native actions do nothing: the chain has done the work when they run.

#![no_std]

/// The contract.
#[sdk::contract]
pub mod boot {
    use sdk::prelude::*;
    use sdk::{chain, privileged};

    /// Creates the account {{name}}.
    #[action]
    fn newaccount(creator: Name, name: Name, _owner: Ignore<Authority>, _active: Ignore<Authority>) {
        let _ = (creator, name);
    }

    /// Sets the permission {{permission}} of {{account}}.
    #[action]
    fn updateauth(_account: Ignore<Name>, _permission: Ignore<Name>, _parent: Ignore<Name>, _auth: Ignore<Authority>) {}

    /// Deletes the permission {{permission}} of {{account}}.
    #[action]
    fn deleteauth(_account: Ignore<Name>, _permission: Ignore<Name>) {}

    /// Lets {{requirement}} authorise {{account}}'s actions of type {{type}} at {{code}}.
    #[action]
    fn linkauth(_account: Ignore<Name>, _code: Ignore<Name>, _type: Ignore<Name>, _requirement: Ignore<Name>) {}

    /// Undoes `linkauth`.
    #[action]
    fn unlinkauth(_account: Ignore<Name>, _code: Ignore<Name>, _type: Ignore<Name>) {}

    /// Cancels a delayed transaction.
    #[action]
    fn canceldelay(_canceling_auth: Ignore<PermissionLevel>, _trx_id: Ignore<Checksum256>) {}

    /// Sets {{account}}'s contract.
    #[action]
    fn setcode(account: Name, vmtype: u8, vmversion: u8, code: &[u8]) {
        let _ = (account, vmtype, vmversion, code);
    }

    /// Sets {{account}}'s ABI.
    #[action]
    fn setabi(account: Name, abi: &[u8]) {
        let _ = (account, abi);
    }

    /// Told to the sender of a failed deferred transaction; never called directly.
    #[action]
    fn onerror(_sender_id: Ignore<u128>, _sent_trx: Ignore<[u8]>) {
        fail("the onerror action cannot be called directly");
    }

    /// Switches the protocol feature {{feature_digest}} on.
    #[action]
    fn activate(feature_digest: Checksum256) {
        require_auth(current_receiver());
        privileged::preactivate_feature(&feature_digest);
    }

    /// Fails unless the protocol feature {{feature_digest}} is on.
    #[action]
    fn reqactivated(feature_digest: Checksum256) {
        check(chain::is_feature_activated(&feature_digest), "protocol feature is not activated");
    }
}
