//! Code and ABIs of those who attack.

use e2e::modules::module;
use primitives::{Pack as _, name};
use serde_json::json;

/// Code of its own for each number, that touches all the memory a contract may have.
pub fn touching(number: usize) -> Vec<u8> {
    module(&format!(
        "(module (memory 528) (func (export \"apply\") (param i64 i64 i64) (local i32) (drop (i32.const {number}))
            (loop (i32.store (local.get 3) (i32.const 1)) (local.set 3 (i32.add (local.get 3) (i32.const 4096)))
                (br_if 0 (i32.lt_u (local.get 3) (i32.const 34603008))))))"
    ))
}

/// What alice has: `big` stores twenty rows of 400 KB, `rewrite` one of 400 KB fifty times, `renew` twenty of 400 KB with
/// other bytes each time, `print` prints much
/// and fails, `spin` does not end, `many` stores two thousand small rows under names that no row has yet, `scopes` as
/// many that each have a scope of their own, `nothing` does nothing, and `none` stores a row of 100,000 bytes.
pub fn contract() -> Vec<u8> {
    let [big, rewrite, renew, print, spin, many, scopes, nothing] = [
        name!("big"),
        name!("rewrite"),
        name!("renew"),
        name!("print"),
        name!("spin"),
        name!("many"),
        name!("scopes"),
        name!("nothing"),
    ]
    .map(|name| name.0);
    module(&format!(
        r#"(module
            (import "env" "db_store_i64" (func $store (param i64 i64 i64 i64 i32 i32) (result i32)))
            (import "env" "db_find_i64" (func $find (param i64 i64 i64 i64) (result i32)))
            (import "env" "db_update_i64" (func $update (param i32 i64 i32 i32)))
            (import "env" "prints_l" (func $print (param i32 i32)))
            (import "env" "read_action_data" (func $read (param i32 i32) (result i32)))
            (import "env" "eosio_assert" (func $assert (param i32 i32)))
            (memory 20)
            (data (i32.const 0) "\a0\8d\06")
            (func $rows (param $me i64) (param $table i64) (param $from i64) (param $count i64) (param $bytes i32)
                (local $n i64)
                (loop $next
                    (drop (call $store
                        (select (i64.add (local.get $from) (local.get $n)) (local.get $me)
                            (i64.eq (local.get $table) (i64.const {scopes})))
                        (local.get $table) (local.get $me)
                        (i64.add (local.get $from) (local.get $n)) (i32.const 0) (local.get $bytes)))
                    (local.set $n (i64.add (local.get $n) (i64.const 1)))
                    (br_if $next (i64.lt_u (local.get $n) (local.get $count)))))
            (func $renew (param $me i64) (param $action i64) (local $row i32) (local $at i32) (local $salt i64)
                (drop (call $read (i32.const 0) (i32.const 8)))
                (local.set $salt (i64.load (i32.const 0)))
                (loop $fill
                    (local.set $salt (i64.add
                        (i64.mul (local.get $salt) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))
                    (i64.store (local.get $at) (local.get $salt))
                    (local.set $at (i32.add (local.get $at) (i32.const 8)))
                    (br_if $fill (i32.lt_u (local.get $at) (i32.const 400000))))
                (local.set $at (i32.const 0))
                (loop $next
                    (local.set $row (call $find (local.get $me) (local.get $me) (local.get $action)
                        (i64.extend_i32_u (local.get $at))))
                    (if (i32.lt_s (local.get $row) (i32.const 0))
                        (then (drop (call $store (local.get $me) (local.get $action) (local.get $me)
                            (i64.extend_i32_u (local.get $at)) (i32.const 0) (i32.const 400000))))
                        (else (call $update (local.get $row) (i64.const 0) (i32.const 0) (i32.const 400000))))
                    (local.set $at (i32.add (local.get $at) (i32.const 1)))
                    (br_if $next (i32.lt_u (local.get $at) (i32.const 20)))))
            (func (export "apply") (param $me i64) (param $code i64) (param $action i64) (local $row i32) (local $n i32)
                (if (i64.ne (local.get $me) (local.get $code)) (then (return)))
                (if (i64.eq (local.get $action) (i64.const {nothing})) (then (return)))
                (if (i64.eq (local.get $action) (i64.const {renew}))
                    (then (call $renew (local.get $me) (local.get $action)) (return)))
                (if (i64.eq (local.get $action) (i64.const {spin})) (then (loop $for_ever (br $for_ever))))
                (if (i64.eq (local.get $action) (i64.const {big}))
                    (then
                        (call $rows (local.get $me) (local.get $action) (i64.const 1) (i64.const 20) (i32.const 400000))
                        (return)))
                (if (i32.or (i64.eq (local.get $action) (i64.const {many})) (i64.eq (local.get $action) (i64.const {scopes})))
                    (then
                        (drop (call $read (i32.const 0) (i32.const 8)))
                        (call $rows (local.get $me) (local.get $action)
                            (i64.mul (i64.load (i32.const 0)) (i64.const 2000)) (i64.const 2000) (i32.const 8))
                        (return)))
                (if (i64.eq (local.get $action) (i64.const {print}))
                    (then
                        (loop $next
                            (call $print (i32.const 0) (i32.const 1000000))
                            (local.set $n (i32.add (local.get $n) (i32.const 1)))
                            (br_if $next (i32.lt_u (local.get $n) (i32.const 30))))
                        (call $assert (i32.const 0) (i32.const 0)) (return)))
                (if (i64.eq (local.get $action) (i64.const {rewrite}))
                    (then
                        (local.set $row
                            (call $find (local.get $me) (local.get $me) (local.get $action) (i64.const 1)))
                        (if (i32.lt_s (local.get $row) (i32.const 0))
                            (then (local.set $row (call $store (local.get $me) (local.get $action) (local.get $me)
                                (i64.const 1) (i32.const 0) (i32.const 400000)))))
                        (drop (call $read (i32.const 8) (i32.const 8)))
                        (loop $next
                            (i32.store (i32.const 0) (local.get $n))
                            (call $update (local.get $row) (i64.const 0) (i32.const 0) (i32.const 400000))
                            (local.set $n (i32.add (local.get $n) (i32.const 1)))
                            (br_if $next (i32.lt_u (local.get $n) (i32.const 50))))
                        (return)))
                (call $rows (local.get $me) (local.get $action) (i64.const 1) (i64.const 1) (i32.const 100003))))"#
    ))
}

