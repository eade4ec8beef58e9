//! A document as stages: what is pushed to a new chain, in which order and by whom.

use abi::Limits;
use primitives::{Action, Authority, Bytes, Checksum256, Name, Pack, PermissionLevel, PublicKey, name};
use serde_json::{Map, Value, json};

use crate::contracts::{BIOS, Contract, MSIG, SYSTEM, TOKEN, WRAP};
use crate::{Document, GenesisError};

const EOSIO: Name = name!("eosio");
const ACTIVE: Name = name!("active");
/// Accounts that the system contract works with.
const SYSTEM_ACCOUNTS: [Name; 12] = [
    name!("eosio.bpay"),
    name!("eosio.fees"),
    name!("eosio.msig"),
    name!("eosio.names"),
    name!("eosio.ram"),
    name!("eosio.ramfee"),
    name!("eosio.reserv"),
    name!("eosio.rex"),
    name!("eosio.saving"),
    name!("eosio.stake"),
    name!("eosio.token"),
    name!("eosio.vpay"),
];
const WRAP_ACCOUNT: Name = name!("eosio.wrap");
/// Whole tokens that are staked for a producer's account, and RAM that is bought for it.
const PRODUCER_STAKE: i64 = 20;
const PRODUCER_RAM_BYTES: u32 = 64 * 1024;
/// Producers that one account can vote for, as the system contract has it.
const VOTES_MAX: usize = 30;
/// Accounts of one transaction: it has to fit the limits of a small chain.
const ACCOUNTS_PER_TRANSACTION: usize = 4;

/// Slots between two elections where the document does not say.
const SCHEDULE_INTERVAL_SLOTS: i64 = 120;
/// The system contract's own bound: elections at least once a day.
const SCHEDULE_INTERVAL_SLOTS_MAX: i64 = 2 * 24 * 3600;
/// The table whose fields are the numbers that a document can set.
const PARAMETERS: Name = name!("chainparams");
/// Slots from the election of a schedule to its first block, with room.
const SCHEDULE_MARGIN_SLOTS: u32 = 120;

/// The accounts that the boot makes beside those of the document, for people.
pub fn system_accounts_text() -> String {
    let names: Vec<String> = SYSTEM_ACCOUNTS.iter().chain([&WRAP_ACCOUNT]).map(ToString::to_string).collect();
    names.join(", ")
}

/// Actions that go into one transaction.
pub type Transaction = Vec<Action>;

/// A step of the plan. Stages are separated by at least one block.
#[derive(Debug, Clone)]
pub enum Stage {
    /// Activate this feature with the next block's header (it needs no preactivation).
    Activate(Checksum256),
    /// Push these transactions, signed with the boot key, in order; they may share a block.
    Push(Vec<Transaction>),
    /// Produce blocks until the schedule has these producers.
    AwaitSchedule {
        /// Their names, sorted.
        producers: Vec<Name>,
        /// Slots after which they will never be.
        slots_max: u32,
    },
}

/// The way from block 1 to a running system.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Stages in order.
    pub stages: Vec<Stage>,
}

/// The contract at work on an account, with the ABI that packs its arguments.
struct Caller {
    account: Name,
    abi: abi::Abi,
}

impl Caller {
    fn new(contract: &Contract, account: Name) -> Self {
        Self { account, abi: contract.abi() }
    }

    fn call(&self, action: Name, actor: Name, arguments: &Value) -> Result<Action, GenesisError> {
        let place = || format!("{}::{action}", self.account);
        let kind = self.abi.action_type(action).ok_or_else(|| GenesisError::new(place(), "no such action"))?;
        let data = self.abi.encode(kind, arguments, &Limits::default());
        let data = data.map_err(|fault| GenesisError::new(place(), fault))?;
        let authorization = vec![PermissionLevel { actor, permission: ACTIVE }];
        Ok(Action { account: self.account, name: action, authorization, data: Bytes(data) })
    }
}

