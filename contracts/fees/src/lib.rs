//! `eosio.fees`: passes what it is sent on to all who have REX, or keeps it while there are none.
//!
//! Its account needs `eosio.code` in its active permission.

#![no_std]

/// The contract.
#[sdk::contract]
pub mod fees {
    use sdk::prelude::*;
    use system::accounts::SYSTEM;
    use system::rex::tables::RexPool;
    use system::system::calls as system_calls;

    /// Donates what comes in.
    #[on_notify("eosio.token::transfer")]
    fn received(_from: Name, to: Name, quantity: Asset, memo: ByteStr) {
        let this = current_receiver();
        if to != this {
            return;
        }
        let pool = Table::<RexPool>::new(SYSTEM, SYSTEM).find(0u64);
        if pool.is_some_and(|pool| pool.total_rex.amount > 0) {
            system_calls::donatetorex(SYSTEM, this, quantity, memo).send_as(this);
        }
    }

    /// Does nothing.
    #[action]
    fn noop() {
        require_auth(current_receiver());
    }
}
