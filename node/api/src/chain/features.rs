//! `get_activated_protocol_features`.

use execution::features::{Feature, FeatureSpec};
use serde_json::{Map, Value};

use crate::node::Node;
use crate::params::Fields;
use crate::reply::{Answer, json};

/// `get_activated_protocol_features`: all of them, whatever `limit` says, as nodeos 4.1 answers.
pub fn get_activated_protocol_features(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::optional(body)?;
    let lower: u32 = params.maybe("lower_bound")?.unwrap_or(0);
    let upper: u32 = params.maybe("upper_bound")?.unwrap_or(u32::MAX);
    let _limit: u32 = params.get("limit")?;
    let search_by_block_num: bool = params.get("search_by_block_num")?;
    let reverse: bool = params.get("reverse")?;
    let _time_limit_ms: Option<u32> = params.maybe("time_limit_ms")?;
    let active = node.handle.read(|chain| chain.ledger().protocol_state().activated_protocol_features.clone());
    let mut found: Vec<(u32, _)> = (0..).zip(active).collect();
    found.retain(|(ordinal, feature)| {
        let at = if search_by_block_num { feature.activation_block_num } else { *ordinal };
        (lower..=upper).contains(&at)
    });
    if reverse {
        found.reverse();
    }
    let rows = found.into_iter().filter_map(|(ordinal, feature)| {
        let spec = Feature::by_digest(&feature.feature_digest)?.spec();
        Some(activated(spec, ordinal, feature.activation_block_num))
    });
    let mut answer = Map::new();
    answer.insert("activated_protocol_features".to_owned(), rows.collect());
    json(200, &answer)
}

fn activated(spec: &FeatureSpec, ordinal: u32, block_num: u32) -> Value {
    let mut row = Map::new();
    let described = spec.to_json(None);
    for (key, value) in described.as_object().into_iter().flatten() {
        row.insert(key.clone(), value.clone());
        if key == "feature_digest" {
            row.insert("activation_ordinal".to_owned(), ordinal.into());
            row.insert("activation_block_num".to_owned(), block_num.into());
        }
    }
    Value::Object(row)
}
