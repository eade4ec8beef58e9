//! Tells where two snapshots differ, row by row: `cargo run --release -p ledger --example snapshot_diff OURS THEIRS`
#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::collections::{BTreeMap, BTreeSet};

use ledger::Snapshot;
use ledger::checkpoint::describe;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

fn rows(path: &str) -> Result<(Rows, Vec<u8>), Box<dyn std::error::Error>> {
    let mut snapshot = Snapshot::read(&std::fs::read(path)?)?;
    let rows = snapshot.ledger.take_checkpoint().rows;
    Ok((rows.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(), snapshot.head_state))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut paths = std::env::args().skip(1);
    let (Some(ours), Some(theirs)) = (paths.next(), paths.next()) else { return Err("two files are needed".into()) };
    let ((ours, our_head), (theirs, their_head)) = (rows(&ours)?, rows(&theirs)?);
    if our_head != their_head {
        println!("head state\n  ours   {}\n  theirs {}", hex::encode(our_head), hex::encode(their_head));
    }
    for key in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        let (ours, theirs) = (ours.get(key), theirs.get(key));
        if ours != theirs {
            let text = |row: Option<&Vec<u8>>| row.map_or("-".to_owned(), hex::encode);
            println!("{}\n  ours   {}\n  theirs {}", describe(key), text(ours), text(theirs));
        }
    }
    Ok(())
}
