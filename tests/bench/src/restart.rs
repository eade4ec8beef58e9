//! How long a node with many rows takes from the start of its process to its first answer, after it was stopped and after
//! it was killed under rewriting.

use anyhow::Context;
use e2e::modules::rows;
use primitives::Name;

use crate::Arguments;
use crate::peers::{Peer, Peers, Running};
use crate::report::Report;
use crate::workload;

/// Rows that one transaction stores or rewrites.
const ROWS_AT_ONCE: usize = 2000;
/// Rows that are rewritten before the node is killed.
const REWRITTEN: usize = 200_000;
const MILLION: usize = 1_000_000;
const OPTIONS: [&str; 4] = ["--max-transaction-time", "499", "--chain-state-db-size-mb", "16384"];

/// Stores rows up to each of the wanted millions, and starts the node again there.
pub fn measure(arguments: &Arguments, peers: &Peers, report: &mut Report) -> anyhow::Result<()> {
    for peer in arguments.peers() {
        let folder = tempfile::tempdir()?;
        let mut node = peers.start(peer, folder.path(), &OPTIONS)?;
        let contract = workload::set_code(&node.api, 0, &rows(ROWS_AT_ONCE))?;
        let mut stored = 0;
        for millions in &arguments.millions {
            while stored < millions * MILLION {
                call(&node, contract, stored)?;
                stored += ROWS_AT_ONCE;
            }
            let mut again = |what: &str| -> anyhow::Result<Running> {
                let node = peers.start(peer, folder.path(), &OPTIONS)?;
                let what = format!("restart with {millions} million rows, {what}");
                report.add(format!("{what}, s"), peer, node.first_block.as_secs_f64());
                report.add(format!("{what}, MB"), peer, node.process.resident_bytes()? as f64 / 1e6);
                Ok(node)
            };
            node.process.stop()?;
            node = again("stopped")?;
            if peer == Peer::Nodeos {
                // Killed, it marks its state as dirty and does not start on it.
                continue;
            }
            for first in (0..REWRITTEN.min(stored)).step_by(ROWS_AT_ONCE) {
                call(&node, contract, first)?;
            }
            drop(node);
            node = again("killed under rewriting")?;
        }
        node.process.stop()?;
    }
    Ok(())
}

/// Stores the rows after a number, or rewrites them where they are.
fn call(node: &Running, contract: Name, first: usize) -> anyhow::Result<()> {
    workload::call_with(&node.api, contract, u64::try_from(first)?).context("the rows are not taken")
}
