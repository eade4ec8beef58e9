//! A node of ours with everything but sockets, on a recorded chain: its blocks come in as from a peer.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{ApiSettings, Node};
use chain::block_log::BlockLog;
use chain::{Chain, Doors, LiveChain, PrepareMode, PreparedBlock};
use codec::Pack;
use engine::{Clock, FinalitySettings, Running, Verdict};
use store::{AcceptedBlock, Store, StoreSettings};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::replay::genesis;

/// How long the traces of the last block may take to be kept.
const TRACES_TIME_MAX: Duration = Duration::from_secs(20);

/// How long an answer may take that does not wait for a block.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);

/// How long an answer may take before it is taken to wait for a block.
const WAITING_TIME_MAX: Duration = Duration::from_secs(1);

/// A running node.
#[allow(missing_debug_implementations, reason = "a whole node is not printed")]
pub struct Served {
    /// What its endpoints reach.
    pub node: Arc<Node>,
    runtime: Runtime,
    running: Option<Running>,
    _folder: TempDir,
}

impl Served {
    /// A node that was started as the recorded one was and has all blocks of `log`.
    ///
    /// # Panics
    /// When it cannot be started or does not take a block.
    pub fn start(log: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let log = BlockLog::open(log).expect("recorded logs are whole");
        let engine = wasm::Engine::new();
        let doors =
            Doors { clock: Box::new(Clock::real()), engine: engine.clone(), code_cache: Box::new(wasm::NoCache) };
        let chain =
            LiveChain::from_genesis(&genesis(&log), chain::Settings::default(), doors).expect("a valid genesis");
        let chain_id = chain.chain_id();
        let store = new_store(folder.path(), &chain);
        let settings = engine::Settings {
            traces: Some(api::stored_trace::encode),
            finality: FinalitySettings { bytes_max: 1 << 30, ..FinalitySettings::default() },
            snapshots_dir: folder.path().join("snapshots"),
            ..engine::Settings::default()
        };
        let running = engine::start(chain, store, settings, std::time::Duration::ZERO, engine.ticker())
            .expect("the engine starts");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("threads can be started");
        let handle = running.handle.clone();
        let mut head = 1;
        for (number, bytes) in log.iter().filter(|(number, _)| *number > 1) {
            let block = PreparedBlock::from_bytes(bytes, &chain_id, PrepareMode::Full).expect("recorded blocks unpack");
            let verdict = runtime.block_on(handle.push_block(block)).expect("the node runs");
            assert!(matches!(verdict, Verdict::Joined), "block {number}: {verdict:?}");
            head = number;
        }
        let begin = Instant::now();
        while handle.store().traces(head).expect("the store can be read").is_none() {
            assert!(begin.elapsed() < TRACES_TIME_MAX, "the traces of block {head} are not kept");
            std::thread::sleep(Duration::from_millis(5));
        }
        let settings = ApiSettings {
            verbose_http_errors: true,
            account_queries: true,
            trace_no_abis: true,
            signature_bytes_max: 16_384,
            ..ApiSettings::default()
        };
        let node = Arc::new(Node::new(handle, settings, None));
        Self { node, runtime, running: Some(running), _folder: folder }
    }

    /// Asks an endpoint.
    ///
    /// # Panics
    /// When the answer waits for a block: nodeos gave one without.
    pub fn ask(&self, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let question = String::from_utf8_lossy(&body).into_owned();
        let answer =
            async { tokio::time::timeout(ANSWER_TIME_MAX, api::endpoints::answer(&self.node, path, body)).await };
        let reply = self.runtime.block_on(answer);
        let reply = reply.unwrap_or_else(|_| panic!("{path} does not answer {question}"));
        (reply.status, reply.body)
    }
}

impl Served {
    /// Asks an endpoint that may have to wait for a block; none when it does.
    pub fn ask_in_time(&self, path: &str, body: Vec<u8>) -> Option<(u16, Vec<u8>)> {
        let answer =
            async { tokio::time::timeout(WAITING_TIME_MAX, api::endpoints::answer(&self.node, path, body)).await.ok() };
        self.runtime.block_on(answer).map(|reply| (reply.status, reply.body))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(running) = self.running.take()
            && !std::thread::panicking()
        {
            running.stop().expect("the node stops");
        }
    }
}

/// A store that holds the first block, as that of every new chain.
fn new_store(folder: &Path, chain: &Chain) -> Arc<Store> {
    let store = Store::open(&StoreSettings { path: folder.join("db") }).expect("a new store can be made");
    let head = chain.head();
    let bytes = head.block.as_ref().expect("the first block is there").to_bytes();
    let (num, id) = (head.number(), head.id());
    let row = AcceptedBlock { num, id, bytes: &bytes, head: true, irreversible: 1, signed: None };
    store.append_block(&row).expect("a new store can be written");
    Arc::new(store)
}
