//! `eosio.bios`: what a chain needs before its system contract: privileges, limits, schedules, parameters, features.
//!
//! The companions of native actions do nothing: the chain has done the work when they run.

#![no_std]

/// The contract.
#[sdk::contract]
pub mod bios {
    use sdk::authority::{BlockSigningAuthorityV0, ProducerAuthority, ProducerKey};
    use sdk::parameters::BlockchainParameters;
    use sdk::prelude::*;
    use sdk::privileged::{self, ResourceLimits};
    use sdk::{chain, crypto};

    /// The hash of an account's ABI.
    #[table("abihash")]
    pub struct AbiHash {
        /// The account.
        #[primary]
        pub owner: Name,
        /// SHA-256 of the packed ABI.
        pub hash: Checksum256,
    }

    /// Creates the account {{name}}.
    #[action]
    fn newaccount(_creator: Ignore<Name>, _name: Ignore<Name>, _owner: Ignore<Authority>, _active: Ignore<Authority>) {}

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
    fn setcode(_account: Ignore<Name>, _vmtype: Ignore<u8>, _vmversion: Ignore<u8>, _code: Ignore<[u8]>) {}

    /// Sets {{account}}'s ABI, and keeps its hash.
    #[action]
    fn setabi(account: Name, abi: &[u8]) {
        let this = current_receiver();
        let hash = crypto::sha256(abi);
        let hashes = Table::<AbiHash>::new(this, this);
        match hashes.find(account) {
            Some(mut row) => row.modify(SAME_PAYER, |row| row.hash = hash),
            None => {
                hashes.insert(account, AbiHash { owner: account, hash });
            }
        }
    }

    /// Told to the sender of a failed deferred transaction; never called directly.
    #[action]
    fn onerror(_sender_id: Ignore<u128>, _sent_trx: Ignore<[u8]>) {
        fail("the onerror action cannot be called directly");
    }

    /// Makes {{account}} privileged, or no longer so.
    #[action]
    fn setpriv(account: Name, is_priv: u8) {
        require_auth(current_receiver());
        privileged::set_privileged(account, is_priv != 0);
    }

    /// Sets the resource limits of {{account}}; -1 is without limit.
    #[action]
    fn setalimits(account: Name, ram_bytes: i64, net_weight: i64, cpu_weight: i64) {
        require_auth(current_receiver());
        privileged::set_resource_limits(account, ResourceLimits { ram_bytes, net_weight, cpu_weight });
    }

    /// Proposes a schedule of producers, each with one key.
    ///
    /// Only that: the call that takes any authority is a protocol feature, and a module that imports it could not be set
    /// on a chain that has yet to activate its features.
    #[action]
    fn setprods(schedule: Vec<ProducerAuthority>) {
        require_auth(current_receiver());
        let single = |producer: ProducerAuthority| match producer.authority.v0() {
            BlockSigningAuthorityV0 { threshold: 1, keys } if keys.len() == 1 => {
                ProducerKey { producer_name: producer.producer_name, block_signing_key: keys[0].key.clone() }
            }
            _ => fail("a producer of the bios contract signs with one key and a threshold of 1"),
        };
        let producers: Vec<_> = schedule.into_iter().map(single).collect();
        privileged::set_proposed_producer_keys(&producers);
    }

    /// Sets the chain's configuration.
    #[action]
    fn setparams(params: BlockchainParameters) {
        require_auth(current_receiver());
        privileged::set_blockchain_parameters(&params);
    }

    /// Asks for {{from}}'s authorization and does nothing with it.
    #[action]
    fn reqauth(from: Name) {
        require_auth(from);
    }

    /// Switches the protocol feature {{feature_digest}} on.
    #[action]
    fn activate(feature_digest: Checksum256) {
        require_auth(current_receiver());
        privileged::preactivate_feature(&feature_digest);
    }

    /// Fails unless the protocol feature {{feature_digest}} is active.
    #[action]
    fn reqactivated(feature_digest: Checksum256) {
        check(chain::is_feature_activated(&feature_digest), "protocol feature is not activated");
    }
}
