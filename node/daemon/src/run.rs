//! The node: starts its parts in order, waits for a signal, stops them in reverse.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use api::Node;
use chain::Chain;
use store::Store;
use tokio::signal::unix::{SignalKind, signal};
use wasm::Engine;

use crate::dev::{self, DevChain};
use crate::listen::{Places, Servers};
use crate::settings::{DevArgs, NodeArgs};
use crate::signing::Keyring;
use crate::{listen, start, translate};

/// How long answers under way may take once the node stops.
const SERVER_STOP_LIMIT: Duration = Duration::from_millis(500);

/// What is said once the API answers, given its URL.
type Welcome = Box<dyn FnOnce(Option<&str>) -> String>;

/// Runs the node until it is asked to stop.
///
/// # Errors
/// Whatever keeps it from starting, or from going on.
pub fn node(args: &NodeArgs) -> anyhow::Result<()> {
    if args.chain.delete_all_blocks {
        Store::destroy(&start::store_path(&args.folders.data_dir))?;
    }
    let keyring = Keyring::new(&args.producer)?;
    let store = start::open_store(&args.folders.data_dir)?;
    let compiler = Engine::new();
    let chain = start::chain(
        &args.chain,
        chain_settings(args)?,
        &store,
        start::doors(&compiler, Some(&args.folders.data_dir))?,
    )?;
    run(args, Parts { compiler, store, chain, keyring }, None)
}

/// Runs a development chain until it is asked to stop.
///
/// # Errors
/// Whatever keeps it from starting, or from going on.
pub fn dev(args: &DevArgs) -> anyhow::Result<()> {
    let node = &args.node;
    let data_dir = &node.folders.data_dir;
    let compiler = Engine::new();
    let compiling = dev::compile_contracts(&compiler, data_dir)?;
    let dev = DevChain::open(args)?;
    let mut keyring = Keyring::new(&node.producer)?;
    dev.hand_over_keys(&mut keyring);
    let (mut chain, reapplied) =
        start::chain(&node.chain, chain_settings(node)?, &dev.store, start::doors(&compiler, Some(data_dir))?)?;
    if !dev.is_booted()? {
        compiling.wait();
        dev.boot(&mut chain, &keyring, translate::trace_encoder(node))?;
    }
    let welcome = dev.welcome(&keyring)?;
    let parts = Parts { compiler, store: dev.store, chain: (chain, reapplied), keyring };
    run(node, parts, Some(Box::new(welcome)))
}

/// What a node runs on.
struct Parts {
    compiler: Engine,
    store: Arc<Store>,
    chain: (Chain, Duration),
    keyring: Keyring,
}

fn run(args: &NodeArgs, parts: Parts, welcome: Option<Welcome>) -> anyhow::Result<()> {
    let Parts { compiler, store, chain: (chain, reapplied), keyring } = parts;
    if args.chain.integrity_hash_on_start {
        tracing::info!("chain database started with hash: {}", chain.integrity_hash()?);
    }
    let places = listen::places(&args.http, &args.folders.data_dir)?;
    let settings = translate::engine_settings(args, keyring)?;
    let running = engine::start(chain, store, settings, reapplied, compiler.ticker())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(usize::from(args.http.http_threads))
        .thread_name("http")
        .enable_all()
        .build()
        .context("cannot start the threads that serve requests")?;
    let result = runtime.block_on(serve(args, places, running, welcome));
    // Whatever still reads the database has to let it go before the process ends.
    runtime.shutdown_timeout(SERVER_STOP_LIMIT);
    result
}

fn chain_settings(args: &NodeArgs) -> anyhow::Result<chain::Settings> {
    Ok(chain::Settings {
        execution: translate::execution_settings(args)?,
        trusted_producers: translate::names("trusted-producer", &args.chain.trusted_producer)?.into_iter().collect(),
        trust_blocks: args.chain.validation_mode == "light",
        ..chain::Settings::default()
    })
}

async fn serve(
    args: &NodeArgs,
    places: Places,
    mut running: engine::Running,
    welcome: Option<Welcome>,
) -> anyhow::Result<()> {
    let node = Node {
        handle: running.handle.clone(),
        abis: api::abis::Abis::default(),
        settings: translate::api_settings(args),
    };
    let servers = Servers::start(places, node, &translate::http_settings(args)).await?;
    if let Some(welcome) = welcome {
        say(&welcome(servers.url.as_deref()));
    }
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let ended = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
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
                .context("the node could not stop cleanly")
        }
        Some(Ok(result)) => result.context("the node cannot go on"),
        Some(Err(_)) => anyhow::bail!("the writer ended unexpectedly; see the messages above"),
    }
}

#[allow(clippy::print_stdout, reason = "what a user needs to begin belongs on standard output")]
fn say(text: &str) {
    println!("{text}");
}
