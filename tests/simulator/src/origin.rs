//! The chain that all nodes of a network begin with, its producers' keys, and transactions.

use std::sync::{Arc, OnceLock};

use chain::{Chain, Doors, Settings};
use codec::Pack;
use execution::StoppedClock;
use p2p::wire::TransactionMessage;
use primitives::{
    Action, BlockSigningAuthority, BlockTimestamp, Bytes, Compression, Genesis, Name, PackedTransaction,
    PermissionLevel, PrivateKey, ProducerAuthority, ProducerSchedule, PublicKey, Sha256, SignedTransaction, TimePoint,
    Transaction, name,
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

/// A chain of these many producers at its first block.
pub fn chain(producers: usize) -> Chain {
    static ENGINE: OnceLock<wasm::Engine> = OnceLock::new();
    let engine = ENGINE.get_or_init(wasm::Engine::new).clone();
    let genesis = Genesis { initial_timestamp: BEGIN, initial_key: public(&key("eosio")), ..Genesis::default() };
    let doors = Doors { clock: Box::new(StoppedClock), engine, code_cache: Box::new(wasm::NoCache) };
    let mut chain = Chain::from_genesis(&genesis, Settings::default(), doors).expect("a valid genesis");
    let entry = |number| {
        let (producer_name, key) = producer(number);
        ProducerAuthority { producer_name, authority: BlockSigningAuthority::of_key(public(&key)) }
    };
    let schedule = Arc::new(ProducerSchedule { version: 0, producers: (0..producers).map(entry).collect() });
    let edited = chain.edit_origin(|header, _| {
        // The second block makes active what the first one announces.
        header.pending_schedule.schedule_hash = schedule.to_legacy().hash();
        header.pending_schedule.schedule = Arc::clone(&schedule);
        header.active_schedule = schedule;
    });
    edited.expect("nothing is pending");
    chain
}

/// The packed first block.
pub fn first_block(chain: &Chain) -> Arc<[u8]> {
    chain.head().block.as_ref().expect("a genesis has its block").to_bytes().into()
}

/// A transaction that does nothing and is like no other.
pub fn transaction(number: u64, chain: &Chain, expiration: TimePoint) -> TransactionMessage {
    let action = Action {
        account: name!("eosio"),
        name: name!("nothing"),
        authorization: vec![PermissionLevel { actor: name!("eosio"), permission: name!("active") }],
        data: Bytes(number.to_bytes()),
    };
    let mut transaction = Transaction { actions: vec![action], ..Transaction::default() };
    transaction.header.expiration = expiration.seconds();
    transaction.header.set_reference_block(&chain.root().id());
    let mut signed = SignedTransaction { transaction, ..SignedTransaction::default() };
    signed.sign(&key("eosio"), &chain.chain_id()).expect("a valid secret");
    TransactionMessage::read(PackedTransaction::new(&signed, Compression::None)).expect("it was just made")
}

/// The slot of the first block.
pub fn first_slot() -> BlockTimestamp {
    BlockTimestamp::at(BEGIN)
}
