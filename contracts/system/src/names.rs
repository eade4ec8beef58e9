//! Auctions of short names.

use crate::accounts::{self, NAMES};
use crate::ram::core_symbol;
use crate::tables::{BidRefund, NameBid};
use sdk::prelude::*;

/// Bids for a name.
pub fn bidname(bidder: Name, newname: Name, bid: Asset) {
    require_auth(bidder);
    check_name(newname);
    let core = core_symbol();
    check(bid.symbol == core, "asset must be system token");
    check(bid.amount > 0, "insufficient bid");
    accounts::transfer(bidder, NAMES, bid, &text!("bid name ", newname));
    print!(bidder, " bid ", bid, " on ", newname, "\n");
    let bids = NameBid::table();
    match bids.find(newname) {
        Some(current) => outbid(current, bidder, bid),
        None => {
            let last_bid_time = current_time();
            bids.insert(bidder, NameBid { newname, high_bidder: bidder, high_bid: bid.amount, last_bid_time });
        }
    }
}

fn check_name(newname: Name) {
    check(newname.suffix() == newname, "you can only bid on top-level suffix");
    check(!newname.is_empty(), "the empty name is not a valid account name to bid on");
    check(newname.0 & 0xf == 0, "13 character names are not valid account names to bid on");
    check(
        newname.0 & 0x1f0 == 0,
        "accounts with 12 character names and no dots can be created without bidding required",
    );
    check(!is_account(newname), "account already exists");
}

fn outbid(mut current: Entry<NameBid>, bidder: Name, bid: Asset) {
    check(current.high_bid > 0, "this auction has already closed");
    let more = bid.amount.wrapping_sub(current.high_bid);
    check(more > current.high_bid / 10, "must increase bid by 10%");
    check(current.high_bidder != bidder, "account is already highest bidder");
    let refunds = Table::<BidRefund>::new(current_receiver(), current.newname);
    let amount = Asset::new(current.high_bid, bid.symbol);
    match refunds.find(current.high_bidder) {
        Some(mut refund) => refund.modify(SAME_PAYER, |refund| refund.amount += amount),
        None => {
            refunds.insert(bidder, BidRefund { bidder: current.high_bidder, amount });
        }
    }
    current.modify(bidder, |current| {
        current.high_bidder = bidder;
        current.high_bid = bid.amount;
        current.last_bid_time = current_time();
    });
}

/// Pays back an outbid bid; anyone may ask for it.
pub fn bidrefund(bidder: Name, newname: Name) {
    let refund = Table::<BidRefund>::new(current_receiver(), newname).get(bidder, "refund not found");
    accounts::transfer_with_both(NAMES, bidder, refund.amount, &text!("refund bid on name ", newname));
    refund.remove();
}
