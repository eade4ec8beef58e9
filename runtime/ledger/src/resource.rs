//! Resource limits: CPU, net and RAM of accounts and blocks (nodeos: resource_limits.cpp).

mod checkpoint;
mod deltas;
mod snapshot;

use codec::{Pack, Unpack};
use primitives::{BlockTimestamp, ChainConfig, Fault, Name, ensure};
use statedb::RowUndo;

use crate::Ledger;
use crate::config::{
    ACCOUNT_WINDOW_SLOTS, BLOCK_WINDOW_SLOTS, MAX_ELASTIC_MULTIPLIER, PERCENT_100, RATE_LIMITING_PRECISION,
};
use crate::ema::{Ratio, UsageAverage};
use crate::keys::AccountId;

pub(crate) use checkpoint::{PendingLimitsKey, ResourceConfigKey, ResourceStateKey};
pub(crate) use deltas::{ConfigDelta, LimitsDelta, StateDelta, UsageDelta};
pub(crate) use snapshot::{CONFIG_SECTION, LIMITS_SECTION, STATE_SECTION, USAGE_SECTION};

/// `resource_limits_object`: an account's shares and RAM; -1 for unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack)]
pub struct Limits {
    /// Share of net.
    pub net_weight: i64,
    /// Share of CPU.
    pub cpu_weight: i64,
    /// RAM in bytes.
    pub ram_bytes: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { net_weight: -1, cpu_weight: -1, ram_bytes: -1 }
    }
}

/// `resource_usage_object`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pack, Unpack)]
pub struct Usage {
    /// Net bytes.
    pub net: UsageAverage,
    /// CPU microseconds.
    pub cpu: UsageAverage,
    /// RAM bytes.
    pub ram: u64,
}

/// `elastic_limit_parameters`.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct ElasticLimit {
    /// The wanted average of a block.
    pub target: u64,
    /// The most that a block may use.
    pub max: u64,
    /// Blocks that the average goes over.
    pub periods: u32,
    /// How far the virtual limit may exceed the maximum.
    pub max_multiplier: u32,
    /// How fast a congested limit contracts, per block.
    pub contract_rate: Ratio,
    /// How fast an uncongested limit expands, per block.
    pub expand_rate: Ratio,
}

impl ElasticLimit {
    fn new(max: u64, target_percent: u32) -> Self {
        Self {
            target: max.wrapping_mul(u64::from(target_percent)) / PERCENT_100,
            max,
            periods: BLOCK_WINDOW_SLOTS,
            max_multiplier: MAX_ELASTIC_MULTIPLIER,
            contract_rate: Ratio { numerator: 99, denominator: 100 },
            expand_rate: Ratio { numerator: 1000, denominator: 999 },
        }
    }

    /// The limit after a block, from the one before and the average usage.
    fn next(&self, current: u64, average: u64) -> Result<u64, Fault> {
        let rate = if average > self.target { self.contract_rate } else { self.expand_rate };
        Ok(rate.of(current)?.max(self.max).min(self.max.wrapping_mul(u64::from(self.max_multiplier))))
    }
}

/// `resource_limits_config_object`.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct ResourceConfig {
    /// CPU of blocks.
    pub cpu: ElasticLimit,
    /// Net of blocks.
    pub net: ElasticLimit,
    /// Slots of an account's CPU window.
    pub account_cpu_window: u32,
    /// Slots of an account's net window.
    pub account_net_window: u32,
}

impl Default for ResourceConfig {
    /// The values of nodeos before the first block sets the chain's own.
    fn default() -> Self {
        Self {
            cpu: ElasticLimit::new(200_000, 1000),
            net: ElasticLimit::new(1024 * 1024, 1000),
            account_cpu_window: ACCOUNT_WINDOW_SLOTS,
            account_net_window: ACCOUNT_WINDOW_SLOTS,
        }
    }
}

/// `resource_limits_state_object`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pack, Unpack)]
pub struct ResourceState {
    /// Net of blocks.
    pub average_block_net_usage: UsageAverage,
    /// CPU of blocks.
    pub average_block_cpu_usage: UsageAverage,
    /// Net of the open block.
    pub pending_net_usage: u64,
    /// CPU of the open block.
    pub pending_cpu_usage: u64,
    /// Sum of all net shares.
    pub total_net_weight: u64,
    /// Sum of all CPU shares.
    pub total_cpu_weight: u64,
    /// Sum of all limited RAM.
    pub total_ram_bytes: u64,
    /// Net that a block could use if it were for the averages.
    pub virtual_net_limit: u64,
    /// CPU that a block could use if it were for the averages.
    pub virtual_cpu_limit: u64,
}

