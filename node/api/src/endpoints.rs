//! The table of all endpoints. What is not in it does not exist, but for `get_supported_apis`, which lists it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Bytes;

use crate::ApiError;
use crate::node::Node;
use crate::reply::{Answer, Reply};
use crate::{chain, dev, health, net, page, producer, small_groups, trace_api};

/// An answer that takes waiting.
pub type Later = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// How an endpoint answers.
#[derive(Clone, Copy)]
pub enum Run {
    /// At once, from what the node knows.
    Now(fn(&Node, &[u8]) -> Answer),
    /// After the writer has acted.
    Later(fn(Arc<Node>, Bytes) -> Later),
}

/// What must be switched on for an endpoint to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// `--enable-account-queries`.
    AccountQueries,
    /// `--transaction-finality-status-max-storage-size-gb`.
    FinalityStatus,
}

/// One path.
#[derive(Clone, Copy)]
pub struct Endpoint {
    /// The path.
    pub path: &'static str,
    /// What it needs.
    pub needs: Needs,
    /// How it answers.
    pub run: Run,
    /// What a success is.
    pub content_type: &'static str,
}

const JSON: &str = "application/json";
const PLAIN_TEXT: &str = "text/plain";

const fn now(path: &'static str, run: fn(&Node, &[u8]) -> Answer) -> Endpoint {
    Endpoint { path, needs: Needs::Nothing, run: Run::Now(run), content_type: JSON }
}

const fn later(path: &'static str, run: fn(Arc<Node>, Bytes) -> Later) -> Endpoint {
    Endpoint { path, needs: Needs::Nothing, run: Run::Later(run), content_type: JSON }
}

const fn needing(needs: Needs, endpoint: Endpoint) -> Endpoint {
    Endpoint { needs, ..endpoint }
}

/// The page of development chains, which is not part of any API.
pub const PAGE: &Endpoint = &Endpoint { content_type: "text/html; charset=utf-8", ..now("/", page::get) };

