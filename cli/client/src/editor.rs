//! Rows of a contract as nobody's key allows them, on a development chain: the row editor (`contracts/editor`) takes the
//! contract's place for a transaction, and writes what it is given.

use primitives::{Action, Bytes, Name, Pack, PermissionLevel, Symbol, SymbolCode, name, number};

/// The row editor's module.
pub const MODULE: &[u8] = include_bytes!("../../../contracts/dist/editor/editor.wasm");

/// The last four bits of a table's name, which number its secondary indexes.
pub const INDEX_BITS: u64 = 0xf;

const EOSIO: Name = name!("eosio");
const ACTIVE: Name = name!("active");

/// A row to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedRow {
    /// Its scope.
    pub scope: Name,
    /// Its table.
    pub table: Name,
    /// Who pays; nobody (0) is who paid before, or the contract.
    pub payer: Name,
    /// Its primary key.
    pub id: u64,
    /// What is in it; without bytes it is removed.
    pub bytes: Option<Vec<u8>>,
}

/// An entry of a secondary index to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedKey {
    /// Its scope.
    pub scope: Name,
    /// Its table, with the index' number in the last four bits.
    pub table: Name,
    /// Who pays.
    pub payer: Name,
    /// The primary key of its row.
    pub id: u64,
    /// The key.
    pub key: SecondaryKey,
}

/// A secondary key, as contracts hand it to the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondaryKey {
    /// `idx64`.
    Key64(u64),
    /// `idx128`.
    Key128(u128),
    /// `idx256`: two words, the more significant first.
    Key256([u128; 2]),
    /// `idx_double`, by its bits.
    Double(u64),
    /// `idx_long_double`, by its bits.
    LongDouble(u128),
}

impl SecondaryKey {
    /// Its bytes, and the number that the editor has for its kind.
    fn packed(self) -> (Vec<u8>, u8) {
        match self {
            Self::Key64(key) => (key.to_le_bytes().to_vec(), 0),
            Self::Key128(key) => (key.to_le_bytes().to_vec(), 1),
            Self::Key256(words) => (words.iter().flat_map(|word| word.to_le_bytes()).collect(), 2),
            Self::Double(bits) => (bits.to_le_bytes().to_vec(), 3),
            Self::LongDouble(bits) => (bits.to_le_bytes().to_vec(), 4),
        }
    }
}

/// What writes rows and entries while the editor is `code`'s contract. Whoever pays for one is named as agreeing.
pub fn write(code: Name, rows: &[EditedRow], keys: &[EditedKey]) -> Action {
    let mut payers: Vec<_> = rows.iter().map(|row| row.payer).chain(keys.iter().map(|key| key.payer)).collect();
    payers.sort_unstable();
    payers.dedup();
    payers.retain(|payer| *payer != code && payer.0 != 0);
    let packed_row = |row: &EditedRow| ((row.scope, row.table), (row.payer, row.id, row.bytes.clone().map(Bytes)));
    let packed_key = |key: &EditedKey| {
        let (bytes, kind) = key.key.packed();
        ((key.scope, key.table), (key.payer, key.id, Bytes(bytes), kind))
    };
    let rows: Vec<_> = rows.iter().map(packed_row).collect();
    let keys: Vec<_> = keys.iter().map(packed_key).collect();
    let mut authorization = vec![active(code)];
    authorization.extend(payers.into_iter().map(active));
    Action { account: code, name: name!("write"), authorization, data: Bytes((rows, keys).to_bytes()) }
}

/// What removes up to `most` rows or entries of a table while the editor is `code`'s contract; `turn` makes it unlike
/// others.
pub fn clear(code: Name, scope: Name, table: Name, most: u32, turn: u32) -> Action {
    let data = (scope, table, most, turn).to_bytes();
    Action { account: code, name: name!("clear"), authorization: vec![active(code)], data: Bytes(data) }
}

/// What gives `account` a contract. `eosio` comes first, so that its CPU and net are used.
pub fn set_code(account: Name, code: &[u8]) -> Action {
    let (vm_type, vm_version) = (0u8, 0u8);
    let data = (account, vm_type, vm_version, Bytes::from(code)).to_bytes();
    let authorization = vec![active(EOSIO), active(account)];
    Action { account: EOSIO, name: name!("setcode"), authorization, data: Bytes(data) }
}

/// What gives `account` an ABI.
pub fn set_abi(account: Name, abi: &[u8]) -> Action {
    let authorization = vec![active(EOSIO), active(account)];
    let data = (account, Bytes::from(abi)).to_bytes();
    Action { account: EOSIO, name: name!("setabi"), authorization, data: Bytes(data) }
}

fn active(actor: Name) -> PermissionLevel {
    PermissionLevel { actor, permission: ACTIVE }
}

/// A scope or a primary key as people write it, read as nodes do: a number, a name, a symbol, or a symbol's code,
/// whichever it can be first.
pub fn key_of_text(text: &str) -> Option<u64> {
    let symbol = || if text.contains(',') { text.parse::<Symbol>().ok().map(|symbol| symbol.0) } else { None };
    number::unsigned(text)
        .or_else(|| text.trim().parse::<Name>().ok().map(|name| name.0))
        .or_else(symbol)
        .or_else(|| text.parse::<SymbolCode>().ok().map(|code| code.0))
}
