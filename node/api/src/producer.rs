//! `/v1/producer`: production as the operator steers it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use engine::Origin;
use engine::handle::WaitingTransaction;
use engine::{ListChange, Lists, OptionsChange, ScheduledSnapshot, SnapshotInfo, SnapshotRequest};
use execution::features::{FEATURES, Feature, supported_features};
use execution::settings::GREYLIST_LIMIT_MAX;
use primitives::json::double_text;
use primitives::time::SLOT_US;
use primitives::{Checksum256, Fault, FaultKind, Name, PrivateKey, PublicKey, TimePoint};
use serde_json::{Map, Value, json as value};

use crate::ApiError;
use crate::bounds::Deadline;
use crate::node::{KeyKeeper, Node};
use crate::params::{self, Fields};
use crate::reply::{Answer, integer, json};

/// Version of the snapshots that this node writes.
const SNAPSHOT_VERSION: u32 = 6;

fn done() -> Answer {
    json(201, &value!({"result": "ok"}))
}

/// `paused`.
pub fn paused(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    json(201, &node.handle.producer(|view| view.paused))
}

/// `pause`.
pub async fn pause(node: Arc<Node>, body: Bytes) -> Answer {
    params::none(&body)?;
    node.handle.pause().await?;
    done()
}

/// `resume`.
pub async fn resume(node: Arc<Node>, body: Bytes) -> Answer {
    params::none(&body)?;
    node.handle.resume().await?;
    done()
}

/// `get_runtime_options`.
pub fn get_runtime_options(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let options = node.handle.producer(|view| view.options);
    let mut answer = Map::new();
    let mut set = |key: &str, value: Value| answer.insert(key.to_owned(), value);
    set("max_transaction_time", options.max_transaction_time_ms.into());
    set("max_irreversible_block_age", options.max_irreversible_block_age_s.into());
    set("cpu_effort_us", options.cpu_effort_us.into());
    set("max_scheduled_transaction_time_per_block_ms", options.max_scheduled_transaction_time_per_block_ms.into());
    if let Some(leeway) = options.subjective_cpu_leeway_us {
        set("subjective_cpu_leeway_us", leeway.into());
    }
    set("incoming_defer_ratio", double_text(options.incoming_defer_ratio).into());
    set("greylist_limit", options.greylist_limit.into());
    json(201, &answer)
}

/// `update_runtime_options`: what is not named stays.
pub async fn update_runtime_options(node: Arc<Node>, body: Bytes) -> Answer {
    let params = Fields::required(&body)?;
    let change = OptionsChange {
        max_transaction_time_ms: params.maybe("max_transaction_time")?,
        max_irreversible_block_age_s: params.maybe("max_irreversible_block_age")?,
        cpu_effort_us: params.maybe::<i32>("cpu_effort_us")?.map(i64::from),
        max_scheduled_transaction_time_per_block_ms: params.maybe("max_scheduled_transaction_time_per_block_ms")?,
        subjective_cpu_leeway_us: params.maybe("subjective_cpu_leeway_us")?,
        incoming_defer_ratio: params.maybe("incoming_defer_ratio")?,
        greylist_limit: params.maybe("greylist_limit")?,
    };
    check_ranges(&change)?;
    node.handle.change_options(change).await?;
    done()
}

/// Of most numbers nodeos takes any, and then does what nobody can want.
fn check_ranges(change: &OptionsChange) -> Result<(), ApiError> {
    let within = |name: &str, value: Option<i64>, least: i64, most: i64| match value {
        Some(value) if !(least..=most).contains(&value) => {
            Err(out_of_range(name, &value, &format!("{least} to {most}")))
        }
        _ => Ok(()),
    };
    let at_least = |name, value: Option<i32>, least| within(name, value.map(i64::from), least, i32::MAX.into());
    at_least("max_transaction_time", change.max_transaction_time_ms, NO_LIMIT)?;
    at_least("max_irreversible_block_age", change.max_irreversible_block_age_s, NO_LIMIT)?;
    at_least(
        "max_scheduled_transaction_time_per_block_ms",
        change.max_scheduled_transaction_time_per_block_ms,
        NO_LIMIT,
    )?;
    at_least("subjective_cpu_leeway_us", change.subjective_cpu_leeway_us, 0)?;
    within("cpu_effort_us", change.cpu_effort_us, 0, SLOT_US)?;
    if let Some(limit) = change.greylist_limit.filter(|limit| !(1..=GREYLIST_LIMIT_MAX).contains(limit)) {
        let message = format!(
            "Invalid limit ({limit}) passed into set_greylist_limit. Must be between 1 and {GREYLIST_LIMIT_MAX}."
        );
        return Err(ApiError::new(FaultKind::MISC_EXCEPTION, message).at("controller.cpp", 3556, "set_greylist_limit"));
    }
    match change.incoming_defer_ratio {
        Some(ratio) if !ratio.is_finite() || ratio < 0.0 => {
            Err(out_of_range("incoming_defer_ratio", &ratio, "any positive number"))
        }
        _ => Ok(()),
    }
}

