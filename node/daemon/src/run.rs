//! The node: starts its parts in order, waits for a signal, stops them in reverse.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use api::Node;
use engine::block_log::{INDEX_NAME, LOG_NAME};
use engine::{Blocks, Clock, CpuBilling};
use primitives::{Name, ProducerSchedule, PublicKey, TimePoint};
use store::Store;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use wasm::Engine;

use crate::dev::{self, DevChain};
use crate::folder::{self, Folder};
use crate::fork::Fork;
use crate::key_file::KeyFile;
use crate::listen::{Listeners, Servers};
use crate::network::Prepared;
use crate::settings::args::FolderArgs;
use crate::settings::{DevArgs, NodeArgs};
use crate::signing::Keyring;
use crate::start::{Plan, Started};
use crate::{export, listen, protocol_features, start, translate, words};

/// How long answers under way may take once the node stops.
const SERVER_STOP_LIMIT: Duration = Duration::from_millis(500);

/// Age of a head that production does not go on from by itself.
const STALE_HEAD_US: i64 = 5_000_000;

/// What is said once the API answers, given its URL.
type Welcome = Box<dyn FnOnce(Option<&str>) -> String>;

/// What happens once the API answers.
#[derive(Default)]
struct Greeting {
    welcome: Option<Welcome>,
    /// What is copied from a running chain.
    fork: Option<Fork>,
}

/// Runs the node until it is asked to stop.
///
/// # Errors
/// Whatever keeps it from starting, or from going on.
pub fn node(args: &NodeArgs) -> anyhow::Result<()> {
    let keyring = Keyring::new(&args.producer)?;
    let shell = Shell::open(args, keyring.public_keys())?;
    let store = match &args.chain {
        chain if chain.delete_all_blocks => None,
        chain if chain.replay_blockchain || chain.hard_replay_blockchain => shell.folder.open_for_replay()?,
        _ => shell.folder.open_existing()?,
    };
    let is_dev_chain = store.as_deref().map(dev::is_dev_chain).transpose()?.unwrap_or(false);
    if is_dev_chain && args.producer.producer_name.is_empty() {
        tracing::warn!(
            "the data folder holds a development chain, whose producers' keys only `boreasd dev` knows: start that to \
             continue it"
        );
    }
    let genesis = start::asked_genesis(&args.chain)?;
    let clock = Clock::real();
    let doors = start::doors(&shell.compiler, &clock, Some(shell.folder.path()))?;
    let plan = start::plan(&shell.folder, store, &args.chain, genesis, chain_settings(args)?, doors, false)?;
    let settings = engine::Settings { clock, ..translate::engine_settings(args, keyring)? };
    // Without a database the log beside it is nodeos' own.
    let anew = args.chain.delete_all_blocks && shell.folder.has_database();
    check_block_log(args, &plan, anew)?;
    let started = plan.carry_out(translate::trace_encoder(args))?;
    shell.run(args, started, settings, anew, Greeting::default())
}

/// Runs a development chain until it is asked to stop.
///
/// # Errors
/// Whatever keeps it from starting, or from going on.
pub fn dev(args: &DevArgs) -> anyhow::Result<()> {
    let node = &args.node;
    let fork = Fork::of_options(args)?;
    let mut keyring = Keyring::new(&node.producer)?;
    let shell = Shell::open(node, keyring.public_keys())?;
    let data_dir = shell.folder.path();
    if let Some(file) = &args.load {
        dev::load_dump(file, &shell.folder, args.reset)?;
    }
    let args = &DevArgs { reset: args.reset && args.load.is_none(), ..args.clone() };
    let (dev, store) = DevChain::open(args, &shell.folder)?;
    dev.hand_over_keys(&mut keyring);
    let chain_args = dev.chain_args(&node.chain);
    let clock = Clock::real();
    let doors = start::doors(&shell.compiler, &clock, Some(data_dir))?;
    let genesis = match start::asked_genesis(&chain_args)? {
        None => dev.genesis()?,
        asked => asked,
    };
    let mut plan = start::plan(&shell.folder, store, &chain_args, genesis, chain_settings(node)?, doors, false)?;
    dev.prepare(&mut plan, &keyring)?;
    let anew = chain_args.delete_all_blocks && shell.folder.has_database();
    check_block_log(node, &plan, anew)?;
    let traces = translate::trace_encoder(node);
    let mut started = plan.carry_out(traces)?;
    if !dev::is_booted(&started.store)? {
        dev.boot(&mut started, &keyring, traces)?;
    }
    if started.chain.head_time() > clock.now() {
        // The time was moved before the node stopped: it goes on from there.
        clock.set(started.chain.head_time());
    }
    dev.hand_over_elected(&started.chain, &mut keyring);
    let welcome = dev.welcome(&started, &keyring)?;
    let blocks = match args.block_mode {
        Blocks::Slots { every, empty } => Blocks::Slots { every, empty: empty && !args.no_empty_blocks },
        other => other,
    };
    let cpu = if args.cpu_billing == "fixed" { CpuBilling::Fixed } else { CpuBilling::Measured };
    let new_chain = Some(dev.replays(&started.store, chain_settings(node)?, &shell.compiler, data_dir)?);
    let settings = translate::engine_settings(node, keyring)?;
    let settings = engine::Settings { clock, dev: true, blocks, cpu, new_chain, ..settings };
    shell.run(node, started, settings, anew, Greeting { welcome: Some(welcome), fork })
}

