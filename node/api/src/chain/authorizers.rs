//! `get_accounts_by_authorizers`: which permissions name these keys or accounts.

use primitives::{Authority, Name, PermissionLevel, PublicKey};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json as value};

use crate::node::Node;
use crate::params;
use crate::reply::{Answer, json};

#[derive(Deserialize, Default)]
#[serde(default)]
struct AuthorizerParams {
    accounts: Vec<Authorizer>,
    keys: Vec<PublicKey>,
}

/// An account with whatever permission, or one permission.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
struct Authorizer {
    actor: Name,
    permission: Option<Name>,
}

impl<'de> Deserialize<'de> for Authorizer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Name(Name),
            Level(PermissionLevel),
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Name(actor) => Self { actor, permission: None },
            Form::Level(level) => Self { actor: level.actor, permission: Some(level.permission) },
        })
    }
}

/// `get_accounts_by_authorizers`.
pub fn get_accounts_by_authorizers(node: &Node, body: &[u8]) -> Answer {
    let params: AuthorizerParams = params::required(body)?;
    let mut rows = Vec::new();
    node.handle.read(|chain| {
        let ledger = chain.ledger();
        for id in ledger.permissions() {
            let permission = ledger.permission(id);
            let mut found = matches(&permission.auth, &params);
            for (authorizer, weight) in found.drain(..) {
                let mut row = Map::new();
                row.insert("account_name".to_owned(), permission.owner.to_string().into());
                row.insert("permission_name".to_owned(), permission.name.to_string().into());
                row.extend(authorizer);
                row.insert("weight".to_owned(), weight.into());
                row.insert("threshold".to_owned(), permission.auth.threshold.into());
                rows.push(Value::Object(row));
            }
        }
    });
    json(200, &value!({"accounts": rows}))
}

fn matches(auth: &Authority, params: &AuthorizerParams) -> Vec<(Map<String, Value>, u16)> {
    let one = |key: &str, value: Value| Map::from_iter([(key.to_owned(), value)]);
    let mut found = Vec::new();
    for entry in &auth.accounts {
        let level = entry.permission;
        let wanted = params.accounts.iter().any(|authorizer| {
            authorizer.actor == level.actor && authorizer.permission.is_none_or(|name| name == level.permission)
        });
        if wanted {
            let text = value!({"actor": level.actor.to_string(), "permission": level.permission.to_string()});
            found.push((one("authorizing_account", text), entry.weight));
        }
    }
    for entry in auth.keys.iter().filter(|entry| params.keys.contains(&entry.key)) {
        found.push((one("authorizing_key", entry.key.to_string().into()), entry.weight));
    }
    found
}
