//! How a start begins. It is decided from what the data folder has and what the options ask, before anything on the
//! disk is touched; what would throw blocks away is refused unless the option that means it was given. The table in
//! `node/README.md` shows every pair beside nodeos'. Nothing here reads a file.

use std::path::PathBuf;

use primitives::{BlockId, ChainId, Genesis};

/// The number of the block that a genesis makes.
const FIRST_BLOCK: u32 = 1;

/// What the data folder has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// No chain.
    Nothing,
    /// A chain of nodeos, by the file that shows it.
    Nodeos(PathBuf),
    /// A chain of ours.
    Chain(Box<FoundChain>),
}

/// A chain in the data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundChain {
    /// Its id.
    pub id: ChainId,
    /// What it began with; absent when that was a snapshot.
    pub genesis: Option<Genesis>,
    /// The numbers of its first and its last block.
    pub blocks: Option<(u32, u32)>,
    /// The number of the block whose state is there.
    pub state: Option<u32>,
    /// The id of its block with the number of the snapshot that was asked for, if it knows one.
    pub at_snapshot: Option<BlockId>,
}

/// What a snapshot is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotPoint {
    /// The chain.
    pub chain: ChainId,
    /// The number of the block.
    pub num: u32,
    /// The block's id.
    pub id: BlockId,
}

/// What the options ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// `--genesis-json`, with the time of `--genesis-timestamp`.
    pub genesis: Option<Genesis>,
    /// `--snapshot`.
    pub snapshot: Option<SnapshotPoint>,
    /// `--delete-all-blocks`.
    pub delete_all: bool,
    /// `--replay-blockchain`.
    pub replay: bool,
    /// `--hard-replay-blockchain`.
    pub hard_replay: bool,
    /// `--truncate-at-block`; 0 for not at all.
    pub truncate: u32,
}

/// What a state is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A genesis.
    Genesis(Box<Genesis>),
    /// The snapshot that was asked for.
    Snapshot,
}

/// How a start begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beginning {
    /// A new chain, in place of whatever chain of ours is there.
    New(Origin),
    /// With the state that is there.
    Continue,
    /// With a state built from the origin and the blocks that are there, in place of the one that is there.
    Replay {
        /// What the first block that is applied follows.
        from: Origin,
        /// The last block that stays; the later ones are forgotten.
        truncate: Option<u32>,
    },
}

/// Why a start does not begin. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Both were given.
    #[error(
        "a chain begins with --snapshot or with --genesis-json, not with both: the snapshot says what chain it is of"
    )]
    SnapshotAndGenesis,
    /// A folder without blocks.
    #[error(
        "there are no blocks to replay in the data folder. Leave --hard-replay-blockchain out to begin a chain there"
    )]
    NothingToReplay,
    /// A folder of nodeos.
    #[error(
        "the data folder holds a chain of nodeos ({}), which boreasd does not run in place. Import its irreversible \
         blocks with `boreasd replay --blocks-log FOLDER/blocks --data-dir FOLDER` (for a log that does not begin with \
         block 1 also --snapshot FILE), choose another --data-dir, or begin a new chain beside it with \
         --delete-all-blocks, which leaves nodeos' files alone", .0.display()
    )]
    OfNodeos(PathBuf),
    /// What was given is of another chain.
    #[error(
        "{option} is of chain {given}, the data folder holds chain {found}. Leave {option} out to continue that one, or \
         delete it and begin anew with --delete-all-blocks"
    )]
    OtherChain {
        /// The option.
        option: &'static str,
        /// The chain of what was given.
        given: ChainId,
        /// The chain in the folder.
        found: ChainId,
    },
    /// A snapshot for a folder that has a state.
    #[error(
        "the data folder has a state already, of block {state}. Leave --snapshot out to continue it, add \
         --replay-blockchain to build the state from the snapshot and the blocks that are there, or delete the chain \
         and begin anew with --delete-all-blocks"
    )]
    HasState {
        /// The block of the state.
        state: u32,
    },
    /// A chain that began with a snapshot cannot be replayed without one.
    #[error(
        "the chain in the data folder began with a snapshot, so its state can be built only from one. Give the snapshot \
         that it began with, or a later one of this chain, with --snapshot FILE: of {}",
        blocks(*first, *last)
    )]
    NeedsSnapshot {
        /// The earliest block.
        first: u32,
        /// The latest block.
        last: u32,
    },
    /// The blocks do not go on from the snapshot.
    #[error(
        "the snapshot is of block {snapshot}, and from there the blocks of the data folder do not go on: give one of \
         {}. With --delete-all-blocks the chain is deleted and begins anew with the snapshot",
        blocks(*first, *last)
    )]
    SnapshotApart {
        /// The snapshot's block.
        snapshot: u32,
        /// The earliest block that would do.
        first: u32,
        /// The latest block that would do.
        last: u32,
    },
    /// The snapshot is of a block that is not in the chain.
    #[error(
        "the snapshot is of block {num} {given}, the block {num} of the data folder is {found}: they are of different \
         branches. With --delete-all-blocks the chain is deleted and begins anew with the snapshot"
    )]
    SnapshotOfOtherBranch {
        /// The number.
        num: u32,
        /// The snapshot's block.
        given: BlockId,
        /// The chain's block.
        found: BlockId,
    },
    /// Nothing would be left.
    #[error(
        "--truncate-at-block {last}: the chain is built from block {origin}, so the last block cannot be before it"
    )]
    TruncatesOrigin {
        /// The last block that was to stay.
        last: u32,
        /// The block that the state is built from.
        origin: u32,
    },
}

