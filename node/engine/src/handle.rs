//! How everyone else reaches the writer: commands over a bounded channel, reads between two transactions.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use chain::{Chain, KeyGuesses};
use execution::RecoveredTransaction;
use parking_lot::{Mutex, RwLock};
use primitives::{BlockId, ChainId, Checksum256, Fault, Name, PrivateKey, PublicKey, SignedBlock, TimePoint};
use rustc_hash::FxHashMap;
use store::{Store, Watermark};
use tokio::sync::oneshot;

use crate::command::{Reply, SnapshotInfo, SubmitResult};
use crate::events::{Events, Position};
use crate::health::{Health, Peers, Standing};
use crate::holds::{ChainLock, Hold, HoldTime};
use crate::preparing::prepare_block;
use crate::recovered::Recovered;
use crate::subjective::Subjective;
use crate::{
    Arrival, Clock, Command, EndAtTurn, FinalityTracker, Journey, ListChange, Metrics, OptionsChange, Origin, Purse,
    Refusal, Refused, RetrySettings, RuntimeOptions, ScheduledSnapshot, SnapshotRequest, Submission, SubmitKind,
    Verdict,
};

/// Commands that wait for the writer at most.
pub const COMMAND_QUEUE_CAPACITY: usize = 4096;
/// How long a sender waits before it tries a full queue again.
const FULL_QUEUE_PAUSE: Duration = Duration::from_millis(1);

/// What others see of production.
#[derive(Debug, Clone)]
pub struct ProducerView {
    /// Whether production is paused.
    pub paused: bool,
    /// The options in force.
    pub options: RuntimeOptions,
    /// Features that the next block of this node activates.
    pub scheduled_features: Vec<Checksum256>,
    /// Transactions that wait, in order, as of the start of the pending block.
    pub waiting: Vec<WaitingTransaction>,
    /// Snapshots that are scheduled.
    pub snapshot_requests: Vec<ScheduledSnapshot>,
    /// What this node signed.
    pub watermarks: FxHashMap<Name, Watermark>,
}

/// A transaction that waits for a block.
#[derive(Debug, Clone)]
pub struct WaitingTransaction {
    /// The transaction.
    pub transaction: Arc<RecoveredTransaction>,
    /// Where it comes from.
    pub origin: Origin,
}

/// What the writer and the readers share.
pub(crate) struct Shared {
    pub chain: ChainLock,
    pub producer: RwLock<ProducerView>,
    pub finality: FinalityTracker,
    pub retry: RetrySettings,
    pub folder: PathBuf,
    pub metrics: Metrics,
    pub health: Health,
    pub subjective: Mutex<Subjective>,
    pub events: Events,
    pub recovered: Recovered,
    pub key_guesses: KeyGuesses,
    /// Changes of the chain that the disk has, safe from a loss of power, since the node started.
    pub synced: AtomicU64,
    pub chain_id: ChainId,
    pub began_at: TimePoint,
    pub clock: Clock,
    pub dev: bool,
    pub new_chain: Option<crate::saved_state::NewChain>,
}

impl Shared {
    /// How the node stands.
    pub fn standing(&self) -> Standing {
        self.health.standing(self.clock.now(), self.clock.jump_us(), &self.folder, self.dev)
    }

    /// The disk has the chain up to a position, with so many changes since the node started, safe from a loss of power.
    pub fn synced_to(&self, position: Position, changes: u64) {
        self.health.synced();
        self.events.moved(position);
        self.synced.store(changes, Ordering::Release);
    }

    /// What an account owes this node, in microseconds.
    pub fn subjective_bill(&self, account: Name) -> i64 {
        i64::try_from(self.subjective.lock().bill(account, self.clock.now())).unwrap_or(i64::MAX)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A whole chain is not printed.
        out.debug_struct("Shared").field("chain_id", &self.chain_id).finish_non_exhaustive()
    }
}

/// The way to the writer; cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) store: Arc<Store>,
    pub(crate) commands: SyncSender<Command>,
}

impl Handle {
    /// The chain's id.
    pub fn chain_id(&self) -> ChainId {
        self.shared.chain_id
    }

    /// The time of the head that the node began with.
    pub fn began_at(&self) -> TimePoint {
        self.shared.began_at
    }

