//! Modules that several tests and the benchmarks deploy.

use std::fmt::Write as _;

use primitives::name;

/// A module from its text.
///
/// # Panics
/// When it is none.
pub fn module(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("a module")
}

/// `nested` loops in each function, over `locals` locals: for a compiler that asks at each loop what each local is, this
/// is much.
pub fn nested_loops(functions: usize, nested: usize, locals: usize) -> Vec<u8> {
    let mut text = String::from("(module ");
    for function in 0..functions {
        write!(text, "(func $f{function} (local {})", "i64 ".repeat(locals)).expect("memory");
        text.push_str(&"loop ".repeat(nested));
        for nest in 0..nested {
            let [a, b, c, d] = [7, 11, 13, 17].map(|step| (nest * step + function) % locals);
            let add = format!("local.get {a} local.get {b} i64.add local.set {c} ");
            write!(text, "{add} local.get {d} i32.wrap_i64 br_if 0 end ").expect("memory");
        }
        text.push(')');
    }
    text.push_str("(func (export \"apply\") (param i64 i64 i64) ");
    (0..functions).for_each(|function| write!(text, "(call $f{function})").expect("memory"));
    text.push_str("))");
    module(&text)
}

/// A contract that stores `count` rows of 24 bytes whose keys begin with the number in the action's first eight bytes, and
/// rewrites those that are there with the bytes after it.
pub fn rows(count: usize) -> Vec<u8> {
    module(&format!(
        r#"(module
            (import "env" "db_store_i64" (func $store (param i64 i64 i64 i64 i32 i32) (result i32)))
            (import "env" "db_find_i64" (func $find (param i64 i64 i64 i64) (result i32)))
            (import "env" "db_update_i64" (func $update (param i32 i64 i32 i32)))
            (import "env" "read_action_data" (func $read (param i32 i32) (result i32)))
            (memory 1)
            (func (export "apply") (param $me i64) (param i64 i64) (local $key i64) (local $end i64) (local $row i32)
                (drop (call $read (i32.const 0) (i32.const 16)))
                (local.set $key (i64.load (i32.const 0)))
                (local.set $end (i64.add (local.get $key) (i64.const {count})))
                (loop $next
                    (local.set $row (call $find (local.get $me) (local.get $me) (i64.const 1) (local.get $key)))
                    (if (i32.lt_s (local.get $row) (i32.const 0))
                        (then (drop (call $store (local.get $me) (i64.const 1) (local.get $me) (local.get $key)
                            (i32.const 0) (i32.const 24))))
                        (else (call $update (local.get $row) (i64.const 0) (i32.const 8) (i32.const 24))))
                    (local.set $key (i64.add (local.get $key) (i64.const 1)))
                    (br_if $next (i64.lt_u (local.get $key) (local.get $end))))))"#
    ))
}

/// For `eosio`: `producers` proposes those that its data names.
pub fn proposing() -> Vec<u8> {
    let producers = name!("producers").0;
    module(&format!(
        r#"(module
            (import "env" "set_proposed_producers" (func $propose (param i32 i32) (result i64)))
            (import "env" "read_action_data" (func $read (param i32 i32) (result i32)))
            (memory 1)
            (func (export "apply") (param i64 i64 i64)
                (if (i64.eq (local.get 2) (i64.const {producers}))
                    (then (drop (call $propose (i32.const 0) (call $read (i32.const 0) (i32.const 65536))))))))"#
    ))
}