/// How a change of limits and usage is undone.
#[derive(Debug)]
pub enum ResourceUndo {
    /// Net and CPU usage before a change.
    Usage(AccountId, UsageAverage, UsageAverage),
    /// RAM usage before a change.
    Ram(AccountId, u64),
    /// Limits before a change.
    Limits(AccountId, Limits),
    /// Pending limits before a change.
    PendingLimits(RowUndo<Name, Limits>),
    /// The open block's usage before a change.
    PendingUsage {
        /// CPU.
        cpu: u64,
        /// Net.
        net: u64,
    },
    /// Totals and averages before a change.
    State(Box<ResourceState>),
    /// Limits of blocks before a change.
    Config(Box<ResourceConfig>),
}

impl ResourceUndo {
    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::State(old) => size_of_val(&**old),
            Self::Config(old) => size_of_val(&**old),
            Self::Usage(..) | Self::Ram(..) | Self::Limits(..) | Self::PendingLimits(_) | Self::PendingUsage { .. } => {
                0
            }
        }
    }

    /// All entries are small and stay.
    pub(crate) fn is_needed<S>(&mut self, _seen: &mut S) -> bool {
        true
    }
}

/// `account_resource_limit`: an account's window; -1 everywhere for unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccountResourceLimit {
    /// Used in the window.
    pub used: i64,
    /// Left in the window.
    pub available: i64,
    /// The most that the window allows under the present congestion.
    pub max: i64,
    /// When usage was last counted.
    pub last_usage_update_time: BlockTimestamp,
    /// Used, seen from the given time.
    pub current_used: i64,
}

/// One of the two resources that are measured in windows, as the account functions need it.
struct Window {
    usage: UsageAverage,
    weight: i64,
    total_weight: u64,
    slots: u32,
    max: u64,
    virtual_limit: u64,
}

impl Window {
    /// What the account may use in the window.
    fn allowed(&self, virtual_limit: u64) -> u128 {
        let capacity = u128::from(virtual_limit).wrapping_mul(u128::from(self.slots));
        capacity.wrapping_mul(self.weight as u128) / u128::from(self.total_weight)
    }

    /// What it used in the window, rounded down.
    fn used(&self) -> u128 {
        u128::from(self.usage.value_ex) * u128::from(self.slots) / u128::from(RATE_LIMITING_PRECISION)
    }

    fn limit(&self, greylist_limit: u32, now: Option<BlockTimestamp>) -> Result<(AccountResourceLimit, bool), Fault> {
        let last_usage_update_time = BlockTimestamp(self.usage.last_ordinal);
        if self.weight < 0 || self.total_weight == 0 {
            let none =
                AccountResourceLimit { used: -1, available: -1, max: -1, last_usage_update_time, current_used: -1 };
            return Ok((none, false));
        }
        let greylisted_limit = self.max.wrapping_mul(u64::from(greylist_limit));
        let greylisted = greylist_limit < MAX_ELASTIC_MULTIPLIER && greylisted_limit < self.virtual_limit;
        let max = self.allowed(if greylisted { greylisted_limit } else { self.virtual_limit });
        let used = rounded_up(self.usage, self.slots);
        let available = if max <= used { 0 } else { downgrade(max - used)? };
        let mut limit = AccountResourceLimit {
            used: downgrade(used)?,
            available,
            max: downgrade(max)?,
            last_usage_update_time,
            current_used: downgrade(used)?,
        };
        if let Some(now) = now.filter(|now| now.0 > self.usage.last_ordinal) {
            let mut usage = self.usage;
            usage.add(0, now.0, self.slots)?;
            limit.current_used = downgrade(rounded_up(usage, self.slots))?;
        }
        Ok((limit, greylisted))
    }
}

fn rounded_up(usage: UsageAverage, slots: u32) -> u128 {
    (u128::from(usage.value_ex) * u128::from(slots)).div_ceil(u128::from(RATE_LIMITING_PRECISION))
}

/// nodeos' `downgrade_cast<int64_t>(uint128_t)`.
fn downgrade(value: u128) -> Result<i64, Fault> {
    let max = i64::MAX;
    let fits = i64::try_from(value);
    ensure!(
        fits.is_ok(),
        RATE_LIMITING_STATE_INCONSISTENT,
        "Casting a higher bit integer value {value} to a lower bit integer value which cannot contain the value, valid \
         range is [0, {max}]"
    );
    Ok(fits.unwrap_or_default())
}

