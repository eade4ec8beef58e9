//! Contract code, stored once for all accounts that run it (`code_object`).

use primitives::{Bytes, Checksum256};
use rustc_hash::FxHashMap;
use statedb::Slab;

use crate::undo::Undo;
use crate::{Ledger, RowKey};

/// Handle of a stored contract; may be used again for another one after its removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeId(pub(crate) u32);

/// What a contract is found by: hash, kind, version of the kind.
pub type CodeKey = (Checksum256, u8, u8);

/// `code_object`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Order of creation.
    pub(crate) order: u64,
    /// SHA-256 of the code.
    pub code_hash: Checksum256,
    /// The WASM module.
    pub code: Bytes,
    /// Accounts that run it.
    pub code_ref_count: u64,
    /// The block that first stored it.
    pub first_block_used: u32,
    /// Kind (0: WASM).
    pub vm_type: u8,
    /// Version of the kind.
    pub vm_version: u8,
}

impl Code {
    pub(crate) fn key(&self) -> CodeKey {
        (self.code_hash, self.vm_type, self.vm_version)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Codes {
    pub rows: Slab<Code>,
    pub by_key: FxHashMap<CodeKey, CodeId>,
    pub next_order: u64,
}

impl Codes {
    pub fn put(&mut self, code: Code) -> CodeId {
        let key = code.key();
        let id = CodeId(self.rows.insert(code));
        self.by_key.insert(key, id);
        id
    }

    pub fn take(&mut self, id: CodeId) -> Code {
        let code = self.rows.remove(id.0);
        self.by_key.remove(&code.key());
        code
    }

    pub fn in_order(&self) -> Vec<&Code> {
        let mut codes: Vec<_> = self.rows.iter().map(|(_, code)| code).collect();
        codes.sort_unstable_by_key(|code| code.order);
        codes
    }
}

impl Ledger {
    /// The stored contract with this hash and kind.
    pub fn find_code(&self, code_hash: Checksum256, vm_type: u8, vm_version: u8) -> Option<CodeId> {
        self.codes.by_key.get(&(code_hash, vm_type, vm_version)).copied()
    }

    /// A stored contract.
    #[inline]
    pub fn code(&self, code: CodeId) -> &Code {
        self.codes.rows.row(code.0)
    }

    /// All stored contracts in the order of creation.
    pub fn codes(&self) -> Vec<&Code> {
        self.codes.in_order()
    }

    /// Stores a contract with one user, or counts one more user of it.
    pub fn add_code_reference(&mut self, code_hash: Checksum256, code: &[u8], first_block_used: u32) -> CodeId {
        if let Some(id) = self.find_code(code_hash, 0, 0) {
            self.change_code_references(id, 1);
            return id;
        }
        let order = self.codes.next_order;
        self.codes.next_order += 1;
        let row = Code {
            order,
            code_hash,
            code: code.into(),
            code_ref_count: 1,
            first_block_used,
            vm_type: 0,
            vm_version: 0,
        };
        let key = row.key();
        let id = self.codes.put(row);
        self.journal.push(Undo::CodeCreated(id, key));
        self.list(RowKey::Code(key));
        id
    }

    /// Counts one user less; the last one takes the contract away.
    pub fn remove_code_reference(&mut self, id: CodeId) {
        if self.code(id).code_ref_count == 1 {
            let code = self.codes.take(id);
            self.list(RowKey::Code(code.key()));
            self.journal.push(Undo::CodeRemoved(id, Box::new(code)));
        } else {
            self.change_code_references(id, -1);
        }
    }

    fn change_code_references(&mut self, id: CodeId, by: i64) {
        let code = self.codes.rows.row_mut(id.0);
        let (key, old) = (code.key(), code.code_ref_count);
        code.code_ref_count = old.wrapping_add_signed(by);
        self.journal.push(Undo::CodeReferences(id, key, old));
        self.list(RowKey::Code(key));
    }
}
