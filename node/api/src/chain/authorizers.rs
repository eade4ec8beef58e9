//! `get_accounts_by_authorizers`: which permissions name these keys or accounts.

use std::collections::BTreeSet;

use ledger::Ledger;
use primitives::{Fault, FaultKind, Name, PermissionLevel, PublicKey};
use serde_json::{Map, Value, json as value};

use crate::authorizers::{Authorizer, Found};
use crate::node::Node;
use crate::params::{Fields, FromVariant};
use crate::reply::{Answer, json};

/// An account with whatever permission, or one permission.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
struct Account {
    actor: Name,
    permission: Option<Name>,
}

impl FromVariant for Account {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::String(_) => Ok(Self { actor: Name::from_variant(value)?, permission: None }),
            Value::Object(fields) => {
                let refused = |why: &str| Fault::new(FaultKind::INVALID_HTTP_REQUEST, why);
                let actor = fields.get("actor").ok_or_else(|| refused("Missing Actor field"))?;
                let actor = Name::from_variant(actor)?;
                let permission = match (fields.get("permission"), fields.len()) {
                    (Some(permission), 2) => Some(Name::from_variant(permission)?).filter(|name| !name.is_empty()),
                    (_, 1) => None,
                    _ => return Err(refused("Unrecognized fields in account")),
                };
                Ok(Self { actor, permission })
            }
            // Whatever else stands for nobody.
            _ => Ok(Self { actor: Name(0), permission: None }),
        }
    }
}

/// `get_accounts_by_authorizers`: for each authorizer, accounts first, by permission and weight and then as the
/// permissions were last changed. Who asks for an account and for one of its permissions gets that one twice.
pub fn get_accounts_by_authorizers(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::required(body)?;
    let accounts: BTreeSet<Account> = params.get("accounts")?;
    let keys: BTreeSet<PublicKey> = params.get("keys")?;
    let accounts = accounts.into_iter().map(|Account { actor, permission }| {
        Authorizer::Account(PermissionLevel { actor, permission: permission.unwrap_or_default() })
    });
    let wanted: Vec<_> = accounts.chain(keys.into_iter().map(Authorizer::Key)).collect();
    let mut index = node.authorizers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let rows: Vec<Value> = loop {
        let found = node.handle.read(|chain| {
            let ledger = chain.ledger();
            if !index.catch_up(ledger) {
                return None;
            }
            let found = wanted.iter().flat_map(|authorizer| index.find(ledger, authorizer));
            Some(found.map(|found| row(ledger, &found)).collect())
        });
        if let Some(rows) = found {
            break rows;
        }
    };
    json(200, &value!({"accounts": rows}))
}

fn row(ledger: &Ledger, found: &Found) -> Value {
    let PermissionLevel { actor, permission } = found.permission;
    let (kind, authorizer) = match &found.authorizer {
        Authorizer::Account(PermissionLevel { actor, permission }) => {
            ("authorizing_account", value!({"actor": actor.to_string(), "permission": permission.to_string()}))
        }
        Authorizer::Key(key) => ("authorizing_key", key.to_string().into()),
    };
    let mut row = Map::new();
    row.insert("account_name".to_owned(), actor.to_string().into());
    row.insert("permission_name".to_owned(), permission.to_string().into());
    row.insert(kind.to_owned(), authorizer);
    row.insert("weight".to_owned(), found.weight.into());
    row.insert("threshold".to_owned(), threshold(ledger, found.permission).into());
    Value::Object(row)
}

fn threshold(ledger: &Ledger, level: PermissionLevel) -> u32 {
    let id = ledger.find_account(level.actor).and_then(|account| ledger.permission_of(account, level.permission));
    id.map_or(0, |id| ledger.permission(id).auth.threshold)
}
