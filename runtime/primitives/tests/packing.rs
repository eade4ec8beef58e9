//! Packed values of the chain: nothing panics, nothing changes on the way out and back.

use std::fmt::Debug;

use primitives::{
    Action, Authority, BlockHeader, ChainConfig, Genesis, LegacySchedule, Pack, PackedTransaction, ProducerSchedule,
    SignedBlock, SignedTransaction, Transaction, TransactionReceipt, Unpack, WasmConfig,
};
use proptest::prelude::*;

/// What can be read is written back to something that reads the same; the size is counted right.
fn settle<T: Pack + Unpack + PartialEq + Debug>(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(value) = T::from_prefix(bytes) {
        let packed = value.to_bytes();
        prop_assert_eq!(packed.len(), value.packed_size());
        prop_assert_eq!(T::from_bytes(&packed), Ok(value));
    }
    Ok(())
}

/// Bytes in which small numbers are common, so that lengths and flags are often plausible.
fn plausible() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![4 => 0u8..4, 1 => any::<u8>()], 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_settle(bytes in plausible()) {
        settle::<Action>(&bytes)?;
        settle::<Authority>(&bytes)?;
        settle::<BlockHeader>(&bytes)?;
        settle::<ChainConfig>(&bytes)?;
        settle::<Genesis>(&bytes)?;
        settle::<LegacySchedule>(&bytes)?;
        settle::<PackedTransaction>(&bytes)?;
        settle::<ProducerSchedule>(&bytes)?;
        settle::<SignedBlock>(&bytes)?;
        settle::<SignedTransaction>(&bytes)?;
        settle::<Transaction>(&bytes)?;
        settle::<TransactionReceipt>(&bytes)?;
        settle::<WasmConfig>(&bytes)?;
    }

    #[test]
    fn rules_over_any_block_do_not_panic(bytes in plausible()) {
        if let Ok(block) = SignedBlock::from_prefix(&bytes) {
            let _ = (block.header().extensions(), block.additional_signatures(), block.id());
            for receipt in &block.transactions {
                let _ = receipt.digest();
            }
        }
        if let Ok(transaction) = Transaction::from_prefix(&bytes) {
            let _ = (transaction.deferred_context(), transaction.header.validate(), transaction.id());
        }
        if let Ok(authority) = Authority::from_prefix(&bytes) {
            let _ = (authority.is_valid(), authority.billable_ram_bytes());
        }
    }

    #[test]
    fn json_comes_back(bytes in plausible()) {
        if let Ok(transaction) = Transaction::from_prefix(&bytes) {
            let json = serde_json::to_string(&transaction).expect("json");
            prop_assert_eq!(serde_json::from_str::<Transaction>(&json).expect("transaction"), transaction);
        }
        if let Ok(schedule) = ProducerSchedule::from_prefix(&bytes) {
            let json = serde_json::to_string(&schedule).expect("json");
            prop_assert_eq!(serde_json::from_str::<ProducerSchedule>(&json).expect("schedule"), schedule);
        }
    }
}
