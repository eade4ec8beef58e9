//! `boreas system`: the actions of the system contract, and what its tables say.

mod auctions;
mod delayed;
mod features;
mod market;
mod names;
mod newaccount;
mod producers;
mod refund;
mod resources;
mod rex;
mod rules;
mod schedule;
mod simple;
mod vote;
mod votes;

use clap::Subcommand;
use primitives::{Action, Name, PermissionLevel};
use serde_json::Value;

use crate::session::Session;
use simple::{Row, Simple, Sort, Table};

pub use features::supported_features;
pub use refund::when_refund_is_due;

const EOSIO: Name = primitives::name!("eosio");

/// What is asked of the system contract.
#[derive(Subcommand)]
pub enum System {
    /// Create a new account with resources
    Newaccount(newaccount::NewAccount),
    /// Register a new producer
    #[command(visible_alias = "register")]
    Regproducer(producers::RegisterProducer),
    /// Vote for producers, or through a proxy
    #[command(subcommand)]
    Voteproducer(votes::Vote),
    /// List producers
    #[command(visible_alias = "producers")]
    Listproducers(producers::ListProducers),
    /// Delegate bandwidth
    #[command(visible_alias = "stake")]
    Delegatebw(resources::Delegate),
    /// Undelegate bandwidth
    #[command(visible_alias = "unstake")]
    Undelegatebw(resources::Undelegate),
    /// List delegated bandwidth
    #[command(visible_alias = "stakes")]
    Listbw(resources::ListBandwidth),
    /// Bid for a name
    #[command(visible_alias = "bid")]
    Bidname(names::Bid),
    /// Show the auction of a name
    #[command(visible_alias = "auction")]
    Bidnameinfo(names::BidInfo),
    /// Buy RAM
    Buyram(resources::BuyRam),
    /// Claim unstaked tokens whose waiting time is over, or show them
    Refund(refund::Refund),
    /// Show who produces, who will, and who is late
    Schedule(schedule::ShowSchedule),
    /// Vote, or show what a vote weighs
    #[command(subcommand)]
    Vote(vote::Votes),
    /// Show the auctions of names, and when the next one closes
    Names(auctions::Auctions),
    /// Show the price of RAM
    Market(market::Market),
    /// Activate a protocol feature by name
    Activate(features::Activate),
    /// Cancel a delayed transaction
    Canceldelay(delayed::CancelDelay),
    /// The resource exchange
    #[command(subcommand)]
    Rex(Simple<rex::Rex>),
    #[command(flatten)]
    Simple(Simple<Other>),
}

/// Commands without a group of their own.
pub struct Other;

impl Table for Other {
    const ROWS: &'static [Row] = &[
        Row {
            command: "unregprod",
            about: "Unregister an existing producer",
            actions: &["unregprod"],
            arguments: &[("account", Sort::Account, "The account to unregister as a producer")],
            flag: None,
        },
        Row {
            command: "claimrewards",
            about: "Claim producer rewards",
            actions: &["claimrewards"],
            arguments: &[("owner", Sort::Account, "The account to claim rewards for")],
            flag: None,
        },
        Row {
            command: "regproxy",
            about: "Register an account as a proxy (for voting)",
            actions: &["regproxy"],
            arguments: &[("proxy", Sort::Account, "The proxy account to register")],
            flag: Some(true),
        },
        Row {
            command: "unregproxy",
            about: "Unregister an account as a proxy (for voting)",
            actions: &["regproxy"],
            arguments: &[("proxy", Sort::Account, "The proxy account to unregister")],
            flag: Some(false),
        },
        Row {
            command: "sellram",
            about: "Sell RAM",
            actions: &["sellram"],
            arguments: &[
                ("account", Sort::Account, "The account to receive tokens for sold RAM"),
                ("bytes", Sort::Number, "The amount of RAM bytes to sell"),
            ],
            flag: None,
        },
        Row {
            command: "bidrefund",
            about: "Claim the bid that another one outbid",
            actions: &["bidrefund"],
            arguments: &[
                ("bidder", Sort::Account, "The account that was outbid"),
                ("newname", Sort::Account, "The name that was bid for"),
            ],
            flag: None,
        },
        Row {
            command: "powerup",
            about: "Rent a part of the network's CPU and net for some days",
            actions: &["powerup"],
            arguments: &[
                ("payer", Sort::Account, "The account that pays"),
                ("receiver", Sort::Account, "The account that gets the resources"),
                ("days", Sort::Number, "For how many days, as the market has it: boreas get table eosio 0 powup.state"),
                ("net", Sort::Share, "The part of all net: 0.5%, or in parts of 10^15"),
                ("cpu", Sort::Share, "The part of all CPU: 0.5%, or in parts of 10^15"),
                ("max_payment", Sort::Token, "What it may cost at most"),
            ],
            flag: None,
        },
    ];
}

impl System {
    /// Sends or shows it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        match self {
            Self::Newaccount(command) => command.run(session),
            Self::Regproducer(command) => command.run(session),
            Self::Voteproducer(command) => command.run(session),
            Self::Listproducers(command) => command.run(session),
            Self::Delegatebw(command) => command.run(session),
            Self::Undelegatebw(command) => command.run(session),
            Self::Listbw(command) => command.run(session),
            Self::Bidname(command) => command.run(session),
            Self::Bidnameinfo(command) => command.run(session),
            Self::Buyram(command) => command.run(session),
            Self::Refund(command) => command.run(session),
            Self::Schedule(command) => command.run(session),
            Self::Vote(command) => command.run(session),
            Self::Names(command) => command.run(session),
            Self::Market(command) => command.run(session),
            Self::Activate(command) => command.run(session),
            Self::Canceldelay(command) => command.run(session),
            Self::Rex(command) => command.run(session),
            Self::Simple(command) => command.run(session),
        }
    }
}

/// An action of the system contract.
fn action(
    session: &mut Session,
    action: Name,
    authorization: &[PermissionLevel],
    arguments: &Value,
) -> anyhow::Result<Action> {
    session.action(EOSIO, action, authorization.to_vec(), arguments)
}
