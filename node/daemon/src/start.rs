//! From files to a chain: the store is opened, the state is loaded, later blocks are applied again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use chain::{Chain, Doors, KeptBlocks, PrepareMode, PreparedBlock, SavedBlock, SavedChain};
use codec::{Pack, Unpack};
use engine::WallClock;
use primitives::time::SLOT_US;
use primitives::{BlockId, Genesis, SignedBlock, TimePoint};
use store::{AcceptedBlock, CheckpointHeader, Store, StoreSettings, Watermark};
use wasm::Engine;

use crate::code_cache::DiskCache;
use crate::settings::args::ChainArgs;

/// Under which name the store keeps the packed genesis.
pub const GENESIS_FACT: &str = "genesis";
/// Under which name the store keeps the chain's id.
pub const CHAIN_ID_FACT: &str = "chain id";
/// What to do about a state that does not fit the blocks.
const REPLAY_ADVICE: &str = "Start with --hard-replay-blockchain to build the state from the blocks anew";
/// Blocks between two lines about progress.
const PROGRESS_BLOCKS: u32 = 10_000;

/// Where the database of a node is.
pub fn store_path(data_dir: &Path) -> PathBuf {
    data_dir.join("db")
}

/// Opens the store of a node.
///
/// # Errors
/// It cannot be opened; another process may be using it.
pub fn open_store(data_dir: &Path) -> anyhow::Result<Arc<Store>> {
    let started = Instant::now();
    let settings = StoreSettings { path: store_path(data_dir) };
    let store = Store::open(&settings)?;
    tracing::debug!("the database is open after {} ms", started.elapsed().as_millis());
    Ok(Arc::new(store))
}

/// Opens the store of a node that has one.
///
/// # Errors
/// There is none, or it cannot be opened.
pub fn open_existing_store(data_dir: &Path) -> anyhow::Result<Arc<Store>> {
    anyhow::ensure!(store_path(data_dir).exists(), "there is no chain in {}", data_dir.display());
    open_store(data_dir)
}

/// The doors of a chain whose compiled code is kept in `data_dir`, or nowhere.
///
/// # Errors
/// The folder cannot be made.
pub fn doors(engine: &Engine, data_dir: Option<&Path>) -> anyhow::Result<Doors> {
    Ok(Doors { clock: Box::new(WallClock), engine: engine.clone(), code_cache: code_cache(data_dir)? })
}

/// The compiled code of a node, or a memory of nothing.
///
/// # Errors
/// The folder cannot be made.
pub fn code_cache(data_dir: Option<&Path>) -> anyhow::Result<Box<dyn wasm::CodeCache>> {
    Ok(match data_dir {
        Some(folder) => Box::new(DiskCache::open(&folder.join("code"))?),
        None => Box::new(wasm::NoCache),
    })
}

/// Reads a genesis document.
///
/// # Errors
/// The file cannot be read or is no genesis.
pub fn read_genesis(path: &Path) -> anyhow::Result<Genesis> {
    let text = std::fs::read(path).with_context(|| format!("cannot read the genesis {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no genesis document", path.display()))
}

/// Builds the chain that is in the store, or begins one there.
///
/// # Errors
/// What is on disk cannot be used, or contradicts the options.
pub fn chain(
    args: &ChainArgs,
    settings: chain::Settings,
    store: &Arc<Store>,
    doors: Doors,
) -> anyhow::Result<(Chain, Duration)> {
    if args.hard_replay_blockchain && args.truncate_at_block > 0 {
        truncate(store, args.truncate_at_block)?;
    } else if args.truncate_at_block > 0 {
        tracing::warn!("--truncate-at-block has no effect without --hard-replay-blockchain");
    }
    if args.replay_blockchain || args.hard_replay_blockchain {
        store.forget_state()?;
    }
    let known = store.fact(GENESIS_FACT)?;
    anyhow::ensure!(
        args.snapshot.is_none() || (store.head()?.is_none() && store.checkpoint()?.is_none()),
        "a snapshot can only begin a chain, and the data folder has one. Leave --snapshot out to continue it, or begin \
         anew with --delete-all-blocks"
    );
    anyhow::ensure!(
        args.snapshot.is_none() || args.genesis_json.is_none(),
        "a chain begins with --snapshot or with --genesis-json, not with both"
    );
    let mut chain = if let Some(checkpoint) = store.checkpoint()? {
        agree_on_genesis(args, known.as_deref())?;
        let started = Instant::now();
        let saved = saved_chain(store, checkpoint)?;
        let (rows, reversible, read) = (saved.rows.len(), saved.reversible.len(), started.elapsed().as_millis());
        let chain = Chain::from_checkpoint(saved, settings, doors)?;
        let all = started.elapsed().as_millis();
        tracing::debug!(
            "{rows} rows and {reversible} reversible blocks are loaded after {all} ms, read after {read} ms"
        );
        chain
    } else if let Some(bytes) = &known {
        agree_on_genesis(args, known.as_deref())?;
        let genesis = Genesis::from_bytes(bytes).context("the stored genesis is damaged")?;
        let chain = Chain::from_genesis(&genesis, settings, doors)?;
        keep_first_block(store, &chain)?;
        chain
    } else if let Some(path) = &args.snapshot {
        begin_with_snapshot(path, settings, store, doors)?
    } else {
        begin_with_genesis(args, settings, store, doors)?
    };
    let reapplied = apply_stored_blocks(&mut chain, store, args)?;
    Ok((chain, reapplied))
}