impl Plan {
    /// Plans a document.
    ///
    /// `boot_key` is the key of `eosio` and of the system's accounts; `preactivation` is the digest of
    /// PREACTIVATE_FEATURE, `features` are the others in an order that keeps their dependencies.
    ///
    /// # Errors
    /// The part of the document that cannot be packed.
    pub fn new(
        document: &Document,
        boot_key: &PublicKey,
        preactivation: Checksum256,
        features: &[Checksum256],
    ) -> Result<Self, GenesisError> {
        let bios = Caller::new(&BIOS, EOSIO);
        let system = Caller::new(&SYSTEM, EOSIO);
        let token = Caller::new(&TOKEN, TOKEN.account);
        let activate = features.iter().map(|digest| {
            bios.call(name!("activate"), EOSIO, &json!({ "feature_digest": digest })).map(|action| vec![action])
        });
        let mut stages = vec![
            Stage::Activate(preactivation),
            Stage::Push(vec![deploy(&BIOS, EOSIO)]),
            Stage::Push(activate.collect::<Result<_, _>>()?),
            Stage::Push(system_accounts(&bios, &token, document, boot_key)?),
            Stage::Push(vec![deploy(&SYSTEM, EOSIO)]),
            Stage::Push(start_system(&system, document)?),
            Stage::Push(accounts(&system, &token, document, boot_key)?),
        ];
        if !document.producers.is_empty() {
            stages.push(Stage::Push(producers(&system, &token, document, boot_key)?));
            stages.push(Stage::Push(votes(&system, document)?));
            let mut names: Vec<_> = document.producers.iter().map(|producer| producer.name).collect();
            names.sort();
            stages.push(Stage::AwaitSchedule { producers: names, slots_max: schedule_slots_max(document)? });
        }
        Ok(Self { stages })
    }

    /// Slots that the plan takes at most when each transaction has a block of its own.
    pub fn slots_max(&self) -> u32 {
        let slots = |stage: &Stage| match stage {
            Stage::Activate(_) => 1,
            Stage::Push(transactions) => u32::try_from(transactions.len()).unwrap_or(u32::MAX),
            Stage::AwaitSchedule { slots_max, .. } => *slots_max,
        };
        self.stages.iter().fold(0, |sum: u32, stage| sum.saturating_add(slots(stage)).saturating_add(1))
    }
}

/// The system contract looks at the votes once in an interval; then the schedule has to become irreversible.
fn schedule_slots_max(document: &Document) -> Result<u32, GenesisError> {
    let interval = document.parameters.get("schedule_interval_slots");
    let interval = interval.map_or(Some(SCHEDULE_INTERVAL_SLOTS), number);
    let slots = interval.filter(|slots| (0..=SCHEDULE_INTERVAL_SLOTS_MAX).contains(slots));
    let slots = slots.and_then(|slots| u32::try_from(slots).ok()).ok_or_else(|| {
        let reason = format!("is not a number from 0 to {SCHEDULE_INTERVAL_SLOTS_MAX}");
        GenesisError::new("parameters.schedule_interval_slots", reason)
    })?;
    Ok(slots + SCHEDULE_MARGIN_SLOTS)
}

/// `setcode` and `setabi`.
fn deploy(contract: &Contract, account: Name) -> Transaction {
    let (vm_type, vm_version) = (0u8, 0u8);
    let code = (account, vm_type, vm_version, Bytes::from(contract.wasm)).to_bytes();
    let abi = (account, Bytes(contract.packed_abi())).to_bytes();
    [(name!("setcode"), code), (name!("setabi"), abi)]
        .map(|(action, data)| Action {
            account: EOSIO,
            name: action,
            authorization: vec![PermissionLevel { actor: account, permission: ACTIVE }],
            data: Bytes(data),
        })
        .into()
}

fn newaccount(caller: &Caller, name: Name, key: &PublicKey) -> Result<Action, GenesisError> {
    let authority = Authority::of_key(key.clone());
    let arguments = json!({ "creator": EOSIO, "name": name, "owner": authority, "active": authority });
    caller.call(name!("newaccount"), EOSIO, &arguments)
}

