//! Keys and signatures that nodeos' wallet made (throwaway keys): the same texts, the same K1 signatures, keys found
//! again from all of them.

use primitives::{Checksum256, Pack, PrivateKey, PublicKey, Signature, Unpack};
use proptest::prelude::*;
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("keys.json")).expect("the vectors are JSON")
}

fn each(mut check: impl FnMut(&str, PrivateKey, PublicKey, &[(Checksum256, Signature)])) {
    let vectors = vectors();
    for kind in ["k1", "r1"] {
        for entry in vectors[kind].as_array().expect("keys") {
            let text = |name: &str| entry[name].as_str().expect("text");
            let private: PrivateKey = text("private").parse().expect("private key");
            let public: PublicKey = text("public").parse().expect("public key");
            assert_eq!((private.to_secret_text(), public.to_string()), (text("private").into(), text("public").into()));
            let signatures: Vec<(Checksum256, Signature)> =
                serde_json::from_value(entry["signatures"].clone()).expect("signatures");
            check(kind, private, public, &signatures);
        }
    }
}

#[test]
fn private_keys_have_their_public_keys() {
    each(|_, private, public, _| assert_eq!(private.public_key(), Ok(public)));
}

#[test]
fn signatures_give_their_keys() {
    each(|_, private, public, signatures| {
        for (digest, signature) in signatures {
            assert_eq!(signature.recover(digest), Ok(public.clone()));
            let own = private.sign(digest).expect("signature");
            assert_eq!(own.recover(digest), Ok(public.clone()));
            assert_eq!(signature.to_string().parse(), Ok(signature.clone()));
        }
    });
}

#[test]
fn k1_signatures_are_the_same_bytes() {
    each(|kind, private, _, signatures| {
        for (digest, signature) in signatures.iter().filter(|_| kind == "k1") {
            assert_eq!(private.sign(digest).as_ref(), Ok(signature));
        }
    });
}

#[test]
fn modern_texts_mean_the_same_key() {
    each(|_, _, public, _| assert_eq!(public.to_modern_text().parse(), Ok(public)));
}

proptest! {
    #[test]
    fn no_signature_panics(kind in 0u8..3, numbers in any::<[u8; 64]>(), header in 20u8..40, digest: [u8; 32]) {
        let mut compact = [0; 65];
        compact[0] = header;
        compact[1..].copy_from_slice(&numbers);
        let mut bytes = vec![kind];
        bytes.extend(compact);
        bytes.extend([0, 0]);
        let signature = Signature::from_prefix(&bytes).expect("long enough");
        let _ = signature.recover(&Checksum256(digest));
        let _ = signature.recover_with(&Checksum256(digest), false);
    }

    #[test]
    fn no_text_panics(text in "(EOS|PUB_|SIG_|PVT_)?(K1_|R1_|WA_|X_)?[1-9A-HJ-NP-Za-km-z]{0,80}", other: String) {
        for text in [text, other] {
            let _ = (text.parse::<PublicKey>(), text.parse::<Signature>(), text.parse::<PrivateKey>());
        }
    }

    #[test]
    fn every_key_and_signature_has_a_text(bytes in prop::collection::vec(any::<u8>(), 66..200), kind in 0u8..3) {
        let bytes = [&[kind][..], &bytes].concat();
        if let Ok(key) = PublicKey::from_prefix(&bytes) {
            prop_assert_eq!(key.to_string().parse(), Ok(key.clone()));
            prop_assert_eq!(PublicKey::from_bytes(&key.to_bytes()), Ok(key));
        }
        if let Ok(signature) = Signature::from_prefix(&bytes) {
            prop_assert_eq!(signature.to_string().parse(), Ok(signature.clone()));
            prop_assert_eq!(Signature::from_bytes(&signature.to_bytes()), Ok(signature));
        }
    }
}
