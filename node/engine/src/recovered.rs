//! Transactions that were accepted here, with the keys that signed them: the block that has one comes a little later, and
//! to recover a key takes longer than all else that is done with a transaction before it runs.

use std::collections::VecDeque;
use std::sync::Arc;

use execution::RecoveredTransaction;
use parking_lot::Mutex;
use primitives::{Checksum256, PackedTransaction};
use rustc_hash::FxHashMap;

/// Bytes of transactions that are kept; of more the oldest go.
const KEPT_BYTES_MAX: usize = 8 << 20;
/// What a transaction counts beside what it takes.
const TRANSACTION_BYTES: usize = 256;

/// The transactions that were accepted last, by the digest of all of their bytes: an id says nothing of the signatures.
#[derive(Debug, Default)]
pub struct Recovered(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    transactions: FxHashMap<Checksum256, Arc<RecoveredTransaction>>,
    order: VecDeque<(Checksum256, usize)>,
    bytes: usize,
}

impl Recovered {
    /// Keeps a transaction.
    pub fn keep(&self, transaction: &Arc<RecoveredTransaction>) {
        if transaction.is_impersonation {
            // In somebody else's block it has to be signed.
            return;
        }
        let bytes = transaction.memory_bytes + TRANSACTION_BYTES;
        let mut kept = self.0.lock();
        if kept.transactions.insert(transaction.packed_digest, Arc::clone(transaction)).is_some() {
            return;
        }
        kept.order.push_back((transaction.packed_digest, bytes));
        kept.bytes += bytes;
        while kept.bytes > KEPT_BYTES_MAX
            && let Some((digest, bytes)) = kept.order.pop_front()
        {
            kept.transactions.remove(&digest);
            kept.bytes -= bytes;
        }
    }

    /// A transaction with these very bytes, as it would be recovered again.
    pub fn find(&self, packed: &PackedTransaction) -> Option<Arc<RecoveredTransaction>> {
        let digest = packed.packed_digest();
        let found = self.0.lock().transactions.get(&digest).cloned()?;
        if found.signature_cpu_us == 0 {
            return Some(found);
        }
        // What the recovery took is billed to whoever sent it, not in a block.
        Some(Arc::new(RecoveredTransaction { signature_cpu_us: 0, ..RecoveredTransaction::clone(&found) }))
    }
}

#[cfg(test)]
mod tests {
    use primitives::{ChainId, Compression, PrivateKey, SignedTransaction};

    use super::*;

    fn signed(number: u32, keys: &[&str]) -> PackedTransaction {
        let mut transaction = SignedTransaction::default();
        transaction.transaction.header.ref_block_prefix = number;
        let digest = transaction.transaction.signing_digest(&ChainId::default(), &[]);
        let sign = |key: &&str| key.parse::<PrivateKey>().unwrap().sign(&digest).unwrap();
        transaction.signatures = keys.iter().map(sign).collect();
        PackedTransaction::new(&transaction, Compression::None)
    }

    fn recovered(packed: &PackedTransaction) -> RecoveredTransaction {
        chain::recover_transaction(packed.clone(), &ChainId::default()).unwrap()
    }

    const KEYS: [&str; 2] =
        ["5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3", "5JRYimgLBrRLCBAcjHUWCYRv3asNedTYYzVgmiU4q2ZVxMBiJXL"];

    #[test]
    fn a_transaction_with_other_signatures_is_another_one() {
        let kept = Recovered::default();
        let [first, second, both] = [&KEYS[..1], &KEYS[1..], &KEYS[..]].map(|keys| signed(7, keys));
        let [own, other] = [&first, &second].map(recovered);
        assert_eq!(own.id, other.id);
        kept.keep(&Arc::new(own));
        assert_eq!(kept.find(&first).unwrap().keys, recovered(&first).keys);
        assert!(kept.find(&second).is_none() && kept.find(&both).is_none());
        kept.keep(&Arc::new(other));
        assert_eq!(kept.find(&second).unwrap().keys, recovered(&second).keys);
        assert_ne!(kept.find(&first).unwrap().keys, kept.find(&second).unwrap().keys);
    }

    #[test]
    fn what_a_block_has_is_as_if_it_was_recovered_again() {
        let (kept, packed) = (Recovered::default(), signed(7, &KEYS));
        kept.keep(&Arc::new(RecoveredTransaction { signature_cpu_us: 50, ..recovered(&packed) }));
        assert_eq!(format!("{:?}", kept.find(&packed).unwrap()), format!("{:?}", recovered(&packed)));
        let impersonated = signed(8, &[]);
        kept.keep(&Arc::new(RecoveredTransaction { is_impersonation: true, ..recovered(&impersonated) }));
        assert!(kept.find(&impersonated).is_none());
    }

    #[test]
    fn so_many_bytes_are_kept() {
        let (kept, one) = (Recovered::default(), Arc::new(recovered(&signed(7, &[]))));
        for _ in 0..2 {
            for number in 0..2 * (KEPT_BYTES_MAX / TRANSACTION_BYTES) as u32 {
                let mut digest = Checksum256::default();
                digest.0[..4].copy_from_slice(&number.to_be_bytes());
                kept.keep(&Arc::new(RecoveredTransaction {
                    packed_digest: digest,
                    ..RecoveredTransaction::clone(&one)
                }));
            }
        }
        let kept = kept.0.lock();
        assert!(kept.bytes <= KEPT_BYTES_MAX && kept.bytes > KEPT_BYTES_MAX / 2);
        assert_eq!(kept.transactions.len(), kept.order.len());
    }
}
