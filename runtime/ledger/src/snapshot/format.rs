//! The numbers of the file, and the sections that are of no table.

pub(super) const MAGIC: u32 = 0x3051_0550;
pub(super) const FORMAT_VERSION: u32 = 1;
/// The version of Leap 3.1 to 4.
pub(super) const CHAIN_VERSION: u32 = 6;
/// That of EOSIO 1.8. Version 1 knows no protocol features; nodeos refuses it too.
pub(super) const OLDEST_CHAIN_VERSION: u32 = 2;
/// The last version whose schedules and header state have one key for each producer, and that holds the genesis in
/// place of the chain's id.
pub(crate) const LAST_LEGACY: u32 = 2;
pub(super) const END: u64 = u64::MAX;

/// Section names.
pub(crate) mod section {
    pub const HEADER: &str = "eosio::chain::chain_snapshot_header";
    /// In version 2 only.
    pub const GENESIS: &str = "eosio::chain::genesis_state";
    pub const HEAD: &str = "eosio::chain::block_state";
}