/// Decides.
///
/// # Errors
/// [`Refusal`].
pub fn decide(found: &Found, asked: &Asked) -> Result<Beginning, Refusal> {
    if asked.snapshot.is_some() && asked.genesis.is_some() {
        return Err(Refusal::SnapshotAndGenesis);
    }
    match found {
        _ if asked.delete_all => Ok(Beginning::New(new_origin(asked))),
        Found::Nodeos(file) => Err(Refusal::OfNodeos(file.clone())),
        Found::Nothing if asked.hard_replay => Err(Refusal::NothingToReplay),
        Found::Nothing => Ok(Beginning::New(new_origin(asked))),
        Found::Chain(chain) => go_on(chain, asked),
    }
}

fn new_origin(asked: &Asked) -> Origin {
    match asked.snapshot {
        Some(_) => Origin::Snapshot,
        None => Origin::Genesis(Box::new(asked.genesis.clone().unwrap_or_default())),
    }
}

/// What becomes of the chain that is there.
fn go_on(chain: &FoundChain, asked: &Asked) -> Result<Beginning, Refusal> {
    let given = asked.genesis.as_ref().map(|genesis| ("--genesis-json", genesis.chain_id()));
    let given = given.or_else(|| asked.snapshot.map(|snapshot| ("--snapshot", snapshot.chain)));
    if let Some((option, given)) = given.filter(|(_, given)| *given != chain.id) {
        return Err(Refusal::OtherChain { option, given, found: chain.id });
    }
    let replays = asked.replay || asked.hard_replay;
    match (chain.state, asked.snapshot) {
        (Some(state), Some(_)) if !replays => Err(Refusal::HasState { state }),
        (Some(_), None) if !replays => Ok(Beginning::Continue),
        _ => {
            let (from, origin) = replay_origin(chain, asked)?;
            let last = asked.truncate;
            let truncates = asked.hard_replay && last > 0 && chain.blocks.is_some_and(|(_, head)| last < head);
            if truncates && last < origin {
                return Err(Refusal::TruncatesOrigin { last, origin });
            }
            Ok(Beginning::Replay { from, truncate: truncates.then_some(last) })
        }
    }
}

/// The blocks of a range that may have no end, in words.
fn blocks(first: u32, last: u32) -> String {
    if last == u32::MAX { format!("block {first} or a later one") } else { format!("a block from {first} to {last}") }
}

/// What the state of the chain is built from, with the number of its block.
fn replay_origin(chain: &FoundChain, asked: &Asked) -> Result<(Origin, u32), Refusal> {
    let (first, last) = match chain.blocks {
        // A snapshot may also be of the block before the first one.
        Some((first, last)) => (first.saturating_sub(1).max(FIRST_BLOCK), last),
        None => (chain.state.unwrap_or(FIRST_BLOCK), u32::MAX),
    };
    match (asked.snapshot, &chain.genesis) {
        (Some(SnapshotPoint { num, id: given, .. }), _) => {
            if !(first..=last).contains(&num) {
                return Err(Refusal::SnapshotApart { snapshot: num, first, last });
            }
            match chain.at_snapshot {
                Some(found) if found != given => Err(Refusal::SnapshotOfOtherBranch { num, given, found }),
                _ => Ok((Origin::Snapshot, num)),
            }
        }
        (None, Some(genesis)) => Ok((Origin::Genesis(Box::new(genesis.clone())), FIRST_BLOCK)),
        (None, None) => Err(Refusal::NeedsSnapshot { first, last }),
    }
}

#[cfg(test)]
mod tests {
    use primitives::{Checksum256, TimePoint};

    use super::*;

    const TABLE: &str = include_str!("../../README.md");
    /// What reading the files refuses, before anything is decided.
    const BEFORE: [&str; 3] = ["is not a snapshot", "is not a valid genesis", "goes with --genesis-json only"];

    fn genesis(second: i64) -> Genesis {
        Genesis { initial_timestamp: TimePoint(second * 1_000_000), ..Genesis::default() }
    }

