//! Keys of many signatures at once are those that each signature alone gives, whatever is guessed.

use primitives::{Checksum256, PrivateKey, PublicKey, Signature, Signed, recover_all};
use proptest::prelude::*;

/// What is done to a signature or its guess.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Nothing,
    NoGuess,
    WrongGuess,
    NoPoint,
    Bit(usize),
    Header(u8),
    Digest,
    Small(usize),
    Negated,
    Curve,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        12 => Just(Turn::Nothing),
        1 => Just(Turn::NoGuess),
        1 => Just(Turn::WrongGuess),
        1 => Just(Turn::NoPoint),
        1 => (0usize..520).prop_map(Turn::Bit),
        2 => (25u8..37).prop_map(Turn::Header),
        1 => Just(Turn::Digest),
        1 => prop_oneof![Just(1usize), Just(33)].prop_map(Turn::Small),
        1 => Just(Turn::Negated),
        1 => Just(Turn::Curve),
    ]
}

const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc,
    0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// The same signature with -s and -R; it is canonical for about every second one.
fn negate(compact: &mut [u8; 65]) {
    let mut borrow = 0;
    for at in (0..32).rev() {
        let digit = i32::from(ORDER[at]) - i32::from(compact[33 + at]) - borrow;
        borrow = i32::from(digit < 0);
        compact[33 + at] = digit.rem_euclid(256) as u8;
    }
    compact[0] = 31 + ((compact[0] - 31) ^ 1);
}

fn check(cases: &[(u8, [u8; 32], Turn)]) -> Result<usize, TestCaseError> {
    let keys: Vec<_> = (1..=5).map(|seed| PrivateKey::k1_from_seed([seed; 32]).expect("a key")).collect();
    let other = PrivateKey::r1_from_seed([9; 32]).expect("a key");
    let made: Vec<_> = cases
        .iter()
        .map(|(key, digest, turn)| {
            let private = &keys[usize::from(*key) % keys.len()];
            let mut digest = Checksum256(*digest);
            let Ok(Signature::K1(mut compact)) = private.sign(&digest) else { panic!("a signature") };
            let mut guess = private.public_key().ok();
            match *turn {
                Turn::Nothing => {}
                Turn::NoGuess => guess = None,
                Turn::WrongGuess => guess = keys[(usize::from(*key) + 1) % keys.len()].public_key().ok(),
                Turn::NoPoint => guess = Some(PublicKey::K1([5; 33])),
                Turn::Bit(bit) => compact[bit / 8] ^= 1 << (bit % 8),
                Turn::Header(header) => compact[0] = header,
                Turn::Digest => digest.0[0] ^= 1,
                Turn::Small(at) => compact[at..at + 31].fill(0),
                Turn::Negated => negate(&mut compact),
                Turn::Curve => return (other.sign(&digest).expect("a signature"), digest, other.public_key().ok()),
            }
            (Signature::K1(compact), digest, guess)
        })
        .collect();
    let signed: Vec<_> =
        made.iter().map(|(signature, digest, guess)| Signed { signature, digest, guess: guess.as_ref() }).collect();
    let found = recover_all(&signed);
    prop_assert_eq!(found.len(), made.len());
    for ((signature, digest, _), found) in made.iter().zip(&found) {
        prop_assert_eq!(found, &signature.recover(digest));
    }
    Ok(found.iter().filter(|found| found.is_ok()).count())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn guesses_change_no_result(cases in prop::collection::vec((0u8..5, any::<[u8; 32]>(), turn()), 0..48)) {
        check(&cases)?;
    }
}

#[test]
fn many_with_one_that_is_bad() {
    let good: Vec<_> = (0..600u32).map(|at| ((at % 5) as u8, [(at % 256) as u8; 32], Turn::Nothing)).collect();
    assert_eq!(check(&good).expect("the same"), 600);
    for bad in [Turn::WrongGuess, Turn::Digest, Turn::Header(34), Turn::NoPoint, Turn::Negated] {
        let mut cases = good.clone();
        cases[407].2 = bad;
        check(&cases).expect("the same");
    }
}

#[test]
fn an_x_beyond_the_order_is_recovered_as_ever() {
    // r is small and R's x is r plus the order: such a signature can be made up, and its key is what recovery gives.
    let mut unusual = Vec::new();
    for small in 1..200u8 {
        let mut compact = [0x11; 65];
        compact[1..33].fill(0);
        compact[32] = small;
        for header in 31..35 {
            compact[0] = header;
            let signature = Signature::K1(compact);
            let digest = Checksum256([small; 32]);
            if let Ok(key) = signature.recover_with(&digest, false) {
                unusual.push((signature, digest, key));
            }
        }
    }
    assert!(unusual.iter().any(|(signature, ..)| matches!(signature, Signature::K1(compact) if compact[0] >= 33)));
    let signed: Vec<_> =
        unusual.iter().map(|(signature, digest, key)| Signed { signature, digest, guess: Some(key) }).collect();
    for ((signature, digest, _), found) in unusual.iter().zip(recover_all(&signed)) {
        // A padded r is not canonical.
        assert_eq!(found, signature.recover(digest));
        assert!(found.is_err());
    }
}
