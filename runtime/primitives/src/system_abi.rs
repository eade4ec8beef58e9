//! The ABI of `eosio` at genesis. Its bytes are part of every chain's first state (nodeos: `eosio_contract_abi_bin`).

use codec::{Pack, VarUint32};

use crate::Name;

const VERSION: &str = "eosio::abi/1.0";

/// Alias and type.
const TYPES: [(&str, &str); 7] = [
    ("account_name", "name"),
    ("permission_name", "name"),
    ("action_name", "name"),
    ("table_name", "name"),
    ("transaction_id_type", "checksum256"),
    ("block_id_type", "checksum256"),
    ("weight_type", "uint16"),
];

/// Struct, base, fields as `name:type`.
const STRUCTS: [(&str, &str, &str); 22] = [
    ("permission_level", "", "actor:account_name permission:permission_name"),
    ("action", "", "account:account_name name:action_name authorization:permission_level[] data:bytes"),
    ("extension", "", "type:uint16 data:bytes"),
    (
        "transaction_header",
        "",
        "expiration:time_point_sec ref_block_num:uint16 ref_block_prefix:uint32 max_net_usage_words:varuint32 \
         max_cpu_usage_ms:uint8 delay_sec:varuint32",
    ),
    (
        "transaction",
        "transaction_header",
        "context_free_actions:action[] actions:action[] transaction_extensions:extension[]",
    ),
    ("producer_key", "", "producer_name:account_name block_signing_key:public_key"),
    ("producer_schedule", "", "version:uint32 producers:producer_key[]"),
    (
        "block_header",
        "",
        "timestamp:uint32 producer:account_name confirmed:uint16 previous:block_id_type transaction_mroot:checksum256 \
         action_mroot:checksum256 schedule_version:uint32 new_producers:producer_schedule? \
         header_extensions:extension[]",
    ),
    ("key_weight", "", "key:public_key weight:weight_type"),
    ("permission_level_weight", "", "permission:permission_level weight:weight_type"),
    ("wait_weight", "", "wait_sec:uint32 weight:weight_type"),
    ("authority", "", "threshold:uint32 keys:key_weight[] accounts:permission_level_weight[] waits:wait_weight[]"),
    ("newaccount", "", "creator:account_name name:account_name owner:authority active:authority"),
    ("setcode", "", "account:account_name vmtype:uint8 vmversion:uint8 code:bytes"),
    ("setabi", "", "account:account_name abi:bytes"),
    ("updateauth", "", "account:account_name permission:permission_name parent:permission_name auth:authority"),
    ("deleteauth", "", "account:account_name permission:permission_name"),
    ("linkauth", "", "account:account_name code:account_name type:action_name requirement:permission_name"),
    ("unlinkauth", "", "account:account_name code:account_name type:action_name"),
    ("canceldelay", "", "canceling_auth:permission_level trx_id:transaction_id_type"),
    ("onerror", "", "sender_id:uint128 sent_trx:bytes"),
    ("onblock", "", "header:block_header"),
];

/// Actions; each has the struct of its name.
const ACTIONS: [&str; 10] = [
    "newaccount",
    "setcode",
    "setabi",
    "updateauth",
    "deleteauth",
    "linkauth",
    "unlinkauth",
    "canceldelay",
    "onerror",
    "onblock",
];

/// The packed ABI, 2132 bytes.
pub fn system_abi() -> Vec<u8> {
    let mut out = Vec::new();
    VERSION.pack(&mut out);
    TYPES.as_slice().pack(&mut out);
    count(STRUCTS.len(), &mut out);
    for (name, base, fields) in STRUCTS {
        let fields: Vec<(&str, &str)> = fields.split_whitespace().filter_map(|field| field.split_once(':')).collect();
        (name, base, fields.as_slice()).pack(&mut out);
    }
    count(ACTIONS.len(), &mut out);
    for action in ACTIONS {
        let name: Name = action.parse().expect("a valid name");
        (name, action, "").pack(&mut out);
    }
    // No tables, ricardian clauses, error messages, extensions, variants.
    [0u8; 5].pack(&mut out);
    out
}

fn count(items: usize, out: &mut Vec<u8>) {
    VarUint32(u32::try_from(items).expect("a small table")).pack(out);
}

#[cfg(test)]
mod tests {
    use crate::Sha256;

    #[test]
    fn its_bytes_are_those_of_every_chain() {
        let abi = super::system_abi();
        assert_eq!(abi.len(), 2132);
        let expected = "ae67fd3b82d11a374330c96910014c0873af19696df619c669748f2173098e5d";
        assert_eq!(Sha256::of(&abi).to_string(), expected);
    }
}
