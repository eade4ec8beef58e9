//! `boreas set account permission` and `set action permission`.

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use primitives::{Action, Authority, Compression, Name, Pack, PermissionLevel, PermissionLevelWeight, name};
use serde_json::{Value, json};

use crate::arguments::{self, authority};
use crate::session::Session;
use crate::transact::TransactArgs;

const EOSIO: Name = name!("eosio");
const OWNER: Name = name!("owner");
/// The permission that accounts act with.
pub const ACTIVE: Name = name!("active");
/// The permission by which a contract acts for an account.
pub const CODE: Name = name!("eosio.code");

/// What is set on an account.
#[derive(Subcommand)]
pub enum SetAccount {
    /// Set or delete a permission of an account
    Permission(SetPermission),
}

/// Flags of `set account permission`.
#[derive(Args)]
pub struct SetPermission {
    /// The account
    account: String,
    /// The permission
    permission: String,
    /// Public key, account@permission, authority as JSON or in a file; NULL deletes the permission. With --add-code and
    /// --remove-code: the contract's account, if it is another
    authority: Option<String>,
    /// The permission's parent; as it is, and active for a new one, when not given
    parent: Option<String>,
    /// Let the contract (eosio.code) act with the permission: inline actions need it
    #[arg(long)]
    add_code: bool,
    /// No longer let the contract act with the permission
    #[arg(long)]
    remove_code: bool,
    #[command(flatten)]
    transact: TransactArgs,
}

/// What is set on the actions of a contract.
#[derive(Subcommand)]
pub enum SetAction {
    /// Set or delete the permission that an account's action needs
    Permission(LinkPermission),
}

/// Flags of `set action permission`.
#[derive(Args)]
pub struct LinkPermission {
    /// The account whose permission it is
    account: String,
    /// The contract of the action
    code: String,
    /// The action; ALL for all actions of the contract
    action: String,
    /// The permission that is enough for it; NULL to delete
    requirement: String,
    #[command(flatten)]
    transact: TransactArgs,
}

impl SetAction {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let Self::Permission(link) = self;
        let (account, code) = (arguments::name(&link.account)?, arguments::name(&link.code)?);
        let action = if link.action == "ALL" { Name::default() } else { arguments::name(&link.action)? };
        let by = link.transact.authorization(account)?;
        let action = match link.requirement.as_str() {
            "NULL" => native(name!("unlinkauth"), (account, code, action).to_bytes(), by),
            requirement => {
                let requirement = arguments::name(requirement)?;
                native(name!("linkauth"), (account, code, action, requirement).to_bytes(), by)
            }
        };
        link.transact.send(session, vec![action], Compression::None)
    }
}

impl SetAccount {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let Self::Permission(permission) = self;
        permission.run(session)
    }
}

impl SetPermission {
    fn run(self, session: &mut Session) -> anyhow::Result<()> {
        ensure!(!(self.add_code && self.remove_code), "ERROR: Either --add-code or --remove-code can be set");
        let (account, permission) = (arguments::name(&self.account)?, arguments::name(&self.permission)?);
        let by = self.transact.authorization(account)?;
        let action = match (self.add_code || self.remove_code, self.authority.as_deref()) {
            (false, None) => bail!("ERROR: authority should be specified unless add or remove code permission"),
            (false, Some(text)) if text.eq_ignore_ascii_case("null") => delete(account, permission, by),
            (false, Some(text)) => {
                let now = Permission::of(session, account, permission)?;
                update(
                    account,
                    permission,
                    self.parent(permission, now.as_ref())?,
                    &authority(text, "the authority")?,
                    by,
                )
            }
            (true, contract) => {
                let now = Permission::of(session, account, permission)?;
                let actor = contract.map_or(Ok(account), arguments::name)?;
                let parent = self.parent(permission, now.as_ref())?;
                let code = PermissionLevel { actor, permission: CODE };
                let old = now.map(|now| now.required_auth);
                let new = if self.add_code { with(old, code)? } else { without(old, code, permission)? };
                match new.keys.is_empty() && new.accounts.is_empty() && new.waits.is_empty() {
                    true => delete(account, permission, by),
                    false => update(account, permission, parent, &new, by),
                }
            }
        };
        self.transact.send(session, vec![action], Compression::None)
    }