fn agree_on_genesis(args: &ChainArgs, known: Option<&[u8]>) -> anyhow::Result<()> {
    let (Some(path), Some(known)) = (&args.genesis_json, known) else { return Ok(()) };
    let given = genesis_of(args)?;
    anyhow::ensure!(
        given.to_bytes() == known,
        "{} is the genesis of another chain than the one in the data folder. Leave it out, or begin anew with \
         --delete-all-blocks",
        path.display()
    );
    Ok(())
}

fn genesis_of(args: &ChainArgs) -> anyhow::Result<Genesis> {
    let mut genesis = args.genesis_json.as_deref().map(read_genesis).transpose()?.unwrap_or_default();
    if let Some(text) = &args.genesis_timestamp {
        let time = if text == "now" {
            engine::clock::now()
        } else {
            text.parse::<TimePoint>()
                .map_err(|fault| anyhow::anyhow!("--genesis-timestamp {text} is no time: {fault}"))?
        };
        genesis.initial_timestamp = TimePoint(time.0.div_euclid(SLOT_US) * SLOT_US);
        if text == "now" && genesis.initial_timestamp < time {
            genesis.initial_timestamp = TimePoint(genesis.initial_timestamp.0 + SLOT_US);
        }
    }
    Ok(genesis)
}

fn begin_with_genesis(
    args: &ChainArgs,
    settings: chain::Settings,
    store: &Store,
    doors: Doors,
) -> anyhow::Result<Chain> {
    let genesis = genesis_of(args)?;
    let chain = Chain::from_genesis(&genesis, settings, doors).context("the genesis breaks a rule")?;
    tracing::info!("a new chain begins: {}", chain.chain_id());
    store.set_fact(GENESIS_FACT, &genesis.to_bytes())?;
    store.set_fact(CHAIN_ID_FACT, &chain.chain_id().0)?;
    keep_first_block(store, &chain)?;
    Ok(chain)
}

/// Keeps the block of the genesis, unless that was done before.
fn keep_first_block(store: &Store, chain: &Chain) -> anyhow::Result<()> {
    let head = chain.head();
    let Some(block) = head.block.as_ref().filter(|_| store.head().is_ok_and(|known| known.is_none())) else {
        return Ok(());
    };
    let (num, id, bytes) = (head.number(), head.id(), block.to_bytes());
    store.append_block(&AcceptedBlock { num, id, bytes: &bytes, head: true, irreversible: num, signed: None })?;
    Ok(())
}

fn begin_with_snapshot(path: &Path, settings: chain::Settings, store: &Store, doors: Doors) -> anyhow::Result<Chain> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the snapshot {}", path.display()))?;
    let mut chain = Chain::from_snapshot(&bytes, settings, doors)
        .with_context(|| format!("{} is no snapshot that this node can use", path.display()))?;
    store.set_fact(CHAIN_ID_FACT, &chain.chain_id().0)?;
    engine::write_checkpoint(store, chain.take_checkpoint()?)?;
    tracing::info!("the chain begins with the snapshot's block {}", chain.head().number());
    Ok(chain)
}

