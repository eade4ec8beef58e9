//! `boreasd replay`: applies block logs, and the reversible blocks of a nodeos, and says where the chain ends. All cores prepare blocks, one thread applies them.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use chain::block_log::ChainContext;
use chain::fork_database::ForkDatabase;
use chain::{Chain, Doors, KeyGuesses, LiveChain, PrepareMode, PreparedBlock};
use codec::{Pack, Unpack};
use engine::Clock;
use engine::preparing::ahead;
use indicatif::{ProgressBar, ProgressStyle};
use primitives::{ChainId, Fault, Genesis, SignedBlock};
use serde_json::json;
use store::{Change, Store};
use wasm::Engine;

use crate::beginning::Refusal;
use crate::folder::Folder;
use crate::genesis_file;
use crate::import::{Logs, Sources, fork_database};
use crate::log_file;
use crate::settings::ReplayArgs;
use crate::settings::args::ChainArgs;
use crate::start::{self, Started};

/// Blocks between two looks of the progress bar.
const PROGRESS_BLOCKS: u32 = 16;
/// How often contracts look at the time.
const TICK: Duration = Duration::from_millis(100);

/// What was applied.
#[derive(Debug, Default, Clone, Copy)]
struct Done {
    blocks: u32,
    transactions: usize,
}

/// Replays and prints the result.
///
/// # Errors
/// The log cannot be read, or a block breaks a rule.
pub fn replay(args: &ReplayArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    anyhow::ensure!(args.stop_at_block != Some(0), "--stop-at-block 0: blocks begin with 1");
    let sources = Sources::find(&args.blocks_log)?;
    let files = sources.logs.iter().map(|path| Ok((path.clone(), log_file::map(path)?)));
    let files = files.collect::<anyhow::Result<Vec<_>>>()?;
    let log = Logs::open(&files)?;
    let reversible = sources.reversible.as_deref().map(fork_database).transpose()?;
    let compiler = Engine::new();
    let ticker = compiler.ticker();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(TICK);
            ticker.tick();
        }
    });
    let folder = args.data_dir.as_deref().map(Folder::lock).transpose()?;
    let doors = start::doors(&compiler, &Clock::real(), args.data_dir.as_deref())?;
    let (mut chain, store) = match &folder {
        Some(folder) => {
            let Started { chain, store, .. } = begin_in(folder, args, &log, doors)?;
            (chain, Some(store))
        }
        None => (begin(args, &log, doors)?, None),
    };
    join(&chain, &log)?;
    let last = log.last_block_num().unwrap_or(1).min(args.stop_at_block.unwrap_or(u32::MAX));
    let mode = if args.force_all_checks { PrepareMode::Full } else { PrepareMode::Trusted };
    let mut done = apply_all(&mut chain, &log, last, mode, store.as_deref())?;
    if let Some(reversible) = &reversible {
        apply_reversible(&mut chain, reversible, args.stop_at_block, store.as_deref(), &mut done)?;
    }
    if let Some(store) = &store {
        engine::write_checkpoint(store, chain.take_checkpoint()?)?;
    }
    report(args, &chain, done, started)
}

/// What the chain begins with where none is there: the genesis that was given or that the log has, unless that is a
/// snapshot.
fn genesis(args: &ReplayArgs, log: &Logs<'_>) -> anyhow::Result<Option<Genesis>> {
    let given = args.genesis_json.as_deref().map(genesis_file::read).transpose()?;
    if let Some(given) = given {
        anyhow::ensure!(args.snapshot.is_none(), Refusal::SnapshotAndGenesis);
        let (own, given_id) = (log.context().chain_id(), given.chain_id());
        anyhow::ensure!(own == given_id, "the block log is of chain {own}, --genesis-json of chain {given_id}");
        return Ok(Some(given));
    }
    Ok(match log.context() {
        ChainContext::Genesis(own) if args.snapshot.is_none() => Some(own.clone()),
        _ => None,
    })
}

/// The chain in memory only, at what the log goes on from.
fn begin(args: &ReplayArgs, log: &Logs<'_>, doors: Doors) -> anyhow::Result<LiveChain> {
    let settings = chain::Settings::default();
    if let Some(path) = &args.snapshot {
        let chain = start::read_snapshot(path, settings, doors)?;
        of_the_logs_chain(chain.chain_id(), log)?;
        return Ok(chain);
    }
    let genesis = genesis(args, log)?.with_context(|| needs_snapshot(log))?;
    LiveChain::from_genesis(&genesis, settings, doors).context("the genesis breaks a rule")
}