/// What a node has before it has a chain: its folder, and the places that its API is served at.
struct Shell {
    folder: Folder,
    /// The lock on the block log that it keeps.
    block_log: Option<File>,
    compiler: Engine,
    listeners: Listeners,
    network: Prepared,
    runtime: Runtime,
}

impl Shell {
    /// Takes the folder and the addresses, so that nothing in the folder is changed by a node that cannot run.
    fn open(args: &NodeArgs, producer_keys: Vec<PublicKey>) -> anyhow::Result<Self> {
        // The engine's settings are made once there is a chain; what is wrong with them is said now.
        translate::engine_settings(args, Keyring::default())?;
        let FolderArgs { data_dir, snapshots_dir, .. } = &args.folders;
        folder::check(&data_dir.join(snapshots_dir), "--snapshots-dir")?;
        let network = Prepared::open(&args.net, data_dir, producer_keys)?;
        let mut places = listen::places(&args.http, data_dir)?;
        if !translate::serves(args) {
            tracing::info!("no API is served: name its plugin, such as --plugin eosio::chain_api_plugin");
            places.clear();
        }
        let folder = Folder::lock(data_dir)?;
        folder.remove_drafts(snapshots_dir);
        let block_log = log_folder(args).as_deref().map(folder::lock_block_log).transpose()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(usize::from(args.http.http_threads))
            .thread_name("http")
            .enable_all()
            .build()
            .context("cannot start the threads that serve requests")?;
        let listeners = runtime.block_on(Listeners::open(places))?;
        let compiler = match args.folders.trace_rows {
            true => Engine::new().with_backtraces(),
            false => Engine::new(),
        };
        Ok(Self { folder, block_log, compiler, listeners, network, runtime })
    }

    fn run(
        self,
        args: &NodeArgs,
        started: Started,
        settings: engine::Settings,
        anew: bool,
        greeting: Greeting,
    ) -> anyhow::Result<()> {
        let Self { folder, block_log: log_lock, compiler, listeners, mut network, runtime } = self;
        network.save()?;
        let Started { store, chain, reapplied } = started;
        if args.chain.integrity_hash_on_start {
            tracing::info!("chain database started with hash: {}", chain.integrity_hash()?);
        }
        let header = &chain.head().header;
        // One that cannot produce was told so.
        let may_produce = !chain.is_irreversible_only();
        if let Some(notice) = production_notice(&settings, header.block_num, chain.head_time(), settings.clock.now())
            .or_else(|| {
                schedule_notice(&settings.producers, &header.active_schedule, &header.pending_schedule.schedule)
            })
            .filter(|_| may_produce)
        {
            tracing::warn!("{notice}");
        }
        if anew {
            delete_block_log(args)?;
        }
        let settings = engine::Settings { block_log: block_log(args, &store)?, ..settings };
        let running = engine::start(chain, store, settings, reapplied, compiler.ticker())?;
        let network = network.start(running.handle.chain_id(), &running.handle);
        let result = runtime.block_on(serve(args, listeners, &network.network.handle, running, greeting));
        network.stop();
        // Whatever still reads the database has to let it go before the process ends.
        runtime.shutdown_timeout(SERVER_STOP_LIMIT);
        drop((folder, log_lock));
        result
    }
}

