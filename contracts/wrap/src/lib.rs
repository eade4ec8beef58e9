//! `eosio.wrap`: executes a transaction without its authorizations. It must be privileged, and whoever holds its own
//! authority governs the chain.

#![no_std]

/// The contract.
#[sdk::contract]
pub mod wrap {
    use sdk::action::{for_each_packed, send_packed};
    use sdk::prelude::*;

    /// Executes the actions of {{trx}} at once, as if all their authorizations had been given.
    #[action]
    fn exec(executer: Ignore<Name>, _trx: Ignore<Transaction>) {
        require_auth(current_receiver());
        let mut reader = Reader::new(executer.rest);
        require_auth(Name::unpack(&mut reader));
        TransactionHeader::unpack(&mut reader);
        let context_free_actions = for_each_packed(&mut reader, |_| {});
        check(context_free_actions == 0, "not allowed to `exec` a transaction with context-free actions");
        for_each_packed(&mut reader, send_packed);
    }
}
