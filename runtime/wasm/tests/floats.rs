//! Float instructions, bit by bit, against what nodeos answered.
//!
//! `fixtures/numeric.wasm` is the numeric contract of the conformance tests with its results printed; the file of
//! vectors holds a count, then records of (u16 instruction, u64 left, u64 right, u64 result), then records without a
//! result that trap.

mod world;

use flate2::read::GzDecoder;
use primitives::{Checksum256, Name};
use std::io::Read as _;
use wasm::{Apply, Engine, NoCache, RunLimits, Runtime, Tiers};
use world::World;

const APPLY: Apply = Apply { receiver: Name(1), account: Name(1), action: Name(2) };
/// Records of one run.
const BATCH: usize = 900;

#[test]
fn every_result_has_the_bits_that_nodeos_gave() {
    let mut vectors = Vec::new();
    GzDecoder::new(&include_bytes!("fixtures/floats.bin.gz")[..]).read_to_end(&mut vectors).expect("compressed");
    let (count, records) = vectors.split_first_chunk::<4>().expect("a count");
    let count = u32::from_le_bytes(*count) as usize;
    let (results, traps) = records.split_at(count * 26);
    [Tiers::First, Tiers::Optimised].into_iter().for_each(|tiers| check(tiers, count, results, traps));
}

fn check(tiers: Tiers, count: usize, results: &[u8], traps: &[u8]) {
    let mut runtime = Runtime::new(Engine::with_tiers(tiers), &world::intrinsics(), Box::new(NoCache));
    let mut world = World { code: include_bytes!("fixtures/numeric.wasm").to_vec(), ..World::default() };
    let mut run = |data: Vec<u8>| {
        world.action_data = [vec![0; 8], data].concat();
        world.console.clear();
        let result = runtime.run(&Checksum256([1; 32]), APPLY, RunLimits::default(), &mut world);
        result.map(|()| hex::decode(&world.console).expect("hex"))
    };
    let mut wrong = Vec::new();
    for batch in results.chunks(26 * BATCH) {
        let inputs: Vec<u8> = batch.chunks(26).flat_map(|record| record[..18].to_vec()).collect();
        let found = run(inputs).expect("no trap");
        for (record, found) in batch.chunks(26).zip(found.chunks(8)) {
            if record[18..] != *found {
                wrong.push(format!("{} found {}", hex::encode(record), hex::encode(found)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    for record in traps.chunks(18) {
        let fault = run(record.to_vec()).expect_err("a trap");
        assert_eq!(fault.details, ["eos-vm system failure"], "{}", hex::encode(record));
    }
    assert_eq!(traps.len() / 18, 157);
}
