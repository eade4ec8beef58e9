//! Resource limits in checkpoints: pending limits by account, parameters and state. Limits and usage of accounts stand
//! in the rows of accounts.

use std::borrow::Cow;

use codec::Pack;
use primitives::Name;

use super::{Limits, ResourceConfig, ResourceState, ResourceUndo};
use crate::Ledger;
use crate::account::{AccountHotKey, AccountInfoKey};
use crate::checkpoint::error::{Result, ensure, unpack};
use crate::checkpoint::key::row_key;
use crate::checkpoint::row::{CheckpointKey, Handles, RowsBefore, single_row};

row_key! {
    /// Limits that the end of the block will bring.
    PendingLimitsKey { account: Name }
}
single_row! {
    /// Limits of blocks.
    ResourceConfigKey: ResourceConfig, ledger => ledger.resource_config
}
single_row! {
    /// Totals and averages.
    ResourceStateKey: ResourceState, ledger => ledger.resource_state
}

impl CheckpointKey for PendingLimitsKey {
    type Image<'a> = Limits;

    fn all(ledger: &Ledger) -> impl Iterator<Item = Self> {
        ledger.pending_limits.iter().map(|(&account, _)| Self { account })
    }

    fn image(self, ledger: &Ledger) -> Option<Limits> {
        ledger.pending_limits.get(&self.account).copied()
    }

    fn pack(image: &Limits, _handles: &Handles<'_>) -> Vec<u8> {
        image.to_bytes()
    }

    fn load(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
        ensure(ledger.find_account(self.account).is_some(), "limits are of no account")?;
        ensure(ledger.pending_limits.load(self.account, unpack(value)?), "limits are there twice")
    }

    fn unload(self, ledger: &mut Ledger, _comes_back: bool) -> Result<()> {
        ledger.pending_limits.unload(&self.account);
        Ok(())
    }
}

impl ResourceUndo {
    /// What the rows were before this change.
    pub(crate) fn step<'a>(
        &'a self,
        then: &mut (
                 impl RowsBefore<'a, AccountInfoKey>
                 + RowsBefore<'a, AccountHotKey>
                 + RowsBefore<'a, PendingLimitsKey>
                 + RowsBefore<'a, ResourceConfigKey>
                 + RowsBefore<'a, ResourceStateKey>
             ),
    ) {
        match *self {
            Self::Usage(account, net, cpu) => then.change(AccountHotKey { account }, |image| {
                (image.usage.net, image.usage.cpu) = (net, cpu);
            }),
            Self::Ram(account, old) => then.change(AccountHotKey { account }, |image| image.usage.ram = old),
            Self::Limits(account, old) => then.change(AccountInfoKey { account }, |image| image.limits = old),
            Self::PendingLimits(ref undo) => then.set_row(PendingLimitsKey { account: undo.key }, undo, |old| *old),
            Self::PendingUsage { cpu, net } => then.change(ResourceStateKey {}, |state| {
                let state = state.to_mut();
                (state.pending_cpu_usage, state.pending_net_usage) = (cpu, net);
            }),
            Self::State(ref old) => then.set(ResourceStateKey {}, Some(Cow::Borrowed(old))),
            Self::Config(ref old) => then.set(ResourceConfigKey {}, Some(Cow::Borrowed(old))),
        }
    }
}
