//! Accounts: their creation, their ABIs' hashes, their limits when these are not bought, and who may change their
//! permissions.

use crate::parameters::ChainParameters;
use crate::ram::core_symbol;
use crate::tables::{AbiHash, LimitAuthChange, NameBid, UserResources, VoterInfo, managed};
use sdk::crypto;
use sdk::prelude::*;
use sdk::privileged::{ResourceLimits, resource_limits, set_resource_limits};

/// Checks that `creator` may use the name, and gives the account its row of resources.
pub fn newaccount(creator: Name, account: Name) {
    if creator != current_receiver() && has_dot_or_is_short(account) {
        check_short_name(creator, account);
    }
    UserResources::of(account).insert(account, UserResources::new(account, core_symbol()));
    set_resource_limits(account, ResourceLimits { ram_bytes: 0, net_weight: 0, cpu_weight: 0 });
}

/// Whether one of the first twelve characters is a dot; a shorter name ends in dots.
fn has_dot_or_is_short(name: Name) -> bool {
    (0..12).any(|at| (name.0 >> (4 + 5 * at)) & 0x1f == 0)
}

/// A name with a dot belongs to the account its suffix names; one without is won in an auction.
fn check_short_name(creator: Name, account: Name) {
    let suffix = account.suffix();
    if suffix != account {
        return check(creator == suffix, "only suffix may create this account");
    }
    let bid = NameBid::table().get(account, "no active bid for name");
    check(bid.high_bidder == creator, "only highest bidder can claim");
    check(bid.high_bid < 0, "auction for name is not closed yet");
    bid.remove();
}

/// Keeps the hash of an account's ABI.
pub fn setabi(account: Name, abi: &[u8]) {
    let this = current_receiver();
    let hash = crypto::sha256(abi);
    let table = Table::<AbiHash>::new(this, this);
    match table.find(account) {
        Some(mut row) => row.modify(SAME_PAYER, |row| row.hash = hash),
        None => {
            table.insert(account, AbiHash { owner: account, hash });
        }
    }
}

/// Sets the limits of an account that has bought none.
pub fn setalimits(account: Name, limits: ResourceLimits) {
    require_auth(current_receiver());
    check(!UserResources::of(account).contains(account), "only supports unlimited accounts");
    let managed = VoterInfo::managed(account) & (managed::RAM | managed::NET | managed::CPU) != 0;
    check(!managed, "cannot use setalimits on an account with managed resources");
    set_resource_limits(account, limits);
}

/// Sets an account's RAM by hand, or gives it back what it bought.
pub fn setacctram(account: Name, ram_bytes: Option<i64>) {
    let limits = limits_of(account);
    let ram_bytes = match ram_bytes {
        Some(bytes) => {
            check(bytes >= 0, "not allowed to set RAM limit to unlimited");
            manage(account, managed::RAM);
            bytes
        }
        None => {
            let voter = managed_voter(account, managed::RAM, "RAM of account is already unmanaged");
            let bought = UserResources::of(account).find(account).map_or(0, |row| row.ram_bytes);
            unmanage(voter, managed::RAM);
            ChainParameters::load().ram_gift_bytes.wrapping_add(bought)
        }
    };
    set_resource_limits(account, ResourceLimits { ram_bytes, ..limits });
}

/// Sets an account's network weight by hand, or gives it back what is staked to it.
pub fn setacctnet(account: Name, net_weight: Option<i64>) {
    let limits = limits_of(account);
    let net_weight = match net_weight {
        Some(weight) => {
            check(weight >= -1, "invalid value for net_weight");
            manage(account, managed::NET);
            weight
        }
        None => {
            let voter = managed_voter(account, managed::NET, "Network bandwidth of account is already unmanaged");
            let staked = UserResources::of(account).find(account).map_or(0, |row| row.net_weight.amount);
            unmanage(voter, managed::NET);
            staked
        }
    };
    set_resource_limits(account, ResourceLimits { net_weight, ..limits });
}

/// Sets an account's CPU weight by hand, or gives it back what is staked to it.
pub fn setacctcpu(account: Name, cpu_weight: Option<i64>) {
    let limits = limits_of(account);
    let cpu_weight = match cpu_weight {
        Some(weight) => {
            check(weight >= -1, "invalid value for cpu_weight");
            manage(account, managed::CPU);
            weight
        }
        None => {
            let voter = managed_voter(account, managed::CPU, "CPU bandwidth of account is already unmanaged");
            let staked = UserResources::of(account).find(account).map_or(0, |row| row.cpu_weight.amount);
            unmanage(voter, managed::CPU);
            staked
        }
    };
    set_resource_limits(account, ResourceLimits { cpu_weight, ..limits });
}

fn limits_of(account: Name) -> ResourceLimits {
    require_auth(current_receiver());
    resource_limits(account)
}

fn manage(account: Name, resource: u32) {
    let voters = VoterInfo::table();
    match voters.find(account) {
        Some(mut voter) => voter.modify(SAME_PAYER, |voter| voter.flags1 |= resource),
        None => {
            voters.insert(account, VoterInfo { flags1: resource, ..VoterInfo::new(account) });
        }
    }
}

fn managed_voter(account: Name, resource: u32, message: &str) -> Entry<VoterInfo> {
    match VoterInfo::table().find(account) {
        Some(voter) if voter.flags1 & resource != 0 => voter,
        _ => fail(message),
    }
}

fn unmanage(mut voter: Entry<VoterInfo>, resource: u32) {
    voter.modify(SAME_PAYER, |voter| voter.flags1 &= !resource);
}

const OWNER: Name = name!("owner");

/// Says which permissions may change the account's permissions; two empty lists say all may.
pub fn limitauthchg(account: Name, allow_perms: Vec<Name>, disallow_perms: Vec<Name>) {
    require_auth(account);
    let one_empty = allow_perms.is_empty() || disallow_perms.is_empty();
    check(one_empty, "either allow_perms or disallow_perms must be empty");
    let allowed = allow_perms.is_empty() || allow_perms.contains(&OWNER);
    check(allowed, "allow_perms does not contain owner");
    check(!disallow_perms.contains(&OWNER), "disallow_perms contains owner");
    let table = LimitAuthChange::table();
    let row = LimitAuthChange { version: 0, account, allow_perms, disallow_perms };
    let says_nothing = row.allow_perms.is_empty() && row.disallow_perms.is_empty();
    match table.find(account) {
        Some(old) if says_nothing => {
            old.remove();
        }
        Some(mut old) => old.modify(account, |old| *old = row),
        None if says_nothing => {}
        None => {
            table.insert(account, row);
        }
    }
}

/// Checks that a permission may change the account's permissions.
pub fn check_auth_change(account: Name, authorized_by: Extension<Name>) {
    let by = authorized_by.0.unwrap_or_default();
    if !by.is_empty() {
        require_auth_of(PermissionLevel { actor: account, permission: by });
    }
    let Some(limit) = LimitAuthChange::table().find(account) else { return };
    check(!by.is_empty(), "authorized_by is required for this account");
    if limit.allow_perms.is_empty() {
        check(!limit.disallow_perms.contains(&by), "authorized_by appears in disallow_perms");
    } else {
        check(limit.allow_perms.contains(&by), "authorized_by does not appear in allow_perms");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_letters_are_a_full_name() {
        for (text, short) in
            [("alice", true), ("aliceaccount", false), ("alice.accoun", true), ("aliceaccount1", false)]
        {
            assert_eq!(has_dot_or_is_short(Name::new(text)), short, "{text}");
        }
    }
}
