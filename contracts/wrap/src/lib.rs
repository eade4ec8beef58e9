//! `eosio.wrap`: executes a transaction without its authorizations. It must be privileged, and whoever holds its own
//! authority governs the chain.

#![no_std]

/// The contract.
#[sdk::contract]
pub mod wrap {
    use sdk::action::send_packed_list;
    use sdk::prelude::*;

    /// Executes the actions of {{trx}} at once, as if all their authorizations had been given.
    #[action]
    fn exec(executer: Ignore<Name>, _trx: Ignore<Transaction>) {
        require_auth(current_receiver());
        let mut reader = Reader::new(executer.rest);
        require_auth(Name::unpack(&mut reader));
        TransactionHeader::unpack(&mut reader);
        let context_free_actions = reader.length();
        check(context_free_actions == 0, "not allowed to `exec` a transaction with context-free actions");
        send_packed_list(&mut reader);
    }
}
