//! A host for unit tests: what a contract's functions ask is answered on the machine that runs `cargo test`.
//!
//! ```
//! use sdk::mock::Mock;
//! use sdk::prelude::*;
//!
//! let host = Mock::new("counter");
//! host.authorize(&["alice"]);
//! require_auth(name!("alice"));
//! sdk::print!("hello ", current_receiver());
//! assert_eq!(host.console(), "hello counter");
//! ```
//!
//! It has tables with all their indexes but those of `Float128`, authorizations, accounts, time, the console, what is sent
//! and whom it notifies. It knows no other contracts, no resources and no cryptography: what a contract does on a chain is
//! tested on a chain (`contracts/tester`). A failed check is a panic with the words of the chain, so that
//! `#[should_panic(expected = "...")]` fits. Each thread, and so each test, has a host of its own.

mod tables;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::action::Action;
use crate::codec::unpack;
use crate::name::Name;
use crate::text;
use crate::time::TimePoint;
use tables::Tables;

/// The host of this thread; dropping it leaves the thread without one.
pub struct Mock(());

/// When the time of a host begins: 2025-01-01T00:00:00.
const BEGIN: TimePoint = TimePoint(1_735_689_600_000_000);

#[derive(Default)]
struct Host {
    receiver: u64,
    sender: u64,
    time_us: i64,
    authorized: BTreeSet<(u64, u64)>,
    /// Nothing while every account is said to be there.
    accounts: Option<BTreeSet<u64>>,
    data: Vec<u8>,
    tables: Tables,
    console: String,
    sent: Vec<Vec<u8>>,
    notified: Vec<u64>,
    returned: Vec<u8>,
}

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

fn with<T>(work: impl FnOnce(&mut Host) -> T) -> T {
    HOST.with_borrow_mut(|host| work(host.as_mut().expect("the host of this thread is there until it is dropped")))
}

impl Mock {
    /// A host on which the contract of the account `receiver` runs, with nothing authorised and no rows.
    #[must_use = "the host is gone when this is dropped"]
    pub fn new(receiver: &str) -> Self {
        let host = Host { receiver: Name::new(receiver).0, time_us: BEGIN.0, ..Host::default() };
        HOST.set(Some(host));
        Self(())
    }

    /// From now on these authorise, `account` or `account@permission`, and nobody else.
    pub fn authorize(&self, levels: &[&str]) {
        let level = |text: &&str| {
            let (actor, permission) = text.split_once('@').unwrap_or((text, "active"));
            (Name::new(actor).0, Name::new(permission).0)
        };
        with(|host| host.authorized = levels.iter().map(level).collect());
    }

    /// From now on these accounts are there, and no others. Before, all are.
    pub fn accounts(&self, accounts: &[&str]) {
        with(|host| host.accounts = Some(accounts.iter().map(|account| Name::new(account).0).collect()));
    }

    /// The contract that sent the action inline.
    pub fn sender(&self, sender: &str) {
        with(|host| host.sender = Name::new(sender).0);
    }

    /// Moves time.
    pub fn advance(&self, by: Duration) {
        with(|host| host.time_us = (TimePoint(host.time_us) + by).0);
    }

    /// The packed arguments that `apply` reads.
    pub fn arguments(&self, packed: &[u8]) {
        with(|host| host.data = packed.to_vec());
    }

    /// What was printed.
    pub fn console(&self) -> String {
        with(|host| host.console.clone())
    }

    /// The actions that were sent.
    pub fn sent(&self) -> Vec<Action> {
        with(|host| host.sent.iter().map(|packed| unpack(packed)).collect())
    }

    /// Who was notified.
    pub fn notified(&self) -> Vec<Name> {
        with(|host| host.notified.iter().map(|account| Name(*account)).collect())
    }

    /// What the action returned, packed.
    pub fn returned(&self) -> Vec<u8> {
        with(|host| host.returned.clone())
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        HOST.set(None);
    }
}

/// What crosses the border of a host function, as a word.
pub(crate) trait Word {
    fn word(self) -> u64;
    fn of(word: u64) -> Self;
}

macro_rules! words {
    ($($kind:ty),+) => { $(
        impl Word for $kind {
            fn word(self) -> u64 {
                self as u64
            }
            fn of(word: u64) -> Self {
                word as Self
            }
        }
    )+ };
}
words!(u64, i64, u32, i32);

impl Word for () {
    fn word(self) -> u64 {
        0
    }
    fn of(_: u64) {}
}

impl Word for f32 {
    fn word(self) -> u64 {
        self.to_bits().into()
    }
    fn of(word: u64) -> Self {
        Self::from_bits(word as u32)
    }
}

