//! Runs of small modules: what is set afresh, what stops a run, how arguments are checked.

mod world;

use primitives::{Checksum256, Fault, Name, Sha256};
use wasm::{Apply, Artefact, CodeCache, Engine, Intrinsics, Memory, RunLimits, Runtime, Span, Tiers};
use world::World;

const APPLY: Apply = Apply { receiver: Name(1), account: Name(2), action: Name(3) };

/// A module whose `apply` has this body, with further fields before it.
fn module(fields: &str, body: &str) -> Vec<u8> {
    let apply = "(func (export \"apply\") (param i64 i64 i64)";
    wat::parse_str(format!("(module {fields} {apply} {body}))")).expect("a module")
}

/// Runs modules one after the other, each by its hash.
struct Bench {
    runtime: Runtime<World>,
    world: World,
}

impl Bench {
    fn new() -> Self {
        Self { runtime: world::runtime(), world: World::default() }
    }

    fn run(&mut self, code: &[u8]) -> Result<String, Fault> {
        self.world.code = code.to_vec();
        self.world.console.clear();
        self.runtime.run(&Sha256::of(code), APPLY, RunLimits::default(), &mut self.world)?;
        Ok(String::from_utf8(std::mem::take(&mut self.world.console)).expect("text"))
    }

    fn fails(&mut self, code: &[u8]) -> String {
        self.run(code).expect_err("a fault").details.remove(0)
    }
}

const PRINTI: &str = "(import \"env\" \"printi\" (func $print (param i64)))";

#[test]
fn arguments_of_apply_arrive() {
    let code = module(PRINTI, "(call $print (local.get 0)) (call $print (local.get 1)) (call $print (local.get 2))");
    assert_eq!(Bench::new().run(&code).expect("runs"), "123");
}

#[test]
fn memory_and_globals_begin_afresh() {
    let fields = format!(
        "{PRINTI} (memory 2) (global $g (mut i64) (i64.const 5)) (data (i32.const 8) \"\\07\") (data (i32.const 65535) \"\\01\")"
    );
    let body = "
        (call $print (global.get $g)) (global.set $g (i64.const 9))
        (call $print (i64.load8_u (i32.const 8))) (i64.store8 (i32.const 8) (i64.const 1))
        (call $print (i64.load (i32.const 100000))) (i64.store (i32.const 100000) (i64.const 3))
        (call $print (i64.extend_i32_s (memory.grow (i32.const 1))))
        (call $print (i64.load (i32.const 140000))) (i64.store (i32.const 140000) (i64.const 4))";
    let code = module(&fields, body);
    let mut bench = Bench::new();
    for _ in 0..3 {
        assert_eq!(bench.run(&code).expect("runs"), "57020");
    }
}

#[test]
fn memory_shrinks_by_negative_growth() {
    let fields = format!("{PRINTI} (memory 3)");
    let grow = |pages: i32| format!("(call $print (i64.extend_i32_s (memory.grow (i32.const {pages}))))");
    let body = format!(
        "(i32.store (i32.const 131072) (i32.const 1)) {} {} {} (call $print (i64.load (i32.const 131072)))",
        grow(-1),
        grow(-3),
        grow(1)
    );
    let mut bench = Bench::new();
    assert_eq!(bench.run(&module(&fields, &body)).expect("runs"), "3-120");
    let beyond = format!("{} (i32.store (i32.const 131072) (i32.const 1))", grow(-1));
    assert_eq!(bench.fails(&module(&fields, &beyond)), "access violation");
    assert_eq!(bench.run(&module(&fields, &body)).expect("runs"), "3-120");
}

#[test]
fn large_memories_begin_afresh() {
    let fields = format!("{PRINTI} (memory 400)");
    let body = "(call $print (i64.load (i32.const 26000000))) (i64.store (i32.const 26000000) (i64.const 4))
        (call $print (i64.load (i32.const 16))) (i64.store (i32.const 16) (i64.const 4))
        (drop (memory.grow (i32.const 100)))
        (call $print (i64.load (i32.const 32000000))) (i64.store (i32.const 32000000) (i64.const 4))";
    let code = module(&fields, body);
    let mut bench = Bench::new();
    for _ in 0..3 {
        assert_eq!(bench.run(&code).expect("runs"), "000");
    }
}

