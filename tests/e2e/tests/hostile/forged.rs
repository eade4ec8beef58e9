//! Transactions and blocks that no node should take.

use std::net::Ipv4Addr;
use std::time::{Instant, SystemTime};

use e2e::{Told, framed};
use primitives::{
    Action, BlockHeader, BlockTimestamp, Bytes, Checksum256, Compression, Name, Pack as _, PackedTransaction,
    PermissionLevel, Sha256, Signature, SignedBlock, SignedTransaction, TimePoint, Transaction, TransactionHeader,
    Unpack as _, name,
};
use serde_json::json;

use crate::offender::Template;
use crate::{ALICE, Ground, PATIENCE};

/// Indexes among the messages.
const BLOCK: u8 = 7;
const TRANSACTION: u8 = 8;
/// Slots of a producer's turn.
const TURN_SLOTS: usize = 12;

fn now() -> TimePoint {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock of this century");
    TimePoint(i64::try_from(since.as_micros()).expect("a clock of this century"))
}

impl Ground {
    /// A transaction with one action, which expires so many seconds from now.
    fn transaction(&self, seconds: i64, action: Action) -> Transaction {
        let mut header =
            TransactionHeader { expiration: now().plus_us(seconds * 1_000_000).seconds(), ..Default::default() };
        let head = self.producer.info().expect("the node answers")["head_block_id"].clone();
        header.set_reference_block(&head.as_str().expect("an id").parse().expect("an id"));
        Transaction { header, actions: vec![action], ..Transaction::default() }
    }

    /// Transactions that differ in a number, signed so.
    pub fn transactions(&self, seconds: i64, actor: Name, signature: Signature) -> Template {
        let authorization = vec![PermissionLevel { actor, permission: name!("active") }];
        let data = Bytes(Template::MARK.to_vec());
        let action = Action { account: name!("eosio"), name: name!("nothing"), authorization, data };
        let transaction = self.transaction(seconds, action);
        Template::new(&message(&SignedTransaction { transaction, signatures: vec![signature], ..Default::default() }))
    }

    /// A signature that some key made of something.
    pub fn some_signature(&self) -> Signature {
        self.key.sign(&self.chain_id).expect("a key")
    }

    /// Transfers of more than alice has, signed by her.
    pub fn overdrawn(&self, count: usize) -> Vec<Vec<u8>> {
        let sign = |number: usize| {
            let quantity: primitives::Asset = "900000.0000 SYS".parse().expect("an asset");
            let data = (ALICE, name!("eosio"), quantity, number.to_string()).to_bytes();
            let authorization = vec![PermissionLevel { actor: ALICE, permission: name!("active") }];
            let (account, name) = (name!("eosio.token"), name!("transfer"));
            (account, name, authorization, Bytes(data))
        };
        let first = self.transaction(60, Action::default());
        let all = (0..count).map(|number| {
            let (account, name, authorization, data) = sign(number);
            let actions = vec![Action { account, name, authorization, data }];
            let transaction = Transaction { actions, ..first.clone() };
            let mut signed = SignedTransaction { transaction, ..SignedTransaction::default() };
            signed.sign(&self.key, &self.chain_id).expect("a key");
            framed(&message(&signed))
        });
        all.collect()
    }

    /// Blocks that follow nothing, a little above the head.
    pub fn orphans(&self) -> Template {
        let mut previous = Checksum256::default();
        let num = u32::try_from(self.producer.head()).expect("a number") + 10;
        previous.0[..4].copy_from_slice(&num.to_be_bytes());
        previous.0[4..4 + Template::MARK.len()].copy_from_slice(&Template::MARK);
        let mut block = SignedBlock::default();
        block.signed_header.header =
            BlockHeader { previous, timestamp: BlockTimestamp::at(now()), producer: ALICE, ..BlockHeader::default() };
        Template::new(&[&[BLOCK][..], &block.to_bytes()].concat())
    }

    /// The newest block with a transaction, with what is signed beside its header.
    pub fn newest(&self, host: Ipv4Addr) -> Newest {
        let begin = Instant::now();
        loop {
            let mut stream = self.connect(host).expect("the node listens");
            let told = Told::hear(&mut stream, PATIENCE, |told| !told.blocks.is_empty());
            let Some(block) = told.blocks.first() else {
                panic!("no block comes but {told:?}; the producer's log:\n{}", self.producer.log())
            };
            let block = SignedBlock::from_bytes(block).expect("a block");
            assert!(begin.elapsed() < PATIENCE, "no block with a transaction comes");
            if block.transactions.is_empty() {
                continue;
            }
            let body = json!({ "block_num_or_id": block.id().to_string() });
            let state = self.producer.call("/v1/chain/get_block_header_state", &body);
            let id = |value: &serde_json::Value| value.as_str().expect("an id").parse().expect("an id");
            let nodes = state["blockroot_merkle"]["_active_nodes"].as_array().expect("a list");
            let schedule = state["active_schedule"]["producers"].as_array().expect("a list").iter();
            return Newest {
                root: id(nodes.last().expect("there are blocks")),
                schedule_hash: id(&state["pending_schedule"]["schedule_hash"]),
                producers: schedule
                    .map(|one| one["producer_name"].as_str().expect("a name").parse().expect("a name"))
                    .collect(),
                block,
            };
        }
    }
}

fn message(signed: &SignedTransaction) -> Vec<u8> {
    [&[TRANSACTION][..], &PackedTransaction::new(signed, Compression::None).to_bytes()].concat()
}

/// A block and what is signed beside its header.
pub struct Newest {
    block: SignedBlock,
    root: Checksum256,
    schedule_hash: Checksum256,
    producers: Vec<Name>,
}

impl Newest {
    /// The producer of a slot.
    pub fn producer_at(&self, slot: BlockTimestamp) -> Name {
        self.producers[slot.0 as usize % (self.producers.len() * TURN_SLOTS) / TURN_SLOTS]
    }

    /// The same without its transactions, which fails when it runs and not before, and with a changed header.
    fn changed(&self, change: impl FnOnce(&Self, &mut BlockHeader)) -> SignedBlock {
        let mut other = self.block.clone();
        other.transactions.clear();
        other.signed_header.header.transaction_mroot = Checksum256::default();
        change(self, &mut other.signed_header.header);
        other
    }

    /// Such a block as a message, with the signature of the block that it was.
    pub fn unsigned(&self) -> Vec<u8> {
        framed(&[&[BLOCK][..], &self.changed(|_, _| {}).to_bytes()].concat())
    }

    /// Such a block as a message, signed.
    pub fn signed(&self, ground: &Ground, change: impl FnOnce(&Self, &mut BlockHeader)) -> Vec<u8> {
        let mut other = self.changed(change);
        let header = Sha256::packed(&(other.header().digest(), self.root));
        let digest = Sha256::packed(&(header, self.schedule_hash));
        other.signed_header.producer_signature = ground.key.sign(&digest).expect("a key");
        framed(&[&[BLOCK][..], &other.to_bytes()].concat())
    }
}
