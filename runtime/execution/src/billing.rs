//! What a transaction may use, what it used and who is billed: net, CPU, RAM and the time left (nodeos:
//! transaction_context.cpp).

use std::sync::Arc;

use ledger::AccountId;
use primitives::{ChainConfig, Fault, FaultKind, ensure};

use crate::budget::UNLIMITED_US;
use crate::fault::Outcome;
use crate::features::Feature;
use crate::settings::GREYLIST_LIMIT_MAX;
use crate::transaction::{CpuReason, DeadlineKind};
use crate::world::World;

/// Net bytes of an id, charged ahead for the receipt that retires a deferred transaction.
pub(crate) const TRANSACTION_ID_NET_USAGE: u64 = 32;
/// Share of an account's CPU that an estimate must leave, in percent.
const ESTIMATE_MARGIN_PERCENT: i64 = 10;

/// An account's CPU and net in microseconds and bytes, and whether the greylist shortened them.
struct Bandwidth {
    net: i64,
    cpu: i64,
    net_greylisted: bool,
    cpu_greylisted: bool,
}

/// Net bytes of an input transaction before it runs (`init_for_input_trx`).
pub(crate) fn initial_net_usage(config: &ChainConfig, unprunable: u64, prunable: u64, delayed: bool) -> u64 {
    let config = &config.v0;
    let (num, den) =
        (u64::from(config.context_free_discount_net_usage_num), u64::from(config.context_free_discount_net_usage_den));
    let discounted =
        if den > 0 && num < den { prunable.wrapping_mul(num).wrapping_add(den - 1) / den } else { prunable };
    let base = u64::from(config.base_per_transaction_net_usage);
    let retirement = if delayed { base + TRANSACTION_ID_NET_USAGE } else { 0 };
    base + unprunable + discounted + retirement
}

impl World {
    /// Moves the start back by time that was spent before (recovering keys, or the transaction that failed).
    pub(crate) fn set_transaction_start(&mut self, start_us: i64) {
        self.trx.start_us = start_us;
        self.trx.pseudo_start_us = start_us;
    }

    pub(crate) fn transaction_start_us(&self) -> i64 {
        self.trx.start_us
    }

    fn slot(&self) -> u32 {
        self.block.time.0
    }

    /// Works out the limits and charges the net that is known beforehand.
    pub(crate) fn init_transaction(&mut self, initial_net_usage: u64) -> Outcome {
        let read_only = self.is_read_only();
        self.objective_limits(read_only);
        let account = if read_only { None } else { Some(self.account_limits()?) };
        self.trx.limits.eager_net = self.trx.limits.net;
        if let Some(account) = &account {
            self.limit_to_accounts(account);
        }
        self.subjective_limits();
        if let Some(account) = &account
            && !self.trx.budget.explicit_billed_cpu
        {
            self.limit_to_subjective_bill(account.cpu)?;
        }
        let trx = &mut self.trx;
        if trx.budget.explicit_billed_cpu {
            trx.limits.deadline_us = trx.budget.block_deadline_us;
            trx.limits.deadline_kind = DeadlineKind::WallClock;
        } else {
            trx.limits.deadline_kind = trx.limits.billing_kind;
        }
        // Whole words, so that the running check need not round.
        trx.limits.eager_net = trx.limits.eager_net / 8 * 8;
        if initial_net_usage > 0 {
            self.add_net_usage(initial_net_usage)?;
        }
        if !self.trx.checks {
            self.trx.limits.deadline_us = UNLIMITED_US;
        }
        self.checktime()
    }

    /// Limits of the block, the chain and the transaction's header.
    fn objective_limits(&mut self, read_only: bool) {
        let config = &self.ledger.global_property().configuration.v0;
        let header = &self.trx.parts.header;
        let limits = &mut self.trx.limits;
        limits.net = self.ledger.block_net_limit();
        limits.net_due_to_block = true;
        limits.objective_us = self.ledger.block_cpu_limit() as i64;
        if !read_only && u64::from(config.max_transaction_net_usage) <= limits.net {
            limits.net = u64::from(config.max_transaction_net_usage);
            limits.net_due_to_block = false;
        }
        if !read_only && i64::from(config.max_transaction_cpu_usage) <= limits.objective_us {
            limits.objective_us = i64::from(config.max_transaction_cpu_usage);
            limits.billing_kind = DeadlineKind::Transaction;
            limits.cpu_reason = CpuReason::ChainMaximum;
        }
        let header_net = u64::from(header.max_net_usage_words.0) * 8;
        if header_net > 0 && header_net <= limits.net {
            limits.net = header_net;
            limits.net_due_to_block = false;
        }
        let header_cpu_us = i64::from(header.max_cpu_usage_ms) * 1000;
        if header_cpu_us > 0 && header_cpu_us <= limits.objective_us {
            limits.objective_us = header_cpu_us;
            limits.billing_kind = DeadlineKind::Transaction;
            limits.cpu_reason = CpuReason::HeaderMaximum;
        }
        limits.initial_objective_us = limits.objective_us;
        limits.deadline_us = self.trx.start_us.saturating_add(limits.objective_us);
    }

