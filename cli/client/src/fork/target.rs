//! The development chain that a contract is copied to: accounts, resources, and rows in batches.

use std::collections::BTreeMap;

use primitives::{
    Action, Authority, Bytes, ChainId, Compression, FaultKind, Name, Pack, PermissionLevel, PublicKey, Signature,
    SignedTransaction, name,
};
use serde_json::{Value, json};

use super::source::Source;
use super::{ForkError, unexpected};
use crate::editor::{self, EditedKey, EditedRow};
use crate::{ApiError, ClientError, Contracts, Draft, Node, Receipt, Route, SendSettings, Signer};

/// Bytes of a transaction's rows, about: as much as a block of any chain takes.
const BATCH_BYTES: usize = 64 * 1024;
/// Rows and entries of a transaction.
const BATCH_ENTRIES: usize = 200;
/// Bytes of a row or an entry beside its own.
const ENTRY_BYTES: usize = 48;
/// Rows that one action removes.
const CLEAR_ENTRIES: u32 = 1000;
/// RAM of a contract whose account has limits; the system contract allows no account to be without one.
const RAM_BYTES: i64 = 1 << 40;
/// How often a transaction is sent for which a block has no room.
const TRIES: u32 = 5;

const EOSIO: Name = name!("eosio");
const ACTIVE: Name = name!("active");
const OWNER: Name = name!("owner");
const CODE: Name = name!("eosio.code");

/// The chain, and what is on its way there.
pub struct Target<'a> {
    node: &'a Node,
    contract: Name,
    contracts: Contracts,
    /// Which accounts are here.
    known: BTreeMap<Name, bool>,
    rows: Vec<EditedRow>,
    keys: Vec<EditedKey>,
    bytes: usize,
    sent: u64,
    /// Payers whose rows the contract pays for here.
    pub replaced: BTreeMap<Name, u64>,
}

/// Nobody signs.
struct Nobody;

impl Signer for Nobody {
    fn public_keys(&self) -> Result<Vec<PublicKey>, ClientError> {
        Ok(Vec::new())
    }

    fn sign(&self, _: &SignedTransaction, _: &[PublicKey], _: &ChainId) -> Result<Vec<Signature>, ClientError> {
        Ok(Vec::new())
    }
}

impl<'a> Target<'a> {
    /// The chain of a node, for one contract.
    pub fn new(node: &'a Node, contract: Name) -> Self {
        Self {
            node,
            contract,
            contracts: Contracts::default(),
            known: BTreeMap::new(),
            rows: Vec::new(),
            keys: Vec::new(),
            bytes: 0,
            sent: 0,
            replaced: BTreeMap::new(),
        }
    }

    /// Sees that it is a development chain that takes calls.
    pub fn check(node: &Node) -> Result<(), ForkError> {
        node.call("/v1/dev/get_time", &Value::Null).map(drop).map_err(|error| match error {
            ApiError::Fault(fault) if fault.status == 404 => ForkError::NotDev { url: node.url().to_owned() },
            other => ForkError::Target(Box::new(other.into())),
        })
    }

    /// Whether an account is here.
    pub fn has(&mut self, account: Name) -> Result<bool, ForkError> {
        if let Some(known) = self.known.get(&account) {
            return Ok(*known);
        }
        let has = match self.node.call("/v1/chain/get_code_hash", &json!({ "account_name": account })) {
            Ok(_) => true,
            Err(ApiError::Fault(_)) => false,
            Err(error) => return Err(ForkError::Target(Box::new(error.into()))),
        };
        self.known.insert(account, has);
        Ok(has)
    }

    /// Creates the contract's account with the permissions that it has at the source, as far as those that they name are
    /// here. Returns whether it was missing.
    pub fn create(&mut self, source: &Source<'_>) -> Result<bool, ForkError> {
        if self.has(self.contract)? {
            return Ok(false);
        }
        let account = source.call("/v1/chain/get_account", &json!({ "account_name": self.contract }))?;
        let mut permissions = Vec::new();
        for permission in account["permissions"].as_array().into_iter().flatten() {
            let text = |field: &str| permission[field].as_str().unwrap_or_default().parse::<Name>();
            let (Ok(name), Ok(parent)) = (text("perm_name"), text("parent")) else {
                return Err(unexpected("a permission has no name"));
            };
            let authority = serde_json::from_value(permission["required_auth"].clone());
            let authority: Authority = authority.map_err(|error| unexpected(format!("a permission: {error}")))?;
            permissions.push((name, parent, self.authority_here(authority)?));
        }
        let take = |permissions: &mut Vec<(Name, Name, Authority)>, wanted: Name| {
            let at = permissions.iter().position(|(name, ..)| *name == wanted);
            at.map(|at| permissions.remove(at).2).ok_or_else(|| unexpected(format!("there is no permission {wanted}")))
        };
        let (owner, active) = (take(&mut permissions, OWNER)?, take(&mut permissions, ACTIVE)?);
        let data = (EOSIO, self.contract, owner, active).to_bytes();
        let mut actions = vec![self.native(name!("newaccount"), vec![level(EOSIO)], data)];
        actions.extend(self.limitless()?);
        // Parents come before their children.
        let mut there = vec![OWNER, ACTIVE];
        while let Some(at) = permissions.iter().position(|(_, parent, _)| there.contains(parent)) {
            let (permission, parent, authority) = permissions.remove(at);
            let data = (self.contract, permission, parent, authority).to_bytes();
            actions.push(self.native(name!("updateauth"), vec![level(EOSIO), level(self.contract)], data));
            there.push(permission);
        }
        self.send(actions, Compression::None)?;
        self.known.insert(self.contract, true);
        Ok(true)
    }

