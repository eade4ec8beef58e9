//! What the chain's tests share: doors without a world behind them, recorded chains, producers with keys.

#![allow(dead_code, reason = "each test takes what it needs")]

pub mod contract;

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use chain::recover_transaction;
use chain::{Applied, BlockPurpose, ChainError, Doors, LiveChain, PrepareMode, PreparedBlock, Settings, StartBlock};
use execution::{Budget, StoppedClock, TransactionTrace};
use primitives::{
    Action, Authority, BlockTimestamp, Bytes, Checksum256, Compression, Genesis, KeyWeight, Name, Pack as _,
    PackedTransaction, PermissionLevel, PrivateKey, PublicKey, SignedTransaction, TimePoint, Transaction,
};

/// Doors with a clock that stands still and no cache.
pub fn doors() -> Doors {
    Doors { clock: Box::new(StoppedClock), engine: wasm::Engine::new(), code_cache: Box::new(wasm::NoCache) }
}

/// The unpacked bytes of a file under `tests/conformance`.
pub fn recorded(path: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance").join(path);
    let file = std::fs::File::open(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).expect("a gzip file");
    bytes
}

/// A private key that only depends on `seed`.
pub fn key(seed: &str) -> PrivateKey {
    PrivateKey::k1_from_seed(primitives::Sha256::of(seed.as_bytes()).0).expect("a hash is a valid secret")
}

pub fn public(key: &PrivateKey) -> PublicKey {
    key.public_key().expect("a valid secret")
}

pub fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

/// A chain of tests: its genesis key is `key("eosio")`.
pub fn new_chain() -> LiveChain {
    new_chain_with(Settings::default())
}

/// A chain of tests with settings.
pub fn new_chain_with(settings: Settings) -> LiveChain {
    let genesis = Genesis {
        initial_timestamp: TimePoint(1_700_000_000_000_000),
        initial_key: public(&key("eosio")),
        ..Genesis::default()
    };
    LiveChain::from_genesis(&genesis, settings, doors()).expect("a valid genesis")
}

/// Starts the block of a slot.
pub fn start(chain: &mut LiveChain, slot: BlockTimestamp, confirmed: u16) -> Result<(), ChainError> {
    let features = chain.preactivated_features();
    chain.start_block(&StartBlock { timestamp: slot, confirmed, features, purpose: BlockPurpose::Produce })
}

/// Seals the pending block with these keys, the header's last.
pub fn seal(chain: &mut LiveChain, keys: &[PrivateKey]) -> Result<Applied, ChainError> {
    let sign = |digest: &Checksum256| keys.iter().map(|key| key.sign(digest).expect("a valid secret")).collect();
    chain.seal_block(&mut { sign })
}

/// Produces an empty block in the next slot, signed by `eosio`.
pub fn produce(chain: &mut LiveChain) -> Applied {
    let slot = chain.head().header.timestamp().next();
    start(chain, slot, 0).expect("a later slot");
    seal(chain, &[key("eosio")]).expect("eosio produces")
}

/// Runs a transaction of one action in the pending block, signed by `eosio`.
pub fn push(chain: &mut LiveChain, account: &str, action: &str, actor: &str, data: Vec<u8>) -> Arc<TransactionTrace> {
    let mut transaction = Transaction {
        actions: vec![Action {
            account: name(account),
            name: name(action),
            authorization: vec![PermissionLevel { actor: name(actor), permission: name("active") }],
            data: Bytes(data),
        }],
        ..Transaction::default()
    };
    transaction.header.expiration = TimePoint(chain.head_time().0 + 60_000_000).seconds();
    transaction.header.set_reference_block(&chain.head().id());
    let mut signed = SignedTransaction { transaction, ..SignedTransaction::default() };
    signed.sign(&key("eosio"), &chain.chain_id()).expect("a valid secret");
    let packed = PackedTransaction::new(&signed, Compression::None);
    let recovered = Arc::new(recover_transaction(packed, &chain.chain_id()).expect("well formed"));
    let budget = Budget { billed_cpu_us: 200, ..Budget::explicit(200) };
    chain.push_transaction(&recovered, budget).expect("a pending block").trace
}