    /// Runs `look` on the chain between two transactions. With a pending block its speculative state is seen.
    /// Keep it short: the writer waits for it.
    pub fn read<T>(&self, look: impl FnOnce(&Chain) -> T) -> T {
        look(&self.shared.chain.read())
    }

    /// How long the chain's lock was held for what, since the node started.
    pub fn holds(&self) -> [HoldTime; Hold::ALL.len()] {
        self.shared.chain.times()
    }

    /// Blocks and what belongs to them.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The time as the node sees it.
    pub fn now(&self) -> TimePoint {
        self.shared.clock.now()
    }

    /// What became of transactions.
    pub fn finality(&self) -> &FinalityTracker {
        &self.shared.finality
    }

    /// Microseconds of CPU that this node alone counts against an account.
    pub fn subjective_bill(&self, account: Name) -> i64 {
        self.shared.subjective_bill(account)
    }

    /// What the node counts.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// How the node stands. Waits for nobody but the disk, which is asked for its room.
    pub fn standing(&self) -> Standing {
        self.shared.standing()
    }

    /// Notes what the node sees of its peers now.
    pub fn sees(&self, peers: Peers) {
        self.shared.health.sees(peers);
    }

    /// How transactions are tried again.
    pub fn retry(&self) -> RetrySettings {
        self.shared.retry
    }

    /// Production as it stands.
    pub fn producer<T>(&self, look: impl FnOnce(&ProducerView) -> T) -> T {
        look(&self.shared.producer.read())
    }

