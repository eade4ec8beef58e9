//! What the chain says of blocks and transactions, in the words of the core. No sockets, no threads: the shell calls
//! this from its tasks, the simulator from its one thread.

use std::sync::Arc;

use chain::BlockState;
use codec::Unpack;
use execution::features::Restrictions;
use primitives::{BlockId, Fault, FaultKind, SignedBlock};

use crate::core::{BlockJudgement, TransactionJudgement};
use crate::limits::UNPACKED_BYTES_MAX;

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

/// A block as far as it can be read before its turn.
#[derive(Debug)]
pub enum Read {
    /// Its transactions can be unpacked.
    Whole(Arc<SignedBlock>),
    /// Nothing is known of who made it, and unpacked it is large: that waits until it is its turn, when the block before
    /// it is known.
    Large(Arc<SignedBlock>),
}

/// Reads a block without unpacking its transactions. Of one that is `live` the header is checked, where `parent` knows
/// the block before it, and `header_good` hears of it: such a block is relayed before it runs.
///
/// # Errors
/// What is wrong with it.
pub fn read(
    bytes: &[u8],
    live: bool,
    parent: impl FnOnce(&BlockId, &BlockId) -> Option<(Arc<BlockState>, Restrictions)>,
    header_good: impl FnOnce(BlockId),
) -> Result<Read, Refusal> {
    let block = Arc::new(SignedBlock::from_bytes(bytes).map_err(|error| Refusal::of_header(error.into()))?);
    if live && check(&block, parent)? {
        header_good(block.id());
    } else if chain::unpacks_beyond(&block, UNPACKED_BYTES_MAX) {
        return Ok(Read::Large(block));
    }
    Ok(Read::Whole(block))
}

/// Checks a block's header at its turn.
///
/// # Errors
/// What is wrong with it, or that the block before it is not known.
pub fn check_in_turn(
    block: &SignedBlock,
    parent: impl FnOnce(&BlockId, &BlockId) -> Option<(Arc<BlockState>, Restrictions)>,
) -> Result<(), Refusal> {
    let unlinkable = || Fault::new(FaultKind::UNLINKABLE_BLOCK_EXCEPTION, format!("unlinkable block {}", block.id()));
    match check(block, parent)? {
        true => Ok(()),
        false => Err(Refusal { judgement: BlockJudgement::Unlinkable, fault: unlinkable() }),
    }
}

/// Checks a block's header. False where the block before it is not known.
fn check(
    block: &SignedBlock,
    parent: impl FnOnce(&BlockId, &BlockId) -> Option<(Arc<BlockState>, Restrictions)>,
) -> Result<bool, Refusal> {
    let Some((parent, restrictions)) = parent(&block.id(), &block.header().previous) else { return Ok(false) };
    chain::check_unprepared(block, &parent, &restrictions).map_err(Refusal::of_header)?;
    Ok(true)
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
    let late = [FaultKind::EXPIRED_TX_EXCEPTION, FaultKind::TX_CPU_USAGE_EXCEEDED, FaultKind::DEADLINE_EXCEPTION];
    match fault.kind {
        kind if kind == FaultKind::TX_DUPLICATE => TransactionJudgement::Known,
        kind if late.contains(&kind) => TransactionJudgement::NotNow,
        _ => TransactionJudgement::Failed,
    }
}
