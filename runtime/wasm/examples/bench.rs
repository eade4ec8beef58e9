//! Nanoseconds of one call: `cargo run --release -p wasm --example bench [CONTRACT.wasm]`.
//!
//! Without a contract it measures an empty `apply`, so what a run costs by itself; with one, `apply` for an unknown
//! action, with every import answering zero.
#![allow(clippy::print_stdout, reason = "a command that prints")]

use primitives::{Checksum256, Fault, Name};
use std::time::Instant;
use wasm::{Apply, Engine, Host, Intrinsics, LegacySpan, Memory, NoCache, RunLimits, Runtime};

struct World {
    code: Vec<u8>,
}

impl Host for World {
    type Stop = Fault;
    fn is_context_free(&self) -> bool {
        false
    }
    fn is_privileged(&self) -> bool {
        true
    }
    fn receiver(&self) -> Name {
        Name(1)
    }
    fn checktime(&mut self) -> Result<(), Fault> {
        Ok(())
    }
    fn code(&self, _: &Checksum256) -> Option<&[u8]> {
        Some(&self.code)
    }
}

fn measure(what: &str, code: Vec<u8>) {
    let mut table = Intrinsics::new();
    table
        .context_free("action_data_size", |_: &mut World, _: &mut Memory<'_>| Ok(0_u32))
        .context_free("read_action_data", |_: &mut World, _: &mut Memory<'_>, _: LegacySpan| Ok(0_u32));
    let mut runtime = Runtime::new(Engine::new(), &table, Box::new(NoCache));
    let mut world = World { code };
    let apply = Apply { receiver: Name(1), account: Name(1), action: Name(5) };
    let mut run = |count: u32| {
        let start = Instant::now();
        for _ in 0..count {
            let _ = runtime.run(&Checksum256([0; 32]), apply, RunLimits::default(), &mut world);
        }
        start.elapsed().as_nanos() / u128::from(count)
    };
    println!("{what}: first {} ns", run(1));
    run(10_000);
    println!("{what}: {} ns a call", (0..5).map(|_| run(100_000)).min().unwrap_or_default());
}

fn main() {
    let apply = "(func (export \"apply\") (param i64 i64 i64)";
    let imports = "(import \"env\" \"action_data_size\" (func $size (result i32)))";
    let parse = |text: String| wat::parse_str(text).expect("a module");
    let bench = move || {
        measure("empty, no memory", parse(format!("(module {apply}))")));
        measure("empty, one page", parse(format!("(module (memory 1) {apply}))")));
        measure("empty, four pages", parse(format!("(module (memory 4) {apply}))")));
        let calls = "(drop (call $size))".repeat(100);
        measure("100 host calls, one page", parse(format!("(module {imports} (memory 1) {apply} {calls}))")));
        let stores = "(loop $l (i32.store (local.get $i) (i32.const 7)) (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 2000))))";
        measure("500 stores, one page", parse(format!("(module (memory 1) {apply} (local $i i32) {stores}))")));
        for path in std::env::args().skip(1) {
            measure(&path, std::fs::read(&path).expect("a contract"));
        }
    };
    let thread = std::thread::Builder::new().stack_size(wasm::THREAD_STACK_BYTES).spawn(bench).expect("a thread");
    thread.join().expect("no panic");
}
