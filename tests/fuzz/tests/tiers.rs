//! Random programs do the same in both tiers of compiled code: the same calls of the host with the same values, the same
//! fault or none.

use std::fmt::Write as _;

use fuzz::{Mutator, from_environment};
use primitives::{Checksum256, Fault, Name, Sha256};
use wasm::{Apply, Engine, Host, Intrinsics, Memory, NoCache, RunLimits, Runtime, Tier, Tiers};

/// Functions of a program besides `apply`.
const FUNCTIONS: usize = 5;
/// Locals of each type in each function, the parameters among them.
const LOCALS: usize = 4;
const TYPES: [&str; 4] = ["i32", "i64", "f32", "f64"];

/// Programs of a run; `BOREAS_FUZZ_SEED` is the first, `BOREAS_FUZZ_ROUNDS` how many follow.
const ROUNDS: u64 = 300;

/// Writes down what it is told.
#[derive(Default)]
struct World {
    code: Vec<u8>,
    told: Vec<i64>,
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

fn intrinsics() -> Intrinsics<World> {
    let mut table = Intrinsics::new();
    table
        .topic("test")
        .context_free("printi", |world: &mut World, _: &mut Memory<'_>, value: i64| {
            world.told.push(value);
            Ok(())
        })
        .exit("eosio_exit");
    table
}

/// Writes programs: every expression has a type, every loop ends.
struct Writer<'a> {
    random: &'a mut Mutator,
    text: String,
}

/// Operators of each type on two operands of it.
const BINARY: [&[&str]; 4] = [
    &[
        "i32.add",
        "i32.sub",
        "i32.mul",
        "i32.div_s",
        "i32.div_u",
        "i32.rem_s",
        "i32.rem_u",
        "i32.and",
        "i32.or",
        "i32.xor",
        "i32.shl",
        "i32.shr_s",
        "i32.shr_u",
        "i32.rotl",
        "i32.rotr",
        "i32.eq",
        "i32.lt_s",
        "i32.gt_u",
        "i32.le_s",
        "i32.ge_u",
        "i32.ne",
    ],
    &[
        "i64.add",
        "i64.sub",
        "i64.mul",
        "i64.div_s",
        "i64.div_u",
        "i64.rem_s",
        "i64.rem_u",
        "i64.and",
        "i64.or",
        "i64.xor",
        "i64.shl",
        "i64.shr_s",
        "i64.shr_u",
        "i64.rotl",
        "i64.rotr",
    ],
    &["f32.add", "f32.sub", "f32.mul", "f32.div", "f32.min", "f32.max", "f32.copysign"],
    &["f64.add", "f64.sub", "f64.mul", "f64.div", "f64.min", "f64.max", "f64.copysign"],
];

/// Operators that give each type, and the type of their operand.
const UNARY: [&[(&str, usize)]; 4] = [
    &[
        ("i32.clz", 0),
        ("i32.ctz", 0),
        ("i32.popcnt", 0),
        ("i32.eqz", 0),
        ("i64.eqz", 1),
        ("i32.wrap_i64", 1),
        ("i32.trunc_f32_s", 2),
        ("i32.trunc_f32_u", 2),
        ("i32.trunc_f64_s", 3),
        ("i32.trunc_f64_u", 3),
        ("i32.reinterpret_f32", 2),
    ],
    &[
        ("i64.clz", 1),
        ("i64.ctz", 1),
        ("i64.popcnt", 1),
        ("i64.extend_i32_s", 0),
        ("i64.extend_i32_u", 0),
        ("i64.trunc_f32_s", 2),
        ("i64.trunc_f32_u", 2),
        ("i64.trunc_f64_s", 3),
        ("i64.trunc_f64_u", 3),
        ("i64.reinterpret_f64", 3),
    ],
    &[
        ("f32.abs", 2),
        ("f32.neg", 2),
        ("f32.ceil", 2),
        ("f32.floor", 2),
        ("f32.trunc", 2),
        ("f32.nearest", 2),
        ("f32.sqrt", 2),
        ("f32.convert_i32_s", 0),
        ("f32.convert_i32_u", 0),
        ("f32.convert_i64_s", 1),
        ("f32.convert_i64_u", 1),
        ("f32.demote_f64", 3),
        ("f32.reinterpret_i32", 0),
    ],
    &[
        ("f64.abs", 3),
        ("f64.neg", 3),
        ("f64.ceil", 3),
        ("f64.floor", 3),
        ("f64.trunc", 3),
        ("f64.nearest", 3),
        ("f64.sqrt", 3),
        ("f64.convert_i32_s", 0),
        ("f64.convert_i32_u", 0),
        ("f64.convert_i64_s", 1),
        ("f64.convert_i64_u", 1),
        ("f64.promote_f32", 2),
        ("f64.reinterpret_i64", 1),
    ],
];

