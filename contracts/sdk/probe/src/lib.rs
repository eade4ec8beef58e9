//! Every part of the SDK at work on a chain: each action checks what it did from inside, so that succeeding is the test.
//!
//! `tests/tester/tests/sdk.rs` runs it on our chain, `differential/probe.py` on nodeos; it must be privileged for
//! `privileged`.

#![no_std]
#![allow(clippy::unwrap_used, reason = "one of the ways to fail")]

/// The contract.
#[sdk::contract]
pub mod probe {
    use sdk::float128::Float128;
    use sdk::prelude::*;
    use sdk::privileged;
    use sdk::{chain, crypto, transaction};

    extern crate alloc;
    use alloc::boxed::Box;
    use alloc::collections::BTreeMap;

    /// A row with a key of every kind.
    #[table(
        "things",
        index(by_small: u64 = self.id.wrapping_mul(10)),
        index(by_big: u128 = u128::MAX - u128::from(self.id)),
        index(by_real: f64 = -(self.id as f64) / 3.0),
        index(by_digest: Checksum256 = self.digest),
        index(by_quad: Float128 = Float128::from(self.id as f64))
    )]
    pub struct Thing {
        /// Its number.
        #[primary]
        pub id: u64,
        /// A digest whose order is not the number's.
        pub digest: Checksum256,
        /// Something longer than a small row.
        pub text: String,
    }

    /// One value for all.
    #[table("only", singleton)]
    pub struct Only {
        /// The value.
        pub value: Shape,
    }

    /// A number in disguise.
    #[derive(Record, Clone, Copy, PartialEq)]
    #[repr(u8)]
    pub enum Color {
        /// 1.
        Red = 1,
        /// 5.
        Blue = 5,
    }

    /// A new name for a type.
    #[derive(Record, Clone, PartialEq)]
    pub struct Tags(Vec<String>);

    /// A field of every kind that a row or an argument may have.
    #[table("everything", singleton)]
    #[derive(Clone, PartialEq)]
    #[allow(missing_docs, reason = "the types speak")]
    pub struct Everything {
        pub truth: bool,
        pub small: (i8, u8, i16),
        pub wide: (i128, u128),
        pub reals: (f32, f64),
        pub variable: (VarInt32, VarUint32),
        pub when: (TimePoint, TimePointSec, BlockTimestamp),
        pub money: ExtendedAsset,
        pub symbol: (Symbol, SymbolCode),
        pub digests: (Checksum160, Checksum256, Checksum512),
        pub key: PublicKey,
        pub bytes: Vec<u8>,
        pub lists: Vec<Vec<Name>>,
        pub maybe: Option<Vec<u32>>,
        pub maybes: Vec<Option<u32>>,
        pub map: BTreeMap<Name, String>,
        pub shape: Shape,
        pub color: Color,
        pub tags: Tags,
        pub boxed: Box<PermissionLevel>,
        pub late: Extension<u64>,
    }

    /// A row with the keys that are numbers in disguise.
    #[table("disguised")]
    #[derive(Clone)]
    pub struct Disguised {
        /// Its number.
        #[primary]
        pub id: i64,
        /// A moment.
        #[secondary]
        pub time: TimePoint,
        /// A wide number.
        #[secondary]
        pub wide: i128,
        /// A pair, ordered by its first value and then by its second.
        #[secondary]
        pub pair: (bool, i32),
    }

    /// A variant whose cases are told apart by their names.
    #[derive(Record, Clone, PartialEq)]
    pub enum Limit {
        /// This or more.
        #[abi(name = "at_least")]
        AtLeast(u64),
        /// This or less.
        #[abi(name = "at_most")]
        AtMost(u64),
    }

    /// A variant.
    #[derive(Record, Clone, PartialEq)]
    pub enum Shape {
        /// A number.
        Number(u64),
        /// A pair.
        Pair((u32, String)),
        /// A list.
        Names(Vec<Name>),
    }

    fn things() -> Table<Thing> {
        let this = current_receiver();
        Table::new(this, this)
    }

    fn digest(id: u64) -> Checksum256 {
        let mut bytes = [0; 32];
        bytes[0] = 100 - id as u8;
        bytes[31] = id as u8;
        Checksum256(bytes)
    }

    fn ids(rows: impl Iterator<Item = Entry<Thing>>) -> Vec<u64> {
        rows.map(|row| row.id).collect()
    }

    /// Rows by every order, changed and removed.
    #[action]
    fn tables() {
        let this = current_receiver();
        let table = things();
        check(table.available_primary_key() == 0, "an empty table begins at 0");
        check(table.last().is_none() && table.iter().next().is_none(), "an empty table has no rows");
        for id in [3, 1, 2, 5] {
            let text = core::iter::repeat_n('x', 200 * id as usize).collect();
            table.insert(this, Thing { id, digest: digest(id), text });
        }
        check(ids(table.iter()) == [1, 2, 3, 5], "by primary key");
        check(ids(table.lower_bound(3u64)) == [3, 5] && ids(table.upper_bound(3u64)) == [5], "bounds");
        check(table.available_primary_key() == 6, "after the last");
        check(table.get(5u64, "row 5").text.len() == 1000, "a long row is read whole");
        check(ids(table.index(Thing::BY_SMALL).iter()) == [1, 2, 3, 5], "u64 ascends");
        check(ids(table.index(Thing::BY_BIG).iter()) == [5, 3, 2, 1], "u128 descends with the number");
        check(ids(table.index(Thing::BY_REAL).iter()) == [5, 3, 2, 1], "f64 ascends from the most negative");
        check(ids(table.index(Thing::BY_DIGEST).iter()) == [5, 3, 2, 1], "digests by their first byte");
        check(ids(table.index(Thing::BY_QUAD).iter()) == [1, 2, 3, 5], "long double ascends");
        check(ids(table.index(Thing::BY_BIG).lower_bound(u128::MAX - 2)) == [2, 1], "lower bound of u128");
        check(ids(table.index(Thing::BY_DIGEST).upper_bound(digest(3))) == [2, 1], "upper bound of digests");
        check(
            ids(table.index(Thing::BY_QUAD).upper_bound(Float128::from(2.0))) == [3, 5],
            "upper bound of long doubles",
        );
        check(table.index(Thing::BY_DIGEST).find(digest(2)).is_some_and(|row| row.id == 2), "found by digest");
        check(table.index(Thing::BY_SMALL).find(25).is_none(), "not found");
        check(table.index(Thing::BY_REAL).last().is_some_and(|row| row.id == 1), "last by f64");
        table.get(3u64, "row 3").modify(SAME_PAYER, |row| row.digest = digest(50));
        check(ids(table.index(Thing::BY_DIGEST).iter()) == [3, 5, 2, 1], "moved in its index");
        let second = table.get(2u64, "row 2");
        check(second.previous().is_some_and(|row| row.id == 1), "the row before");
        check(second.next().is_some_and(|row| row.id == 3), "the row after");
        second.remove();
        check(ids(table.index(Thing::BY_BIG).iter()) == [5, 3, 1], "gone from its indexes");
        backwards();
        check(table.clear(2) == 2 && table.clear(9) == 1, "cleared, no more than was there");
        check(table.index(Thing::BY_QUAD).iter().next().is_none(), "all gone");
        erased_on_the_way();
    }

    /// Rows removed while they are gone through, in every order.
    fn erased_on_the_way() {
        let (this, table) = (current_receiver(), things());
        let removed = |rows: &mut dyn Iterator<Item = Entry<Thing>>, odd: u64| {
            rows.filter(|row| row.id % 2 == odd).map(|row| row.remove().id).collect::<Vec<_>>()
        };
        let fill = || {
            for id in 1..=6 {
                table.insert(this, Thing { id, digest: digest(id), text: String::new() });
            }
        };
        fill();
        check(removed(&mut table.iter(), 1) == [1, 3, 5] && ids(table.iter()) == [2, 4, 6], "the odd ones");
        check(removed(&mut table.iter().rev(), 0) == [6, 4, 2] && table.last().is_none(), "the rest backwards");
        fill();
        let by_big = table.index(Thing::BY_BIG);
        check(removed(&mut by_big.iter(), 0) == [6, 4, 2] && ids(by_big.iter()) == [5, 3, 1], "by an index");
        check(removed(&mut by_big.iter().rev(), 1) == [1, 3, 5] && by_big.last().is_none(), "and backwards");
    }

    /// Ranges and reverse order, over rows 1, 3, 5.
    fn backwards() {
        let table = things();
        let (small, big) = (table.index(Thing::BY_SMALL), table.index(Thing::BY_BIG));
        check(ids(table.iter().rev()) == [5, 3, 1] && ids(small.iter().rev()) == [5, 3, 1], "reversed");
        check(
            ids(table.lower_bound(2u64).rev()) == [5, 3] && ids(big.iter().rev()) == [1, 3, 5],
            "reversed to a bound",
        );
        for (range, expected) in [(1..5, &[1, 3][..]), (2..6, &[3, 5]), (3..3, &[]), (6..9, &[]), (0..1, &[])] {
            check(ids(table.range(range.clone())) == expected, "a range");
            check(ids(table.range(range.clone()).rev()).iter().eq(expected.iter().rev()), "a range reversed");
            let tenfold = range.start * 10..range.end * 10;
            check(ids(small.range(tenfold.clone())) == expected, "a range of an index");
            check(ids(small.range(tenfold).rev()).iter().eq(expected.iter().rev()), "a range of an index reversed");
        }
        check(ids(table.range(..=3u64)) == [1, 3] && ids(table.range(3u64..)) == [3, 5], "half ranges");
        check(small.range(..50).next_back().is_some_and(|row| row.id == 3), "the greatest key below another");
        let mut rows = table.iter();
        let (first, last, middle) = (rows.next(), rows.next_back(), rows.next_back());
        check([first, middle, last].map(|row| row.map_or(0, |row| row.id)) == [1, 3, 5], "from both ends");
        check(rows.next().is_none() && rows.next_back().is_none(), "and no row twice");
        let mut rows = small.iter();
        let (last, first, middle) = (rows.next_back(), rows.next(), rows.next());
        check([first, middle, last].map(|row| row.map_or(0, |row| row.id)) == [1, 3, 5], "an index from both ends");
        check(rows.next().is_none() && rows.next_back().is_none(), "and no row of it twice");
        check(small.get(30, "row 3").id == 3, "got by index");
    }

    /// Keys with the order of their values: signed numbers, moments, pairs.
    #[action]
    fn disguises() {
        let this = current_receiver();
        let table = Table::<Disguised>::new(this, 0);
        for id in [3, -7, 0, i64::MIN, i64::MAX] {
            let pair = (id < 0, (id % 100) as i32);
            let time = TimePoint(0) + Duration::from_secs(id.unsigned_abs() % 1_000);
            table.insert(this, Disguised { id, time, wide: -i128::from(id), pair });
        }
        let order = |rows: &mut dyn Iterator<Item = Entry<Disguised>>| rows.map(|row| row.id).collect::<Vec<_>>();
        check(order(&mut table.iter()) == [i64::MIN, -7, 0, 3, i64::MAX], "i64 ascends");
        check(order(&mut table.range(-7i64..=3)) == [-7, 0, 3], "a range of i64");
        check(table.find(-7i64).is_some() && table.find(3i64).is_some(), "found by i64");
        check(order(&mut table.index(Disguised::WIDE).iter()) == [i64::MAX, 3, 0, -7, i64::MIN], "i128 ascends");
        check(order(&mut table.index(Disguised::TIME).iter()) == [0, 3, -7, i64::MAX, i64::MIN], "moments ascend");
        check(order(&mut table.index(Disguised::PAIR).iter()) == [0, 3, i64::MAX, i64::MIN, -7], "pairs ascend");
        let below = table.index(Disguised::PAIR).range(..(true, -7));
        check(order(&mut below.rev()) == [i64::MIN, i64::MAX, 3, 0], "a range of pairs");
        check(Singleton::<Only>::new(this, 99).find().is_none(), "a scope that is a number");
        table.clear(usize::MAX);
    }

    /// How many characters the text has.
    #[action]
    fn chars(memo: &str) -> u64 {
        memo.trim().chars().count() as u64
    }

    /// How many bytes the text has, whatever they are.
    #[action]
    fn octets(memo: ByteStr) -> u64 {
        print!(memo);
        memo.len() as u64
    }

    /// The half of an even number, or why there is none.
    #[action]
    fn half(number: u64) -> Result<u64, String> {
        number.is_multiple_of(2).then_some(number / 2).ok_or_else(|| text!(number, " is odd"))
    }

    /// Gives a limit and a list of three back.
    #[action]
    fn limits(limit: Limit, three: [u16; 3]) -> Result<(Limit, [u16; 3]), &'static str> {
        match limit {
            Limit::AtLeast(0) => Err("at least nothing is no limit")?,
            other => Ok((other, three)),
        }
    }

    /// Fills a local list of ten thousand bytes.
    #[action]
    fn large(seed: u64) -> u64 {
        let mut bytes = [0u8; 10_000];
        fill(&mut bytes, seed);
        bytes.iter().map(|byte| u64::from(*byte)).sum()
    }

    #[inline(never)]
    fn fill(bytes: &mut [u8], seed: u64) {
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = (seed as usize + at) as u8;
        }
    }

    /// Keeps what it gets.
    #[action]
    fn keep(everything: Everything) {
        let this = current_receiver();
        let given = transaction::action(0).map_or_else(Vec::new, |action| action.data);
        check(*pack(&everything) == *given, "packed again it is the same");
        Singleton::new(this, this).set(everything, this);
    }

    /// A singleton through its life, with each case of a variant.
    #[action]
    fn singleton(shape: Shape) -> Shape {
        let this = current_receiver();
        let only = Singleton::<Only>::new(this, this);
        only.remove();
        check(!only.exists() && only.find().is_none(), "not set yet");
        let other = || Only { value: Shape::Number(0) };
        check(only.get_or(other()).value == Shape::Number(0) && !only.exists(), "a default is not kept");
        check(only.get_or_create(this, other()).value == Shape::Number(0) && only.exists(), "unless it is made");
        let shapes = [Shape::Number(7), Shape::Pair((1, String::from("one"))), Shape::Names(Vec::from([this])), shape];
        for value in &shapes {
            only.set(Only { value: value.clone() }, this);
            check(only.get().value == *value, "what was set is got");
        }
        only.get().value
    }

    /// Digests of `abc`, and a key from its signature.
    #[action]
    fn hashes(digest: Checksum256, signature: Signature, key: PublicKey) {
        let start = |bytes: &[u8]| [bytes[0], bytes[1], bytes[2]];
        check(start(&crypto::sha256(b"abc").0) == [0xba, 0x78, 0x16], "sha256");
        check(start(&crypto::sha1(b"abc").0) == [0xa9, 0x99, 0x3e], "sha1");
        check(start(&crypto::sha512(b"abc").0) == [0xdd, 0xaf, 0x35], "sha512");
        check(start(&crypto::ripemd160(b"abc").0) == [0x8e, 0xb2, 0x08], "ripemd160");
        check(start(&crypto::sha3(b"abc", false).0) == [0x3a, 0x98, 0x5d], "sha3");
        check(start(&crypto::sha3(b"abc", true).0) == [0x4e, 0x03, 0x65], "keccak");
        crypto::assert_sha256(b"abc", &crypto::sha256(b"abc"));
        crypto::assert_sha1(b"abc", &crypto::sha1(b"abc"));
        crypto::assert_sha512(b"abc", &crypto::sha512(b"abc"));
        crypto::assert_ripemd160(b"abc", &crypto::ripemd160(b"abc"));
        check(crypto::recover_key(&digest, &signature) == key, "recovered");
        crypto::assert_recover_key(&digest, &signature, &key);
        if let (Signature::K1(signature), PublicKey::K1(key)) = (&signature, &key) {
            let mut raw = *signature;
            raw[0] -= 4; // the chain counts compressed keys from 31, this function from 27
            let whole = crypto::k1_recover(&raw, &digest);
            check(whole.is_some_and(|whole| whole[0] == 4 && whole[1..33] == key[1..]), "recovered in full");
        }
        primitives();
    }

    /// Mathematics whose results are known.
    fn primitives() {
        let (mut one, mut two) = ([0; 64], [0; 32]);
        (one[31], one[63], two[31]) = (1, 2, 2); // the generator of alt_bn128 is (1, 2)
        let double = crypto::alt_bn128_add(&one, &one);
        check(double.is_some() && double == crypto::alt_bn128_mul(&one, &two), "twice is plus");
        check(crypto::alt_bn128_add(&[1; 64], &one).is_none(), "no point");
        check(crypto::alt_bn128_pair(&[]) == Some(true), "no pairs at all");
        check(crypto::mod_exp(&[3], &[4], &[0, 50]).as_deref() == Some(&[0, 31]), "3 to the 4th is 81");
        let state = crypto::blake2_f(0, &[0; 64], &[0; 128], [&[0; 8]; 2], false);
        check(state.is_some_and(|state| state[0] == 0x08), "no round mixes the constants in");
    }

    /// What the chain tells.
    #[action]
    fn asks(account: Name) {
        let this = current_receiver();
        check(has_auth(account) && !has_auth(name!("nobody")), "who authorised");
        require_auth_of(PermissionLevel::active(account));
        check(is_account(account) && !is_account(name!("nobody")), "who exists");
        check(chain::sender().is_empty(), "not sent inline");
        check(chain::block_num() > 1, "the block's number");
        check(current_time().0 > 1_500_000_000_000_000, "the time");
        check(TimePoint::from(chain::current_block_time()) == current_time(), "slots and times");
        check(!chain::active_producers().is_empty(), "who produces");
        check(!chain::is_feature_activated(&Checksum256::default()), "no such feature");
        check(chain::code_hash(this) != Checksum256::default(), "this has code");
        check(chain::code_hash(name!("eosio.null")) == Checksum256::default(), "that has none");
        check(chain::account_creation_time(account).0 > 0, "when it was made");
        check(chain::permission_last_used(PermissionLevel::active(account)).0 > 0, "when it was used");
        let active = [PermissionLevel::active(account)];
        check(chain::check_permission_authorization(active[0], &active, 0), "satisfied by itself");
        check(!chain::check_permission_signatures(active[0], &[PublicKey::K1([2; 33])], &[], 0), "not by another key");
        check(chain::publication_time() == current_time(), "published now");
        check(transaction::context_free_action(0).is_none() && transaction::action(1).is_none(), "no further actions");
        let whole = transaction::current_transaction();
        let transaction: Transaction = unpack(&whole);
        check(transaction.actions.len() == 1 && transaction.actions[0].account == this, "this transaction");
        check(transaction.header.expiration == transaction::expiration(), "its expiration");
        check(u32::from(transaction.header.ref_block_num) == transaction::tapos_block_num(), "its block");
        check(transaction.header.ref_block_prefix == transaction::tapos_block_prefix(), "that block's id");
        check(*pack(&transaction) == *whole, "packed again it is the same");
    }

    /// Long doubles and the console.
    #[action]
    fn prints() {
        let third = Float128::from(1.0) / Float128::from(3i64);
        let one = third + third + third;
        check((one - Float128::from(1.0)).to_f64().abs() < 1e-30, "a third thrice");
        check(third < one && -one < third && one * one >= third, "ordered");
        let sys = Symbol::new(SymbolCode::new("SYS"), 4);
        print!(
            "n=",
            name!("eosio"),
            " ",
            -5i32,
            " ",
            7u8,
            " ",
            Asset::new(-12_345, sys),
            " ",
            true,
            " ",
            sys,
            " ",
            0.5f64
        );
        print!(" ", Checksum256([0xab; 32]), " ", [1u8, 255].as_slice());
        print!(" ", u128::MAX, " ", i128::MIN, " ", third, " ", TimePointSec(1_735_689_599), " ", 'x', 3usize);
    }

    /// What only privileged contracts may do.
    #[action]
    fn privileged(account: Name) {
        check(privileged::is_privileged(current_receiver()), "this is privileged");
        check(!privileged::is_privileged(account), "that is not");
        let before = privileged::resource_limits(account);
        privileged::set_resource_limits(account, privileged::ResourceLimits { net_weight: 77, ..before });
        check(privileged::resource_limits(account).net_weight == 77, "set and got");
        privileged::set_resource_limits(account, before);
        let parameters = privileged::blockchain_parameters();
        let first = privileged::parameters_packed(&[1, 0]);
        check(first[..2] == [1, 0] && first[2..] == parameters.max_block_net_usage.to_le_bytes(), "one parameter");
        privileged::set_parameters_packed(&first);
        privileged::set_wasm_parameters_packed(&privileged::wasm_parameters_packed());
        privileged::set_blockchain_parameters(&parameters);
        check(privileged::blockchain_parameters() == parameters, "set and got again");
    }

    /// Fails in the way asked for.
    #[action]
    fn fails(how: &str) {
        match how {
            "check" => check(false, "checked"),
            "parts" => check!(false, "parts ", 1u64, " and ", current_receiver()),
            "panic" => panic!("panicked plainly"),
            "formatted" => panic!("{} panicked with {how:?}", current_receiver()),
            "expect" => {
                let nothing: Option<u8> = how.bytes().find(u8::is_ascii_digit);
                print!(nothing.expect("a digit"));
            }
            "result" => {
                let digit: Result<u8, Name> = how.bytes().find(u8::is_ascii_digit).ok_or(name!("eosio"));
                print!(digit.unwrap());
            }
            "key" => things().get(1u64, "row 1").modify(SAME_PAYER, |row| row.id += 1),
            "foreign" => {
                let rows = Table::<Only>::new(name!("eosio"), name!("eosio"));
                rows.insert(current_receiver(), Only { value: Shape::Number(1) });
            }
            "taken" => {
                let (this, digest) = (current_receiver(), digest(1));
                things().insert(this, Thing { id: 1, digest, text: String::new() });
                things().insert(this, Thing { id: 1, digest, text: String::new() });
            }
            "limit" => {
                let this = current_receiver();
                things().insert(this, Thing { id: u64::MAX - 2, digest: digest(1), text: String::new() });
                print!(things().available_primary_key());
            }
            "range" => drop(things().range(how.len() as u64..1)),
            "short" => drop(unpack::<(u64, String)>(&[1, 2, 3, 4, 5, 6, 7, 8, 200, 1])),
            "number" => drop(unpack::<Tags>(&[1]).0),
            "color" => {
                unpack::<Color>(&[2]);
            }
            "overflow" => {
                let sum = how.len() as u8 + 248;
                print!(sum);
            }
            "bounds" => print!(how.as_bytes()[how.len()]),
            "variant" => {
                unpack::<Shape>(&[9]);
            }
            "memory" => {
                let mut all = Vec::<u64>::with_capacity(1 << 20);
                loop {
                    all.reserve(all.capacity() + 1);
                }
            }
            _ => fail("unknown way"),
        }
    }

    /// Sends an action of its own.
    #[action]
    fn sends(account: Name) {
        let this = current_receiver();
        calls::told(this, account, "inline").send_as(this);
        calls::told(this, account, "twice").authorized(&[PermissionLevel::active(this)]).send();
    }

    /// Is sent by `sends`.
    #[action]
    fn told(account: Name, text: &str) {
        require_auth(current_receiver());
        check(chain::sender() == current_receiver(), "sent by this contract");
        print!(account, " ", text);
    }

    /// A transfer of anybody's token is seen.
    #[on_notify("*::transfer")]
    fn any_transfer(from: Name, to: Name, quantity: Asset, memo: ByteStr) {
        print!("any ", from, " ", to, " ", quantity, " ", memo);
    }

    /// The token's is seen by this handler instead.
    #[on_notify("eosio.token::transfer")]
    fn transfer(from: Name, to: Name, quantity: Asset, memo: ByteStr) {
        print!("token ", from, " ", to, " ", quantity, " ", memo);
    }
}
