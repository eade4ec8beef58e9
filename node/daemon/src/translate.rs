//! Options as the parts of the node want them.

use std::collections::BTreeSet;

use anyhow::Context;
use api::{Api, ApiSettings, HttpSettings};
use engine::follower::TraceEncoder;
use primitives::BlockId;

use crate::build;
use crate::folder::STATES_FOLDER;
use crate::settings::NodeArgs;
use crate::signing::Keyring;
use crate::words::{self, names};

/// Limits and lists for transactions.
///
/// # Errors
/// A list has something that it cannot have.
pub fn execution_settings(args: &NodeArgs) -> anyhow::Result<execution::Settings> {
    let chain = &args.chain;
    let action = |text: &String| {
        let (contract, action) =
            text.split_once("::").with_context(|| format!("--action-blacklist {text} is not CONTRACT::ACTION"))?;
        let read = |part: &str| words::name(part).context("--action-blacklist");
        Ok::<_, anyhow::Error>((read(contract)?, read(action)?))
    };
    let key = |text: &String| words::public_key(text).context("--key-blacklist");
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
        contracts_console: chain.contracts_console,
        trace_rows: args.folders.trace_rows,
        ..execution::Settings::default()
    })
}

/// What the writer decides by.
///
/// # Errors
/// A checkpoint is none.
pub fn engine_settings(args: &NodeArgs, keyring: Keyring) -> anyhow::Result<engine::Settings> {
    let producer = &args.producer;
    let snapshots_dir = args.folders.data_dir.join(&args.folders.snapshots_dir);
    Ok(engine::Settings {
        // The chain's, which the start makes.
        clock: engine::Clock::real(),
        dev: false,
        blocks: engine::Blocks::ALL_SLOTS,
        cpu: engine::CpuBilling::Measured,
        new_chain: None,
        producers: keyring.producers,
        signers: keyring.signers,
        enable_stale_production: producer.enable_stale_production,
        pause_on_startup: producer.pause_on_startup,
        options: engine::RuntimeOptions {
            max_transaction_time_ms: producer.max_transaction_time,
            max_irreversible_block_age_s: producer.max_irreversible_block_age,
            cpu_effort_us: i64::from(producer.cpu_effort_percent) * 5000,
            max_scheduled_transaction_time_per_block_ms: producer.max_scheduled_transaction_time_per_block_ms,
            incoming_defer_ratio: producer.incoming_defer_ratio,
            subjective_cpu_leeway_us: None,
            greylist_limit: producer.greylist_limit,
        },
        max_block_cpu_usage_threshold_us: producer.max_block_cpu_usage_threshold_us,
        max_block_net_usage_threshold_bytes: producer.max_block_net_usage_threshold_bytes,
        incoming_transaction_queue_bytes: producer.incoming_transaction_queue_size_mb.saturating_mul(1 << 20),
        disk_reserve_bytes: u64::from(producer.disk_reserve_mb) << 20,
        snapshots_dir,
        traces: trace_encoder(args),
        // Known once there is a chain.
        block_log: None,
        finality: engine::FinalitySettings {
            bytes_max: gigabytes(args.chain.transaction_finality_status_max_storage_size_gb),
            success_us: microseconds(args.chain.transaction_finality_status_success_duration_sec),
            failure_us: microseconds(args.chain.transaction_finality_status_failure_duration_sec),
        },
        retry: engine::RetrySettings {
            bytes_max: gigabytes(args.chain.transaction_retry_max_storage_size_gb),
            interval_us: microseconds(args.chain.transaction_retry_interval_sec.into()),
            expiration_max_us: microseconds(args.chain.transaction_retry_max_expiration_sec.into()),
        },
        subjective: engine::SubjectiveSettings {
            max_failures: producer.subjective_account_max_failures,
            failures_window_blocks: producer.subjective_account_max_failures_window_size,
            decay_minutes: producer.subjective_account_decay_time_minutes,
            exempt: names("disable-subjective-account-billing", &producer.disable_subjective_account_billing)?,
            api: !(producer.disable_subjective_billing && producer.disable_subjective_api_billing),
            network: !(producer.disable_subjective_billing && producer.disable_subjective_p2p_billing),
        },
        terminate_at_block: args.chain.terminate_at_block,
        integrity_hash_on_stop: args.chain.integrity_hash_on_stop,
        block_checkpoints: args.chain.checkpoint.iter().map(checkpoint).collect::<anyhow::Result<_>>()?,
    })
}

/// `[NUMBER,ID]`, as nodeos has it.
fn checkpoint(text: &String) -> anyhow::Result<(u32, BlockId)> {
    let pair: (u32, BlockId) =
        serde_json::from_str(text).with_context(|| format!("--checkpoint {text} is not [NUMBER,\"ID\"]"))?;
    anyhow::ensure!(
        store::blocks::number_of(&pair.1) == pair.0,
        "--checkpoint {text}: the id is that of block {}",
        store::blocks::number_of(&pair.1)
    );
    Ok(pair)
}

fn gigabytes(number: u64) -> usize {
    usize::try_from(number.saturating_mul(1 << 30)).unwrap_or(usize::MAX)
}

fn microseconds(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1_000_000)).unwrap_or(i64::MAX)
}

/// What keeps traces, where they are kept.
pub fn trace_encoder(args: &NodeArgs) -> Option<TraceEncoder> {
    apis(args).contains(&Api::TraceApi).then_some(api::stored_trace::encode as TraceEncoder)
}

/// The APIs of the plugins that were named.
fn apis(args: &NodeArgs) -> BTreeSet<Api> {
    args.folders.plugin.iter().filter_map(|name| Api::of_plugin(name)).collect()
}

/// Whether there is an HTTP server: for an API, or by itself.
pub fn serves(args: &NodeArgs) -> bool {
    !apis(args).is_empty() || args.folders.plugin.iter().any(|name| name == "http_plugin")
}

/// How the API answers.
pub fn api_settings(args: &NodeArgs) -> ApiSettings {
    ApiSettings {
        verbose_http_errors: args.http.verbose_http_errors,
        version_id: build::VERSION_ID.to_owned(),
        version: build::VERSION.to_owned(),
        full_version: build::VERSION.to_owned(),
        account_queries: args.chain.enable_account_queries,
        keeps_failures: trace_encoder(args).is_some(),
        trace_no_abis: args.folders.trace_no_abis,
        signature_bytes_max: args.chain.maximum_variable_signature_length as usize,
        requests_max: u64::try_from(args.http.http_max_in_flight_requests).ok(),
        request_bytes_max: u64::try_from(args.http.http_max_bytes_in_flight_mb)
            .ok()
            .map(|mb| mb.saturating_mul(1 << 20)),
        states_dir: Some(args.folders.data_dir.join(STATES_FOLDER)),
    }
}

/// How the API is served. A development chain is `guarded`: anybody may begin one, and few look at its options.
pub fn http_settings(args: &NodeArgs, guarded: bool) -> HttpSettings {
    let http = &args.http;
    HttpSettings {
        body_bytes_max: http.max_body_size,
        validate_host: http.http_validate_host,
        aliases: http.http_alias.clone(),
        address: http.http_server_address.clone(),
        allow_origin: http.access_control_allow_origin.clone(),
        allow_headers: http.access_control_allow_headers.clone(),
        max_age: http.access_control_max_age.clone(),
        allow_credentials: http.access_control_allow_credentials,
        accept_transactions: args.chain.api_accept_transactions,
        close_connections: !http.http_keep_alive,
        apis: if guarded { apis(args).into_iter().chain([Api::Dev]).collect() } else { apis(args) },
        guard_operator_calls: guarded,
    }
}
