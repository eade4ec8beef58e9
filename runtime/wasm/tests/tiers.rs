//! Two tiers: modules that are built to take the compiler long run at once, what is used much is optimised, and what is
//! loaded gives its memory back.

mod world;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use primitives::{Checksum256, Name, Sha256};
use wasm::{Apply, Engine, NoCache, RunLimits, Runtime, Tier, Tiers, Unready};
use world::World;

const APPLY: Apply = Apply { receiver: Name(1), account: Name(2), action: Name(3) };

/// `functions` functions of `nested` loops each over 1,000 locals: for a compiler that asks at each loop what each local
/// is, that is much, and the loops within loops make it more.
fn loops(functions: usize, nested: usize) -> Vec<u8> {
    let mut text = String::from("(module ");
    for function in 0..functions {
        let locals = "i64 ".repeat(1000);
        let _ = write!(text, "(func $f{function} (local {locals})");
        let _ = (0..nested).try_for_each(|_| write!(text, "loop "));
        for nest in 0..nested {
            let of = |step: usize| (nest * step + function) % 1000;
            let _ = write!(
                text,
                "local.get {} local.get {} i64.add local.set {} local.get {} i32.wrap_i64 br_if 0 end ",
                of(7),
                of(11),
                of(13),
                of(17)
            );
        }
        text.push(')');
    }
    text.push_str("(func (export \"apply\") (param i64 i64 i64) ");
    (0..functions).for_each(|function| text.push_str(&format!("(call $f{function})")));
    text.push_str("))");
    wat::parse_str(&text).expect("a module")
}

/// A module whose `apply` has this body.
fn module(body: &str) -> Vec<u8> {
    let text = format!("(module (memory 1) (func (export \"apply\") (param i64 i64 i64) {body}))");
    wat::parse_str(text).expect("a module")
}

fn run(runtime: &mut Runtime<World>, code: &[u8]) -> Checksum256 {
    let hash = Sha256::of(code);
    let mut world = World { code: code.to_vec(), ..World::default() };
    runtime.run(&hash, APPLY, RunLimits::default(), &mut world).expect("runs");
    hash
}

#[test]
fn what_would_take_the_optimiser_long_stays_in_the_first_tier() {
    let engine = Engine::new();
    for (functions, nested) in [(1, 400), (2, 400), (25, 200), (1, 900)] {
        let code = loops(functions, nested);
        assert!(engine.optimise(&code).expect("valid code").is_none(), "{functions} x {nested}");
    }
    assert!(engine.optimise(&loops(1, 20)).expect("valid code").is_some());
    // It runs, however much it is used.
    let mut runtime = world::runtime();
    let code = loops(1, 900);
    let mut hash = Checksum256::default();
    for _ in 0..300 {
        hash = run(&mut runtime, &code);
    }
    assert_eq!(runtime.tier(&hash), Some(Tier::First));
}

#[test]
fn what_is_used_much_is_optimised() {
    let mut runtime = world::runtime();
    let code = module("(i32.store (i32.const 4) (i32.const 5))");
    let hash = run(&mut runtime, &code);
    assert_eq!(runtime.tier(&hash), Some(Tier::First));
    for _ in 0..200 {
        run(&mut runtime, &code);
    }
    assert_eq!(runtime.tier(&hash), Some(Tier::Optimised));
}

#[test]
fn others_optimise_where_others_load() {
    let mut runtime = world::runtime();
    runtime.load_aside(true);
    let code = module("(i32.store (i32.const 4) (i32.const 5))");
    let (hash, mut world) = (Sha256::of(&code), World { code: code.clone(), ..World::default() });
    let mut run = |runtime: &mut Runtime<World>| runtime.run(&hash, APPLY, RunLimits::default(), &mut world);
    assert!(run(&mut runtime).is_err());
    let Some(Unready::Code(missing)) = runtime.take_unready() else { panic!("the code is missing") };
    let compiler = runtime.compiler().clone();
    runtime.supply(&hash, compiler.load(&missing.code_hash, &missing.code));
    (0..200).for_each(|_| run(&mut runtime).expect("runs"));
    assert_eq!(runtime.tier(&hash), Some(Tier::First));
    let hot = runtime.take_hot().expect("it is used much");
    assert_eq!((hot.code_hash, &hot.code), (hash, &code));
    assert!(runtime.take_hot().is_none(), "it is asked for once");
    runtime.supply(&hash, compiler.optimise(&hash, &code).expect("it is small"));
    assert_eq!(runtime.tier(&hash), Some(Tier::Optimised));
    run(&mut runtime).expect("runs");
}

