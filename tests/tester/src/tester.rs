//! The chain of a test.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use abi::{Abi, AbiDefinition, Limits};
use chain::{BlockPurpose, Chain, Doors, Settings, StartBlock, recover_transaction};
use execution::features::{FEATURES, Feature};
use execution::{Budget, StoppedClock, TransactionTrace};
use genesis::{Contract, Document, Plan, Stage, contracts};
use primitives::{
    Action, Authority, BlockTimestamp, Bytes, Checksum256, Compression, Genesis, Name, Pack, PackedTransaction,
    PermissionLevel, PrivateKey, PublicKey, Sha256, Signature, SignedTransaction, TimePoint, Transaction, WaitWeight,
};
use serde_json::Value;

use crate::Outcome;

/// When the chains of tests begin: 2025-01-01T00:00:00.
const BEGIN: TimePoint = TimePoint(1_735_689_600_000_000);
/// CPU that every transaction is billed: the minimum, so that tests do not depend on the machine.
const BILLED_CPU_US: u32 = 100;
/// A transaction of a test expires after this.
const EXPIRATION_SEC: u32 = 60;
const SLOTS_PER_SECOND: u32 = 2;
/// A schedule is in force at the latest after so many blocks, or it will never be.
const SCHEDULE_BLOCKS_MAX: u32 = 400;
const EOSIO: Name = primitives::name!("eosio");
const ACTIVE: Name = primitives::name!("active");

/// A chain, the keys of its producers and accounts, and its time.
#[allow(missing_debug_implementations, reason = "a whole chain is not printed")]
pub struct Tester {
    chain: Chain,
    /// Private keys by their public half.
    keys: BTreeMap<PublicKey, PrivateKey>,
    abis: BTreeMap<Name, (u64, Arc<Abi>)>,
    slot: BlockTimestamp,
}

/// A name in a test's code.
#[track_caller]
pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap_or_else(|fault| panic!("{fault}"))
}

impl Tester {
    /// A chain with all protocol features and `eosio.bios`; accounts have no limits.
    pub fn bare() -> Self {
        let mut tester = Self::new();
        tester.activate(Feature::PreactivateFeature.digest());
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
        let mut tester = Self::new();
        for named in
            document.accounts.iter().map(|account| account.name).chain(document.producers.iter().map(|p| p.name))
        {
            tester.know(genesis::document::dev_key(named));
        }
        let boot_key = public(&tester_key());
        let plan = Plan::new(document, &boot_key, Feature::PreactivateFeature.digest(), &later_features());
        for stage in plan.unwrap_or_else(|error| panic!("{error}")).stages {
            tester.run(stage);
        }
        tester
    }

    /// Block 1 and nothing else.
    fn new() -> Self {
        let genesis = Genesis { initial_timestamp: BEGIN, initial_key: public(&tester_key()), ..Genesis::default() };
        let doors =
            Doors { clock: Box::new(StoppedClock), engine: wasm::Engine::new(), code_cache: Box::new(wasm::NoCache) };
        let chain = Chain::from_genesis(&genesis, Settings::default(), doors).expect("a valid genesis");
        let slot = chain.head().header.timestamp();
        let mut tester = Self { chain, keys: BTreeMap::new(), abis: BTreeMap::new(), slot };
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
        self.keys.insert(public(&key), key);
    }

    /// The time of the head block.
    pub fn now(&self) -> TimePoint {
        self.chain.head_time()
    }

    /// Produces blocks in the next slots.
    #[track_caller]
    pub fn produce(&mut self, blocks: u32) {
        for _ in 0..blocks {
            self.in_block(Vec::new(), |_| ());
        }
    }

    /// Moves time: the next block is so many seconds later.
    #[track_caller]
    pub fn advance(&mut self, seconds: u32) {
        self.slot.0 += seconds * SLOTS_PER_SECOND;
        self.produce(1);
    }

    /// Creates an account with the tester's key and the right to act through its own code (`eosio.code`).
    #[track_caller]
    pub fn create(&mut self, account: &str) {
        let account = name(account);
        let owner = Authority::of_key(self.key());
        let mut active = owner.clone();
        active.accounts.push(primitives::PermissionLevelWeight {
            permission: PermissionLevel { actor: account, permission: primitives::name!("eosio.code") },
            weight: 1,
        });
        active.waits = Vec::<WaitWeight>::new();
        let data = (EOSIO, account, owner, active).to_bytes();
        self.push_action(self.native("newaccount", EOSIO, data)).succeed();
    }

    /// Deploys an embedded system contract.
    #[track_caller]
    pub fn deploy(&mut self, account: Name, contract: &Contract) {
        self.deploy_code(account, contract.wasm, &contract.packed_abi());
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
        let transaction = self.sign(actions);
        Outcome(self.in_block(Vec::new(), |tester| tester.run_transaction(&transaction)))
    }

    /// The ABI that a contract's account has now.
    #[track_caller]
    pub(crate) fn abi(&mut self, account: Name) -> Arc<Abi> {
        let ledger = self.chain.ledger();
        let id = ledger.find_account(account).unwrap_or_else(|| panic!("there is no account {account}"));
        let version = ledger.account_metadata(id).abi_sequence;
        if let Some((known, abi)) = self.abis.get(&account).filter(|(known, _)| *known == version) {
            debug_assert_eq!(*known, version);
            return abi.clone();
        }
        let abi = Abi::from_account(&ledger.account_info(id).abi, &Limits::default());
        let abi = abi.unwrap_or_else(|fault| panic!("ABI of {account}: {fault}"));
        let abi = Arc::new(abi.unwrap_or_else(|| panic!("{account} has no ABI")));
        self.abis.insert(account, (version, abi.clone()));
        abi
    }

