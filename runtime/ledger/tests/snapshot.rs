//! A snapshot that nodeos wrote: read, hashed and written again as nodeos does it.
//!
//! `fixtures/boot144.snapshot.bin.gz` is the state of the recorded bootstrap chain at block 144. To make it again:
//! unpack the recording's `boot.blocks.log` into `DIR/blocks`, run
//! `nodeos --data-dir DIR --hard-replay-blockchain --genesis-json boot.genesis.json` with the producer API plugin,
//! POST to `/v1/producer/create_snapshot`, and compress the file (`.pending-snapshot-*` where no further block makes
//! it final) with `gzip -9`.

use std::io::Read;

use ledger::{Snapshot, SnapshotError};
use primitives::{BlockTimestamp, TimePoint};

/// nodeos' answer to `/v1/producer/get_integrity_hash` at block 144.
const INTEGRITY_HASH: &str = "7b8618abf3402fc569b11ba912959bf4805dbafc5141147c56bdcc2e78b47bf8";

fn boot_144() -> Vec<u8> {
    let packed = include_bytes!("fixtures/boot144.snapshot.bin.gz");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).expect("the fixture is compressed");
    bytes
}

/// The fixture has no unexpired transactions to leave out.
fn late() -> TimePoint {
    BlockTimestamp(u32::MAX).time()
}

#[test]
fn the_integrity_hash_is_nodeos_own() {
    let snapshot = Snapshot::read(&boot_144()).expect("nodeos wrote it");
    let hash = snapshot.ledger.integrity_hash(&snapshot.head_state, late());
    assert_eq!(hex::encode(hash.0), INTEGRITY_HASH);
}

#[test]
fn written_again_it_is_the_same_file() {
    let bytes = boot_144();
    let snapshot = Snapshot::read(&bytes).expect("nodeos wrote it");
    let mut again = Vec::new();
    snapshot.ledger.write_snapshot(&snapshot.head_state, late(), &mut again);
    assert!(again == bytes, "{} bytes, {} wanted", again.len(), bytes.len());
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
