//! Contract code, stored once for all accounts that run it (`code_object`).

use codec::{Pack, Unpack};
use primitives::{Bytes, Checksum256, Sha256};
use rustc_hash::FxHashMap;
use statedb::Slab;

use crate::Ledger;
use crate::checkpoint::error::{self, unpack};
use crate::checkpoint::key::KeyPart;
use crate::checkpoint::row::{CheckpointKey, Handles, HandlesBefore, RowsBefore};
use crate::deltas::rows::{Before, BeforeOf, ChangesOf, DeltaTable, VERSION_0};
use crate::keys::{CodeId, CodeKey};
use crate::snapshot::rows::{Rows, Source, TableSection};
use crate::snapshot::sections::{Result, Sections};
use crate::undo::seen::Seen;

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

/// How a change of stored code is undone.
#[derive(Debug)]
pub enum CodeUndo {
    /// Code was stored.
    Created(CodeId, CodeKey),
    /// Number of users before a change.
    References(CodeId, CodeKey, u64),
    /// Code was removed.
    Removed(CodeId, Box<Code>),
}

impl CodeUndo {
    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Removed(_, old) => size_of_val(&**old) + old.code.len(),
            Self::Created(..) | Self::References(..) => 0,
        }
    }

    /// Drops bytes that earlier entries of the block have.
    pub(crate) fn is_needed(&mut self, seen: &mut impl Seen<CodeKey>) -> bool {
        match self {
            Self::Created(_, key) => {
                seen.first(*key);
            }
            Self::Removed(_, code) if !seen.first(code.key()) => code.code = Bytes::default(),
            Self::Removed(..) | Self::References(..) => {}
        }
        true
    }
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

    /// Number of stored contracts.
    pub fn code_count(&self) -> usize {
        self.codes.by_key.len()
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
        self.journal.push(CodeUndo::Created(id, key).into());
        self.mark_dirty(key);
        id
    }

    /// Counts one user less; the last one takes the contract away.
    pub fn remove_code_reference(&mut self, id: CodeId) {
        if self.code(id).code_ref_count == 1 {
            let code = self.codes.take(id);
            self.mark_dirty(code.key());
            self.journal.push(CodeUndo::Removed(id, Box::new(code)).into());
        } else {
            self.change_code_references(id, -1);
        }
    }

    fn change_code_references(&mut self, id: CodeId, by: i64) {
        let code = self.codes.rows.row_mut(id.0);
        let (key, old) = (code.key(), code.code_ref_count);
        code.code_ref_count = old.wrapping_add_signed(by);
        self.journal.push(CodeUndo::References(id, key, old).into());
        self.mark_dirty(key);
    }

    pub(crate) fn undo_code(&mut self, undo: CodeUndo) {
        match undo {
            CodeUndo::Created(id, _) => {
                self.codes.take(id);
                self.codes.next_order -= 1;
            }
            CodeUndo::References(id, _, old) => self.codes.rows.row_mut(id.0).code_ref_count = old,
            CodeUndo::Removed(_, code) => drop(self.codes.put(*code)),
        }
    }
}

const SECTION_NAME: &str = "eosio::chain::code_object";

/// Stored code in snapshots, in the order of creation.
pub(crate) const SECTION: TableSection = TableSection { name: SECTION_NAME, write: write_section, read: read_section };

fn write_section(source: &Source<'_>, rows: &mut Rows<'_>) {
    for code in source.ledger.codes() {
        rows.add(|out| {
            code.code_hash.pack(out);
            code.code.pack(out);
            code.code_ref_count.pack(out);
            code.first_block_used.pack(out);
            code.vm_type.pack(out);
            code.vm_version.pack(out);
        });
    }
}

fn read_section(ledger: &mut Ledger, sections: &Sections<'_>) -> Result<()> {
    #[derive(Unpack)]
    struct SnapshotRow {
        code_hash: Checksum256,
        code: Bytes,
        code_ref_count: u64,
        first_block_used: u32,
        vm_type: u8,
        vm_version: u8,
    }
    sections.get(SECTION_NAME)?.each(|section, row: SnapshotRow| {
        let SnapshotRow { code_hash, code, code_ref_count, first_block_used, vm_type, vm_version } = row;
        let twice = ledger.find_code(code_hash, vm_type, vm_version).is_some();
        section.ensure(!twice, || "code is there twice".into())?;
        section.ensure(Sha256::of(&code) == code_hash, || "code has another hash than it says".into())?;
        let order = ledger.codes.next_order;
        ledger.codes.next_order += 1;
        ledger.codes.put(Code { order, code_hash, code, code_ref_count, first_block_used, vm_type, vm_version });
        Ok(())
    })
}