    /// Finds the accounts to bill and what they can afford.
    fn account_limits(&mut self) -> Outcome<Bandwidth> {
        if self.trx.budget.explicit_billed_cpu {
            self.validate_cpu_usage_to_bill(self.trx.billed_cpu_us, i64::MAX, false)?;
        }
        self.find_accounts_to_bill()?;
        let slot = self.slot();
        for at in 0..self.trx.bill_to.len() {
            self.ledger.update_account_usage(self.trx.bill_to[at], slot)?;
        }
        let bandwidth = self.affordable_bandwidth(false)?;
        self.trx.limits.net_due_to_greylist |= bandwidth.net_greylisted;
        self.trx.limits.cpu_due_to_greylist |= bandwidth.cpu_greylisted;
        Ok(bandwidth)
    }

    fn find_accounts_to_bill(&mut self) -> Outcome {
        let parts = Arc::clone(&self.trx.parts);
        if self.is_active(Feature::OnlyBillFirstAuthorizer) {
            let payer = self.known_account(parts.first_authorizer())?;
            self.trx.bill_to.push(payer);
            return Ok(());
        }
        for level in parts.actions.iter().flat_map(|action| &action.authorization) {
            let payer = self.known_account(level.actor)?;
            if !self.trx.bill_to.contains(&payer) {
                self.trx.bill_to.push(payer);
            }
        }
        let ledger = &self.ledger;
        self.trx.bill_to.sort_unstable_by_key(|account| ledger.account_name(*account));
        Ok(())
    }

    fn limit_to_accounts(&mut self, account: &Bandwidth) {
        let leeway = i64::from(self.config().v0.net_usage_leeway);
        let trx = &mut self.trx;
        let limits = &mut trx.limits;
        let affordable = account.net.wrapping_add(leeway) as u64;
        if affordable < limits.eager_net {
            limits.eager_net = affordable;
            limits.net_due_to_block = false;
        }
        let affordable_us = account.cpu.saturating_add(trx.leeway_us);
        if affordable_us <= limits.deadline_us.saturating_sub(trx.start_us) {
            limits.deadline_us = trx.start_us.saturating_add(affordable_us);
            limits.billing_kind = DeadlineKind::Leeway;
        }
    }

    fn subjective_limits(&mut self) {
        let trx = &mut self.trx;
        let limits = &mut trx.limits;
        let own_us = trx.budget.max_transaction_time_us;
        if own_us != UNLIMITED_US && trx.start_us.saturating_add(own_us) <= limits.deadline_us {
            limits.deadline_us = trx.start_us.saturating_add(own_us);
            limits.cpu_reason =
                if trx.billed_cpu_us > 0 { CpuReason::NodeMaximumAdjusted } else { CpuReason::NodeMaximum };
            limits.billing_kind = DeadlineKind::Transaction;
        }
        if trx.budget.block_deadline_us < limits.deadline_us {
            limits.deadline_us = trx.budget.block_deadline_us;
            limits.billing_kind = DeadlineKind::WallClock;
        }
    }

    fn limit_to_subjective_bill(&mut self, account_cpu_us: i64) -> Outcome {
        let trx = &mut self.trx;
        let bill_us = trx.budget.subjective_cpu_bill_us;
        let mut left_us = account_cpu_us.saturating_sub(bill_us).saturating_add(trx.leeway_us);
        if bill_us > 0 && trx.start_us.saturating_add(left_us) < trx.limits.deadline_us {
            trx.limits.deadline_us = trx.start_us.saturating_add(left_us);
            trx.limits.billing_kind = DeadlineKind::Transaction;
            trx.limits.cpu_reason = CpuReason::AccountLimit;
        }
        if left_us > 0 {
            // As nodeos computes 10 %: in 64 unsigned bits, which wrap for unlimited accounts.
            let margin = (left_us as u64).wrapping_mul(ESTIMATE_MARGIN_PERCENT as u64 * 100) / 10_000;
            left_us = left_us.wrapping_sub(margin as i64);
        }
        self.validate_cpu_estimate(left_us.max(0))
    }

