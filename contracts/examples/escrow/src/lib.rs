//! An escrow: the buyer pays in, the seller delivers, the buyer releases; or time runs out and the buyer takes it back.
//!
//! How it is used: the buyer calls `open`, then transfers the price to the contract with the deal's number as memo. A
//! transfer that belongs to no open deal is refused, so nothing can get stuck.

#![no_std]

mod memo;

/// The contract.
#[sdk::contract]
pub mod escrow {
    use crate::memo;
    use sdk::prelude::*;

    const TOKEN: Name = name!("eosio.token");
    const MEMO_BYTES_MAX: usize = 256;

    /// What is called of the token.
    #[interface]
    mod token {
        use sdk::prelude::*;

        #[action]
        fn transfer(from: Name, to: Name, quantity: Asset, memo: &str) {}
    }

    /// A deal between two parties.
    #[table("deals")]
    pub struct Deal {
        /// Its number.
        #[primary]
        pub id: u64,
        /// Who pays.
        pub buyer: Name,
        /// Who is paid.
        #[secondary]
        pub seller: Name,
        /// The price.
        pub price: Asset,
        /// Whether it was paid in.
        pub paid: bool,
        /// From then on the buyer may take it back.
        pub deadline: TimePointSec,
        /// What is delivered.
        pub subject: String,
    }

    /// How many deals a seller has finished.
    #[table("sellers")]
    pub struct Seller {
        /// The seller.
        #[primary]
        pub account: Name,
        /// Deals released to it.
        pub released: u32,
        /// Deals that ran out.
        pub expired: u32,
    }

    fn deals() -> Table<Deal> {
        let this = current_receiver();
        Table::new(this, this)
    }

    fn deal(id: u64) -> Entry<Deal> {
        deals().get(id, "there is no such deal")
    }

    /// {{buyer}} offers {{seller}} {{price}} for {{subject}}, to be released before {{deadline}}.
    #[action]
    fn open(buyer: Name, seller: Name, price: Asset, deadline: TimePointSec, subject: String) -> u64 {
        require_auth(buyer);
        check(buyer != seller, "buyer and seller are the same account");
        check!(is_account(seller), "seller ", seller, " does not exist");
        check(price.is_valid() && price.amount > 0, "the price must be a positive amount");
        check(deadline > TimePointSec::from(current_time()), "the deadline has passed already");
        check(subject.len() <= MEMO_BYTES_MAX, "the subject has more than 256 bytes");
        let id = deals().available_primary_key();
        deals().insert(buyer, Deal { id, buyer, seller, price, paid: false, deadline, subject });
        id
    }

    /// {{id}}'s buyer gives the money to the seller.
    #[action]
    fn release(id: u64) {
        let deal = deal(id);
        require_auth(deal.buyer);
        check(deal.paid, "the deal is not paid");
        pay(deal.seller, deal.price, id);
        count(deal.seller, deal.buyer, |seller| seller.released += 1);
        deal.remove();
    }

    /// The buyer takes the money back: after the deadline, or earlier when the seller agrees by signing too.
    #[action]
    fn refund(id: u64) {
        let deal = deal(id);
        require_auth(deal.buyer);
        let late = TimePointSec::from(current_time()) >= deal.deadline;
        check(late || has_auth(deal.seller), "before the deadline the seller must agree");
        if deal.paid {
            pay(deal.buyer, deal.price, id);
            if late {
                count(deal.seller, deal.buyer, |seller| seller.expired += 1);
            }
        }
        deal.remove();
    }

    /// How many deals {{seller}} has open: the index at work.
    #[action]
    fn pending(seller: Name) -> u32 {
        let open = deals().index(Deal::SELLER).lower_bound(seller);
        open.take_while(|deal| deal.seller == seller).count() as u32
    }

    /// Money comes in.
    #[on_notify("eosio.token::transfer")]
    fn received(from: Name, to: Name, quantity: Asset, memo: &str) {
        let this = current_receiver();
        if from == this || to != this {
            return;
        }
        let Some(id) = memo::number(memo) else { fail("the memo must be the number of a deal") };
        let mut deal = deal(id);
        check(deal.buyer == from, "only the buyer pays");
        check(!deal.paid, "the deal is paid already");
        check!(quantity == deal.price, "the price is ", deal.price, ", not ", quantity);
        deal.modify(SAME_PAYER, |deal| deal.paid = true);
    }

    fn pay(to: Name, price: Asset, id: u64) {
        let this = current_receiver();
        token::transfer(TOKEN, this, to, price, &text!("deal ", id)).send_as(this);
    }

    fn count(seller: Name, payer: Name, change: impl FnOnce(&mut Seller)) {
        let this = current_receiver();
        let sellers = Table::<Seller>::new(this, this);
        match sellers.find(seller) {
            Some(mut row) => row.modify(SAME_PAYER, change),
            None => {
                let mut row = Seller { account: seller, released: 0, expired: 0 };
                change(&mut row);
                sellers.insert(payer, row);
            }
        }
    }
}
