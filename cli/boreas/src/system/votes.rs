//! `boreas system voteproducer`.

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use primitives::{Compression, Name};
use serde_json::{Value, json};

use super::action;
use crate::arguments::name;
use crate::session::Session;
use crate::transact::TransactArgs;

/// How is voted.
#[derive(Subcommand)]
pub enum Vote {
    /// Vote your stake through a proxy
    Proxy(ForOne),
    /// Vote for one or more producers
    Prods(ForMany),
    /// Add one producer to the list of voted producers
    Approve(ForOne),
    /// Remove one producer from the list of voted producers
    Unapprove(ForOne),
}

/// Flags of a vote that concerns one other account.
#[derive(Args)]
pub struct ForOne {
    /// The voting account
    voter: String,
    /// The proxy or the producer
    other: String,
    #[command(flatten)]
    transact: TransactArgs,
}

/// Flags of a vote for producers.
#[derive(Args)]
pub struct ForMany {
    /// The voting account
    voter: String,
    /// The accounts to vote for
    #[arg(required = true)]
    producers: Vec<String>,
    #[command(flatten)]
    transact: TransactArgs,
}

impl Vote {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        match self {
            Self::Proxy(ForOne { voter, other, transact }) => {
                vote(session, name(&voter)?, Some(name(&other)?), Vec::new(), &transact)
            }
            Self::Prods(ForMany { voter, producers, transact }) => {
                let producers = producers.iter().map(|text| name(text)).collect::<anyhow::Result<_>>()?;
                vote(session, name(&voter)?, None, producers, &transact)
            }
            Self::Approve(ForOne { voter, other, transact }) => {
                let (voter, producer) = (name(&voter)?, name(&other)?);
                let mut producers = voted(session, voter)?;
                ensure!(!producers.contains(&producer), "Producer \"{producer}\" is already on the list.");
                producers.push(producer);
                vote(session, voter, None, producers, &transact)
            }
            Self::Unapprove(ForOne { voter, other, transact }) => {
                let (voter, producer) = (name(&voter)?, name(&other)?);
                let mut producers = voted(session, voter)?;
                ensure!(producers.contains(&producer), "Cannot remove: producer \"{producer}\" is not on the list.");
                producers.retain(|known| *known != producer);
                vote(session, voter, None, producers, &transact)
            }
        }
    }
}

fn vote(
    session: &mut Session,
    voter: Name,
    proxy: Option<Name>,
    mut producers: Vec<Name>,
    transact: &TransactArgs,
) -> anyhow::Result<()> {
    // The contract wants them in order.
    producers.sort();
    let proxy = proxy.map_or_else(String::new, |proxy| proxy.to_string());
    let arguments = json!({ "voter": voter, "proxy": proxy, "producers": producers });
    let authorization = transact.authorization(voter)?;
    let action = action(session, primitives::name!("voteproducer"), &authorization, &arguments)?;
    transact.send(session, vec![action], Compression::None)
}

/// The producers that an account votes for now.
fn voted(session: &Session, voter: Name) -> anyhow::Result<Vec<Name>> {
    let Some(row) = session.row("eosio", "eosio", "voters", voter)? else {
        bail!("Voter info not found for account {voter}: it has not voted yet, boreas system voteproducer prods does");
    };
    let names = row["producers"].as_array().into_iter().flatten().filter_map(Value::as_str);
    names.map(str::parse).collect::<Result<_, _>>().context("the node tells of producers")
}
