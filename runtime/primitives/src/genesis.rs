//! The document a chain begins with.

use codec::{Pack, Unpack};

use crate::chain_config::ChainConfigV0;
use crate::{PublicKey, TimePoint};

/// `genesis_state`: its packed form hashes to the chain id.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct Genesis {
    /// Time of block 1.
    pub initial_timestamp: TimePoint,
    /// Key of `eosio` and of the first schedule.
    pub initial_key: PublicKey,
    /// The first parameters.
    pub initial_configuration: ChainConfigV0,
}
