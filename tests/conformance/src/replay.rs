//! A recorded block log applied again: ids block by block, the integrity hash at the end.

use chain::block_log::{BlockLog, ChainContext};
use chain::{Doors, LiveChain, PrepareMode, PreparedBlock, Settings};
use execution::StoppedClock;
use primitives::{Genesis, Sha256};
use wasm::Tiers;

use crate::Recording;
use crate::step::Step;

/// Doors of a chain without a world: the clock stands still, nothing is cached.
pub fn doors(tiers: Tiers) -> Doors {
    let engine = wasm::Engine::with_tiers(tiers);
    Doors { clock: Box::new(StoppedClock), engine, code_cache: Box::new(wasm::NoCache) }
}

/// The genesis a recorded log begins with.
///
/// # Panics
/// When the log does not begin with block 1.
pub fn genesis(log: &BlockLog<'_>) -> Genesis {
    match log.context() {
        ChainContext::Genesis(genesis) => genesis.clone(),
        ChainContext::Id(_) => panic!("recorded logs begin with block 1"),
    }
}

/// Replays the whole log with `mode`, contracts in `tiers`, comparing every id, and with `each` block's integrity hash and
/// deltas if told so.
///
/// # Errors
/// The first difference in words.
pub fn replay(recording: &Recording, mode: PrepareMode, tiers: Tiers, each: bool) -> Result<(), String> {
    let log = BlockLog::open(&recording.log).map_err(|error| error.to_string())?;
    let genesis = genesis(&log);
    let settings = Settings { deltas: each, ..Settings::default() };
    let chain = LiveChain::from_genesis(&genesis, settings, doors(tiers));
    let mut chain = chain.map_err(|error| error.to_string())?;
    let chain_id = chain.chain_id();
    if hex::encode(chain_id.0) != recording.expected.chain_id {
        return Err(format!("chain id: ours {chain_id:?}, nodeos {}", recording.expected.chain_id));
    }
    let hashes = integrity_hashes(recording);
    for (number, bytes) in log.iter().filter(|(number, _)| *number > 1) {
        let at = |error: String| format!("block {number}: {error}");
        let block = PreparedBlock::from_bytes(bytes, &chain_id, mode).map_err(|fault| at(fault.to_string()))?;
        let sealed = chain.replay_block(block).map_err(|error| at(error.to_string()))?;
        if let Some((ours, theirs)) = sealed.deltas.zip(recording.deltas.get(number as usize - 2)) {
            let ours = hex::encode(Sha256::of(&ours).0);
            if !ours.starts_with(theirs.as_str()) {
                return Err(at(format!("deltas: ours hash to {ours}, nodeos' to {theirs}...")));
            }
        }
        if each || number == recording.expected.head_block_num {
            let ours = hex::encode(chain.integrity_hash().map_err(|error| at(error.to_string()))?.0);
            let theirs = &hashes[number as usize - 2];
            if ours != *theirs {
                return Err(at(format!("integrity hash: ours {ours}, nodeos {theirs}")));
            }
        }
    }
    let (told, blocks) = (recording.deltas.len(), recording.expected.head_block_num as usize - 1);
    if told != blocks && told > 0 {
        return Err(format!("nodeos' deltas of {told} blocks are recorded, there are {blocks}"));
    }
    let head = hex::encode(chain.head().id().0);
    if head != recording.expected.head_block_id {
        return Err(format!("head: ours {head}, nodeos {}", recording.expected.head_block_id));
    }
    Ok(())
}

/// nodeos' integrity hash after each block, from block 2.
pub fn integrity_hashes(recording: &Recording) -> Vec<String> {
    recording
        .steps
        .iter()
        .filter_map(|step| if let Step::Seal { integrity, .. } = step { Some(integrity.clone()) } else { None })
        .collect()
}