/// What an operator should know who waits for blocks that will not come.
fn production_notice(settings: &engine::Settings, head: u32, head_time: TimePoint, now: TimePoint) -> Option<String> {
    if settings.producers.is_empty() {
        let new = "To begin a chain start with -e -p eosio, or with `boreasd dev` for one with accounts and tokens";
        let follows =
            "It takes those of its peers (--p2p-peer-address) and those that are pushed to /v1/chain/push_block";
        let advice = if head == 1 { new } else { follows };
        return Some(format!("this node makes no blocks: no --producer-name (-p) says for whom. {advice}"));
    }
    if settings.pause_on_startup {
        return Some("production is paused, as --pause-on-startup asks: /v1/producer/resume begins it".to_owned());
    }
    let stale = now.0 - head_time.0 > STALE_HEAD_US;
    (stale && !settings.enable_stale_production).then(|| {
        format!(
            "this node makes no blocks before it has received a fresh one: the head is of {head_time}. Start with \
             --enable-stale-production (-e) where no other node makes them"
        )
    })
}

/// What an operator should know whose producers have no turns yet.
fn schedule_notice(ours: &BTreeSet<Name>, active: &ProducerSchedule, pending: &ProducerSchedule) -> Option<String> {
    let mut scheduled = active.producers.iter().chain(&pending.producers).map(|producer| producer.producer_name);
    if scheduled.any(|name| ours.contains(&name)) {
        return None;
    }
    let list = |names: Vec<Name>| names.iter().map(Name::to_string).collect::<Vec<_>>().join(", ");
    Some(format!(
        "this node makes no blocks until one of {} (--producer-name) is scheduled; now the blocks are made by {}",
        list(ours.iter().copied().collect()),
        list(active.producers.iter().map(|producer| producer.producer_name).collect())
    ))
}

/// Where a block log is kept: in the folder that was named, where nodeos keeps its own.
fn block_log(args: &NodeArgs, store: &Store) -> anyhow::Result<Option<engine::LogSettings>> {
    let Some(folder) = log_folder(args) else { return Ok(None) };
    let may_cut = args.chain.hard_replay_blockchain && args.chain.truncate_at_block > 0;
    Ok(Some(engine::LogSettings { folder, context: export::context(store)?, may_cut }))
}

fn log_folder(args: &NodeArgs) -> Option<PathBuf> {
    args.folders.blocks_dir.as_ref().map(|folder| args.folders.data_dir.join(folder))
}

/// Makes sure that a log which is there is the chain's, unless it goes with the blocks.
fn check_block_log(args: &NodeArgs, plan: &Plan<'_>, anew: bool) -> anyhow::Result<()> {
    let Some(folder) = log_folder(args).filter(|_| !anew) else { return Ok(()) };
    let old = plan.old_store();
    let settings = old.map(|store| block_log(args, store)).transpose()?.flatten();
    Ok(engine::block_log::check(&folder, settings.as_ref().zip(old))?)
}

