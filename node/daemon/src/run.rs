//! The node: starts its parts in order, waits for a signal, stops them in reverse.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use api::{ApiSettings, HttpSettings, Node};
use primitives::{Name, PublicKey};
use store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use wasm::Engine;

use crate::settings::{NodeArgs, keys};
use crate::start;

/// Version that the API shows, as nodeos shows its own.
const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"), "-boreas");
/// The first eight hexadecimal digits that `get_info` shows as `server_version`.
const VERSION_ID: &str = "b0ea0001";

/// Runs the node until it is asked to stop.
///
/// # Errors
/// Whatever keeps it from starting, or from going on.
pub fn node(args: NodeArgs) -> anyhow::Result<()> {
    let data_dir = &args.folders.data_dir;
    if args.chain.delete_all_blocks {
        Store::destroy(&start::store_path(data_dir))?;
    }
    let store = start::open_store(data_dir)?;
    let execution = execution_settings(&args)?;
    let chain_settings = chain::Settings {
        execution: execution.clone(),
        trusted_producers: names("trusted-producer", &args.chain.trusted_producer)?.into_iter().collect(),
        ..chain::Settings::default()
    };
    let compiler = Engine::new();
    let doors = start::doors(&compiler, Some(data_dir))?;
    let (chain, reapplied) = start::chain(&args.chain, chain_settings, &store, doors)?;
    if args.chain.integrity_hash_on_start {
        tracing::info!("integrity hash of the state at block {}: {}", chain.head().number(), chain.integrity_hash()?);
    }
    let running = engine::start(chain, store, engine_settings(&args)?, reapplied, compiler.ticker())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(usize::from(args.http.http_threads))
        .thread_name("http")
        .enable_all()
        .build()
        .context("cannot start the threads that serve requests")?;
    let result = runtime.block_on(serve(&args, execution, running));
    runtime.shutdown_background();
    result
}

async fn serve(args: &NodeArgs, execution: execution::Settings, mut running: engine::Running) -> anyhow::Result<()> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let server = match args.http.http_server_address.as_str() {
        "" => None,
        address => {
            let listener = TcpListener::bind(address)
                .await
                .with_context(|| format!("cannot listen on {address}; choose another --http-server-address"))?;
            tracing::info!("start listening for http requests on {address}");
            let node = Arc::new(Node {
                handle: running.handle.clone(),
                abis: api::abis::Abis::default(),
                settings: api_settings(args, execution),
            });
            let mut stopped = stopped.clone();
            let until = async move {
                // An error says that nobody can stop us any more, which is a stop too.
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            Some(tokio::spawn(api::serve(listener, node, http_settings(args), until)))
        }
    };
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let ended = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        ended = &mut running.ended => Some(ended),
    };
    // Nobody may be listening.
    let _ = stop.send(true);
    if let Some(server) = server {
        // Connections that are idle are not worth waiting for.
        server.abort();
    }
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

fn names(option: &str, texts: &[String]) -> anyhow::Result<BTreeSet<Name>> {
    let read = |text: &String| text.parse::<Name>().map_err(|fault| anyhow::anyhow!("--{option} {text}: {fault}"));
    texts.iter().map(read).collect()
}

fn execution_settings(args: &NodeArgs) -> anyhow::Result<execution::Settings> {
    let chain = &args.chain;
    let action = |text: &String| {
        let (contract, action) =
            text.split_once("::").with_context(|| format!("--action-blacklist {text} is no contract::action"))?;
        let read =
            |part: &str| part.parse::<Name>().map_err(|fault| anyhow::anyhow!("--action-blacklist {text}: {fault}"));
        Ok::<_, anyhow::Error>((read(contract)?, read(action)?))
    };
    let key =
        |text: &String| text.parse::<PublicKey>().map_err(|fault| anyhow::anyhow!("--key-blacklist {text}: {fault}"));
    Ok(execution::Settings {
        greylist_limit: args.producer.greylist_limit,
        resource_greylist: names("greylist-account", &args.producer.greylist_account)?,
        subjective_cpu_leeway_us: chain.subjective_cpu_leeway_us,
        allow_ram_billing_in_notify: chain.disable_ram_billing_notify_checks,
        maximum_variable_signature_length: chain.maximum_variable_signature_length,
        max_nonprivileged_inline_action_size: chain.max_nonprivileged_inline_action_size,
        sig_cpu_bill_pct: chain.signature_cpu_billable_pct * 100,
        sender_bypass_whiteblacklist: names("sender-bypass-whiteblacklist", &chain.sender_bypass_whiteblacklist)?,
        actor_whitelist: names("actor-whitelist", &chain.actor_whitelist)?,
        actor_blacklist: names("actor-blacklist", &chain.actor_blacklist)?,
        contract_whitelist: names("contract-whitelist", &chain.contract_whitelist)?,
        contract_blacklist: names("contract-blacklist", &chain.contract_blacklist)?,
        action_blacklist: chain.action_blacklist.iter().map(action).collect::<anyhow::Result<_>>()?,
        key_blacklist: chain.key_blacklist.iter().map(key).collect::<anyhow::Result<_>>()?,
        ..execution::Settings::default()
    })
}

