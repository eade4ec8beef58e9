//! From files to a chain, in two steps: [`plan`] decides and builds in memory what is new, [`Plan::carry_out`] touches
//! the disk, loads the state and applies the blocks after it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use chain::{
    Applied, Chain, ChainError, CheckpointLoader, Doors, KeyGuesses, LiveChain, PrepareMode, PreparedBlock, SavedBlock,
    SavedChain,
};
use codec::{Pack, Unpack};
use engine::follower::TraceEncoder;
use engine::preparing::ahead;
use engine::{Clock, StoredBlocks};
use primitives::time::SLOT_US;
use primitives::{BlockId, ChainId, Fault, Genesis, SignedBlock, TimePoint};
use store::blocks::number_of;
use store::{AcceptedBlock, Change, CheckpointHeader, Head, Store};
use wasm::Engine;

use crate::beginning::{Asked, Beginning, Found, FoundChain, Origin, SnapshotPoint, decide};
use crate::code_cache::DiskCache;
use crate::folder::{CODE_FOLDER, Folder};
use crate::genesis_file;
use crate::settings::args::ChainArgs;

/// Under which name the store keeps the packed genesis.
pub const GENESIS_FACT: &str = "genesis";
/// Under which name the store keeps whether the blocks after the last irreversible one were never applied.
const UNAPPLIED_FACT: &str = "reversible blocks are not applied";
/// Under which name the store keeps the chain's id.
pub const CHAIN_ID_FACT: &str = "chain id";
/// What to do about a state that does not fit the blocks.
const REPLAY_ADVICE: &str = "Start with --replay-blockchain to build the state from the blocks anew (with --snapshot \
                             FILE beside it if the chain began with a snapshot)";
/// Blocks between two lines about progress.
const PROGRESS_BLOCKS: u32 = 10_000;

/// The doors of a chain whose time is `clock`'s and whose compiled code is kept in `data_dir`, or nowhere.
///
/// # Errors
/// The folder cannot be made.
pub fn doors(engine: &Engine, clock: &Clock, data_dir: Option<&Path>) -> anyhow::Result<Doors> {
    Ok(Doors { clock: Box::new(clock.clone()), engine: engine.clone(), code_cache: code_cache(data_dir)? })
}

/// The compiled code of a node, or a memory of nothing.
///
/// # Errors
/// The folder cannot be made.
pub fn code_cache(data_dir: Option<&Path>) -> anyhow::Result<Box<dyn wasm::CodeCache>> {
    Ok(match data_dir {
        Some(folder) => Box::new(DiskCache::open(&folder.join(CODE_FOLDER))?),
        None => Box::new(wasm::NoCache),
    })
}

/// Reads a snapshot: a chain at its block.
///
/// # Errors
/// The file cannot be read or is not a snapshot.
pub fn read_snapshot(path: &Path, settings: chain::Settings, doors: Doors) -> anyhow::Result<LiveChain> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the snapshot {}", path.display()))?;
    LiveChain::from_snapshot(&bytes, settings, doors)
        .with_context(|| format!("{} is not a snapshot that this node can use", path.display()))
}

/// A start that was decided on. The disk is as it was.
#[allow(missing_debug_implementations, reason = "a whole chain is not printed")]
pub struct Plan<'a> {
    folder: &'a Folder,
    args: &'a ChainArgs,
    /// The database, unless there is none or it will be deleted.
    store: Option<Arc<Store>>,
    step: Step,
    facts: Vec<(&'static str, Vec<u8>)>,
}

/// What a [`Beginning`] takes, with chains at their origins in memory.
enum Step {
    New(Box<LiveChain>, Option<Genesis>),
    Continue(Box<chain::Settings>, Doors),
    Replay { chain: Box<LiveChain>, truncate: Option<u32> },
}

/// What a chain can be made from before the disk is looked at.
enum Source {
    /// The chain of the snapshot that the options name.
    Snapshot(Box<LiveChain>),
    /// Nothing yet.
    Doors(Doors),
}

impl Source {
    fn point(&self) -> Option<SnapshotPoint> {
        let Self::Snapshot(chain) = self else { return None };
        Some(SnapshotPoint { chain: chain.chain_id(), num: chain.head().number(), id: chain.head().id() })
    }

