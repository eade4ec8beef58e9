//! WASM modules: validated, rewritten, compiled and run, each in bounded time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fuzz::run;
use primitives::{Checksum256, Fault, Name, Sha256, WasmConfig};
use wasm::{
    Apply, Engine, Host, Intrinsics, LegacySpan, Limits, Memory, NoCache, RunLimits, Runtime, Text, Whitelisted,
    validate,
};

/// Ticks after which a run is stopped.
const TICKS_MAX: u32 = 3;
const TICK: Duration = Duration::from_millis(5);
/// Modules that are larger take the compiler longer than a test has.
const MODULE_BYTES_MAX: usize = 8 << 10;

/// A world that runs out of time.
#[derive(Default)]
struct World {
    code: Vec<u8>,
    ticks: u32,
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
        self.ticks += 1;
        if self.ticks > TICKS_MAX { Err(wasm::fault::execution_error("out of time")) } else { Ok(()) }
    }
    fn code(&self, _: &Checksum256) -> Option<&[u8]> {
        Some(&self.code)
    }
}

fn intrinsics() -> Intrinsics<World> {
    let mut table = Intrinsics::new();
    table
        .topic("test")
        .context_free("action_data_size", |_: &mut World, _: &mut Memory<'_>| Ok(34_i32))
        .context_free("read_action_data", |_: &mut World, memory: &mut Memory<'_>, buffer: LegacySpan| {
            buffer.bytes_mut(memory).fill(3);
            Ok(buffer.len() as i32)
        })
        .context_free("require_auth", |_: &mut World, _: &mut Memory<'_>, _: Name| Ok(()))
        .context_free("prints", |_: &mut World, memory: &mut Memory<'_>, text: Text| {
            let _ = text.bytes(memory).len();
            Ok(())
        })
        .context_free("eosio_assert", |_: &mut World, memory: &mut Memory<'_>, condition: i32, text: Text| {
            let _ = text.bytes(memory).len();
            if condition == 0 { Err(wasm::fault::execution_error("assertion")) } else { Ok(()) }
        })
        .exit("eosio_exit");
    table
}

fn dist(name: &str) -> Vec<u8> {
    let path = format!("{}/../../contracts/dist/{name}/{name}.wasm", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Modules written by hand, each with something that rewriting or running must get right.
fn small_modules() -> Vec<Vec<u8>> {
    let apply = "(func (export \"apply\") (param i64 i64 i64)";
    let module = |fields: &str, body: &str| {
        wat::parse_str(format!("(module {fields} {apply} {body}))")).expect("a module of the text format")
    };
    vec![
        module("", "(loop $l (br $l))"),
        module(
            "(memory 1) (data (i32.const 0) \"abc\")",
            "(drop (memory.grow (i32.const 9)))
            (i32.store8 offset=7 (i32.const 65535) (i32.load16_s (i32.const 65530)))",
        ),
        module(
            "(type $f (func (param i32) (result i32))) (table 4 funcref) (elem (i32.const 1) $g)
            (func $g (type $f) (i32.add (local.get 0) (i32.const 1)))",
            "(drop (call_indirect (type $f) (i32.const 5) (i32.wrap_i64 (local.get 0))))",
        ),
        module(
            "(global $x (mut i64) (i64.const 4)) (func $r (param i64) (call $r (i64.add (local.get 0) (i64.const 1))))",
            "(global.set $x (i64.mul (global.get $x) (local.get 1))) (call $r (global.get $x))",
        ),
        module(
            "(import \"env\" \"prints\" (func $p (param i32))) (memory 1)",
            "(call $p (i32.const 65535)) (call $p (i32.const -1))",
        ),
        module(
            "",
            "(local f64 f32) (local.set 3 (f64.div (f64.const nan) (f64.const 0)))
            (local.set 4 (f32.demote_f64 (local.get 3))) (drop (i64.trunc_f64_u (local.get 3)))",
        ),
        module("", "(block $a (block $b (br_table $a $b $a (i32.wrap_i64 (local.get 0)))) (unreachable))"),
        module(
            "",
            "(local i32) (drop (i64.div_s (local.get 0) (i64.extend_i32_u (local.get 3))))
            (drop (select (i32.const 1) (i32.clz (local.get 3)) (i32.eqz (local.get 3))))",
        ),
    ]
}

/// Keeps the engine's clock ticking while `work` runs, on a stack that is deep enough.
fn with_ticks(engine: &Engine, work: impl FnOnce() + Send) {
    let ticker = engine.ticker();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                std::thread::sleep(TICK);
                ticker.tick();
            }
        });
        wasm::with_enough_stack(work);
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn modules_that_are_set_and_run() {
    let engine = Engine::new();
    let table = intrinsics();
    let config = WasmConfig::default();
    with_ticks(&engine, || {
        let mut runtime = Runtime::new(engine.clone(), &intrinsics(), Box::new(NoCache));
        let mut ran = 0_u32;
        run("module", &small_modules(), |input| {
            let imports = Whitelisted { intrinsics: &table, listed: |_: &str| true };
            let limits =
                [Limits::Fixed { building: true }, Limits::Fixed { building: false }, Limits::Configured(&config)];
            let accepted = limits.map(|limits| validate(input, limits, &imports).is_ok());
            if accepted.contains(&true) && input.len() <= MODULE_BYTES_MAX {
                let mut world = World { code: input.to_vec(), ticks: 0 };
                let apply = Apply { receiver: Name(1), account: Name(2), action: Name(3) };
                let _ = runtime.run(&Sha256::of(input), apply, RunLimits::default(), &mut world);
                ran += 1;
            }
        });
        assert!(ran > 5, "valid modules are among the mutations");
    });
}

/// Contracts of the size that users deploy: only checked and rewritten, most of them refused.
#[test]
fn damaged_contracts() {
    let table = intrinsics();
    let config = WasmConfig::default();
    let seeds = ["eosio.token", "eosio.bios", "eosio.wrap"].map(dist);
    run("contract", &seeds, |input| {
        let imports = Whitelisted { intrinsics: &table, listed: |_: &str| true };
        for limits in [Limits::Fixed { building: true }, Limits::Configured(&config)] {
            let _ = validate(input, limits, &imports);
        }
    });
}

/// A few bytes that ask for very much: sections, locals, types and tables with large counts.
#[test]
fn modules_that_ask_for_much() {
    let engine = Engine::new();
    let head = [0, b'a', b's', b'm', 1, 0, 0, 0];
    let huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
    let mut seeds: Vec<Vec<u8>> = (1..=11_u8).map(|section| [&head[..], &[section, 5], &huge[..]].concat()).collect();
    let types = [&head[..], &[1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 10, 1, 8, 1], &huge[..], &[0x7f, 0x0b]].concat();
    seeds.push(types);
    seeds.push([&head[..], &[5, 3, 1, 0], &huge[..]].concat());
    let imports = intrinsics();
    let config = WasmConfig::default();
    run("large counts", &seeds, |input| {
        let imports = Whitelisted { intrinsics: &imports, listed: |_: &str| true };
        if validate(input, Limits::Configured(&config), &imports).is_ok() && input.len() <= MODULE_BYTES_MAX {
            let _ = engine.optimise(input);
        }
    });
}
