//! This node's own lists: accounts, contracts, actions and keys that the blocks it builds must not, or must alone,
//! serve. No rule of the chain.

use primitives::{Name, PublicKey, ensure};

use crate::fault::Outcome;
use crate::world::World;

impl World {
    /// Fails when the receiver or the action that runs is on a list.
    pub(crate) fn check_contract_lists(&self) -> Outcome {
        if !(self.trx.enforce_lists && self.block.is_speculative()) {
            return Ok(());
        }
        let (settings, receiver, act) = (&self.settings, self.action.receiver, &self.action.act);
        if !settings.contract_whitelist.is_empty() {
            ensure!(
                settings.contract_whitelist.contains(&receiver),
                CONTRACT_WHITELIST_EXCEPTION,
                "account '{receiver}' is not on the contract whitelist"
            );
        } else {
            ensure!(
                !settings.contract_blacklist.contains(&receiver),
                CONTRACT_BLACKLIST_EXCEPTION,
                "account '{receiver}' is on the contract blacklist"
            );
        }
        ensure!(
            settings.action_blacklist.is_empty() || !settings.action_blacklist.contains(&(act.account, act.name)),
            ACTION_BLACKLIST_EXCEPTION,
            "action '{}::{}' is on the action blacklist",
            act.account,
            act.name
        );
        Ok(())
    }

    /// Fails when actors are not on the whitelist, or on the blacklist where there is no whitelist.
    pub(crate) fn check_actor_list(&self, mut actors: Vec<Name>) -> Outcome {
        let (white, black) = (&self.settings.actor_whitelist, &self.settings.actor_blacklist);
        if white.is_empty() && black.is_empty() {
            return Ok(());
        }
        actors.sort_unstable();
        actors.dedup();
        if !white.is_empty() {
            actors.retain(|actor| !white.contains(actor));
            ensure!(
                actors.is_empty(),
                ACTOR_WHITELIST_EXCEPTION,
                "authorizing actor(s) in transaction are not on the actor whitelist: {}",
                names_text(&actors)
            );
        } else {
            actors.retain(|actor| black.contains(actor));
            ensure!(
                actors.is_empty(),
                ACTOR_BLACKLIST_EXCEPTION,
                "authorizing actor(s) in transaction are on the actor blacklist: {}",
                names_text(&actors)
            );
        }
        Ok(())
    }

    pub(crate) fn check_key_list(&self, key: &PublicKey) -> Outcome {
        let black = &self.settings.key_blacklist;
        ensure!(
            black.is_empty() || !black.contains(key),
            KEY_BLACKLIST_EXCEPTION,
            "public key '{key}' is on the key blacklist"
        );
        Ok(())
    }
}

fn names_text(names: &[Name]) -> String {
    format!("[{}]", names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(","))
}
