//! Where a contract was when it stopped: both tiers tell the same functions and places, whatever stopped it.

mod world;

use std::sync::atomic::{AtomicBool, Ordering};

use primitives::{Name, Sha256};
use wasm::{Apply, Backtrace, Engine, NoCache, RunLimits, Runtime, Tier, Tiers};
use world::World;

const APPLY: Apply = Apply { receiver: Name(1), account: Name(2), action: Name(3) };

/// A module whose `apply` calls `outer`, which calls `inner`, which has this body. The name of `inner` is as Rust writes
/// it, `helper` stands between them in the module.
fn module(body: &str) -> Vec<u8> {
    let text = format!(
        "(module
            (import \"env\" \"prints\" (func $prints (param i32)))
            (import \"env\" \"printi\" (func $printi (param i64)))
            (type $none (func))
            (memory 1)
            (table 4 funcref)
            (elem (i32.const 1) $helper $_ZN7counter5hello17h0123456789abcdefE $zero)
            (func $apply (export \"apply\") (param i64 i64 i64)
                (call $printi (local.get 0)) (call $outer (i32.const 7)))
            (func $helper)
            (func $zero (result i32) (i32.const 0))
            (func $outer (param i32)
                (drop (i32.mul (local.get 0) (i32.const 3)))
                (if (local.get 0) (then (call $_ZN7counter5hello17h0123456789abcdefE) (call $helper))))
            (func $_ZN7counter5hello17h0123456789abcdefE (local i32 f32 f64) {body}))"
    );
    wat::parse_str(&text).expect("a module")
}

/// Where the code stops in a tier.
fn stop(code: &[u8], tiers: Tiers, expired: bool) -> Backtrace {
    let engine = Engine::with_tiers(tiers).with_backtraces();
    let mut runtime = Runtime::new(engine.clone(), &world::intrinsics(), Box::new(NoCache));
    let (hash, mut world) = (Sha256::of(code), World { code: code.to_vec(), expired, ..World::default() });
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (ticker, done) = (engine.ticker(), &done);
        scope.spawn(move || {
            while expired && !done.load(Ordering::Relaxed) {
                ticker.tick();
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        });
        runtime.run(&hash, APPLY, RunLimits::default(), &mut world).expect_err("it stops");
        done.store(true, Ordering::Relaxed);
    });
    let ran = if tiers == Tiers::First { Tier::First } else { Tier::Optimised };
    assert_eq!(runtime.tier(&hash), Some(ran));
    let backtrace = runtime.take_backtrace().expect("it tells");
    assert_eq!((runtime.take_backtrace(), backtrace.code_hash), (None, hash), "it is told once");
    if !expired {
        // What is known of the code is used again.
        runtime.run(&hash, APPLY, RunLimits::default(), &mut world).expect_err("it stops again");
        assert_eq!(runtime.take_backtrace().as_ref(), Some(&backtrace));
    }
    backtrace
}

/// Where it stops, in both tiers, and what stands in the code at the innermost place.
fn told(body: &str) -> (Backtrace, u8) {
    let code = module(body);
    let first = stop(&code, Tiers::First, false);
    assert_eq!(stop(&code, Tiers::Optimised, false), first, "{body}");
    let place = code_section(&code) + first.frames[0].offset as usize;
    (first, code[place])
}

/// Where the content of the code section begins.
fn code_section(code: &[u8]) -> usize {
    let leb = |at: usize| {
        let len = code[at..].iter().position(|byte| byte & 0x80 == 0).expect("a number ends") + 1;
        let number = code[at..at + len].iter().rev().fold(0, |number, byte| number << 7 | usize::from(byte & 0x7f));
        (number, at + len)
    };
    let mut at = 8;
    loop {
        let (size, content) = leb(at + 1);
        if code[at] == 10 {
            return content;
        }
        at = content + size;
    }
}

fn names(backtrace: &Backtrace) -> Vec<&str> {
    backtrace.frames.iter().map(|frame| frame.name.as_deref().unwrap_or("?")).collect()
}

#[test]
fn both_tiers_tell_where_code_stopped() {
    const UNREACHABLE: u8 = 0x00;
    const CALL: u8 = 0x10;
    const CALL_INDIRECT: u8 = 0x11;
    world::on_large_stack(|| {
        for (body, instruction) in [
            ("unreachable", UNREACHABLE),
            ("(drop (i32.div_s (i32.const 1) (local.get 0)))", 0x6d),
            ("(drop (i64.rem_u (i64.const 1) (i64.const 0)))", 0x82),
            ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", 0x6d),
            ("(local.set 0 (i32.load offset=4 (i32.const -8)))", 0x28),
            ("(i64.store (i32.const 65532) (i64.const 1))", 0x37),
            ("(f32.store offset=65536 (local.get 0) (local.get 1))", 0x38),
            ("(drop (i32.trunc_f32_s (f32.const nan)))", 0xa8),
            ("(local.set 2 (f64.const 1e300)) (drop (i64.trunc_f64_u (local.get 2)))", 0xb1),
            ("(call_indirect (type $none) (i32.const 0))", CALL_INDIRECT),
            ("(call_indirect (type $none) (i32.const 3))", CALL_INDIRECT),
            ("(call_indirect (type $none) (i32.const 9))", CALL_INDIRECT),
            ("(call $prints (i32.const -1))", CALL),
            ("(call $helper) (call $prints (i32.const -1)) (call $helper)", CALL),
        ] {
            let (backtrace, found) = told(body);
            assert_eq!(names(&backtrace), ["counter::hello", "outer", "apply"], "{body}");
            let functions: Vec<_> = backtrace.frames.iter().map(|frame| frame.function).collect();
            assert_eq!((functions, backtrace.omitted, found), (vec![6, 5, 2], 0, instruction), "{body}");
        }
    });
}

#[test]
fn a_stack_that_is_too_deep_is_told_in_part() {
    world::on_large_stack(|| {
        for body in [
            "(call $_ZN7counter5hello17h0123456789abcdefE)",
            "(call_indirect (type $none) (i32.const 2))",
            "(call $helper) (call $outer (i32.const 1))",
        ] {
            let (backtrace, _) = told(body);
            assert_eq!(backtrace.frames.len(), wasm::backtrace::FRAMES_MAX, "{body}");
            assert!((180..=189).contains(&backtrace.omitted), "{body}: {}", backtrace.omitted);
            assert!(names(&backtrace).iter().all(|name| ["counter::hello", "outer"].contains(name)), "{body}");
        }
    });
}

#[test]
fn a_run_that_takes_too_long_tells_where() {
    let code = module("(loop (br 0))");
    for tiers in [Tiers::First, Tiers::Optimised] {
        assert_eq!(names(&stop(&code, tiers, true)), ["counter::hello", "outer", "apply"], "{tiers:?}");
    }
}

#[test]
fn modules_without_names_tell_their_exports() {
    let module = "(module (func (export \"apply\") (param i64 i64 i64) (call 1)) (func unreachable))";
    let code = wat::parse_str(module).expect("a module");
    for tiers in [Tiers::First, Tiers::Optimised] {
        assert_eq!(names(&stop(&code, tiers, false)), ["?", "apply"], "{tiers:?}");
    }
    // Rubbish where names should be costs the names alone.
    for rubbish in [&b"\x00\x07\x04name\x01\xff"[..], b"\x00\x0a\x04name\x01\x03\x01\x00\x7f", b"\x00\x03\x02\xff\xff"]
    {
        let with_rubbish = [&code, rubbish].concat();
        let runs = stop_or_refuse(&with_rubbish);
        assert!(runs.is_none_or(|backtrace| backtrace.frames.len() == 2), "{rubbish:?}");
    }
}

/// Where code stops in the first tier; nothing where it cannot be run.
fn stop_or_refuse(code: &[u8]) -> Option<Backtrace> {
    let engine = Engine::with_tiers(Tiers::First).with_backtraces();
    let mut runtime = Runtime::new(engine, &world::intrinsics(), Box::new(NoCache));
    let (hash, mut world) = (Sha256::of(code), World { code: code.to_vec(), ..World::default() });
    runtime.run(&hash, APPLY, RunLimits::default(), &mut world).expect_err("it stops");
    runtime.take_backtrace()
}

#[test]
fn an_engine_that_was_not_asked_tells_nothing() {
    let code = module("unreachable");
    for tiers in [Tiers::First, Tiers::Optimised] {
        let mut runtime = Runtime::new(Engine::with_tiers(tiers), &world::intrinsics(), Box::new(NoCache));
        let mut world = World { code: code.clone(), ..World::default() };
        runtime.run(&Sha256::of(&code), APPLY, RunLimits::default(), &mut world).expect_err("it stops");
        assert_eq!(runtime.take_backtrace(), None);
    }
}
