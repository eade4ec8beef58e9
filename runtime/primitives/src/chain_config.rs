//! Parameters of a chain: resources, limits, WASM limits.

use codec::{Pack, Unpack};

use crate::{Fault, ensure};

/// `chain_config_v0`: the 17 parameters of genesis. The 18th lives in [`ChainConfig`].
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ChainConfigV0 {
    /// Net bytes of a block.
    #[serde(with = "crate::json::integer")]
    pub max_block_net_usage: u64,
    /// Share of the maximum that is normal, in 1/10,000.
    #[serde(with = "crate::json::integer")]
    pub target_block_net_usage_pct: u32,
    /// Net bytes of a transaction.
    #[serde(with = "crate::json::integer")]
    pub max_transaction_net_usage: u32,
    /// Net bytes that every transaction costs on top.
    #[serde(with = "crate::json::integer")]
    pub base_per_transaction_net_usage: u32,
    /// Net bytes of the minimal receipt of a block.
    #[serde(with = "crate::json::integer")]
    pub net_usage_leeway: u32,
    /// Numerator of the discount on prunable data.
    #[serde(with = "crate::json::integer")]
    pub context_free_discount_net_usage_num: u32,
    /// Denominator of it.
    #[serde(with = "crate::json::integer")]
    pub context_free_discount_net_usage_den: u32,
    /// CPU microseconds of a block.
    #[serde(with = "crate::json::integer")]
    pub max_block_cpu_usage: u32,
    /// Share of the maximum that is normal, in 1/10,000.
    #[serde(with = "crate::json::integer")]
    pub target_block_cpu_usage_pct: u32,
    /// CPU microseconds of a transaction.
    #[serde(with = "crate::json::integer")]
    pub max_transaction_cpu_usage: u32,
    /// CPU microseconds that every transaction costs at least.
    #[serde(with = "crate::json::integer")]
    pub min_transaction_cpu_usage: u32,
    /// Seconds that a transaction's expiration may lie ahead.
    #[serde(with = "crate::json::integer")]
    pub max_transaction_lifetime: u32,
    /// Seconds after which a deferred transaction that can run expires.
    #[serde(with = "crate::json::integer")]
    pub deferred_trx_expiration_window: u32,
    /// Seconds that a transaction may be delayed.
    #[serde(with = "crate::json::integer")]
    pub max_transaction_delay: u32,
    /// Bytes of an inline action.
    #[serde(with = "crate::json::integer")]
    pub max_inline_action_size: u32,
    /// Depth of inline actions.
    #[serde(with = "crate::json::integer")]
    pub max_inline_action_depth: u16,
    /// Depth of nested authorities.
    #[serde(with = "crate::json::integer")]
    pub max_authority_depth: u16,
}

/// `chain_config_v1`: all parameters.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ChainConfig {
    /// The 17 of genesis.
    #[serde(flatten)]
    pub v0: ChainConfigV0,
    /// Bytes of an action's return value.
    #[serde(with = "crate::json::integer")]
    pub max_action_return_value_size: u32,
}

/// Limits of contracts (`wasm_config`).
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct WasmConfig {
    /// Bytes of mutable globals.
    #[serde(with = "crate::json::integer")]
    pub max_mutable_global_bytes: u32,
    /// Elements of the table.
    #[serde(with = "crate::json::integer")]
    pub max_table_elements: u32,
    /// Elements of a section.
    #[serde(with = "crate::json::integer")]
    pub max_section_elements: u32,
    /// Bytes of initial memory that data segments may reach.
    #[serde(with = "crate::json::integer")]
    pub max_linear_memory_init: u32,
    /// Bytes of locals and parameters of a function.
    #[serde(with = "crate::json::integer")]
    pub max_func_local_bytes: u32,
    /// Depth of nested blocks.
    #[serde(with = "crate::json::integer")]
    pub max_nested_structures: u32,
    /// Bytes of an import or export name.
    #[serde(with = "crate::json::integer")]
    pub max_symbol_bytes: u32,
    /// Bytes of a module.
    #[serde(with = "crate::json::integer")]
    pub max_module_bytes: u32,
    /// Bytes of a function's body.
    #[serde(with = "crate::json::integer")]
    pub max_code_bytes: u32,
    /// Pages of 64 KiB.
    #[serde(with = "crate::json::integer")]
    pub max_pages: u32,
    /// Nested calls.
    #[serde(with = "crate::json::integer")]
    pub max_call_depth: u32,
}

impl Default for ChainConfigV0 {
    /// The parameters of a genesis that names none (nodeos: `chain/config.hpp`).
    fn default() -> Self {
        Self {
            max_block_net_usage: 1024 * 1024,
            target_block_net_usage_pct: 1000,
            max_transaction_net_usage: 512 * 1024,
            base_per_transaction_net_usage: 12,
            net_usage_leeway: 500,
            context_free_discount_net_usage_num: 20,
            context_free_discount_net_usage_den: 100,
            max_block_cpu_usage: 200_000,
            target_block_cpu_usage_pct: 1000,
            max_transaction_cpu_usage: 150_000,
            min_transaction_cpu_usage: 100,
            max_transaction_lifetime: 3600,
            deferred_trx_expiration_window: 600,
            max_transaction_delay: 45 * 24 * 3600,
            max_inline_action_size: 512 * 1024,
            max_inline_action_depth: 4,
            max_authority_depth: 6,
        }
    }
}

