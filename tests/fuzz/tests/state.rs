//! The decoders of whole states: snapshots and the rows of checkpoints.

use std::collections::BTreeMap;
use std::io::Read;

use fuzz::run;
use ledger::{BlockUndo, CheckpointLoader, Snapshot};

/// Sections that are mostly one long run of bytes: without them the rest fits into an input.
const BULKY: [&str; 2] = ["eosio::chain::block_summary_object", "eosio::chain::code_object"];
const BLOCK_SUMMARIES: &str = BULKY[0];

fn fixture(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).expect("the fixture is compressed");
    bytes
}

fn snapshots() -> [Vec<u8>; 3] {
    [
        fixture(include_bytes!("../../../runtime/ledger/tests/fixtures/genesis.snapshot.bin.gz")),
        fixture(include_bytes!("../../../runtime/ledger/tests/fixtures/db.snapshot.bin.gz")),
        fixture(include_bytes!("../../../runtime/ledger/tests/fixtures/chance_mix.snapshot.bin.gz")),
    ]
}

/// Splits a snapshot into head, sections by name, and end.
fn sections(bytes: &[u8]) -> Vec<(String, &[u8])> {
    let mut found = Vec::new();
    let mut at = 8;
    loop {
        let size = u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        if size == u64::MAX {
            return found;
        }
        let end = at + 8 + size as usize;
        let name = bytes[at + 16..end].iter().take_while(|&&byte| byte != 0).map(|&byte| char::from(byte)).collect();
        found.push((name, &bytes[at..end]));
        at = end;
    }
}

fn without(bytes: &[u8], left_out: &[&str]) -> Vec<u8> {
    let kept = sections(bytes).into_iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
    let mut joined = bytes[..8].to_vec();
    kept.for_each(|(_, section)| joined.extend_from_slice(section));
    joined.extend_from_slice(&u64::MAX.to_le_bytes());
    joined
}

/// The long section is put back, so that a mutated rest can be a whole snapshot.
#[test]
fn snapshots_with_damage() {
    let whole = snapshots();
    let ring =
        sections(&whole[0]).into_iter().find(|(name, _)| name == BLOCK_SUMMARIES).expect("it is there").1.to_vec();
    let seeds: Vec<_> = whole.iter().map(|bytes| without(bytes, &BULKY)).collect();
    run("snapshot", &seeds, |input| {
        let mut bytes = input.get(..input.len().saturating_sub(8)).unwrap_or_default().to_vec();
        bytes.extend_from_slice(&ring);
        bytes.extend_from_slice(&u64::MAX.to_le_bytes());
        if let Ok(snapshot) = Snapshot::read(&bytes) {
            let mut again = Vec::new();
            snapshot.ledger.write_snapshot(&snapshot.head_state, primitives::TimePoint(0), &mut again);
            assert!(Snapshot::read(&again).is_ok());
        }
    });
}

#[test]
fn checkpoints_with_damage() {
    let mut snapshot = Snapshot::read(&snapshots()[2]).expect("nodeos wrote it");
    let rows: BTreeMap<Vec<u8>, Vec<u8>> =
        snapshot.ledger.take_checkpoint().rows.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let seeds: Vec<_> = rows.iter().map(|(key, value)| [&[key.len() as u8], &key[..], value].concat()).collect();
    run("checkpoint row", &seeds, |input| {
        let Some((&length, rest)) = input.split_first() else { return };
        let (key, value) = rest.split_at(rest.len().min(usize::from(length)));
        let mut rows = rows.clone();
        rows.insert(key.to_vec(), value.to_vec());
        let _ = CheckpointLoader::of_rows(rows).and_then(CheckpointLoader::finish);
    });
}

/// How a block is undone after a restart.
#[test]
fn undoing_blocks_with_damage() {
    let mut snapshot = Snapshot::read(&snapshots()[2]).expect("nodeos wrote it");
    let ledger = &mut snapshot.ledger;
    ledger.take_checkpoint();
    ledger.begin_block(7);
    let accounts: Vec<_> = ledger.accounts().collect();
    for account in accounts {
        ledger.next_recv_sequence(account);
        ledger.set_abi(account, vec![1; 20].into());
    }
    let created = ledger.create_account(primitives::Name(77), primitives::BlockTimestamp(1));
    let nobody = primitives::Authority::default();
    let owner = ledger.create_permission(
        created,
        primitives::Name(1),
        ledger::PermissionId::NONE,
        nobody,
        primitives::TimePoint(0),
    );
    owner.expect("no keys");
    ledger.record_transaction(primitives::Sha256::of(b"one"), primitives::TimePointSec(9));
    let tables: Vec<_> = ledger.tables_from(ledger::TableKey::default()).map(|(key, _)| *key).collect();
    for key in tables {
        let table = ledger.find_table(key.code, key.scope, key.table).expect("it was listed");
        if let Some(row) = ledger.first_row(table) {
            ledger.update_row(row, primitives::Name(77), b"changed");
        }
    }
    let checkpoint = ledger.take_checkpoint();
    let [undo] = &checkpoint.undo[..] else { panic!("one block can be undone") };
    let rows: BTreeMap<Vec<u8>, Vec<u8>> = {
        let mut all = Snapshot::read(&snapshots()[2]).expect("nodeos wrote it").ledger.take_checkpoint().rows;
        all.extend(checkpoint.rows.clone());
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    };
    run("undoing a block", std::slice::from_ref(&undo.rows), |input| {
        let mut ledger =
            CheckpointLoader::of_rows(rows.clone()).and_then(CheckpointLoader::finish).expect("the rows are a state");
        if ledger.load_undo([BlockUndo { number: 7, rows: input.to_vec() }]).is_ok() {
            let _ = ledger.undo_block();
        }
    });
}