fn system_accounts(
    bios: &Caller,
    token: &Caller,
    document: &Document,
    boot_key: &PublicKey,
) -> Result<Vec<Transaction>, GenesisError> {
    let names = SYSTEM_ACCOUNTS.iter().chain([&WRAP_ACCOUNT]);
    let create = names.map(|name| newaccount(bios, *name, boot_key)).collect::<Result<Vec<_>, _>>()?;
    let privileged = |account: Name| bios.call(name!("setpriv"), EOSIO, &json!({ "account": account, "is_priv": 1 }));
    let supply = json!({ "issuer": EOSIO, "maximum_supply": document.maximum_supply });
    let issue = json!({ "to": EOSIO, "quantity": document.initial_supply, "memo": "first supply" });
    Ok(vec![
        create,
        deploy(&TOKEN, TOKEN.account),
        deploy(&MSIG, MSIG.account),
        deploy(&WRAP, WRAP.account),
        vec![privileged(MSIG.account)?, privileged(WRAP.account)?],
        vec![token.call(name!("create"), TOKEN.account, &supply)?, token.call(name!("issue"), EOSIO, &issue)?],
    ])
}

fn start_system(system: &Caller, document: &Document) -> Result<Vec<Transaction>, GenesisError> {
    let init = system.call(name!("init"), EOSIO, &json!({ "version": 0, "core": document.core_symbol }))?;
    let mut transactions = vec![vec![init]];
    if !document.parameters.is_empty() {
        let changes = changes(&document.parameters)?;
        transactions.push(vec![system.call(name!("setchain"), EOSIO, &json!({ "changes": changes }))?]);
    }
    Ok(transactions)
}

/// What `setchain` takes: these numbers, each under its name; yes and no are 1 and 0.
///
/// # Errors
/// The system contract has no number of a name, or a value is not one.
pub fn changes(parameters: &Map<String, Value>) -> Result<Value, GenesisError> {
    let known = parameter_names();
    let change = |(parameter, value): (&String, &Value)| {
        let error = |reason| GenesisError::new(format!("parameters.{parameter}"), reason);
        if !known.contains(parameter) {
            return Err(error("the system contract has no such parameter"));
        }
        let value = number(value).ok_or_else(|| error("is not a whole number, true or false"))?;
        Ok(json!({ "parameter": parameter, "value": value }))
    };
    parameters.iter().map(change).collect::<Result<Vec<_>, _>>().map(Value::from)
}

/// The fields of the system contract's row of numbers.
pub(crate) fn parameter_names() -> Vec<String> {
    let abi = SYSTEM.abi_definition();
    let row = abi.tables.iter().find(|table| table.name == PARAMETERS).map(|table| &table.kind);
    let fields = abi.structs.iter().filter(|kind| Some(&kind.name) == row).flat_map(|kind| &kind.fields);
    fields.map(|field| field.name.to_string()).collect()
}

/// A number that may be spelled as text, or yes or no.
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(yes) => Some(i64::from(*yes)),
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

/// Creates an account with RAM and stake, and gives it its balance.
fn account(
    system: &Caller,
    token: &Caller,
    account: &crate::Account,
    key: &PublicKey,
) -> Result<Transaction, GenesisError> {
    let half = primitives::Asset { amount: account.stake.amount / 2, ..account.stake };
    let rest = primitives::Asset { amount: account.stake.amount - half.amount, ..account.stake };
    let ram = json!({ "payer": EOSIO, "receiver": account.name, "bytes": account.ram_bytes });
    let stake = json!({
        "from": EOSIO, "receiver": account.name,
        "stake_net_quantity": half, "stake_cpu_quantity": rest, "transfer": true,
    });
    let mut actions = vec![newaccount(system, account.name, key)?, system.call(name!("buyrambytes"), EOSIO, &ram)?];
    if account.stake.amount > 0 {
        actions.push(system.call(name!("delegatebw"), EOSIO, &stake)?);
    }
    if account.balance.amount > 0 {
        let give = json!({ "from": EOSIO, "to": account.name, "quantity": account.balance, "memo": "" });
        actions.push(token.call(name!("transfer"), EOSIO, &give)?);
    }
    Ok(actions)
}

