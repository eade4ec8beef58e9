//! Writes the sections, without a buffer: a first pass over a section counts, a second one writes.

use codec::{Pack, Sink, SizeCounter, VarUint32};
use primitives::{Checksum256, Sha256, TimePoint};

use super::format::{CHAIN_VERSION, END, FORMAT_VERSION, MAGIC, section};
use crate::Ledger;
use crate::keys::{PermissionId, TableId};
use crate::secondary::{Float64, Float128, Key128, Key256, SecondaryKey};

/// What a snapshot is of: the ledger, the packed `block_header_state` of its head, the head's time.
struct Source<'a> {
    ledger: &'a Ledger,
    head_state: &'a [u8],
    now: TimePoint,
}

/// Takes rows and counts them.
struct Rows<'a> {
    out: &'a mut dyn Sink,
    count: u64,
}

impl Rows<'_> {
    fn add(&mut self, write: impl FnOnce(&mut dyn Sink)) {
        write(self.out);
        self.count += 1;
    }

    fn pack<T: Pack>(&mut self, row: &T) {
        self.add(|out| row.pack(out));
    }
}

type WriteSection = fn(&Source<'_>, &mut Rows<'_>);

const SECTIONS: [(&str, WriteSection); 19] = [
    (section::HEADER, |_, rows| rows.pack(&CHAIN_VERSION)),
    (section::HEAD, |source, rows| rows.add(|out| out.put(source.head_state))),
    (section::ACCOUNT, accounts),
    (section::METADATA, metadata),
    (section::RAM_CORRECTION, ram_corrections),
    (section::GLOBAL, |source, rows| rows.pack(&source.ledger.global_property)),
    (section::PROTOCOL, |source, rows| rows.pack(&source.ledger.protocol_state)),
    (section::DYNAMIC, |source, rows| rows.pack(&source.ledger.global_action_sequence)),
    (section::BLOCK_SUMMARY, |source, rows| source.ledger.block_summaries.0.iter().for_each(|id| rows.pack(id))),
    (section::TRANSACTION, transactions),
    (section::GENERATED, |source, rows| source.ledger.generated_in_order().for_each(|(_, row)| rows.pack(row))),
    (section::CODE, codes),
    (section::CONTRACT, contract_tables),
    (section::PERMISSION, permissions),
    (section::LINK, links),
    (section::LIMITS, limits),
    (section::USAGE, usages),
    (section::STATE, |source, rows| rows.pack(&source.ledger.resource_state)),
    (section::CONFIG, |source, rows| rows.pack(&source.ledger.resource_config)),
];

impl Ledger {
    /// Writes a snapshot. `head_state` is the packed `block_header_state` of the head, `now` the head's time:
    /// transactions that have expired by then are left out, as nodeos clears them first.
    pub fn write_snapshot(&self, head_state: &[u8], now: TimePoint, out: &mut impl Sink) {
        let source = Source { ledger: self, head_state, now };
        MAGIC.pack(out);
        FORMAT_VERSION.pack(out);
        for (name, write) in SECTIONS {
            let mut counter = SizeCounter::default();
            let mut rows = Rows { out: &mut counter, count: 0 };
            write(&source, &mut rows);
            let count = rows.count;
            // The size counts everything after itself.
            let size = size_of::<u64>() + name.len() + 1 + counter.0;
            (size as u64).pack(out);
            count.pack(out);
            out.put(name.as_bytes());
            out.put(&[0]);
            write(&source, &mut Rows { out, count: 0 });
        }
        END.pack(out);
    }

    /// nodeos' hash of the whole state: over the rows of a snapshot (`calculate_integrity_hash`).
    pub fn integrity_hash(&self, head_state: &[u8], now: TimePoint) -> Checksum256 {
        let source = Source { ledger: self, head_state, now };
        let mut hasher = Sha256::default();
        for (_, write) in SECTIONS {
            write(&source, &mut Rows { out: &mut hasher, count: 0 });
        }
        hasher.finish()
    }
}

fn accounts(source: &Source<'_>, rows: &mut Rows<'_>) {
    for info in &source.ledger.accounts.info {
        rows.add(|out| {
            info.name.pack(out);
            info.creation_date.pack(out);
            info.abi.pack(out);
        });
    }
}

