//! The way to the engine: blocks from its store, and blocks and transactions to its writer, prepared on other threads
//! and handed over in the order in which they came.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chain::{PrepareMode, PreparedBlock, recover_transactions};
use engine::{Handle, Purse, Refusal as NodeRefusal, Refused, Verdict};
use execution::RecoveredTransaction;
use futures::future::join_all;
use primitives::{BlockId, Fault, PackedTransaction};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::event::Event;
use crate::core::{BlockJudgement, Blocks, Charge, Input, PeerId, TransactionJudgement};
use crate::judging::{self, Refusal};
use crate::wire::{BlockMessage, TransactionMessage};

/// How long a block waits for the writer when too much waits for it already.
const BUSY_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);
/// How often it is offered again.
const BUSY_TRIES: u32 = 250;

/// The store, as the core sees it.
#[derive(Debug)]
pub(super) struct StoredBlocks(pub Handle);

impl Blocks for StoredBlocks {
    fn id_at(&self, num: u32) -> Option<BlockId> {
        found(self.0.store().block_id_at(num))
    }

    fn block_at(&self, num: u32) -> Option<Arc<[u8]>> {
        found(self.0.store().block_at(num)).map(Into::into)
    }

    fn has(&self, id: &BlockId) -> bool {
        let ids = self.0.store().block_ids_at(primitives::number_of(id));
        ids.is_ok_and(|ids| ids.contains(id))
    }
}

/// A store that cannot be read stops the writer with its reason; here there is nothing then.
fn found<T>(read: Result<Option<T>, store::StoreError>) -> Option<T> {
    read.unwrap_or_else(|error| {
        tracing::error!("a block cannot be read for a peer: {error}");
        None
    })
}

/// A block on its way to the writer.
#[derive(Debug)]
pub(super) struct Taken {
    pub peer: PeerId,
    pub block: BlockMessage,
    pub charge: Charge,
    pub epoch: Option<u64>,
}

/// Starts the tasks that bring blocks to the writer: `threads` of them are prepared at once. What waits for them holds
/// its peer's share, so it is bounded in bytes. Blocks of ranges before `epoch` are asked for again and not prepared.
pub(super) fn blocks_to(
    engine: Handle,
    events: mpsc::Sender<Event>,
    epoch: Arc<AtomicU64>,
    threads: usize,
    tasks: &mut tokio::task::JoinSet<()>,
) -> mpsc::UnboundedSender<Taken> {
    let (taken, mut waiting) = mpsc::unbounded_channel::<Taken>();
    let (preparing, mut prepared) =
        mpsc::channel::<(Taken, JoinHandle<Result<PreparedBlock, Refusal>>)>(threads.max(1));
    let (preparer, judge) = (engine.clone(), events.clone());
    tasks.spawn(async move {
        while let Some(taken) = waiting.recv().await {
            let (engine, events) = (preparer.clone(), events.clone());
            let (bytes, live) = (Arc::clone(&taken.block.bytes), taken.epoch.is_none());
            let given_up = taken.epoch.is_some_and(|taken| taken != epoch.load(Ordering::Relaxed));
            let handle = tokio::task::spawn_blocking(move || match given_up {
                true => Err(Refusal::given_up()),
                false => prepare(&engine, &bytes, live, &events),
            });
            if preparing.send((taken, handle)).await.is_err() {
                return;
            }
        }
    });
    tasks.spawn(async move {
        while let Some((taken, handle)) = prepared.recv().await {
            let (judgement, why) = match handle.await {
                Ok(Ok(block)) => push(&engine, block).await,
                Ok(Err(Refusal { judgement, fault })) => (judgement, fault.to_string()),
                // The node is stopping.
                Err(_) => return,
            };
            let Taken { peer, block: BlockMessage { id, bytes, .. }, epoch, charge } = taken;
            drop(charge);
            let judged = Input::BlockJudged { peer, id, bytes: bytes.len(), epoch, judgement, why };
            if judge.send(Event::Happened(judged)).await.is_err() {
                return;
            }
        }
    });
    taken
}

