//! Counters and gauges of a running node, under the names that nodeos gives them (prometheus_plugin's metrics.hpp), and
//! those of our own, which begin with `boreas_`.

use chain::{Applied, SealedBlock};
use prometheus::core::Collector;
use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

use crate::moved::{Follows, Moved};
use crate::report::Usage;

/// What a node counts. The counts begin with the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    head_block_num: IntGauge,
    last_irreversible: IntGauge,
    blocks_produced: IntCounter,
    blocks_incoming: IntCounter,
    trxs_produced: IntCounter,
    trxs_incoming: IntCounter,
    unapplied_transactions: IntCounter,
    scheduled_trxs: IntCounter,
    subjective_bills: IntCounter,
    cpu_usage_us: IntCounterVec,
    net_usage: IntCounterVec,
    scrapes: IntCounter,
    transferred_bytes: IntCounter,
    missed_slots: IntCounter,
    ready: IntGauge,
    undo_bytes: IntGauge,
    loaded_contracts: IntGauge,
    loaded_contract_bytes: IntGauge,
    breaker_used: IntGaugeVec,
    breaker_limit: IntGaugeVec,
}

/// Memory that grows with what a chain does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Bytes of what undoes reversible blocks.
    pub undo_bytes: usize,
    /// Contracts that are loaded.
    pub contracts: usize,
    /// Bytes that these hold between runs.
    pub contract_bytes: usize,
}

/// What a circuit breaker counts, and beyond what it refuses; none for no limit. Bytes or numbers, as its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// So much there is.
    pub used: u64,
    /// So much there may be.
    pub limit: Option<u64>,
}

/// The label of [`Metrics::cpu_usage_us`] and [`Metrics::net_usage`].
const BLOCK_TYPE: &str = "block_type";
/// The label of what is counted for each circuit breaker.
pub const BREAKER: &str = "breaker";

impl Default for Metrics {
    fn default() -> Self {
        let registry = Registry::new();
        let counter = |name, help| registered(&registry, IntCounter::new(name, help));
        let gauge = |name, help| registered(&registry, IntGauge::new(name, help));
        let by_breaker = |name, help| registered(&registry, IntGaugeVec::new(Opts::new(name, help), &[BREAKER]));
        let by_type = |name, help| registered(&registry, IntCounterVec::new(Opts::new(name, help), &[BLOCK_TYPE]));
        Self {
            head_block_num: gauge("head_block_num", "head block number"),
            last_irreversible: gauge("last_irreversible", "last irreversible block number"),
            blocks_produced: counter("blocks_produced", "number of blocks produced"),
            blocks_incoming: counter("blocks_incoming", "number of incoming blocks"),
            trxs_produced: counter("trxs_produced_total", "number of transactions produced"),
            trxs_incoming: counter("trxs_incoming_total", "number of incoming transactions"),
            unapplied_transactions: counter(
                "unapplied_transactions_total",
                "total number of unapplied transactions from produced blocks",
            ),
            scheduled_trxs: counter(
                "scheduled_trxs_total",
                "total number of scheduled transactions from produced blocks",
            ),
            subjective_bills: counter(
                "subjective_bill_account_size_total",
                "total number of subjective bill account size from produced blocks",
            ),
            cpu_usage_us: by_type("cpu_usage_us_total", "total cpu usage in microseconds for blocks"),
            net_usage: by_type("net_usage_us_total", "total net usage in bytes for blocks"),
            scrapes: counter("exposer_scrapes_total", "total number of scrape requests received"),
            transferred_bytes: counter(
                "exposer_transferred_bytes_total",
                "total number of bytes of answers to scrapes",
            ),
            missed_slots: counter("boreas_missed_slots_total", "slots of this node's producers without a block"),
            ready: gauge("boreas_ready", "1 while clients may be sent to this node, see /v1/node/health"),
            undo_bytes: gauge("boreas_undo_bytes", "bytes of memory of what undoes reversible blocks"),
            loaded_contracts: gauge("boreas_loaded_contracts", "contracts whose code is loaded"),
            loaded_contract_bytes: gauge("boreas_loaded_contract_bytes", "bytes of memory of loaded contracts"),
            breaker_used: by_breaker("boreas_breaker_used", "what a circuit breaker counts, in bytes or numbers"),
            breaker_limit: by_breaker("boreas_breaker_limit", "beyond what a circuit breaker refuses; -1 for no limit"),
            registry,
        }
    }
}