    /// The chain at its origin, with its genesis.
    fn build(self, origin: Origin, settings: chain::Settings) -> anyhow::Result<(LiveChain, Option<Genesis>)> {
        match (origin, self) {
            (Origin::Genesis(genesis), Self::Doors(doors)) => {
                let chain = LiveChain::from_genesis(&genesis, settings, doors).context("the genesis breaks a rule")?;
                Ok((chain, Some(*genesis)))
            }
            (Origin::Snapshot, Self::Snapshot(chain)) => Ok((*chain, None)),
            _ => anyhow::bail!("a start was decided on that the options do not ask for"),
        }
    }
}

/// A chain that is ready for the engine.
#[allow(missing_debug_implementations, reason = "a whole chain is not printed")]
pub struct Started {
    /// Its database.
    pub store: Arc<Store>,
    /// The chain, at its head.
    pub chain: LiveChain,
    /// How long it took to apply blocks that are not part of the state on disk.
    pub reapplied: Duration,
}

/// Decides how the start begins. `store` is the folder's database, left out where that is to be deleted; a folder of
/// nodeos is refused unless this is an `import`.
///
/// # Errors
/// The options contradict each other or what is there, or a file that they name cannot be used.
pub fn plan<'a>(
    folder: &'a Folder,
    store: Option<Arc<Store>>,
    args: &'a ChainArgs,
    genesis: Option<Genesis>,
    settings: chain::Settings,
    doors: Doors,
    import: bool,
) -> anyhow::Result<Plan<'a>> {
    let source = match args.snapshot.as_deref() {
        Some(path) => Source::Snapshot(Box::new(read_snapshot(path, settings.clone(), doors)?)),
        None => Source::Doors(doors),
    };
    let asked = Asked {
        genesis,
        snapshot: source.point(),
        delete_all: args.delete_all_blocks,
        replay: args.replay_blockchain,
        hard_replay: args.hard_replay_blockchain,
        truncate: args.truncate_at_block,
    };
    let found = match store.as_deref().map(|store| look(store, asked.snapshot.as_ref())).transpose()?.flatten() {
        Some(chain) => Found::Chain(Box::new(chain)),
        None => match folder.nodeos().filter(|_| !import) {
            Some(file) => Found::Nodeos(file),
            None => Found::Nothing,
        },
    };
    let step = match (decide(&found, &asked)?, source) {
        (Beginning::New(origin), source) => {
            let (chain, genesis) = source.build(origin, settings)?;
            Step::New(Box::new(chain), genesis)
        }
        (Beginning::Replay { from, truncate }, source) => {
            Step::Replay { chain: Box::new(source.build(from, settings)?.0), truncate }
        }
        (Beginning::Continue, Source::Doors(doors)) => Step::Continue(Box::new(settings), doors),
        (Beginning::Continue, Source::Snapshot(_)) => anyhow::bail!("a snapshot was given that nothing begins with"),
    };
    if args.truncate_at_block > 0 && !matches!(step, Step::Replay { .. } if args.hard_replay_blockchain) {
        tracing::warn!("--truncate-at-block has no effect without blocks and --hard-replay-blockchain");
    }
    Ok(Plan { folder, args, store, step, facts: Vec::new() })
}

/// The chain in a database, if there is one: a start that was killed may have left no more than an id.
///
/// # Errors
/// The disk refuses, or what is there is damaged.
pub fn look(store: &Store, snapshot: Option<&SnapshotPoint>) -> anyhow::Result<Option<FoundChain>> {
    let genesis = store.fact(GENESIS_FACT)?.map(|bytes| Genesis::from_bytes(&bytes));
    let genesis = genesis.transpose().context("the stored genesis is damaged")?;
    let id = match (store.fact(CHAIN_ID_FACT)?, &genesis) {
        (Some(bytes), _) => ChainId::from_bytes(&bytes).context("the stored chain id is damaged")?,
        (None, Some(genesis)) => genesis.chain_id(),
        (None, None) => return Ok(None),
    };
    let checkpoint = store.checkpoint()?;
    let state = checkpoint.as_ref().map(|checkpoint| checkpoint.num);
    let blocks = store.earliest_block_num()?.zip(store.head()?).map(|(first, head)| (first, head.num));
    if genesis.is_none() && state.is_none() && blocks.is_none() {
        return Ok(None);
    }
    let at_snapshot = snapshot.map(|snapshot| id_at(store, checkpoint.as_ref(), snapshot.num)).transpose()?.flatten();
    Ok(Some(FoundChain { id, genesis, blocks, state, at_snapshot }))
}

