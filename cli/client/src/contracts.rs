//! Action arguments, packed by the ABI that the contract's account holds.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use abi::{Abi, AbiDefinition, Limits};
use base64::Engine as _;
use primitives::{Action, Bytes, Name, PermissionLevel, Unpack};
use serde_json::{Value, json};

use crate::mismatch::mismatch;
use crate::{ClientError, Node};

/// The ABIs of contracts, each fetched once.
#[derive(Debug, Default)]
pub struct Contracts {
    known: BTreeMap<Name, Contract>,
}

/// What a contract publishes, as it is written and ready for use.
#[derive(Debug)]
struct Contract {
    definition: AbiDefinition,
    abi: Arc<Abi>,
}

impl Contract {
    fn new(definition: AbiDefinition) -> Result<Self, primitives::Fault> {
        Ok(Self { abi: Arc::new(Abi::new(definition.clone(), &Limits::default())?), definition })
    }
}

impl Contracts {
    /// Uses `abi` for `account` instead of asking the node (`--abi-file`).
    ///
    /// # Errors
    /// When it is not a valid ABI.
    pub fn set(&mut self, account: Name, abi: AbiDefinition) -> Result<(), ClientError> {
        self.known.insert(account, Contract::new(abi)?);
        Ok(())
    }

    /// The ABI of `account`.
    ///
    /// # Errors
    /// When the node cannot be asked, or has none that is valid.
    pub fn abi(&mut self, node: &Node, account: Name) -> Result<Arc<Abi>, ClientError> {
        Ok(self.contract(node, account)?.abi.clone())
    }

    /// Names and types of an action's arguments.
    ///
    /// # Errors
    /// As [`Contracts::abi`], or when there is no such action.
    pub fn fields(&mut self, node: &Node, account: Name, name: Name) -> Result<Vec<(String, String)>, ClientError> {
        let Contract { abi, definition } = self.contract(node, account)?;
        let kind = action_type(abi, account, name)?;
        let known = definition.structs.iter().find(|known| known.name == kind);
        let fields = known.map(|known| known.fields.as_slice()).unwrap_or_default();
        Ok(fields.iter().map(|field| (field.name.to_string(), field.kind.to_string())).collect())
    }

    fn contract(&mut self, node: &Node, account: Name) -> Result<&Contract, ClientError> {
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
        let Contract { abi, definition } = self.contract(node, account)?;
        let kind = action_type(abi, account, name)?;
        let data = abi.encode(kind, arguments, &Limits::default()).map_err(|fault| ClientError::Arguments {
            action: format!("{account}::{name}"),
            reason: mismatch(abi, definition, kind, arguments),
            fault: Box::new(fault.into()),
        })?;
        Ok(Action { account, name, authorization, data: Bytes(data) })
    }

    /// A row of a table, given as JSON.
    ///
    /// # Errors
    /// As [`Contracts::abi`], when there is no such table, or when the value does not fit it.
    pub fn row(&mut self, node: &Node, account: Name, table: Name, value: &Value) -> Result<Vec<u8>, ClientError> {
        let Contract { abi, definition } = self.contract(node, account)?;
        let Some(kind) = abi.table_type(table) else {
            let known = definition.tables.iter().map(|table| table.name.to_string()).collect();
            return Err(ClientError::UnknownTable { account, table, known });
        };
        abi.encode(kind, value, &Limits::default()).map_err(|fault| ClientError::Arguments {
            action: format!("the table {table} of {account}"),
            reason: mismatch(abi, definition, kind, value),
            fault: Box::new(fault.into()),
        })
    }

    /// The arguments of an action as JSON.
    pub fn arguments(&mut self, node: &Node, action: &Action) -> Result<Value, ClientError> {
        let abi = self.abi(node, action.account)?;
        Ok(abi.decode(action_type(&abi, action.account, action.name)?, &action.data.0, &Limits::default())?)
    }
}

/// The type of an action's arguments; when there is no such action, the message names those that there are.
fn action_type(abi: &Abi, account: Name, name: Name) -> Result<&str, ClientError> {
    abi.action_type(name).ok_or_else(|| {
        let known = abi.actions().map(|action| action.to_string()).collect();
        ClientError::UnknownAction { account, name, known }
    })
}

fn fetch(node: &Node, account: Name) -> Result<Contract, ClientError> {
    let answer = node.call("/v1/chain/get_raw_abi", &json!({ "account_name": account }))?;
    let bytes = base64_field(&answer, "abi")?;
    if bytes.is_empty() {
        let reason = "its account has no contract, or one without an ABI";
        return Err(ClientError::Value(format!("No ABI found for {account}: {reason}")));
    }
    AbiDefinition::from_prefix(&bytes)
        .map_err(primitives::Fault::from)
        .and_then(Contract::new)
        .map_err(|fault| ClientError::Value(format!("ABI of {account} is not valid: {fault}")))
}

/// The bytes of an answer's field in base64, with or without the characters that fill it up.
///
/// # Errors
/// The field is missing, or is not base64.
pub fn base64_field(answer: &Value, field: &str) -> Result<Vec<u8>, ClientError> {
    let text = answer[field].as_str();
    let text = text.ok_or_else(|| ClientError::Value(format!("the node's answer has no {field}")))?;
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD.decode(text.trim_end_matches('='));
    bytes.map_err(|error| ClientError::Value(format!("{field} in the node's answer is not base64: {error}")))
}
