//! The chain of a test.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use abi::{Abi, AbiDefinition, Limits};
use chain::{Chain, Doors, LiveChain, Settings};
use execution::features::Feature;
use execution::{Clock, StoppedClock, TransactionTrace};
use genesis::{Contract, Document, LocalProducer, contracts, later_features};
use primitives::{
    Action, Asset, Authority, Bytes, Checksum256, Genesis, Name, Pack, PackedTransaction, PermissionLevel, PrivateKey,
    PublicKey, Sha256, Symbol, TimePoint, WaitWeight,
};
use serde_json::Value;

use crate::Outcome;
use crate::compiled::Compiled;

/// When the chains of tests begin: 2025-01-01T00:00:00.
const BEGIN: TimePoint = TimePoint(1_735_689_600_000_000);
const SLOTS_PER_SECOND: u32 = 2;
/// What [`Tester::account`] buys: bytes, and whole tokens staked for each of net and CPU.
const ACCOUNT_RAM_BYTES: u32 = 1 << 20;
const ACCOUNT_STAKE: i64 = 100;
const EOSIO: Name = primitives::name!("eosio");
const ACTIVE: Name = primitives::name!("active");

/// A chain, and the keys of its producers and accounts.
#[allow(missing_debug_implementations, reason = "a whole chain is not printed")]
pub struct Tester {
    chain: LiveChain,
    producer: LocalProducer,
    abis: BTreeMap<Name, (u64, Arc<Abi>)>,
    /// The token that RAM and stake are paid in; on a bare chain nothing is.
    core: Option<Symbol>,
}

/// A name in a test's code.
#[track_caller]
pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap_or_else(|fault| panic!("{fault}"))
}

impl Tester {
    /// A chain with all protocol features and `eosio.bios`; accounts have no limits.
    pub fn bare() -> Self {
        Self::new().with_bios()
    }

    /// As [`Tester::bare`], with a clock as of [`Tester::timed_system`].
    pub fn timed_bare(clock: Box<dyn Clock>) -> Self {
        Self::with_clock(clock).with_bios()
    }

    fn with_bios(self) -> Self {
        let mut tester = self;
        tester.block(vec![Feature::PreactivateFeature.digest()], &[]);
        tester.deploy(EOSIO, &contracts::BIOS);
        for digest in later_features() {
            tester.push("eosio", "activate", "eosio", serde_json::json!({ "feature_digest": digest })).succeed();
        }
        tester.produce(1);
        tester
    }

    /// A chain with the system contracts running: the accounts, token and elected producer of [`Document::dev`].
    pub fn system() -> Self {
        Self::from_document(&Document::dev())
    }

    /// A chain booted from a document.
    ///
    /// # Panics
    /// When the document cannot be planned or a step of the plan fails.
    #[track_caller]
    pub fn from_document(document: &Document) -> Self {
        Self::boot(Self::new(), document)
    }

    /// As [`Tester::system`], with a clock that is read when actions begin and end: their traces tell how long they took.
    /// What they are billed does not depend on it.
    pub fn timed_system(clock: Box<dyn Clock>) -> Self {
        Self::boot(Self::with_clock(clock), &Document::dev())
    }

    /// As [`Tester::from_document`], with a clock as of [`Tester::timed_system`].
    ///
    /// # Panics
    /// As [`Tester::from_document`].
    #[track_caller]
    pub fn timed_from_document(document: &Document, clock: Box<dyn Clock>) -> Self {
        Self::boot(Self::with_clock(clock), document)
    }

    #[track_caller]
    fn boot(mut tester: Self, document: &Document) -> Self {
        for named in
            document.accounts.iter().map(|account| account.name).chain(document.producers.iter().map(|p| p.name))
        {
            tester.know(genesis::document::dev_key(named));
        }
        let booted = tester.producer.boot(&mut tester.chain, document, &public(&tester_key()));
        booted.unwrap_or_else(|error| panic!("{error}"));
        tester.core = Some(document.core_symbol);
        tester
    }

    /// Block 1 and nothing else.
    fn new() -> Self {
        Self::with_clock(Box::new(StoppedClock))
    }

    fn with_clock(clock: Box<dyn Clock>) -> Self {
        let genesis = Genesis { initial_timestamp: BEGIN, initial_key: public(&tester_key()), ..Genesis::default() };
        let doors = Doors { clock, engine: wasm::Engine::new().with_backtraces(), code_cache: Box::new(Compiled) };
        let chain = LiveChain::from_genesis(&genesis, Settings::default(), doors).expect("a valid genesis");
        let producer = LocalProducer::after(chain.head().header.timestamp());
        let mut tester = Self { chain, producer, abis: BTreeMap::new(), core: None };
        tester.know(tester_key());
        tester
    }