    /// Bills the transaction and checks what it used. On success the trace says what was billed.
    pub(crate) fn finalize_transaction(&mut self) -> Outcome {
        if self.is_read_only() {
            self.trx.trace.net_usage = self.trx.trace.net_usage.div_ceil(8) * 8;
            self.trx.trace.elapsed_us = self.clock.now_us() - self.trx.start_us;
            return Ok(());
        }
        if self.trx.is_input {
            self.note_permission_usage()?;
        }
        self.verify_ram()?;
        let bandwidth = self.affordable_bandwidth(false)?;
        let limits = &mut self.trx.limits;
        limits.net_due_to_greylist |= bandwidth.net_greylisted;
        limits.cpu_due_to_greylist |= bandwidth.cpu_greylisted;
        if bandwidth.net as u64 <= limits.net {
            limits.net = bandwidth.net as u64;
            limits.net_due_to_block = false;
        }
        if bandwidth.cpu <= limits.objective_us {
            limits.objective_us = bandwidth.cpu;
            limits.billing_kind = DeadlineKind::Transaction;
            limits.cpu_reason = CpuReason::AccountLimit;
        }
        limits.eager_net = limits.net;
        self.trx.trace.net_usage = self.trx.trace.net_usage.div_ceil(8) * 8;
        self.check_net_usage()?;
        let now_us = self.clock.now_us();
        self.trx.trace.elapsed_us = now_us - self.trx.start_us;
        self.update_billed_cpu(now_us);
        self.validate_cpu_usage_to_bill(self.trx.billed_cpu_us, bandwidth.cpu, true)?;
        let (slot, cpu, net) = (self.slot(), self.trx.billed_cpu_us as u64, self.trx.trace.net_usage);
        self.ledger.add_transaction_usage(&self.trx.bill_to, cpu, net, slot)
    }

    fn note_permission_usage(&mut self) -> Outcome {
        let parts = Arc::clone(&self.trx.parts);
        let now = self.block.time();
        for level in parts.actions.iter().flat_map(|action| &action.authorization) {
            let permission = self.ledger.get_permission(*level)?;
            self.ledger.update_permission_usage(permission, now);
        }
        Ok(())
    }

    fn verify_ram(&mut self) -> Outcome {
        let ledger = &self.ledger;
        self.trx.validate_ram.sort_unstable_by_key(|account| ledger.account_name(*account));
        self.trx.validate_ram.iter().try_for_each(|account| ledger.verify_account_ram_usage(*account))
    }

    /// Notes that an account's RAM must be checked at the end.
    pub(crate) fn must_verify_ram(&mut self, account: AccountId) {
        if !self.trx.validate_ram.contains(&account) {
            self.trx.validate_ram.push(account);
        }
    }

    /// Charges net; fails at once when it is too much.
    pub(crate) fn add_net_usage(&mut self, bytes: u64) -> Outcome {
        self.trx.trace.net_usage = self.trx.trace.net_usage.wrapping_add(bytes);
        self.check_net_usage()
    }

    fn check_net_usage(&self) -> Outcome {
        let limits = &self.trx.limits;
        let (used, limit) = (self.trx.trace.net_usage, limits.eager_net);
        if !self.trx.checks || used <= limit {
            return Ok(());
        }
        let (kind, what) = if limits.net_due_to_block {
            (FaultKind::BLOCK_NET_USAGE_EXCEEDED, "not enough space left in block")
        } else if limits.net_due_to_greylist {
            (FaultKind::GREYLIST_NET_USAGE_EXCEEDED, "greylisted transaction net usage is too high")
        } else {
            (FaultKind::TX_NET_USAGE_EXCEEDED, "transaction net usage is too high")
        };
        Err(Fault::new(kind, format!("{what}: {used} > {limit}")))
    }

    /// Fails once the transaction's time is over. Costs nothing where the receipt says what to bill.
    #[inline]
    pub fn checktime(&self) -> Outcome {
        if self.trx.limits.deadline_us == UNLIMITED_US || self.trx.paused_us.is_some() {
            return Ok(());
        }
        let now_us = self.clock.now_us();
        if now_us < self.trx.limits.deadline_us { Ok(()) } else { Err(self.time_is_over(now_us)) }
    }

