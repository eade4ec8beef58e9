//! `/v1/producer`: production as the operator steers it.

use std::sync::Arc;

use axum::body::Bytes;
use engine::{Command, RuntimeOptions};
use execution::features::{FEATURES, Feature, supported_features};
use primitives::json::double_text;
use primitives::{Checksum256, FaultKind, Name};
use serde::Deserialize;
use serde_json::{Map, Value, json as value};

use crate::node::Node;
use crate::reply::{Answer, integer, json};
use crate::{ApiError, params};

/// Version of the snapshots that this node writes.
const SNAPSHOT_VERSION: u32 = 6;

fn done() -> Answer {
    json(201, &value!({"result": "ok"}))
}

fn unsupported(what: &str) -> ApiError {
    ApiError::new(FaultKind::UNSUPPORTED_FEATURE, what)
}

/// `paused`.
pub fn paused(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    json(201, &node.handle.producer().paused)
}

/// `pause`.
pub async fn pause(node: Arc<Node>, body: Bytes) -> Answer {
    params::none(&body)?;
    node.handle.tell(Command::Pause).await?;
    done()
}

/// `resume`.
pub async fn resume(node: Arc<Node>, body: Bytes) -> Answer {
    params::none(&body)?;
    node.handle.tell(Command::Resume).await?;
    done()
}