const LOADS: [&[&str]; 4] = [
    &["i32.load", "i32.load8_s", "i32.load8_u", "i32.load16_s", "i32.load16_u"],
    &["i64.load", "i64.load8_s", "i64.load16_u", "i64.load32_s", "i64.load32_u"],
    &["f32.load"],
    &["f64.load"],
];

const STORES: [&[&str]; 4] = [
    &["i32.store", "i32.store8", "i32.store16"],
    &["i64.store", "i64.store8", "i64.store16", "i64.store32"],
    &["f32.store"],
    &["f64.store"],
];

const CONSTANTS: [&[&str]; 4] = [
    &["0", "1", "-1", "7", "31", "-2147483648", "2147483647", "65535"],
    &["0", "1", "-1", "63", "-9223372036854775808", "9223372036854775807", "4294967296"],
    &["0", "-0", "1.5", "inf", "-inf", "nan", "-nan:0x200001", "nan:0x1", "0x1p-149", "2147483648", "-1e9"],
    &["0", "-0", "0.1", "inf", "-inf", "nan", "-nan:0x4000000000001", "nan:0x1", "0x1p-1074", "9.3e18", "-2147483649"],
];

impl Writer<'_> {
    fn below(&mut self, count: usize) -> usize {
        self.random.below(count)
    }

    fn pick<'t>(&mut self, list: &[&'t str]) -> &'t str {
        list[self.below(list.len())]
    }

    fn local(&mut self, of: usize) -> usize {
        of * LOCALS + self.below(LOCALS)
    }

    /// An address, most often within the first page.
    fn address(&mut self, depth: usize) {
        if self.below(12) == 0 {
            self.expression(0, depth);
        } else {
            self.text.push_str("(i32.and (i32.const 65532) ");
            self.expression(0, depth);
            self.text.push(')');
        }
    }

    fn expression(&mut self, of: usize, depth: usize) {
        let choice = if depth == 0 { self.below(2) } else { self.below(12) };
        let depth = depth.saturating_sub(1);
        match choice {
            0 => {
                let constant = self.pick(CONSTANTS[of]);
                let _ = write!(self.text, "({}.const {constant})", TYPES[of]);
            }
            1 | 2 => {
                let local = self.local(of);
                let _ = write!(self.text, "(local.get {local})");
            }
            3..=5 => {
                let operator = self.pick(BINARY[of]);
                let _ = write!(self.text, "({operator} ");
                self.expression(of, depth);
                self.expression(of, depth);
                self.text.push(')');
            }
            6 | 7 => {
                let (operator, from) = UNARY[of][self.below(UNARY[of].len())];
                let _ = write!(self.text, "({operator} ");
                self.expression(from, depth);
                self.text.push(')');
            }
            8 => {
                let operator = self.pick(LOADS[of]);
                let offset = self.below(40);
                let _ = write!(self.text, "({operator} offset={offset} ");
                self.address(depth);
                self.text.push(')');
            }
            9 => {
                let _ = write!(self.text, "(select ");
                self.expression(of, depth);
                self.expression(of, depth);
                self.expression(0, depth);
                self.text.push(')');
            }
            10 => {
                let _ = write!(self.text, "(if (result {}) ", TYPES[of]);
                self.expression(0, depth);
                self.text.push_str("(then ");
                self.expression(of, depth);
                self.text.push_str(") (else ");
                self.expression(of, depth);
                self.text.push_str("))");
            }
            _ => match self.below(4) {
                0 if of == 0 => self.text.push_str("(memory.size)"),
                1 if of == 0 => {
                    let pages = self.pick(&["0", "1", "-1", "1000"]);
                    let _ = write!(self.text, "(memory.grow (i32.const {pages}))");
                }
                2 => {
                    let global = of;
                    let _ = write!(self.text, "(global.get {global})");
                }
                _ => {
                    let local = self.local(of);
                    let _ = write!(self.text, "(local.tee {local} ");
                    self.expression(of, depth);
                    self.text.push(')');
                }
            },
        }
    }

    /// A statement inside of `labels` blocks, with `left` statements that it may hold.
    fn statement(&mut self, labels: usize, left: &mut usize) {
        *left = left.saturating_sub(1);
        let of = self.below(4);
        match if *left == 0 { self.below(4) } else { self.below(12) } {
            0 | 1 => {
                let local = self.local(of);
                let _ = write!(self.text, "(local.set {local} ");
                self.expression(of, 3);
                self.text.push(')');
            }
            2 => {
                let operator = self.pick(STORES[of]);
                let offset = self.below(40);
                let _ = write!(self.text, "({operator} offset={offset} ");
                self.address(2);
                self.expression(of, 3);
                self.text.push(')');
            }
            3 => {
                let _ = write!(self.text, "(global.set {of} ");
                self.expression(of, 3);
                self.text.push(')');
            }
            4 => {
                self.text.push_str("(if ");
                self.expression(0, 3);
                self.text.push_str("(then ");
                self.statements(labels + 1, left);
                self.text.push_str(") (else ");
                self.statements(labels + 1, left);
                self.text.push_str("))");
            }
            5 => {
                self.text.push_str("(block ");
                self.statements(labels + 1, left);
                self.text.push(')');
            }
            6 => {
                // The global counts all rounds of all loops of a run.
                self.text.push_str("(loop (global.set 4 (i32.add (global.get 4) (i32.const 1)))");
                self.statements(labels + 1, left);
                self.text.push_str("(br_if 0 (i32.and (i32.lt_s (global.get 4) (i32.const 200)) ");
                self.expression(0, 2);
                self.text.push_str(")))");
            }
            7 if labels > 0 => {
                let label = self.below(labels);
                let _ = write!(self.text, "(br_if {label} (i32.and (i32.lt_s (global.get 4) (i32.const 200)) ");
                self.text.push_str(
                    "(i32.and (i32.const 1) (block (result i32) (global.set 4 (i32.add (global.get 4) (i32.const 1)))",
                );
                self.expression(0, 2);
                self.text.push_str("))))");
            }
            8 if labels > 0 => {
                self.text.push_str("(block (br_table ");
                for _ in 0..self.below(3) {
                    self.text.push_str("0 ");
                }
                self.text.push_str("0 ");
                self.expression(0, 2);
                self.text.push_str("))");
            }
            9 => self.call(of),
            10 => {
                self.text.push_str("(call $printi ");
                self.expression(1, 3);
                self.text.push(')');
            }
            _ => {
                self.text.push_str("(drop ");
                self.expression(of, 4);
                self.text.push(')');
            }
        }
    }

    /// A call of a function, by its name or through the table, whose result goes into a local.
    fn call(&mut self, of: usize) {
        let (function, local) = (self.below(FUNCTIONS), self.local(1));
        let _ = write!(
            self.text,
            "(if (i32.lt_s (global.get 4) (i32.const 200)) (then (global.set 4 (i32.add (global.get 4) (i32.const 9))) (local.set {local} "
        );
        let indirect = of == 0;
        self.text.push_str(if indirect { "(call_indirect (type $f) " } else { "(call " });
        if !indirect {
            let _ = write!(self.text, "$f{function} ");
        }
        for parameter in 0..4 {
            self.expression(parameter, 2);
        }
        if indirect {
            self.expression(0, 1);
        }
        self.text.push_str("))))");
    }

    fn statements(&mut self, labels: usize, left: &mut usize) {
        for _ in 0..1 + self.below(4) {
            self.statement(labels, left);
        }
    }

    /// What is in all locals, told to the host.
    fn tell_all(&mut self, first: usize) {
        let told = [
            "(i64.extend_i32_u (local.get #))",
            "(local.get #)",
            "(i64.extend_i32_u (i32.reinterpret_f32 (local.get #)))",
            "(i64.reinterpret_f64 (local.get #))",
        ];
        for (of, told) in told.iter().enumerate() {
            for local in of * LOCALS..(of + 1) * LOCALS {
                let value = told.replace('#', &(first + local).to_string());
                let _ = write!(self.text, "(call $printi {value})");
            }
        }
    }

    fn program(&mut self) {
        self.text.push_str(
            "(module (type $f (func (param i32 i64 f32 f64) (result i64))) (import \"env\" \"printi\" (func $printi (param i64)))
            (memory 1 3) (data (i32.const 100) \"\\ff\\7f\\80\\01some bytes\\00\\c0\\7f\")
            (global (mut i32) (i32.const 3)) (global (mut i64) (i64.const -4)) (global (mut f32) (f32.const nan))
            (global (mut f64) (f64.const 2.5)) (global (mut i32) (i32.const 0))
            (table 8 funcref) (elem (i32.const 0) $f0 $f1 $f2 $f3 $f4)",
        );
        let locals = TYPES.map(|of| format!("{of} ").repeat(LOCALS)).concat();
        for function in 0..FUNCTIONS {
            // Parameters come first, so the locals are those of an inner function that they are copied to.
            let _ = write!(self.text, "(func $f{function} (type $f) (local {locals}) ");
            let from = self.text.len();
            let mut left = 12;
            self.statements(0, &mut left);
            self.expression(1, 4);
            let body = shifted(&self.text[from..], 4);
            self.text.truncate(from);
            for (parameter, of) in [(0, 0), (1, 1), (2, 2), (3, 3)] {
                let _ = write!(self.text, "(local.set {} (local.get {parameter}))", 4 + of * LOCALS);
            }
            self.text.push_str(&body);
            self.text.push(')');
        }
        let _ = write!(self.text, "(func (export \"apply\") (param i64 i64 i64) (local {locals}) ");
        let from = self.text.len();
        let mut left = 30;
        self.statements(0, &mut left);
        let body = shifted(&self.text[from..], 3);
        self.text.truncate(from);
        self.text.push_str(&body);
        self.tell_all(3);
        self.text.push_str("))");
    }
}

