//! Where private keys are: in wallet files, or with a keosd.

use client::{ClientError, Keosd, Signer};
use primitives::{ChainId, PublicKey, Signature, SignedTransaction};
use wallet::Folder;

/// Who signs.
#[derive(Debug)]
pub enum Keys {
    /// Wallet files of this user.
    Files(Folder),
    /// A keosd (`--wallet-url`).
    Keosd(Keosd),
}

impl Signer for Keys {
    fn public_keys(&self) -> Result<Vec<PublicKey>, ClientError> {
        match self {
            Self::Files(folder) => unlocked(folder)?.public_keys(),
            Self::Keosd(keosd) => keosd.public_keys(),
        }
    }

    fn sign(
        &self,
        transaction: &SignedTransaction,
        keys: &[PublicKey],
        chain_id: &ChainId,
    ) -> Result<Vec<Signature>, ClientError> {
        match self {
            Self::Files(folder) => unlocked(folder)?.sign(transaction, keys, chain_id),
            Self::Keosd(keosd) => keosd.sign(transaction, keys, chain_id),
        }
    }
}

fn unlocked(folder: &Folder) -> Result<Vec<primitives::PrivateKey>, ClientError> {
    folder.unlocked_keys().map_err(|error| ClientError::Value(error.to_string()))
}