fn metadata(source: &Source<'_>, rows: &mut Rows<'_>) {
    for account in source.ledger.accounts() {
        let metadata = source.ledger.account_metadata(account);
        rows.add(|out| {
            source.ledger.account_name(account).pack(out);
            metadata.recv_sequence.pack(out);
            metadata.auth_sequence.pack(out);
            metadata.code_sequence.pack(out);
            metadata.abi_sequence.pack(out);
            source.ledger.account_code_hash(account).pack(out);
            metadata.last_code_update.pack(out);
            metadata.flags.pack(out);
            metadata.vm_type.pack(out);
            metadata.vm_version.pack(out);
        });
    }
}

fn ram_corrections(source: &Source<'_>, rows: &mut Rows<'_>) {
    for account in source.ledger.ram_corrections() {
        let info = source.ledger.account_info(account);
        rows.pack(&(info.name, info.ram_correction));
    }
}

fn transactions(source: &Source<'_>, rows: &mut Rows<'_>) {
    for (_, expiration, id) in source.ledger.dedup.in_order() {
        if source.now <= TimePoint::from(expiration) {
            rows.pack(&(expiration, id));
        }
    }
}

fn codes(source: &Source<'_>, rows: &mut Rows<'_>) {
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

fn contract_tables(source: &Source<'_>, rows: &mut Rows<'_>) {
    let ledger = source.ledger;
    for id in ledger.contracts.tables_in_order() {
        let table = ledger.table(id);
        rows.add(|out| {
            table.key.pack(out);
            table.payer.pack(out);
            table.count.pack(out);
        });
        rows.pack(&size_of_group(table.rows.len()));
        for (_, row) in table.rows.iter() {
            let row = ledger.row(crate::RowId(row));
            rows.add(|out| {
                row.primary.pack(out);
                row.payer.pack(out);
                size_of_group(row.value.len()).pack(out);
                out.put(&row.value);
            });
        }
        secondary_group::<u64>(ledger, id, rows);
        secondary_group::<Key128>(ledger, id, rows);
        secondary_group::<Key256>(ledger, id, rows);
        secondary_group::<Float64>(ledger, id, rows);
        secondary_group::<Float128>(ledger, id, rows);
    }
}

fn secondary_group<K: SecondaryKey>(ledger: &Ledger, table: TableId, rows: &mut Rows<'_>) {
    let group = ledger.secondaries_by_primary::<K>(table);
    rows.pack(&size_of_group(group.len()));
    for row in group {
        rows.pack(&(row.primary, row.payer, row.secondary));
    }
}

fn size_of_group(size: usize) -> VarUint32 {
    VarUint32(u32::try_from(size).expect("a table has fewer than 2^32 rows, a row fewer bytes"))
}

fn permissions(source: &Source<'_>, rows: &mut Rows<'_>) {
    let ledger = source.ledger;
    let ids = ledger.permissions();
    // The reserved permission shares the record of use with the first real one.
    let first_use = ids.first().map_or(TimePoint(0), |&first| ledger.permission(first).last_used);
    for id in std::iter::once(PermissionId::NONE).chain(ids) {
        let permission = ledger.permission(id);
        rows.add(|out| {
            ledger.permission(permission.parent).name.pack(out);
            permission.owner.pack(out);
            permission.name.pack(out);
            permission.last_updated.pack(out);
            if id == PermissionId::NONE {
                first_use.pack(out)
            } else {
                permission.last_used.pack(out)
            }
            permission.auth.pack(out);
        });
    }
}

fn links(source: &Source<'_>, rows: &mut Rows<'_>) {
    let mut links: Vec<_> = source.ledger.links.iter().collect();
    links.sort_unstable_by_key(|(_, link)| link.order);
    for (key, link) in links {
        rows.pack(&(*key, link.required_permission));
    }
}

fn limits(source: &Source<'_>, rows: &mut Rows<'_>) {
    for account in source.ledger.accounts() {
        rows.pack(&(source.ledger.account_name(account), source.ledger.accounts.hot[account.index()].limits));
    }
}

fn usages(source: &Source<'_>, rows: &mut Rows<'_>) {
    for account in source.ledger.accounts() {
        rows.pack(&(source.ledger.account_name(account), *source.ledger.account_usage(account)));
    }
}