/// Prepares a block; of one of a range the header is checked with the rest, since nobody waits for it to be relayed.
fn prepare(engine: &Handle, bytes: &[u8], live: bool, events: &mpsc::Sender<Event>) -> Result<PreparedBlock, Refusal> {
    let chain_id = engine.chain_id();
    let parent = |block: &PreparedBlock| {
        engine.read(|chain| Some((chain.parent(block).ok()?.clone(), chain.feature_restrictions().clone())))
    };
    let header_good = |id| {
        // The driver may have ended.
        let _ = events.blocking_send(Event::Happened(Input::HeaderGood { id }));
    };
    let block = judging::read(bytes, &chain_id, live, parent, header_good)?;
    if live {
        return engine.prepare_block(block).map_err(Refusal::of_content);
    }
    // Many blocks are prepared at once.
    PreparedBlock::guessing(block, &chain_id, PrepareMode::Full, engine.key_guesses()).map_err(Refusal::of_content)
}

async fn push(engine: &Handle, block: PreparedBlock) -> (BlockJudgement, String) {
    for _ in 0..BUSY_TRIES {
        match engine.push_block(block.clone()).await {
            Ok(Verdict::Joined | Verdict::Known) => return (BlockJudgement::Good, String::new()),
            Ok(Verdict::Held) => return (BlockJudgement::Held, String::new()),
            Ok(Verdict::Refused(fault)) => return (judging::of_block(&fault), fault.to_string()),
            Ok(Verdict::Busy) => tokio::time::sleep(BUSY_PAUSE).await,
            Err(refusal) => return (BlockJudgement::NotNow, refusal.to_string()),
        }
    }
    (BlockJudgement::NotNow, "too many blocks wait".to_owned())
}

/// Runs transactions that came together, in their order, each at the cost of its peer's purse, and tells what became of
/// each.
pub(super) async fn run_transactions(
    engine: Handle,
    keys: tokio::runtime::Handle,
    transactions: Vec<(PeerId, TransactionMessage, Charge)>,
    purses: Vec<Arc<Purse>>,
    events: mpsc::Sender<Event>,
) {
    let chain_id = engine.chain_id();
    let packed: Vec<_> =
        transactions.iter().map(|(_, transaction, _)| PackedTransaction::clone(&transaction.packed)).collect();
    let recovering = engine.clone();
    let recovered = keys.spawn_blocking(move || recover_transactions(packed, &chain_id, recovering.key_guesses()));
    // The node is stopping.
    let Ok(recovered) = recovered.await else { return };
    let judgements = join_all(
        recovered.into_iter().zip(purses).map(|(recovered, purse)| run_transaction(&engine, recovered, purse)),
    )
    .await;
    for ((peer, TransactionMessage { id, .. }, charge), (judgement, why)) in transactions.into_iter().zip(judgements) {
        drop(charge);
        let judged = Event::Happened(Input::TransactionJudged { peer, id, judgement, why });
        if events.send(judged).await.is_err() {
            return;
        }
    }
}

async fn run_transaction(
    engine: &Handle,
    recovered: Result<RecoveredTransaction, Fault>,
    purse: Arc<Purse>,
) -> (TransactionJudgement, String) {
    let transaction = match recovered {
        Ok(transaction) => Arc::new(transaction),
        Err(fault) => return (TransactionJudgement::Bad, fault.to_string()),
    };
    match engine.submit_of_peer(transaction, purse).await {
        Ok(_) => (TransactionJudgement::Accepted, String::new()),
        Err(Refused::Node(spent @ NodeRefusal::Spent)) => (TransactionJudgement::Spent, spent.to_string()),
        Err(Refused::Node(refusal)) => (TransactionJudgement::NotNow, refusal.to_string()),
        Err(Refused::Rule(fault)) => (judging::of_transaction(&fault), fault.to_string()),
    }
}
