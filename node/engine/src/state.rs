//! The state of a development chain as its user wants it: saved and gone back to, cut back to an earlier block, dumped
//! into a file and loaded again.
//!
//! A saved state is the whole state of a block away from the chain: its rows, what undoes its reversible blocks, what was
//! signed by then, and the time. Going back replaces state, head and blocks on disk in one batch, then in memory: clients
//! see a fork, perhaps of irreversible blocks. Everything that takes long happens on other threads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chain::{Applied, BlockState, PrepareMode, PreparedBlock};
use execution::RecoveredTransaction;
use primitives::{BlockId, TimePoint};
use rustc_hash::FxHashSet;
use store::Watermark;

use crate::awaited::Awaited;
use crate::command::{Reply, answer};
use crate::finality::BlockPoint;
use crate::holds::Hold;
use crate::journey::Journey;
use crate::rules::Held;
use crate::saved_state::{Dump, Kept, SavedState, StateInfo, StoredBlocks, Target, TheseBlocks};
use crate::state_task::Request;
use crate::unsaved::Unsaved;
use crate::writer::Writer;
use crate::{Arrival, EngineError, Handle, Refusal, Refused};

/// States that are kept at most.
const STATES_MAX: usize = 64;
/// Bytes of their rows at most.
const STATES_BYTES_MAX: usize = 2 << 30;
/// States that are kept at most until they are in a file, besides those; their rows have as much room for themselves.
const DUMPS_MAX: usize = 4;
/// How the names of these begin: no other may.
const DUMP_MARK: char = '.';
/// Characters of a state's name at most.
const NAME_MAX: usize = 64;

/// Whether a name can be that of a state, and of a file.
fn check_name(name: &str) -> Result<(), Refusal> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty() || name.len() > NAME_MAX || name.starts_with(DUMP_MARK) || !name.chars().all(plain) {
        return Err(Refusal::State(format!(
            "{name:?} is not a valid name of a state: letters, digits, dashes, underscores and dots are, {NAME_MAX} at most"
        )));
    }
    Ok(())
}

fn is_for_dump(name: &str) -> bool {
    name.starts_with(DUMP_MARK)
}

impl Handle {
    /// Keeps the state of the head under a name; what was kept under it before is forgotten.
    ///
    /// # Errors
    /// Not a development chain, the name is not valid, or there are too many.
    pub async fn save_state(&self, name: &str) -> Result<StateInfo, Refused> {
        self.check_dev()?;
        check_name(name)?;
        self.have_in_a_block().await?;
        let name = name.to_owned();
        self.ask(|reply| crate::Command::SaveState { name, reply }).await?
    }

    /// The states that are kept.
    ///
    /// # Errors
    /// Not a development chain.
    pub async fn states(&self) -> Result<Vec<StateInfo>, Refused> {
        self.check_dev()?;
        let states = self.ask(crate::Command::States).await?;
        let named = states.iter().filter(|(name, _)| !is_for_dump(name));
        Ok(named.map(|(name, kept)| info(name, &kept.state)).collect())
    }

    /// Forgets a state.
    ///
    /// # Errors
    /// There is none of that name.
    pub async fn forget_state(&self, name: &str) -> Result<(), Refused> {
        self.check_dev()?;
        check_name(name)?;
        let wanted = name.to_owned();
        let known = self.ask(|reply| crate::Command::ForgetState { name: wanted, reply }).await?;
        if known { Ok(()) } else { Err(unknown(name).into()) }
    }

    /// Goes back, or ahead, to a state that was kept.
    ///
    /// # Errors
    /// There is none of that name, or the disk refuses.
    pub async fn restore_state(&self, name: &str) -> Result<Arrival, Refused> {
        self.check_dev()?;
        check_name(name)?;
        let states = self.ask(crate::Command::States).await?;
        let kept = states.get(name).cloned().ok_or_else(|| unknown(name))?;
        self.set_state(kept.state, kept.cut).await
    }

    /// The state of the head with all blocks that lead to it, for a file. What is kept under names stays what it is, and
    /// takes no room from it.
    ///
    /// # Errors
    /// Not a development chain, [`DUMPS_MAX`] others are on their way, or the disk refuses.
    pub async fn dump_state(&self) -> Result<Dump, Refused> {
        static DUMPS: AtomicU64 = AtomicU64::new(0);
        self.check_dev()?;
        self.have_in_a_block().await?;
        let name = format!("{DUMP_MARK}dump {}", DUMPS.fetch_add(1, Ordering::Relaxed));
        let kept_as = name.clone();
        let _: StateInfo = self.ask(|reply| crate::Command::SaveState { name: kept_as, reply }).await??;
        let dump = self.dump_kept(&name).await;
        self.ask(|reply| crate::Command::ForgetState { name, reply }).await?;
        dump
    }

