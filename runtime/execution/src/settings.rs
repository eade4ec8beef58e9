//! What this node allows beyond what the chain demands. Applies only to blocks that it builds itself; never decides
//! whether a received block is valid, but for [`Settings::features`].

use std::collections::BTreeSet;

use primitives::{Name, PublicKey};

use crate::features::Restrictions;

/// Full elastic limits: a greylist limit that limits nobody (`maximum_elastic_resource_multiplier`).
pub const GREYLIST_LIMIT_MAX: u32 = 1000;
/// CPU microseconds that an account may overrun before its transaction is stopped (`default_subjective_cpu_leeway_us`).
pub const SUBJECTIVE_CPU_LEEWAY_US: i64 = 31_000;
/// Bytes of variable parts of a signature (`default_max_variable_signature_length`).
pub const VARIABLE_SIGNATURE_LENGTH: u32 = 16_384;
/// Bytes of an inline action from an unprivileged contract (`default_max_nonprivileged_inline_action_size`).
pub const NONPRIVILEGED_INLINE_ACTION_SIZE: u32 = 4096;

/// Subjective limits and lists, with nodeos' defaults.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Multiplier of resources that accounts get at most, 1 to [`GREYLIST_LIMIT_MAX`].
    pub greylist_limit: u32,
    /// Accounts that get no elastic resources at all.
    pub resource_greylist: BTreeSet<Name>,
    /// CPU microseconds that a transaction may overrun its account's limit before it is stopped.
    pub subjective_cpu_leeway_us: i64,
    /// Whether a contract may bill others for RAM while it is notified (before RAM_RESTRICTIONS).
    pub allow_ram_billing_in_notify: bool,
    /// Lifts the mitigations of deferred replacement and of RAM billing in notifications.
    pub disable_all_subjective_mitigations: bool,
    /// Bytes that the variable parts of a signature may have.
    pub maximum_variable_signature_length: u32,
    /// Bytes of an inline action from an unprivileged contract.
    pub max_nonprivileged_inline_action_size: u32,
    /// Percentage (in 1/10,000) of the time spent on signatures that counts as CPU.
    pub sig_cpu_bill_pct: u32,
    /// Accounts whose deferred transactions are not checked against the lists.
    pub sender_bypass_whiteblacklist: BTreeSet<Name>,
    /// Only these may authorize; empty for no such rule.
    pub actor_whitelist: BTreeSet<Name>,
    /// These may not authorize.
    pub actor_blacklist: BTreeSet<Name>,
    /// Only these contracts may run; empty for no such rule.
    pub contract_whitelist: BTreeSet<Name>,
    /// These contracts may not run.
    pub contract_blacklist: BTreeSet<Name>,
    /// These `(contract, action)` may not run.
    pub action_blacklist: BTreeSet<(Name, Name)>,
    /// These keys may not enter an authority.
    pub key_blacklist: BTreeSet<PublicKey>,
    /// Whether traces tell what contracts print; on unless an operator leaves it off, as nodeos' are.
    pub contracts_console: bool,
    /// Whether traces say which rows of contracts' tables changed.
    pub trace_rows: bool,
    /// Which protocol features may be activated, and from when.
    pub features: Restrictions,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            greylist_limit: GREYLIST_LIMIT_MAX,
            resource_greylist: BTreeSet::new(),
            subjective_cpu_leeway_us: SUBJECTIVE_CPU_LEEWAY_US,
            allow_ram_billing_in_notify: false,
            disable_all_subjective_mitigations: false,
            maximum_variable_signature_length: VARIABLE_SIGNATURE_LENGTH,
            max_nonprivileged_inline_action_size: NONPRIVILEGED_INLINE_ACTION_SIZE,
            sig_cpu_bill_pct: 5_000,
            sender_bypass_whiteblacklist: BTreeSet::new(),
            actor_whitelist: BTreeSet::new(),
            actor_blacklist: BTreeSet::new(),
            contract_whitelist: BTreeSet::new(),
            contract_blacklist: BTreeSet::new(),
            action_blacklist: BTreeSet::new(),
            key_blacklist: BTreeSet::new(),
            contracts_console: true,
            trace_rows: false,
            features: Restrictions::default(),
        }
    }
}
