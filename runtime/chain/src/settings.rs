//! What the node decides for its chain, and the doors it hands in. Nothing here can change a block's validity.

use execution::Clock;
use primitives::Name;
use wasm::{CodeCache, Engine};

/// How much of a received block is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checks {
    /// Everything: block and transaction signatures, authorisations, merkle roots, the id.
    #[default]
    Full,
    /// As nodeos replays irreversible blocks: signatures and authorisations of input transactions are taken on trust;
    /// the resulting block id is still compared.
    Trusted,
}

/// Why a block is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockPurpose {
    /// To be signed and sealed by a producer of this node.
    Produce,
    /// To try transactions between blocks: nothing that is pushed stays (nodeos' ephemeral block), it is never sealed.
    Speculate,
    /// A block that was made elsewhere; only [`crate::Chain`] itself starts these.
    Apply,
}

/// Default of [`Settings::other_branches_bytes_max`]: hours of blocks without transactions.
pub const OTHER_BRANCHES_BYTES_MAX: usize = 512 << 20;

/// Default of [`Settings::contents_bytes_max`].
pub const CONTENTS_BYTES_MAX: usize = 12 << 20;

/// What the node decides for its chain.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Limits and lists for transactions of blocks that this node builds.
    pub execution: execution::Settings,
    /// Producers whose blocks are applied with [`Checks::Trusted`] (`trusted-producer`).
    pub trusted_producers: Vec<Name>,
    /// Apply every received block so (`validation-mode = light`).
    pub trust_blocks: bool,
    /// Keep the traces of replayed blocks. Without it replay drops them.
    pub replay_traces: bool,
    /// Tell what each block did to the rows of the state ([`crate::SealedBlock::deltas`]).
    pub deltas: bool,
    /// Apply a block when it becomes irreversible, not when its branch is the best: the state stands at the last
    /// irreversible block (`read-mode = irreversible`).
    pub irreversible_only: bool,
    /// Bytes that received blocks of other branches than the head's may take: a producer can make any number of them.
    pub other_branches_bytes_max: usize,
    /// Bytes of the newest reversible blocks whose contents stay in memory, where the chain knows from where to read them
    /// ([`crate::KeptBlocks`]). Of earlier ones of its branch it keeps the header states.
    pub contents_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            execution: execution::Settings::default(),
            trusted_producers: Vec::new(),
            trust_blocks: false,
            replay_traces: false,
            deltas: false,
            irreversible_only: false,
            other_branches_bytes_max: OTHER_BRANCHES_BYTES_MAX,
            contents_bytes_max: CONTENTS_BYTES_MAX,
        }
    }
}

/// What the chain needs from outside.
#[allow(missing_debug_implementations, reason = "doors are opaque")]
pub struct Doors {
    /// Tells the time while blocks are built.
    pub clock: Box<dyn Clock>,
    /// Compiles contracts.
    pub engine: Engine,
    /// Keeps compiled contracts.
    pub code_cache: Box<dyn CodeCache>,
}