/// The value of an option that stands for no limit.
const NO_LIMIT: i64 = -1;

fn out_of_range(name: &str, value: &dyn std::fmt::Display, range: &str) -> ApiError {
    ApiError::new(FaultKind::INVALID_HTTP_REQUEST, format!("{name} cannot be {value}: it is {range}"))
}

/// `add_signing_key`: signs with one more key, for whoever is scheduled with it; with a `password` it is kept, encrypted,
/// for later starts.
pub async fn add_signing_key(node: Arc<Node>, body: Bytes) -> Answer {
    let params = Fields::required(&body)?;
    let (text, password): (String, Option<String>) = (params.get("private_key")?, params.maybe("password")?);
    let wrong = || ApiError::new(FaultKind::INVALID_HTTP_REQUEST, "private_key is not a valid private key");
    let key: PrivateKey = text.parse().map_err(|_| wrong())?;
    let public = key.public_key().map_err(|_| wrong())?;
    if let Some(password) = &password {
        let (kept, password) = (key.clone(), password.clone());
        with_keeper(&node, move |keeper| keeper.keep(&kept, &password)).await?;
    }
    let new = node.handle.add_key(key).await?;
    json(201, &value!({"public_key": public.to_string(), "new": new, "kept": password.is_some()}))
}

/// `remove_signing_key`: does not sign any more with a key that was added; with a `password` it is forgotten on disk too.
pub async fn remove_signing_key(node: Arc<Node>, body: Bytes) -> Answer {
    let params = Fields::required(&body)?;
    let (public, password): (PublicKey, Option<String>) = (parsed_key(&params)?, params.maybe("password")?);
    if let Some(password) = password {
        let forgotten = public.clone();
        with_keeper(&node, move |keeper| keeper.forget(&forgotten, &password)).await?;
    }
    let known = node.handle.remove_key(public.clone()).await?;
    json(201, &value!({"public_key": public.to_string(), "removed": known}))
}

fn parsed_key(params: &Fields) -> Result<PublicKey, ApiError> {
    let key: Option<PublicKey> = params.maybe("public_key")?;
    key.ok_or_else(|| ApiError::new(FaultKind::INVALID_HTTP_REQUEST, "the public_key is missing"))
}

/// `get_signing_keys`: the keys that this node signs with, and which of them were added while it ran.
pub async fn get_signing_keys(node: Arc<Node>, body: Bytes) -> Answer {
    params::none(&body)?;
    let keys = node.handle.keys().await?;
    let keys: Vec<_> =
        keys.iter().map(|(key, added)| value!({"public_key": key.to_string(), "added": added})).collect();
    json(201, &value!({"keys": keys}))
}

/// `unlock_signing_keys`: signs with the keys that were kept under a `password`.
pub async fn unlock_signing_keys(node: Arc<Node>, body: Bytes) -> Answer {
    let password: String = Fields::required(&body)?.get("password")?;
    let keys = with_keeper(&node, move |keeper| keeper.open(&password)).await?;
    let mut texts = Vec::new();
    for key in keys {
        texts.extend(key.public_key().map(|public| public.to_string()));
        node.handle.add_key(key).await?;
    }
    json(201, &value!({"public_keys": texts}))
}

/// Works with the file of kept keys on a thread for it: a password takes time.
async fn with_keeper<T: Send + 'static>(
    node: &Node,
    work: impl FnOnce(&dyn KeyKeeper) -> Result<T, String> + Send + 'static,
) -> Result<T, ApiError> {
    let refuse = |why: String| ApiError::new(FaultKind::PRODUCER_EXCEPTION, why);
    let keeper = node.keys.clone().ok_or_else(|| refuse("this node keeps no keys".to_owned()))?;
    let done = tokio::task::spawn_blocking(move || work(&*keeper)).await;
    done.map_err(|_| engine::Refusal::Stopping)?.map_err(refuse)
}