    async fn dump_kept(&self, name: &str) -> Result<Dump, Refused> {
        let states = self.ask(crate::Command::States).await?;
        let Kept { state, cut } = states.get(name).cloned().ok_or_else(|| unknown(name))?;
        let (store, chain) = (Arc::clone(self.store()), self.chain_id());
        let read = move || -> Result<Dump, String> {
            let mut blocks = Vec::new();
            let first = store.earliest_block_num().map_err(|error| error.to_string())?;
            let first = first.into_iter().chain(cut.keys().copied()).min().unwrap_or(1);
            for number in first..=state.num() {
                let bytes = match cut.get(&number) {
                    Some((_, bytes)) => Some(bytes.clone()),
                    None => store.block_at(number).map_err(|error| error.to_string())?,
                };
                blocks.extend(bytes);
            }
            Ok(Dump { chain, facts: Vec::new(), state: (*state).clone(), blocks })
        };
        Ok(aside(read).await?)
    }

    /// Goes to a state of this chain that was dumped.
    ///
    /// # Errors
    /// It is of another chain, damaged, or the disk refuses.
    pub async fn load_state(&self, dump: Dump) -> Result<Arrival, Refused> {
        self.check_dev()?;
        if dump.chain != self.chain_id() {
            return Err(Refusal::State(format!(
                "the file is of chain {}, this one is {}. Start boreasd dev --reset --load FILE to run that chain",
                dump.chain,
                self.chain_id()
            ))
            .into());
        }
        let blocks = dump.numbered().map_err(Refusal::State)?;
        self.set_state(Arc::new(dump.state), blocks).await
    }

    /// Cuts the chain back to an earlier block, irreversible or not.
    ///
    /// # Errors
    /// There is no such block, or the disk refuses.
    pub async fn rewind(&self, number: u32) -> Result<Arrival, Refused> {
        self.check_dev()?;
        let head = self.read(|chain| chain.head().number());
        if number > head {
            return Err(Refusal::State(format!("there is no block {number} yet; the head is {head}")).into());
        }
        let target = self.replayed(number).await?;
        self.ask(|reply| crate::Command::SetState { target: Box::new(target), reply }).await?
    }

    /// Replaces the last blocks by others with the same transactions, one more of them.
    ///
    /// # Errors
    /// There are not so many, or the disk refuses.
    pub async fn reorganise(&self, blocks: u32) -> Result<Arrival, Refused> {
        self.check_dev()?;
        self.have_in_a_block().await?;
        let head = self.read(|chain| chain.head().number());
        let fork = head.checked_sub(blocks).filter(|fork| *fork > 0 && blocks > 0);
        let fork = fork.ok_or_else(|| Refusal::State(format!("{blocks} of {head} blocks cannot be replaced")))?;
        let mut target = self.replayed(fork).await?;
        target.goes_back = false;
        let (store, chain_id) = (Arc::clone(self.store()), self.chain_id());
        let again = aside(move || {
            let mut again = Vec::new();
            for number in fork + 1..=head {
                let bytes = store.block_at(number).map_err(|error| error.to_string())?;
                let bytes = bytes.ok_or_else(|| format!("block {number} is not kept any more"))?;
                let block = PreparedBlock::from_bytes(&bytes, &chain_id, PrepareMode::Trusted);
                // This chain took them once, perhaps without a signature.
                let taken = block.map_err(|error| error.to_string())?.transactions.into_iter();
                again.extend(taken.map(|transaction| {
                    Arc::new(RecoveredTransaction { is_impersonation: true, ..Arc::unwrap_or_clone(transaction) })
                }));
            }
            Ok(again)
        });
        target.again = again.await?;
        let _: Arrival = self.ask(|reply| crate::Command::SetState { target: Box::new(target), reply }).await??;
        Ok(self.travel(Journey::Blocks(blocks + 1)).await?)
    }

    /// Ends the block that is being made: whoever was told that a transaction is done finds it in the head's state.
    async fn have_in_a_block(&self) -> Result<(), Refusal> {
        self.travel(Journey::Blocks(0)).await.map(drop)
    }

