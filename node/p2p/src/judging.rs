//! What the chain says of blocks and transactions, in the words of the core. No sockets, no threads: the shell calls
//! this from its tasks, the simulator from its one thread.

use std::sync::Arc;

use chain::{BlockState, PrepareMode, PreparedBlock};
use codec::Unpack;
use execution::features::Restrictions;
use primitives::{BlockId, ChainId, Fault, FaultKind, SignedBlock};

use crate::core::{BlockJudgement, TransactionJudgement};

/// Why a block is not for the writer.
#[derive(Debug)]
pub struct Refusal {
    /// What the core hears.
    pub judgement: BlockJudgement,
    /// The rule that it breaks.
    pub fault: Fault,
}

impl Refusal {
    /// Header or signature break a rule.
    fn of_header(fault: Fault) -> Self {
        Self { judgement: BlockJudgement::BadHeader, fault }
    }

    /// The range that it is of was given up: nothing is known of it.
    pub fn given_up() -> Self {
        let fault = Fault::new(FaultKind::FORK_DATABASE_EXCEPTION, "its range was given up");
        Self { judgement: BlockJudgement::NotNow, fault }
    }

    /// What the header commits to breaks a rule.
    pub fn of_content(fault: Fault) -> Self {
        Self { judgement: BlockJudgement::Bad, fault }
    }
}

/// Unpacks a block. Of one that is `live` the header is checked, where `parent` knows the block before it, and
/// `header_good` hears of it: such a block is relayed before it runs.
///
/// # Errors
/// What is wrong with it.
pub fn read(
    bytes: &[u8],
    chain_id: &ChainId,
    live: bool,
    parent: impl FnOnce(&PreparedBlock) -> Option<(Arc<BlockState>, Restrictions)>,
    header_good: impl FnOnce(BlockId),
) -> Result<Arc<SignedBlock>, Refusal> {
    let block = Arc::new(SignedBlock::from_bytes(bytes).map_err(|error| Refusal::of_header(error.into()))?);
    if live {
        let light = PreparedBlock::from_block(Arc::clone(&block), chain_id, PrepareMode::Trusted)
            .map_err(Refusal::of_header)?;
        let id = light.id;
        if let Some((parent, restrictions)) = parent(&light) {
            light.check_header(&parent, &restrictions).map_err(Refusal::of_header)?;
            header_good(id);
        }
    }
    Ok(block)
}

/// What the core hears of a block that the writer refused.
pub fn of_block(fault: &Fault) -> BlockJudgement {
    let passing =
        [FaultKind::FORK_DATABASE_EXCEPTION, FaultKind::CHECKPOINT_EXCEPTION, FaultKind::BLOCK_FROM_THE_FUTURE];
    match fault.kind {
        kind if kind == FaultKind::UNLINKABLE_BLOCK_EXCEPTION => BlockJudgement::Unlinkable,
        kind if passing.contains(&kind) => BlockJudgement::NotNow,
        _ => BlockJudgement::Bad,
    }
}

/// What the core hears of a transaction that failed.
pub fn of_transaction(fault: &Fault) -> TransactionJudgement {
    let late = [
        FaultKind::TX_DUPLICATE,
        FaultKind::EXPIRED_TX_EXCEPTION,
        FaultKind::TX_CPU_USAGE_EXCEEDED,
        FaultKind::DEADLINE_EXCEPTION,
    ];
    if late.contains(&fault.kind) { TransactionJudgement::NotNow } else { TransactionJudgement::Failed }
}