    /// Gives the account net and CPU without limit and more RAM than it needs, unless it has no limits at all, and the
    /// privilege that it has at the source. Where the system contract has no action for it, accounts have no limits.
    pub fn equip(&mut self, privileged: bool) -> Result<(), ForkError> {
        let own = Source { node: self.node, contract: self.contract };
        let here = own.call("/v1/chain/get_account", &json!({ "account_name": self.contract }))?;
        let mut actions = Vec::new();
        if here["ram_quota"].as_i64().is_none_or(|quota| quota >= 0) {
            actions = self.limitless()?;
        }
        if privileged {
            actions.extend(self.system("setpriv", &json!({ "account": self.contract, "is_priv": 1 }))?);
        }
        if actions.is_empty() { Ok(()) } else { self.send(actions, Compression::None) }
    }

    fn limitless(&mut self) -> Result<Vec<Action>, ForkError> {
        let limits = [
            ("setacctram", "ram_bytes", RAM_BYTES),
            ("setacctnet", "net_weight", -1),
            ("setacctcpu", "cpu_weight", -1),
        ];
        let mut actions = Vec::new();
        for (action, field, amount) in limits {
            actions.extend(self.system(action, &json!({ "account": self.contract, field: amount }))?);
        }
        Ok(actions)
    }

    /// An action of the system contract, if that has it.
    fn system(&mut self, action: &str, arguments: &Value) -> Result<Option<Action>, ForkError> {
        let action: Name = action.parse().map_err(ClientError::from).map_err(ForkError::target)?;
        match self.contracts.action(self.node, EOSIO, action, vec![level(EOSIO)], arguments) {
            Ok(action) => Ok(Some(action)),
            Err(ClientError::UnknownAction { .. } | ClientError::Value(_)) => Ok(None),
            Err(error) => Err(ForkError::target(error)),
        }
    }

    /// Puts the row editor in the contract's place, and removes what the contract had here.
    pub fn open(&mut self) -> Result<(), ForkError> {
        let own = Source { node: self.node, contract: self.contract };
        if own.code().map_or_else(|_| Vec::new(), |code| code.wasm) != editor::MODULE {
            self.send(vec![editor::set_code(self.contract, editor::MODULE)], Compression::Zlib)?;
        }
        loop {
            let (tables, next) = own.tables(Name(0))?;
            if tables.is_empty() && next.is_none() {
                return Ok(());
            }
            for table in tables {
                self.clear(table.scope, table.name, table.count)?;
            }
        }
    }

    /// Removes all of a table.
    pub fn clear(&mut self, scope: Name, table: Name, count: u64) -> Result<(), ForkError> {
        for _ in 0..count.div_ceil(u64::from(CLEAR_ENTRIES)) {
            let turn = u32::try_from(self.sent % u64::from(u32::MAX)).unwrap_or_default();
            self.send(vec![editor::clear(self.contract, scope, table, CLEAR_ENTRIES, turn)], Compression::None)?;
        }
        Ok(())
    }

    /// Writes a row, now or with others.
    pub fn write_row(&mut self, row: EditedRow) -> Result<(), ForkError> {
        self.bytes += ENTRY_BYTES + row.bytes.as_ref().map_or(0, Vec::len);
        self.rows.push(row);
        self.flush_if_full()
    }

    /// Writes an entry of an index, now or with others.
    pub fn write_key(&mut self, key: EditedKey) -> Result<(), ForkError> {
        self.bytes += 2 * ENTRY_BYTES;
        self.keys.push(key);
        self.flush_if_full()
    }

    fn flush_if_full(&mut self) -> Result<(), ForkError> {
        let full = self.bytes >= BATCH_BYTES || self.rows.len() + self.keys.len() >= BATCH_ENTRIES;
        if full { self.flush() } else { Ok(()) }
    }

