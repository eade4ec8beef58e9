//! Resource limits in snapshots: limits and usage of accounts in the order of their creation, state and parameters.

use super::{ElasticLimit, Limits, ResourceConfig, Usage};
use crate::Ledger;
use crate::account::each_account;
use crate::ema::Ratio;
use crate::snapshot::rows::{Rows, Source, TableSection};
use crate::snapshot::sections::{Result, Sections, SnapshotError};

const LIMITS: &str = "eosio::chain::resource_limits::resource_limits_object";
const USAGE: &str = "eosio::chain::resource_limits::resource_usage_object";
const STATE: &str = "eosio::chain::resource_limits::resource_limits_state_object";
const CONFIG: &str = "eosio::chain::resource_limits::resource_limits_config_object";

/// Limits of accounts, as of the end of a block: none is pending then.
pub(crate) const LIMITS_SECTION: TableSection = TableSection { name: LIMITS, write: write_limits, read: read_limits };
/// Usage of accounts.
pub(crate) const USAGE_SECTION: TableSection = TableSection { name: USAGE, write: write_usages, read: read_usages };
/// Totals and averages.
pub(crate) const STATE_SECTION: TableSection = TableSection {
    name: STATE,
    write: |source, rows| rows.pack(&source.ledger.resource_state),
    read: |ledger, sections| sections.get(STATE)?.only().map(|state| ledger.resource_state = state),
};
/// Limits of blocks.
pub(crate) const CONFIG_SECTION: TableSection =
    TableSection { name: CONFIG, write: |source, rows| rows.pack(&source.ledger.resource_config), read: read_config };

fn write_limits(source: &Source<'_>, rows: &mut Rows<'_>) {
    for account in source.ledger.accounts() {
        rows.pack(&(source.ledger.account_name(account), source.ledger.accounts.hot[account.index()].limits));
    }
}

fn read_limits(ledger: &mut Ledger, sections: &Sections<'_>) -> Result<()> {
    each_account(ledger, sections.get(LIMITS)?, |ledger, _, account, row: Limits| {
        ledger.accounts.hot[account.index()].limits = row;
        Ok(())
    })
}

fn write_usages(source: &Source<'_>, rows: &mut Rows<'_>) {
    for account in source.ledger.accounts() {
        rows.pack(&(source.ledger.account_name(account), *source.ledger.account_usage(account)));
    }
}

fn read_usages(ledger: &mut Ledger, sections: &Sections<'_>) -> Result<()> {
    each_account(ledger, sections.get(USAGE)?, |ledger, _, account, row: Usage| {
        ledger.accounts.hot[account.index()].usage = row;
        Ok(())
    })
}

/// The parameters, none of which may be a zero that is divided by.
fn read_config(ledger: &mut Ledger, sections: &Sections<'_>) -> Result<()> {
    let rate = |ratio: Ratio| ratio.denominator > 0;
    let sound = |limit: &ElasticLimit| limit.periods > 0 && rate(limit.contract_rate) && rate(limit.expand_rate);
    let config = sections.get(CONFIG)?.only::<ResourceConfig>()?;
    let windows = config.account_cpu_window > 0 && config.account_net_window > 0;
    if windows && sound(&config.cpu) && sound(&config.net) {
        ledger.resource_config = config;
        return Ok(());
    }
    Err(SnapshotError::Invalid { section: CONFIG, what: "a divisor is zero".into() })
}
