//! `get_accounts_by_authorizers`: which permissions name these keys or accounts.

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError, TryLockError};

use primitives::{Fault, FaultKind, Name, PermissionLevel, PublicKey};
use serde_json::{Map, Value, json as value};

use crate::ApiError;
use crate::authorizers::{Authorizer, Authorizers, Found};
use crate::bounds::{READ_BYTES_MAX, allowed};
use crate::large::{self, Allowance};
use crate::node::Node;
use crate::params::{Fields, FromVariant};
use crate::reply::{Answer, json};

/// Bytes that one permission of an answer is reckoned with: what it is in memory as JSON.
const FOUND_BYTES: usize = 512;

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
/// permissions were last changed. Who asks for an account and for one of its permissions gets that one twice. What is more
/// than one answer is made of is left out, and `more` says so.
pub fn get_accounts_by_authorizers(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::required(body)?;
    let accounts: BTreeSet<Account> = params.get("accounts")?;
    let keys: BTreeSet<PublicKey> = params.get("keys")?;
    let accounts = accounts.into_iter().map(|Account { actor, permission }| {
        Authorizer::Account(PermissionLevel { actor, permission: permission.unwrap_or_default() })
    });
    let mut index = lock(node)?;
    loop {
        let news = node.handle.read(|chain| index.news(chain.ledger()));
        if index.learn(news) {
            break;
        }
        // What was learned stays; the rest is for a large request.
        check_light()?;
    }
    let max = allowed(READ_BYTES_MAX) / FOUND_BYTES;
    let (mut all, mut more) = (Vec::new(), false);
    for authorizer in accounts.chain(keys.into_iter().map(Authorizer::Key)) {
        let left = max - all.len();
        let mut found = index.find(&authorizer, left + 1);
        more = found.len() > left;
        found.truncate(left);
        all.extend(found);
        if more {
            large::exceed();
            break;
        }
    }
    drop(index);
    let rows: Vec<Value> = all.iter().map(|(found, threshold)| row(found, *threshold)).collect();
    let mut answer = value!({ "accounts": rows });
    if more {
        answer["more"] = true.into();
    }
    json(200, &answer)
}

/// The index. Whoever waits for it does so among the large requests: those may bring it up to date for long.
fn lock(node: &Node) -> Result<MutexGuard<'_, Authorizers>, ApiError> {
    match node.authorizers.try_lock() {
        Ok(index) => return Ok(index),
        Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) if large::allowance() == Allowance::Light => large::exceed(),
        Err(TryLockError::WouldBlock) => {}
    }
    check_light()?;
    Ok(node.authorizers.lock().unwrap_or_else(PoisonError::into_inner))
}

/// An error, which nobody sees, where the request begins again as a large one anyway.
fn check_light() -> Result<(), ApiError> {
    match large::allowance() {
        Allowance::Exceeded => Err(ApiError::new(FaultKind::INVALID_HTTP_REQUEST, "the answer is a large one")),
        Allowance::Light | Allowance::Large => Ok(()),
    }
}

fn row(found: &Found, threshold: u32) -> Value {
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
    row.insert("threshold".to_owned(), threshold.into());
    Value::Object(row)
}
