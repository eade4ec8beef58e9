//! Which endpoints go together: those that one plugin of nodeos serves, and within them categories, which can be
//! served at addresses of their own (`--http-category-address`).

/// The endpoints that one plugin serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "named as in the paths")]
pub enum Api {
    Chain,
    DbSize,
    Net,
    Producer,
    TraceApi,
    Prometheus,
    TestControl,
    Dev,
}

/// Every API with its name in paths and the plugin that serves it. Development chains serve theirs without one.
const APIS: [(&str, Api, &str); 9] = [
    ("chain", Api::Chain, "chain_api_plugin"),
    ("db_size", Api::DbSize, "db_size_api_plugin"),
    ("net", Api::Net, "net_api_plugin"),
    ("node", Api::Net, "net_api_plugin"),
    ("producer", Api::Producer, "producer_api_plugin"),
    ("trace_api", Api::TraceApi, "trace_api_plugin"),
    ("prometheus", Api::Prometheus, "prometheus_plugin"),
    ("test_control", Api::TestControl, "test_control_api_plugin"),
    ("dev", Api::Dev, ""),
];

impl Api {
    /// The API of a path.
    pub fn of(path: &str) -> Option<Self> {
        let (name, _) = path.strip_prefix("/v1/")?.split_once('/')?;
        APIS.iter().find(|(known, ..)| *known == name).map(|(_, api, _)| *api)
    }

    /// The API that a plugin serves.
    pub fn of_plugin(plugin: &str) -> Option<Self> {
        APIS.iter().find(|(.., known)| *known == plugin).map(|(_, api, _)| *api)
    }
}

/// Whether a path is one that probes ask: whoever can reach the node may, whatever else is served there, and lists of
/// what is served do not have it.
pub fn is_for_probes(path: &str) -> bool {
    path.strip_prefix("/v1/node/").is_some_and(is_health)
}

fn is_health(call: &str) -> bool {
    call.split('/').next() == Some("health")
}

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
    Dev,
}

/// Every category with its name.
const NAMES: [(&str, Category); 12] = [
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
    ("dev", Category::Dev),
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
            ("node", call) if is_health(call) => None,
            ("net" | "node", _) => Some(Self::NetRo),
            ("producer", "create_snapshot" | "schedule_snapshot" | "unschedule_snapshot") => Some(Self::Snapshot),
            ("producer", "get_integrity_hash") => Some(Self::ProducerRw),
            ("producer", call) if call.starts_with("get_") || call == "paused" => Some(Self::ProducerRo),
            ("producer", _) => Some(Self::ProducerRw),
            ("trace_api", _) => Some(Self::TraceApi),
            ("prometheus", _) => Some(Self::Prometheus),
            ("test_control", _) => Some(Self::TestControl),
            ("dev", _) => Some(Self::Dev),
            _ => None,
        }
    }

    /// Whether a path is for programs on the node's machine alone, whatever the settings: it moves the chain as no rule
    /// allows, or carries private keys.
    pub fn is_for_this_machine(path: &str) -> bool {
        Self::of(path) == Some(Self::Dev) || path.ends_with("_signing_key") || path.ends_with("_signing_keys")
    }

    /// Whether its endpoints change what the node does or writes, beside the chain.
    pub fn acts_on_the_node(self) -> bool {
        matches!(self, Self::NetRw | Self::ProducerRw | Self::Snapshot | Self::TestControl | Self::Dev)
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
        let of_none: Vec<_> = of_none.into_iter().filter(|path| !is_for_probes(path)).collect();
        assert_eq!(of_none, ["/v1/chain/get_info"]);
        assert!(ENDPOINTS.iter().all(|endpoint| Api::of(endpoint.path).is_some()));
        assert_eq!(Category::of("/v1/chain/send_read_only_transaction"), Some(Category::ChainRo));
        assert_eq!(Category::of("/v1/chain/send_transaction2"), Some(Category::ChainRw));
        assert_eq!(Category::of("/v1/producer/schedule_snapshot"), Some(Category::Snapshot));
        assert_eq!(Category::of("/v1/producer/pause"), Some(Category::ProducerRw));
        assert!(Category::names().all(|name| Category::named(name).is_some()));
    }
}
