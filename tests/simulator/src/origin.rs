//! The chain that all nodes of a network begin with, its producers' keys, and transactions.

use std::sync::{Arc, OnceLock};

use chain::{Chain, Doors, LiveChain, Settings};
use codec::Pack;
use execution::StoppedClock;
use p2p::wire::TransactionMessage;
use primitives::{
    Action, BlockSigningAuthority, BlockTimestamp, Bytes, Compression, Genesis, Name, PackedTransaction,
    PermissionLevel, PrivateKey, ProducerAuthority, ProducerKey, ProducerSchedule, PublicKey, Sha256,
    SignedTransaction, TimePoint, Transaction, name,
};

/// When simulated networks begin.
pub const BEGIN: TimePoint = TimePoint(1_800_000_000_000_000);

/// The key of a producer, or of the system account.
fn key(seed: &str) -> PrivateKey {
    PrivateKey::k1_from_seed(Sha256::of(seed.as_bytes()).0).expect("a hash is a valid secret")
}

fn public(key: &PrivateKey) -> PublicKey {
    key.public_key().expect("a valid secret")
}

/// A producer and its key.
pub fn producer(number: usize) -> (Name, PrivateKey) {
    let letter = char::from(b'a' + number as u8);
    let text = format!("producer{letter}");
    (text.parse().expect("a name"), key(&text))
}

/// The number of a producer.
pub fn number_of(name: Name) -> Option<usize> {
    let letter = name.to_string().strip_prefix("producer")?.bytes().next()?;
    letter.checked_sub(b'a').map(usize::from)
}

/// How a chain begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning {
    /// Producers of the first schedule.
    pub producers: usize,
    /// Producers that later schedules may have, the first ones among them; with 0 there are no later schedules.
    pub electable: usize,
}

/// The system account's contract where schedules change: `setprods` hands its data to the host function.
fn contract() -> &'static [u8] {
    static MODULE: OnceLock<Vec<u8>> = OnceLock::new();
    MODULE.get_or_init(|| {
        let text = format!(
            r#"(module
                (import "env" "action_data_size" (func $size (result i32)))
                (import "env" "read_action_data" (func $read (param i32 i32) (result i32)))
                (import "env" "set_proposed_producers" (func $propose (param i32 i32) (result i64)))
                (memory (export "memory") 1)
                (func (export "apply") (param i64 i64 i64)
                    (if (i64.eq (local.get 2) (i64.const {}))
                        (then (drop (call $propose
                            (i32.const 8) (call $read (i32.const 8) (call $size))))))))"#,
            SETPRODS.0 as i64
        );
        wat::parse_str(text).expect("a valid module")
    })
}

const SETPRODS: Name = name!("setprods");

/// What a chain is given.
pub fn doors() -> Doors {
    static ENGINE: OnceLock<wasm::Engine> = OnceLock::new();
    let engine = ENGINE.get_or_init(wasm::Engine::new).clone();
    Doors { clock: Box::new(StoppedClock), engine, code_cache: Box::new(wasm::NoCache) }
}

/// A chain at its first block.
pub fn chain(begins: Beginning) -> LiveChain {
    let genesis = Genesis { initial_timestamp: BEGIN, initial_key: public(&key("eosio")), ..Genesis::default() };
    let mut chain = LiveChain::from_genesis(&genesis, Settings::default(), doors()).expect("a valid genesis");
    let entry = |number| {
        let (producer_name, key) = producer(number);
        ProducerAuthority { producer_name, authority: BlockSigningAuthority::of_key(public(&key)) }
    };
    let schedule = Arc::new(ProducerSchedule { version: 0, producers: (0..begins.producers).map(entry).collect() });
    let edited = chain.edit_origin(|header, ledger| {
        // The second block makes active what the first one announces.
        header.pending_schedule.schedule_hash = schedule.to_legacy().hash();
        header.pending_schedule.schedule = Arc::clone(&schedule);
        header.active_schedule = schedule;
        if begins.electable > 0 {
            let code = ledger.add_code_reference(Sha256::of(contract()), contract(), header.block_num);
            let system = ledger.find_account(name!("eosio")).expect("every chain has it");
            ledger.modify_account_metadata(system, |metadata| {
                metadata.code_sequence += 1;
                metadata.code = Some(code);
            });
            for number in 0..begins.electable {
                ledger.create_account(producer(number).0, BlockTimestamp::at(BEGIN));
            }
        }
    });
    edited.expect("nothing is pending");
    chain
}

/// The packed first block.
pub fn first_block(chain: &Chain) -> Arc<[u8]> {
    chain.head().block.as_ref().expect("a genesis has its block").to_bytes().into()
}

/// A transaction that does nothing and is like no other, with so many bytes beside.
pub fn transaction(number: u64, padding: usize, chain: &Chain, expiration: TimePoint) -> TransactionMessage {
    let mut data = number.to_bytes();
    data.resize(data.len() + padding, 7);
    signed(name!("nothing"), data, chain, expiration)
}

/// A transaction that proposes a schedule of these producers.
pub fn proposal(producers: &[usize], chain: &Chain, expiration: TimePoint) -> TransactionMessage {
    let entry = |number: &usize| {
        let (producer_name, key) = producer(*number);
        ProducerKey { producer_name, block_signing_key: public(&key) }
    };
    signed(SETPRODS, producers.iter().map(entry).collect::<Vec<_>>().to_bytes(), chain, expiration)
}

fn signed(action: Name, data: Vec<u8>, chain: &Chain, expiration: TimePoint) -> TransactionMessage {
    let action = Action {
        account: name!("eosio"),
        name: action,
        authorization: vec![PermissionLevel { actor: name!("eosio"), permission: name!("active") }],
        data: Bytes(data),
    };
    let mut transaction = Transaction { actions: vec![action], ..Transaction::default() };
    transaction.header.expiration = expiration.seconds();
    transaction.header.set_reference_block(&chain.root().id());
    let mut signed = SignedTransaction { transaction, ..SignedTransaction::default() };
    signed.sign(&key("eosio"), &chain.chain_id()).expect("a valid secret");
    TransactionMessage::read(PackedTransaction::new(&signed, Compression::None)).expect("it was just made")
}