    fn id(num: u32, branch: u8) -> BlockId {
        let mut id = [branch; 32];
        id[..4].copy_from_slice(&num.to_be_bytes());
        Checksum256(id)
    }

    /// The files of the table.
    fn snapshot(name: &str) -> SnapshotPoint {
        let (own, other) = (genesis(1).chain_id(), genesis(2).chain_id());
        let (chain, num, branch) = match name {
            "SNAPSHOT" => (own, 5, 0),
            "LATE" => (own, 15, 0),
            "FORK" => (own, 5, 1),
            "OTHER_SNAPSHOT" => (other, 5, 0),
            other => panic!("there is no snapshot {other}"),
        };
        SnapshotPoint { chain, num, id: id(num, branch) }
    }

    fn asked(options: &str) -> (Asked, u32) {
        let (mut asked, mut terminate) = (Asked::default(), 0);
        let mut words = options.split_whitespace();
        while let Some(word) = words.next() {
            let mut value = || words.next().expect("the option has a value");
            match word {
                "--genesis-json" => asked.genesis = Some(genesis(if value() == "GENESIS" { 1 } else { 2 })),
                "--genesis-timestamp" => asked.genesis = Some(genesis(3)).filter(|_| !value().is_empty()),
                "--snapshot" => asked.snapshot = Some(snapshot(value())),
                "--replay-blockchain" => asked.replay = true,
                "--hard-replay-blockchain" => asked.hard_replay = true,
                "--delete-all-blocks" => asked.delete_all = true,
                "--truncate-at-block" => asked.truncate = value().parse().expect("a number"),
                "--terminate-at-block" => terminate = value().parse().expect("a number"),
                other => panic!("{other} is not an option of the table"),
            }
        }
        (asked, terminate)
    }

    fn found(folder: &str, asked: &Asked) -> Found {
        let chain = |genesis, blocks: Option<(u32, u32)>, state| {
            let num = asked.snapshot.map_or(0, |snapshot| snapshot.num);
            // A chain begun from block 5 knows that block from its state or from the block after it.
            let known = (5..=blocks.map_or(state, |(_, last)| last)).contains(&num);
            let at_snapshot = known.then(|| id(num, 0));
            let id = self::genesis(1).chain_id();
            Found::Chain(Box::new(FoundChain { id, genesis, blocks, state: Some(state), at_snapshot }))
        };
        match folder {
            "empty" => Found::Nothing,
            "chain" => chain(Some(genesis(1)), Some((1, 12)), 12),
            "begun" => chain(None, Some((6, 12)), 12),
            "bare" => chain(None, None, 5),
            "nodeos" => Found::Nodeos(PathBuf::from("blocks/blocks.log")),
            other => panic!("there is no folder {other}"),
        }
    }

    /// The word of the table for a decision.
    fn outcome(folder: &str, options: &str) -> String {
        let (asked, terminate) = asked(options);
        let origin_num = |origin: &Origin| match origin {
            Origin::Genesis(_) => FIRST_BLOCK,
            Origin::Snapshot => asked.snapshot.map_or(0, |snapshot| snapshot.num),
        };
        let found = found(folder, &asked);
        let last = match &found {
            Found::Chain(chain) => chain.blocks.map_or(5, |(_, last)| last),
            _ => 0,
        };
        let head = match decide(&found, &asked) {
            Err(refusal) => return format!("refused: {refusal}"),
            Ok(Beginning::New(Origin::Genesis(genesis))) => {
                return if *genesis == Genesis::default() { "new" } else { "own" }.to_owned();
            }
            Ok(Beginning::New(origin)) => origin_num(&origin),
            Ok(Beginning::Continue) => last,
            Ok(Beginning::Replay { from, truncate }) => truncate.unwrap_or(last).max(origin_num(&from)),
        };
        if terminate > 0 && head >= terminate { "ends".to_owned() } else { head.to_string() }
    }

    #[test]
    fn every_line_of_the_table_is_decided_so() {
        let mut count = 0;
        // The page has other tables below this one.
        let rows = TABLE.lines().skip_while(|line| !line.starts_with("| folder |")).take_while(|line| !line.is_empty());
        for row in rows.filter_map(|line| line.strip_prefix("| ")) {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let [folder, options, expected, ..] = cells[..] else { panic!("{row}") };
            if folder == "folder" || BEFORE.iter().any(|message| expected.contains(message)) {
                continue;
            }
            let decided = outcome(folder, options);
            let fits = match expected.strip_prefix("refused: ") {
                Some(words) => decided.starts_with("refused") && decided.contains(words),
                // What the next start has is not decided here.
                None => Some(decided.as_str()) == expected.split(':').next(),
            };
            assert!(fits, "{folder} {options}: {decided}, not {expected}");
            count += 1;
        }
        assert!(count > 80, "the table is not where it was: {count} lines");
    }
}