    /// The parent that was asked for, or that there is.
    fn parent(&self, permission: Name, now: Option<&Permission>) -> anyhow::Result<Name> {
        match (&self.parent, now) {
            (Some(parent), _) => arguments::name(parent),
            (None, Some(now)) => Ok(now.parent),
            (None, None) if permission == OWNER => Ok(Name::default()),
            (None, None) => Ok(ACTIVE),
        }
    }
}

/// A permission as the chain has it.
pub struct Permission {
    /// The one above it.
    pub parent: Name,
    /// What satisfies it.
    pub required_auth: Authority,
}

impl Permission {
    /// Asks the node for it.
    pub fn of(session: &Session, account: Name, permission: Name) -> anyhow::Result<Option<Self>> {
        let answer = session.call("/v1/chain/get_account", &json!({ "account_name": account }))?;
        let found = answer["permissions"].as_array().into_iter().flatten();
        let found = found.into_iter().find(|found| found["perm_name"] == json!(permission));
        found.map(Self::read).transpose().with_context(|| format!("the node tells of {account}@{permission}"))
    }

    fn read(found: &Value) -> anyhow::Result<Self> {
        let parent = found["parent"].as_str().unwrap_or_default();
        let parent = if parent.is_empty() { Name::default() } else { arguments::name(parent)? };
        Ok(Self { parent, required_auth: serde_json::from_value(found["required_auth"].clone())? })
    }
}

/// An authority that the code satisfies alone.
pub fn with(old: Option<Authority>, code: PermissionLevel) -> anyhow::Result<Authority> {
    let Some(mut authority) = old else { return Ok(Authority::of_permission(code)) };
    let weight = u16::try_from(authority.threshold)
        .context("ERROR: Threshold is too high to be satisfied by sole code permission")?;
    match authority.accounts.binary_search_by_key(&code, |known| known.permission) {
        Ok(at) => {
            let known = &mut authority.accounts[at];
            ensure!(known.weight < weight, "ERROR: The permission already contains '{}@{CODE}'", code.actor);
            known.weight = weight;
        }
        Err(at) => authority.accounts.insert(at, PermissionLevelWeight { permission: code, weight }),
    }
    Ok(authority)
}

/// An authority in which the code has no part.
fn without(old: Option<Authority>, code: PermissionLevel, permission: Name) -> anyhow::Result<Authority> {
    let mut authority = old.with_context(|| format!("ERROR: The permission '{permission}' does not exist"))?;
    let before = authority.accounts.len();
    authority.accounts.retain(|known| known.permission != code);
    ensure!(
        authority.accounts.len() < before,
        "ERROR: '{}@{CODE}' does not exist in '{permission}' permission authority",
        code.actor
    );
    Ok(authority)
}

/// The action that sets a permission.
pub fn update(
    account: Name,
    permission: Name,
    parent: Name,
    authority: &Authority,
    by: Vec<PermissionLevel>,
) -> Action {
    native(name!("updateauth"), (account, permission, parent, authority).to_bytes(), by)
}

fn delete(account: Name, permission: Name, by: Vec<PermissionLevel>) -> Action {
    native(name!("deleteauth"), (account, permission).to_bytes(), by)
}

fn native(name: Name, data: Vec<u8>, authorization: Vec<PermissionLevel>) -> Action {
    Action { account: EOSIO, name, authorization, data: primitives::Bytes(data) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: PermissionLevel = PermissionLevel { actor: name!("alice"), permission: CODE };
    const BOB: PermissionLevel = PermissionLevel { actor: name!("bob"), permission: CODE };

    #[test]
    fn code_comes_and_goes_in_order() {
        let one = with(None, BOB).expect("a new permission");
        let both = with(Some(one.clone()), ALICE).expect("another contract");
        assert_eq!(both.accounts.iter().map(|known| known.permission).collect::<Vec<_>>(), [ALICE, BOB]);
        assert!(with(Some(both.clone()), BOB).is_err(), "it is there");
        assert_eq!(without(Some(both), ALICE, ACTIVE).expect("it is there"), one);
        assert!(without(Some(one), ALICE, ACTIVE).is_err(), "it is not there");
    }

    #[test]
    fn code_alone_is_enough() {
        let mut authority = with(None, ALICE).expect("a new permission");
        authority.threshold = 3;
        assert_eq!(with(Some(authority.clone()), ALICE).expect("more weight").accounts[0].weight, 3);
        authority.threshold = 70_000;
        assert!(with(Some(authority), ALICE).is_err(), "no weight is so large");
    }
}
