//! Names and numbers of the chain that its tables know (nodeos: config.hpp and the `billable_size` of each object).

use primitives::{Authority, Name, Pack, PublicKey, VarUint32, name};

/// The account of the system contract.
pub const SYSTEM_ACCOUNT: Name = name!("eosio");
/// The account that nobody can sign for.
pub const NULL_ACCOUNT: Name = name!("eosio.null");
/// The account that the active producers stand for.
pub const PRODUCERS_ACCOUNT: Name = name!("eosio.prods");
/// The permission above all others of an account.
pub const OWNER: Name = name!("owner");
/// The permission of everyday.
pub const ACTIVE: Name = name!("active");
/// The permission that anybody satisfies.
pub const EOSIO_ANY: Name = name!("eosio.any");
/// The virtual permission of a contract's own code.
pub const EOSIO_CODE: Name = name!("eosio.code");
/// More than half of the producers, a permission of [`PRODUCERS_ACCOUNT`].
pub const MAJORITY_PRODUCERS: Name = name!("prod.major");
/// More than a third of the producers, a permission of [`PRODUCERS_ACCOUNT`].
pub const MINORITY_PRODUCERS: Name = name!("prod.minor");

/// Kinds of keys (K1, R1) that genesis knows; WEBAUTHN_KEY adds one.
pub const GENESIS_KEY_TYPES: u32 = 2;
/// Entries of the ring of block ids for TaPoS.
pub const BLOCK_SUMMARIES: usize = 0x1_0000;
/// Account windows of CPU and net usage: 24 hours in slots.
pub const ACCOUNT_WINDOW_SLOTS: u32 = 24 * 60 * 60 * 2;
/// Block windows of CPU and net usage: 60 seconds in slots.
pub const BLOCK_WINDOW_SLOTS: u32 = 120;
/// Fixed-point factor of the usage averages.
pub const RATE_LIMITING_PRECISION: u64 = 1_000_000;
/// How far an uncongested virtual limit may exceed the real one.
pub const MAX_ELASTIC_MULTIPLIER: u32 = 1000;
/// 100 % in the unit of target percentages.
pub const PERCENT_100: u64 = 10_000;

/// RAM of an account in itself.
pub const ACCOUNT_RAM_BYTES: i64 = 2048;
/// RAM of contract code, per byte.
pub const CODE_RAM_MULTIPLIER: i64 = 10;
/// RAM of a permission without its authority (112 authority frame + 64 + 5 indexes of 32, in steps of 16).
pub const PERMISSION_RAM_BYTES: i64 = 288;
/// RAM of a permission link.
pub const PERMISSION_LINK_RAM_BYTES: i64 = 144;
/// RAM of a contract table's header, paid by who creates its first row.
pub const TABLE_RAM_BYTES: i64 = 112;
/// RAM of a contract row without its value.
pub const ROW_RAM_BYTES: i64 = 112;
/// RAM of a generated transaction without its bytes.
pub const GENERATED_TRANSACTION_RAM_BYTES: i64 = 272;

/// RAM of an authority (nodeos: `shared_authority::get_billable_size`): 16 and the key as it is stored for each key, 32
/// for each account, 16 for each wait.
pub fn authority_ram_bytes(authority: &Authority) -> i64 {
    const KEY: usize = 16;
    const ACCOUNT: usize = 32;
    const WAIT: usize = 16;
    let keys: usize = authority.keys.iter().map(|weight| KEY + stored_key_size(&weight.key)).sum();
    let bytes = keys + ACCOUNT * authority.accounts.len() + WAIT * authority.waits.len();
    i64::try_from(bytes).expect("an authority is far smaller than 2^63 bytes")
}

/// Bytes of a key as tables keep it (nodeos: `shared_public_key`): a WebAuthn key is a string there, with its length.
fn stored_key_size(key: &PublicKey) -> usize {
    let size = key.packed_size();
    match key {
        PublicKey::WebAuthn(_) => size + VarUint32(size as u32 - 1).packed_size(),
        PublicKey::K1(_) | PublicKey::R1(_) => size,
    }
}

#[cfg(test)]
mod tests {
    use primitives::key::WebAuthnKey;
    use primitives::{KeyWeight, PermissionLevel, PermissionLevelWeight, WaitWeight};

    use super::*;

    #[test]
    fn an_authority_is_billed_as_it_is_stored() {
        let bill =
            |key| authority_ram_bytes(&Authority { keys: vec![KeyWeight { key, weight: 1 }], ..Authority::default() });
        let web = |relying_party: &str| {
            let relying_party = relying_party.as_bytes().into();
            PublicKey::WebAuthn(WebAuthnKey { key: [2; 33], user_presence: 1, relying_party })
        };
        assert_eq!(bill(PublicKey::K1([2; 33])), 16 + 34);
        assert_eq!(bill(web("boreas.test")), 16 + 1 + 1 + 33 + 1 + 1 + 11);
        assert_eq!(bill(web(&"x".repeat(100))), 16 + 1 + 2 + 33 + 1 + 1 + 100);
        let permission = PermissionLevel { actor: SYSTEM_ACCOUNT, permission: ACTIVE };
        let rest = Authority {
            accounts: vec![PermissionLevelWeight { permission, weight: 1 }],
            waits: vec![WaitWeight { wait_sec: 1, weight: 1 }],
            ..Authority::default()
        };
        assert_eq!(authority_ram_bytes(&rest), 32 + 16);
    }
}