/// The chain that the folder holds, or one that begins there. Nothing is written for a log that does not fit.
fn begin_in(folder: &Folder, args: &ReplayArgs, log: &Logs<'_>, doors: Doors) -> anyhow::Result<Started> {
    let chain_args = ChainArgs { snapshot: args.snapshot.clone(), ..ChainArgs::default() };
    let store = folder.open_existing()?;
    if let Some(there) = store.as_deref().map(|store| start::look(store, None)).transpose()?.flatten() {
        of_the_logs_chain(there.id, log)?;
    }
    let genesis = genesis(args, log)?;
    let nothing_given = genesis.is_none() && args.snapshot.is_none();
    let plan = start::plan(folder, store, &chain_args, genesis, chain::Settings::default(), doors, true)?;
    if let Some(chain) = plan.new_chain() {
        anyhow::ensure!(!nothing_given, needs_snapshot(log));
        of_the_logs_chain(chain.chain_id(), log)?;
        join(chain, log)?;
    }
    plan.carry_out(None)
}

fn needs_snapshot(log: &Logs<'_>) -> String {
    let first = log.first_block_num();
    format!(
        "the block log begins with block {first} and has no genesis. Give a snapshot of block {} or a later one of the \
         log with --snapshot FILE, or replay into the folder of a node that has the blocks before it (--data-dir)",
        first.saturating_sub(1)
    )
}

fn of_the_logs_chain(here: ChainId, log: &Logs<'_>) -> anyhow::Result<()> {
    let given = log.context().chain_id();
    anyhow::ensure!(
        here == given,
        "the block log is of chain {given}, what it would continue is chain {here}. Replay it into another folder, or \
         begin with a snapshot of its own chain"
    );
    Ok(())
}

/// The log must have the block that the chain ends with, or begin right after it.
fn join(chain: &Chain, log: &Logs<'_>) -> anyhow::Result<()> {
    let (head, id) = (chain.head().number(), chain.head().id());
    match log.packed(head) {
        Some(packed) => {
            let block = PreparedBlock::from_bytes(packed, &chain.chain_id(), PrepareMode::Trusted)
                .with_context(|| format!("block {head} of the log is malformed"))?;
            anyhow::ensure!(block.id == id, "block {head} of the log is {}, the chain's is {id}", block.id);
        }
        None if log.last_block_num().is_some_and(|last| last < head) => {}
        None => anyhow::ensure!(
            log.is_empty() || log.first_block_num() == head + 1,
            "the block log begins with block {}, the chain ends with block {head}: what is between them is missing",
            log.first_block_num()
        ),
    }
    Ok(())
}

fn persist(store: &Store, chain: &Chain) -> anyhow::Result<()> {
    let head = chain.head();
    let Some(block) = &head.block else { return Ok(()) };
    let bytes = block.to_bytes();
    let irreversible = head.number();
    store.append_block(&store::AcceptedBlock {
        num: head.number(),
        id: head.id(),
        bytes: &bytes,
        head: true,
        irreversible,
        signed: None,
    })?;
    Ok(())
}

fn apply_all(
    chain: &mut LiveChain,
    log: &Logs<'_>,
    last: u32,
    mode: PrepareMode,
    store: Option<&Store>,
) -> anyhow::Result<Done> {
    let first = chain.head().number() + 1;
    let bar = progress(u64::from(last.saturating_sub(first) + 1));
    let (chain_id, guesses) = (chain.chain_id(), KeyGuesses::default());
    std::thread::scope(|scope| {
        let prepared = ahead(scope, first..=last, |num| prepare(log, num, &chain_id, mode, &guesses));
        apply_prepared(chain, prepared, &bar, store)
    })
    .inspect(|_| bar.finish_and_clear())
}