/// Makes a metric part of a registry.
///
/// # Panics
/// Its name is not a valid one, or taken.
pub fn registered<M: Collector + Clone + 'static>(registry: &Registry, metric: prometheus::Result<M>) -> M {
    let metric = metric.expect("names of metrics are valid");
    registry.register(Box::new(metric.clone())).expect("names of metrics are unique");
    metric
}

impl Metrics {
    /// Where further metrics can be registered.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// All of them, as Prometheus reads them.
    pub fn text(&self) -> String {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default();
        self.scrapes.inc();
        self.transferred_bytes.inc_by(text.len() as u64);
        text
    }

    /// So many slots of this node's producers have no block.
    pub(crate) fn missed(&self, slots: u64) {
        self.missed_slots.inc_by(slots);
    }

    /// Whether clients may be sent here.
    pub(crate) fn ready(&self, ready: bool) {
        self.ready.set(ready.into());
    }

    /// Where the chain stands.
    pub(crate) fn stands(&self, head: u32, irreversible: u32) {
        self.head_block_num.set(head.into());
        self.last_irreversible.set(irreversible.into());
    }

    /// What is held in memory at the beginning of a block.
    pub(crate) fn holds(&self, held: Held) {
        let set = |gauge: &IntGauge, value: usize| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        set(&self.undo_bytes, held.undo_bytes);
        set(&self.loaded_contracts, held.contracts);
        set(&self.loaded_contract_bytes, held.contract_bytes);
    }

    /// What was held in memory at the beginning of the last block.
    pub fn held(&self) -> Held {
        let get = |gauge: &IntGauge| usize::try_from(gauge.get()).unwrap_or(0);
        Held {
            undo_bytes: get(&self.undo_bytes),
            contracts: get(&self.loaded_contracts),
            contract_bytes: get(&self.loaded_contract_bytes),
        }
    }

    /// What a circuit breaker counts now.
    pub fn loaded(&self, breaker: &str, load: Load) {
        let shown = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.breaker_used.with_label_values(&[breaker]).set(shown(load.used));
        self.breaker_limit.with_label_values(&[breaker]).set(load.limit.map_or(-1, shown));
    }

    /// What a circuit breaker counted last.
    pub fn load(&self, breaker: &str) -> Load {
        let shown = |gauges: &IntGaugeVec| u64::try_from(gauges.with_label_values(&[breaker]).get());
        Load { used: shown(&self.breaker_used).unwrap_or(0), limit: shown(&self.breaker_limit).ok() }
    }

    /// Blocks that were built here, with how many transactions wait, how many are scheduled, and how many accounts are
    /// billed by this node alone.
    pub(crate) fn produced(&self, applied: &Applied, [unapplied, scheduled, owing]: [usize; 3]) {
        self.subjective_bills.inc_by(owing as u64);
        self.blocks_produced.inc_by(applied.applied.len() as u64);
        self.unapplied_transactions.inc_by(unapplied as u64);
        self.scheduled_trxs.inc_by(scheduled as u64);
        applied.applied.iter().for_each(|sealed| self.used("produced", &self.trxs_produced, sealed));
    }

    /// Blocks from outside.
    pub(crate) fn received(&self, applied: &Applied) {
        self.blocks_incoming.inc_by(applied.applied.len() as u64);
        applied.applied.iter().for_each(|sealed| self.used("incoming", &self.trxs_incoming, sealed));
    }

    fn used(&self, block_type: &str, transactions: &IntCounter, sealed: &SealedBlock) {
        let usage = Usage::of(sealed);
        transactions.inc_by(sealed.state.block.as_ref().map_or(0, |block| block.transactions.len()) as u64);
        self.cpu_usage_us.with_label_values(&[block_type]).inc_by(usage.cpu_us);
        self.net_usage.with_label_values(&[block_type]).inc_by(usage.net_bytes);
    }
}

impl Follows for &Metrics {
    fn follow(&mut self, moved: &Moved<'_>) {
        self.stands(moved.head.number(), moved.irreversible);
    }
}
