//! Parameters of a chain: resources, limits, WASM limits.

use codec::{Pack, Unpack};

/// `chain_config_v0`: the 17 parameters of genesis. The 18th lives in [`ChainConfig`].
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, serde::Serialize, serde::Deserialize)]
pub struct ChainConfigV0 {
    /// Net bytes of a block.
    pub max_block_net_usage: u64,
    /// Share of the maximum that is normal, in 1/10,000.
    pub target_block_net_usage_pct: u32,
    /// Net bytes of a transaction.
    pub max_transaction_net_usage: u32,
    /// Net bytes that every transaction costs on top.
    pub base_per_transaction_net_usage: u32,
    /// Net bytes of the minimal receipt of a block.
    pub net_usage_leeway: u32,
    /// Numerator of the discount on prunable data.
    pub context_free_discount_net_usage_num: u32,
    /// Denominator of it.
    pub context_free_discount_net_usage_den: u32,
    /// CPU microseconds of a block.
    pub max_block_cpu_usage: u32,
    /// Share of the maximum that is normal, in 1/10,000.
    pub target_block_cpu_usage_pct: u32,
    /// CPU microseconds of a transaction.
    pub max_transaction_cpu_usage: u32,
    /// CPU microseconds that every transaction costs at least.
    pub min_transaction_cpu_usage: u32,
    /// Seconds that a transaction's expiration may lie ahead.
    pub max_transaction_lifetime: u32,
    /// Seconds after which a deferred transaction that can run expires.
    pub deferred_trx_expiration_window: u32,
    /// Seconds that a transaction may be delayed.
    pub max_transaction_delay: u32,
    /// Bytes of an inline action.
    pub max_inline_action_size: u32,
    /// Depth of inline actions.
    pub max_inline_action_depth: u16,
    /// Depth of nested authorities.
    pub max_authority_depth: u16,
}

/// `chain_config_v1`: all parameters.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, serde::Serialize, serde::Deserialize)]
pub struct ChainConfig {
    /// The 17 of genesis.
    #[serde(flatten)]
    pub v0: ChainConfigV0,
    /// Bytes of an action's return value.
    pub max_action_return_value_size: u32,
}

/// Limits of contracts (`wasm_config`).
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, serde::Serialize, serde::Deserialize)]
pub struct WasmConfig {
    /// Bytes of mutable globals.
    pub max_mutable_global_bytes: u32,
    /// Elements of the table.
    pub max_table_elements: u32,
    /// Elements of a section.
    pub max_section_elements: u32,
    /// Bytes of initial memory that data segments may reach.
    pub max_linear_memory_init: u32,
    /// Bytes of locals and parameters of a function.
    pub max_func_local_bytes: u32,
    /// Depth of nested blocks.
    pub max_nested_structures: u32,
    /// Bytes of an import or export name.
    pub max_symbol_bytes: u32,
    /// Bytes of a module.
    pub max_module_bytes: u32,
    /// Bytes of a function's body.
    pub max_code_bytes: u32,
    /// Pages of 64 KiB.
    pub max_pages: u32,
    /// Nested calls.
    pub max_call_depth: u32,
}
