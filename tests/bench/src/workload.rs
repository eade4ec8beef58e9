//! The chain that transfers run on, and the transfers: token transfers between many accounts, each with one signature
//! and its own memo, signed before the clock runs.

use std::ops::Range;
use std::path::Path;
use std::thread;
use std::time::Duration;

use abi::AbiDefinition;
use anyhow::Context;
use client::Node;
use primitives::{
    Action, Asset, Authority, BlockId, Bytes, ChainId, Checksum256, Compression, Name, Pack, PackedTransaction,
    PermissionLevel, PrivateKey, SignedTransaction, TimePoint, Transaction, TransactionHeader, name,
};
use serde_json::{Value, json};

/// The development key: `eosio`'s, and that of every account here.
const KEY: &str = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3";
/// Until a block that was begun has another one after it.
const TWO_BLOCKS: Duration = Duration::from_millis(1100);
/// Accounts that transfer.
const ACCOUNTS: usize = 200;
/// Accounts that are created by one transaction.
const ACCOUNTS_PER_TRANSACTION: usize = 20;
/// Transactions stay valid for so long.
const EXPIRATION_SEC: u32 = 3000;
const EOSIO: Name = name!("eosio");
const TOKEN: Name = name!("eosio.token");
const ACTIVE: Name = name!("active");

/// What binds transactions to a chain, and who signs them.
#[derive(Debug)]
pub struct Binding {
    chain_id: ChainId,
    header: TransactionHeader,
    key: PrivateKey,
}

impl Binding {
    fn new(node: &Node) -> anyhow::Result<Self> {
        Self::of(node, KEY.parse()?)
    }

    /// To the chain of a node.
    pub fn of(node: &Node, key: PrivateKey) -> anyhow::Result<Self> {
        let info = node.call("/v1/chain/get_info", &json!({}))?;
        let text = |key: &str| info[key].as_str().with_context(|| format!("get_info has no {key}"));
        let (head, time) = (text("head_block_id")?.parse()?, text("head_block_time")?.parse()?);
        Ok(Self::at(text("chain_id")?.parse()?, &head, time, key))
    }

    /// To a chain with this head.
    pub fn at(chain_id: ChainId, head: &BlockId, head_time: TimePoint, key: PrivateKey) -> Self {
        let expiration = head_time.seconds().plus_seconds(EXPIRATION_SEC);
        let mut header = TransactionHeader { expiration, ..TransactionHeader::default() };
        header.set_reference_block(head);
        Self { chain_id, header, key }
    }

    /// Signs one transaction.
    pub fn sign(&self, actions: Vec<Action>) -> anyhow::Result<PackedTransaction> {
        let transaction = Transaction { header: self.header.clone(), actions, ..Transaction::default() };
        let mut signed = SignedTransaction { transaction, ..SignedTransaction::default() };
        signed.sign(&self.key, &self.chain_id)?;
        Ok(PackedTransaction::new(&signed, Compression::None))
    }
}

fn action(account: Name, name: Name, actor: Name, data: Vec<u8>) -> Action {
    Action { account, name, authorization: vec![PermissionLevel { actor, permission: ACTIVE }], data: Bytes(data) }
}

/// What `send_transaction2` is sent.
pub fn request(transaction: &PackedTransaction) -> Value {
    json!({ "return_failure_trace": false, "retry_trx": false, "transaction": transaction })
}

fn push(node: &Node, actions: Vec<Action>) -> anyhow::Result<()> {
    let transaction = Binding::new(node)?.sign(actions)?;
    node.call("/v1/chain/send_transaction2", &request(&transaction))?;
    Ok(())
}

fn account(index: usize) -> anyhow::Result<Name> {
    let letter = |place: u32| char::from(b'a' + u8::try_from(index / 26usize.pow(place) % 26).unwrap_or(0));
    Ok(format!("acc{}{}{}", letter(2), letter(1), letter(0)).parse()?)
}

fn asset(units: i64) -> anyhow::Result<Asset> {
    Ok(format!("{}.{:04} SYS", units / 10_000, units % 10_000).parse()?)
}

/// Deploys the token of `folder` and gives tokens to every account.
pub fn set_up(node: &Node, folder: &Path) -> anyhow::Result<()> {
    set_up_actions(folder)?.into_iter().try_for_each(|actions| push(node, actions))
}

/// The actions of each transaction that deploys the token of `folder` and gives tokens to every account.
pub fn set_up_actions(folder: &Path) -> anyhow::Result<Vec<Vec<Action>>> {
    let code = std::fs::read(folder.join("eosio.token.wasm"))?;
    let abi: AbiDefinition = serde_json::from_slice(&std::fs::read(folder.join("eosio.token.abi"))?)?;
    let mut all = vec![
        vec![new_account(TOKEN)?],
        vec![
            action(EOSIO, name!("setcode"), TOKEN, (TOKEN, 0u8, 0u8, Bytes(code)).to_bytes()),
            action(EOSIO, name!("setabi"), TOKEN, (TOKEN, Bytes(abi.to_bytes())).to_bytes()),
        ],
        vec![
            action(TOKEN, name!("create"), TOKEN, (EOSIO, asset(100_000_000_000_000)?).to_bytes()),
            action(TOKEN, name!("issue"), EOSIO, (EOSIO, asset(10_000_000_000_000)?, String::new()).to_bytes()),
        ],
    ];
    let accounts = accounts()?;
    for some in accounts.chunks(ACCOUNTS_PER_TRANSACTION) {
        let mut actions = Vec::new();
        for name in some {
            actions.push(new_account(*name)?);
            actions.push(transfer(EOSIO, *name, 100_000_000, "fund")?);
        }
        all.push(actions);
    }
    Ok(all)
}