    /// The state of an earlier block, replayed from the beginning of the chain.
    async fn replayed(&self, number: u32) -> Result<Target, Refused> {
        let new_chain = self.shared.new_chain.clone();
        let new_chain = new_chain.ok_or_else(|| Refusal::State("this chain cannot be replayed".to_owned()))?;
        let (store, chain_id) = (Arc::clone(self.store()), self.chain_id());
        let replay = move || -> Result<Target, String> {
            let mut chain = new_chain()?;
            let first = chain.head().number();
            let mut marks = BTreeMap::new();
            for next in first + 1..=number {
                let bytes = store.block_at(next).map_err(|error| error.to_string())?;
                let bytes = bytes.ok_or_else(|| format!("there is no block {next}"))?;
                let block = PreparedBlock::from_bytes(&bytes, &chain_id, PrepareMode::Trusted);
                chain.push_kept_block(block.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
                let header = chain.head().header.block_header();
                marks.insert(header.producer, (next, header.timestamp.0));
            }
            if chain.head().number() != number {
                return Err(format!("block {number} lies before the beginning of the chain"));
            }
            let time = chain.head_time();
            let checkpoint = chain.take_checkpoint().map_err(|error| error.to_string())?;
            let mut state = SavedState::of_checkpoint(checkpoint, time);
            state.marks = marks.into_iter().map(|(producer, (num, slot))| (producer, num, slot)).collect();
            let loaded = Box::new(state.load(Arc::new(StoredBlocks(store)))?);
            let state = Arc::new(state);
            Ok(Target { state, loaded, blocks: BTreeMap::new(), again: Vec::new(), goes_back: true })
        };
        Ok(aside(replay).await?)
    }

    async fn set_state(
        &self,
        state: Arc<SavedState>,
        blocks: BTreeMap<u32, (BlockId, Vec<u8>)>,
    ) -> Result<Arrival, Refused> {
        let store = Arc::clone(self.store());
        let make = move || -> Result<Target, String> {
            let mut missing = BTreeMap::new();
            for (number, (id, bytes)) in blocks {
                if store.block_id_at(number).map_err(|error| error.to_string())? != Some(id) {
                    missing.insert(number, (id, bytes));
                }
            }
            let at_hand = missing.values().cloned().collect();
            let loaded = state.load(Arc::new(TheseBlocks(at_hand, StoredBlocks(store))))?;
            Ok(Target { state, loaded: Box::new(loaded), blocks: missing, again: Vec::new(), goes_back: true })
        };
        let target = Box::new(aside(make).await?);
        self.ask(|reply| crate::Command::SetState { target, reply }).await?
    }

    fn check_dev(&self) -> Result<(), Refusal> {
        if self.is_dev() { Ok(()) } else { Err(Refusal::NotDev) }
    }
}

/// Runs what takes long on a thread for it.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Refusal::Stopping)?.map_err(Refusal::State)
}

fn unknown(name: &str) -> Refusal {
    Refusal::State(format!("no state was saved as {name}"))
}

fn info(name: &str, state: &SavedState) -> StateInfo {
    StateInfo { name: name.to_owned(), head: state.head, time: TimePoint(state.time), bytes: state.bytes() }
}

impl Writer {
    /// Has the state of the head kept under a name.
    pub(crate) fn save_state(
        &mut self,
        name: String,
        reply: Reply<Result<StateInfo, Refused>>,
    ) -> Result<(), EngineError> {
        self.abort();
        let marks =
            self.shared.producer.read().watermarks.iter().map(|(name, mark)| (*name, mark.num, mark.slot.0)).collect();
        let time = self.now();
        self.want_whole_state(Request::Save { name, marks, time, reply })?;
        self.plan()
    }

    /// A state was read.
    pub(crate) fn state_saved(
        &mut self,
        name: String,
        state: Result<SavedState, String>,
        reply: Reply<Result<StateInfo, Refused>>,
    ) {
        let for_dump = is_for_dump(&name);
        let others = self.states.iter().filter(|(known, _)| **known != name && is_for_dump(known) == for_dump);
        let (count, bytes) = others.fold((0, 0), |(count, bytes), (_, kept)| (count + 1, bytes + kept.state.bytes()));
        let result = match state {
            Err(cause) => Err(Refusal::State(cause)),
            Ok(_) if for_dump && count >= DUMPS_MAX => {
                Err(Refusal::State(format!("{DUMPS_MAX} dumps are on their way, no more: try again when one is done")))
            }
            Ok(_) if !for_dump && count >= STATES_MAX => {
                Err(Refusal::State(format!("{STATES_MAX} states are kept, no more: forget one")))
            }
            Ok(state) if bytes.saturating_add(state.bytes()) > STATES_BYTES_MAX => {
                let remedy = if for_dump { "try again when a dump is done" } else { "forget one" };
                Err(Refusal::State(format!("states would take more than {STATES_BYTES_MAX} bytes: {remedy}")))
            }
            Ok(state) => {
                let known = info(&name, &state);
                self.states.insert(name, Kept { state: Arc::new(state), cut: BTreeMap::new() });
                Ok(known)
            }
        };
        answer(reply, result.map_err(Refused::from));
    }

