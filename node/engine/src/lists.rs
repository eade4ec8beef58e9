//! This node's own lists, changed while it runs. They are not kept over a restart: the options are.

use std::collections::BTreeSet;

use execution::Settings;
use primitives::{Name, PublicKey};

/// A change of the lists.
#[derive(Debug, Clone)]
pub enum ListChange {
    /// These accounts get no elastic resources.
    Greylist(Vec<Name>),
    /// These accounts get elastic resources again.
    Ungreylist(Vec<Name>),
    /// Lists in place of the old ones.
    Replace(Box<Lists>),
}

/// White- and blacklists; one that is not there stays as it was.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the lists of `execution::Settings`")]
pub struct Lists {
    pub actor_whitelist: Option<BTreeSet<Name>>,
    pub actor_blacklist: Option<BTreeSet<Name>>,
    pub contract_whitelist: Option<BTreeSet<Name>>,
    pub contract_blacklist: Option<BTreeSet<Name>>,
    pub action_blacklist: Option<BTreeSet<(Name, Name)>>,
    pub key_blacklist: Option<BTreeSet<PublicKey>>,
}

impl ListChange {
    /// Makes the change.
    pub fn apply(self, settings: &mut Settings) {
        match self {
            Self::Greylist(accounts) => settings.resource_greylist.extend(accounts),
            Self::Ungreylist(accounts) => settings.resource_greylist.retain(|account| !accounts.contains(account)),
            Self::Replace(lists) => lists.put_into(settings),
        }
    }
}

impl Lists {
    /// Whether no list is there.
    pub fn is_empty(&self) -> bool {
        let Self { actor_whitelist, actor_blacklist, contract_whitelist, contract_blacklist, .. } = self;
        [actor_whitelist, actor_blacklist, contract_whitelist, contract_blacklist].iter().all(|list| list.is_none())
            && self.action_blacklist.is_none()
            && self.key_blacklist.is_none()
    }

    fn put_into(self, settings: &mut Settings) {
        fn replace<T>(old: &mut T, new: Option<T>) {
            if let Some(new) = new {
                *old = new;
            }
        }
        replace(&mut settings.actor_whitelist, self.actor_whitelist);
        replace(&mut settings.actor_blacklist, self.actor_blacklist);
        replace(&mut settings.contract_whitelist, self.contract_whitelist);
        replace(&mut settings.contract_blacklist, self.contract_blacklist);
        replace(&mut settings.action_blacklist, self.action_blacklist);
        replace(&mut settings.key_blacklist, self.key_blacklist);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greylists_add_up_and_other_lists_are_replaced() {
        let mut settings = Settings::default();
        let (alice, bob) = (Name(1), Name(2));
        ListChange::Greylist(vec![alice, bob, alice]).apply(&mut settings);
        ListChange::Ungreylist(vec![alice, Name(3)]).apply(&mut settings);
        assert_eq!(settings.resource_greylist, BTreeSet::from([bob]));
        let lists =
            |actors: &[Name]| Lists { actor_blacklist: Some(actors.iter().copied().collect()), ..Lists::default() };
        settings.contract_blacklist.insert(alice);
        ListChange::Replace(Box::new(lists(&[alice]))).apply(&mut settings);
        ListChange::Replace(Box::new(lists(&[bob]))).apply(&mut settings);
        assert_eq!(settings.actor_blacklist, BTreeSet::from([bob]));
        assert_eq!(settings.contract_blacklist, BTreeSet::from([alice]));
    }
}