/// The block log goes with the blocks.
fn delete_block_log(args: &NodeArgs) -> anyhow::Result<()> {
    let Some(folder) = log_folder(args) else { return Ok(()) };
    for name in [LOG_NAME, INDEX_NAME] {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot delete {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn chain_settings(args: &NodeArgs) -> anyhow::Result<chain::Settings> {
    let features = protocol_features::open(&args.folders.config_dir.join(&args.folders.protocol_features_dir))?;
    Ok(chain::Settings {
        execution: execution::Settings { features, ..translate::execution_settings(args)? },
        trusted_producers: words::names("trusted-producer", &args.chain.trusted_producer)?.into_iter().collect(),
        trust_blocks: args.chain.validation_mode == "light",
        replay_traces: translate::trace_encoder(args).is_some(),
        deltas: args.folders.chain_state_history,
        irreversible_only: args.chain.is_irreversible_only(),
        ..chain::Settings::default()
    })
}

async fn serve(
    args: &NodeArgs,
    listeners: Listeners,
    network: &p2p::NetworkHandle,
    mut running: engine::Running,
    greeting: Greeting,
) -> anyhow::Result<()> {
    let Greeting { welcome, fork } = greeting;
    let keys = Arc::new(KeyFile::in_folder(&args.folders.data_dir));
    let node = Node::new(running.handle.clone(), translate::api_settings(args), Some(keys.clone()));
    let node = Node { network: Some(network.clone()), ..node };
    keys.unlock_at_start(&node.handle).await;
    // Before anybody hears an answer: whoever does may ask the node to stop.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let url = listeners.url.clone();
    let servers = Servers::start(listeners, node, &translate::http_settings(args, welcome.is_some()));
    if let Some(welcome) = welcome {
        say(&welcome(url.as_deref()));
    }
    let store = Arc::clone(running.handle.store());
    let mut failed = None;
    let ended = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        error = failed_fork(fork, url, store) => {
            failed = Some(error);
            None
        }
        ended = &mut running.ended => Some(ended),
    };
    // Answers under way are not worth waiting for.
    drop(servers);
    match ended {
        None => {
            tracing::info!("stopping");
            tokio::task::spawn_blocking(move || running.stop())
                .await
                .context("the writer failed")?
                .context("the node could not stop cleanly")?;
            failed.map_or(Ok(()), Err)
        }
        Some(Ok(result)) => result.context("the node cannot go on"),
        Some(Err(_)) => anyhow::bail!("the writer ended unexpectedly; see the messages above"),
    }
}

/// Copies what is to be copied; returns only when that fails.
async fn failed_fork(fork: Option<Fork>, url: Option<String>, store: Arc<Store>) -> anyhow::Error {
    let Some(fork) = fork else { return std::future::pending().await };
    match tokio::task::spawn_blocking(move || fork.run(url.as_deref(), &store)).await {
        Ok(Ok(())) => std::future::pending().await,
        Ok(Err(error)) => error,
        Err(error) => anyhow::anyhow!("the copying ended unexpectedly: {error}"),
    }
}

#[allow(clippy::print_stdout, reason = "what a user needs to begin belongs on standard output")]
fn say(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use primitives::{BlockSigningAuthority, Genesis, ProducerAuthority, name};

    use super::*;

    #[test]
    fn a_node_without_blocks_says_why() {
        let (old, now) = (TimePoint(1_000_000), TimePoint(90_000_000));
        let nobody = engine::Settings::default();
        let eosio = || engine::Settings { producers: [name!("eosio")].into(), ..engine::Settings::default() };
        let notice = |settings: &engine::Settings, head, time| production_notice(settings, head, time, now);
        assert!(notice(&nobody, 1, old).is_some_and(|text| text.contains("-e -p eosio")));
        assert!(notice(&nobody, 7, now).is_some_and(|text| text.contains("push_block")));
        assert!(notice(&eosio(), 7, old).is_some_and(|text| text.contains("--enable-stale-production")));
        assert_eq!(notice(&eosio(), 7, now), None);
        assert_eq!(notice(&engine::Settings { enable_stale_production: true, ..eosio() }, 1, old), None);
        let paused = engine::Settings { pause_on_startup: true, ..eosio() };
        assert!(notice(&paused, 7, now).is_some_and(|text| text.contains("/v1/producer/resume")));
    }

    #[test]
    fn producers_without_turns_are_told_who_has_them() {
        let producer = |producer_name| ProducerAuthority {
            producer_name,
            authority: BlockSigningAuthority::of_key(Genesis::default().initial_key),
        };
        let schedule = |names: &[Name]| ProducerSchedule {
            producers: names.iter().copied().map(producer).collect(),
            ..ProducerSchedule::default()
        };
        let (eosio, alice, bob) = (name!("eosio"), name!("alice"), name!("bob"));
        let (active, none) = (schedule(&[eosio]), schedule(&[]));
        let text = schedule_notice(&[alice, bob].into(), &active, &none).unwrap();
        assert!(text.contains("one of alice, bob") && text.ends_with("by eosio"), "{text}");
        assert_eq!(schedule_notice(&[eosio, alice].into(), &active, &none), None);
        assert_eq!(schedule_notice(&[alice].into(), &active, &schedule(&[alice])), None);
    }
}
