//! What the node decides for its chain. Nothing here can change a block's validity.

use primitives::Name;

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
    /// To run transactions speculatively between blocks; never sealed.
    Speculate,
}

/// What the node decides for its chain.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Limits and lists for transactions of blocks that this node builds.
    pub execution: execution::Settings,
    /// Keep the console output of contracts in traces.
    pub contracts_console: bool,
    /// Producers whose blocks are applied with [`Checks::Trusted`] (`trusted-producer`).
    pub trusted_producers: Vec<Name>,
}
