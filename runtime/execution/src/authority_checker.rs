//! Whether keys, permissions and a delay satisfy an authority: nodeos' algorithm step for step, because the order of
//! the steps decides which keys count as used. Knows no tables; authorities come through [`AuthorityLookup`].

use std::collections::BTreeMap;

use primitives::{Authority, PermissionLevel, PublicKey};

use crate::fault::Outcome;

/// Factors of authorities that are tried between two looks at the clock, at most.
pub const UNCHECKED_FACTORS_MAX: usize = 256;

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

/// What was provided to satisfy permissions.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Keys, ascending and unique.
    pub keys: &'a [PublicKey],
    /// Permissions that hold anyway, ascending and unique.
    pub permissions: &'a [PermissionLevel],
    /// Satisfies waits up to its length, in microseconds.
    pub delay_us: i64,
}

/// Checks permissions against what was provided, and remembers which keys were needed.
pub struct AuthorityChecker<'a, L: ?Sized> {
    lookup: &'a L,
    depth_limit: u16,
    means: Means<'a>,
    used: Vec<bool>,
    /// Places of the used keys, as they were marked.
    marked: Vec<usize>,
    /// Asked once per authority and each [`UNCHECKED_FACTORS_MAX`] factors: a fault of it ends the check.
    checktime: &'a dyn Fn() -> Outcome,
    factors: usize,
}

impl<'a, L: AuthorityLookup + ?Sized> AuthorityChecker<'a, L> {
    /// `checktime` ends a check that takes too long.
    pub fn new(lookup: &'a L, depth_limit: u16, means: Means<'a>, checktime: &'a dyn Fn() -> Outcome) -> Self {
        let used = vec![false; means.keys.len()];
        Self { lookup, depth_limit, means, used, marked: Vec::new(), checktime, factors: 0 }
    }

    /// Whether a permission is satisfied under another delay than the checker's own.
    ///
    /// # Errors
    /// Those of the clock.
    pub fn satisfied_with_delay(&mut self, level: PermissionLevel, delay_us: i64) -> Outcome<bool> {
        let own = std::mem::replace(&mut self.means.delay_us, delay_us);
        let satisfied = self.satisfied(level);
        self.means.delay_us = own;
        satisfied
    }

    /// Whether a permission is satisfied.
    ///
    /// # Errors
    /// Those of the clock.
    pub fn satisfied(&mut self, level: PermissionLevel) -> Outcome<bool> {
        self.permission(level, &mut Cache::new(), 0)
    }

    /// Whether every provided key was needed.
    pub fn all_keys_used(&self) -> bool {
        self.marked.len() == self.used.len()
    }