    /// The chain itself.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The key of every account that the tester creates.
    pub fn key(&self) -> PublicKey {
        public(&tester_key())
    }

    /// Lets the tester sign with a key.
    pub fn know(&mut self, key: PrivateKey) {
        self.producer.know(key).expect("a valid secret");
    }

    /// The time of the head block.
    pub fn now(&self) -> TimePoint {
        self.chain.head_time()
    }

    /// Produces blocks in the next slots.
    #[track_caller]
    pub fn produce(&mut self, blocks: u32) {
        for _ in 0..blocks {
            self.block(Vec::new(), &[]);
        }
    }

    /// Moves time: the next block is so many seconds later.
    #[track_caller]
    pub fn advance(&mut self, seconds: u32) {
        self.producer.skip(seconds * SLOTS_PER_SECOND);
        self.produce(1);
    }

    /// Creates an account with the tester's key and the right to act through its own code (`eosio.code`).
    #[track_caller]
    pub fn create(&mut self, account: &str) {
        let action = self.newaccount(name(account));
        self.push_action(action).succeed();
    }

    fn newaccount(&self, account: Name) -> Action {
        let owner = Authority::of_key(self.key());
        let mut active = owner.clone();
        active.accounts.push(primitives::PermissionLevelWeight {
            permission: PermissionLevel { actor: account, permission: primitives::name!("eosio.code") },
            weight: 1,
        });
        active.waits = Vec::<WaitWeight>::new();
        let data = (EOSIO, account, owner, active).to_bytes();
        self.native("newaccount", EOSIO, data)
    }

    /// Creates an account as [`Tester::create`] does; on a chain with the system contracts it gets a MiB of RAM, and a
    /// hundred tokens each staked for net and CPU, from `eosio`.
    #[track_caller]
    pub fn account(&mut self, account: &str) {
        let Some(symbol) = self.core else { return self.create(account) };
        let tokens = |whole: i64| Asset { amount: whole * 10i64.pow(symbol.precision().into()), symbol };
        let ram = serde_json::json!({ "payer": "eosio", "receiver": account, "bytes": ACCOUNT_RAM_BYTES });
        let stake = serde_json::json!({
            "from": "eosio", "receiver": account, "stake_net_quantity": tokens(ACCOUNT_STAKE),
            "stake_cpu_quantity": tokens(ACCOUNT_STAKE), "transfer": false,
        });
        let actions = vec![
            self.newaccount(name(account)),
            self.action("eosio", "buyrambytes", "eosio", &ram),
            self.action("eosio", "delegatebw", "eosio", &stake),
        ];
        self.push_actions(actions).succeed();
    }

    /// Bytes of RAM that an account uses.
    ///
    /// # Panics
    /// There is no such account.
    #[track_caller]
    pub fn ram_bytes(&self, account: &str) -> u64 {
        let ledger = self.chain.ledger();
        let id = ledger.find_account(name(account)).unwrap_or_else(|| panic!("there is no account {account}"));
        ledger.account_usage(id).ram
    }

    /// Deploys an embedded system contract.
    #[track_caller]
    pub fn deploy(&mut self, account: Name, contract: &Contract) {
        self.deploy_code(account, contract.wasm, &contract.packed_abi());
    }

    /// Deploys a module without an ABI.
    #[track_caller]
    pub fn deploy_module(&mut self, account: &str, wasm: &[u8]) {
        let account = name(account);
        let code = (account, 0u8, 0u8, Bytes::from(wasm)).to_bytes();
        self.push_action(self.native("setcode", account, code)).succeed();
    }

