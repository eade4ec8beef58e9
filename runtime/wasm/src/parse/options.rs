//! What one reading of a module allows.

use primitives::WasmConfig;

/// No limit.
const ANY: u32 = u32::MAX;

/// Limits and leniencies of one reading.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of mutable globals.
    pub max_mutable_global_bytes: u32,
    /// Elements of the table.
    pub max_table_elements: u32,
    /// Entries of a section.
    pub max_section_elements: u32,
    /// Address that data segments may reach.
    pub max_linear_memory_init: u64,
    /// Bytes of locals and operands of a function.
    pub max_func_local_bytes: u32,
    /// Nested blocks, the function included.
    pub max_nested_structures: u32,
    /// Bytes of a name.
    pub max_symbol_bytes: u32,
    /// Bytes of a function.
    pub max_code_bytes: u32,
    /// Pages of initial memory.
    pub max_pages: u32,
    /// Some instructions may follow a function's end.
    pub allow_code_after_function_end: bool,
    /// Flags of limits are any number whose lowest bit counts.
    pub allow_u32_limits_flags: bool,
    /// A group of no locals may have any type.
    pub allow_invalid_empty_local_set: bool,
    /// A block type of 0 means no result.
    pub allow_zero_blocktype: bool,
}

impl Options {
    /// When code is run (`apply_options`): permissive, but nothing follows a function's end.
    pub fn running() -> Self {
        Self {
            max_mutable_global_bytes: ANY,
            max_table_elements: ANY,
            max_section_elements: ANY,
            max_linear_memory_init: u64::MAX,
            max_func_local_bytes: ANY,
            max_nested_structures: ANY,
            max_symbol_bytes: ANY,
            max_code_bytes: ANY,
            max_pages: 65_536,
            allow_code_after_function_end: false,
            allow_u32_limits_flags: true,
            allow_invalid_empty_local_set: true,
            allow_zero_blocktype: true,
        }
    }

    /// When code is set with configurable limits (`wasm_config` as the options).
    pub fn configured(config: &WasmConfig) -> Self {
        Self {
            max_mutable_global_bytes: config.max_mutable_global_bytes,
            max_table_elements: config.max_table_elements,
            max_section_elements: config.max_section_elements,
            max_linear_memory_init: u64::from(config.max_linear_memory_init),
            max_func_local_bytes: config.max_func_local_bytes,
            max_nested_structures: config.max_nested_structures,
            max_symbol_bytes: config.max_symbol_bytes,
            max_code_bytes: config.max_code_bytes,
            max_pages: config.max_pages,
            allow_u32_limits_flags: false,
            allow_invalid_empty_local_set: false,
            allow_zero_blocktype: false,
            ..Self::running()
        }
    }

    /// When code is set before limits became configurable, after the older validator (`setcode_options`).
    pub fn setting() -> Self {
        Self { allow_code_after_function_end: true, ..Self::running() }
    }
}