    /// Writes what waits. Who pays at the source and is not here, or has no RAM for it, has the contract pay.
    pub fn flush(&mut self) -> Result<(), ForkError> {
        let (mut rows, mut keys) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.keys));
        self.bytes = 0;
        if rows.is_empty() && keys.is_empty() {
            return Ok(());
        }
        loop {
            let payers = rows.iter_mut().map(|row| &mut row.payer).chain(keys.iter_mut().map(|key| &mut key.payer));
            for payer in payers {
                if !self.has(*payer)? {
                    *self.replaced.entry(*payer).or_default() += 1;
                    *payer = self.contract;
                }
            }
            match self.send(vec![editor::write(self.contract, &rows, &keys)], Compression::Zlib) {
                Err(ForkError::Target(error)) => match without_ram(&error).filter(|payer| *payer != self.contract) {
                    // From now on it is as if it were not here.
                    Some(payer) if self.known.insert(payer, false) == Some(true) => {}
                    _ => return Err(ForkError::Target(error)),
                },
                sent => return sent,
            }
        }
    }

    /// Puts the contract in its place.
    pub fn close(&mut self, wasm: &[u8], abi: &[u8]) -> Result<(), ForkError> {
        self.flush()?;
        self.send(vec![editor::set_code(self.contract, wasm)], Compression::Zlib)?;
        self.send(vec![editor::set_abi(self.contract, abi)], Compression::Zlib)
    }

    /// The authority without those who are not here; where nobody is left who could, `eosio` may.
    fn authority_here(&mut self, authority: Authority) -> Result<Authority, ForkError> {
        let mut here = Authority { accounts: Vec::new(), ..authority };
        for factor in authority.accounts {
            let PermissionLevel { actor, permission } = factor.permission;
            let own_code = actor == self.contract && permission == CODE;
            let usual = [OWNER, ACTIVE, CODE].contains(&permission);
            if own_code || (usual && actor != self.contract && self.has(actor)?) {
                here.accounts.push(factor);
            }
        }
        Ok(if here.is_valid() { here } else { Authority::of_permission(level(EOSIO)) })
    }

    fn native(&self, name: Name, authorization: Vec<PermissionLevel>, data: Vec<u8>) -> Action {
        Action { account: EOSIO, name, authorization, data: Bytes(data) }
    }

    /// Sends a transaction that nobody signs; waits for another block where one has no room.
    fn send(&mut self, actions: Vec<Action>, compression: Compression) -> Result<(), ForkError> {
        let settings = SendSettings {
            compression,
            sign: false,
            return_failure_trace: false,
            route: Route::Impersonate,
            ..SendSettings::default()
        };
        let mut tries = 0;
        loop {
            tries += 1;
            self.sent += 1;
            let draft = Draft { context_free_actions: vec![nonce(self.sent)], actions: actions.clone() };
            let signed = draft.sign(self.node, &Nobody, &settings).map_err(ForkError::target)?;
            match Receipt::of(self.node, &signed, &settings) {
                Ok(_) => return Ok(()),
                Err(error) if tries < TRIES && has_no_room(&error) => {
                    let made = self.node.call("/v1/dev/produce", &json!({ "blocks": 1 }));
                    made.map_err(|error| ForkError::target(error.into()))?;
                }
                Err(error) => return Err(ForkError::target(error)),
            }
        }
    }
}

fn level(actor: Name) -> PermissionLevel {
    PermissionLevel { actor, permission: ACTIVE }
}

/// Makes a transaction unlike every other.
fn nonce(sent: u64) -> Action {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let data = Bytes((now.as_nanos() as u64, sent).to_bytes());
    Action { account: name!("eosio.null"), name: name!("nonce"), authorization: Vec::new(), data }
}

/// Whether it is the block that has no room.
fn has_no_room(error: &ClientError) -> bool {
    let kinds =
        [FaultKind::BLOCK_NET_USAGE_EXCEEDED, FaultKind::BLOCK_CPU_USAGE_EXCEEDED, FaultKind::DEADLINE_EXCEPTION];
    fault_code(error).is_some_and(|code| kinds.iter().any(|kind| code == u64::from(kind.code)))
}

/// The account whose RAM was not enough, as the node names it.
fn without_ram(error: &ClientError) -> Option<Name> {
    if fault_code(error) != Some(u64::from(FaultKind::RAM_USAGE_EXCEEDED.code)) {
        return None;
    }
    let text = error.to_string();
    let name = text.split_once("account ")?.1.split_once(" has insufficient ram")?.0;
    name.parse().ok()
}

fn fault_code(error: &ClientError) -> Option<u64> {
    match error {
        ClientError::Api(error) => match &**error {
            ApiError::Fault(fault) => Some(fault.code),
            _ => None,
        },
        _ => None,
    }
}