/// `get_greylist`.
pub fn get_greylist(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let accounts = node.handle.read(|chain| texts(&chain.world().settings.resource_greylist));
    json(201, &value!({"accounts": accounts}))
}

/// `add_greylist_accounts`.
pub async fn add_greylist_accounts(node: Arc<Node>, body: Bytes) -> Answer {
    let accounts = greylist_accounts(&body, 370, "add_greylist_accounts")?;
    node.handle.change_lists(ListChange::Greylist(accounts)).await?;
    done()
}

/// `remove_greylist_accounts`.
pub async fn remove_greylist_accounts(node: Arc<Node>, body: Bytes) -> Answer {
    let accounts = greylist_accounts(&body, 379, "remove_greylist_accounts")?;
    node.handle.change_lists(ListChange::Ungreylist(accounts)).await?;
    done()
}

fn greylist_accounts(body: &[u8], line: u64, method: &'static str) -> Result<Vec<Name>, ApiError> {
    let accounts: Vec<Name> = Fields::required(body)?.get("accounts")?;
    if accounts.is_empty() {
        let error = ApiError::new(FaultKind::INVALID_HTTP_REQUEST, "At least one account is required");
        return Err(error.at("producer_plugin.cpp", line, method));
    }
    Ok(accounts)
}

fn texts<T: ToString>(set: &BTreeSet<T>) -> Vec<String> {
    set.iter().map(ToString::to_string).collect()
}

/// `get_whitelist_blacklist`.
pub fn get_whitelist_blacklist(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let pair = |(contract, action): &(Name, Name)| value!([contract.to_string(), action.to_string()]);
    let lists = node.handle.read(|chain| {
        let lists = &chain.world().settings;
        value!({
            "actor_whitelist": texts(&lists.actor_whitelist),
            "actor_blacklist": texts(&lists.actor_blacklist),
            "contract_whitelist": texts(&lists.contract_whitelist),
            "contract_blacklist": texts(&lists.contract_blacklist),
            "action_blacklist": lists.action_blacklist.iter().map(pair).collect::<Value>(),
            "key_blacklist": texts(&lists.key_blacklist),
        })
    });
    json(201, &lists)
}

/// `set_whitelist_blacklist`: lists that are not named stay.
pub async fn set_whitelist_blacklist(node: Arc<Node>, body: Bytes) -> Answer {
    let params = Fields::required(&body)?;
    let lists = Lists {
        actor_whitelist: params.maybe("actor_whitelist")?,
        actor_blacklist: params.maybe("actor_blacklist")?,
        contract_whitelist: params.maybe("contract_whitelist")?,
        contract_blacklist: params.maybe("contract_blacklist")?,
        action_blacklist: params.maybe("action_blacklist")?,
        key_blacklist: params.maybe("key_blacklist")?,
    };
    if lists.is_empty() {
        let message = "At least one of actor_whitelist, actor_blacklist, contract_whitelist, contract_blacklist, \
                       action_blacklist, and key_blacklist is required";
        let error = ApiError::new(FaultKind::INVALID_HTTP_REQUEST, message);
        return Err(error.at("producer_plugin.cpp", 1511, "set_whitelist_blacklist"));
    }
    for (contract, action) in lists.action_blacklist.iter().flatten() {
        let refuse =
            |kind, message, line| Err(ApiError::new(kind, message).at("controller.cpp", line, "set_action_blacklist"));
        if contract.is_empty() {
            let message = "Action blacklist - contract name should not be empty";
            return refuse(FaultKind::NAME_TYPE_EXCEPTION, message, 3094);
        }
        if action.is_empty() {
            let message = "Action blacklist - action name should not be empty";
            return refuse(FaultKind::ACTION_TYPE_EXCEPTION, message, 3095);
        }
    }
    node.handle.change_lists(ListChange::Replace(Box::new(lists))).await?;
    done()
}

/// `get_scheduled_protocol_feature_activations`.
pub fn get_scheduled_protocol_feature_activations(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let features: Vec<String> =
        node.handle.producer(|view| view.scheduled_features.iter().map(ToString::to_string).collect());
    json(201, &value!({"protocol_features_to_activate": features}))
}

