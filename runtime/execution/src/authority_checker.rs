//! Whether keys, permissions and a delay satisfy an authority: nodeos' algorithm step for step, because the order of
//! the steps decides which keys count as used. Knows no tables; authorities come through [`AuthorityLookup`].

use std::collections::BTreeMap;

use primitives::{Authority, PermissionLevel, PublicKey};

/// Where authorities come from.
pub trait AuthorityLookup {
    /// The authority of a permission; none where it does not exist (which satisfies nobody and breaks nothing).
    fn authority(&self, level: PermissionLevel) -> Option<&Authority>;
}

/// What is known of a permission while a check runs. One that is being evaluated counts as not satisfied: cycles end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    BeingEvaluated,
    Unsatisfied,
    Satisfied,
}

type Cache = BTreeMap<PermissionLevel, Status>;

/// One factor of an authority, in the order they are tried: weight, then waits before keys before accounts, then as
/// written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Factor {
    Account,
    Key,
    Wait,
}

/// Checks permissions against what was provided, and remembers which keys were needed.
pub struct AuthorityChecker<'a, L: ?Sized> {
    lookup: &'a L,
    depth_limit: u16,
    keys: &'a [PublicKey],
    used: Vec<bool>,
    permissions: &'a [PermissionLevel],
    delay_us: i64,
}

impl<'a, L: AuthorityLookup + ?Sized> AuthorityChecker<'a, L> {
    /// `keys` and `permissions` are what was provided; `delay_us` satisfies waits up to its length.
    pub fn new(
        lookup: &'a L,
        depth_limit: u16,
        keys: &'a [PublicKey],
        permissions: &'a [PermissionLevel],
        delay_us: i64,
    ) -> Self {
        Self { lookup, depth_limit, keys, used: vec![false; keys.len()], permissions, delay_us }
    }

    /// Whether a permission is satisfied under another delay than the checker's own.
    pub fn satisfied_with_delay(&mut self, level: PermissionLevel, delay_us: i64) -> bool {
        let own = std::mem::replace(&mut self.delay_us, delay_us);
        let satisfied = self.satisfied(level);
        self.delay_us = own;
        satisfied
    }

    /// Whether a permission is satisfied.
    pub fn satisfied(&mut self, level: PermissionLevel) -> bool {
        let mut cache: Cache = self.permissions.iter().map(|level| (*level, Status::Satisfied)).collect();
        self.permission(level, &mut cache, 0)
    }

    /// Whether every provided key was needed.
    pub fn all_keys_used(&self) -> bool {
        self.used.iter().all(|used| *used)
    }

    /// Keys that were needed, in the order given.
    pub fn used_keys(&self) -> Vec<PublicKey> {
        self.keys_where(true)
    }

    /// Keys that were not needed, in the order given.
    pub fn unused_keys(&self) -> Vec<PublicKey> {
        self.keys_where(false)
    }

    fn keys_where(&self, wanted: bool) -> Vec<PublicKey> {
        self.keys.iter().zip(&self.used).filter(|(_, used)| **used == wanted).map(|(key, _)| key.clone()).collect()
    }

    fn permission(&mut self, level: PermissionLevel, cache: &mut Cache, depth: u16) -> bool {
        let whole_account = PermissionLevel { actor: level.actor, permission: primitives::Name(0) };
        if let Some(status) = cache.get(&level).or_else(|| cache.get(&whole_account)) {
            return *status == Status::Satisfied;
        }
        if depth >= self.depth_limit {
            return false;
        }
        let Some(authority) = self.lookup.authority(level) else { return false };
        cache.insert(level, Status::BeingEvaluated);
        let satisfied = self.authority(authority, cache, depth + 1);
        cache.insert(level, if satisfied { Status::Satisfied } else { Status::Unsatisfied });
        satisfied
    }

    fn authority(&mut self, authority: &Authority, cache: &mut Cache, depth: u16) -> bool {
        // Keys that a failing branch marked are not used after all.
        let used_before = (!self.used.is_empty()).then(|| self.used.clone());
        let mut weight = 0u32;
        for (_, factor, at) in ordered_factors(authority) {
            let added = match factor {
                Factor::Wait => self.wait_weight(&authority.waits[at]),
                Factor::Key => self.key_weight(&authority.keys[at]),
                Factor::Account => {
                    let account = &authority.accounts[at];
                    if self.permission(account.permission, cache, depth) { u32::from(account.weight) } else { 0 }
                }
            };
            weight = weight.wrapping_add(added);
            if weight >= authority.threshold {
                return true;
            }
        }
        if let Some(before) = used_before {
            self.used = before;
        }
        false
    }

    fn wait_weight(&self, wait: &primitives::WaitWeight) -> u32 {
        if self.delay_us >= i64::from(wait.wait_sec) * 1_000_000 { u32::from(wait.weight) } else { 0 }
    }

    fn key_weight(&mut self, key: &primitives::KeyWeight) -> u32 {
        let Some(at) = self.keys.iter().position(|provided| *provided == key.key) else { return 0 };
        self.used[at] = true;
        u32::from(key.weight)
    }
}

