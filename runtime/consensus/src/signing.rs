//! The digest that producers sign, and the check of what they signed.

use primitives::{Checksum256, Fault, FaultKind, Sha256};

use crate::BlockHeaderState;

impl BlockHeaderState {
    /// What producers sign: header, all earlier block ids, and the announced schedule (`sig_digest`).
    pub fn sig_digest(&self) -> Checksum256 {
        let header_and_ids = Sha256::packed(&(self.block_header().digest(), self.blockroot_merkle.root()));
        Sha256::packed(&(header_and_ids, self.pending_schedule.schedule_hash))
    }

    /// Recovers the keys of all signatures and holds them against the producer's authority (`verify_signee`).
    ///
    /// # Errors
    /// `wrong_signing_key` for too many signatures, a key twice, a foreign key, or too little weight.
    pub fn verify_signatures(&self) -> Result<(), Fault> {
        let authority = &self.valid_block_signing_authority;
        let (count, accepted) = (1 + self.additional_signatures.len(), authority.keys().len());
        if count > accepted {
            return Err(wrong_key(&format!(
                "number of block signatures ({count}) exceeds number of keys in block signing authority ({accepted})"
            )));
        }
        let digest = self.sig_digest();
        let mut keys = vec![self.header.producer_signature.recover(&digest)?];
        for signature in &self.additional_signatures {
            let key = signature.recover(&digest)?;
            if keys.contains(&key) {
                return Err(wrong_key("block signed by same key twice"));
            }
            keys.push(key);
        }
        let (satisfied, relevant) = authority.satisfied_by(&keys);
        if relevant != keys.len() {
            return Err(wrong_key("block signed by unexpected key"));
        }
        if !satisfied {
            return Err(wrong_key("block signatures do not satisfy the block signing authority"));
        }
        Ok(())
    }
}

fn wrong_key(message: &str) -> Fault {
    Fault::new(FaultKind::WRONG_SIGNING_KEY, message)
}