    #[cold]
    fn time_is_over(&self, now_us: i64) -> Fault {
        let trx = &self.trx;
        let used = now_us - trx.pseudo_start_us;
        let kind = if trx.budget.explicit_billed_cpu { DeadlineKind::WallClock } else { trx.limits.deadline_kind };
        match kind {
            DeadlineKind::WallClock => Fault::new(FaultKind::DEADLINE_EXCEPTION, format!("deadline exceeded {used}us")),
            DeadlineKind::Block => Fault::new(
                FaultKind::BLOCK_CPU_USAGE_EXCEEDED,
                format!("not enough time left in block to complete executing transaction {used}us"),
            ),
            DeadlineKind::Leeway => Fault::new(
                FaultKind::LEEWAY_DEADLINE_EXCEPTION,
                format!(
                    "the transaction was unable to complete by deadline, but it is possible it could have succeeded if \
                     it were allowed to run to completion {used}"
                ),
            ),
            DeadlineKind::Transaction => {
                let message = format!(
                    "transaction was executing for too long {used}us{}{}",
                    self.subjective_part(),
                    self.reason_part()
                );
                if trx.limits.cpu_due_to_greylist {
                    Fault::new(FaultKind::GREYLIST_CPU_USAGE_EXCEEDED, format!("greylisted {message}"))
                } else {
                    Fault::new(FaultKind::TX_CPU_USAGE_EXCEEDED, message)
                }
            }
        }
    }

    fn subjective_part(&self) -> String {
        match self.trx.budget.subjective_cpu_bill_us {
            bill if bill > 0 => format!(" with a subjective cpu of ({bill} us)"),
            _ => String::new(),
        }
    }

    fn reason_part(&self) -> String {
        let (objective, own) = (self.trx.limits.objective_us, self.trx.budget.max_transaction_time_us);
        match self.trx.limits.cpu_reason {
            CpuReason::AccountLimit => format!(" reached account cpu limit {objective}us"),
            CpuReason::ChainMaximum => format!(" reached on chain max_transaction_cpu_usage {objective}us"),
            CpuReason::HeaderMaximum => format!(" reached trx specified max_cpu_usage_ms {objective}us"),
            CpuReason::NodeMaximum => format!(" reached node configured max-transaction-time {own}us"),
            CpuReason::NodeMaximumAdjusted => format!(" reached speculative executed adjusted trx max time {own}us"),
        }
    }

    /// Stops the clock of billing while code is compiled.
    pub(crate) fn pause_billing_timer(&mut self) {
        if !self.trx.budget.explicit_billed_cpu && self.trx.paused_us.is_none() {
            self.trx.paused_us = Some(self.clock.now_us());
        }
    }

    /// Lets the clock of billing run again. The end of the block still holds.
    pub(crate) fn resume_billing_timer(&mut self) {
        let Some(paused_us) = self.trx.paused_us.take() else { return };
        let trx = &mut self.trx;
        let pause_us = self.clock.now_us() - paused_us;
        trx.pseudo_start_us += pause_us;
        trx.limits.deadline_us = trx.limits.deadline_us.saturating_add(pause_us);
        if trx.budget.block_deadline_us < trx.limits.deadline_us {
            trx.limits.deadline_kind = DeadlineKind::WallClock;
            trx.limits.deadline_us = trx.budget.block_deadline_us;
        }
    }

    /// Sets and returns the CPU to bill, in microseconds.
    pub(crate) fn update_billed_cpu(&mut self, now_us: i64) -> u32 {
        if !self.trx.budget.explicit_billed_cpu {
            let minimum = i64::from(self.config().v0.min_transaction_cpu_usage);
            self.trx.billed_cpu_us = (now_us - self.trx.pseudo_start_us).max(minimum);
        }
        self.trx.billed_cpu_us as u32
    }

    pub(crate) fn billed_cpu_us(&self) -> u32 {
        self.trx.billed_cpu_us as u32
    }

    fn validate_cpu_usage_to_bill(&self, billed_us: i64, account_us: i64, check_minimum: bool) -> Outcome {
        if !self.trx.checks {
            return Ok(());
        }
        if check_minimum {
            let minimum = self.config().v0.min_transaction_cpu_usage;
            ensure!(
                billed_us >= i64::from(minimum),
                TRANSACTION_EXCEPTION,
                "cannot bill CPU time less than the minimum of {minimum} us"
            );
        }
        if billed_us <= 0 { Ok(()) } else { self.check_cpu("billed", billed_us, account_us) }
    }

    fn validate_cpu_estimate(&self, account_us: i64) -> Outcome {
        let estimated_us = self.trx.billed_cpu_us;
        if estimated_us < 0 || !self.trx.checks {
            return Ok(());
        }
        self.check_cpu("estimated", estimated_us, account_us)
    }

