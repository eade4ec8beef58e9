//! A small fuzzer that runs on stable Rust as a test: seeded mutations of valid inputs, a clock, and an allocator that
//! counts. A target fails by panicking, by taking more memory than its input may cost, or by taking too long.
//!
//! `BOREAS_FUZZ_SECONDS=600` runs each target that long; `BOREAS_FUZZ_SEED=7` repeats a run.

mod memory;
mod mutate;

use std::time::{Duration, Instant};

pub use memory::peak_during;
pub use mutate::Mutator;

/// How long a target runs unless told otherwise.
const DEFAULT_SECONDS: u64 = 2;
/// No decoder may think about one small input for longer; generous, because the machine may be busy.
const ONE_INPUT_LIMIT: Duration = Duration::from_secs(5);
/// Memory that a decoder may take whatever the input.
const BASE_BYTES: usize = 80 * 1024 * 1024;
/// Memory that it may take for each byte of input.
const BYTES_PER_INPUT_BYTE: usize = 256;
/// Inputs do not grow beyond this.
const INPUT_BYTES_MAX: usize = 64 * 1024;

/// A number from the environment variable `name`, `default` where it is not set to one.
pub fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs a target on mutations of `seeds`, until its time is over.
///
/// # Panics
/// When the target panics, takes too much memory or too long; the message has the input.
pub fn run(target: &str, seeds: &[Vec<u8>], mut decode: impl FnMut(&[u8])) {
    let seed = from_environment("BOREAS_FUZZ_SEED", 1);
    let until = Instant::now() + Duration::from_secs(from_environment("BOREAS_FUZZ_SECONDS", DEFAULT_SECONDS));
    let mut mutator = Mutator::new(seed, INPUT_BYTES_MAX);
    let mut rounds = 0u64;
    for input in seeds {
        check(target, input, &mut decode);
    }
    while Instant::now() < until {
        let input = mutator.next(seeds);
        check(target, &input, &mut decode);
        rounds += 1;
    }
    assert!(rounds > 0, "{target} had no time for a single input");
}

/// Says which input a panic came from, however the target ends.
struct Report<'a> {
    target: &'a str,
    input: &'a [u8],
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let hex: String = self.input.iter().map(|byte| format!("{byte:02x}")).collect();
            // A failing test's captured output is where this belongs; losing it loses only comfort.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("fuzz target {} failed on {hex}\n", self.target).as_bytes(),
            );
        }
    }
}

fn check(target: &str, input: &[u8], decode: &mut impl FnMut(&[u8])) {
    let report = Report { target, input };
    let begin = Instant::now();
    let peak = peak_during(|| decode(input));
    let limit = BASE_BYTES + BYTES_PER_INPUT_BYTE * input.len();
    assert!(peak <= limit, "{target} took {peak} bytes of memory for an input of {}", input.len());
    assert!(begin.elapsed() <= ONE_INPUT_LIMIT, "{target} took {:?}", begin.elapsed());
    drop(report);
}