/// As [`push`], and it must succeed.
pub fn push_ok(chain: &mut LiveChain, account: &str, action: &str, actor: &str, data: Vec<u8>) {
    let trace = push(chain, account, action, actor, data);
    assert_eq!(trace.except, None, "{account}::{action}");
}

/// Hands the head block of one chain to another.
pub fn hand_over(from: &Applied, to: &mut LiveChain) -> Result<Applied, ChainError> {
    let mut last = Applied::default();
    for sealed in &from.applied {
        let block = sealed.state.block.clone().expect("a sealed block");
        let prepared = PreparedBlock::from_block(block, &to.chain_id(), PrepareMode::Full).expect("well formed");
        last = to.push_block(prepared)?;
    }
    Ok(last)
}

/// Creates an account whose authorities are the key of `eosio`.
pub fn create_account(chain: &mut LiveChain, account: &str) {
    let authority = Authority {
        threshold: 1,
        keys: vec![KeyWeight { key: public(&key("eosio")), weight: 1 }],
        ..Authority::default()
    };
    let data = (name("eosio"), name(account), authority.clone(), authority).to_bytes();
    push_ok(chain, "eosio", "newaccount", "eosio", data);
}

/// Deploys the contract of these calls at `eosio`.
pub fn deploy(chain: &mut LiveChain, calls: &[contract::Call]) {
    let data = (name("eosio"), 0u8, 0u8, Bytes(contract::contract(calls))).to_bytes();
    push_ok(chain, "eosio", "setcode", "eosio", data);
}

/// Produces the block of the first slot after the head that belongs to one of `producers` (each signs with the key of
/// its name), confirming as the producer's watermark on this branch allows.
pub fn produce_as(chain: &mut LiveChain, producers: &[&str]) -> Applied {
    let key = start_as(chain, producers);
    seal(chain, &[key]).expect("the producer signs")
}

/// Starts that block. Returns the key that it is to be signed with.
pub fn start_as(chain: &mut LiveChain, producers: &[&str]) -> PrivateKey {
    let mut slot = chain.head().header.timestamp().next();
    let producer = loop {
        let scheduled = chain.head().header.scheduled_producer(slot).producer_name;
        if let Some(producer) = producers.iter().find(|producer| name(producer) == scheduled) {
            break *producer;
        }
        slot = slot.next();
    };
    let header = &chain.head().header;
    let confirmed = header.blocks_to_confirm(header.producer_to_last_produced.get(&name(producer)).copied());
    start(chain, slot, confirmed).expect("a later slot");
    key(producer)
}

/// A chain with the schedule `alice`, `bob`, `carol`, active in its head.
pub fn chain_of_three() -> LiveChain {
    chain_of_three_with(Settings::default())
}

/// The same with settings.
pub fn chain_of_three_with(settings: Settings) -> LiveChain {
    let mut chain = new_chain_with(settings);
    begin_three(&mut chain);
    chain
}

/// Gives a new chain the schedule `alice`, `bob`, `carol`: the blocks up to the one in which it is active.
pub fn begin_three(chain: &mut LiveChain) -> Vec<Applied> {
    let slot = chain.head().header.timestamp().next();
    start(chain, slot, 0).expect("a later slot");
    for producer in ["alice", "bob", "carol"] {
        create_account(chain, producer);
    }
    deploy(chain, &[contract::Call::SetProducers]);
    let producers: Vec<(Name, PublicKey)> = ["alice", "bob", "carol"].map(|who| (name(who), public(&key(who)))).into();
    push_ok(chain, "eosio", "setprods", "eosio", producers.to_bytes());
    let mut blocks = vec![seal(chain, &[key("eosio")]).expect("eosio produces")];
    while chain.head().header.active_schedule.version == 0 {
        blocks.push(produce(chain));
        assert!(chain.head().number() < 10, "the schedule does not become active");
    }
    blocks
}
