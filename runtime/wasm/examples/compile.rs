//! Milliseconds that contracts take to be ready in the first tier, and in the optimised one if `OPTIMISE` is set:
//! `cargo run --release --workspace --example compile [CONTRACT.wasm]`. Without contracts: modules that are built to take
//! long.
#![allow(clippy::print_stdout, reason = "a command that prints")]

use std::time::Instant;

use wasm::{Compiler, Engine, NoCache, Tiers};

fn loops(functions: usize, nested: usize, locals: usize) -> Vec<u8> {
    let mut text = String::from("(module ");
    for function in 0..functions {
        text += &format!("(func $f{function} (local {})", "i64 ".repeat(locals));
        text += &"loop ".repeat(nested);
        for nest in 0..nested {
            let of = |step: usize| (nest * step + function) % locals;
            text += &format!(
                "local.get {} local.get {} i64.add local.set {} local.get {} i32.wrap_i64 br_if 0 end ",
                of(7),
                of(11),
                of(13),
                of(17)
            );
        }
        text += ")";
    }
    text += "(func (export \"apply\") (param i64 i64 i64) ";
    (0..functions).for_each(|function| text += &format!("(call $f{function})"));
    text += "))";
    wat::parse_str(&text).expect("a module")
}

fn body(locals: &str, body: &str) -> Vec<u8> {
    wat::parse_str(format!("(module (memory 1) (func (export \"apply\") (param i64 i64 i64) (local {locals}) {body}))"))
        .expect("a module")
}

fn measure(name: &str, code: &[u8]) {
    let hash = primitives::Sha256::of(code);
    let first = Compiler::new(Engine::with_tiers(Tiers::First), std::sync::Arc::new(NoCache));
    let begin = Instant::now();
    let loaded = first.load(&hash, code);
    let took = begin.elapsed();
    let optimising = std::env::var_os("OPTIMISE").is_some();
    let begin = Instant::now();
    let optimised = optimising.then(|| first.optimise(&hash, code).is_some());
    println!(
        "{name}: {} bytes, {:?}: {took:.3?}; optimised {optimised:?}: {:.3?}",
        code.len(),
        loaded.tier(),
        begin.elapsed()
    );
}

fn main() {
    let work = || {
        let paths: Vec<_> = std::env::args().skip(1).collect();
        for path in &paths {
            measure(path, &std::fs::read(path).expect("a contract"));
        }
        if !paths.is_empty() {
            return;
        }
        measure("loops 1 x 20", &loops(1, 20, 1000));
        measure("loops 1 x 100", &loops(1, 100, 1000));
        measure("loops 2 x 400", &loops(2, 400, 1000));
        measure("loops 25 x 200", &loops(25, 200, 1000));
        measure("loops 1 x 900", &loops(1, 900, 1000));
        measure("loops 30 x 900", &loops(30, 900, 1000));
        let deep = |count: usize, ops: &str, times: usize| {
            body(
                "i32 i32",
                &format!("{} {} {}", "local.get 3 ".repeat(count), ops.repeat(times), "drop ".repeat(count)),
            )
        };
        measure("deep stack 1,000, sets", &deep(1000, "local.get 4 local.set 3 ", 100_000));
        measure("deep stack 20,000, sets", &deep(20_000, "i32.const 1 local.set 4 ", 100_000));
        measure("deep stack 1,000, blocks", &deep(1000, "block end ", 120_000));
        measure("deep stack 20,000, blocks", &deep(20_000, "block end ", 120_000));
        measure(
            "deep stack of constants 20,000, blocks",
            &body(
                "i32",
                &format!(
                    "{} {} {}",
                    "i32.const 3 ".repeat(20_000),
                    "block end ".repeat(120_000),
                    "drop ".repeat(20_000)
                ),
            ),
        );
        measure(
            "br_table 100,000",
            &body("i32", &format!("block (br_table {} 0 (local.get 3)) end", "0 ".repeat(100_000))),
        );
        measure("br_ifs", &body("i32", &format!("block {} end", "local.get 3 br_if 0 ".repeat(100_000))));
        measure("straight line", &body("i64 i64", &"local.get 3 local.get 4 i64.mul local.set 3 ".repeat(60_000)));
        measure("float ops", &body("f64 f64", &"local.get 3 local.get 4 f64.mul local.set 3 ".repeat(60_000)));
        measure(
            "ifs",
            &body("i64 i64 i32", &"local.get 5 if local.get 3 local.get 4 i64.mul local.set 3 end ".repeat(40_000)),
        );
        measure("stores", &body("i64 i64 i32", &"local.get 5 local.get 3 i64.store ".repeat(60_000)));
        measure(
            "nested blocks 1000",
            &body("i64 i64 i32", &format!("{} {}", "block ".repeat(1000), "local.get 5 br_if 0 end ".repeat(1000))),
        );
        measure(
            "functions 60,000",
            &wat::parse_str(format!(
                "(module {} (func (export \"apply\") (param i64 i64 i64)))",
                "(func)".repeat(60_000)
            ))
            .expect("a module"),
        );
        measure(
            "types",
            &wat::parse_str(format!(
                "(module {} (func (export \"apply\") (param i64 i64 i64)))",
                (0..5_000)
                    .map(|n| format!(
                        "(type (func (param {})))",
                        (0..13).map(|b| if n >> b & 1 == 0 { "i32 " } else { "i64 " }).collect::<String>()
                    ))
                    .collect::<String>()
            ))
            .expect("a module"),
        );
    };
    std::thread::Builder::new().stack_size(64 << 20).spawn(work).expect("a thread").join().expect("no panic");
}