/// All factors of an authority in the order they are tried: `(weight, kind, index in its list)`.
fn ordered_factors(authority: &Authority) -> Vec<(u16, Factor, usize)> {
    let accounts = authority.accounts.iter().enumerate().map(|(at, factor)| (factor.weight, Factor::Account, at));
    let keys = authority.keys.iter().enumerate().map(|(at, factor)| (factor.weight, Factor::Key, at));
    let waits = authority.waits.iter().enumerate().map(|(at, factor)| (factor.weight, Factor::Wait, at));
    let mut factors: Vec<_> = accounts.chain(keys).chain(waits).collect();
    // Stable: equals keep the order in which the authority lists them.
    factors.sort_by_key(|(weight, factor, _)| std::cmp::Reverse((*weight, *factor)));
    factors
}

#[cfg(test)]
mod tests {
    use primitives::{KeyWeight, Name, PermissionLevelWeight, WaitWeight};

    use super::*;

    struct Book(BTreeMap<PermissionLevel, Authority>);

    impl AuthorityLookup for Book {
        fn authority(&self, level: PermissionLevel) -> Option<&Authority> {
            self.0.get(&level)
        }
    }

    fn key(number: u8) -> PublicKey {
        PublicKey::K1([number; 33])
    }

    fn level(actor: u64, permission: u64) -> PermissionLevel {
        PermissionLevel { actor: Name(actor), permission: Name(permission) }
    }

    /// `(threshold, keys, accounts, waits)` with weights.
    fn auth(threshold: u32, keys: &[(u8, u16)], accounts: &[(u64, u16)], waits: &[(u32, u16)]) -> Authority {
        Authority {
            threshold,
            keys: keys.iter().map(|(number, weight)| KeyWeight { key: key(*number), weight: *weight }).collect(),
            accounts: accounts
                .iter()
                .map(|(actor, weight)| PermissionLevelWeight { permission: level(*actor, 1), weight: *weight })
                .collect(),
            waits: waits.iter().map(|(wait_sec, weight)| WaitWeight { wait_sec: *wait_sec, weight: *weight }).collect(),
        }
    }

    /// Checks account 1 of `book` (accounts are numbered from 1): satisfied, and the numbers of the keys used.
    fn check(book: &[Authority], provided: &[u8], delay_sec: i64, expected: (bool, &[u8])) {
        let book = Book(book.iter().enumerate().map(|(at, auth)| (level(at as u64 + 1, 1), auth.clone())).collect());
        let keys: Vec<PublicKey> = provided.iter().map(|number| key(*number)).collect();
        let mut checker = AuthorityChecker::new(&book, 6, &keys, &[], delay_sec * 1_000_000);
        let satisfied = checker.satisfied(level(1, 1));
        let used: Vec<PublicKey> = expected.1.iter().map(|number| key(*number)).collect();
        assert_eq!((satisfied, checker.used_keys()), (expected.0, used));
    }

    #[test]
    fn keys_reach_the_threshold_heaviest_first() {
        let two_of_three = [auth(2, &[(1, 1), (2, 1), (3, 1)], &[], &[])];
        check(&two_of_three, &[1], 0, (false, &[]));
        check(&two_of_three, &[1, 3], 0, (true, &[1, 3]));
        check(&two_of_three, &[1, 2, 3], 0, (true, &[1, 2]));
        let heavy = [auth(2, &[(1, 1), (2, 1), (3, 2)], &[], &[])];
        check(&heavy, &[1, 2, 3], 0, (true, &[3]));
    }

    #[test]
    fn waits_come_before_keys_and_keys_before_accounts_of_the_same_weight() {
        let book = [auth(1, &[(1, 1)], &[(2, 1)], &[(10, 1)]), auth(1, &[(2, 1)], &[], &[])];
        check(&book, &[1, 2], 10, (true, &[]));
        check(&book, &[1, 2], 9, (true, &[1]));
        check(&book, &[2], 0, (true, &[2]));
    }

    #[test]
    fn keys_of_a_failing_branch_are_not_used() {
        let book = [auth(1, &[(1, 1)], &[(2, 2)], &[]), auth(2, &[(2, 1), (3, 1)], &[], &[])];
        check(&book, &[1, 2], 0, (true, &[1]));
        check(&book, &[1, 2, 3], 0, (true, &[2, 3]));
    }

    #[test]
    fn cycles_and_depth_end() {
        let cycle = [auth(1, &[(1, 1)], &[(2, 2)], &[]), auth(1, &[], &[(1, 1)], &[])];
        check(&cycle, &[1], 0, (true, &[1]));
        // 1 -> 2 -> ... : the sixth may still be looked at, the seventh not.
        let chain = |length: u64| {
            let mut book: Vec<Authority> = (1..length).map(|at| auth(1, &[], &[(at + 1, 1)], &[])).collect();
            book.push(auth(1, &[(1, 1)], &[], &[]));
            book
        };
        check(&chain(6), &[1], 0, (true, &[1]));
        check(&chain(7), &[1], 0, (false, &[]));
    }

    #[test]
    fn missing_permissions_are_passed_over_and_provided_ones_hold() {
        check(&[auth(1, &[(1, 1)], &[(9, 5)], &[])], &[1], 0, (true, &[1]));
        let book = Book([(level(1, 1), auth(1, &[], &[(9, 1)], &[]))].into());
        assert!(AuthorityChecker::new(&book, 6, &[], &[level(9, 1)], 0).satisfied(level(1, 1)));
        assert!(AuthorityChecker::new(&book, 6, &[], &[level(9, 0)], 0).satisfied(level(1, 1)));
        assert!(!AuthorityChecker::new(&book, 6, &[], &[level(9, 2)], 0).satisfied(level(1, 1)));
    }
}
