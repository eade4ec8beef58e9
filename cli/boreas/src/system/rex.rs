//! `boreas system rex`: the resource exchange.

use super::simple::{Row, Sort, Table};

/// The commands of the resource exchange.
pub struct Rex;

macro_rules! row {
    ($command:literal, $about:literal, [$($action:literal),+], [$($label:literal: $sort:ident $help:literal),+]) => {
        Row {
            command: $command,
            about: $about,
            actions: &[$($action),+],
            arguments: &[$(($label, Sort::$sort, $help)),+],
            flag: None,
        }
    };
}

impl Table for Rex {
    const ROWS: &'static [Row] = &[
        row!("deposit", "Deposit into owner's REX fund from the liquid balance", ["deposit"],
            ["owner": Account "Account which owns the REX fund", "amount": Token "Amount to be deposited"]),
        row!("withdraw", "Withdraw from owner's REX fund to the liquid balance", ["withdraw"],
            ["owner": Account "Account which owns the REX fund", "amount": Token "Amount to be withdrawn"]),
        row!("buyrex", "Buy REX using tokens in owner's REX fund", ["buyrex"],
            ["from": Account "Account buying REX tokens", "amount": Token "Amount to be taken from the REX fund"]),
        row!("lendrex", "Deposit tokens to the REX fund and use them to buy REX", ["deposit", "buyrex"],
            ["from": Account "Account buying REX tokens", "amount": Token "Amount of liquid tokens to be used"]),
        row!("unstaketorex", "Buy REX using staked tokens", ["unstaketorex"],
            ["owner": Account "Account buying REX tokens", "receiver": Account "Account that tokens have been staked to",
             "from_net": Token "Amount to be unstaked from net", "from_cpu": Token "Amount to be unstaked from CPU"]),
        row!("sellrex", "Sell REX tokens", ["sellrex"],
            ["from": Account "Account selling REX tokens", "rex": Asset "Amount of REX tokens to be sold"]),
        row!("cancelrexorder", "Cancel a queued REX sell order if there is one", ["cnclrexorder"],
            ["owner": Account "Owner of the sell order"]),
        row!("mvtosavings", "Move REX tokens to the savings bucket", ["mvtosavings"],
            ["owner": Account "REX owner", "rex": Asset "Amount of REX to be moved"]),
        row!("mvfromsavings", "Move REX tokens out of the savings bucket", ["mvfrsavings"],
            ["owner": Account "REX owner", "rex": Asset "Amount of REX to be moved"]),
        row!("rentcpu", "Rent CPU bandwidth for 30 days", ["rentcpu"],
            ["from": Account "Account paying rent fees", "receiver": Account "Account that gets the bandwidth",
             "loan_payment": Token "Loan fee to be paid", "loan_fund": Token "Fund for automatic renewal, can be 0"]),
        row!("rentnet", "Rent network bandwidth for 30 days", ["rentnet"],
            ["from": Account "Account paying rent fees", "receiver": Account "Account that gets the bandwidth",
             "loan_payment": Token "Loan fee to be paid", "loan_fund": Token "Fund for automatic renewal, can be 0"]),
        row!("fundcpuloan", "Deposit into a CPU loan fund", ["fundcpuloan"],
            ["from": Account "Loan owner", "loan_num": Number "Loan ID", "payment": Token "Amount to be deposited"]),
        row!("fundnetloan", "Deposit into a network loan fund", ["fundnetloan"],
            ["from": Account "Loan owner", "loan_num": Number "Loan ID", "payment": Token "Amount to be deposited"]),
        row!("defundcpuloan", "Withdraw from a CPU loan fund", ["defcpuloan"],
            ["from": Account "Loan owner", "loan_num": Number "Loan ID", "amount": Token "Amount to be withdrawn"]),
        row!("defundnetloan", "Withdraw from a network loan fund", ["defnetloan"],
            ["from": Account "Loan owner", "loan_num": Number "Loan ID", "amount": Token "Amount to be withdrawn"]),
        row!("consolidate", "Consolidate REX maturity buckets into one that matures in 4 days", ["consolidate"],
            ["owner": Account "REX owner"]),
        row!("updaterex", "Update vote stake and vote weight of a REX owner", ["updaterex"],
            ["owner": Account "REX owner"]),
        row!("rexexec", "Process expired loans and unfilled sell orders", ["rexexec"],
            ["user": Account "User executing the action", "max": Number "Most loans and sell orders to be processed"]),
        row!("closerex", "Delete unused REX-related table rows of a user", ["closerex"],
            ["owner": Account "REX owner"]),
    ];
}