    /// Keys that were needed, in the order given.
    pub fn used_keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys_where(true)
    }

    /// Keys that were not needed, in the order given.
    pub fn unused_keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys_where(false)
    }

    fn keys_where(&self, wanted: bool) -> impl Iterator<Item = &PublicKey> {
        self.means.keys.iter().zip(&self.used).filter(move |(_, used)| **used == wanted).map(|(key, _)| key)
    }

    fn status(&self, level: PermissionLevel, cache: &Cache) -> Option<Status> {
        let provided = || self.means.permissions.binary_search(&level).ok().map(|_| Status::Satisfied);
        cache.get(&level).copied().or_else(provided)
    }

    fn permission(&mut self, level: PermissionLevel, cache: &mut Cache, depth: u16) -> Outcome<bool> {
        let whole_account = PermissionLevel { actor: level.actor, permission: primitives::Name(0) };
        if let Some(status) = self.status(level, cache).or_else(|| self.status(whole_account, cache)) {
            return Ok(status == Status::Satisfied);
        }
        if depth >= self.depth_limit {
            return Ok(false);
        }
        let Some(authority) = self.lookup.authority(level) else { return Ok(false) };
        cache.insert(level, Status::BeingEvaluated);
        let satisfied = self.authority(authority, cache, depth + 1)?;
        cache.insert(level, if satisfied { Status::Satisfied } else { Status::Unsatisfied });
        Ok(satisfied)
    }

    fn authority(&mut self, authority: &Authority, cache: &mut Cache, depth: u16) -> Outcome<bool> {
        // Putting the factors in order takes time too.
        (self.checktime)()?;
        let marked_before = self.marked.len();
        let mut weight = 0u32;
        for (_, factor, at) in ordered_factors(authority) {
            self.factors += 1;
            if self.factors.is_multiple_of(UNCHECKED_FACTORS_MAX) {
                (self.checktime)()?;
            }
            let added = match factor {
                Factor::Wait => self.wait_weight(&authority.waits[at]),
                Factor::Key => self.key_weight(&authority.keys[at]),
                Factor::Account => {
                    let account = &authority.accounts[at];
                    if self.permission(account.permission, cache, depth)? { u32::from(account.weight) } else { 0 }
                }
            };
            weight = weight.wrapping_add(added);
            if weight >= authority.threshold {
                return Ok(true);
            }
        }
        // Keys that a failing branch marked are not used after all.
        for at in self.marked.drain(marked_before..) {
            self.used[at] = false;
        }
        Ok(false)
    }

    fn wait_weight(&self, wait: &primitives::WaitWeight) -> u32 {
        if self.means.delay_us >= i64::from(wait.wait_sec) * 1_000_000 { u32::from(wait.weight) } else { 0 }
    }

    fn key_weight(&mut self, key: &primitives::KeyWeight) -> u32 {
        let Ok(at) = self.means.keys.binary_search(&key.key) else { return 0 };
        if !std::mem::replace(&mut self.used[at], true) {
            self.marked.push(at);
        }
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
    use std::cell::Cell;

    use primitives::{KeyWeight, Name, PermissionLevelWeight, WaitWeight, ensure};

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
        let means = Means { keys: &keys, permissions: &[], delay_us: delay_sec * 1_000_000 };
        let mut checker = AuthorityChecker::new(&book, 6, means, &|| Ok(()));
        let satisfied = checker.satisfied(level(1, 1)).expect("there is time");
        let used: Vec<PublicKey> = expected.1.iter().map(|number| key(*number)).collect();
        assert_eq!((satisfied, checker.used_keys().cloned().collect()), (expected.0, used.clone()));
        assert_eq!(checker.all_keys_used(), used.len() == keys.len());
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
        let holds = |provided: PermissionLevel| {
            let means = Means { keys: &[], permissions: &[provided], delay_us: 0 };
            AuthorityChecker::new(&book, 6, means, &|| Ok(())).satisfied(level(1, 1)).expect("there is time")
        };
        assert!(holds(level(9, 1)));
        assert!(holds(level(9, 0)));
        assert!(!holds(level(9, 2)));
    }

    #[test]
    fn the_clock_is_looked_at_among_many_keys_and_among_many_authorities() {
        let number = |number: u32| {
            let mut bytes = [0; 33];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            PublicKey::K1(bytes)
        };
        let keys: Vec<_> = (0..10_000).map(|at| KeyWeight { key: number(at * 2), weight: 1 }).collect();
        let wide = Authority { threshold: 1, keys, ..Authority::default() };
        let branches: Vec<_> = (2..1000).map(|actor| (actor, 1)).collect();
        let tree = [vec![auth(1, &[], &branches, &[])], vec![auth(1, &[(1, 1)], &[], &[]); 998]].concat();
        let provided: Vec<_> = (0..10_000).map(|at| number(at * 2 + 1)).collect();
        for (book, least) in [(vec![wide], 10_000 / UNCHECKED_FACTORS_MAX), (tree, 998)] {
            let book = Book(book.into_iter().enumerate().map(|(at, auth)| (level(at as u64 + 1, 1), auth)).collect());
            let means = Means { keys: &provided, permissions: &[], delay_us: 0 };
            let (looks, end) = (Cell::new(0), Cell::new(usize::MAX));
            let checktime = || {
                looks.set(looks.get() + 1);
                ensure!(looks.get() < end.get(), DEADLINE_EXCEPTION, "over");
                Ok(())
            };
            let mut checker = AuthorityChecker::new(&book, 6, means, &checktime);
            assert_eq!(checker.satisfied(level(1, 1)), Ok(false));
            assert!(looks.get() >= least, "{} looks", looks.get());
            end.set(looks.replace(0) / 2);
            assert!(checker.satisfied(level(1, 1)).is_err(), "the clock ends it");
            assert_eq!(looks.get(), end.get(), "at once");
        }
    }
}