    #[track_caller]
    fn run(&mut self, stage: Stage) {
        match stage {
            Stage::Activate(feature) => self.activate(feature),
            Stage::Push(transactions) => transactions.into_iter().for_each(|actions| {
                self.push_actions(actions).succeed();
            }),
            Stage::AwaitSchedule(producers) => {
                let elected = |chain: &Chain| {
                    let schedule = &chain.head().header.active_schedule.producers;
                    schedule.iter().map(|entry| entry.producer_name).eq(producers.iter().copied())
                };
                let mut blocks = 0;
                while !elected(&self.chain) {
                    self.produce(1);
                    blocks += 1;
                    assert!(blocks < SCHEDULE_BLOCKS_MAX, "the schedule of the document is not elected");
                }
            }
        }
        self.produce(1);
    }

    #[track_caller]
    fn activate(&mut self, feature: Checksum256) {
        self.in_block(vec![feature], |_| ());
    }

    /// Starts the block of the next slot, lets `work` fill it, and seals it.
    #[track_caller]
    fn in_block<T>(&mut self, mut features: Vec<Checksum256>, work: impl FnOnce(&mut Self) -> T) -> T {
        self.slot = self.slot.max(self.chain.head().header.timestamp()).next();
        features.extend(self.chain.preactivated_features());
        let how = StartBlock { timestamp: self.slot, confirmed: 0, features, purpose: BlockPurpose::Produce };
        self.chain.start_block(&how).unwrap_or_else(|error| panic!("block at slot {}: {error}", self.slot.0));
        let result = work(self);
        let producer = self.chain.pending().map(|pending| pending.producer);
        let signing = self.signing_keys(producer.expect("a block was started"));
        let mut signer = |digest: &Checksum256| -> Vec<Signature> {
            signing.iter().map(|key| key.sign(digest).expect("a valid secret")).collect()
        };
        self.chain.seal_block(&mut signer).unwrap_or_else(|error| panic!("sealing a block: {error}"));
        result
    }

    /// The known keys of a producer's signing authority.
    #[track_caller]
    fn signing_keys(&self, producer: Name) -> Vec<PrivateKey> {
        let schedule = &self.chain.head().header.active_schedule.producers;
        let pending = &self.chain.head().header.pending_schedule.schedule.producers;
        let entry = schedule.iter().chain(pending.iter()).find(|entry| entry.producer_name == producer);
        let entry = entry.unwrap_or_else(|| panic!("{producer} is in no schedule"));
        let primitives::BlockSigningAuthority::V0 { threshold, keys } = &entry.authority;
        let mut weight = 0;
        let mut known = Vec::new();
        for each in keys {
            if let Some(key) = self.keys.get(&each.key).filter(|_| weight < *threshold) {
                weight += u32::from(each.weight);
                known.push(key.clone());
            }
        }
        assert!(weight >= *threshold, "the tester does not know the keys of producer {producer}; see know()");
        known
    }

    /// Signs with every known key that the actions need.
    fn sign(&self, actions: Vec<Action>) -> PackedTransaction {
        let head = self.chain.head();
        let mut transaction = Transaction { actions, ..Transaction::default() };
        let expiration = self.slot.max(head.header.timestamp()).next().time().seconds();
        transaction.header.expiration = expiration.plus_seconds(EXPIRATION_SEC);
        transaction.header.set_reference_block(&head.id());
        let available: Vec<_> = self.keys.keys().cloned().collect();
        let needed = execution::get_required_keys(self.chain.ledger(), &transaction, &available);
        let mut signed = SignedTransaction { transaction, ..SignedTransaction::default() };
        // Without the right keys it is pushed unsigned, so that the chain says what is missing.
        for key in needed.unwrap_or_default() {
            signed.sign(&self.keys[&key], &self.chain.chain_id()).expect("a valid secret");
        }
        PackedTransaction::new(&signed, Compression::None)
    }

    #[track_caller]
    fn run_transaction(&mut self, packed: &PackedTransaction) -> Arc<TransactionTrace> {
        let recovered = recover_transaction(packed.clone(), &self.chain.chain_id());
        let recovered = Arc::new(recovered.unwrap_or_else(|fault| panic!("{fault}")));
        let budget = Budget::explicit(BILLED_CPU_US);
        self.chain.push_transaction(&recovered, budget).unwrap_or_else(|error| panic!("{error}"))
    }
}

fn public(key: &PrivateKey) -> PublicKey {
    key.public_key().expect("a valid secret")
}

fn tester_key() -> PrivateKey {
    PrivateKey::k1_from_seed(Sha256::of(b"the tester's key").0).expect("a hash is a valid secret")
}

/// Features other than the first, dependencies before what depends on them.
fn later_features() -> Vec<Checksum256> {
    FEATURES.iter().filter(|spec| spec.feature.preactivation_required()).map(|spec| spec.digest).collect()
}
