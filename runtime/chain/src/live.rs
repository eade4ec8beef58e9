//! A chain together with the machine that runs its contracts, for whoever owns both: a node while it starts, tools and
//! tests. A running node's writer has them apart, because readers share the chain.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use execution::{Budget, ExecutedTransaction, Machine, RecoveredTransaction};
use primitives::{Genesis, TransactionId};
use wasm::{CodeCache, Engine};

use crate::{
    Applied, Chain, ChainError, CheckedBlock, Doors, PreparedBlock, SavedChain, SealedBlock, Settings, StartBlock,
};

/// A chain and its machine; what runs contracts goes through here, all else is the chain's.
#[allow(missing_debug_implementations, reason = "a whole chain is not printed")]
pub struct LiveChain {
    /// The chain.
    pub chain: Chain,
    /// What runs its contracts.
    pub machine: Machine,
}

impl Deref for LiveChain {
    type Target = Chain;

    fn deref(&self) -> &Chain {
        &self.chain
    }
}

impl DerefMut for LiveChain {
    fn deref_mut(&mut self) -> &mut Chain {
        &mut self.chain
    }
}

/// A machine with every host function, and nothing loaded.
pub fn machine(engine: Engine, code_cache: Box<dyn CodeCache>) -> Machine {
    Machine::new(engine, execution::intrinsics::table(), code_cache)
}

impl LiveChain {
    /// As [`Chain::from_genesis`].
    ///
    /// # Errors
    /// As there.
    pub fn from_genesis(genesis: &Genesis, settings: Settings, doors: Doors) -> Result<Self, ChainError> {
        let Doors { clock, engine, code_cache } = doors;
        let chain = Chain::from_genesis(genesis, settings, clock)?;
        Ok(Self { chain, machine: machine(engine, code_cache) })
    }

    /// As [`Chain::from_snapshot`].
    ///
    /// # Errors
    /// As there.
    pub fn from_snapshot(bytes: &[u8], settings: Settings, doors: Doors) -> Result<Self, ChainError> {
        let Doors { clock, engine, code_cache } = doors;
        let chain = Chain::from_snapshot(bytes, settings, clock)?;
        Ok(Self { chain, machine: machine(engine, code_cache) })
    }

    /// As [`Chain::from_checkpoint`].
    ///
    /// # Errors
    /// As there.
    pub fn from_checkpoint(saved: SavedChain, settings: Settings, doors: Doors) -> Result<Self, ChainError> {
        let Doors { clock, engine, code_cache } = doors;
        let chain = Chain::from_checkpoint(saved, settings, clock)?;
        Ok(Self { chain, machine: machine(engine, code_cache) })
    }

    /// As [`Chain::start_block`].
    ///
    /// # Errors
    /// As there.
    pub fn start_block(&mut self, how: &StartBlock) -> Result<(), ChainError> {
        self.chain.start_block(&mut self.machine, how)
    }

    /// As [`Chain::push_transaction`].
    ///
    /// # Errors
    /// As there.
    pub fn push_transaction(
        &mut self,
        transaction: &Arc<RecoveredTransaction>,
        budget: Budget,
    ) -> Result<ExecutedTransaction, ChainError> {
        self.chain.push_transaction(&mut self.machine, transaction, budget)
    }

    /// As [`Chain::push_scheduled`].
    ///
    /// # Errors
    /// As there.
    pub fn push_scheduled(&mut self, id: &TransactionId, budget: Budget) -> Result<ExecutedTransaction, ChainError> {
        self.chain.push_scheduled(&mut self.machine, id, budget)
    }

    /// As [`Chain::dry_run`].
    ///
    /// # Errors
    /// As there.
    pub fn dry_run(
        &mut self,
        transaction: &Arc<RecoveredTransaction>,
        budget: Budget,
    ) -> Result<ExecutedTransaction, ChainError> {
        self.chain.dry_run(&mut self.machine, transaction, budget)
    }

    /// As [`Chain::read_only`].
    ///
    /// # Errors
    /// As there.
    pub fn read_only(
        &mut self,
        transaction: &Arc<RecoveredTransaction>,
        budget: Budget,
    ) -> Result<ExecutedTransaction, ChainError> {
        self.chain.read_only(&mut self.machine, transaction, budget)
    }

    /// As [`Chain::push_block`].
    ///
    /// # Errors
    /// As there.
    pub fn push_block(&mut self, block: PreparedBlock) -> Result<Applied, ChainError> {
        self.chain.push_block(&mut self.machine, block)
    }

    /// As [`Chain::push_checked`].
    ///
    /// # Errors
    /// As there.
    pub fn push_checked(&mut self, block: CheckedBlock) -> Result<Applied, ChainError> {
        self.chain.push_checked(&mut self.machine, block)
    }

    /// As [`Chain::push_kept_block`].
    ///
    /// # Errors
    /// As there.
    pub fn push_kept_block(&mut self, block: PreparedBlock) -> Result<Applied, ChainError> {
        self.chain.push_kept_block(&mut self.machine, block)
    }

    /// As [`Chain::switch_to_recalled`].
    ///
    /// # Errors
    /// As there.
    pub fn switch_to_recalled(&mut self) -> Result<Applied, ChainError> {
        self.chain.switch_to_recalled(&mut self.machine)
    }

    /// As [`Chain::replay_block`].
    ///
    /// # Errors
    /// As there.
    pub fn replay_block(&mut self, block: PreparedBlock) -> Result<SealedBlock, ChainError> {
        self.chain.replay_block(&mut self.machine, block)
    }
}
