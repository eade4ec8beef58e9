//! Token transfers, as many as a node takes.

use std::sync::atomic::{AtomicU64, Ordering};

use client::{ClientError, Contracts, Draft, Node, Receipt, SendSettings, WaitFor};
use primitives::{Action, Bytes, Compression, Name, PermissionLevel, PrivateKey, name};
use serde_json::{Value, json};

use crate::{DEV_PRIVATE_KEY, DEV_PUBLIC_KEY, contract};

const TOKEN: Name = name!("eosio.token");
const ALICE: Name = name!("alice");
const EOSIO: Name = name!("eosio");

/// Bytes of an action that is to take room.
const FILLING_BYTES: usize = 100_000;

/// A number that nothing else here was sent with: each transaction is another one.
fn serial() -> u64 {
    static SENT: AtomicU64 = AtomicU64::new(0);
    SENT.fetch_add(1, Ordering::Relaxed) + 1
}

/// A sender of signed actions.
#[derive(Debug)]
pub struct Load {
    node: Node,
    contracts: Contracts,
    key: PrivateKey,
    /// Wait until each transaction is irreversible.
    pub retry_irreversible: bool,
    /// How far each transaction has to be, where the node is one of ours.
    pub wait: Option<WaitFor>,
}

impl Load {
    /// A sender to a chain that is set up already.
    pub fn new(node: Node) -> Self {
        Self::signing_with(node, DEV_PRIVATE_KEY)
    }

    /// A sender with a key of its own.
    pub fn signing_with(node: Node, private_key: &str) -> Self {
        let key = private_key.parse().expect("a private key");
        Self { node, contracts: Contracts::default(), key, retry_irreversible: false, wait: None }
    }

    /// Creates the accounts, deploys and issues the token.
    pub fn set_up(node: Node) -> Result<Self, ClientError> {
        Self::new(node).prepared()
    }

    /// The same, waiting until each step is irreversible.
    pub fn set_up_retrying(node: Node) -> Result<Self, ClientError> {
        Self { retry_irreversible: true, ..Self::new(node) }.prepared()
    }

    fn prepared(self) -> Result<Self, ClientError> {
        let mut load = self;
        for account in [TOKEN, ALICE] {
            load.new_account(account)?;
        }
        let folder = contract("eosio.token");
        let code = std::fs::read(folder.join("eosio.token.wasm")).expect("the token is built");
        let abi = std::fs::read_to_string(folder.join("eosio.token.abi")).expect("the token's ABI is built");
        let abi: abi::AbiDefinition = serde_json::from_str(&abi).expect("the token's ABI is one");
        load.set_code(TOKEN, &code)?;
        load.set_abi(TOKEN, &abi)?;
        let create = json!({ "issuer": EOSIO, "maximum_supply": "1000000000.0000 SYS" });
        load.send(TOKEN, name!("create"), TOKEN, &create)?;
        load.send(TOKEN, name!("issue"), EOSIO, &json!({ "to": EOSIO, "quantity": "1000000.0000 SYS", "memo": "" }))?;
        Ok(load)
    }

    /// Makes an account with the key of `eosio`.
    pub fn new_account(&mut self, account: Name) -> Result<Value, ClientError> {
        let authority = json!({
            "threshold": 1, "keys": [{ "key": DEV_PUBLIC_KEY, "weight": 1 }], "accounts": [], "waits": [],
        });
        let new = json!({ "creator": EOSIO, "name": account, "owner": authority, "active": authority });
        self.send(EOSIO, name!("newaccount"), EOSIO, &new)
    }

    /// Sets an account's code.
    pub fn set_code(&mut self, account: Name, code: &[u8]) -> Result<Value, ClientError> {
        let code = json!({ "account": account, "vmtype": 0, "vmversion": 0, "code": hex(code) });
        self.send(EOSIO, name!("setcode"), account, &code)
    }

    /// Sets an account's ABI.
    pub fn set_abi(&mut self, account: Name, abi: &abi::AbiDefinition) -> Result<Value, ClientError> {
        let abi = hex(&primitives::Pack::to_bytes(abi));
        self.send(EOSIO, name!("setabi"), account, &json!({ "account": account, "abi": abi }))
    }

    /// Sends one action without arguments that an ABI would name; every one has its own data.
    pub fn send_plain(&mut self, contract: Name, action: Name, actor: Name) -> Result<Value, ClientError> {
        self.send_data(contract, action, actor, serial().to_le_bytes().to_vec())
    }

    /// Sends one action to a contract of [`crate::modules::rows`], for the rows after a number.
    pub fn send_rows(&mut self, contract: Name, first: u64) -> Result<Value, ClientError> {
        let data = [first, serial()].map(u64::to_le_bytes).concat();
        self.send_data(contract, name!("go"), contract, data)
    }

    /// Sends one action whose arguments are packed already.
    pub fn send_data(
        &mut self,
        contract: Name,
        action: Name,
        actor: Name,
        data: Vec<u8>,
    ) -> Result<Value, ClientError> {
        let authorization = vec![PermissionLevel { actor, permission: name!("active") }];
        self.send_action(Action { account: contract, name: action, authorization, data: Bytes(data) })
    }

    /// Sends one transfer; every one has its own memo.
    pub fn transfer(&mut self) -> Result<Value, ClientError> {
        let memo = format!("{} {}", std::process::id(), serial());
        let transfer = json!({ "from": EOSIO, "to": ALICE, "quantity": "0.0001 SYS", "memo": memo });
        self.send(TOKEN, name!("transfer"), EOSIO, &transfer)
    }

    /// Sends one action with many bytes, of which each has its own: they take room on the disk.
    pub fn fill(&mut self) -> Result<Value, ClientError> {
        let mut bytes = format!("{:?} {}", std::thread::current().id(), serial()).into_bytes();
        bytes.resize(FILLING_BYTES, 0);
        self.send(EOSIO, name!("setabi"), ALICE, &json!({ "account": ALICE, "abi": hex(&bytes) }))
    }

    /// Signs and sends one action.
    pub fn send(&mut self, contract: Name, action: Name, actor: Name, arguments: &Value) -> Result<Value, ClientError> {
        let authorization = vec![PermissionLevel { actor, permission: name!("active") }];
        let action = self.contracts.action(&self.node, contract, action, authorization, arguments)?;
        self.send_action(action)
    }

    /// Signs and sends one action whose data is packed.
    pub fn send_action(&mut self, action: Action) -> Result<Value, ClientError> {
        let settings = SendSettings {
            expiration_sec: 60,
            ref_block: None,
            max_cpu_usage_ms: 0,
            max_net_usage: 0,
            delay_sec: 0,
            compression: Compression::None,
            sign: true,
            sign_with: vec![self.key.public_key()?],
            return_failure_trace: false,
            retry_irreversible: self.retry_irreversible,
            retry_num_blocks: None,
            wait: self.wait,
            route: client::Route::default(),
        };
        let draft = Draft { context_free_actions: Vec::new(), actions: vec![action] };
        let signed = draft.sign(&self.node, std::slice::from_ref(&self.key), &settings)?;
        Ok(Receipt::of(&self.node, &signed, &settings)?.0)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