/// `schedule_protocol_feature_activations`: with the next block of this node.
pub async fn schedule_protocol_feature_activations(node: Arc<Node>, body: Bytes) -> Answer {
    let asked: Vec<Checksum256> = Fields::required(&body)?.get("protocol_features_to_activate")?;
    for (index, digest) in asked.iter().enumerate() {
        if asked[..index].contains(digest) {
            let message = "duplicate digests";
            return Err(ApiError::new(FaultKind::INVALID_PROTOCOL_FEATURES_TO_ACTIVATE, message));
        }
    }
    node.handle.read(|chain| {
        chain.check_features(&asked)?;
        let restrictions = &chain.world().settings.features;
        let needs_preactivation = |digest: &&Checksum256| {
            Feature::by_digest(digest).is_some_and(|it| restrictions.of(it).preactivation_required)
        };
        asked.iter().find(needs_preactivation).map_or(Ok(()), |digest| {
            let message = format!("protocol feature requires preactivation: {digest}");
            Err(Fault::new(FaultKind::PROTOCOL_FEATURE_EXCEPTION, message))
        })
    })?;
    node.handle.schedule_features(asked).await?;
    done()
}

/// `get_supported_protocol_features`: a feature stands after those that it depends on, and is excluded with them.
pub fn get_supported_protocol_features(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::optional(body)?;
    let (exclude_disabled, exclude_unactivatable): (bool, bool) =
        (params.get("exclude_disabled")?, params.get("exclude_unactivatable")?);
    let (restrictions, next) = node.handle.read(|chain| {
        let next = TimePoint(chain.head().header.timestamp().time().0 + SLOT_US);
        (chain.world().settings.features.clone(), next)
    });
    let excluded = |feature: Feature| {
        let restriction = restrictions.of(feature);
        ((exclude_disabled || exclude_unactivatable) && !restriction.enabled)
            || (exclude_unactivatable && next < restriction.earliest)
    };
    let mut shown: Vec<Feature> = Vec::with_capacity(FEATURES.len());
    for spec in supported_features() {
        let with_dependencies: Vec<_> = spec.dependencies.iter().chain([&spec.feature]).copied().collect();
        if with_dependencies.iter().any(|feature| excluded(*feature)) {
            continue;
        }
        for feature in with_dependencies {
            if !shown.contains(&feature) {
                shown.push(feature);
            }
        }
    }
    let rows: Vec<Value> =
        shown.into_iter().map(|feature| feature.spec().to_json(Some(restrictions.of(feature)))).collect();
    json(201, &rows)
}

/// Rows that are shown unless the client says otherwise.
const CORRECTIONS_DEFAULT: u32 = 10;

/// `get_account_ram_corrections`.
pub fn get_account_ram_corrections(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::required(body)?;
    let lower = params.maybe("lower_bound")?.unwrap_or(Name(0));
    let upper = params.maybe("upper_bound")?.unwrap_or(Name(u64::MAX));
    let limit = usize::try_from(params.or("limit", CORRECTIONS_DEFAULT)?).unwrap_or(usize::MAX);
    let reverse: bool = params.get("reverse")?;
    let range = lower..=upper;
    let mut found = node.handle.read(|chain| {
        let ledger = chain.ledger();
        let accounts = ledger.ram_corrections().into_iter();
        let rows = accounts.map(|id| (ledger.account_name(id), ledger.account_info(id).ram_correction));
        rows.filter(|(name, _)| range.contains(name)).collect::<Vec<_>>()
    });
    found.sort_unstable();
    if reverse {
        found.reverse();
    }
    let mut answer = Map::new();
    let row = |(name, bytes): &(Name, u64)| value!({"name": name.to_string(), "ram_correction": integer(*bytes)});
    answer.insert("rows".to_owned(), found.iter().take(limit).map(row).collect());
    if let Some((name, _)) = found.get(limit) {
        answer.insert("more".to_owned(), name.to_string().into());
    }
    json(201, &answer)
}

/// Transactions that are shown unless the client says otherwise.
const UNAPPLIED_DEFAULT: u32 = 100;
/// Bytes that a packed transaction is counted with beside its parts.
const PACKED_TRANSACTION_BYTES: usize = 232;
/// Bytes that each of its signatures is counted with.
const SIGNATURE_BYTES: usize = 72;

