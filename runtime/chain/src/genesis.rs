//! A new chain: the header state and the tables of block 1 (nodeos: controller.cpp `initialize_blockchain_state`).

use std::sync::Arc;

use consensus::{BlockHeaderState, ForkTree};
use execution::{Clock, World};
use ledger::Ledger;
use ledger::genesis::GenesisArgs;
use primitives::{Genesis, SignedBlock, system_abi};

use crate::{BlockState, Brought, Chain, ChainError, Settings};

impl Chain {
    /// A new chain at block 1.
    ///
    /// # Errors
    /// A fault when the genesis breaks a rule of the chain's parameters.
    pub fn from_genesis(genesis: &Genesis, settings: Settings, clock: Box<dyn Clock>) -> Result<Self, ChainError> {
        genesis.initial_configuration.validate()?;
        let chain_id = genesis.chain_id();
        let header = BlockHeaderState::genesis(genesis, chain_id);
        let intrinsics = execution::intrinsics::table();
        let importable: Vec<_> =
            intrinsics.iter().filter(|entry| entry.feature.is_none()).map(|entry| entry.name).collect();
        let args =
            GenesisArgs { genesis, chain_id, head_id: header.id, system_abi: &system_abi(), intrinsics: &importable };
        let ledger = Ledger::from_genesis(&args)?;
        let block = SignedBlock { signed_header: header.header.clone(), ..SignedBlock::default() };
        Ok(Self::assemble(header, Some(block), ledger, settings, clock))
    }

    /// A chain whose head and root is one irreversible block.
    pub(crate) fn assemble(
        header: BlockHeaderState,
        block: Option<SignedBlock>,
        ledger: Ledger,
        settings: Settings,
        clock: Box<dyn Clock>,
    ) -> Self {
        let head = Arc::new(BlockState { header, block: block.map(Arc::new), transactions: Vec::new(), bytes: 0 });
        let world = World::new(ledger, settings.execution.clone(), clock);
        let tree = ForkTree::new(head.clone());
        let brought = Brought::default();
        Self { world, settings, tree, head, pending: None, finished: None, kept: None, brought }
    }
}
