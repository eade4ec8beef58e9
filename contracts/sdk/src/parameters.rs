//! The chain's configuration as contracts read and set it.

use crate::Record;

/// The seventeen numbers of the chain's configuration, in their packed order.
#[derive(Record, Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockchainParameters {
    /// Bytes of transactions in a block.
    pub max_block_net_usage: u64,
    /// Share of that to aim for, in 1/10000.
    pub target_block_net_usage_pct: u32,
    /// Bytes of one transaction.
    pub max_transaction_net_usage: u32,
    /// Bytes billed for every transaction on top.
    pub base_per_transaction_net_usage: u32,
    /// Bytes allowed beyond the limit while executing.
    pub net_usage_leeway: u32,
    /// Discount on context-free data: numerator.
    pub context_free_discount_net_usage_num: u32,
    /// Discount on context-free data: denominator.
    pub context_free_discount_net_usage_den: u32,
    /// Microseconds of a block.
    pub max_block_cpu_usage: u32,
    /// Share of that to aim for, in 1/10000.
    pub target_block_cpu_usage_pct: u32,
    /// Microseconds of one transaction.
    pub max_transaction_cpu_usage: u32,
    /// Microseconds billed at least.
    pub min_transaction_cpu_usage: u32,
    /// Seconds until a transaction must expire.
    pub max_transaction_lifetime: u32,
    /// Seconds a deferred transaction stays valid.
    pub deferred_trx_expiration_window: u32,
    /// Seconds a transaction may ask to be delayed.
    pub max_transaction_delay: u32,
    /// Bytes of an inline action.
    pub max_inline_action_size: u32,
    /// Depth of inline actions.
    pub max_inline_action_depth: u16,
    /// Depth of authorities.
    pub max_authority_depth: u16,
}
