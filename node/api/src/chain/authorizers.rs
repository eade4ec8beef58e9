//! `get_accounts_by_authorizers`: which permissions name these keys or accounts.

use std::collections::BTreeSet;

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

impl Authorizer {
    fn is(self, level: PermissionLevel) -> bool {
        self.actor == level.actor && self.permission.is_none_or(|name| name == level.permission)
    }
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

/// `get_accounts_by_authorizers`: by authorizer, accounts first, and then as the permissions were last changed.
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
    let mut by_account: Vec<(PermissionLevel, Found)> = Vec::new();
    let mut by_key: Vec<(PublicKey, Found)> = Vec::new();
    for id in in_order_of_change(ledger) {
        let auth: &Authority = &ledger.permission(id).auth;
        for entry in &auth.accounts {
            let level = entry.permission;
            if accounts.iter().any(|authorizer| authorizer.is(level)) {
                let text = value!({"actor": level.actor.to_string(), "permission": level.permission.to_string()});
                by_account.push((level, (id, "authorizing_account", text, entry.weight)));
            }
        }
        for entry in auth.keys.iter().filter(|entry| keys.contains(&entry.key)) {
            let text = Value::from(entry.key.to_string());
            by_key.push((entry.key.clone(), (id, "authorizing_key", text, entry.weight)));
        }
    }
    // Stable sorts: what is equal stays in the order of change.
    by_account.sort_by_key(|(level, _)| (level.actor, level.permission));
    by_key.sort_by(|(left, _), (right, _)| left.cmp(right));
    by_account.into_iter().map(|(_, found)| found).chain(by_key.into_iter().map(|(_, found)| found)).collect()
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