    /// Compares CPU with what the account and the transaction may use. An estimate must stay below the limit.
    fn check_cpu(&self, what: &str, cpu_us: i64, account_us: i64) -> Outcome {
        let limits = &self.trx.limits;
        let estimate = what == "estimated";
        let relation = if estimate { "not less than" } else { "greater than" };
        let fits = |limit: i64| if estimate { cpu_us < limit } else { cpu_us <= limit };
        let by_account = account_us <= limits.objective_us;
        if !by_account && limits.billing_kind == DeadlineKind::Block {
            let limit = limits.objective_us;
            ensure!(
                fits(limit),
                BLOCK_CPU_USAGE_EXCEEDED,
                "{what} CPU time ({cpu_us} us) is {relation} the billable CPU time left in the block ({limit} us)"
            );
            return Ok(());
        }
        let greylisted = limits.cpu_due_to_greylist && by_account;
        let limit = if by_account { account_us } else { limits.objective_us };
        if fits(limit) {
            return Ok(());
        }
        let message = format!(
            "{what} CPU time ({cpu_us} us) is {relation} the maximum{} billable CPU time for the transaction ({limit} us){}{}",
            if greylisted { " greylisted" } else { "" },
            self.subjective_part(),
            if estimate { format!(" reached account cpu limit {limit}us") } else { self.reason_part() },
        );
        let kind = if greylisted { FaultKind::GREYLIST_CPU_USAGE_EXCEEDED } else { FaultKind::TX_CPU_USAGE_EXCEEDED };
        Err(Fault::new(kind, message))
    }

    /// The least that any billed account can afford; CPU alone, for deferred transactions that failed hard.
    pub(crate) fn affordable_cpu_us(&self) -> Outcome<i64> {
        self.affordable_bandwidth(true).map(|bandwidth| bandwidth.cpu)
    }

    fn affordable_bandwidth(&self, force_elastic: bool) -> Outcome<Bandwidth> {
        const LARGE: i64 = i64::MAX / 2;
        let own_limits = !force_elastic && self.block.is_speculative();
        let mut least = Bandwidth { net: LARGE, cpu: LARGE, net_greylisted: false, cpu_greylisted: false };
        for &account in &self.trx.bill_to {
            let greylist = if !own_limits {
                GREYLIST_LIMIT_MAX
            } else if !self.settings.resource_greylist.is_empty()
                && self.settings.resource_greylist.contains(&self.ledger.account_name(account))
            {
                1
            } else {
                self.settings.greylist_limit
            };
            let (net, net_greylisted) = self.ledger.account_net_limit(account, greylist, None)?;
            if net.available >= 0 {
                least.net = least.net.min(net.available);
                least.net_greylisted |= net_greylisted;
            }
            let (cpu, cpu_greylisted) = self.ledger.account_cpu_limit(account, greylist, None)?;
            if cpu.available >= 0 {
                least.cpu = least.cpu.min(cpu.available);
                least.cpu_greylisted |= cpu_greylisted;
            }
        }
        ensure!(
            own_limits || !(least.net_greylisted || least.cpu_greylisted),
            TRANSACTION_EXCEPTION,
            "greylisted when not producing block"
        );
        Ok(least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(num: u32, den: u32) -> ChainConfig {
        let v0 = primitives::chain_config::ChainConfigV0 {
            max_block_net_usage: 1_048_576,
            target_block_net_usage_pct: 1000,
            max_transaction_net_usage: 524_288,
            base_per_transaction_net_usage: 12,
            net_usage_leeway: 500,
            context_free_discount_net_usage_num: num,
            context_free_discount_net_usage_den: den,
            max_block_cpu_usage: 200_000,
            target_block_cpu_usage_pct: 1000,
            max_transaction_cpu_usage: 150_000,
            min_transaction_cpu_usage: 100,
            max_transaction_lifetime: 3600,
            deferred_trx_expiration_window: 600,
            max_transaction_delay: 3_888_000,
            max_inline_action_size: 524_288,
            max_inline_action_depth: 4,
            max_authority_depth: 6,
        };
        ChainConfig { v0, max_action_return_value_size: 256 }
    }

    #[test]
    fn prunable_bytes_cost_a_fifth_rounded_up() {
        // 16 + 100 bytes in full, one signature list of 67 bytes and 1 byte of data at 20/100.
        assert_eq!(initial_net_usage(&config(20, 100), 116, 68, false), 12 + 116 + 14);
        assert_eq!(initial_net_usage(&config(20, 100), 116, 68, true), 12 + 116 + 14 + 12 + 32);
        assert_eq!(initial_net_usage(&config(0, 0), 116, 68, false), 12 + 116 + 68);
        assert_eq!(initial_net_usage(&config(100, 100), 116, 68, false), 12 + 116 + 68);
    }
}
