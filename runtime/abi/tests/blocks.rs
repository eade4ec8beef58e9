//! Blocks as nodeos prints them: raw ones are read, the printed ones made from them, ids and roots recomputed.

use std::sync::Arc;

use abi::{Abi, Limits, present};
use primitives::block::ReceiptTransaction;
use primitives::merkle::merkle;
use primitives::{Fault, Name, Pack, PackedTransaction, SignedBlock, Unpack};
use serde_json::{Value, json};

fn abi_of(account: Name) -> Result<Option<Arc<Abi>>, Fault> {
    let vectors: Value = serde_json::from_str(include_str!("vectors.json")).expect("the vectors are JSON");
    let limits = Limits::default();
    let abi = match account.to_string().as_str() {
        "eosio" => Abi::from_account(&primitives::system_abi(), &limits).expect("abi").expect("not empty"),
        "abitest" => {
            Abi::new(serde_json::from_value(vectors["abi"].clone()).expect("definition"), &limits).expect("abi")
        }
        _ => return Ok(None),
    };
    Ok(Some(Arc::new(abi)))
}

fn blocks() -> Vec<(SignedBlock, Value, Value)> {
    let blocks: Vec<Value> = serde_json::from_str(include_str!("blocks.json")).expect("the blocks are JSON");
    let read = |entry: Value| {
        let block = serde_json::from_value(entry["raw"].clone()).expect("a raw block");
        (block, entry["raw"].clone(), entry["block"].clone())
    };
    blocks.into_iter().map(read).collect()
}

#[test]
fn raw_blocks_come_back() {
    for (block, raw, _) in blocks() {
        assert_eq!(serde_json::to_value(&block).expect("json").to_string(), raw.to_string());
        assert_eq!(SignedBlock::from_bytes(&block.to_bytes()), Ok(block));
    }
}

#[test]
fn ids_and_roots_are_the_same() {
    for (block, _, printed) in blocks() {
        assert_eq!(json!(block.id()), printed["id"]);
        assert_eq!(json!(block.block_num()), printed["block_num"]);
        let root = merkle(block.transactions.iter().map(|receipt| receipt.digest()).collect());
        assert_eq!(root, block.header().transaction_mroot);
    }
}

#[test]
fn printed_blocks_are_the_same() {
    for (block, _, printed) in blocks() {
        let beside = ["id", "block_num", "ref_block_prefix"].map(|name| (name.to_owned(), printed[name].clone()));
        let text = present::block(&block, beside.into_iter().collect(), &mut abi_of, &Limits::default());
        assert_eq!(String::from_utf8(text.expect("a block")).expect("a text"), printed.to_string());
    }
}

#[test]
fn printed_transactions_are_read_again() {
    for (block, _, printed) in blocks() {
        for (receipt, printed) in block.transactions.iter().zip(printed["transactions"].as_array().expect("receipts")) {
            let ReceiptTransaction::Packed(packed) = &receipt.trx else { continue };
            let mut trx = printed["trx"].clone();
            let read = |trx: &Value| -> PackedTransaction {
                present::packed_transaction_from(trx, &mut abi_of, &Limits::default()).expect("a transaction")
            };
            assert_eq!(read(&trx), *packed);
            trx.as_object_mut().expect("an object").shift_remove("packed_trx");
            assert_eq!(read(&trx).transaction(), packed.transaction());
        }
    }
}
