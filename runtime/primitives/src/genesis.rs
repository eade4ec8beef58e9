//! The document a chain begins with.

use codec::{Pack, Unpack};
use serde::{Deserialize, Serialize};

use crate::chain_config::ChainConfigV0;
use crate::{ChainId, PublicKey, Sha256, TimePoint};

/// `genesis_state`: its packed form hashes to the chain id.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct Genesis {
    /// Time of block 1.
    pub initial_timestamp: TimePoint,
    /// Key of `eosio` and of the first schedule.
    pub initial_key: PublicKey,
    /// The first parameters.
    pub initial_configuration: ChainConfigV0,
}

impl Genesis {
    /// The id of the chain that begins here.
    pub fn chain_id(&self) -> ChainId {
        Sha256::packed(self)
    }
}

impl Default for Genesis {
    /// The genesis of a node that is given none: nodeos' time and the well-known development key.
    fn default() -> Self {
        Self {
            initial_timestamp: TimePoint(1_527_854_400_000_000),
            initial_key: crate::key::DEVELOPMENT_KEY,
            initial_configuration: ChainConfigV0::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_nodeos_default() {
        let text = serde_json::to_value(Genesis::default()).expect("json");
        assert_eq!(text["initial_timestamp"], "2018-06-01T12:00:00.000");
        assert_eq!(text["initial_key"], "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV");
        assert_eq!(
            Genesis::default().chain_id().to_string(),
            "8a34ec7df1b8cd06ff4a8abbaa7cc50300823350cadc59ab296cb00d104d2b8f"
        );
        assert_eq!(serde_json::from_value::<Genesis>(text).expect("genesis"), Genesis::default());
    }
}
