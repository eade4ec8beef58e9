//! Small groups: `/v1/db_size`, `/v1/prometheus`, `/v1/test_control`.

use std::sync::Arc;

use axum::body::Bytes;
use engine::EndAtTurn;
use primitives::Name;
use serde_json::{Value, json as value};

use crate::node::Node;
use crate::params::{self, Fields};
use crate::reply::{Answer, Reply, integer, json};

/// `metrics`, in Prometheus' own form.
pub fn metrics(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    node.breakers.measure(node.handle.metrics(), &node.aside);
    Ok(Reply { status: 200, body: node.handle.metrics().text().into_bytes() })
}

/// `kill_node_on_producer`: the node ends at one of the producer's slots.
pub async fn kill_node_on_producer(node: Arc<Node>, body: Bytes) -> Answer {
    let params = Fields::required(&body)?;
    let turn = EndAtTurn {
        producer: params.or("producer", Name(0))?,
        slot: params.get("where_in_sequence")?,
        irreversible: params.get("based_on_lib")?,
    };
    node.handle.end_at_turn(turn).await?;
    json(202, &value!({}))
}

/// `db_size`: the database on disk, and the rows of the state in memory.
pub fn db_size(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let used = node.handle.store().size_bytes();
    let rows = node.handle.read(|chain| {
        let ledger = chain.ledger();
        vec![
            ("eosio::chain::account_object", ledger.account_count()),
            ("eosio::chain::code_object", ledger.code_count()),
            ("eosio::chain::generated_transaction_object", ledger.generated_count()),
            ("eosio::chain::permission_object", ledger.permission_count()),
        ]
    });
    let indices: Vec<Value> = rows.iter().map(|(index, count)| value!({"index": index, "row_count": count})).collect();
    json(200, &value!({"free_bytes": 0, "used_bytes": integer(used), "size": integer(used), "indices": indices}))
}
