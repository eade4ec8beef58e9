//! Producers that lie: in what they sign, and in what they tell whom.

use std::sync::Arc;

use chain::BlockState;
use codec::{Pack, Unpack};
use p2p::wire::{Handshake, Message};
use primitives::{BlockTimestamp, PrivateKey, Signature, SignedBlock};

use crate::dice::Dice;
use crate::watch::Watch;

/// How a producer lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Two blocks for each slot, each to some of its peers.
    SignsTwice,
    /// Blocks whose signature is of another block, to some of its peers.
    FalseSignature,
    /// Blocks whose header and signature are in order and whose content is not, to some of its peers.
    FalseRoot,
    /// Its blocks reach some of its peers alone, or nobody.
    Withholds,
    /// Its blocks come seconds late.
    Late,
    /// It says that its chain is a million blocks ahead and irreversible.
    Boasts,
    /// It begins to send a range and does not go on.
    StopsHalfWay,
    /// Of a range that it was asked for some blocks do not follow the one before them.
    FalseRange,
}

/// All of them.
pub const WAYS: [Way; 8] = [
    Way::SignsTwice,
    Way::FalseSignature,
    Way::FalseRoot,
    Way::Withholds,
    Way::Late,
    Way::Boasts,
    Way::StopsHalfWay,
    Way::FalseRange,
];

/// Blocks of ranges that are given as they are.
const HALF_WAY: u32 = 3;

/// A lying producer.
#[derive(Debug, Clone)]
pub struct Byzantine {
    /// How it lies.
    pub way: Way,
    /// Its own chance.
    pub seed: u64,
}

/// What becomes of a message of a liar.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// It goes as it is.
    AsIs,
    /// Another frame goes.
    Instead(Arc<[u8]>),
    /// It goes so many microseconds later.
    Later(i64),
    /// Nothing goes.
    Nothing,
}

impl Byzantine {
    /// Whether it signs two blocks for a slot.
    pub fn signs_twice(&self) -> bool {
        self.way == Way::SignsTwice
    }

    /// A transaction number of its own.
    pub fn next_number(&self, slot: BlockTimestamp) -> u64 {
        self.seed ^ u64::from(slot.0) | 1 << 63
    }

    /// What it tells others in place of a block that it made.
    pub fn falsified(&self, state: &BlockState, key: &PrivateKey, watch: &mut Watch) -> Option<Arc<[u8]>> {
        let mut block = state.block.as_deref()?.clone();
        match self.way {
            Way::FalseSignature => {
                let digest = primitives::Sha256::of(b"another block");
                block.signed_header.producer_signature = key.sign(&digest).ok()?;
                let bytes: Arc<[u8]> = block.to_bytes().into();
                watch.bad_header(state.id(), &bytes);
                Some(bytes)
            }
            Way::FalseRoot => {
                let mut header = state.header.clone();
                header.header.header.action_mroot = primitives::Sha256::of(b"another root");
                header.header.producer_signature = Signature::default();
                header.id = header.header.header.id();
                header.header.producer_signature = key.sign(&header.sig_digest()).ok()?;
                block.signed_header = header.header.clone();
                let bytes: Arc<[u8]> = block.to_bytes().into();
                watch.signed_twice(&bytes);
                Some(bytes)
            }
            _ => None,
        }
    }

    /// What becomes of a block of its own that goes to a node. `lie` is what it made in its place.
    pub fn tells(&self, block: u32, to: usize, lie: Option<&Arc<[u8]>>) -> Told {
        let mut dice = Dice::new(self.seed ^ u64::from(block) << 8 ^ to as u64);
        match self.way {
            Way::Withholds if dice.percent(80) => Told::Nothing,
            Way::Late => Told::Later(dice.between(0, 8_000_000)),
            _ => match lie {
                Some(lie) if dice.percent(50) => Told::Instead(p2p::wire::block_frame(lie).into()),
                _ => Told::AsIs,
            },
        }
    }

    /// What becomes of a block that a peer asked it for, the `count`th on their connection.
    pub fn gives(&self, block: &[u8], count: u32) -> Told {
        match self.way {
            Way::StopsHalfWay if count > HALF_WAY => Told::Nothing,
            Way::FalseRange if count > HALF_WAY => {
                let Ok(mut block) = SignedBlock::from_bytes(block) else { return Told::Nothing };
                // The number stays.
                block.signed_header.header.previous.0[31] ^= 1;
                Told::Instead(p2p::wire::block_frame(&block.to_bytes()).into())
            }
            _ => Told::AsIs,
        }
    }

    /// What it says of its chain.
    pub fn greets(&self, handshake: &Handshake) -> Told {
        if self.way != Way::Boasts {
            return Told::AsIs;
        }
        let mut handshake = handshake.clone();
        handshake.irreversible.num += 1_000_000;
        handshake.head.num += 1_000_010;
        Told::Instead(Message::Handshake(Box::new(handshake)).frame().into())
    }
}