/// `get_runtime_options`.
pub fn get_runtime_options(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let options = node.handle.producer().options;
    json(
        201,
        &value!({
            "max_transaction_time": options.max_transaction_time_ms,
            "max_irreversible_block_age": options.max_irreversible_block_age_s,
            "cpu_effort_us": options.cpu_effort_us,
            "max_scheduled_transaction_time_per_block_ms": options.max_scheduled_transaction_time_per_block_ms,
            "incoming_defer_ratio": double_text(options.incoming_defer_ratio),
            "greylist_limit": options.greylist_limit,
        }),
    )
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OptionsParams {
    max_transaction_time: Option<i32>,
    max_irreversible_block_age: Option<i32>,
    cpu_effort_us: Option<i64>,
    max_scheduled_transaction_time_per_block_ms: Option<i32>,
    incoming_defer_ratio: Option<Value>,
    greylist_limit: Option<u32>,
}

/// `update_runtime_options`: what is not named stays.
pub async fn update_runtime_options(node: Arc<Node>, body: Bytes) -> Answer {
    let params: OptionsParams = params::required(&body)?;
    let old = node.handle.producer().options;
    let ratio = match &params.incoming_defer_ratio {
        Some(Value::String(text)) => text.parse().ok(),
        Some(number) => number.as_f64(),
        None => None,
    };
    let options = RuntimeOptions {
        max_transaction_time_ms: params.max_transaction_time.unwrap_or(old.max_transaction_time_ms),
        max_irreversible_block_age_s: params.max_irreversible_block_age.unwrap_or(old.max_irreversible_block_age_s),
        cpu_effort_us: params.cpu_effort_us.unwrap_or(old.cpu_effort_us),
        max_scheduled_transaction_time_per_block_ms: params
            .max_scheduled_transaction_time_per_block_ms
            .unwrap_or(old.max_scheduled_transaction_time_per_block_ms),
        incoming_defer_ratio: ratio.unwrap_or(old.incoming_defer_ratio),
        greylist_limit: params.greylist_limit.unwrap_or(old.greylist_limit),
    };
    node.handle.tell(Command::SetOptions(options)).await?;
    done()
}

/// `get_greylist`.
pub fn get_greylist(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let accounts: Vec<String> = node.settings.execution.resource_greylist.iter().map(ToString::to_string).collect();
    json(201, &value!({"accounts": accounts}))
}

/// `add_greylist_accounts`: lists are fixed while the node runs.
pub fn add_greylist_accounts(_: &Node, body: &[u8]) -> Answer {
    params::required::<Value>(body)?;
    Err(unsupported("the greylist is set with --greylist-account when the node starts"))
}

/// `remove_greylist_accounts`: lists are fixed while the node runs.
pub fn remove_greylist_accounts(_: &Node, body: &[u8]) -> Answer {
    params::required::<Value>(body)?;
    Err(unsupported("the greylist is set with --greylist-account when the node starts"))
}

/// `get_whitelist_blacklist`.
pub fn get_whitelist_blacklist(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let lists = &node.settings.execution;
    let names = |set: &std::collections::BTreeSet<Name>| -> Value { set.iter().map(ToString::to_string).collect() };
    let pair = |(contract, action): &(Name, Name)| value!([contract.to_string(), action.to_string()]);
    json(
        201,
        &value!({
            "actor_whitelist": names(&lists.actor_whitelist),
            "actor_blacklist": names(&lists.actor_blacklist),
            "contract_whitelist": names(&lists.contract_whitelist),
            "contract_blacklist": names(&lists.contract_blacklist),
            "action_blacklist": lists.action_blacklist.iter().map(pair).collect::<Value>(),
            "key_blacklist": lists.key_blacklist.iter().map(ToString::to_string).collect::<Value>(),
        }),
    )
}

/// `set_whitelist_blacklist`: lists are fixed while the node runs.
pub fn set_whitelist_blacklist(_: &Node, body: &[u8]) -> Answer {
    params::required::<Value>(body)?;
    Err(unsupported("lists are set with --actor-blacklist and its like when the node starts"))
}

/// `get_scheduled_protocol_feature_activations`.
pub fn get_scheduled_protocol_feature_activations(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let features: Vec<String> = node.handle.producer().scheduled_features.iter().map(ToString::to_string).collect();
    json(201, &value!({"protocol_features_to_activate": features}))
}

#[derive(Deserialize)]
struct ActivationParams {
    #[serde(default)]
    protocol_features_to_activate: Vec<Checksum256>,
}

/// `schedule_protocol_feature_activations`: with the next block of this node.
pub async fn schedule_protocol_feature_activations(node: Arc<Node>, body: Bytes) -> Answer {
    let params: ActivationParams = params::required(&body)?;
    let asked = &params.protocol_features_to_activate;
    for (index, digest) in asked.iter().enumerate() {
        if asked[..index].contains(digest) {
            let message = "duplicate digests";
            return Err(ApiError::new(FaultKind::INVALID_PROTOCOL_FEATURES_TO_ACTIVATE, message));
        }
    }
    let active = node.handle.read(|chain| chain.ledger().protocol_state().activated_protocol_features.clone());
    for digest in asked {
        let refuse = |kind, message: String| Err(ApiError::new(kind, message));
        let Some(feature) = Feature::by_digest(digest) else {
            let message = format!("protocol feature with digest '{digest}' is unrecognized");
            return refuse(FaultKind::PROTOCOL_FEATURE_EXCEPTION, message);
        };
        if active.iter().any(|entry| entry.feature_digest == *digest) {
            let message = format!("protocol feature with digest '{digest}' has already been activated");
            return refuse(FaultKind::PROTOCOL_FEATURE_EXCEPTION, message);
        }
        if feature.preactivation_required() {
            let message = format!(
                "attempted to activate protocol feature with digest '{digest}' without prior required preactivation"
            );
            return refuse(FaultKind::PROTOCOL_FEATURE_EXCEPTION, message);
        }
    }
    node.handle.tell(Command::ScheduleFeatures(params.protocol_features_to_activate)).await?;
    done()
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SupportedParams {
    #[serde(deserialize_with = "params::flag")]
    exclude_disabled: bool,
    #[serde(deserialize_with = "params::flag")]
    exclude_unactivatable: bool,
}

/// `get_supported_protocol_features`: a feature stands after those that it depends on. All are enabled here.
pub fn get_supported_protocol_features(_: &Node, body: &[u8]) -> Answer {
    let SupportedParams { exclude_disabled: _, exclude_unactivatable: _ } = params::optional(body)?;
    let mut shown: Vec<Feature> = Vec::with_capacity(FEATURES.len());
    for spec in supported_features() {
        for feature in spec.dependencies.iter().chain([&spec.feature]) {
            if !shown.contains(feature) {
                shown.push(*feature);
            }
        }
    }
    let rows: Vec<Value> = shown.into_iter().map(|feature| feature.spec().to_json()).collect();
    json(201, &rows)
}

#[derive(Deserialize)]
struct CorrectionsParams {
    #[serde(default)]
    lower_bound: Option<Name>,
    #[serde(default)]
    upper_bound: Option<Name>,
    #[serde(default = "ten", deserialize_with = "params::number")]
    limit: u32,
    #[serde(default, deserialize_with = "params::flag")]
    reverse: bool,
}

fn ten() -> u32 {
    10
}

/// `get_account_ram_corrections`.
pub fn get_account_ram_corrections(node: &Node, body: &[u8]) -> Answer {
    let params: CorrectionsParams = params::required(body)?;
    let range = params.lower_bound.unwrap_or(Name(0))..=params.upper_bound.unwrap_or(Name(u64::MAX));
    let mut found = node.handle.read(|chain| {
        let ledger = chain.ledger();
        let accounts = ledger.ram_corrections().into_iter();
        let rows = accounts.map(|id| (ledger.account_name(id), ledger.account_info(id).ram_correction));
        rows.filter(|(name, _)| range.contains(name)).collect::<Vec<_>>()
    });
    found.sort_unstable();
    if params.reverse {
        found.reverse();
    }
    let limit = usize::try_from(params.limit).unwrap_or(usize::MAX);
    let mut answer = Map::new();
    let row = |(name, bytes): &(Name, u64)| value!({"name": name.to_string(), "ram_correction": integer(*bytes)});
    answer.insert("rows".to_owned(), found.iter().take(limit).map(row).collect());
    if let Some((name, _)) = found.get(limit) {
        answer.insert("more".to_owned(), name.to_string().into());
    }
    json(201, &answer)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct UnappliedParams {
    #[serde(deserialize_with = "params::text")]
    lower_bound: String,
    #[serde(deserialize_with = "params::maybe_number")]
    limit: Option<u32>,
}

/// `get_unapplied_transactions`.
pub fn get_unapplied_transactions(node: &Node, body: &[u8]) -> Answer {
    let params: UnappliedParams = params::optional(body)?;
    let waiting = node.handle.producer().waiting;
    let limit = params.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let from = if params.lower_bound.is_empty() {
        Some(0)
    } else {
        waiting.iter().position(|entry| entry.id.to_string() == params.lower_bound)
    };
    let shown = from.map_or(&waiting[waiting.len()..], |from| &waiting[from..]);
    let row = |entry: &engine::handle::WaitingTransaction| {
        let parts = &entry.transaction.parts;
        let first = parts.actions.first();
        value!({
            "trx_id": entry.id.to_string(),
            "expiration": parts.header.expiration.to_string(),
            "trx_type": if entry.aborted { "aborted" } else { "incoming_api" },
            "first_auth": parts.first_authorizer().to_string(),
            "first_receiver": first.map(|action| action.account.to_string()).unwrap_or_default(),
            "first_action": first.map(|action| action.name.to_string()).unwrap_or_default(),
            "total_actions": parts.actions.len() + parts.context_free_actions.len(),
            "billed_cpu_time_us": 0,
            "size": entry.transaction.packed.packed_trx.len(),
        })
    };
    let rows: Vec<Value> = shown.iter().take(limit).map(row).collect();
    let more = shown.get(limit).map(|entry| entry.id.to_string()).unwrap_or_default();
    let incoming = waiting.iter().filter(|entry| !entry.aborted).count();
    json(200, &value!({"size": waiting.len(), "incoming_size": incoming, "trxs": rows, "more": more}))
}

/// `get_integrity_hash`.
pub async fn get_integrity_hash(node: Arc<Node>, body: Bytes) -> Answer {
    params::none(&body)?;
    let (head, hash) = node.handle.integrity_hash().await?;
    json(201, &value!({"head_block_id": head.to_string(), "integrity_hash": hash.to_string()}))
}

/// `create_snapshot`: of the head, at once.
pub async fn create_snapshot(node: Arc<Node>, _: Bytes) -> Answer {
    let snapshot = node.handle.snapshot().await?;
    json(
        201,
        &value!({
            "head_block_id": snapshot.head_id.to_string(),
            "head_block_num": snapshot.head_num,
            "head_block_time": snapshot.head_time.to_string(),
            "version": SNAPSHOT_VERSION,
            "snapshot_name": snapshot.path,
        }),
    )
}

/// `get_snapshot_requests`: none are kept.
pub fn get_snapshot_requests(_: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    json(201, &value!({"snapshot_requests": []}))
}

/// `schedule_snapshot`.
pub fn schedule_snapshot(_: &Node, _: &[u8]) -> Answer {
    Err(unsupported("snapshots cannot be scheduled; call /v1/producer/create_snapshot when one is wanted"))
}

/// `unschedule_snapshot`.
pub fn unschedule_snapshot(_: &Node, body: &[u8]) -> Answer {
    params::required::<Value>(body)?;
    Err(ApiError::new(FaultKind::SNAPSHOT_REQUEST_NOT_FOUND, "Snapshot request not found"))
}