/// The accounts of the document. Those that vote have the boot key until they have voted.
fn accounts(
    system: &Caller,
    token: &Caller,
    document: &Document,
    boot_key: &PublicKey,
) -> Result<Vec<Transaction>, GenesisError> {
    let each = document.accounts.iter().map(|entry| {
        let key = if entry.votes.is_empty() { entry.public_key() } else { boot_key.clone() };
        account(system, token, entry, &key)
    });
    let each = each.collect::<Result<Vec<_>, _>>()?;
    Ok(each.chunks(ACCOUNTS_PER_TRANSACTION).map(<[Transaction]>::concat).collect())
}

/// Creates and registers the producers, signed with the boot key.
fn producers(
    system: &Caller,
    token: &Caller,
    document: &Document,
    boot_key: &PublicKey,
) -> Result<Vec<Transaction>, GenesisError> {
    let core = |units: i64| primitives::Asset { amount: units, symbol: document.core_symbol };
    let whole = 10i64.pow(u32::from(document.core_symbol.precision()));
    let mut transactions = Vec::new();
    for (location, producer) in document.producers.iter().enumerate() {
        let entry = crate::Account {
            name: producer.name,
            key: None,
            balance: core(0),
            stake: core(whole.saturating_mul(PRODUCER_STAKE)),
            ram_bytes: PRODUCER_RAM_BYTES,
            votes: Vec::new(),
        };
        transactions.push(account(system, token, &entry, boot_key)?);
        let register = json!({
            "producer": producer.name, "producer_key": producer.public_key(), "url": producer.url, "location": location,
        });
        // Only an account that is there when a transaction begins can authorize it.
        transactions.push(vec![system.call(name!("regproducer"), producer.name, &register)?]);
    }
    Ok(transactions)
}

/// The votes of the document's accounts; where none of them votes, the producers elect themselves. Whoever has voted, and
/// every producer, gets its own key.
fn votes(system: &Caller, document: &Document) -> Result<Vec<Transaction>, GenesisError> {
    let vote = |voter: Name, producers: &[Name]| {
        let mut producers = producers.to_vec();
        producers.sort();
        let arguments = json!({ "voter": voter, "proxy": "", "producers": producers });
        system.call(name!("voteproducer"), voter, &arguments)
    };
    let mut transactions = Vec::new();
    for voter in document.accounts.iter().filter(|account| !account.votes.is_empty()) {
        let own_key = own_key(system, voter.name, &voter.public_key())?;
        transactions.push([vec![vote(voter.name, &voter.votes)?], own_key].concat());
    }
    let nobody_votes = transactions.is_empty();
    let first: Vec<_> = document.producers.iter().map(|producer| producer.name).take(VOTES_MAX).collect();
    for producer in &document.producers {
        let mut actions = own_key(system, producer.name, &producer.public_key())?;
        if nobody_votes && first.contains(&producer.name) {
            actions.insert(0, vote(producer.name, &first)?);
        }
        transactions.push(actions);
    }
    Ok(transactions)
}

/// Replaces the boot key of an account.
fn own_key(system: &Caller, account: Name, key: &PublicKey) -> Result<Transaction, GenesisError> {
    let update = |(permission, parent): (Name, Name)| {
        let auth = Authority::of_key(key.clone());
        let update = json!({ "account": account, "permission": permission, "parent": parent, "auth": auth });
        let mut action = system.call(name!("updateauth"), account, &update)?;
        action.authorization[0].permission = name!("owner");
        Ok(action)
    };
    [(ACTIVE, name!("owner")), (name!("owner"), name!(""))].into_iter().map(update).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot_key() -> PublicKey {
        crate::document::dev_key(EOSIO).public_key().expect("valid")
    }

    #[test]
    fn the_built_in_document_can_be_planned() {
        let plan = Plan::new(&Document::dev(), &boot_key(), Checksum256::default(), &[Checksum256([1; 32])]);
        let stages = plan.expect("the built-in document is sound").stages;
        assert!(matches!(stages.last(), Some(Stage::AwaitSchedule { producers, .. }) if producers.len() == 1));
    }

    #[test]
    fn a_parameter_that_is_none_is_named() {
        let mut document = Document::dev();
        document.parameters.insert("refund_delay".to_owned(), json!(5));
        let error = Plan::new(&document, &boot_key(), Checksum256::default(), &[]).expect_err("a typo");
        assert!(error.to_string().contains("parameters.refund_delay"), "{error}");
    }
}