/// The id of the chain's block with a number; the block after it and a state of it name it too.
fn id_at(store: &Store, checkpoint: Option<&CheckpointHeader>, num: u32) -> anyhow::Result<Option<BlockId>> {
    if let Some(id) = store.block_id_at(num)? {
        return Ok(Some(id));
    }
    if let Some(next) = store.block_at(num.saturating_add(1))? {
        let next = SignedBlock::from_bytes(&next).with_context(|| format!("the block after {num} is damaged"))?;
        return Ok(Some(next.header().previous));
    }
    Ok(checkpoint.filter(|checkpoint| checkpoint.num == num).map(|checkpoint| checkpoint.id))
}

/// The genesis that the options name.
///
/// # Errors
/// It cannot be read, or its time is not one.
pub fn asked_genesis(args: &ChainArgs) -> anyhow::Result<Option<Genesis>> {
    let Some(path) = &args.genesis_json else {
        anyhow::ensure!(
            args.genesis_timestamp.is_none(),
            "--genesis-timestamp sets the start time of a genesis: it goes with --genesis-json only"
        );
        return Ok(None);
    };
    let mut genesis = genesis_file::read(path)?;
    if let Some(text) = &args.genesis_timestamp {
        let time = if text == "now" {
            engine::clock::machine_time()
        } else {
            genesis_file::read_time(text).with_context(|| format!("--genesis-timestamp {text}"))?
        };
        genesis.initial_timestamp = TimePoint(time.0.div_euclid(SLOT_US) * SLOT_US);
        if text == "now" && genesis.initial_timestamp < time {
            genesis.initial_timestamp = TimePoint(genesis.initial_timestamp.0 + SLOT_US);
        }
    }
    Ok(Some(genesis))
}

impl Plan<'_> {
    /// A fact that a new chain is to have from its first moment.
    pub fn add_fact(&mut self, name: &'static str, value: Vec<u8>) {
        self.facts.push((name, value));
    }

    /// What a new chain begins with, unless that is a snapshot.
    pub fn new_genesis(&self) -> Option<&Genesis> {
        match &self.step {
            Step::New(_, genesis) => genesis.as_ref(),
            _ => None,
        }
    }

    /// The chain at its first block, where the start begins one.
    pub fn new_chain(&self) -> Option<&Chain> {
        match &self.step {
            Step::New(chain, _) => Some(chain),
            _ => None,
        }
    }

    /// The database of the chain that is gone on with or replayed.
    pub fn old_store(&self) -> Option<&Store> {
        self.store.as_deref().filter(|_| !matches!(self.step, Step::New(..)))
    }

    /// The chain that the snapshot gives, where the start begins or replays one from it.
    pub fn snapshot_chain(&mut self) -> Option<&mut LiveChain> {
        match &mut self.step {
            Step::New(chain, None) => Some(chain),
            Step::Replay { chain, .. } if self.args.snapshot.is_some() => Some(chain),
            _ => None,
        }
    }

    /// Touches the disk: begins the chain there, or loads it and applies the blocks that its state lacks. With `traces`
    /// those of the applied blocks are kept.
    ///
    /// # Errors
    /// The disk refuses, or what is on it cannot be used.
    pub fn carry_out(self, traces: Option<TraceEncoder>) -> anyhow::Result<Started> {
        let Self { folder, args, store, step, facts } = self;
        let store = match store {
            Some(store) => store,
            None => {
                if args.delete_all_blocks {
                    folder.delete()?;
                }
                folder.open()?
            }
        };
        let (mut chain, reapplied) = match step {
            Step::New(mut chain, genesis) => {
                begin(&mut chain, genesis.as_ref(), &store, &facts)?;
                (*chain, Duration::ZERO)
            }
            Step::Continue(settings, doors) => {
                let mut chain = load(&store, *settings, doors)?;
                stand_as_asked(&mut chain, &store)?;
                let reapplied = apply_stored_blocks(&mut chain, &store, args, u32::MAX, traces)?;
                (chain, reapplied)
            }
            Step::Replay { mut chain, truncate } => {
                apply_stored_blocks(&mut chain, &store, args, truncate.unwrap_or(u32::MAX), traces)?;
                // The blocks proved good: what was there before is not needed any more.
                if let Some(last) = truncate {
                    forget_blocks_after(last, &chain, &store)?;
                }
                engine::replace_state(&store, chain.take_checkpoint()?)?;
                (*chain, Duration::ZERO)
            }
        };
        begin_history(&chain, &store)?;
        recall_branches(&mut chain, &store, args, traces)?;
        persist_whether_applied(&chain, &store)?;
        Ok(Started { store, chain, reapplied })
    }
}