/// The text with all locals' numbers raised by `first`.
fn shifted(text: &str, first: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("(local.") {
        let digits = at + rest[at..].find(' ').expect("an operand") + 1;
        let end = digits + rest[digits..].find(|sign: char| !sign.is_ascii_digit()).expect("more text");
        let number: usize = rest[digits..end].parse().expect("a number");
        out.push_str(&rest[..digits]);
        let _ = write!(out, "{}", number + first);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

#[test]
fn random_programs_do_the_same_in_both_tiers() {
    let apply = Apply { receiver: Name(1), account: Name(2), action: Name(3) };
    wasm::with_enough_stack(|| {
        let runtime = |tiers| Runtime::new(Engine::with_tiers(tiers), &intrinsics(), Box::new(NoCache));
        let (mut first, mut optimised) = (runtime(Tiers::First), runtime(Tiers::Optimised));
        let (mut well, mut faults) = (0, std::collections::BTreeSet::new());
        let seed = from_environment("BOREAS_FUZZ_SEED", 1);
        for round in seed..seed + from_environment("BOREAS_FUZZ_ROUNDS", ROUNDS) {
            let mut random = Mutator::new(round, 0);
            let mut writer = Writer { random: &mut random, text: String::new() };
            writer.program();
            let text = writer.text;
            let code = wat::parse_str(&text).unwrap_or_else(|error| panic!("round {round}: {error}\n{text}"));
            let hash = Sha256::of(&code);
            let run = |runtime: &mut Runtime<World>, tier| {
                let mut world = World { code: code.clone(), told: Vec::new() };
                // The second run begins as the first did.
                let results = [(); 2].map(|()| {
                    let result = runtime.run(&hash, apply, RunLimits::default(), &mut world);
                    result.map_err(|fault| fault.details)
                });
                assert_eq!(runtime.tier(&hash), Some(tier), "round {round}");
                runtime.forget(&hash);
                (results, world.told)
            };
            let (one, other) = (run(&mut first, Tier::First), run(&mut optimised, Tier::Optimised));
            assert!(one == other, "round {round}: {one:?}\n{other:?}\n{text}");
            match one.0[0].clone() {
                Ok(()) => well += 1,
                Err(details) => drop(faults.insert(details)),
            }
        }
        assert!(well > 20 && faults.len() > 1, "{well} programs end well, the others by {faults:?}");
    });
}
