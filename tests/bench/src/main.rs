//! Boreas beside nodeos, in one run on one machine: token transfers over HTTP, replay of the recorded chain, start on an
//! empty folder, first answer of a development chain. Prints a table with medians and ratios; what a busy machine adds, it
//! adds to both.
//!
//! Reading order: [`peers`] the two nodes, [`process`] what a process uses, [`workload`] the transactions, [`load`]
//! sending them, [`measure`] the benchmarks, [`first_call`] that of first calls, [`restart`] that of restarts, [`modules`]
//! what those two run, [`sync`] that of syncs, [`mesh`] that of many nodes, [`report`] the table.

mod first_call;
mod load;
mod measure;
mod mesh;
mod modules;
mod peers;
mod process;
mod report;
mod restart;
mod sync;
mod workload;

use clap::{Parser, ValueEnum};

use crate::peers::{Peer, Peers};
use crate::report::Report;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Transfers over HTTP, and the replay of the chain that nodeos recorded.
    Transfers,
    /// Start on an empty folder, idle memory, stop.
    Start,
    /// From the start of a development chain to its first answer.
    Answer,
    /// The first call of each contract after its code was set.
    FirstCall,
    /// Restarts with many rows.
    Restart,
    /// An empty node on the way to the head of others, liars among them.
    Sync,
    /// A network of ours with delayed lines.
    Mesh,
}

/// Runs Boreas and nodeos in turn and compares them.
#[derive(Debug, Parser)]
pub struct Arguments {
    /// What to measure; transfers, start and answer when left out.
    part: Option<Part>,
    /// Transfers of each round.
    #[arg(long, default_value_t = 30_000)]
    transfers: usize,
    /// Connections that send at the same time.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Rounds; medians are reported.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Starts whose first answer is waited for; medians are reported.
    #[arg(long, default_value_t = 20)]
    starts: usize,
    /// Millions of rows with which nodes are started again, ascending.
    #[arg(long, value_delimiter = ',', default_value = "1,4,8")]
    millions: Vec<usize>,
    /// Transfers of the chain that is synced.
    #[arg(long, default_value_t = 100_000)]
    chain_transfers: usize,
    /// Transfers in each of its blocks.
    #[arg(long, default_value_t = 500)]
    block_transfers: usize,
    /// Faults of a source that are tried; all when left out.
    #[arg(long, value_delimiter = ',')]
    faults: Vec<sync::Fault>,
    /// Nodes of the mesh, each a producer.
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u8).range(3..=21))]
    nodes: u8,
    /// Peers of each of them, an even number; all others when left out.
    #[arg(long)]
    links: Option<usize>,
    /// Transfers a second through all of them.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// Seconds for which transfers come.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Run this one alone, for a profile.
    #[arg(long)]
    only: Option<Peer>,
}

impl Arguments {
    /// Who takes part, in turn.
    fn peers(&self) -> impl Iterator<Item = Peer> {
        [Peer::Nodeos, Peer::Boreas].into_iter().filter(|peer| self.only.is_none_or(|only| only == *peer))
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let peers = Peers::find()?;
    let mut report = Report::default();
    let wanted = |part| arguments.part.is_none_or(|only| only == part);
    if wanted(Part::Transfers) {
        measure::transfers(&arguments, &peers, &mut report)?;
    }
    if wanted(Part::Start) {
        measure::start(&arguments, &peers, &mut report)?;
    }
    if wanted(Part::Answer) {
        measure::first_answers(&arguments, &peers, &mut report)?;
    }
    if arguments.part == Some(Part::FirstCall) {
        first_call::measure(&arguments, &peers, &mut report)?;
    }
    if arguments.part == Some(Part::Restart) {
        restart::measure(&arguments, &peers, &mut report)?;
    }
    if arguments.part == Some(Part::Sync) {
        sync::measure(&arguments, &peers, &mut report)?;
    }
    if arguments.part == Some(Part::Mesh) {
        mesh::measure(&arguments, &peers, &mut report)?;
    }
    report.print();
    Ok(())
}
