//! The files of one recording, read into memory. What the steps mean is in [`crate::step`].

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::step::Step;

/// How a recorded chain ends.
#[derive(Debug, Clone, Deserialize)]
pub struct Expected {
    /// What the recording is for.
    pub about: String,
    /// The chain's id in hex.
    pub chain_id: String,
    /// Number of the last block.
    pub head_block_num: u32,
    /// Its id in hex.
    pub head_block_id: String,
    /// nodeos' hash of the whole state there, in hex.
    pub integrity_hash: String,
    /// Transactions that were pushed, failed ones included.
    pub pushes: usize,
    /// Those that failed.
    pub failures: usize,
}

/// One recorded chain.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Its name: the files' common stem.
    pub name: String,
    /// How it ends.
    pub expected: Expected,
    /// nodeos' blocks.log.
    pub log: Vec<u8>,
    /// The first digits of what nodeos' deltas of each block hash to, from block 2; empty where that was not recorded.
    pub deltas: Vec<String>,
    /// What was done, in order.
    pub steps: Vec<Step>,
}

/// The folder of the recordings: this crate's, or the one that the environment names in `RECORDINGS`.
pub fn folder() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings");
    std::env::var_os("RECORDINGS").map_or_else(own, PathBuf::from)
}

/// Names of all recordings, ascending.
pub fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).expect("the recordings are part of the repository");
    let mut names: Vec<String> = files
        .filter_map(|file| Some(file.ok()?.file_name().to_str()?.strip_suffix(".expected.json")?.to_owned()))
        .collect();
    names.sort();
    names
}

/// The recordings that a test takes: the one that the environment names in `RECORDING`, or all.
///
/// # Panics
/// When there is none of that name, so that a typo does not pass.
pub fn chosen() -> Vec<String> {
    let (all, wanted) = (names(), std::env::var("RECORDING").ok());
    let Some(wanted) = wanted else { return all };
    assert!(all.contains(&wanted), "RECORDING={wanted}: there are {}", all.join(", "));
    vec![wanted]
}

impl Recording {
    /// Reads the recording `name`.
    ///
    /// # Panics
    /// When a file is missing or damaged: recordings are part of the repository.
    pub fn load(name: &str) -> Self {
        let file = |end: &str| {
            let path = folder().join(format!("{name}.{end}"));
            fs::read(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
        };
        let unpacked = |end: &str| {
            let mut out = Vec::new();
            GzDecoder::new(file(end).as_slice()).read_to_end(&mut out).expect("recordings are whole gzip files");
            out
        };
        let expected = serde_json::from_slice(&file("expected.json")).expect("NAME.expected.json has its fields");
        let steps = unpacked("steps.jsonl.gz")
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).expect("NAME.steps.jsonl holds steps"))
            .collect();
        // Recordings of a moment's own have none.
        let own = std::env::var_os("RECORDINGS").is_none();
        let deltas = if own { String::from_utf8(file("deltas.txt")).expect("text") } else { String::new() };
        let deltas = deltas.lines().map(str::to_owned).collect();
        Self { name: name.to_owned(), expected, log: unpacked("blocks.log.gz"), deltas, steps }
    }
}
