//! Blocks on their way to a chain, prepared on all cores: those of a log or of the store ahead and in order, the
//! transactions of a large one side by side.

use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Scope, ScopedJoinHandle, available_parallelism};

use chain::{
    Absent, Brought, KeptBlocks, KeyGuesses, PrepareMode, PreparedBlock, packed_transactions, recover_transactions,
};
use codec::Unpack;
use execution::RecoveredTransaction;
use primitives::{BlockId, ChainId, Fault, PackedTransaction, SignedBlock};

use crate::recovered::Recovered;

/// Prepared blocks that wait at most.
const PREPARED_CAPACITY: usize = 16;
/// Transactions that are worth a thread of their own: recovering their keys takes about fifty times what a thread costs.
const TRANSACTIONS_PER_THREAD: usize = 32;

fn cores() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

/// What `make` gives for each of `numbers`, in their order, made ahead on as many threads as there are cores. The threads
/// end when nobody asks any more.
pub fn ahead<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    numbers: RangeInclusive<u32>,
    make: impl Fn(u32) -> T + Copy + Send + 'scope,
) -> impl Iterator<Item = (u32, T)> {
    let threads = cores();
    // Each thread has every so many-th number, so that the order is known beforehand.
    let lanes: Vec<Receiver<(u32, T)>> = (0..threads)
        .map(|lane| {
            let (sender, receiver) = sync_channel((PREPARED_CAPACITY / threads).max(1));
            let mut own = numbers.clone().skip(lane).step_by(threads);
            scope.spawn(move || own.try_for_each(|number| sender.send((number, make(number)))));
            receiver
        })
        .collect();
    (0..threads).cycle().map_while(move |lane| lanes[lane].recv().ok())
}

/// Prepares a block as [`chain::PrepareMode::Full`] does, the keys of its transactions recovered on all cores, but for those that
/// were recovered before.
///
/// # Errors
/// The fault of the first transaction that is malformed, or whose signature is.
pub fn prepare_block(
    block: Arc<SignedBlock>,
    chain_id: &ChainId,
    before: &Recovered,
    guesses: &KeyGuesses,
) -> Result<PreparedBlock, Fault> {
    let found: Vec<_> = packed_transactions(&block).map(|packed| before.find(packed).ok_or(packed)).collect();
    let missing: Vec<_> = found.iter().filter_map(|found| found.as_ref().err().copied()).collect();
    let threads = cores().min(missing.len() / TRANSACTIONS_PER_THREAD).max(1);
    let recover = |share: &[&PackedTransaction]| -> Result<Vec<Arc<RecoveredTransaction>>, Fault> {
        let share = share.iter().map(|packed| (*packed).clone()).collect();
        recover_transactions(share, chain_id, guesses).into_iter().map(|recovered| recovered.map(Arc::new)).collect()
    };
    let recovered = if threads == 1 {
        recover(&missing)?
    } else {
        let shares = std::thread::scope(|scope| {
            let shares: Vec<_> = missing
                .chunks(missing.len().div_ceil(threads))
                .map(|share| scope.spawn(move || recover(share)))
                .collect();
            let join =
                |share: ScopedJoinHandle<'_, _>| share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            shares.into_iter().map(join).collect::<Result<Vec<_>, Fault>>()
        });
        shares?.concat()
    };
    let mut recovered = recovered.into_iter();
    let transactions = found.into_iter().filter_map(|found| found.ok().or_else(|| recovered.next())).collect();
    Ok(PreparedBlock::from_recovered(Arc::clone(&block), transactions))
}

/// Reads and prepares what a change of branches needs. What cannot be read or prepared is left out.
pub(crate) fn bring(
    absent: &Absent,
    kept: &dyn KeptBlocks,
    chain_id: &ChainId,
    before: &Recovered,
    guesses: &KeyGuesses,
) -> Brought {
    let prepare = |(id, mode): &(BlockId, PrepareMode)| -> Option<PreparedBlock> {
        let bytes = kept.block(id)?;
        match mode {
            PrepareMode::Trusted => PreparedBlock::from_bytes(&bytes, chain_id, *mode).ok(),
            PrepareMode::Full => {
                let block = SignedBlock::from_bytes(&bytes).ok()?;
                prepare_block(Arc::new(block), chain_id, before, guesses).ok()
            }
        }
    };
    let undo = absent.undo.iter().filter_map(|number| Some((*number, kept.undo(*number)?)));
    Brought::new(absent.blocks.iter().filter_map(prepare), undo)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::recover_transaction;
    use primitives::block::ReceiptTransaction;
    use primitives::{Compression, PrivateKey, SignedTransaction, TransactionReceipt, TransactionStatus, VarUint32};

    #[test]
    fn what_is_made_ahead_comes_in_order() {
        std::thread::scope(|scope| {
            let made = ahead(scope, 5..=1000, |number| number * 2);
            assert!(made.eq((5..=1000).map(|number| (number, number * 2))));
            // Who stops early ends the threads, or this would wait for ever.
            assert_eq!(ahead(scope, 1..=u32::MAX, |number| number).nth(20), Some((21, 21)));
        });
    }

    #[test]
    fn a_large_block_is_prepared_as_a_small_one() {
        let private = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3".parse::<PrivateKey>().unwrap();
        let chain_id = ChainId::default();
        let receipt = |number: u32| {
            let mut transaction = SignedTransaction::default();
            transaction.transaction.header.ref_block_prefix = number;
            transaction.signatures.push(private.sign(&transaction.transaction.signing_digest(&chain_id, &[])).unwrap());
            let packed = PackedTransaction::new(&transaction, Compression::None);
            TransactionReceipt {
                status: TransactionStatus::Executed,
                cpu_usage_us: 100,
                net_usage_words: VarUint32(16),
                trx: ReceiptTransaction::Packed(packed),
            }
        };
        let transactions = (0..7 * TRANSACTIONS_PER_THREAD as u32).map(receipt).collect();
        let mut block = SignedBlock { transactions, ..SignedBlock::default() };
        let (before, guesses) = (Recovered::default(), KeyGuesses::default());
        let prepared = |block: &SignedBlock| {
            let block = Arc::new(block.clone());
            let alone = PreparedBlock::from_block(Arc::clone(&block), &chain_id, PrepareMode::Full);
            (format!("{alone:?}"), format!("{:?}", prepare_block(block, &chain_id, &before, &guesses)))
        };
        let (alone, together) = prepared(&block);
        assert_eq!(alone, together);
        // Some were recovered before: these very ones are in the block, each in its place.
        let known: Vec<_> = packed_transactions(&block).step_by(3).cloned().collect();
        let known: Vec<_> =
            known.into_iter().map(|packed| Arc::new(recover_transaction(packed, &chain_id).unwrap())).collect();
        known.iter().for_each(|known| before.keep(known));
        let (alone, together) = prepared(&block);
        assert_eq!(alone, together);
        let block_of = Arc::new(block.clone());
        let with_known = prepare_block(block_of, &chain_id, &before, &guesses).unwrap();
        assert!(with_known.transactions.iter().step_by(3).zip(&known).all(|(own, known)| Arc::ptr_eq(own, known)));
        // Of two that are malformed the first one is told.
        for (at, byte) in [(200, 1), (150, 2)] {
            if let ReceiptTransaction::Packed(packed) = &mut block.transactions[at].trx {
                packed.packed_trx = vec![byte].into();
            }
        }
        let (alone, together) = prepared(&block);
        assert!(alone.starts_with("Err"), "{alone}");
        assert_eq!(alone, together);
    }
}
