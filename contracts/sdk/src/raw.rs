//! The host functions by their own names: every one a contract may import, as the chain offers them.
//!
//! Nothing here is safe or pleasant; the other modules are. Those that only stand in for a C++ compiler's
//! library (whole numbers of 128 bits, memory) are here for completeness: Rust brings its own. `host_functions.rs` of
//! `tests/tester` holds this list against the chain's table. On the build machine [`mock`](crate::mock) answers, or
//! panics with the function's name.

#![allow(clippy::too_many_arguments, reason = "the signatures are the chain's")]

macro_rules! host {
    ($($(#[$attribute:meta])* fn $name:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)?;)+) => {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "env")]
        #[allow(missing_docs, reason = "documented by the chain")]
        unsafe extern "C" {
            $($(#[$attribute])* pub fn $name($($argument: $kind),*) $(-> $result)?;)+
        }
        $(
            #[cfg(not(target_arch = "wasm32"))]
            #[allow(missing_docs, clippy::missing_safety_doc, reason = "documented by the chain")]
            pub unsafe fn $name($($argument: $kind),*) $(-> $result)? {
                crate::mock::Word::of(crate::mock::call(stringify!($name), &[$(crate::mock::Word::word($argument)),*]))
            }
        )+
    };
}

// --- authorization and accounts
host! {
    fn require_auth(account: u64);
    fn require_auth2(account: u64, permission: u64);
    fn has_auth(account: u64) -> i32;
    fn is_account(account: u64) -> i32;
    fn require_recipient(account: u64);
    fn get_sender() -> u64;
    fn get_code_hash(account: u64, version: u32, packed: *mut u8, length: u32) -> u32;
    fn check_transaction_authorization(transaction: *const u8, transaction_length: u32, keys: *const u8, keys_length: u32, permissions: *const u8, permissions_length: u32) -> i32;
    fn check_permission_authorization(account: u64, permission: u64, keys: *const u8, keys_length: u32, permissions: *const u8, permissions_length: u32, delay_us: u64) -> i32;
    fn get_permission_last_used(account: u64, permission: u64) -> i64;
    fn get_account_creation_time(account: u64) -> i64;
}

// --- the action and its transaction
host! {
    fn read_action_data(data: *mut u8, length: u32) -> i32;
    fn action_data_size() -> i32;
    fn current_receiver() -> u64;
    fn set_action_return_value(data: *const u8, length: u32);
    fn send_inline(action: *const u8, length: u32);
    fn send_context_free_inline(action: *const u8, length: u32);
    fn send_deferred(sender_id: *const u128, payer: u64, transaction: *const u8, length: u32, replace: u32);
    fn cancel_deferred(sender_id: *const u128) -> i32;
    fn read_transaction(data: *mut u8, length: u32) -> i32;
    fn transaction_size() -> i32;
    fn expiration() -> i32;
    fn tapos_block_num() -> i32;
    fn tapos_block_prefix() -> i32;
    fn get_action(kind: u32, at: u32, data: *mut u8, length: u32) -> i32;
    fn get_context_free_data(at: u32, data: *mut u8, length: u32) -> i32;
}

// --- the chain
host! {
    fn current_time() -> u64;
    fn publication_time() -> u64;
    fn get_block_num() -> u32;
    fn is_feature_activated(digest: *const u8) -> i32;
    fn get_active_producers(names: *mut u64, length: u32) -> i32;
    fn abort();
    fn eosio_assert(condition: u32, message: *const u8);
    fn eosio_assert_message(condition: u32, message: *const u8, length: u32);
    fn eosio_assert_code(condition: u32, code: u64);
    fn eosio_exit(code: i32);
}

// --- privileged
host! {
    fn is_feature_active(feature: i64) -> i32;
    fn activate_feature(feature: i64);
    fn preactivate_feature(digest: *const u8);
    fn set_resource_limits(account: u64, ram_bytes: i64, net_weight: i64, cpu_weight: i64);
    fn get_resource_limits(account: u64, ram_bytes: *mut i64, net_weight: *mut i64, cpu_weight: *mut i64);
    fn get_parameters_packed(ids: *const u8, ids_length: u32, packed: *mut u8, length: u32) -> u32;
    fn set_parameters_packed(packed: *const u8, length: u32);
    fn get_wasm_parameters_packed(packed: *mut u8, length: u32, max_version: u32) -> u32;
    fn set_wasm_parameters_packed(packed: *const u8, length: u32);
    fn set_proposed_producers(schedule: *const u8, length: u32) -> i64;
    fn set_proposed_producers_ex(format: u64, schedule: *const u8, length: u32) -> i64;
    fn get_blockchain_parameters_packed(packed: *mut u8, length: u32) -> u32;
    fn set_blockchain_parameters_packed(packed: *const u8, length: u32);
    fn is_privileged(account: u64) -> i32;
    fn set_privileged(account: u64, privileged: i32);
}

// --- cryptography
host! {
    fn assert_recover_key(digest: *const u8, signature: *const u8, signature_length: u32, key: *const u8, key_length: u32);
    fn recover_key(digest: *const u8, signature: *const u8, signature_length: u32, key: *mut u8, key_length: u32) -> i32;
    fn assert_sha256(data: *const u8, length: u32, digest: *const u8);
    fn assert_sha1(data: *const u8, length: u32, digest: *const u8);
    fn assert_sha512(data: *const u8, length: u32, digest: *const u8);
    fn assert_ripemd160(data: *const u8, length: u32, digest: *const u8);
    fn sha256(data: *const u8, length: u32, digest: *mut u8);
    fn sha1(data: *const u8, length: u32, digest: *mut u8);
    fn sha512(data: *const u8, length: u32, digest: *mut u8);
    fn ripemd160(data: *const u8, length: u32, digest: *mut u8);
    fn sha3(data: *const u8, length: u32, digest: *mut u8, digest_length: u32, keccak: i32);
    fn k1_recover(signature: *const u8, signature_length: u32, digest: *const u8, digest_length: u32, key: *mut u8, key_length: u32) -> i32;
    fn alt_bn128_add(a: *const u8, a_length: u32, b: *const u8, b_length: u32, result: *mut u8, result_length: u32) -> i32;
    fn alt_bn128_mul(point: *const u8, point_length: u32, scalar: *const u8, scalar_length: u32, result: *mut u8, result_length: u32) -> i32;
    fn alt_bn128_pair(pairs: *const u8, length: u32) -> i32;
    fn mod_exp(base: *const u8, base_length: u32, exponent: *const u8, exponent_length: u32, modulus: *const u8, modulus_length: u32, result: *mut u8, result_length: u32) -> i32;
    fn blake2_f(rounds: u32, state: *const u8, state_length: u32, message: *const u8, message_length: u32, t0: *const u8, t0_length: u32, t1: *const u8, t1_length: u32, last: i32, result: *mut u8, result_length: u32) -> i32;
}

// --- console
host! {
    fn prints(text: *const u8);
    fn prints_l(text: *const u8, length: u32);
    fn printi(value: i64);
    fn printui(value: u64);
    fn printi128(value: *const i128);
    fn printui128(value: *const u128);
    fn printsf(value: f32);
    fn printdf(value: f64);
    fn printqf(value: *const u128);
    fn printn(name: u64);
    fn printhex(data: *const u8, length: u32);
}

// --- tables by primary key
host! {
    fn db_store_i64(scope: u64, table: u64, payer: u64, id: u64, data: *const u8, length: u32) -> i32;
    fn db_update_i64(row: i32, payer: u64, data: *const u8, length: u32);
    fn db_remove_i64(row: i32);
    fn db_get_i64(row: i32, data: *mut u8, length: u32) -> i32;
    fn db_next_i64(row: i32, id: *mut u64) -> i32;
    fn db_previous_i64(row: i32, id: *mut u64) -> i32;
    fn db_find_i64(code: u64, scope: u64, table: u64, id: u64) -> i32;
    fn db_lowerbound_i64(code: u64, scope: u64, table: u64, id: u64) -> i32;
    fn db_upperbound_i64(code: u64, scope: u64, table: u64, id: u64) -> i32;
    fn db_end_i64(code: u64, scope: u64, table: u64) -> i32;
}

// --- tables by secondary key: db_idx64
host! {
    fn db_idx64_store(scope: u64, table: u64, payer: u64, id: u64, key: *const u64) -> i32;
    fn db_idx64_update(row: i32, payer: u64, key: *const u64);
    fn db_idx64_remove(row: i32);
    fn db_idx64_find_secondary(code: u64, scope: u64, table: u64, key: *const u64, id: *mut u64) -> i32;
    fn db_idx64_find_primary(code: u64, scope: u64, table: u64, key: *mut u64, id: u64) -> i32;
    fn db_idx64_lowerbound(code: u64, scope: u64, table: u64, key: *mut u64, id: *mut u64) -> i32;
    fn db_idx64_upperbound(code: u64, scope: u64, table: u64, key: *mut u64, id: *mut u64) -> i32;
    fn db_idx64_end(code: u64, scope: u64, table: u64) -> i32;
    fn db_idx64_next(row: i32, id: *mut u64) -> i32;
    fn db_idx64_previous(row: i32, id: *mut u64) -> i32;
}

// --- tables by secondary key: db_idx128
host! {
    fn db_idx128_store(scope: u64, table: u64, payer: u64, id: u64, key: *const u128) -> i32;
    fn db_idx128_update(row: i32, payer: u64, key: *const u128);
    fn db_idx128_remove(row: i32);
    fn db_idx128_find_secondary(code: u64, scope: u64, table: u64, key: *const u128, id: *mut u64) -> i32;
    fn db_idx128_find_primary(code: u64, scope: u64, table: u64, key: *mut u128, id: u64) -> i32;
    fn db_idx128_lowerbound(code: u64, scope: u64, table: u64, key: *mut u128, id: *mut u64) -> i32;
    fn db_idx128_upperbound(code: u64, scope: u64, table: u64, key: *mut u128, id: *mut u64) -> i32;
    fn db_idx128_end(code: u64, scope: u64, table: u64) -> i32;
    fn db_idx128_next(row: i32, id: *mut u64) -> i32;
    fn db_idx128_previous(row: i32, id: *mut u64) -> i32;
}

// --- tables by secondary key: db_idx_double
host! {
    fn db_idx_double_store(scope: u64, table: u64, payer: u64, id: u64, key: *const f64) -> i32;
    fn db_idx_double_update(row: i32, payer: u64, key: *const f64);
    fn db_idx_double_remove(row: i32);
    fn db_idx_double_find_secondary(code: u64, scope: u64, table: u64, key: *const f64, id: *mut u64) -> i32;
    fn db_idx_double_find_primary(code: u64, scope: u64, table: u64, key: *mut f64, id: u64) -> i32;
    fn db_idx_double_lowerbound(code: u64, scope: u64, table: u64, key: *mut f64, id: *mut u64) -> i32;
    fn db_idx_double_upperbound(code: u64, scope: u64, table: u64, key: *mut f64, id: *mut u64) -> i32;
    fn db_idx_double_end(code: u64, scope: u64, table: u64) -> i32;
    fn db_idx_double_next(row: i32, id: *mut u64) -> i32;
    fn db_idx_double_previous(row: i32, id: *mut u64) -> i32;
}

// --- tables by secondary key: db_idx_long_double
host! {
    fn db_idx_long_double_store(scope: u64, table: u64, payer: u64, id: u64, key: *const u128) -> i32;
    fn db_idx_long_double_update(row: i32, payer: u64, key: *const u128);
    fn db_idx_long_double_remove(row: i32);
    fn db_idx_long_double_find_secondary(code: u64, scope: u64, table: u64, key: *const u128, id: *mut u64) -> i32;
    fn db_idx_long_double_find_primary(code: u64, scope: u64, table: u64, key: *mut u128, id: u64) -> i32;
    fn db_idx_long_double_lowerbound(code: u64, scope: u64, table: u64, key: *mut u128, id: *mut u64) -> i32;
    fn db_idx_long_double_upperbound(code: u64, scope: u64, table: u64, key: *mut u128, id: *mut u64) -> i32;
    fn db_idx_long_double_end(code: u64, scope: u64, table: u64) -> i32;
    fn db_idx_long_double_next(row: i32, id: *mut u64) -> i32;
    fn db_idx_long_double_previous(row: i32, id: *mut u64) -> i32;
}

// --- tables by secondary key: db_idx256 (the length counts 16-byte words: 2)
host! {
    fn db_idx256_store(scope: u64, table: u64, payer: u64, id: u64, key: *const u128, length: u32) -> i32;
    fn db_idx256_update(row: i32, payer: u64, key: *const u128, length: u32);
    fn db_idx256_remove(row: i32);
    fn db_idx256_find_secondary(code: u64, scope: u64, table: u64, key: *const u128, length: u32, id: *mut u64) -> i32;
    fn db_idx256_find_primary(code: u64, scope: u64, table: u64, key: *mut u128, length: u32, id: u64) -> i32;
    fn db_idx256_lowerbound(code: u64, scope: u64, table: u64, key: *mut u128, length: u32, id: *mut u64) -> i32;
    fn db_idx256_upperbound(code: u64, scope: u64, table: u64, key: *mut u128, length: u32, id: *mut u64) -> i32;
    fn db_idx256_end(code: u64, scope: u64, table: u64) -> i32;
    fn db_idx256_next(row: i32, id: *mut u64) -> i32;
    fn db_idx256_previous(row: i32, id: *mut u64) -> i32;
}

// --- memory
host! {
    fn memcpy(to: *mut u8, from: *const u8, length: u32) -> *mut u8;
    fn memmove(to: *mut u8, from: *const u8, length: u32) -> *mut u8;
    fn memcmp(a: *const u8, b: *const u8, length: u32) -> i32;
    fn memset(to: *mut u8, byte: i32, length: u32) -> *mut u8;
}

// --- whole numbers of 128 bits
host! {
    #[link_name = "__ashlti3"]
    fn ashlti3(result: *mut i128, low: u64, high: u64, shift: u32);
    #[link_name = "__ashrti3"]
    fn ashrti3(result: *mut i128, low: u64, high: u64, shift: u32);
    #[link_name = "__lshlti3"]
    fn lshlti3(result: *mut i128, low: u64, high: u64, shift: u32);
    #[link_name = "__lshrti3"]
    fn lshrti3(result: *mut i128, low: u64, high: u64, shift: u32);
    #[link_name = "__divti3"]
    fn divti3(result: *mut i128, a_low: u64, a_high: u64, b_low: u64, b_high: u64);
    #[link_name = "__udivti3"]
    fn udivti3(result: *mut u128, a_low: u64, a_high: u64, b_low: u64, b_high: u64);
    #[link_name = "__multi3"]
    fn multi3(result: *mut i128, a_low: u64, a_high: u64, b_low: u64, b_high: u64);
    #[link_name = "__modti3"]
    fn modti3(result: *mut i128, a_low: u64, a_high: u64, b_low: u64, b_high: u64);
    #[link_name = "__umodti3"]
    fn umodti3(result: *mut u128, a_low: u64, a_high: u64, b_low: u64, b_high: u64);
    #[link_name = "__fixsfti"]
    fn fixsfti(result: *mut i128, value: f32);
    #[link_name = "__fixdfti"]
    fn fixdfti(result: *mut i128, value: f64);
    #[link_name = "__fixunssfti"]
    fn fixunssfti(result: *mut u128, value: f32);
    #[link_name = "__fixunsdfti"]
    fn fixunsdfti(result: *mut u128, value: f64);
    #[link_name = "__floatsidf"]
    fn floatsidf(value: i32) -> f64;
    #[link_name = "__floattidf"]
    fn floattidf(low: u64, high: u64) -> f64;
    #[link_name = "__floatuntidf"]
    fn floatuntidf(low: u64, high: u64) -> f64;
}

// --- long double arithmetic
host! {
    #[link_name = "__addtf3"]
    fn addtf3(result: *mut u128, a_low: u64, a_high: u64, b_low: u64, b_high: u64);
    #[link_name = "__subtf3"]
    fn subtf3(result: *mut u128, a_low: u64, a_high: u64, b_low: u64, b_high: u64);
    #[link_name = "__multf3"]
    fn multf3(result: *mut u128, a_low: u64, a_high: u64, b_low: u64, b_high: u64);
    #[link_name = "__divtf3"]
    fn divtf3(result: *mut u128, a_low: u64, a_high: u64, b_low: u64, b_high: u64);
    #[link_name = "__negtf2"]
    fn negtf2(result: *mut u128, low: u64, high: u64);
    #[link_name = "__extendsftf2"]
    fn extendsftf2(result: *mut u128, value: f32);
    #[link_name = "__extenddftf2"]
    fn extenddftf2(result: *mut u128, value: f64);
    #[link_name = "__trunctfdf2"]
    fn trunctfdf2(low: u64, high: u64) -> f64;
    #[link_name = "__trunctfsf2"]
    fn trunctfsf2(low: u64, high: u64) -> f32;
    #[link_name = "__fixtfsi"]
    fn fixtfsi(low: u64, high: u64) -> i32;
    #[link_name = "__fixtfdi"]
    fn fixtfdi(low: u64, high: u64) -> i64;
    #[link_name = "__fixtfti"]
    fn fixtfti(result: *mut i128, low: u64, high: u64);
    #[link_name = "__fixunstfsi"]
    fn fixunstfsi(low: u64, high: u64) -> u32;
    #[link_name = "__fixunstfdi"]
    fn fixunstfdi(low: u64, high: u64) -> u64;
    #[link_name = "__fixunstfti"]
    fn fixunstfti(result: *mut u128, low: u64, high: u64);
    #[link_name = "__floatsitf"]
    fn floatsitf(result: *mut u128, value: i32);
    #[link_name = "__floatditf"]
    fn floatditf(result: *mut u128, value: u64);
    #[link_name = "__floatunsitf"]
    fn floatunsitf(result: *mut u128, value: u32);
    #[link_name = "__floatunditf"]
    fn floatunditf(result: *mut u128, value: u64);
    #[link_name = "__cmptf2"]
    fn cmptf2(a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> i32;
    #[link_name = "__eqtf2"]
    fn eqtf2(a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> i32;
    #[link_name = "__netf2"]
    fn netf2(a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> i32;
    #[link_name = "__getf2"]
    fn getf2(a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> i32;
    #[link_name = "__gttf2"]
    fn gttf2(a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> i32;
    #[link_name = "__letf2"]
    fn letf2(a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> i32;
    #[link_name = "__lttf2"]
    fn lttf2(a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> i32;
    #[link_name = "__unordtf2"]
    fn unordtf2(a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> i32;
}