#[test]
fn a_long_run_waits_for_the_optimiser_where_that_is_of_use() {
    let engine = Engine::new();
    let mut runtime = Runtime::new(engine.clone(), &world::intrinsics(), Box::new(NoCache));
    runtime.load_aside(true);
    let compiler = runtime.compiler().clone();
    let ticks = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let (ticker, ticks) = (engine.ticker(), &ticks);
        scope.spawn(move || {
            while ticks.load(Ordering::Relaxed) {
                ticker.tick();
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        // As long as it runs in the first tier, a tick comes.
        let long = module(
            "(local i32) (loop (local.set 3 (i32.add (local.get 3) (i32.const 1)))
                (br_if 0 (i32.ne (local.get 3) (i32.const 5000000))))",
        );
        let (hash, mut world) = (Sha256::of(&long), World { code: long.clone(), ..World::default() });
        let mut run = |runtime: &mut Runtime<World>| runtime.run(&hash, APPLY, RunLimits::default(), &mut world);
        runtime.supply(&hash, compiler.load(&hash, &long));
        runtime.be_patient(true);
        run(&mut runtime).expect("it goes on to its end");
        runtime.be_patient(false);
        assert!(run(&mut runtime).is_err());
        let Some(Unready::Code(missing)) = runtime.take_unready() else { panic!("it waits for code") };
        assert!(missing.optimised && missing.code == long && missing.code_hash == hash);
        runtime.supply(&hash, compiler.optimise(&hash, &long).expect("it is small"));
        run(&mut runtime).expect("runs");
        assert_eq!(runtime.tier(&hash), Some(Tier::Optimised));
        ticks.store(false, Ordering::Relaxed);
    });
}

#[test]
fn loaded_contracts_are_bounded_and_forgotten() {
    let mut runtime = world::runtime();
    let hashes: Vec<_> =
        (0..600).map(|number| run(&mut runtime, &module(&format!("(drop (i32.const {number}))")))).collect();
    assert!(runtime.loaded_count() <= 512, "{}", runtime.loaded_count());
    assert!(!runtime.is_loaded(&hashes[0]) && runtime.is_loaded(&hashes[599]));
    // Each writes to 16 MiB of memory, which is not kept.
    for number in 0..40 {
        let body = format!(
            "(local i32) (drop (memory.grow (i32.const 255)))
            (loop (i32.store (local.get 3) (i32.const {number})) (local.set 3 (i32.add (local.get 3) (i32.const 4096)))
                (br_if 0 (i32.lt_u (local.get 3) (i32.const 16777216))))"
        );
        run(&mut runtime, &module(&body));
    }
    assert!(runtime.loaded_bytes() <= 256 << 20, "{}", runtime.loaded_bytes());
    runtime.retain(|hash| *hash == hashes[599]);
    assert_eq!(runtime.loaded_count(), usize::from(runtime.is_loaded(&hashes[599])));
}

#[test]
fn memory_that_a_run_wrote_to_is_clean_for_the_next_one() {
    // Reads what an earlier run wrote far out, and writes there.
    let far = "(if (i32.load (i32.const 9000000)) (then unreachable)) (i32.store (i32.const 9000000) (i32.const 1))
        (if (i32.load (i32.const 1048574)) (then unreachable)) (i64.store (i32.const 1048574) (i64.const -1))";
    for tiers in [Tiers::First, Tiers::Optimised] {
        let mut runtime = Runtime::new(Engine::with_tiers(tiers), &world::intrinsics(), Box::new(NoCache));
        let text = format!("(module (memory 200) (func (export \"apply\") (param i64 i64 i64) {far}))");
        let code = wat::parse_str(text).expect("a module");
        for _ in 0..3 {
            run(&mut runtime, &code);
        }
    }
}
