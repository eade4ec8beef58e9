//! The numbers and names of the file.

pub(super) const MAGIC: u32 = 0x3051_0550;
pub(super) const FORMAT_VERSION: u32 = 1;
/// The version of Leap 3.1 to 4.
pub(super) const CHAIN_VERSION: u32 = 6;
/// That of EOSIO 1.8. Version 1 knows no protocol features; nodeos refuses it too.
pub(super) const OLDEST_CHAIN_VERSION: u32 = 2;
pub(super) const END: u64 = u64::MAX;

/// Section names, in the order of the file.
pub(super) mod section {
    pub const HEADER: &str = "eosio::chain::chain_snapshot_header";
    /// In version 2 only.
    pub const GENESIS: &str = "eosio::chain::genesis_state";
    pub const HEAD: &str = "eosio::chain::block_state";
    pub const ACCOUNT: &str = "eosio::chain::account_object";
    pub const METADATA: &str = "eosio::chain::account_metadata_object";
    pub const RAM_CORRECTION: &str = "eosio::chain::account_ram_correction_object";
    pub const GLOBAL: &str = "eosio::chain::global_property_object";
    pub const PROTOCOL: &str = "eosio::chain::protocol_state_object";
    pub const DYNAMIC: &str = "eosio::chain::dynamic_global_property_object";
    pub const BLOCK_SUMMARY: &str = "eosio::chain::block_summary_object";
    pub const TRANSACTION: &str = "eosio::chain::transaction_object";
    pub const GENERATED: &str = "eosio::chain::generated_transaction_object";
    pub const CODE: &str = "eosio::chain::code_object";
    pub const CONTRACT: &str = "contract_tables";
    pub const PERMISSION: &str = "eosio::chain::permission_object";
    pub const LINK: &str = "eosio::chain::permission_link_object";
    pub const LIMITS: &str = "eosio::chain::resource_limits::resource_limits_object";
    pub const USAGE: &str = "eosio::chain::resource_limits::resource_usage_object";
    pub const STATE: &str = "eosio::chain::resource_limits::resource_limits_state_object";
    pub const CONFIG: &str = "eosio::chain::resource_limits::resource_limits_config_object";
}