/// Every endpoint, ascending by path.
pub const ENDPOINTS: &[Endpoint] = &[
    later("/v1/chain/compute_transaction", |node, body| Box::pin(chain::transactions::compute(node, body))),
    now("/v1/chain/get_abi", chain::code::get_abi),
    now("/v1/chain/get_account", chain::account::get_account),
    needing(
        Needs::AccountQueries,
        now("/v1/chain/get_accounts_by_authorizers", chain::authorizers::get_accounts_by_authorizers),
    ),
    now("/v1/chain/get_activated_protocol_features", chain::features::get_activated_protocol_features),
    now("/v1/chain/get_block", chain::blocks::get_block),
    now("/v1/chain/get_block_header", chain::blocks::get_block_header),
    now("/v1/chain/get_block_header_state", chain::blocks::get_block_header_state),
    now("/v1/chain/get_block_info", chain::blocks::get_block_info),
    now("/v1/chain/get_code", chain::code::get_code),
    now("/v1/chain/get_code_hash", chain::code::get_code_hash),
    now("/v1/chain/get_consensus_parameters", chain::info::get_consensus_parameters),
    now("/v1/chain/get_currency_balance", chain::currency::get_currency_balance),
    now("/v1/chain/get_currency_stats", chain::currency::get_currency_stats),
    now("/v1/chain/get_info", chain::info::get_info),
    now("/v1/chain/get_producer_schedule", chain::producers::get_producer_schedule),
    now("/v1/chain/get_producers", chain::producers::get_producers),
    now("/v1/chain/get_raw_abi", chain::code::get_raw_abi),
    now("/v1/chain/get_raw_block", chain::blocks::get_raw_block),
    now("/v1/chain/get_raw_code_and_abi", chain::code::get_raw_code_and_abi),
    now("/v1/chain/get_required_keys", chain::keys::get_required_keys),
    now("/v1/chain/get_scheduled_transactions", chain::scheduled::get_scheduled_transactions),
    now("/v1/chain/get_table_by_scope", chain::tables::get_table_by_scope),
    now("/v1/chain/get_table_rows", chain::tables::get_table_rows),
    now("/v1/chain/get_transaction_id", chain::keys::get_transaction_id),
    needing(Needs::FinalityStatus, now("/v1/chain/get_transaction_status", chain::info::get_transaction_status)),
    later("/v1/chain/push_block", |node, body| Box::pin(chain::transactions::push_block(node, body))),
    later("/v1/chain/push_transaction", |node, body| Box::pin(chain::transactions::push(node, body))),
    later("/v1/chain/push_transactions", |node, body| Box::pin(chain::transactions::push_many(node, body))),
    later("/v1/chain/send_read_only_transaction", |node, body| Box::pin(chain::transactions::read_only(node, body))),
    later("/v1/chain/send_transaction", |node, body| Box::pin(chain::transactions::send(node, body))),
    later("/v1/chain/send_transaction2", |node, body| Box::pin(chain::transactions::send2(node, body))),
    now("/v1/db_size/get", small_groups::db_size),
    later("/v1/dev/dump", |node, body| Box::pin(dev::dump(node, body))),
    later("/v1/dev/forget", |node, body| Box::pin(dev::forget(node, body))),
    later("/v1/dev/get_states", |node, body| Box::pin(dev::get_states(node, body))),
    now("/v1/dev/get_time", dev::get_time),
    later("/v1/dev/load", |node, body| Box::pin(dev::load(node, body))),
    later("/v1/dev/move_time", |node, body| Box::pin(dev::move_time(node, body))),
    later("/v1/dev/produce", |node, body| Box::pin(dev::produce(node, body))),
    later("/v1/dev/reorganise", |node, body| Box::pin(dev::reorganise(node, body))),
    later("/v1/dev/restore", |node, body| Box::pin(dev::restore(node, body))),
    later("/v1/dev/rewind", |node, body| Box::pin(dev::rewind(node, body))),
    later("/v1/dev/save", |node, body| Box::pin(dev::save(node, body))),
    later("/v1/dev/send_transaction", |node, body| Box::pin(dev::send_transaction(node, body))),
    later("/v1/dev/tell_backtrace", |node, body| Box::pin(dev::tell_backtrace(node, body))),
    later("/v1/net/connect", |node, body| Box::pin(net::connect(node, body))),
    later("/v1/net/connections", |node, body| Box::pin(net::connections(node, body))),
    later("/v1/net/disconnect", |node, body| Box::pin(net::disconnect(node, body))),
    later("/v1/net/status", |node, body| Box::pin(net::status(node, body))),
    later("/v1/node/double_signs", |node, body| Box::pin(net::double_signs(node, body))),
    now("/v1/node/health", health::ready),
    now("/v1/node/health/live", health::live),
    now("/v1/node/health/ready", health::ready),
    now("/v1/node/health/started", health::started),
    later("/v1/producer/add_greylist_accounts", |node, body| Box::pin(producer::add_greylist_accounts(node, body))),
    later("/v1/producer/add_signing_key", |node, body| Box::pin(producer::add_signing_key(node, body))),
    later("/v1/producer/create_snapshot", |node, body| Box::pin(producer::create_snapshot(node, body))),
    now("/v1/producer/get_account_ram_corrections", producer::get_account_ram_corrections),
    now("/v1/producer/get_greylist", producer::get_greylist),
    later("/v1/producer/get_integrity_hash", |node, body| Box::pin(producer::get_integrity_hash(node, body))),
    now("/v1/producer/get_runtime_options", producer::get_runtime_options),
    now(
        "/v1/producer/get_scheduled_protocol_feature_activations",
        producer::get_scheduled_protocol_feature_activations,
    ),
    later("/v1/producer/get_signing_keys", |node, body| Box::pin(producer::get_signing_keys(node, body))),
    now("/v1/producer/get_snapshot_requests", producer::get_snapshot_requests),
    now("/v1/producer/get_supported_protocol_features", producer::get_supported_protocol_features),
    now("/v1/producer/get_unapplied_transactions", producer::get_unapplied_transactions),
    now("/v1/producer/get_whitelist_blacklist", producer::get_whitelist_blacklist),
    later("/v1/producer/pause", |node, body| Box::pin(producer::pause(node, body))),
    now("/v1/producer/paused", producer::paused),
    later("/v1/producer/remove_greylist_accounts", |node, body| {
        Box::pin(producer::remove_greylist_accounts(node, body))
    }),
    later("/v1/producer/remove_signing_key", |node, body| Box::pin(producer::remove_signing_key(node, body))),
    later("/v1/producer/resume", |node, body| Box::pin(producer::resume(node, body))),
    later("/v1/producer/schedule_protocol_feature_activations", |node, body| {
        Box::pin(producer::schedule_protocol_feature_activations(node, body))
    }),
    later("/v1/producer/schedule_snapshot", |node, body| Box::pin(producer::schedule_snapshot(node, body))),
    later("/v1/producer/set_whitelist_blacklist", |node, body| Box::pin(producer::set_whitelist_blacklist(node, body))),
    later("/v1/producer/unlock_signing_keys", |node, body| Box::pin(producer::unlock_signing_keys(node, body))),
    later("/v1/producer/unschedule_snapshot", |node, body| Box::pin(producer::unschedule_snapshot(node, body))),
    later("/v1/producer/update_runtime_options", |node, body| Box::pin(producer::update_runtime_options(node, body))),
    Endpoint { content_type: PLAIN_TEXT, ..now("/v1/prometheus/metrics", small_groups::metrics) },
    later("/v1/test_control/kill_node_on_producer", |node, body| {
        Box::pin(small_groups::kill_node_on_producer(node, body))
    }),
    now("/v1/trace_api/get_block", trace_api::get_block),
    now("/v1/trace_api/get_deltas", trace_api::get_deltas),
    now("/v1/trace_api/get_processed_transaction", trace_api::get_processed_transaction),
    now("/v1/trace_api/get_transaction_trace", trace_api::get_transaction_trace),
];

/// Answers a request at a path, failures included, as the server does once the body is there.
pub async fn answer(node: &Arc<Node>, path: &str, body: impl Into<Bytes>) -> Reply {
    let body = body.into();
    let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.path == path && endpoint.needs.met_by(node));
    let answer = match endpoint.map(|endpoint| endpoint.run) {
        Some(Run::Now(run)) => run(node, &body),
        Some(Run::Later(run)) => run(Arc::clone(node), body).await,
        None => Err(ApiError::unknown_path()),
    };
    answer.unwrap_or_else(|error| Reply { status: error.status(), body: error.body(node.settings.verbose_http_errors) })
}

impl Needs {
    /// Whether `node` has what is needed.
    pub fn met_by(self, node: &Node) -> bool {
        match self {
            Self::Nothing => true,
            Self::AccountQueries => node.settings.account_queries,
            Self::FinalityStatus => node.handle.finality().is_enabled(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_ascending_and_unique() {
        assert!(ENDPOINTS.is_sorted_by(|a, b| a.path < b.path));
    }
}
