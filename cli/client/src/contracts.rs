//! Action arguments, packed by the ABI that the contract's account holds.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use abi::{Abi, Limits};
use base64::Engine as _;
use primitives::{Action, Bytes, Name, PermissionLevel};
use serde_json::{Value, json};

use crate::{ClientError, Node};

/// The ABIs of contracts, each fetched once.
#[derive(Debug, Default)]
pub struct Contracts {
    known: BTreeMap<Name, Abi>,
}

impl Contracts {
    /// Uses `abi` for `account` instead of asking the node (`--abi-file`).
    pub fn set(&mut self, account: Name, abi: Abi) {
        self.known.insert(account, abi);
    }

    /// The ABI of `account`.
    pub fn abi(&mut self, node: &Node, account: Name) -> Result<&Abi, ClientError> {
        match self.known.entry(account) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(fetch(node, account)?)),
        }
    }

    /// An action with its arguments given as JSON.
    pub fn action(
        &mut self,
        node: &Node,
        account: Name,
        name: Name,
        authorization: Vec<PermissionLevel>,
        arguments: &Value,
    ) -> Result<Action, ClientError> {
        let abi = self.abi(node, account)?;
        let data = abi.encode(action_type(abi, account, name)?, arguments, &Limits::default())?;
        Ok(Action { account, name, authorization, data: Bytes(data) })
    }

    /// The arguments of an action as JSON.
    pub fn arguments(&mut self, node: &Node, action: &Action) -> Result<Value, ClientError> {
        let abi = self.abi(node, action.account)?;
        Ok(abi.decode(action_type(abi, action.account, action.name)?, &action.data.0, &Limits::default())?)
    }
}

/// The type of an action's arguments; when there is no such action, the message names those that there are.
fn action_type(abi: &Abi, account: Name, name: Name) -> Result<&str, ClientError> {
    abi.action_type(name).ok_or_else(|| {
        let known: Vec<_> = abi.actions().map(|action| action.to_string()).collect();
        ClientError::Value(format!("Unknown action {name} in contract {account}; it has: {}", known.join(", ")))
    })
}

fn fetch(node: &Node, account: Name) -> Result<Abi, ClientError> {
    let answer = node.call("/v1/chain/get_raw_abi", &json!({ "account_name": account }))?;
    let text = answer["abi"].as_str().unwrap_or_default();
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(text.trim_end_matches('='))
        .map_err(|error| ClientError::Value(format!("ABI of {account} is not base64: {error}")))?;
    Abi::from_account(&bytes, &Limits::default())
        .map_err(|fault| ClientError::Value(format!("ABI of {account} is not valid: {fault}")))?
        .ok_or_else(|| ClientError::Value(format!("No ABI found for {account}")))
}
