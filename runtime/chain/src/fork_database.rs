//! What nodeos keeps of its reversible blocks when it stops (`blocks/reversible/fork_db.dat`), read from bytes.
//!
//! ```text
//! u32 magic | u32 version | header state of the root | varuint count | { header state | bool | block | bool }* | id of the head
//! ```

use codec::{DecodeError, Reader, Unpack, VarUint32};
use consensus::header_state::BlockHeaderState;
use primitives::{BlockId, SignedBlock};

/// The first four bytes.
const MAGIC: u32 = 0x3051_0FDB;
/// The only version so far.
const VERSION: u32 = 1;

/// Why bytes are not a fork database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForkDatabaseError {
    /// They begin with other bytes.
    #[error("it is not a fork database of nodeos")]
    Magic,
    /// Another version.
    #[error("version {0} is not supported; version {VERSION} is")]
    Version(u32),
    /// They do not decode.
    #[error("it is damaged: {0}")]
    Damaged(#[from] DecodeError),
}

/// The reversible blocks of a nodeos that stopped.
#[derive(Debug, Clone)]
pub struct ForkDatabase {
    /// The irreversible block that they go on from.
    pub root: BlockId,
    /// The blocks of all branches, each after the one that it is built on.
    pub blocks: Vec<SignedBlock>,
    /// The last block of the chain, the root or one of the blocks.
    pub head: BlockId,
}

impl ForkDatabase {
    /// Reads it.
    ///
    /// # Errors
    /// The bytes are something else.
    pub fn read(bytes: &[u8]) -> Result<Self, ForkDatabaseError> {
        let mut input = Reader::new(bytes);
        if u32::unpack(&mut input) != Ok(MAGIC) {
            return Err(ForkDatabaseError::Magic);
        }
        match u32::unpack(&mut input)? {
            VERSION => {}
            other => return Err(ForkDatabaseError::Version(other)),
        }
        let root = BlockHeaderState::unpack(&mut input)?.id;
        let count = VarUint32::unpack(&mut input)?.0;
        let mut blocks = Vec::new();
        for _ in 0..count {
            // What is known of the header follows from the blocks before it.
            BlockHeaderState::unpack(&mut input)?;
            blocks.extend(Option::<SignedBlock>::unpack(&mut input)?);
            bool::unpack(&mut input)?;
        }
        let head = BlockId::unpack(&mut input)?;
        input.finish()?;
        Ok(Self { root, blocks, head })
    }
}

#[cfg(test)]
mod tests {
    use codec::Pack;
    use primitives::{Genesis, Sha256};

    use super::*;

    fn root() -> BlockHeaderState {
        BlockHeaderState::genesis(&Genesis::default(), Genesis::default().chain_id())
    }

    fn packed(count: u32) -> Vec<u8> {
        let state = root();
        let mut out = Vec::new();
        (MAGIC, VERSION).pack(&mut out);
        state.pack(&mut out);
        VarUint32(count).pack(&mut out);
        for _ in 0..count {
            state.pack(&mut out);
            Some(SignedBlock::default()).pack(&mut out);
            true.pack(&mut out);
        }
        Sha256::of(b"head").pack(&mut out);
        out
    }

    #[test]
    fn blocks_root_and_head_are_read() {
        let read = ForkDatabase::read(&packed(3)).expect("it is whole");
        assert_eq!((read.blocks.len(), read.head), (3, Sha256::of(b"head")));
        assert_eq!(read.root, root().id);
        let none = ForkDatabase::read(&packed(0)).expect("it is whole");
        assert!(none.blocks.is_empty());
    }

    #[test]
    fn other_bytes_are_refused() {
        assert_eq!(ForkDatabase::read(b"blocks").err(), Some(ForkDatabaseError::Magic));
        let whole = packed(2);
        let mut later = whole.clone();
        later[4] = 2;
        assert_eq!(ForkDatabase::read(&later).err(), Some(ForkDatabaseError::Version(2)));
        for length in 8..whole.len() {
            assert!(matches!(ForkDatabase::read(&whole[..length]), Err(ForkDatabaseError::Damaged(_))), "{length}");
        }
        assert!(ForkDatabase::read(&[whole, vec![0]].concat()).is_err());
    }
}
