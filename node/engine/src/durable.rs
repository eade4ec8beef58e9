//! What of a sealed block is written down before anyone hears of it.

use chain::SealedBlock;
use codec::Pack;
use primitives::{BlockId, Name};
use store::{Change, Store, StoreError, Watermark};

/// Makes blocks that follow the chain's head durable, with what was signed in the same instant.
///
/// # Errors
/// The disk refuses.
pub fn ingest(
    store: &Store,
    sealed: &[SealedBlock],
    irreversible: u32,
    signed: Option<(Name, Watermark)>,
) -> Result<(), StoreError> {
    with_change(sealed, irreversible, signed, |change| store.ingest(change))
}

/// Hands over the change that such blocks are.
pub(crate) fn with_change<T>(
    sealed: &[SealedBlock],
    irreversible: u32,
    signed: Option<(Name, Watermark)>,
    write: impl FnOnce(&Change<'_>) -> T,
) -> T {
    let packed: Vec<(BlockId, Vec<u8>)> =
        sealed.iter().filter_map(|sealed| Some((sealed.state.id(), sealed.state.block.as_ref()?.to_bytes()))).collect();
    let blocks: Vec<(BlockId, &[u8])> = packed.iter().map(|(id, bytes)| (*id, &bytes[..])).collect();
    let joined: Vec<BlockId> = packed.iter().map(|(id, _)| *id).collect();
    write(&Change { blocks: &blocks, joined: &joined, gone: &[], irreversible, signed })
}