impl Ledger {
    /// Limits of blocks.
    pub fn resource_config(&self) -> &ResourceConfig {
        &self.resource_config
    }

    /// Totals and averages.
    #[inline]
    pub fn resource_state(&self) -> &ResourceState {
        &self.resource_state
    }

    /// An account's usage.
    #[inline]
    pub fn account_usage(&self, account: AccountId) -> &Usage {
        &self.accounts.hot[account.index()].usage
    }

    /// An account's limits, pending ones first (`get_account_limits`).
    #[inline]
    pub fn account_limits(&self, account: AccountId) -> Limits {
        if !self.pending_limits.is_empty()
            && let Some(pending) = self.pending_limits.get(&self.account_name(account))
        {
            return *pending;
        }
        self.accounts.hot[account.index()].limits
    }

    /// Whether an account's CPU is unlimited, pending changes left aside (`is_unlimited_cpu`).
    pub fn is_unlimited_cpu(&self, account: AccountId) -> bool {
        self.accounts.hot[account.index()].limits.cpu_weight == -1
    }

    /// Sets an account's limits at the end of the block (`set_account_limits`); true when RAM gets less.
    pub fn set_account_limits(&mut self, account: AccountId, limits: Limits) -> bool {
        let before = self.account_limits(account);
        let name = self.account_name(account);
        let (undo, first) = self.pending_limits.set(self.epoch, name, limits);
        self.journal.push(ResourceUndo::PendingLimits(undo).into());
        if first {
            self.mark_dirty(PendingLimitsKey { account: name });
        }
        limits.ram_bytes >= 0 && (before.ram_bytes < 0 || limits.ram_bytes < before.ram_bytes)
    }

    /// Brings the averages of accounts to a slot (`update_account_usage`).
    ///
    /// # Errors
    /// As [`UsageAverage::add`].
    pub fn update_account_usage(&mut self, account: AccountId, slot: u32) -> Result<(), Fault> {
        self.add_account_usage(account, 0, 0, slot)
    }

    /// Bills a transaction to its accounts and to the block (`add_transaction_usage`). Accounts ascend by name.
    ///
    /// # Errors
    /// `tx_cpu_usage_exceeded`, `tx_net_usage_exceeded`, `block_resource_exhausted`, and as [`UsageAverage::add`].
    pub fn add_transaction_usage(
        &mut self,
        accounts: &[AccountId],
        cpu_usage: u64,
        net_usage: u64,
        slot: u32,
    ) -> Result<(), Fault> {
        for &account in accounts {
            self.add_account_usage(account, cpu_usage, net_usage, slot)?;
            self.check_account_cpu(account)?;
            self.check_account_net(account)?;
        }
        let state = &mut self.resource_state;
        self.journal
            .push(ResourceUndo::PendingUsage { cpu: state.pending_cpu_usage, net: state.pending_net_usage }.into());
        state.pending_cpu_usage = state.pending_cpu_usage.wrapping_add(cpu_usage);
        state.pending_net_usage = state.pending_net_usage.wrapping_add(net_usage);
        ensure!(
            state.pending_cpu_usage <= self.resource_config.cpu.max,
            BLOCK_RESOURCE_EXHAUSTED,
            "Block has insufficient cpu resources"
        );
        ensure!(
            state.pending_net_usage <= self.resource_config.net.max,
            BLOCK_RESOURCE_EXHAUSTED,
            "Block has insufficient net resources"
        );
        Ok(())
    }

    fn add_account_usage(&mut self, account: AccountId, cpu: u64, net: u64, slot: u32) -> Result<(), Fault> {
        self.list_account_hot(account);
        let usage = &mut self.accounts.hot[account.index()].usage;
        self.journal.push(ResourceUndo::Usage(account, usage.net, usage.cpu).into());
        usage.net.add(net, slot, self.resource_config.account_net_window)?;
        usage.cpu.add(cpu, slot, self.resource_config.account_cpu_window)
    }

    fn check_account_cpu(&self, account: AccountId) -> Result<(), Fault> {
        let window = self.cpu_window(account);
        if window.weight >= 0 && window.total_weight > 0 {
            let (used, allowed) = (window.used(), window.allowed(window.virtual_limit));
            ensure!(
                used <= allowed,
                TX_CPU_USAGE_EXCEEDED,
                "authorizing account '{}' has insufficient objective cpu resources for this transaction, used in window \
                 {used}us, allowed in window {allowed}us",
                self.account_name(account)
            );
        }
        Ok(())
    }