/// Each run adds up the whole memory, then follows the action's data: stores, growth and shrinking anywhere.
#[test]
fn whatever_a_run_leaves_behind_is_gone() {
    let fields = format!(
        "{PRINTI} (import \"env\" \"read_action_data\" (func $read (param i32 i32) (result i32))) (memory 3 9)
        (data (i32.const 1000) \"abcdefghijklmnopqrstuvwxyz\") (data (i32.const 131070) \"xy\")"
    );
    let body = "(local $at i32) (local $sum i64) (local $end i32)
        (local.set $end (i32.shl (memory.size) (i32.const 16)))
        (loop $next
            (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 3)) (i64.load (local.get $at))))
            (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (local.get $end))))
        (call $print (local.get $sum))
        (local.set $end (call $read (i32.const 512) (i32.const 80)))
        (local.set $at (i32.const 512))
        (loop $next
            (if (i32.eqz (i32.and (i32.load (local.get $at)) (i32.const 7)))
                (then (drop (memory.grow (i32.sub (i32.rem_u (i32.load offset=4 (local.get $at)) (i32.const 7)) (i32.const 2)))))
                (else (i64.store offset=3 (i32.rem_u (i32.load offset=4 (local.get $at)) (i32.const 196610)) (i64.const -1))))
            (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 592))))";
    let code = module(&fields, body);
    let (mut bench, mut random) = (Bench::new(), 1_u64);
    let expected = bench.run(&code).expect("runs");
    for _ in 0..2000 {
        bench.world.action_data = (0..10)
            .flat_map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 7).to_le_bytes()
            })
            .collect();
        bench.world.code = code.clone();
        bench.world.console.clear();
        let _ = bench.runtime.run(&Sha256::of(&code), APPLY, RunLimits::default(), &mut bench.world);
        assert_eq!(String::from_utf8_lossy(&bench.world.console), expected);
    }
}

#[test]
fn functions_take_more_parameters_than_the_compiler() {
    let types = |last: &str| format!("{} {last}", "i32 ".repeat(1199));
    let take = "(call $print (i64.extend_i32_u (local.get 1198))) (call $print (i64.extend_i32_u (local.get 5)))";
    let fields = format!(
        "{PRINTI} (type $wide (func (param {}))) (type $other (func (param {})))
        (table 2 funcref) (elem (i32.const 0) $f $g)
        (func $f (type $wide) (local i64) (local.set 1200 (i64.extend_i32_u (local.get 1199))) (call $print (local.get 1200)) {take})
        (func $g (type $other) (call $print (local.get 1199)) {take})",
        types("i32"),
        types("i64")
    );
    let push: String = (0..1199).map(|index| format!("(i32.const {index})")).collect();
    let mut bench = Bench::new();
    let mut run = |body: &str| bench.run(&module(&fields, body)).map_err(|fault| fault.details[0].clone());
    let direct = format!("{push} (i32.const 7) (call $f) {push} (i64.const 8) (call $g)");
    assert_eq!(run(&direct).as_deref(), Ok("711985811985"));
    let indirect = |place: u32| format!("{push} (i64.const 9) (call_indirect (type $other) (i32.const {place}))");
    assert_eq!(run(&indirect(1)).as_deref(), Ok("911985"));
    assert_eq!(run(&indirect(0)), Err("eos-vm system failure".to_owned()));
}

#[test]
fn exit_ends_a_run_cleanly_in_start_as_in_apply() {
    let fields = format!("{PRINTI} (import \"env\" \"eosio_exit\" (func $exit (param i32)))");
    let mut bench = Bench::new();
    assert_eq!(bench.run(&module(&fields, "(call $exit (i32.const 0)) unreachable")).expect("ends"), "");
    let start = |body: &str| module(&format!("{fields} (func $s {body}) (start $s)"), "(call $print (i64.const 7))");
    assert_eq!(bench.run(&start("(call $exit (i32.const 0))")).expect("ends"), "");
    assert_eq!(
        bench.run(&start("(call $print (i64.const 5)) (call $exit (i32.const 1)) unreachable")).expect("ends"),
        "5"
    );
    assert_eq!(bench.run(&start("(call $print (i64.const 5))")).expect("goes on"), "57");
    assert_eq!(bench.fails(&start("unreachable")), "eos-vm system failure");
}

#[test]
fn host_calls_need_depth_wherever_they_are() {
    let fields = format!(
        "{PRINTI} (import \"env\" \"eosio_exit\" (func $exit (param i32)))
        (func $leaf (call $print (i64.const 1)))
        (func $deep (param i32) (if (local.get 0)
            (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (call $leaf))))"
    );
    let mut bench = Bench::new();
    // 251 calls at most, apply's own among them: the nested ones, the leaf, the host.
    let deep = |count: u32| module(&fields, &format!("(call $deep (i32.const {count}))"));
    assert_eq!(bench.run(&deep(247)).expect("just fits"), "1");
    assert_eq!(bench.fails(&deep(248)), "eos-vm system failure");
}