/// Applies the blocks that were reversible when nodeos stopped, and keeps those of other branches. They are checked as
/// blocks of a peer are.
fn apply_reversible(
    chain: &mut LiveChain,
    reversible: &ForkDatabase,
    stop_at: Option<u32>,
    store: Option<&Store>,
    done: &mut Done,
) -> anyhow::Result<()> {
    let chain_id = chain.chain_id();
    let last = stop_at.unwrap_or(u32::MAX);
    for block in reversible.blocks.iter().filter(|block| block.block_num() <= last) {
        let (num, id, bytes) = (block.block_num(), block.id(), block.to_bytes());
        if chain.fork_block(&id).is_some() || num <= chain.root().number() {
            continue;
        }
        let failed = || format!("the reversible block {num} ({id}) cannot be applied");
        let prepared = PreparedBlock::from_bytes(&bytes, &chain_id, PrepareMode::Full).with_context(failed)?;
        let applied = chain.push_block(prepared).with_context(failed)?.applied;
        done.blocks += 1;
        done.transactions += block.transactions.len();
        if let Some(store) = store {
            let joined: Vec<_> = applied.iter().map(|sealed| sealed.state.id()).collect();
            let irreversible = chain.root().number();
            store.ingest(&Change {
                blocks: &[(id, &bytes)],
                joined: &joined,
                gone: &[],
                irreversible,
                signed: None,
            })?;
        }
    }
    Ok(())
}

fn prepare(
    log: &Logs<'_>,
    num: u32,
    chain_id: &ChainId,
    mode: PrepareMode,
    guesses: &KeyGuesses,
) -> Result<PreparedBlock, Fault> {
    let missing = || Fault::new(primitives::FaultKind::BLOCK_LOG_EXCEPTION, "the block is not in the log");
    let block = SignedBlock::from_bytes(log.packed(num).ok_or_else(missing)?)?;
    PreparedBlock::guessing(Arc::new(block), chain_id, mode, guesses)
}

fn apply_prepared(
    chain: &mut LiveChain,
    prepared: impl Iterator<Item = (u32, Result<PreparedBlock, Fault>)>,
    bar: &ProgressBar,
    store: Option<&Store>,
) -> anyhow::Result<Done> {
    // The block of the genesis is one of the log's.
    let mut done = Done { blocks: u32::from(chain.head().number() == 1), transactions: 0 };
    for (num, block) in prepared {
        let block = block.with_context(|| format!("block {num} of the log is malformed"))?;
        done.transactions += block.block.transactions.len();
        done.blocks += 1;
        chain.replay_block(block).with_context(|| format!("block {num} of the log cannot be applied"))?;
        if let Some(store) = store {
            persist(store, chain)?;
        }
        if num % PROGRESS_BLOCKS == 0 {
            bar.set_position(u64::from(done.blocks));
        }
    }
    Ok(done)
}

fn progress(blocks: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} blocks, {per_sec}, {eta} left")
        .expect("the template is constant");
    ProgressBar::new(blocks).with_style(style)
}

#[allow(clippy::print_stdout, reason = "what a command found belongs on standard output")]
fn report(args: &ReplayArgs, chain: &Chain, done: Done, started: Instant) -> anyhow::Result<()> {
    let wall = started.elapsed().as_secs_f64();
    let hash = chain.integrity_hash()?;
    let usage = usage();
    let (num, id) = (chain.head().number(), chain.head().id());
    if args.json {
        let result = json!({
            "head_block_num": num,
            "head_block_id": id.to_string(),
            "last_irreversible_block_num": chain.root().number(),
            "integrity_hash": hash.to_string(),
            "blocks": done.blocks,
            "transactions": done.transactions,
            "wall_seconds": wall,
            "cpu_seconds": usage.cpu_seconds,
            "peak_rss_bytes": usage.peak_rss_bytes,
        });
        println!("{result}");
    } else {
        println!(
            "head {num} {id}\nintegrity hash {hash}\n{} blocks, {} transactions in {wall:.2} s",
            done.blocks, done.transactions
        );
    }
    Ok(())
}

struct Usage {
    cpu_seconds: f64,
    peak_rss_bytes: u64,
}

/// What the process used, from /proc.
fn usage() -> Usage {
    /// Clock ticks a second in /proc/self/stat, the same on every Linux.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: u64 = stat
        .rsplit(')')
        .next()
        .map(|fields| fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum())
        .unwrap_or_default();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
    Usage { cpu_seconds: ticks as f64 / TICKS_PER_SECOND, peak_rss_bytes: peak.unwrap_or(0) * 1024 }
}
