//! Categories of endpoints, which can be served at addresses of their own (`--http-category-address`).

/// A category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "named as nodeos names them")]
pub enum Category {
    ChainRo,
    ChainRw,
    DbSize,
    NetRo,
    NetRw,
    ProducerRo,
    ProducerRw,
    Snapshot,
    TraceApi,
    Prometheus,
    TestControl,
}

/// Every category with its name.
const NAMES: [(&str, Category); 11] = [
    ("chain_ro", Category::ChainRo),
    ("chain_rw", Category::ChainRw),
    ("db_size", Category::DbSize),
    ("net_ro", Category::NetRo),
    ("net_rw", Category::NetRw),
    ("producer_ro", Category::ProducerRo),
    ("producer_rw", Category::ProducerRw),
    ("snapshot", Category::Snapshot),
    ("trace_api", Category::TraceApi),
    ("prometheus", Category::Prometheus),
    ("test_control", Category::TestControl),
];

impl Category {
    /// The category with this name.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, category)| *category)
    }

    /// Every name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// The category of a path; none for what every address serves.
    pub fn of(path: &str) -> Option<Self> {
        let (group, call) = path.strip_prefix("/v1/")?.split_once('/')?;
        match (group, call) {
            ("chain", "get_info") => None,
            (
                "chain",
                "push_block" | "push_transaction" | "push_transactions" | "send_transaction" | "send_transaction2",
            ) => Some(Self::ChainRw),
            ("chain", _) => Some(Self::ChainRo),
            ("db_size", _) => Some(Self::DbSize),
            ("net", "connect" | "disconnect") => Some(Self::NetRw),
            ("net", _) => Some(Self::NetRo),
            ("producer", "create_snapshot" | "schedule_snapshot" | "unschedule_snapshot") => Some(Self::Snapshot),
            ("producer", "get_integrity_hash") => Some(Self::ProducerRw),
            ("producer", call) if call.starts_with("get_") || call == "paused" => Some(Self::ProducerRo),
            ("producer", _) => Some(Self::ProducerRw),
            ("trace_api", _) => Some(Self::TraceApi),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoints::ENDPOINTS;

    #[test]
    fn every_endpoint_has_its_category() {
        let of_none: Vec<_> =
            ENDPOINTS.iter().map(|endpoint| endpoint.path).filter(|path| Category::of(path).is_none()).collect();
        assert_eq!(of_none, ["/v1/chain/get_info"]);
        assert_eq!(Category::of("/v1/chain/send_read_only_transaction"), Some(Category::ChainRo));
        assert_eq!(Category::of("/v1/chain/send_transaction2"), Some(Category::ChainRw));
        assert_eq!(Category::of("/v1/producer/schedule_snapshot"), Some(Category::Snapshot));
        assert_eq!(Category::of("/v1/producer/pause"), Some(Category::ProducerRw));
        assert!(Category::names().all(|name| Category::named(name).is_some()));
    }
}