    /// Deploys `NAME.wasm` and `NAME.abi` of a folder NAME.
    ///
    /// # Panics
    /// When a file cannot be read or the contract is refused.
    #[track_caller]
    pub fn deploy_folder(&mut self, account: &str, folder: impl AsRef<Path>) {
        let folder = folder.as_ref();
        let stem = folder.file_name().unwrap_or_else(|| panic!("{} has no name", folder.display())).to_string_lossy();
        let read = |extension: &str| {
            let path = folder.join(format!("{stem}.{extension}"));
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let abi: AbiDefinition =
            serde_json::from_slice(&read("abi")).unwrap_or_else(|error| panic!("{stem}.abi: {error}"));
        self.deploy_code(name(account), &read("wasm"), &abi.to_bytes());
    }

    #[track_caller]
    fn deploy_code(&mut self, account: Name, wasm: &[u8], abi: &[u8]) {
        let code = (account, 0u8, 0u8, Bytes::from(wasm)).to_bytes();
        let abi = (account, Bytes::from(abi)).to_bytes();
        let actions = vec![self.native("setcode", account, code), self.native("setabi", account, abi)];
        self.push_actions(actions).succeed();
    }

    fn native(&self, action: &str, actor: Name, data: Vec<u8>) -> Action {
        let authorization = vec![PermissionLevel { actor, permission: ACTIVE }];
        Action { account: EOSIO, name: name(action), authorization, data: Bytes(data) }
    }

    /// Pushes one action with JSON arguments. `actor` is `account` or `account@permission`.
    #[track_caller]
    #[must_use = "a test says what it expects: succeed(), refuse() or fail()"]
    pub fn push(&mut self, contract: &str, action: &str, actor: &str, arguments: Value) -> Outcome {
        let action = self.action(contract, action, actor, &arguments);
        self.push_action(action)
    }

    /// Packs one action by its contract's ABI.
    ///
    /// # Panics
    /// When the ABI does not know it or the arguments do not fit.
    #[track_caller]
    pub fn action(&mut self, contract: &str, action: &str, actor: &str, arguments: &Value) -> Action {
        let (account, action) = (name(contract), name(action));
        let abi = self.abi(account);
        let kind = abi.action_type(action).unwrap_or_else(|| panic!("{account} has no action {action} in its ABI"));
        let data = abi.encode(kind, arguments, &Limits::default());
        let data = data.unwrap_or_else(|fault| panic!("arguments of {account}::{action}: {fault}"));
        let (actor, permission) = actor.split_once('@').unwrap_or((actor, "active"));
        let authorization = vec![PermissionLevel { actor: name(actor), permission: name(permission) }];
        Action { account, name: action, authorization, data: Bytes(data) }
    }

    /// An action's arguments as JSON.
    ///
    /// # Panics
    /// When the contract's ABI does not know the action or the data is not of its type.
    #[track_caller]
    pub fn arguments(&mut self, action: &Action) -> Value {
        let place = || format!("{}::{}", action.account, action.name);
        let abi = self.abi(action.account);
        let kind = abi.action_type(action.name).unwrap_or_else(|| panic!("{} is not in the ABI", place()));
        let arguments = abi.decode(kind, &action.data.0, &Limits::default());
        arguments.unwrap_or_else(|fault| panic!("arguments of {}: {fault}", place()))
    }

    /// Pushes one packed action.
    #[track_caller]
    #[must_use = "a test says what it expects: succeed(), refuse() or fail()"]
    pub fn push_action(&mut self, action: Action) -> Outcome {
        self.push_actions(vec![action])
    }

    /// Pushes a transaction of several actions; it is a block of its own.
    #[track_caller]
    #[must_use = "a test says what it expects: succeed(), refuse() or fail()"]
    pub fn push_actions(&mut self, actions: Vec<Action>) -> Outcome {
        let transaction = self.producer.sign(&self.chain, actions).expect("a known key is valid");
        Outcome(self.block(Vec::new(), &[transaction]).remove(0))
    }

    /// The ABI that a contract's account has now.
    #[track_caller]
    pub(crate) fn abi(&mut self, account: Name) -> Arc<Abi> {
        let exists = self.chain.ledger().find_account(account).is_some();
        assert!(exists, "there is no account {account}");
        self.find_abi(account).unwrap_or_else(|| panic!("{account} has no ABI"))
    }

    /// The ABI that an account has now, if it has one.
    #[track_caller]
    pub(crate) fn find_abi(&mut self, account: Name) -> Option<Arc<Abi>> {
        let ledger = self.chain.ledger();
        let id = ledger.find_account(account)?;
        let version = ledger.account_metadata(id).abi_sequence;
        if let Some((known, abi)) = self.abis.get(&account).filter(|(known, _)| *known == version) {
            debug_assert_eq!(*known, version);
            return Some(abi.clone());
        }
        let abi = Abi::from_account(&ledger.account_info(id).abi, &Limits::default());
        let abi = abi.unwrap_or_else(|fault| panic!("ABI of {account}: {fault}"));
        let abi = Arc::new(abi?);
        self.abis.insert(account, (version, abi.clone()));
        Some(abi)
    }

    /// Builds the block of the next slot with these transactions.
    #[track_caller]
    fn block(&mut self, features: Vec<Checksum256>, transactions: &[PackedTransaction]) -> Vec<Arc<TransactionTrace>> {
        // Contracts need more stack than a test's thread has: once for the block, not for each action.
        let built = wasm::with_enough_stack(|| self.producer.block(&mut self.chain, features, transactions));
        built.unwrap_or_else(|error| panic!("a block cannot be built: {error}")).0
    }
}

fn public(key: &PrivateKey) -> PublicKey {
    key.public_key().expect("a valid secret")
}

fn tester_key() -> PrivateKey {
    PrivateKey::k1_from_seed(Sha256::of(b"the tester's key").0).expect("a hash is a valid secret")
}