/// Keeps all rows as the deltas of the head where a history of rows is wanted and does not reach it. On a new chain the
/// first block has them.
fn begin_history(chain: &Chain, store: &Store) -> anyhow::Result<()> {
    let head = chain.head().number();
    if head > 1 && chain.keeps_deltas() && store.deltas(head)?.is_none() {
        let started = Instant::now();
        store.put_deltas(head, &chain.full_deltas())?;
        tracing::info!("the history of rows begins with block {head}: written in {} ms", started.elapsed().as_millis());
    }
    Ok(())
}

/// Begins a chain in an empty database.
fn begin(
    chain: &mut Chain,
    genesis: Option<&Genesis>,
    store: &Store,
    facts: &[(&'static str, Vec<u8>)],
) -> anyhow::Result<()> {
    for (name, value) in facts {
        store.set_fact(name, value)?;
    }
    store.set_fact(CHAIN_ID_FACT, &chain.chain_id().0)?;
    let Some(genesis) = genesis else {
        engine::write_checkpoint(store, chain.take_checkpoint()?)?;
        tracing::info!("chain {} begins with the snapshot's block {}", chain.chain_id(), chain.head().number());
        return Ok(());
    };
    store.set_fact(GENESIS_FACT, &genesis.to_bytes())?;
    persist_first_block(store, chain)?;
    tracing::info!("a new chain begins: {}", chain.chain_id());
    Ok(())
}

/// Keeps the block of the genesis, unless that was done before.
fn persist_first_block(store: &Store, chain: &Chain) -> anyhow::Result<()> {
    let head = chain.head();
    let Some(block) = head.block.as_ref().filter(|_| store.head().is_ok_and(|known| known.is_none())) else {
        return Ok(());
    };
    let (num, id, bytes) = (head.number(), head.id(), block.to_bytes());
    store.append_block(&AcceptedBlock { num, id, bytes: &bytes, head: true, irreversible: num, signed: None })?;
    Ok(())
}

/// The chain as its last checkpoint left it.
fn load(store: &Arc<Store>, settings: chain::Settings, doors: Doors) -> anyhow::Result<LiveChain> {
    let started = Instant::now();
    let checkpoint = store.checkpoint()?.context("the state is not there any more")?;
    let saved = saved_chain(store, checkpoint)?;
    let (reversible, read) = (saved.reversible.len(), started.elapsed().as_millis());
    let chain = LiveChain::from_checkpoint(saved, settings, doors).context(REPLAY_ADVICE)?;
    let all = started.elapsed().as_millis();
    tracing::debug!("the state and {reversible} reversible blocks are loaded after {all} ms, read after {read} ms");
    Ok(chain)
}

/// Forgets the blocks after one. The chain stands at it, or before it where the node ends at an earlier block.
fn forget_blocks_after(last: u32, chain: &Chain, store: &Store) -> anyhow::Result<()> {
    let head = chain.head();
    let (id, slot) = if head.number() == last {
        (head.id(), head.header.timestamp())
    } else {
        let missing = || format!("block {last} is missing in the database");
        let (id, bytes) = store.block_id_at(last)?.zip(store.block_at(last)?).with_context(missing)?;
        let block = SignedBlock::from_bytes(&bytes).with_context(|| format!("block {last} is damaged"))?;
        (id, block.header().timestamp)
    };
    store.truncate(Head { num: last, id }, slot)?;
    tracing::info!("forgot the blocks after {last}");
    Ok(())
}

/// What checkpoints left in the store.
pub fn saved_chain(store: &Arc<Store>, checkpoint: CheckpointHeader) -> anyhow::Result<SavedChain> {
    let mut rows = CheckpointLoader::default();
    store.state_rows().each(|key, value| rows.add(key, value).context(REPLAY_ADVICE))?;
    let read = |number| {
        let missing = || format!("what undoes block {number} is missing in the database. {REPLAY_ADVICE}");
        let bytes = store.reversible(number)?.with_context(missing)?;
        SavedBlock::split(number, &bytes)
            .with_context(|| format!("block {number} of the state is damaged. {REPLAY_ADVICE}"))
    };
    let reversible = (checkpoint.irreversible.saturating_add(1)..=checkpoint.num).map(read);
    let reversible = reversible.collect::<anyhow::Result<_>>()?;
    Ok(SavedChain { rows, root: checkpoint.extra, reversible, blocks: Arc::new(StoredBlocks(Arc::clone(store))) })
}

/// Applies the blocks behind the state, and says how long that took. They were accepted once, so they are taken on
/// trust unless all is checked. Their traces are kept again: a node that was killed may not have come to it.
fn apply_stored_blocks(
    chain: &mut LiveChain,
    store: &Store,
    args: &ChainArgs,
    last: u32,
    traces: Option<TraceEncoder>,
) -> anyhow::Result<Duration> {
    let started = Instant::now();
    persist_first_block(store, chain)?;
    let Some(head) = store.head()? else { return Ok(Duration::ZERO) };
    let (irreversible, chain_id) = (store.irreversible()?, chain.chain_id());
    let mode = if args.force_all_checks { PrepareMode::Full } else { PrepareMode::Trusted };
    let guesses = KeyGuesses::default();
    let mut applied = 0;
    // A node that ends at a block does not go on to later ones, which stay for another start. Blocks that were never
    // applied are not taken on trust.
    let unapplied = chain.is_irreversible_only() || are_unapplied(store)?;
    let last = last.min(if unapplied { irreversible } else { head.num });
    let last = last.min(if args.terminate_at_block > 0 { args.terminate_at_block } else { u32::MAX });
    let failed = |num: u32| format!("block {num} of the database cannot be applied again. {REPLAY_ADVICE}");
    let read = |num: u32| -> anyhow::Result<PreparedBlock> {
        let missing = || format!("block {num} is missing in the database. {REPLAY_ADVICE}");
        let id = store.block_id_at(num)?.with_context(missing)?;
        let bytes = store.block_by_id(&id)?.with_context(missing)?;
        let prepare = |block| PreparedBlock::guessing(Arc::new(block), &chain_id, mode, &guesses);
        SignedBlock::from_bytes(&bytes).map_err(Fault::from).and_then(prepare).with_context(|| failed(num))
    };
    // The state mostly has the blocks after its root: they are not read again.
    let mut first = chain.root().number() + 1;
    while first <= last && store.block_id_at(first)?.is_some_and(|id| chain.fork_block(&id).is_some()) {
        first += 1;
    }
    std::thread::scope(|scope| -> anyhow::Result<()> {
        for (num, block) in ahead(scope, first..=last, &read) {
            let block = block?;
            if chain.fork_block(&block.id).is_some() {
                continue;
            }
            let joined = if num <= irreversible && chain.head().id() == chain.root().id() {
                let applied = chain.replay_block(block).with_context(|| failed(num))?;
                Applied { applied: vec![applied], ..Applied::default() }
            } else if args.force_all_checks {
                chain.push_block(block).with_context(|| failed(num))?
            } else {
                chain.push_kept_block(block).with_context(|| failed(num))?
            };
            engine::follower::persist_history(store, traces, &joined)?;
            applied += 1;
            if num % PROGRESS_BLOCKS == 0 {
                tracing::info!("applied blocks up to {num} of {} again", head.num);
            }
        }
        Ok(())
    })?;
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

/// Undoes the reversible blocks of a state that was kept at the head, where it is to stand at the last irreversible block.
fn stand_as_asked(chain: &mut Chain, store: &Store) -> anyhow::Result<()> {
    if !chain.is_irreversible_only() || chain.head().id() == chain.root().id() {
        return Ok(());
    }
    let undone = chain.return_to_root().context(REPLAY_ADVICE)?;
    engine::write_checkpoint(store, chain.take_checkpoint()?)?;
    tracing::info!(
        "{undone} reversible blocks are undone: --read-mode irreversible; the state is that of block {}",
        chain.head().number()
    );
    Ok(())
}

/// Whether the last start left the blocks after the last irreversible one unapplied (`--read-mode irreversible`).
fn are_unapplied(store: &Store) -> anyhow::Result<bool> {
    Ok(store.fact(UNAPPLIED_FACT)?.is_some_and(|fact| fact == [1]))
}

/// Keeps for later starts whether reversible blocks are applied from now on.
fn persist_whether_applied(chain: &Chain, store: &Store) -> anyhow::Result<()> {
    let unapplied = chain.is_irreversible_only();
    // What lies after the block that a node ends at stays what it was.
    let all = store.head()?.is_none_or(|head| head.id == chain.best().id());
    if (unapplied || all) && unapplied != are_unapplied(store)? {
        store.set_fact(UNAPPLIED_FACT, &[u8::from(unapplied)])?;
    }
    Ok(())
}

/// Takes blocks into the fork tree again that may become the chain yet: those of other branches, and those that were
/// never applied. A node that ends at a block has no use for them.
fn recall_branches(
    chain: &mut LiveChain,
    store: &Arc<Store>,
    args: &ChainArgs,
    traces: Option<TraceEncoder>,
) -> anyhow::Result<()> {
    let irreversible_only = chain.is_irreversible_only();
    let unapplied = irreversible_only || are_unapplied(store)?;
    let last = if args.terminate_at_block > 0 { args.terminate_at_block } else { u32::MAX };
    if last < u32::MAX && (!unapplied || chain.head().number() >= last) {
        return Ok(());
    }
    chain.set_kept_blocks(Arc::new(StoredBlocks(Arc::clone(store))));
    let mut recalled = 0;
    for id in store.block_ids_from(chain.root().number().saturating_add(1)) {
        let id = id?;
        let beyond = !irreversible_only && number_of(&id) > last;
        if beyond || chain.fork_block(&id).is_some() {
            continue;
        }
        let mut read = || -> anyhow::Result<bool> {
            let bytes = store.block_by_id(&id)?.context("it is not there any more")?;
            Ok(chain.recall_block(Arc::new(SignedBlock::from_bytes(&bytes)?))?)
        };
        match read() {
            Ok(taken) => recalled += usize::from(taken),
            Err(error) => tracing::warn!("block {id} of another branch is left out: {error:#}"),
        }
    }
    if recalled == 0 {
        return Ok(());
    }
    let whose = if unapplied { "after the last irreversible one" } else { "of other branches" };
    tracing::info!("{recalled} blocks {whose} are known");
    // A node that was killed while it changed branches finishes that; one that did not apply these blocks may now.
    let applied = match chain.switch_to_recalled() {
        Ok(applied) => applied,
        Err(ChainError::Block(fault)) => Applied { rejected: Some((chain.head().id(), *fault)), ..Applied::default() },
        Err(error) => return Err(error.into()),
    };
    if let Some((_, fault)) = &applied.rejected {
        tracing::warn!(
            "a block that was kept breaks a rule, and is left out with what is built on it: {fault}; the chain ends at \
             block {}",
            chain.best().number()
        );
    }
    engine::follower::persist_history(store, traces, &applied)?;
    let best = chain.best().id();
    let moved = !applied.applied.is_empty() || store.head()?.is_none_or(|head| head.id != best);
    // The head stays where it was for another start, where this one ends before it.
    if moved && last == u32::MAX {
        let mut joined: Vec<BlockId> = applied.joined().map(|state| state.id()).collect();
        if joined.is_empty() {
            joined.push(best);
        }
        let irreversible = chain.root().number();
        store.ingest(&Change { blocks: &[], joined: &joined, gone: &[], irreversible, signed: None })?;
    }
    if !applied.applied.is_empty() {
        engine::write_checkpoint(store, chain.take_checkpoint()?)?;
    }
    Ok(())
}