/// `get_unapplied_transactions`.
pub fn get_unapplied_transactions(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::optional(body)?;
    let lower_bound: String = params.get("lower_bound")?;
    let limit = match params.or("limit", Some(UNAPPLIED_DEFAULT))? {
        Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let until = Deadline::of(&params)?;
    let waiting = node.handle.producer(|view| view.waiting.clone());
    let from = match lower_bound.as_str() {
        "" => 0,
        text => waiting.iter().position(|entry| entry.transaction.id.to_string() == text).unwrap_or(waiting.len()),
    };
    let mut rows: Vec<Value> = Vec::new();
    for entry in waiting[from..].iter().take(limit) {
        rows.push(unapplied(entry));
        if until.is_over(rows.len(), 0) {
            break;
        }
    }
    let more = waiting.get(from + rows.len()).map(|entry| entry.transaction.id.to_string()).unwrap_or_default();
    let incoming = waiting.iter().filter(|entry| entry.origin == Origin::Api).count();
    json(200, &value!({"size": waiting.len(), "incoming_size": incoming, "trxs": rows, "more": more}))
}

fn unapplied(entry: &WaitingTransaction) -> Value {
    let transaction = &entry.transaction;
    let (parts, packed) = (&transaction.parts, &transaction.packed);
    let first = parts.actions.first();
    let bytes = packed.packed_trx.len() + packed.packed_context_free_data.len();
    value!({
        "trx_id": transaction.id.to_string(),
        "expiration": parts.header.expiration.to_string(),
        "trx_type": entry.origin.name(),
        "first_auth": parts.first_authorizer().to_string(),
        "first_receiver": first.map(|action| action.account.to_string()).unwrap_or_default(),
        "first_action": first.map(|action| action.name.to_string()).unwrap_or_default(),
        "total_actions": parts.actions.len() + parts.context_free_actions.len(),
        "billed_cpu_time_us": 0,
        "size": PACKED_TRANSACTION_BYTES + 2 * (SIGNATURE_BYTES * packed.signatures.len() + bytes),
    })
}

/// `get_integrity_hash`.
pub async fn get_integrity_hash(node: Arc<Node>, body: Bytes) -> Answer {
    params::none(&body)?;
    let (head, hash) = node.handle.integrity_hash().await?;
    json(201, &value!({"head_block_id": head.to_string(), "integrity_hash": hash.to_string()}))
}

fn snapshot(info: &SnapshotInfo) -> Value {
    value!({
        "head_block_id": info.head_id.to_string(),
        "head_block_num": info.head_num,
        "head_block_time": info.head_time.to_string(),
        "version": SNAPSHOT_VERSION,
        "snapshot_name": info.path.display().to_string(),
    })
}

/// `create_snapshot`: of the head; the answer comes when the head is irreversible.
pub async fn create_snapshot(node: Arc<Node>, _: Bytes) -> Answer {
    json(201, &snapshot(&node.handle.snapshot().await?))
}

/// A request of the schedule as it is shown.
fn scheduled(known: &ScheduledSnapshot) -> Map<String, Value> {
    let request = &known.request;
    let fields = [
        ("snapshot_request_id", Value::from(known.id)),
        ("block_spacing", request.block_spacing.into()),
        ("start_block_num", request.start_block_num.into()),
        ("end_block_num", request.end_block_num.into()),
        ("snapshot_description", request.description.clone().into()),
    ];
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// `get_snapshot_requests`.
pub fn get_snapshot_requests(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let entry = |known: &ScheduledSnapshot| {
        let mut fields = scheduled(known);
        fields.insert("pending_snapshots".to_owned(), known.pending.iter().map(snapshot).collect());
        Value::Object(fields)
    };
    let requests: Value = node.handle.producer(|view| view.snapshot_requests.iter().map(entry).collect());
    json(201, &value!({"snapshot_requests": requests}))
}

/// `schedule_snapshot`: from the next block on, unless the client says otherwise.
pub async fn schedule_snapshot(node: Arc<Node>, body: Bytes) -> Answer {
    let params = Fields::optional(&body)?;
    let next = node.handle.read(|chain| chain.head().number()).saturating_add(1);
    let request = SnapshotRequest {
        block_spacing: params.maybe("block_spacing")?.unwrap_or(0),
        start_block_num: params.maybe("start_block_num")?.unwrap_or(next),
        end_block_num: params.maybe("end_block_num")?.unwrap_or(u32::MAX),
        description: params.maybe("snapshot_description")?.unwrap_or_default(),
    };
    json(201, &scheduled(&node.handle.schedule_snapshot(request).await?))
}

/// `unschedule_snapshot`.
pub async fn unschedule_snapshot(node: Arc<Node>, body: Bytes) -> Answer {
    let id: u32 = Fields::required(&body)?.get("snapshot_request_id")?;
    json(201, &scheduled(&node.handle.unschedule_snapshot(id).await?))
}