    fn check_account_net(&self, account: AccountId) -> Result<(), Fault> {
        let window = self.net_window(account);
        if window.weight >= 0 && window.total_weight > 0 {
            let (used, allowed) = (window.used(), window.allowed(window.virtual_limit));
            ensure!(
                used <= allowed,
                TX_NET_USAGE_EXCEEDED,
                "authorizing account '{}' has insufficient net resources for this transaction, used in window {used}, \
                 allowed in window {allowed}",
                self.account_name(account)
            );
        }
        Ok(())
    }

    #[inline]
    fn cpu_window(&self, account: AccountId) -> Window {
        Window {
            usage: self.account_usage(account).cpu,
            weight: self.account_limits(account).cpu_weight,
            total_weight: self.resource_state.total_cpu_weight,
            slots: self.resource_config.account_cpu_window,
            max: self.resource_config.cpu.max,
            virtual_limit: self.resource_state.virtual_cpu_limit,
        }
    }

    #[inline]
    fn net_window(&self, account: AccountId) -> Window {
        Window {
            usage: self.account_usage(account).net,
            weight: self.account_limits(account).net_weight,
            total_weight: self.resource_state.total_net_weight,
            slots: self.resource_config.account_net_window,
            max: self.resource_config.net.max,
            virtual_limit: self.resource_state.virtual_net_limit,
        }
    }

    /// Changes an account's RAM usage (`add_pending_ram_usage`); the limit is checked at the end of the transaction.
    ///
    /// # Errors
    /// `transaction_exception` when the number leaves its range.
    #[inline]
    pub fn add_pending_ram_usage(&mut self, account: AccountId, delta: i64) -> Result<(), Fault> {
        if delta == 0 {
            return Ok(());
        }
        self.list_account_hot(account);
        let ram = &mut self.accounts.hot[account.index()].usage.ram;
        let changed = ram.checked_add_signed(delta);
        let flow = if delta > 0 { "overflow" } else { "underflow" };
        ensure!(changed.is_some(), TRANSACTION_EXCEPTION, "Ram usage delta would {flow} UINT64_MAX");
        self.journal.push(ResourceUndo::Ram(account, *ram).into());
        *ram = changed.unwrap_or_default();
        Ok(())
    }

    /// Checks an account's RAM usage against its limit (`verify_account_ram_usage`).
    ///
    /// # Errors
    /// `ram_usage_exceeded`.
    pub fn verify_account_ram_usage(&self, account: AccountId) -> Result<(), Fault> {
        let available = self.account_limits(account).ram_bytes;
        let needs = self.account_usage(account).ram;
        ensure!(
            available < 0 || needs <= available as u64,
            RAM_USAGE_EXCEEDED,
            "account {} has insufficient ram; needs {needs} bytes has {available} bytes",
            self.account_name(account)
        );
        Ok(())
    }

    /// An account's CPU window (`get_account_cpu_limit_ex`) and whether the greylist shortened it.
    ///
    /// # Errors
    /// `rate_limiting_state_inconsistent` when a number gets too large.
    pub fn account_cpu_limit(
        &self,
        account: AccountId,
        greylist_limit: u32,
        now: Option<BlockTimestamp>,
    ) -> Result<(AccountResourceLimit, bool), Fault> {
        self.cpu_window(account).limit(greylist_limit, now)
    }

    /// An account's net window (`get_account_net_limit_ex`) and whether the greylist shortened it.
    ///
    /// # Errors
    /// `rate_limiting_state_inconsistent` when a number gets too large.
    pub fn account_net_limit(
        &self,
        account: AccountId,
        greylist_limit: u32,
        now: Option<BlockTimestamp>,
    ) -> Result<(AccountResourceLimit, bool), Fault> {
        self.net_window(account).limit(greylist_limit, now)
    }

    /// CPU left in the open block.
    pub fn block_cpu_limit(&self) -> u64 {
        self.resource_config.cpu.max.wrapping_sub(self.resource_state.pending_cpu_usage)
    }

    /// Net left in the open block.
    pub fn block_net_limit(&self) -> u64 {
        self.resource_config.net.max.wrapping_sub(self.resource_state.pending_net_usage)
    }

