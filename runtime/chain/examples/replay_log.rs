//! Replays a block log on one thread and prints what it took: `cargo run --release -p chain --example replay_log FILE`.
//! Blocks are prepared first, a batch at a time, so that preparing and applying are timed apart.

use std::time::{Duration, Instant};

use chain::block_log::{BlockLog, ChainContext};
use chain::{Doors, LiveChain, PrepareMode, PreparedBlock, Settings};

/// Blocks that are prepared ahead.
const BATCH: usize = 64;

#[expect(clippy::print_stdout, reason = "its report")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("which block log?")?;
    let mode =
        if arguments.next().is_some_and(|word| word == "full") { PrepareMode::Full } else { PrepareMode::Trusted };
    let bytes = std::fs::read(file)?;
    let log = BlockLog::open(&bytes)?;
    let ChainContext::Genesis(genesis) = log.context() else {
        return Err("the log does not begin with block 1".into());
    };
    let doors = Doors {
        clock: Box::new(execution::StoppedClock),
        engine: wasm::Engine::new(),
        code_cache: Box::new(wasm::NoCache),
    };
    let mut chain = LiveChain::from_genesis(genesis, Settings::default(), doors)?;
    let (mut preparing, mut applying, mut transactions) = (Duration::ZERO, Duration::ZERO, 0usize);
    let packed: Vec<_> = log.iter().skip(1).map(|(_, packed)| packed).collect();
    for batch in packed.chunks(BATCH) {
        let start = Instant::now();
        let id = chain.chain_id();
        let blocks: Vec<_> =
            batch.iter().map(|packed| PreparedBlock::from_bytes(packed, &id, mode)).collect::<Result<_, _>>()?;
        preparing += start.elapsed();
        transactions += blocks.iter().map(|block| block.transactions.len()).sum::<usize>();
        let start = Instant::now();
        for block in blocks {
            chain.replay_block(block)?;
        }
        applying += start.elapsed();
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / transactions.max(1) as f64;
    println!("head {} integrity {}", chain.head().id(), chain.integrity_hash()?);
    println!(
        "{transactions} transactions: {:.2} us each to prepare, {:.2} us to apply",
        each(preparing),
        each(applying)
    );
    Ok(())
}
