//! `get_accounts_by_authorizers`: which permissions name these keys or accounts.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Ledger, PermissionId};
use primitives::{Authority, Fault, Name, PermissionLevel, PublicKey};
use serde_json::{Map, Value, json as value};

use crate::node::Node;
use crate::params::{Fields, FromVariant};
use crate::reply::{Answer, json};

/// An account with whatever permission, or one permission.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
struct Authorizer {
    actor: Name,
    permission: Option<Name>,
}

impl FromVariant for Authorizer {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::String(_) => Ok(Self { actor: Name::from_variant(value)?, permission: None }),
            Value::Object(_) => {
                let level = PermissionLevel::from_variant(value)?;
                Ok(Self { actor: level.actor, permission: Some(level.permission).filter(|name| !name.is_empty()) })
            }
            // Whatever else stands for nobody.
            _ => Ok(Self { actor: Name(0), permission: None }),
        }
    }
}

/// A permission that was found, by what its row is sorted by.
type Found = (PermissionId, &'static str, Value, u16);

/// `get_accounts_by_authorizers`: for each authorizer, accounts first, by permission and weight and then as the
/// permissions were last changed. Who asks for an account and for one of its permissions gets that one twice.
pub fn get_accounts_by_authorizers(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::required(body)?;
    let accounts: BTreeSet<Authorizer> = params.get("accounts")?;
    let keys: BTreeSet<PublicKey> = params.get("keys")?;
    let rows: Vec<Value> = node.handle.read(|chain| {
        let ledger = chain.ledger();
        let found = find(ledger, &accounts, &keys);
        found.into_iter().map(|found| row(ledger, found)).collect()
    });
    json(200, &value!({"accounts": rows}))
}

fn find(ledger: &Ledger, accounts: &BTreeSet<Authorizer>, keys: &BTreeSet<PublicKey>) -> Vec<Found> {
    let mut by_account: BTreeMap<(Name, Name, u16), Vec<Found>> = BTreeMap::new();
    let mut by_key: BTreeMap<(&PublicKey, u16), Vec<Found>> = BTreeMap::new();
    for id in in_order_of_change(ledger) {
        let auth: &Authority = &ledger.permission(id).auth;
        for entry in &auth.accounts {
            let PermissionLevel { actor, permission } = entry.permission;
            let asked = [None, Some(permission)].map(|permission| accounts.contains(&Authorizer { actor, permission }));
            if asked.contains(&true) {
                let text = value!({"actor": actor.to_string(), "permission": permission.to_string()});
                let found = (id, "authorizing_account", text, entry.weight);
                by_account.entry((actor, permission, entry.weight)).or_default().push(found);
            }
        }
        for entry in auth.keys.iter().filter(|entry| keys.contains(&entry.key)) {
            let text = Value::from(entry.key.to_string());
            by_key.entry((&entry.key, entry.weight)).or_default().push((id, "authorizing_key", text, entry.weight));
        }
    }
    let mut all = Vec::new();
    for Authorizer { actor, permission } in accounts {
        let (first, last) = permission.map_or((Name(0), Name(u64::MAX)), |permission| (permission, permission));
        let range = by_account.range((*actor, first, 0)..=(*actor, last, u16::MAX));
        all.extend(range.flat_map(|(_, found)| found).cloned());
    }
    all.extend(by_key.into_values().flatten());
    all
}

/// All permissions as nodeos' index learned of them: block by block, those of one block by name. Those of the genesis
/// it read all at once, the oldest first.
fn in_order_of_change(ledger: &Ledger) -> Vec<PermissionId> {
    let mut ids = ledger.permissions();
    let genesis = ids.iter().map(|id| ledger.permission(*id).last_updated).min();
    ids.sort_by_key(|id| {
        let permission = ledger.permission(*id);
        let changed = permission.last_updated;
        let order = if Some(changed) == genesis { permission.order() } else { 0 };
        (changed, order, permission.owner, permission.name)
    });
    ids
}

fn row(ledger: &Ledger, (id, kind, authorizer, weight): Found) -> Value {
    let permission = ledger.permission(id);
    let mut row = Map::new();
    row.insert("account_name".to_owned(), permission.owner.to_string().into());
    row.insert("permission_name".to_owned(), permission.name.to_string().into());
    row.insert(kind.to_owned(), authorizer);
    row.insert("weight".to_owned(), weight.into());
    row.insert("threshold".to_owned(), permission.auth.threshold.into());
    Value::Object(row)
}
