//! Bytes from strangers: whatever arrives, a type is read or the action fails, and what was read may be used.
//!
//! Reading past the end or text that is no text would not show in a result: run it under valgrind, or with the address
//! sanitizer, as `contracts/check` does.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::Once;

use sdk::authority::{BlockSigningAuthority, ProducerAuthority};
use sdk::float128::Float128;
use sdk::parameters::BlockchainParameters;
use sdk::prelude::*;

/// Every kind of field, borrowed ones too.
#[derive(Record, Clone, PartialEq, Debug)]
struct Mixed<'a> {
    number: u32,
    text: &'a str,
    bytes: &'a [u8],
    memo: ByteStr<'a>,
    list: Vec<(Name, String)>,
    three: [u16; 3],
    choice: Choice,
    color: Color,
    late: Extension<Option<ByteString>>,
}

#[derive(Record, Clone, PartialEq, Debug)]
enum Choice {
    Small(u8),
    #[abi(name = "other")]
    Other(u8),
    Text(String),
}

#[derive(Record, Clone, Copy, PartialEq, Debug)]
#[repr(u16)]
enum Color {
    Red = 1,
    Blue = 500,
}

#[derive(Record, Clone, PartialEq, Debug)]
struct Tag(String);

/// What begins the message of a check that fails.
const REFUSED: &str = "assertion failure with message";

fn message_of(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied()).unwrap_or_default()
}

/// Refusals are what is wanted here: thousands of messages, each with a backtrace where one is asked for, tell nothing.
fn tell_no_refusals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload_as_str().is_some_and(|message| message.contains(REFUSED)) {
                tell(info);
            }
        }));
    });
}

/// Reads a `T` off the front, packs it, and reads that again: both are the same. Returns whether it could be read.
macro_rules! read {
    ($kind:ty, $bytes:expr) => {{
        let bytes: &[u8] = $bytes;
        let told = catch_unwind(|| {
            let value: $kind = unpack(bytes);
            let packed = pack(&value).to_vec();
            let again = pack(&unpack::<$kind>(&packed)).to_vec();
            assert_eq!(again, packed, "{} from {bytes:02x?}", stringify!($kind));
        });
        match told {
            Ok(()) => true,
            Err(panic) => {
                let message = message_of(&*panic);
                assert!(message.contains(REFUSED), "{}: {message}", stringify!($kind));
                false
            }
        }
    }};
}

macro_rules! all {
    ($each:ident, $bytes:expr) => {
        $each!(
            $bytes, bool, u8, i8, u16, i16, u32, i32, u64, i64, u128, i128, f32, f64, Float128, VarUint32, VarInt32,
            Name, Symbol, SymbolCode, Asset, ExtendedAsset, TimePoint, TimePointSec, BlockTimestamp, Checksum160,
            Checksum256, Checksum512, PublicKey, Signature, Authority, BlockSigningAuthority, ProducerAuthority,
            BlockchainParameters, PermissionLevel, Action, Transaction, &str, String, ByteStr, ByteString, &[u8],
            Vec<u8>, Vec<u64>, Vec<String>, Vec<Vec<Vec<u8>>>, Option<String>, Option<Option<u8>>, Box<String>,
            BTreeMap<Name, String>, BTreeMap<String, u8>, (u8, String), (u8, u16, u32, u64, bool), [u8; 7], [String; 2],
            Extension<String>, Mixed, Choice, Color, Tag
        )
    };
}

macro_rules! count_read {
    ($bytes:expr, $($kind:ty),+) => { [$(read!($kind, $bytes)),+].iter().filter(|read| **read).count() };
}

/// A generator that needs no crate.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Bytes that lengths, texts and numbers of variable length are made of more often than by pure chance.
    fn bytes(&mut self) -> Vec<u8> {
        const LIKELY: [u8; 16] = [0, 0, 1, 2, 3, 4, 0x7f, 0x80, 0xbf, 0xc2, 0xe2, 0xf0, 0xf4, 0xff, b'a', b'z'];
        let length = self.next() % 90;
        (0..length)
            .map(
                |_| if self.next().is_multiple_of(3) { self.next() as u8 } else { LIKELY[(self.next() % 16) as usize] },
            )
            .collect()
    }
}

#[test]
fn any_bytes_are_read_or_refused() {
    tell_no_refusals();
    let rounds = std::env::var("HOSTILE_ROUNDS").map_or(2_000, |rounds| rounds.parse().expect("a number"));
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let read: usize = (0..rounds).map(|_| all!(count_read, &chance.bytes())).sum();
    assert!(read > 4 * rounds, "only {read} of {rounds} rounds' values could be read: the test tests little");
}

macro_rules! each_in_turn {
    ($each:expr, $($kind:ty),+) => { $($each(|bytes: &[u8]| read!($kind, bytes), stringify!($kind));)+ };
}

#[test]
fn lengths_that_claim_more_than_there_is_are_refused() {
    tell_no_refusals();
    let claims = |read: fn(&[u8]) -> bool, kind: &str| {
        for claim in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0xff, 0xff, 0xff, 0xff, 0x07, b'a'], &[2, b'a']] {
            assert!(!read(claim), "{kind} from {claim:02x?}");
        }
    };
    each_in_turn!(
        claims, &str, String, ByteStr, ByteString, &[u8], Vec<u8>, Vec<u64>, Vec<String>, Vec<Vec<Vec<u8>>>,
        BTreeMap<Name, String>, Box<String>, Tag
    );
}

#[test]
fn text_is_utf_8_or_refused_and_byte_text_is_anything() {
    tell_no_refusals();
    // Each ends inside of a character, or has none: decoded unchecked, it would be read past its end.
    for text in
        [&b"\xf0"[..], b"\xe2\x80", b"a\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\x80"]
    {
        let mut bytes = vec![text.len() as u8];
        bytes.extend_from_slice(text);
        let refused = [
            read!(&str, &bytes),
            read!(String, &bytes),
            read!(Tag, &bytes),
            read!(Box<String>, &bytes),
            read!(Option<String>, &[&[1], &bytes[..]].concat()),
            read!(Choice, &[&[2], &bytes[..]].concat()),
        ];
        assert_eq!(refused, [false; 6], "{text:02x?}");
        assert!(read!(ByteStr, &bytes) && read!(ByteString, &bytes), "{text:02x?}");
        let memo: ByteStr = unpack(&bytes);
        assert_eq!((memo.as_bytes(), memo.to_str().is_err()), (text, true));
        assert_eq!(text!(memo).chars().count(), text!(memo).trim().chars().count());
    }
    assert_eq!((unpack::<&str>(b"\x05plain"), unpack::<String>(b"\x02\xc3\xa9").as_str()), ("plain", "\u{e9}"));
}