/// Makes an account with the development key.
pub fn new_account(name: Name) -> anyhow::Result<Action> {
    let authority = Authority::of_key(KEY.parse::<PrivateKey>()?.public_key()?);
    let data = (EOSIO, name, authority.clone(), authority).to_bytes();
    Ok(action(EOSIO, name!("newaccount"), EOSIO, data))
}

/// The accounts that transfer.
pub fn accounts() -> anyhow::Result<Vec<Name>> {
    (0..ACCOUNTS).map(account).collect()
}

/// The `index`-th transfer, which is like no other.
pub fn transfer_at(accounts: &[Name], index: usize) -> anyhow::Result<Action> {
    let count = accounts.len();
    let from = accounts[index % count];
    let to = accounts[(index * 7 + index / count + 1) % count];
    let to = if to == from { accounts[(index + 1) % count] } else { to };
    transfer(from, to, 1, &format!("transfer {index}"))
}

/// Activates all features, with the boot contract of `contracts`.
pub fn activate_features(node: &Node, contracts: &Path) -> anyhow::Result<()> {
    let features = node.call("/v1/producer/get_supported_protocol_features", &json!({}))?;
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for feature in features.as_array().context("features are a list")? {
        let digest = feature["feature_digest"].as_str().context("a feature has a digest")?;
        let name = &feature["specification"][0]["value"];
        if name == "PREACTIVATE_FEATURE" { &mut first } else { &mut later }.push(digest.to_owned());
    }
    let path = "/v1/producer/schedule_protocol_feature_activations";
    node.call(path, &json!({ "protocol_features_to_activate": first }))?;
    thread::sleep(TWO_BLOCKS);
    let code = std::fs::read(contracts.join("eosio.boot/eosio.boot.wasm"))?;
    push(node, vec![action(EOSIO, name!("setcode"), EOSIO, (EOSIO, 0u8, 0u8, Bytes(code)).to_bytes())])?;
    let activate = |digest: &String| -> anyhow::Result<Action> {
        Ok(action(EOSIO, name!("activate"), EOSIO, digest.parse::<Checksum256>()?.to_bytes()))
    };
    push(node, later.iter().map(activate).collect::<anyhow::Result<_>>()?)?;
    thread::sleep(TWO_BLOCKS);
    Ok(())
}

/// Sets code of a new account, the `index`-th.
pub fn set_code(node: &Node, index: usize, code: &[u8]) -> anyhow::Result<Name> {
    let name = account(index)?;
    let set = (name, 0u8, 0u8, Bytes(code.to_vec())).to_bytes();
    if node.call("/v1/chain/get_account", &json!({ "account_name": name })).is_err() {
        push(node, vec![new_account(name)?])?;
    }
    push(node, vec![action(EOSIO, name!("setcode"), name, set)])?;
    Ok(name)
}

/// The request that calls a contract with nothing.
pub fn call(node: &Node, contract: Name) -> anyhow::Result<Value> {
    let signed = Binding::new(node)?.sign(vec![action(contract, name!("go"), contract, Vec::new())])?;
    let request = json!({ "return_failure_trace": true, "retry_trx": false, "transaction": signed });
    Ok(request)
}

/// Calls a contract with a number.
pub fn call_with(node: &Node, contract: Name, number: u64) -> anyhow::Result<()> {
    // Two numbers: no two transactions are the same.
    let salt = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos() as u64);
    push(node, vec![action(contract, name!("go"), contract, (number, salt).to_bytes())])
}

fn transfer(from: Name, to: Name, units: i64, memo: &str) -> anyhow::Result<Action> {
    let data = (from, to, asset(units)?, memo.to_owned()).to_bytes();
    Ok(action(TOKEN, name!("transfer"), from, data))
}

/// Bodies of `count` requests to `send_transaction2`, made by all cores.
pub fn transfers(node: &Node, count: usize) -> anyhow::Result<Vec<String>> {
    let binding = Binding::new(node)?;
    let accounts = accounts()?;
    by_all_cores(0..count, |index| {
        let transaction = binding.sign(vec![transfer_at(&accounts, index)?])?;
        Ok(request(&transaction).to_string())
    })
}

/// What `one` makes of each number, in order, made by all cores.
pub fn by_all_cores<T: Send>(
    numbers: Range<usize>,
    one: impl Fn(usize) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = numbers.len().div_ceil(workers).max(1);
    thread::scope(|scope| {
        let parts: Vec<_> = numbers
            .clone()
            .step_by(share)
            .map(|first| {
                let (range, one) = (first..(first + share).min(numbers.end), &one);
                scope.spawn(move || range.map(one).collect::<anyhow::Result<Vec<_>>>())
            })
            .collect();
        let mut all = Vec::with_capacity(numbers.len());
        for part in parts {
            all.extend(part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    })
}