/// Makes an earlier block the head, and forgets what was signed after it: the operator wants another future.
fn truncate(store: &Store, last: u32) -> anyhow::Result<()> {
    let Some(id) = store.block_id_at(last)? else { return Ok(()) };
    let bytes = store.block_by_id(&id)?.with_context(|| format!("block {last} is missing in the database"))?;
    let header = SignedBlock::from_bytes(&bytes).with_context(|| format!("block {last} is damaged"))?.signed_header;
    let (slot, irreversible) = (header.header.timestamp, store.irreversible()?.min(last));
    for producer in store.signers()? {
        let mark = Watermark { num: last, slot };
        let signed = Some((producer, mark));
        store.append_block(&AcceptedBlock { num: last, id, bytes: &bytes, head: true, irreversible, signed })?;
    }
    store.append_block(&AcceptedBlock { num: last, id, bytes: &bytes, head: true, irreversible, signed: None })?;
    tracing::info!("forgot the blocks after {last}");
    Ok(())
}

/// Finds blocks in the store.
struct Blocks(Arc<Store>);

impl KeptBlocks for Blocks {
    fn block(&self, id: &BlockId) -> Option<Vec<u8>> {
        let found = self.0.block_by_id(id);
        found.inspect_err(|error| tracing::error!("block {id} cannot be read: {error}")).ok().flatten()
    }
}

/// What checkpoints left in the store.
fn saved_chain(
    store: &Arc<Store>,
    checkpoint: CheckpointHeader,
) -> anyhow::Result<SavedChain<Vec<(Vec<u8>, Vec<u8>)>>> {
    let rows = store.state_rows().map(|row| row.map(|(key, value)| (key.into_vec(), value.into_vec())));
    let rows = rows.collect::<Result<_, _>>()?;
    let read = |number| {
        let missing = || format!("what undoes block {number} is missing in the database. {REPLAY_ADVICE}");
        Ok(SavedBlock { number, bytes: store.reversible(number)?.with_context(missing)? })
    };
    let reversible = (checkpoint.irreversible.saturating_add(1)..=checkpoint.num).map(read);
    let reversible = reversible.collect::<anyhow::Result<_>>()?;
    Ok(SavedChain { rows, root: checkpoint.extra, reversible, blocks: Box::new(Blocks(Arc::clone(store))) })
}

/// Applies the blocks behind the state, and says how long that took. They were accepted once, so they are taken on
/// trust unless all is checked.
fn apply_stored_blocks(chain: &mut Chain, store: &Store, args: &ChainArgs) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let Some(head) = store.head()? else { return Ok(Duration::ZERO) };
    let (irreversible, chain_id) = (store.irreversible()?, chain.chain_id());
    let mode = if args.force_all_checks { PrepareMode::Full } else { PrepareMode::Trusted };
    let mut applied = 0;
    // A node that ends at a block does not go on to later ones, which stay for another start.
    let last = head.num.min(if args.terminate_at_block > 0 { args.terminate_at_block } else { u32::MAX });
    for num in chain.root().number() + 1..=last {
        let missing = || format!("block {num} is missing in the database. {REPLAY_ADVICE}");
        let id = store.block_id_at(num)?.with_context(missing)?;
        if chain.fork_block(&id).is_some() {
            continue;
        }
        let bytes = store.block_by_id(&id)?.with_context(missing)?;
        let failed = || format!("block {num} of the database cannot be applied again. {REPLAY_ADVICE}");
        let block = PreparedBlock::from_bytes(&bytes, &chain_id, mode).with_context(failed)?;
        if num <= irreversible && chain.head().id() == chain.root().id() {
            chain.replay_block(block).with_context(failed)?;
        } else if args.force_all_checks {
            chain.push_block(block).with_context(failed)?;
        } else {
            chain.push_kept_block(block).with_context(failed)?;
        }
        applied += 1;
        if num % PROGRESS_BLOCKS == 0 {
            tracing::info!("applied blocks up to {num} of {} again", head.num);
        }
    }
    anyhow::ensure!(
        chain.head().id() == head.id || last < head.num,
        "the blocks of the database lead to head {} instead of {}. {REPLAY_ADVICE}",
        chain.head().id(),
        head.id
    );
    let took = started.elapsed();
    if applied > 0 {
        tracing::info!("applied {applied} blocks again in {} ms, head is {last}", took.as_millis());
    }
    Ok(took)
}