#[test]
fn the_host_is_asked_for_the_time() {
    let engine = Engine::new();
    let ticker = engine.ticker();
    let mut runtime = Runtime::new(engine, &world::intrinsics(), Box::new(wasm::NoCache));
    let code = module("", "(loop $again (br $again))");
    let mut world = World { code, expired: true, ..World::default() };
    let clock = std::thread::spawn(move || {
        for _ in 0..200 {
            std::thread::sleep(std::time::Duration::from_millis(5));
            ticker.tick();
        }
    });
    let fault = runtime.run(&Checksum256([2; 32]), APPLY, RunLimits::default(), &mut world).expect_err("stopped");
    assert_eq!(fault.details, ["expired"]);
    drop(clock);
}

#[test]
fn spans_must_not_overlap_and_pointers_must_lie_within() {
    let mut table = Intrinsics::new();
    table.context_free("copy", |_: &mut World, memory: &mut Memory<'_>, from: Span, to: Span| {
        let bytes = from.bytes(memory).to_vec();
        to.bytes_mut(memory)[..bytes.len()].copy_from_slice(&bytes);
        Ok(())
    });
    let mut runtime = Runtime::new(Engine::new(), &table, Box::new(wasm::NoCache));
    let mut run = |arguments: [u32; 4]| {
        let arguments = arguments.map(|value| format!("(i32.const {value})")).join(" ");
        let import = "(import \"env\" \"copy\" (func $copy (param i32 i32 i32 i32))) (memory 1)";
        let code = module(import, &format!("(call $copy {arguments})"));
        let mut world = World { code: code.clone(), ..World::default() };
        let result = runtime.run(&Sha256::of(&code), APPLY, RunLimits::default(), &mut world);
        result.err().map(|fault| fault.details[0].clone())
    };
    assert_eq!(run([0, 8, 8, 8]), None);
    assert_eq!(run([0, 0, 0, 0]), None);
    assert_eq!(run([65536, 0, 0, 8]), None);
    assert_eq!(run([0, 9, 8, 9]).as_deref(), Some("pointers not allowed to alias"));
    assert_eq!(run([65537, 0, 0, 8]).as_deref(), Some("access violation"));
    assert_eq!(run([0, 8, 65530, 8]).as_deref(), Some("access violation"));
    assert_eq!(run([0, 8, 16, u32::MAX]).as_deref(), Some("access violation"));
}

/// Artefacts by their keys.
type Entries = Vec<(Checksum256, Vec<u8>)>;

/// Keeps artefacts in memory.
#[derive(Clone, Default)]
struct Kept(std::sync::Arc<std::sync::Mutex<Entries>>);

impl CodeCache for Kept {
    fn get(&self, key: &Checksum256) -> Option<Vec<u8>> {
        let kept = self.0.lock().expect("not poisoned");
        kept.iter().find(|(known, _)| known == key).map(|(_, bytes)| bytes.clone())
    }
    fn put(&self, key: &Checksum256, artefact: &[u8]) {
        self.0.lock().expect("not poisoned").push((*key, artefact.to_vec()));
    }
}

#[test]
fn compiled_code_is_kept_and_checked() {
    let (cache, code) = (Kept::default(), module(PRINTI, "(call $print (i64.const 1))"));
    let hash = Sha256::of(&code);
    let mut world = World { code, ..World::default() };
    let run = |world: &mut World| {
        let engine = Engine::with_tiers(Tiers::Optimised);
        let mut runtime = Runtime::new(engine, &world::intrinsics(), Box::new(cache.clone()));
        runtime.run(&hash, APPLY, RunLimits::default(), world)
    };
    run(&mut world).expect("compiles");
    world.code = b"not needed any more".to_vec();
    run(&mut world).expect("comes from the cache");
    assert_eq!(cache.0.lock().expect("not poisoned").len(), 1);
    let mut bytes = cache.get(&Artefact::key(&hash)).expect("kept");
    assert!(Artefact::from_bytes(&bytes).is_some());
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert!(Artefact::from_bytes(&bytes).is_none());
}

#[test]
fn broken_bytes_are_refused_without_harm() {
    struct Nothing;
    impl wasm::Imports for Nothing {
        fn import(&self, _: &str) -> Option<(&wasm::Signature, bool)> {
            None
        }
    }
    let code = include_bytes!("fixtures/numeric.wasm");
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let engine = Engine::new();
    for round in 0..20_000 {
        let mut bytes = code.to_vec();
        for _ in 0..=next(4) {
            let at = next(bytes.len());
            bytes[at] = next(256) as u8;
        }
        bytes.truncate(bytes.len() - if round % 3 == 0 { next(bytes.len()) } else { 0 });
        let _ = wasm::validate(&bytes, wasm::Limits::Fixed { building: true }, &Nothing);
        if round % 400 == 0 {
            let _ = engine.optimise(&bytes);
        }
    }
}