    /// Takes the chain's parameters over as limits of blocks (`set_block_parameters`, at the end of a block).
    pub fn set_block_parameters(&mut self, config: &ChainConfig) {
        let config = &config.v0;
        let cpu = ElasticLimit::new(u64::from(config.max_block_cpu_usage), config.target_block_cpu_usage_pct);
        let net = ElasticLimit::new(config.max_block_net_usage, config.target_block_net_usage_pct);
        if self.resource_config.cpu != cpu || self.resource_config.net != net {
            let new = ResourceConfig { cpu, net, ..self.resource_config.clone() };
            let old = std::mem::replace(&mut self.resource_config, new);
            self.journal.push(ResourceUndo::Config(Box::new(old)).into());
        }
    }

    /// Makes pending limits of accounts the real ones (`process_account_limit_updates`, at the end of a block).
    ///
    /// # Errors
    /// `rate_limiting_state_inconsistent` when a total leaves its range.
    pub fn process_account_limit_updates(&mut self) -> Result<(), Fault> {
        if self.pending_limits.is_empty() {
            return Ok(());
        }
        self.journal.push(ResourceUndo::State(Box::new(self.resource_state)).into());
        let pending: Vec<(Name, Limits)> = self.pending_limits.iter().map(|(&name, &limits)| (name, limits)).collect();
        for (name, new) in pending {
            let account = self.find_account(name).expect("pending limits are of an account");
            let old = self.accounts.hot[account.index()].limits;
            let state = &mut self.resource_state;
            replace_share(&mut state.total_ram_bytes, old.ram_bytes, new.ram_bytes, "ram_bytes")?;
            replace_share(&mut state.total_cpu_weight, old.cpu_weight, new.cpu_weight, "cpu_weight")?;
            replace_share(&mut state.total_net_weight, old.net_weight, new.net_weight, "net_weight")?;
            self.list_account_info(account);
            self.journal.push(ResourceUndo::Limits(account, old).into());
            self.accounts.hot[account.index()].limits = new;
            if let Some((undo, first)) = self.pending_limits.remove(self.epoch, &name) {
                self.journal.push(ResourceUndo::PendingLimits(undo).into());
                if first {
                    self.mark_dirty(PendingLimitsKey { account: name });
                }
            }
        }
        Ok(())
    }

    /// Closes a block's usage and moves the virtual limits (`process_block_usage`, at the end of a block).
    ///
    /// # Errors
    /// As [`UsageAverage::add`].
    pub fn process_block_usage(&mut self, block_num: u32) -> Result<(), Fault> {
        let (state, config) = (&mut self.resource_state, &self.resource_config);
        self.journal.push(ResourceUndo::State(Box::new(*state)).into());
        state.average_block_cpu_usage.add(state.pending_cpu_usage, block_num, config.cpu.periods)?;
        state.virtual_cpu_limit = config.cpu.next(state.virtual_cpu_limit, state.average_block_cpu_usage.average())?;
        state.pending_cpu_usage = 0;
        state.average_block_net_usage.add(state.pending_net_usage, block_num, config.net.periods)?;
        state.virtual_net_limit = config.net.next(state.virtual_net_limit, state.average_block_net_usage.average())?;
        state.pending_net_usage = 0;
        Ok(())
    }

    pub(crate) fn undo_resource(&mut self, undo: ResourceUndo) {
        match undo {
            ResourceUndo::Usage(account, net, cpu) => {
                let usage = &mut self.accounts.hot[account.index()].usage;
                (usage.net, usage.cpu) = (net, cpu);
            }
            ResourceUndo::Ram(account, old) => self.accounts.hot[account.index()].usage.ram = old,
            ResourceUndo::Limits(account, old) => self.accounts.hot[account.index()].limits = old,
            ResourceUndo::PendingLimits(undo) => self.pending_limits.undo(undo),
            ResourceUndo::PendingUsage { cpu, net } => {
                self.resource_state.pending_cpu_usage = cpu;
                self.resource_state.pending_net_usage = net;
            }
            ResourceUndo::State(old) => self.resource_state = *old,
            ResourceUndo::Config(old) => self.resource_config = *old,
        }
    }
}

/// Takes an old share out of a total and puts the new one in.
fn replace_share(total: &mut u64, old: i64, new: i64, which: &str) -> Result<(), Fault> {
    let (old, new) = (old.max(0) as u64, new.max(0) as u64);
    ensure!(*total >= old, RATE_LIMITING_STATE_INCONSISTENT, "underflow when reverting old value to {which}");
    *total -= old;
    ensure!(u64::MAX - *total >= new, RATE_LIMITING_STATE_INCONSISTENT, "overflow when applying new value to {which}");
    *total += new;
    Ok(())
}
