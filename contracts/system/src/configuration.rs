//! The chain's own configuration: its numbers and the limits on modules.

use crate::globals::{Global, Global2, State};
use sdk::parameters::BlockchainParameters;
use sdk::prelude::*;
use sdk::privileged;

/// The chain's configuration with the number that a protocol feature added.
#[derive(Record, Clone)]
#[abi(name = "blockchain_parameters_v1")]
pub struct BlockchainParametersV1 {
    /// The numbers of every chain.
    #[abi(base)]
    pub v0: BlockchainParameters,
    /// Most bytes that an action may return.
    pub max_action_return_value_size: Extension<u32>,
}

/// Sets the chain's configuration, each number under its id.
pub fn setparams(params: &BlockchainParametersV1) {
    let mut global = State::<Global>::load();
    global.chain = params.v0.clone();
    check(params.v0.max_authority_depth >= 3, "max_authority_depth should be at least 3");
    let BlockchainParameters {
        max_block_net_usage,
        target_block_net_usage_pct,
        max_transaction_net_usage,
        base_per_transaction_net_usage,
        net_usage_leeway,
        context_free_discount_net_usage_num,
        context_free_discount_net_usage_den,
        max_block_cpu_usage,
        target_block_cpu_usage_pct,
        max_transaction_cpu_usage,
        min_transaction_cpu_usage,
        max_transaction_lifetime,
        deferred_trx_expiration_window,
        max_transaction_delay,
        max_inline_action_size,
        max_inline_action_depth,
        max_authority_depth,
    } = &params.v0;
    let numbers: [&dyn Pack; 17] = [
        max_block_net_usage,
        target_block_net_usage_pct,
        max_transaction_net_usage,
        base_per_transaction_net_usage,
        net_usage_leeway,
        context_free_discount_net_usage_num,
        context_free_discount_net_usage_den,
        max_block_cpu_usage,
        target_block_cpu_usage_pct,
        max_transaction_cpu_usage,
        min_transaction_cpu_usage,
        max_transaction_lifetime,
        deferred_trx_expiration_window,
        max_transaction_delay,
        max_inline_action_size,
        max_inline_action_depth,
        max_authority_depth,
    ];
    let last = &params.max_action_return_value_size.0;
    let mut packed = Writer::new();
    packed.push(numbers.len() as u8 + u8::from(last.is_some()));
    for (id, number) in (0u8..).zip(numbers) {
        packed.push(id);
        number.pack(&mut packed);
    }
    if let Some(size) = last {
        packed.push(numbers.len() as u8);
        size.pack(&mut packed);
    }
    privileged::set_parameters_packed(&packed);
}

/// Version 0 of the limits on modules, in the chain's order: globals, table, sections, memory, locals, nesting, symbols,
/// module and code bytes, pages, call depth.
type WasmLimits = [u32; 11];

const MODULE_BYTES: u32 = 20 * 1024 * 1024;
const LOW: WasmLimits = [1024, 1024, 8192, 65_536, 8192, 1024, 8192, MODULE_BYTES, MODULE_BYTES, 528, 251];
const HIGH: WasmLimits = [8192, 8192, 8192, 1_048_576, 8192, 1024, 8192, MODULE_BYTES, MODULE_BYTES, 528, 1024];

/// Sets the limits on modules.
pub fn wasmcfg(settings: Name) {
    let limits = if settings == name!("default") || settings == name!("low") {
        LOW
    } else if settings == name!("high") {
        HIGH
    } else {
        fail("Unknown configuration")
    };
    let mut packed = Writer::new();
    0u32.pack(&mut packed);
    for limit in limits {
        limit.pack(&mut packed);
    }
    privileged::set_wasm_parameters_packed(&packed);
}

/// Switches newer rules of vote pay on.
pub fn updtrevision(revision: u8) {
    let mut global2 = State::<Global2>::load();
    check(global2.revision < 255, "can not increment revision");
    check(u32::from(revision) == u32::from(global2.revision) + 1, "can only increment revision by one");
    check(revision <= 1, "specified revision is not yet supported by the code");
    global2.revision = revision;
}
