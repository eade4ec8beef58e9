//! The ABI that the account `eosio` has at genesis: native actions and the types they need.
//!
//! Its packed bytes are state, so they are consensus: they must equal nodeos' to the byte (2132 of them).

use codec::Pack;
use primitives::Name;

use crate::definition::{AbiDefinition, ActionDefinition, FieldDefinition, StructDefinition, TypeDefinition};

const TYPES: &[(&str, &str)] = &[
    ("account_name", "name"),
    ("permission_name", "name"),
    ("action_name", "name"),
    ("table_name", "name"),
    ("transaction_id_type", "checksum256"),
    ("block_id_type", "checksum256"),
    ("weight_type", "uint16"),
];

/// `(name, base, fields)`; a field is `name: type`.
type Struct = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const STRUCTS: &[Struct] = &[
    ("permission_level", "", &[("actor", "account_name"), ("permission", "permission_name")]),
    (
        "action",
        "",
        &[
            ("account", "account_name"),
            ("name", "action_name"),
            ("authorization", "permission_level[]"),
            ("data", "bytes"),
        ],
    ),
    ("extension", "", &[("type", "uint16"), ("data", "bytes")]),
    (
        "transaction_header",
        "",
        &[
            ("expiration", "time_point_sec"),
            ("ref_block_num", "uint16"),
            ("ref_block_prefix", "uint32"),
            ("max_net_usage_words", "varuint32"),
            ("max_cpu_usage_ms", "uint8"),
            ("delay_sec", "varuint32"),
        ],
    ),
    (
        "transaction",
        "transaction_header",
        &[("context_free_actions", "action[]"), ("actions", "action[]"), ("transaction_extensions", "extension[]")],
    ),
    ("producer_key", "", &[("producer_name", "account_name"), ("block_signing_key", "public_key")]),
    ("producer_schedule", "", &[("version", "uint32"), ("producers", "producer_key[]")]),
    (
        "block_header",
        "",
        &[
            ("timestamp", "uint32"),
            ("producer", "account_name"),
            ("confirmed", "uint16"),
            ("previous", "block_id_type"),
            ("transaction_mroot", "checksum256"),
            ("action_mroot", "checksum256"),
            ("schedule_version", "uint32"),
            ("new_producers", "producer_schedule?"),
            ("header_extensions", "extension[]"),
        ],
    ),
    ("key_weight", "", &[("key", "public_key"), ("weight", "weight_type")]),
    ("permission_level_weight", "", &[("permission", "permission_level"), ("weight", "weight_type")]),
    ("wait_weight", "", &[("wait_sec", "uint32"), ("weight", "weight_type")]),
    (
        "authority",
        "",
        &[
            ("threshold", "uint32"),
            ("keys", "key_weight[]"),
            ("accounts", "permission_level_weight[]"),
            ("waits", "wait_weight[]"),
        ],
    ),
    (
        "newaccount",
        "",
        &[("creator", "account_name"), ("name", "account_name"), ("owner", "authority"), ("active", "authority")],
    ),
    ("setcode", "", &[("account", "account_name"), ("vmtype", "uint8"), ("vmversion", "uint8"), ("code", "bytes")]),
    ("setabi", "", &[("account", "account_name"), ("abi", "bytes")]),
    (
        "updateauth",
        "",
        &[
            ("account", "account_name"),
            ("permission", "permission_name"),
            ("parent", "permission_name"),
            ("auth", "authority"),
        ],
    ),
    ("deleteauth", "", &[("account", "account_name"), ("permission", "permission_name")]),
    (
        "linkauth",
        "",
        &[
            ("account", "account_name"),
            ("code", "account_name"),
            ("type", "action_name"),
            ("requirement", "permission_name"),
        ],
    ),
    ("unlinkauth", "", &[("account", "account_name"), ("code", "account_name"), ("type", "action_name")]),
    ("canceldelay", "", &[("canceling_auth", "permission_level"), ("trx_id", "transaction_id_type")]),
    ("onerror", "", &[("sender_id", "uint128"), ("sent_trx", "bytes")]),
    ("onblock", "", &[("header", "block_header")]),
];

/// Native actions; each takes the struct of its name.
const ACTIONS: &[&str] = &[
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

/// The ABI of `eosio` at genesis.
pub fn system_abi() -> AbiDefinition {
    let structs = STRUCTS.iter().map(|(name, base, fields)| StructDefinition {
        name: (*name).to_owned(),
        base: (*base).to_owned(),
        fields: fields
            .iter()
            .map(|(name, kind)| FieldDefinition { name: (*name).to_owned(), kind: (*kind).to_owned() })
            .collect(),
    });
    let actions = ACTIONS.iter().map(|name| ActionDefinition {
        name: Name::new(name),
        kind: (*name).to_owned(),
        ricardian_contract: String::new(),
    });
    AbiDefinition {
        version: "eosio::abi/1.0".to_owned(),
        types: TYPES
            .iter()
            .map(|(name, kind)| TypeDefinition { new_type_name: (*name).to_owned(), kind: (*kind).to_owned() })
            .collect(),
        structs: structs.collect(),
        actions: actions.collect(),
        ..AbiDefinition::default()
    }
}

/// Its packed bytes as nodeos stores them: taken down when ABIs ended with variants.
pub fn system_abi_bytes() -> Vec<u8> {
    let mut bytes = system_abi().to_bytes();
    // The length of the action results, which came later.
    bytes.pop();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Abi, Limits};

    #[test]
    fn the_bytes_are_nodeos_bytes() {
        let bytes = system_abi_bytes();
        assert_eq!(bytes.len(), 2132);
        assert_eq!(
            primitives::Sha256::of(&bytes).to_string(),
            "ae67fd3b82d11a374330c96910014c0873af19696df619c669748f2173098e5d"
        );
        let abi = Abi::from_account(&bytes, &Limits::default()).expect("abi").expect("not empty");
        assert_eq!(abi.action_type(Name::new("onblock")), Some("onblock"));
    }
}