impl Word for f64 {
    fn word(self) -> u64 {
        self.to_bits()
    }
    fn of(word: u64) -> Self {
        Self::from_bits(word)
    }
}

impl<T> Word for *const T {
    fn word(self) -> u64 {
        self.expose_provenance() as u64
    }
    fn of(word: u64) -> Self {
        std::ptr::with_exposed_provenance(word as usize)
    }
}

impl<T> Word for *mut T {
    fn word(self) -> u64 {
        self.expose_provenance() as u64
    }
    fn of(word: u64) -> Self {
        std::ptr::with_exposed_provenance_mut(word as usize)
    }
}

/// The bytes behind a pointer that a host function got.
fn read(start: u64, length: u64) -> Vec<u8> {
    if length == 0 {
        return Vec::new();
    }
    // SAFETY: whoever calls a host function vouches for its pointers and lengths, as on the chain.
    unsafe { std::slice::from_raw_parts(<*const u8>::of(start), length as usize) }.to_vec()
}

/// Writes as much as fits to a pointer that a host function got.
fn write(bytes: &[u8], start: u64, room: u64) {
    let length = bytes.len().min(room as usize);
    // SAFETY: as in `read`; a slice of this crate cannot overlap what the caller may write to.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), <*mut u8>::of(start), length) }
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Answers a call of a host function. Panics as the chain fails, and where there is no answer.
pub(crate) fn call(name: &str, words: &[u64]) -> u64 {
    match (name, words) {
        ("eosio_assert_message", [0, start, length]) => {
            panic!("assertion failure with message: {}", utf8(&read(*start, *length)))
        }
        ("eosio_assert_code", [0, code]) => panic!("assertion failure with error code: {code}"),
        ("eosio_assert_message" | "eosio_assert_code", _) => 0,
        _ => {
            let is_there = HOST.with_borrow(Option::is_some);
            assert!(is_there, "{name}: host functions are there only inside a chain, or with sdk::mock::Mock::new");
            let answer =
                with(|host| host.answer(name, words).unwrap_or_else(|| host.tables.answer(host.receiver, name, words)));
            match answer {
                Answer::Word(word) => word,
                Answer::Fails(message) => panic!("{message}"),
                Answer::Unknown => panic!("{name}: not on the host of unit tests; test it on a chain"),
            }
        }
    }
}

/// What a host function does. A failure is told after the host is let go.
enum Answer {
    Word(u64),
    Fails(String),
    Unknown,
}

impl Host {
    /// Everything but tables.
    fn answer(&mut self, name: &str, words: &[u64]) -> Option<Answer> {
        let missing = |account: u64| Answer::Fails(format!("missing authority of {}", text!(Name(account))));
        let done = Answer::Word(0);
        Some(match (name, words) {
            ("require_auth", [account]) if !self.is_authorized(*account) => missing(*account),
            ("require_auth2", [account, permission]) if !self.authorized.contains(&(*account, *permission)) => {
                missing(*account)
            }
            ("require_auth" | "require_auth2", _) => done,
            ("has_auth", [account]) => Answer::Word(self.is_authorized(*account).into()),
            ("is_account", [account]) => {
                Answer::Word(self.accounts.as_ref().is_none_or(|accounts| accounts.contains(account)).into())
            }
            ("require_recipient", [account]) => {
                if *account != self.receiver && !self.notified.contains(account) {
                    self.notified.push(*account);
                }
                done
            }
            ("current_receiver", []) => Answer::Word(self.receiver),
            ("get_sender", []) => Answer::Word(self.sender),
            ("current_time" | "publication_time", []) => Answer::Word(self.time_us as u64),
            ("action_data_size", []) => Answer::Word(self.data.len() as u64),
            ("read_action_data", [start, room]) => {
                write(&self.data, *start, *room);
                Answer::Word(self.data.len().min(*room as usize) as u64)
            }
            ("send_inline" | "send_context_free_inline", [start, length]) => {
                self.sent.push(read(*start, *length));
                done
            }
            ("set_action_return_value", [start, length]) => {
                self.returned = read(*start, *length);
                done
            }
            _ => {
                self.console.push_str(&printed(name, words)?);
                done
            }
        })
    }

    fn is_authorized(&self, account: u64) -> bool {
        self.authorized.iter().any(|(actor, _)| *actor == account)
    }
}

/// What a function of the console prints.
fn printed(name: &str, words: &[u64]) -> Option<String> {
    let [first, rest @ ..] = words else { return None };
    let wide = || u128::from_le_bytes(read(*first, 16).try_into().expect("16 bytes"));
    Some(match (name, rest) {
        ("prints_l", [length]) => utf8(&read(*first, *length)),
        ("printhex", [length]) => text!(read(*first, *length)[..]),
        ("printn", []) => text!(Name(*first)),
        ("printui", []) => first.to_string(),
        ("printi", []) => (*first as i64).to_string(),
        ("printui128", []) => wide().to_string(),
        ("printi128", []) => (wide() as i128).to_string(),
        ("printsf", []) => f32::of(*first).to_string(),
        ("printdf", []) => f64::of(*first).to_string(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[table("deals")]
    #[derive(Debug, Clone, PartialEq)]
    struct Deal {
        #[primary]
        id: u64,
        #[secondary]
        seller: Name,
        #[secondary]
        change: i128,
        #[secondary]
        price: f64,
        #[secondary]
        digest: Checksum256,
    }

    fn deal(id: u64) -> Deal {
        let digest = Checksum256([10 - id as u8; 32]);
        Deal { id, seller: Name(100 - id), change: -i128::from(id), price: 5.0 - id as f64, digest }
    }

    #[test]
    fn rows_and_indexes_are_kept() {
        let _host = Mock::new("market");
        let this = current_receiver();
        let deals = Table::<Deal>::new(this, 0);
        for id in [3, 1, 4] {
            deals.insert(this, deal(id));
        }
        let ids = |rows: &mut dyn Iterator<Item = Entry<Deal>>| rows.map(|row| row.id).collect::<Vec<_>>();
        assert_eq!((ids(&mut deals.iter()), ids(&mut deals.iter().rev())), (vec![1, 3, 4], vec![4, 3, 1]));
        assert_eq!(ids(&mut deals.index(Deal::SELLER).iter()), [4, 3, 1]);
        assert_eq!(ids(&mut deals.index(Deal::CHANGE).range(..=-3)), [4, 3]);
        assert_eq!(ids(&mut deals.index(Deal::PRICE).lower_bound(1.5).rev()), [1, 3]);
        assert_eq!(ids(&mut deals.index(Deal::DIGEST).iter()), [4, 3, 1]);
        deals.get(3, "deal 3").modify(SAME_PAYER, |row| row.price = 100.0);
        assert_eq!(deals.index(Deal::PRICE).last().map(|row| row.id), Some(3));
        deals.get(4, "deal 4").remove();
        assert_eq!((ids(&mut deals.index(Deal::SELLER).iter()), deals.available_primary_key()), (vec![3, 1], 4));
        assert_eq!((deals.clear(9), deals.find(1).is_none(), deals.last().is_none()), (2, true, true));
    }

    #[test]
    fn actions_are_read_sent_and_answered() {
        let host = Mock::new("market");
        host.authorize(&["alice@owner"]);
        host.accounts(&["alice", "market"]);
        let begin = current_time();
        host.advance(Duration::from_secs(90));
        assert_eq!((current_time() - begin, is_account(name!("bob"))), (Duration::from_secs(90), false));
        require_auth_of(PermissionLevel { actor: name!("alice"), permission: name!("owner") });
        require_recipient(name!("alice"));
        let call = crate::action::Call::new(name!("token"), name!("transfer"), crate::codec::pack(&7u8));
        call.send_as(current_receiver());
        host.arguments(&[1, 2]);
        assert_eq!(crate::dispatch::action_data(), [1, 2]);
        sdk::print!(7u8, " ", -1i128, " ", name!("alice"), " ", true);
        assert_eq!((host.console().as_str(), host.notified()), ("7 -1 alice true", vec![name!("alice")]));
        let sent = host.sent();
        assert_eq!((sent.len(), sent[0].account, sent[0].data.as_slice()), (1, name!("token"), &[7][..]));
    }

    #[test]
    #[should_panic(expected = "assertion failure with message: deal 9 is not there")]
    fn a_check_says_what_failed() {
        let _host = Mock::new("market");
        Table::<Deal>::new(current_receiver(), 0).get(9, "deal 9 is not there");
    }

    #[test]
    #[should_panic(expected = "missing authority of bob")]
    fn what_is_not_authorised_fails() {
        let host = Mock::new("market");
        host.authorize(&["alice"]);
        require_auth(name!("bob"));
    }

    #[test]
    #[should_panic(expected = "a row with this key is there already")]
    fn a_key_is_taken_once() {
        let _host = Mock::new("market");
        let deals = Table::<Deal>::new(current_receiver(), 0);
        deals.insert(current_receiver(), deal(1));
        deals.insert(current_receiver(), deal(1));
    }
}