impl Default for ChainConfig {
    /// The default parameters with the limit that ACTION_RETURN_VALUE sets.
    fn default() -> Self {
        Self { v0: ChainConfigV0::default(), max_action_return_value_size: 256 }
    }
}

impl Default for WasmConfig {
    /// The limits of a new chain (nodeos: `default_initial_wasm_configuration`).
    fn default() -> Self {
        Self {
            max_mutable_global_bytes: 1024,
            max_table_elements: 1024,
            max_section_elements: 8192,
            max_linear_memory_init: 64 * 1024,
            max_func_local_bytes: 8192,
            max_nested_structures: 1024,
            max_symbol_bytes: 8192,
            max_module_bytes: 20 * 1024 * 1024,
            max_code_bytes: 20 * 1024 * 1024,
            max_pages: 528,
            max_call_depth: 251,
        }
    }
}

/// 100 % in the unit of target percentages.
const PERCENT_100: u32 = 10_000;
/// Net bytes that a transaction must be able to use beside its base cost, so that bad parameters can be repaired.
const NET_USAGE_SPAN_MIN: u32 = 10 * 1024;
/// Bytes that a byte array of the chain may have (nodeos: `MAX_SIZE_OF_BYTE_ARRAYS`).
const BYTE_ARRAY_MAX: u32 = 20 * 1024 * 1024;

impl ChainConfigV0 {
    /// Whether a chain can live with these parameters (nodeos: `chain_config_v0::validate`).
    ///
    /// # Errors
    /// `action_validate_exception`.
    #[rustfmt::skip]
    pub fn validate(&self) -> Result<(), Fault> {
        for (percent, what) in [(self.target_block_net_usage_pct, "net"), (self.target_block_cpu_usage_pct, "cpu")] {
            ensure!(percent <= PERCENT_100, ACTION_VALIDATE_EXCEPTION, "target block {what} usage percentage cannot exceed 100%");
            ensure!(percent >= PERCENT_100 / 1000, ACTION_VALIDATE_EXCEPTION, "target block {what} usage percentage must be at least 0.1%");
        }
        ensure!(u64::from(self.max_transaction_net_usage) < self.max_block_net_usage, ACTION_VALIDATE_EXCEPTION, "max transaction net usage must be less than max block net usage");
        ensure!(self.max_transaction_cpu_usage < self.max_block_cpu_usage, ACTION_VALIDATE_EXCEPTION, "max transaction cpu usage must be less than max block cpu usage");
        ensure!(self.base_per_transaction_net_usage < self.max_transaction_net_usage, ACTION_VALIDATE_EXCEPTION, "base net usage per transaction must be less than the max transaction net usage");
        ensure!(self.max_transaction_net_usage - self.base_per_transaction_net_usage >= NET_USAGE_SPAN_MIN, ACTION_VALIDATE_EXCEPTION, "max transaction net usage must be at least {NET_USAGE_SPAN_MIN} bytes larger than base net usage per transaction");
        ensure!(self.context_free_discount_net_usage_den > 0, ACTION_VALIDATE_EXCEPTION, "net usage discount ratio for context free data cannot have a 0 denominator");
        ensure!(self.context_free_discount_net_usage_num <= self.context_free_discount_net_usage_den, ACTION_VALIDATE_EXCEPTION, "net usage discount ratio for context free data cannot exceed 1");
        ensure!(self.min_transaction_cpu_usage <= self.max_transaction_cpu_usage, ACTION_VALIDATE_EXCEPTION, "min transaction cpu usage cannot exceed max transaction cpu usage");
        ensure!(self.max_transaction_cpu_usage < self.max_block_cpu_usage.wrapping_sub(self.min_transaction_cpu_usage), ACTION_VALIDATE_EXCEPTION, "max transaction cpu usage must be at less than the difference between the max block cpu usage and the min transaction cpu usage");
        ensure!(self.max_authority_depth >= 1, ACTION_VALIDATE_EXCEPTION, "max authority depth should be at least 1");
        Ok(())
    }
}

impl ChainConfig {
    /// Whether a chain can live with these parameters (nodeos: `chain_config_v1::validate`).
    ///
    /// # Errors
    /// `action_validate_exception`.
    pub fn validate(&self) -> Result<(), Fault> {
        self.v0.validate()?;
        ensure!(
            self.max_action_return_value_size <= BYTE_ARRAY_MAX,
            ACTION_VALIDATE_EXCEPTION,
            "max action return value size should be less than MAX_SIZE_OF_BYTE_ARRAYS"
        );
        Ok(())
    }
}

impl WasmConfig {
    /// Whether contracts can live with these limits (nodeos: `wasm_config::validate`).
    ///
    /// # Errors
    /// `action_validate_exception`.
    pub fn validate(&self) -> Result<(), Fault> {
        let least = [
            (self.max_section_elements, 4, "max_section_elements"),
            (self.max_func_local_bytes, 8, "max_func_local_bytes"),
            (self.max_nested_structures, 1, "max_nested_structures"),
            (self.max_symbol_bytes, 32, "max_symbol_bytes"),
            (self.max_module_bytes, 256, "max_module_bytes"),
            (self.max_code_bytes, 32, "max_code_bytes"),
            (self.max_pages, 1, "max_pages"),
            (self.max_call_depth, 2, "max_call_depth"),
        ];
        for (value, minimum, name) in least {
            ensure!(value >= minimum, ACTION_VALIDATE_EXCEPTION, "{name} cannot be less than {minimum}");
        }
        Ok(())
    }
}
