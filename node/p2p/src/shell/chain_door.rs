//! The way to the engine: blocks from its store, and blocks and transactions to its writer, prepared on other threads
//! and handed over in the order in which they came.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chain::{BlockState, PrepareMode, PreparedBlock, recover_transactions};
use engine::{Handle, Purse, Refusal as NodeRefusal, Refused, Verdict};
use execution::RecoveredTransaction;
use execution::features::Restrictions;
use futures::future::join_all;
use primitives::{BlockId, Fault, PackedTransaction, SignedBlock};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::event::Event;
use crate::core::{BlockJudgement, Blocks, Charge, Input, PeerId, TransactionJudgement};
use crate::judging::{self, Read, Refusal};
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

/// Blocks that wait to be prepared. Those of ranges are one queue; of others each peer has its own and they take turns,
/// so that nobody waits behind what somebody else sends.
#[derive(Debug, Default)]
struct Waiting {
    queues: VecDeque<(Option<PeerId>, VecDeque<Taken>)>,
}

impl Waiting {
    fn push(&mut self, taken: Taken) {
        let of = taken.epoch.is_none().then_some(taken.peer);
        match self.queues.iter_mut().find(|(other, _)| *other == of) {
            Some((_, queue)) => queue.push_back(taken),
            None => self.queues.push_back((of, VecDeque::from([taken]))),
        }
    }

    fn pop(&mut self) -> Option<Taken> {
        let (of, mut queue) = self.queues.pop_front()?;
        let taken = queue.pop_front();
        if !queue.is_empty() {
            self.queues.push_back((of, queue));
        }
        taken
    }
}

/// What became of a block that was prepared.
enum Prepared {
    Whole(PreparedBlock),
    /// The rest is done when it is its turn.
    Large(Arc<SignedBlock>),
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
    let (taken, mut coming) = mpsc::unbounded_channel::<Taken>();
    let (preparing, mut prepared) = mpsc::channel::<(Taken, JoinHandle<Result<Prepared, Refusal>>)>(threads.max(1));
    let (preparer, judge) = (engine.clone(), events.clone());
    tasks.spawn(async move {
        let mut waiting = Waiting::default();
        loop {
            while let Ok(taken) = coming.try_recv() {
                waiting.push(taken);
            }
            let Some(taken) = waiting.pop() else {
                match coming.recv().await {
                    Some(taken) => waiting.push(taken),
                    None => return,
                }
                continue;
            };
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
            // The node is stopping where a task does not end.
            let Ok(mut prepared) = handle.await else { return };
            if let Ok(Prepared::Large(block)) = prepared {
                let (engine, live) = (engine.clone(), taken.epoch.is_none());
                let late = tokio::task::spawn_blocking(move || {
                    judging::check_in_turn(&block, parent_in(&engine))?;
                    unpack(&engine, block, live).map(Prepared::Whole)
                });
                let Ok(whole) = late.await else { return };
                prepared = whole;
            }
            let (judgement, why) = match prepared {
                Ok(Prepared::Whole(block)) => push(&engine, block).await,
                Ok(Prepared::Large(_)) => return,
                Err(Refusal { judgement, fault }) => (judgement, fault.to_string()),
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

fn parent_in(engine: &Handle) -> impl Fn(&BlockId, &BlockId) -> Option<(Arc<BlockState>, Restrictions)> + '_ {
    |id, previous| {
        engine.read(|chain| Some((chain.parent_of(id, previous).ok()?.clone(), chain.feature_restrictions().clone())))
    }
}

/// Prepares a block; of one of a range the header is checked with the rest, since nobody waits for it to be relayed.
fn prepare(engine: &Handle, bytes: &[u8], live: bool, events: &mpsc::Sender<Event>) -> Result<Prepared, Refusal> {
    let header_good = |id| {
        // The driver may have ended.
        let _ = events.blocking_send(Event::Happened(Input::HeaderGood { id }));
    };
    match judging::read(bytes, live, parent_in(engine), header_good)? {
        Read::Whole(block) => unpack(engine, block, live).map(Prepared::Whole),
        Read::Large(block) => Ok(Prepared::Large(block)),
    }
}

/// Unpacks the transactions of a block and recovers their keys.
fn unpack(engine: &Handle, block: Arc<SignedBlock>, live: bool) -> Result<PreparedBlock, Refusal> {
    if live {
        return engine.prepare_block(block).map_err(Refusal::of_content);
    }
    // Many blocks are prepared at once.
    let chain_id = engine.chain_id();
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
