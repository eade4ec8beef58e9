//! `eosio.bpay`: shares what it is sent among the producers that stand first, as many as the schedule has.
//!
//! What the system contract sends is pay for blocks, which it keeps account of itself. The account needs `eosio.code` in its
//! active permission.

#![no_std]

/// The contract.
#[sdk::contract]
pub mod bpay {
    use sdk::prelude::*;
    use system::accounts::{SYSTEM, TOKEN, token};
    use system::globals::Global;
    use system::ram::core_symbol_of;
    use system::tables::ProducerInfo;

    /// What a producer can claim.
    #[table("rewards")]
    #[abi(name = "rewards_row")]
    pub struct Reward {
        /// The producer.
        #[primary]
        pub owner: Name,
        /// How much.
        pub quantity: Asset,
    }

    fn rewards() -> Table<Reward> {
        let this = current_receiver();
        Table::new(this, this)
    }

    /// Pays {{owner}} its share of what came in.
    #[action]
    fn claimrewards(owner: Name) {
        require_auth(owner);
        let reward = rewards().get(owner, "no rewards to claim");
        let this = current_receiver();
        token::transfer(TOKEN, this, owner, reward.quantity, "producer block pay".into()).send_as(this);
        reward.remove();
    }

    /// Shares what comes in; what cannot be divided stays.
    #[on_notify("eosio.token::transfer")]
    fn received(from: Name, to: Name, quantity: Asset, memo: ByteStr) {
        let _ = memo;
        let this = current_receiver();
        if from == this || to != this || from == SYSTEM {
            return;
        }
        check(quantity.symbol == core_symbol_of(SYSTEM), "only core token allowed");
        let Some(global) = Singleton::<Global>::new(SYSTEM, SYSTEM).find() else {
            fail("global state does not exist");
        };
        // An empty schedule has no end for the reference: it takes all that stand for election.
        let most = match global.last_producer_schedule_size {
            0 => usize::MAX,
            size => usize::from(size),
        };
        let first = Table::<ProducerInfo>::new(SYSTEM, SYSTEM).index(ProducerInfo::BY_VOTES).iter();
        let first: Vec<Name> =
            first.take_while(|producer| producer.is_active).take(most).map(|row| row.owner).collect();
        let share = quantity / first.len() as i64;
        for owner in first {
            match rewards().find(owner) {
                Some(mut reward) => reward.modify(this, |reward| reward.quantity += share),
                None => {
                    rewards().insert(this, Reward { owner, quantity: share });
                }
            }
        }
    }
}
