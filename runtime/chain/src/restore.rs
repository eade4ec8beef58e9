//! Chains that begin from a snapshot or a checkpoint, and what is written for them.

use codec::{Pack, Unpack};
use consensus::BlockHeaderState;
use ledger::checkpoint::CheckpointRow;
use ledger::{Ledger, Snapshot};
use primitives::Checksum256;

use crate::{Chain, ChainError, Doors, Settings};

impl Chain {
    /// A chain as a portable snapshot (nodeos' format, version 6) describes it. Its head is irreversible.
    ///
    /// # Errors
    /// [`ChainError::Corrupt`].
    pub fn from_snapshot(bytes: &[u8], settings: Settings, doors: Doors) -> Result<Self, ChainError> {
        let corrupt = |cause: String| ChainError::Corrupt { what: "snapshot", cause };
        let Snapshot { head_state, ledger } = Snapshot::read(bytes).map_err(|cause| corrupt(cause.to_string()))?;
        let header = BlockHeaderState::from_bytes(&head_state).map_err(|cause| corrupt(cause.to_string()))?;
        Ok(Self::assemble(header, None, ledger, settings, doors))
    }

    /// A portable snapshot of the head (nodeos' version 6). A pending block must be aborted first.
    ///
    /// # Errors
    /// A block is pending.
    pub fn write_snapshot(&self) -> Result<Vec<u8>, ChainError> {
        self.nothing_pending("a snapshot")?;
        let mut out = Vec::new();
        self.world.ledger.write_snapshot(&self.head.header.to_bytes(), self.head_time(), &mut out);
        Ok(out)
    }

    /// nodeos' hash of the whole state at the head. A pending block must be aborted first.
    ///
    /// # Errors
    /// A block is pending.
    pub fn integrity_hash(&self) -> Result<Checksum256, ChainError> {
        self.nothing_pending("the integrity hash")?;
        Ok(self.world.ledger.integrity_hash(&self.head.header.to_bytes(), self.head_time()))
    }

    /// A chain as a checkpoint of its ledger describes it, at the irreversible block of `header_state`
    /// (see [`Self::root_header_state_bytes`]). Later blocks are applied again with [`Self::push_block`].
    ///
    /// `rows` are the rows that [`Self::take_checkpoint`] returned, the latest of each key, in any order.
    ///
    /// # Errors
    /// [`ChainError::Corrupt`].
    pub fn from_checkpoint(
        rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
        header_state: &[u8],
        settings: Settings,
        doors: Doors,
    ) -> Result<Self, ChainError> {
        let corrupt = |cause: String| ChainError::Corrupt { what: "checkpoint", cause };
        let ledger = Ledger::from_checkpoint_rows(rows).map_err(|cause| corrupt(cause.to_string()))?;
        let header = BlockHeaderState::from_bytes(header_state).map_err(|cause| corrupt(cause.to_string()))?;
        Ok(Self::assemble(header, None, ledger, settings, doors))
    }

    /// Rows changed since the last call, as of the last irreversible block: key and packed row (`None` removes it).
    /// With [`Self::root_header_state_bytes`] of the same moment they make a checkpoint.
    pub fn take_checkpoint(&mut self) -> Vec<CheckpointRow> {
        self.world.ledger.take_checkpoint()
    }

    /// The packed header state of the last irreversible block.
    pub fn root_header_state_bytes(&self) -> Vec<u8> {
        self.root().header.to_bytes()
    }

    fn nothing_pending(&self, what: &str) -> Result<(), ChainError> {
        match &self.pending {
            None => Ok(()),
            Some(_) => Err(ChainError::broken(format!("{what} was asked for while a block is pending"))),
        }
    }
}
