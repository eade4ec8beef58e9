//! What helps with the faults that users meet first.

use primitives::FaultKind;

/// Each kind of fault and what to do about it.
const HINTS: [(FaultKind, &str); 14] = [
    (FaultKind::ACCOUNT_QUERY_EXCEPTION, "Is the account's name right, and is this the right chain (--url)?"),
    (FaultKind::CONTRACT_TABLE_QUERY_EXCEPTION, "The contract's tables: boreas get abi CONTRACT"),
    (FaultKind::PACK_EXCEPTION, "The action's arguments: boreas get abi CONTRACT"),
    (
        FaultKind::UNSATISFIED_AUTHORIZATION,
        "A key is missing: see boreas wallet keys; import it, or unlock its wallet (boreas wallet unlock)",
    ),
    (FaultKind::MISSING_AUTH_EXCEPTION, "Give the authority with -p ACCOUNT, or -p ACCOUNT@PERMISSION"),
    (FaultKind::TX_NO_AUTHS, "Say whose action it is: -p ACCOUNT, or -p ACCOUNT@PERMISSION"),
    (FaultKind::EXPIRED_TX_EXCEPTION, "Is the clock of this machine right? A longer time: -x SECONDS"),
    (FaultKind::TX_DUPLICATE, "To send the same again on purpose: -f"),
    (FaultKind::INVALID_REF_BLOCK_EXCEPTION, "Name a block of this chain with --ref-block, or leave it out"),
    (
        FaultKind::WASM_SERIALIZATION_ERROR,
        "A host function that is unresolveable comes with a protocol feature; boreasd dev has all of them active",
    ),
    (FaultKind::RAM_USAGE_EXCEEDED, "Buy RAM: boreas push action eosio buyrambytes '[PAYER, ACCOUNT, BYTES]' -p PAYER"),
    (FaultKind::TX_NET_USAGE_EXCEEDED, STAKE),
    (FaultKind::TX_CPU_USAGE_EXCEEDED, STAKE),
    (FaultKind::LEEWAY_DEADLINE_EXCEPTION, STAKE),
];
const STAKE: &str =
    "Stake more: boreas push action eosio delegatebw '[PAYER, ACCOUNT, \"NET\", \"CPU\", false]' -p PAYER";

/// What helps with the fault of this number.
pub fn hint(code: u64) -> Option<&'static str> {
    HINTS.iter().find(|(kind, _)| u64::from(kind.code) == code).map(|(_, hint)| *hint)
}