/// An ABI by which each byte of the rows of `none`, and of the data of the action `nothing`, is an object of 600 bytes.
pub fn swelling() -> abi::AbiDefinition {
    let structs = [
        json!({ "name": "all", "base": "", "fields": [{ "name": "of", "type": "byte[]" }] }),
        json!({ "name": "byte", "base": "", "fields": [{ "name": "x".repeat(600), "type": "uint8" }] }),
    ];
    let table = |name: &str| json!({ "name": name, "index_type": "i64", "type": "all" });
    let actions = [json!({ "name": "nothing", "type": "all", "ricardian_contract": "" })];
    let tables = ["none", "big", "many", "scopes"].map(table);
    definition(
        &json!({ "version": "eosio::abi/1.2", "types": [], "structs": structs, "tables": tables, "actions": actions }),
    )
}

/// Bytes of which [`swelling`] makes `count` objects.
pub fn swelling_bytes(count: usize) -> Vec<u8> {
    let mut packed = primitives::VarUint32(u32::try_from(count).expect("small")).to_bytes();
    packed.resize(packed.len() + count, 0);
    packed
}

/// An ABI whose types stand for one another, and whose structs are based on one another, `length` times.
pub fn chained(length: usize) -> abi::AbiDefinition {
    let types: Vec<_> = (0..length)
        .map(|at| {
            let kind = if at + 1 == length { "uint8".to_owned() } else { format!("t{}", at + 1) };
            json!({ "new_type_name": format!("t{at}"), "type": kind })
        })
        .collect();
    let structs: Vec<_> = (0..length)
        .map(|at| {
            let base = if at + 1 == length { String::new() } else { format!("s{}", at + 1) };
            json!({ "name": format!("s{at}"), "base": base, "fields": [{ "name": format!("f{at}"), "type": "t0" }] })
        })
        .collect();
    let actions = [json!({ "name": "act", "type": "s0", "ricardian_contract": "" })];
    let tables = [json!({ "name": "rows", "index_type": "i64", "type": "s0" })];
    definition(
        &json!({ "version": "eosio::abi/1.2", "types": types, "structs": structs, "tables": tables, "actions": actions }),
    )
}

fn definition(document: &serde_json::Value) -> abi::AbiDefinition {
    serde_json::from_value(document.clone()).expect("an ABI")
}