    /// Stops producing.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn pause(&self) -> Result<(), Refusal> {
        self.ask(Command::Pause).await
    }

    /// Produces again.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn resume(&self) -> Result<(), Refusal> {
        self.ask(Command::Resume).await
    }

    /// Changes options.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn change_options(&self, change: OptionsChange) -> Result<(), Refusal> {
        self.ask(|reply| Command::ChangeOptions(change, reply)).await
    }

    /// Changes this node's own lists.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn change_lists(&self, change: ListChange) -> Result<(), Refusal> {
        self.ask(|reply| Command::ChangeLists(change, reply)).await
    }

    /// Activates features that need no preactivation with the next block of this node.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn schedule_features(&self, features: Vec<Checksum256>) -> Result<(), Refusal> {
        self.ask(|reply| Command::ScheduleFeatures(features, reply)).await
    }

    /// Ends the node at a turn of a producer.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn end_at_turn(&self, turn: EndAtTurn) -> Result<(), Refusal> {
        self.ask(|reply| Command::EndAtTurn(turn, reply)).await
    }

    /// Whether this is a development chain, on which time and state obey.
    pub fn is_dev(&self) -> bool {
        self.shared.dev
    }

    /// Makes blocks without waiting for their slots, or goes to another time. Development chains only.
    ///
    /// # Errors
    /// The journey is not possible, the chain is not a development chain, or the node is stopping.
    pub async fn travel(&self, journey: Journey) -> Result<Arrival, Refusal> {
        if !self.shared.dev {
            return Err(Refusal::NotDev);
        }
        self.ask(|reply| Command::Travel(journey, reply)).await?
    }

    /// Signs with one more key, for whoever is scheduled with it. Whether it was not added before.
    ///
    /// # Errors
    /// The key is not valid, or the node is stopping.
    pub async fn add_key(&self, key: PrivateKey) -> Result<bool, Refused> {
        let public = key.public_key()?;
        Ok(self.ask(|reply| Command::AddKey { public, key, reply }).await?)
    }

    /// Does not sign any more with a key that was added. Whether it was.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn remove_key(&self, public: PublicKey) -> Result<bool, Refusal> {
        self.ask(|reply| Command::RemoveKey { public, reply }).await
    }

    /// The keys that this node signs with, and which of them were added while it ran.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn keys(&self) -> Result<Vec<(PublicKey, bool)>, Refusal> {
        self.ask(Command::Keys).await
    }

    /// Runs a client's transaction and waits for what became of it.
    ///
    /// # Errors
    /// Why it was refused, or that the node is stopping.
    pub async fn submit(&self, transaction: Arc<RecoveredTransaction>, kind: SubmitKind) -> SubmitResult {
        if matches!(kind, SubmitKind::Input { .. }) {
            self.shared.health.check_room()?;
        }
        self.ask(|reply| Command::Submit(Submission { transaction, kind, origin: Origin::Api, purse: None, reply }))
            .await?
    }

    /// Runs a peer's transaction and waits for what became of it. If it fails, its time comes out of `purse`; with an empty
    /// one it is not run ([`Refusal::Spent`]).
    ///
    /// # Errors
    /// Why it was refused, or that the node is stopping.
    pub async fn submit_of_peer(&self, transaction: Arc<RecoveredTransaction>, purse: Arc<Purse>) -> SubmitResult {
        self.shared.health.check_room()?;
        let kind = SubmitKind::Input { return_failure_trace: false, patience: None };
        let (origin, purse) = (Origin::Network, Some(purse));
        self.ask(|reply| Command::Submit(Submission { transaction, kind, origin, purse, reply })).await?
    }

    /// Where the chain stands on disk, now and whenever it moved.
    pub fn subscribe(&self) -> tokio::sync::watch::Receiver<Position> {
        self.shared.events.subscribe()
    }

    /// Transactions from clients and peers, once they ran well. Who is too far behind misses some.
    pub fn subscribe_accepted(&self) -> tokio::sync::broadcast::Receiver<Arc<RecoveredTransaction>> {
        self.shared.events.subscribe_accepted()
    }

    /// Prepares a block for the writer as [`chain::PrepareMode::Full`] does; keys of transactions that were accepted here
    /// are not recovered again.
    ///
    /// # Errors
    /// The fault of the first transaction that is malformed, or whose signature is.
    pub fn prepare_block(&self, block: Arc<SignedBlock>) -> Result<chain::PreparedBlock, Fault> {
        prepare_block(block, &self.shared.chain_id, &self.shared.recovered, &self.shared.key_guesses)
    }

    /// The keys that signed last, for who prepares many blocks or transactions.
    pub fn key_guesses(&self) -> &KeyGuesses {
        &self.shared.key_guesses
    }

    /// Hands a block to the writer and says what became of it.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn push_block(&self, block: chain::PreparedBlock) -> Result<Verdict, Refusal> {
        let (reply, answer) = oneshot::channel();
        match self.commands.try_send(Command::PushBlock { block: Box::new(block), reply }) {
            Ok(()) => answer.await.map_err(|_| Refusal::Stopping),
            Err(TrySendError::Full(_)) => Ok(Verdict::Busy),
            Err(TrySendError::Disconnected(_)) => Err(Refusal::Stopping),
        }
    }

    /// The hash of the whole state at the head, with the head's id.
    ///
    /// # Errors
    /// The state cannot be hashed, or the node is stopping.
    pub async fn integrity_hash(&self) -> Result<(BlockId, Checksum256), Refused> {
        self.ask(Command::IntegrityHash).await?
    }

    /// Writes a snapshot of the head and waits until the head is irreversible.
    ///
    /// # Errors
    /// The file cannot be written, the head left the chain, or the node is stopping.
    pub async fn snapshot(&self) -> Result<SnapshotInfo, Refused> {
        self.ask(Command::Snapshot).await?
    }

    /// Has snapshots of later blocks written.
    ///
    /// # Errors
    /// The request makes no sense or is there already, or the node is stopping.
    pub async fn schedule_snapshot(&self, request: SnapshotRequest) -> Result<ScheduledSnapshot, Refused> {
        Ok(self.ask(|reply| Command::ScheduleSnapshot(request, reply)).await??)
    }

    /// Takes a request out of the schedule of snapshots.
    ///
    /// # Errors
    /// There is none with that number, or the node is stopping.
    pub async fn unschedule_snapshot(&self, id: u32) -> Result<ScheduledSnapshot, Refused> {
        Ok(self.ask(|reply| Command::UnscheduleSnapshot(id, reply)).await??)
    }

    async fn tell(&self, command: Command) -> Result<(), Refusal> {
        let mut command = command;
        loop {
            match self.commands.try_send(command) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(returned)) => command = returned,
                Err(TrySendError::Disconnected(_)) => return Err(Refusal::Stopping),
            }
            tokio::time::sleep(FULL_QUEUE_PAUSE).await;
        }
    }

    pub(crate) async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply)).await?;
        answer.await.map_err(|_| Refusal::Stopping)
    }
}