impl KeyPart for CodeKey {
    fn write(self, out: &mut Vec<u8>) {
        let (hash, vm_type, vm_version) = self;
        hash.write(out);
        vm_type.write(out);
        vm_version.write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        Some((KeyPart::read(input)?, KeyPart::read(input)?, KeyPart::read(input)?))
    }
}

/// Stored code in checkpoints.
#[derive(Pack, Unpack)]
struct CheckpointRow {
    order: u64,
    code: Bytes,
    code_ref_count: u64,
    first_block_used: u32,
}

impl CheckpointKey for CodeKey {
    /// With the number of its users.
    type Image<'a> = (&'a Code, u64);

    fn all(ledger: &Ledger) -> impl Iterator<Item = Self> {
        ledger.codes.rows.iter().map(|(_, code)| code.key())
    }

    fn image(self, ledger: &Ledger) -> Option<(&Code, u64)> {
        let code = ledger.code(*ledger.codes.by_key.get(&self)?);
        Some((code, code.code_ref_count))
    }

    fn pack((row, code_ref_count): &(&Code, u64), _handles: &Handles<'_>) -> Vec<u8> {
        CheckpointRow {
            order: row.order,
            code: row.code.clone(),
            code_ref_count: *code_ref_count,
            first_block_used: row.first_block_used,
        }
        .to_bytes()
    }

    fn load(self, ledger: &mut Ledger, value: &[u8]) -> error::Result<()> {
        let (code_hash, vm_type, vm_version) = self;
        let CheckpointRow { order, code, code_ref_count, first_block_used } = unpack(value)?;
        ledger.codes.next_order = ledger.codes.next_order.max(order.saturating_add(1));
        ledger.codes.put(Code { order, code_hash, code, code_ref_count, first_block_used, vm_type, vm_version });
        Ok(())
    }

    fn unload(self, ledger: &mut Ledger, comes_back: bool) -> error::Result<()> {
        let code = ledger.codes.by_key.get(&self).copied();
        if let Some(id) = code.filter(|_| !comes_back) {
            ledger.codes.take(id);
        }
        Ok(())
    }

    fn restore(self, ledger: &mut Ledger, value: &[u8]) -> error::Result<()> {
        let Some(id) = ledger.codes.by_key.get(&self) else {
            return self.load(ledger, value);
        };
        let CheckpointRow { order, code_ref_count, first_block_used, .. } = unpack(value)?;
        let row = ledger.codes.rows.row_mut(id.0);
        (row.order, row.code_ref_count, row.first_block_used) = (order, code_ref_count, first_block_used);
        Ok(())
    }
}

impl CodeUndo {
    /// What the rows were before this change.
    pub(crate) fn step<'a>(&'a self, then: &mut (impl RowsBefore<'a, CodeKey> + HandlesBefore<'a>)) {
        match self {
            Self::Created(_, key) => then.set(*key, None),
            Self::References(_, key, old) => then.change(*key, |(_, code_ref_count)| *code_ref_count = *old),
            Self::Removed(id, code) => {
                then.handles().set_code(*id, code.key());
                then.set(code.key(), Some((code, code.code_ref_count)));
            }
        }
    }
}

/// `code`.
pub(crate) struct CodeDelta;

impl DeltaTable for CodeDelta {
    const NAME: &'static str = "code";
    type Key = CodeKey;
    type Old<'a> = ();
    type Gone<'a> = &'a Code;

    fn keys(ledger: &Ledger) -> Vec<CodeKey> {
        ledger.codes().into_iter().map(Code::key).collect()
    }

    fn write(ledger: &Ledger, key: CodeKey, out: &mut Vec<u8>) {
        let code = ledger.codes.by_key.get(&key).map(|&id| ledger.code(id));
        write_delta(code.expect("code that is there"), out);
    }

    fn write_gone(_ledger: &Ledger, gone: &&Code, _before: &Before, out: &mut Vec<u8>) {
        write_delta(gone, out);
    }
}

fn write_delta(code: &Code, out: &mut Vec<u8>) {
    VERSION_0.pack(out);
    code.vm_type.pack(out);
    code.vm_version.pack(out);
    code.code_hash.pack(out);
    code.code.pack(out);
}

impl CodeUndo {
    /// Says which rows this is of. The number of users is not told.
    pub(crate) fn tell<'a>(&'a self, walk: &mut (impl ChangesOf<'a, CodeDelta> + BeforeOf)) {
        match self {
            Self::Created(_, key) => walk.created(*key),
            Self::Removed(id, code) => {
                walk.before().codes.insert(*id, code.key());
                walk.removed(code.key(), &**code);
            }
            Self::References(..) => {}
        }
    }
}