    /// Makes a state that was loaded the chain's.
    pub(crate) fn set_state(
        &mut self,
        target: Target,
        reply: Reply<Result<Arrival, Refused>>,
    ) -> Result<(), EngineError> {
        if self.settings.block_log.is_some() {
            let refusal = "a block log is kept, which cannot go back. Start the node without --blocks-dir".to_owned();
            answer(reply, Err(Refusal::State(refusal).into()));
            return Ok(());
        }
        self.abort();
        // What was begun for the former future.
        drop(self.queue.take_aborted());
        self.held = Held::default();
        let Target { state, loaded, blocks, again, goes_back } = target;
        let (undone, cut) = self.leave_behind(&state, &blocks)?;
        self.disk.rewind(&state, &blocks)?;
        let replaced = self.shared.chain.write(Hold::SetState).set_state(*loaded);
        match replaced {
            // Freed without the lock.
            Ok(former) => drop(former),
            Err(error) => return Err(error.into()),
        }
        let marks = state
            .marks
            .iter()
            .map(|(producer, num, slot)| (*producer, Watermark { num: *num, slot: primitives::BlockTimestamp(*slot) }));
        self.shared.producer.write().watermarks = marks.collect();
        self.unsaved = Unsaved::after_start(std::time::Duration::ZERO);
        (self.awaited, self.given_up) = (Awaited::default(), primitives::BlockTimestamp::default());
        if goes_back {
            self.shared.clock.set(TimePoint(state.time));
        }
        self.tell_of_state(undone, &cut)?;
        self.queue.add_aborted(again);
        let arrival = self.standing();
        tracing::info!("the chain is set to block {} {}", arrival.head_num, arrival.head_id);
        answer(reply, Ok(arrival));
        self.plan()
    }

    /// The blocks that leave the chain: reversible ones with their states, and the ids of all. States that are kept of
    /// them keep them.
    fn leave_behind(
        &mut self,
        state: &SavedState,
        blocks: &BTreeMap<u32, (BlockId, Vec<u8>)>,
    ) -> Result<(Vec<Arc<BlockState>>, FxHashSet<BlockId>), EngineError> {
        let fork = blocks.keys().next().map_or(state.num(), |first| first - 1);
        let head = self.shared.chain.read().head().number();
        let mut cut = FxHashSet::default();
        for number in fork + 1..=head {
            let Some(id) = self.disk.block_id_at(number)? else { continue };
            cut.insert(id);
        }
        for kept in self.states.values_mut() {
            let num = kept.state.num();
            if !cut.contains(&kept.state.head) {
                continue;
            }
            for number in fork + 1..=num {
                if let (Some(id), Some(bytes)) = (self.disk.block_id_at(number)?, self.disk.block_at(number)?) {
                    kept.cut.insert(number, (id, bytes));
                }
            }
        }
        let mut undone = self.shared.chain.read().reversible_blocks();
        undone.retain(|state| cut.contains(&state.id()));
        undone.reverse();
        Ok((undone, cut))
    }

    /// Tells the trackers that blocks left the chain.
    fn tell_of_state(&mut self, undone: Vec<Arc<BlockState>>, cut: &FxHashSet<BlockId>) -> Result<(), EngineError> {
        let (head, root) = {
            let chain = self.shared.chain.read();
            (Arc::clone(chain.head()), Arc::clone(chain.root()))
        };
        self.shared.finality.rewound(cut, BlockPoint::of(&head), BlockPoint::of(&root));
        self.shared.metrics.stands(head.number(), root.number());
        let now = self.now();
        undone.iter().for_each(|state| self.retry.undo(state.id(), now));
        let applied = Applied { undone, ..Applied::default() };
        self.follow_snapshots(&applied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_states_are_names_of_files() {
        for name in ["a", "before-vote", "v1.2_x"] {
            assert_eq!(check_name(name), Ok(()));
        }
        for name in ["", ".", "..", ".hidden", "a/b", "a b", "\u{e9}", &"a".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