fn engine_settings(args: &NodeArgs) -> anyhow::Result<engine::Settings> {
    let producer = &args.producer;
    let read_key = |text: &String| {
        let shown = text.split('=').next().unwrap_or_default();
        keys::provider(text).with_context(|| format!("--signature-provider {shown}=... is not understood"))
    };
    let snapshots_dir: PathBuf = args.folders.data_dir.join(&args.folders.snapshots_dir);
    Ok(engine::Settings {
        producers: names("producer-name", &producer.producer_name)?,
        keys: producer.signature_provider.iter().map(read_key).collect::<anyhow::Result<_>>()?,
        enable_stale_production: producer.enable_stale_production,
        pause_on_startup: producer.pause_on_startup,
        options: engine::RuntimeOptions {
            max_transaction_time_ms: producer.max_transaction_time,
            max_irreversible_block_age_s: producer.max_irreversible_block_age,
            cpu_effort_us: i64::from(producer.cpu_effort_percent) * 5000,
            max_scheduled_transaction_time_per_block_ms: producer.max_scheduled_transaction_time_per_block_ms,
            incoming_defer_ratio: producer.incoming_defer_ratio,
            greylist_limit: producer.greylist_limit,
        },
        max_block_cpu_usage_threshold_us: producer.max_block_cpu_usage_threshold_us,
        max_block_net_usage_threshold_bytes: producer.max_block_net_usage_threshold_bytes,
        incoming_transaction_queue_bytes: producer.incoming_transaction_queue_size_mb << 20,
        snapshots_dir,
        traces: trace_api(args).then_some(api::trace_api::encode as engine::follower::TraceEncoder),
        finality_status_bytes: usize::try_from(args.chain.transaction_finality_status_max_storage_size_gb << 30)
            .unwrap_or(usize::MAX),
        terminate_at_block: args.chain.terminate_at_block,
        contracts_console: args.chain.contracts_console,
    })
}

fn trace_api(args: &NodeArgs) -> bool {
    args.folders.plugin.iter().any(|name| name.ends_with("trace_api_plugin"))
}

fn api_settings(args: &NodeArgs, execution: execution::Settings) -> ApiSettings {
    ApiSettings {
        verbose_http_errors: args.http.verbose_http_errors,
        version_id: VERSION_ID.to_owned(),
        version: VERSION.to_owned(),
        full_version: VERSION.to_owned(),
        account_queries: args.chain.enable_account_queries,
        trace_api: trace_api(args),
        signature_bytes_max: execution.maximum_variable_signature_length as usize,
        execution,
    }
}

fn http_settings(args: &NodeArgs) -> HttpSettings {
    let http = &args.http;
    let address = &http.http_server_address;
    let port = address.rsplit(':').next().unwrap_or("80");
    let mut hosts = vec![address.clone(), format!("localhost:{port}"), format!("127.0.0.1:{port}")];
    hosts.extend(http.http_alias.iter().cloned());
    HttpSettings {
        body_bytes_max: http.max_body_size,
        validate_host: http.http_validate_host,
        hosts,
        allow_origin: http.access_control_allow_origin.clone(),
        allow_headers: http.access_control_allow_headers.clone(),
        max_age: http.access_control_max_age.clone(),
        allow_credentials: http.access_control_allow_credentials,
    }
}
