//! Small groups: `/v1/net` as a node without peers answers it, `/v1/db_size`.

use serde_json::{Value, json as value};

use crate::node::Node;
use crate::params;
use crate::reply::{Answer, integer, json};

/// `connect`: there is no network yet.
pub fn net_connect(_: &Node, body: &[u8]) -> Answer {
    params::required::<Value>(body)?;
    json(201, &"this node has no peers")
}

/// `connections`.
pub fn net_connections(_: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    json(201, &value!([]))
}

/// `disconnect`.
pub fn net_disconnect(_: &Node, body: &[u8]) -> Answer {
    params::required::<Value>(body)?;
    json(201, &"no known connection for host")
}

/// `status`: no connection is known.
pub fn net_status(_: &Node, body: &[u8]) -> Answer {
    params::required::<Value>(body)?;
    json(201, &Value::Null)
}

/// `db_size`: the database on disk, and the rows of the state in memory.
pub fn db_size(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let used = node.handle.store().size_bytes();
    let rows = node.handle.read(|chain| {
        let ledger = chain.ledger();
        vec![
            ("eosio::chain::account_object", ledger.account_count()),
            ("eosio::chain::code_object", ledger.codes().len()),
            ("eosio::chain::generated_transaction_object", ledger.generated_count()),
            ("eosio::chain::permission_object", ledger.permissions().len()),
        ]
    });
    let indices: Vec<Value> = rows.iter().map(|(index, count)| value!({"index": index, "row_count": count})).collect();
    json(200, &value!({"free_bytes": 0, "used_bytes": integer(used), "size": integer(used), "indices": indices}))
}
