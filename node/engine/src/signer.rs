//! Who signs blocks: keys of this process sign at once, others are asked and answer when they can.

use std::sync::Arc;
use std::time::Duration;

use primitives::{Checksum256, PrivateKey, Signature};

use crate::Refusal;

/// Takes a signature, or the reason why there is none. Called once, from a thread of the signer's own.
pub type SignatureReply = Box<dyn FnOnce(Result<Signature, Refusal>) + Send>;

/// A key that is elsewhere.
pub trait RemoteSigner: Send + Sync {
    /// Asks for the signature of a block's digest and returns at once; `reply` hears of it later, or never.
    ///
    /// # Errors
    /// It cannot be asked now; `reply` is not called.
    fn ask(&self, digest: &Checksum256, reply: SignatureReply) -> Result<(), Refusal>;

    /// How long the writer waits for an answer.
    fn patience(&self) -> Duration;

    /// Why there is no signature when it did not answer in time.
    fn silence(&self) -> Refusal;
}

/// Signs blocks with one key.
#[derive(Clone)]
pub enum Signer {
    /// A key of this process.
    Key(PrivateKey),
    /// A key that is elsewhere.
    Remote(Arc<dyn RemoteSigner>),
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys are never printed.
        out.write_str(match self {
            Self::Key(_) => "Key",
            Self::Remote(_) => "Remote",
        })
    }
}
