//! A snapshot that nodeos wrote: read, hashed and written again as nodeos does it.
//!
//! `fixtures/boot144.snapshot.bin.gz` is the state of the recorded bootstrap chain at block 144. To make it again:
//! unpack the recording's `boot.blocks.log` into `DIR/blocks`, run
//! `nodeos --data-dir DIR --hard-replay-blockchain --genesis-json boot.genesis.json` with the producer API plugin,
//! POST to `/v1/producer/create_snapshot`, and compress the file (`.pending-snapshot-*` where no further block makes
//! it final) with `gzip -9`. `genesis.snapshot.bin.gz` is the same of a node that has just begun from that genesis, `db` and
//! `chance_mix` are the heads of the conformance recordings of that name: all kinds of secondary indexes, waiting
//! transactions, links, RAM corrections.

use std::io::Read;

use ledger::config::{OWNER, SYSTEM_ACCOUNT};
use ledger::genesis::GenesisArgs;
use ledger::{CheckpointLoader, Ledger, Snapshot, SnapshotError};
use primitives::{Genesis, PermissionLevel, TimePoint};

/// nodeos' answer to `/v1/producer/get_integrity_hash` at block 144.
const INTEGRITY_HASH: &str = "7b8618abf3402fc569b11ba912959bf4805dbafc5141147c56bdcc2e78b47bf8";

/// The same at the heads of the conformance recordings.
const DB_HASH: &str = "b2f184a0fc1b2137804a93a2c035780f932c89dd1017197b544eb496c42a2a38";
const CHANCE_MIX_HASH: &str = "4d96f49ca048d478deb797bff71e90e0dea98e1d54f1afe5b83c7c860d965cc9";

fn unpack(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).expect("the fixture is compressed");
    bytes
}

fn boot_144() -> Vec<u8> {
    unpack(include_bytes!("fixtures/boot144.snapshot.bin.gz"))
}

/// Before every expiration: nothing is left out.
const EARLY: TimePoint = TimePoint(0);

/// Reads, hashes and writes a snapshot; then the same by way of a checkpoint.
fn check(packed: &[u8], integrity_hash: &str) {
    let bytes = unpack(packed);
    let mut snapshot = Snapshot::read(&bytes).expect("nodeos wrote it");
    let hash = snapshot.ledger.integrity_hash(&snapshot.head_state, EARLY);
    assert_eq!(hex::encode(hash.0), integrity_hash);
    let mut again = Vec::new();
    snapshot.ledger.write_snapshot(&snapshot.head_state, EARLY, &mut again);
    assert!(again == bytes, "{} bytes, {} wanted", again.len(), bytes.len());
    let rows = snapshot.ledger.take_checkpoint().rows;
    let rows = rows.into_iter().map(|(key, value)| (key, value.expect("nothing is gone")));
    let loaded = CheckpointLoader::of_rows(rows).and_then(CheckpointLoader::finish).expect("the rows are a state");
    assert_eq!(loaded.integrity_hash(&snapshot.head_state, EARLY), hash);
}

#[test]
fn a_snapshot_hashes_and_writes_as_nodeos_does() {
    check(include_bytes!("fixtures/boot144.snapshot.bin.gz"), INTEGRITY_HASH);
    check(include_bytes!("fixtures/db.snapshot.bin.gz"), DB_HASH);
    check(include_bytes!("fixtures/chance_mix.snapshot.bin.gz"), CHANCE_MIX_HASH);
}

#[test]
fn a_chain_begins_with_nodeos_own_state() {
    const GENESIS_HASH: &str = "2a3e1963eef78e123527b653ebb4f39cb12add77df6e41318c2b9356f29d5050";
    let bytes = unpack(include_bytes!("fixtures/genesis.snapshot.bin.gz"));
    let theirs = Snapshot::read(&bytes).expect("nodeos wrote it");
    let theirs_ledger = &theirs.ledger;
    let owner = PermissionLevel { actor: SYSTEM_ACCOUNT, permission: OWNER };
    let owner = theirs_ledger.permission(theirs_ledger.get_permission(owner).expect("it exists"));
    let system = theirs_ledger.find_account(SYSTEM_ACCOUNT).expect("it exists");
    let intrinsics = &theirs_ledger.protocol_state().whitelisted_intrinsics;
    let args = GenesisArgs {
        genesis: &Genesis {
            initial_timestamp: owner.last_updated,
            initial_key: owner.auth.keys[0].key.clone(),
            initial_configuration: theirs_ledger.global_property().configuration.v0.clone(),
        },
        chain_id: theirs_ledger.global_property().chain_id,
        head_id: theirs_ledger.block_summary(1),
        system_abi: &theirs_ledger.account_info(system).abi,
        intrinsics: &intrinsics.iter().map(String::as_str).collect::<Vec<_>>(),
    };
    let ours = Ledger::from_genesis(&args).expect("the genesis is sound");
    assert_eq!(hex::encode(ours.integrity_hash(&theirs.head_state, EARLY).0), GENESIS_HASH);
    let mut written = Vec::new();
    ours.write_snapshot(&theirs.head_state, EARLY, &mut written);
    assert!(written == bytes);
}

#[test]
fn truncated_and_damaged_files_are_refused_without_a_panic() {
    let bytes = boot_144();
    assert!(matches!(Snapshot::read(&[]), Err(SnapshotError::Decode { .. })));
    assert!(matches!(Snapshot::read(&[0; 8]), Err(SnapshotError::Magic(0))));
    for length in (0..bytes.len()).step_by(bytes.len() / 40) {
        assert!(Snapshot::read(&bytes[..length]).is_err(), "{length}");
    }
    for at in (8..bytes.len()).step_by(bytes.len() / 60) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xff;
        let _ = Snapshot::read(&damaged);
    }
}
