//! A block of this node that is finished and waits for its signatures.

use std::sync::Arc;

use chain::UnsignedBlock;
use execution::RecoveredTransaction;
use primitives::{Signature, TimePoint};

use crate::Refusal;
use crate::signer::Signer;

/// A block that waits for its signatures.
#[derive(Debug)]
pub(crate) struct Signing {
    pub unsigned: UnsignedBlock,
    /// When its end began.
    pub started: TimePoint,
    /// Who was asked, in the order of the authority's keys, with what came back.
    pub asked: Vec<(Signer, Option<Result<Signature, Refusal>>)>,
}

impl Signing {
    /// The input transactions, for another block.
    pub fn into_transactions(self) -> Vec<Arc<RecoveredTransaction>> {
        self.unsigned.into_transactions()
    }

    /// Whether everybody who was asked has answered.
    pub fn is_complete(&self) -> bool {
        self.asked.iter().all(|(_, answer)| answer.is_some())
    }

    /// Until when the remote signers may answer.
    pub fn patience_ends(&self) -> TimePoint {
        let missing = self.asked.iter().filter(|(_, answer)| answer.is_none());
        let patience = missing.map(|(signer, _)| match signer {
            Signer::Key(_) => 0,
            Signer::Remote(remote) => i64::try_from(remote.patience().as_micros()).unwrap_or(i64::MAX),
        });
        TimePoint(self.started.0.saturating_add(patience.max().unwrap_or(0)))
    }
}
