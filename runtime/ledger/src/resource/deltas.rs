//! Limits and usage in deltas: `resource_limits`, `resource_usage`, `resource_limits_state`, `resource_limits_config`.
//! Limits that wait for the end of the block are not told.

use codec::Pack;

use super::{ElasticLimit, Limits, ResourceState, ResourceUndo};
use crate::Ledger;
use crate::deltas::rows::{Before, ChangesOf, DeltaTable, Never, VERSION_0};
use crate::ema::{Ratio, UsageAverage};
use crate::keys::AccountId;

/// `resource_limits`.
pub(crate) struct LimitsDelta;

/// `resource_usage`.
pub(crate) struct UsageDelta;

/// `resource_limits_state`.
pub(crate) struct StateDelta;

/// `resource_limits_config`.
pub(crate) struct ConfigDelta;

impl DeltaTable for LimitsDelta {
    const NAME: &'static str = "resource_limits";
    type Key = AccountId;
    type Old<'a> = Limits;
    type Gone<'a> = Never;

    fn keys(ledger: &Ledger) -> Vec<AccountId> {
        ledger.accounts().collect()
    }

    fn is_told(ledger: &Ledger, account: AccountId, old: Option<&Limits>, _before: &Before) -> bool {
        old != Some(&ledger.accounts.hot[account.index()].limits)
    }

    fn write(ledger: &Ledger, account: AccountId, out: &mut Vec<u8>) {
        let limits = ledger.accounts.hot[account.index()].limits;
        (VERSION_0, ledger.account_name(account)).pack(out);
        (limits.net_weight, limits.cpu_weight, limits.ram_bytes).pack(out);
    }

    fn write_gone(_ledger: &Ledger, gone: &Never, _before: &Before, _out: &mut Vec<u8>) {
        match *gone {}
    }
}

impl DeltaTable for UsageDelta {
    const NAME: &'static str = "resource_usage";
    type Key = AccountId;
    type Old<'a> = ();
    type Gone<'a> = Never;

    fn keys(ledger: &Ledger) -> Vec<AccountId> {
        ledger.accounts().collect()
    }

    fn write(ledger: &Ledger, account: AccountId, out: &mut Vec<u8>) {
        let usage = ledger.account_usage(account);
        (VERSION_0, ledger.account_name(account)).pack(out);
        write_average(&usage.net, out);
        write_average(&usage.cpu, out);
        usage.ram.pack(out);
    }

    fn write_gone(_ledger: &Ledger, gone: &Never, _before: &Before, _out: &mut Vec<u8>) {
        match *gone {}
    }
}

impl DeltaTable for StateDelta {
    const NAME: &'static str = "resource_limits_state";
    type Key = ();
    type Old<'a> = &'a ResourceState;
    type Gone<'a> = Never;

    fn keys(_ledger: &Ledger) -> Vec<()> {
        vec![()]
    }

    /// What the open block used does not count.
    fn is_told(ledger: &Ledger, (): (), old: Option<&&ResourceState>, _before: &Before) -> bool {
        let now = *ledger.resource_state();
        let unlike = |old: ResourceState| {
            let ResourceState { pending_net_usage, pending_cpu_usage, .. } = now;
            ResourceState { pending_net_usage, pending_cpu_usage, ..old } != now
        };
        old.is_some_and(|old| unlike(**old))
    }

    fn write(ledger: &Ledger, (): (), out: &mut Vec<u8>) {
        let state = ledger.resource_state();
        VERSION_0.pack(out);
        write_average(&state.average_block_net_usage, out);
        write_average(&state.average_block_cpu_usage, out);
        (state.total_net_weight, state.total_cpu_weight, state.total_ram_bytes).pack(out);
        (state.virtual_net_limit, state.virtual_cpu_limit).pack(out);
    }

    fn write_gone(_ledger: &Ledger, gone: &Never, _before: &Before, _out: &mut Vec<u8>) {
        match *gone {}
    }
}

impl DeltaTable for ConfigDelta {
    const NAME: &'static str = "resource_limits_config";
    type Key = ();
    type Old<'a> = ();
    type Gone<'a> = Never;

    fn keys(_ledger: &Ledger) -> Vec<()> {
        vec![()]
    }

    fn write(ledger: &Ledger, (): (), out: &mut Vec<u8>) {
        let config = ledger.resource_config();
        VERSION_0.pack(out);
        write_elastic(&config.cpu, out);
        write_elastic(&config.net, out);
        (config.account_cpu_window, config.account_net_window).pack(out);
    }

    fn write_gone(_ledger: &Ledger, gone: &Never, _before: &Before, _out: &mut Vec<u8>) {
        match *gone {}
    }
}

fn write_average(average: &UsageAverage, out: &mut Vec<u8>) {
    (VERSION_0, average.last_ordinal, average.value_ex, average.consumed).pack(out);
}

fn write_elastic(limit: &ElasticLimit, out: &mut Vec<u8>) {
    let rate = |rate: Ratio| (VERSION_0, rate.numerator, rate.denominator);
    (VERSION_0, limit.target, limit.max).pack(out);
    (limit.periods, limit.max_multiplier).pack(out);
    (rate(limit.contract_rate), rate(limit.expand_rate)).pack(out);
}

impl ResourceUndo {
    /// Says which row this is of.
    pub(crate) fn tell<'a>(
        &'a self,
        walk: &mut (
                 impl ChangesOf<'a, LimitsDelta>
                 + ChangesOf<'a, UsageDelta>
                 + ChangesOf<'a, StateDelta>
                 + ChangesOf<'a, ConfigDelta>
             ),
    ) {
        match self {
            Self::Usage(account, ..) | Self::Ram(account, _) => ChangesOf::<UsageDelta>::changed(walk, *account),
            Self::Limits(account, old) => ChangesOf::<LimitsDelta>::changed_from(walk, *account, *old),
            Self::State(old) => ChangesOf::<StateDelta>::changed_from(walk, (), &**old),
            Self::Config(_) => ChangesOf::<ConfigDelta>::changed(walk, ()),
            Self::PendingLimits(_) | Self::PendingUsage { .. } => {}
        }
    }
}
