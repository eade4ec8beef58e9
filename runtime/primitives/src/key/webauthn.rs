//! WebAuthn assertions: the challenge is the digest, the origin gives the relying party (fc: `elliptic_webauthn.cpp`).

use codec::{Bytes, Sink};

use super::{WebAuthnKey, WebAuthnSignature, client_data, r1};
use crate::{Checksum256, Fault, FaultKind, Sha256};

const SCHEME: &[u8] = b"https://";
/// Relying party hash, flags, counter.
const AUTH_DATA_BYTES_MIN: usize = 37;
const FLAG_USER_PRESENT: u8 = 0x01;
const FLAG_USER_VERIFIED: u8 = 0x04;

pub(super) fn recover(signature: &WebAuthnSignature, digest: &Checksum256) -> Result<WebAuthnKey, Fault> {
    let client = client_data::parse(&signature.client_json).ok_or_else(|| {
        assertion(
            "reader.Parse<detail::rapidjson::kParseIterativeFlag>(ss, handler)",
            "Failed to parse client data JSON",
        )
    })?;
    if client.kind != b"webauthn.get" {
        return Err(assertion("handler.found_type == \"webauthn.get\"", "webauthn signature type not an assertion"));
    }
    let challenge = decode_base64url(&client.challenge)?;
    crate::ensure!(challenge.len() == digest.0.len(), EXCEPTION, "sha256: size mismatch");
    if challenge != digest.0 {
        let condition = "fc::sha256(challenge_bytes.data(), challenge_bytes.size()) == digest";
        return Err(assertion(condition, "Wrong webauthn challenge"));
    }
    let relying_party = relying_party(&client.origin)?;

    let auth_data = &signature.auth_data[..];
    if auth_data.len() < AUTH_DATA_BYTES_MIN {
        return Err(assertion("c.auth_data.size() >= min_auth_data_size", "auth_data not as large as required"));
    }
    if auth_data[..32] != Sha256::of(relying_party).0 {
        let condition = "memcmp(c.auth_data.data(), fc::sha256::hash(rpid).data(), sizeof(fc::sha256)) == 0";
        return Err(assertion(condition, "webauthn rpid hash doesn't match origin"));
    }

    let mut signed = Sha256::default();
    signed.put(auth_data);
    signed.put(&Sha256::of(&signature.client_json).0);
    let header = signature.compact[0];
    let key = (31..35)
        .contains(&header)
        .then(|| r1::recover_point(&signature.compact, &signed.finish(), header - 31))
        .flatten()
        .ok_or_else(|| Fault::new(FaultKind::EXCEPTION, "unable to reconstruct public key from signature"))?;
    let user_presence = match auth_data[32] {
        flags if flags & FLAG_USER_VERIFIED != 0 => 2,
        flags if flags & FLAG_USER_PRESENT != 0 => 1,
        _ => 0,
    };
    Ok(WebAuthnKey { key, user_presence, relying_party: Bytes(relying_party.to_vec()) })
}

/// fc's assertions name the condition that does not hold.
fn assertion(condition: &str, message: &str) -> Fault {
    Fault::new(FaultKind::ASSERT_EXCEPTION, format!("{condition}: {message}"))
}

/// What stands between the scheme and the last colon, the port's; all of the rest when only the scheme has a colon.
fn relying_party(origin: &[u8]) -> Result<&[u8], Fault> {
    let Some(rest) = origin.strip_prefix(SCHEME) else {
        let condition = "handler.found_origin.compare(0, https_len, required_origin_scheme) == 0";
        return Err(assertion(condition, "webauthn origin must begin with https://"));
    };
    Ok(rest.iter().rposition(|byte| *byte == b':').map_or(rest, |colon| &rest[..colon]))
}

/// The bytes before the first `=`; single digits at the end are dropped.
fn decode_base64url(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(text.len()), 0u32, 0);
    for letter in text.iter().take_while(|letter| **letter != b'=') {
        let digit = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => {
                let condition = "isalnum(c) || (c == b64_chars[sizeof(base64_chars)-3]) || \
                                 (c == b64_chars[sizeof(base64_chars)-2])";
                return Err(assertion(condition, "encountered non-base64 character"));
            }
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PrivateKey, PublicKey, Signature};

    fn assertion(json: &str, flags: u8) -> (PrivateKey, Signature) {
        let key = PrivateKey::r1_from_seed([7; 32]).expect("key");
        let mut auth_data = Sha256::of(b"example.com").0.to_vec();
        auth_data.extend([flags, 0, 0, 0, 0]);
        let mut signed = Sha256::default();
        signed.put(&auth_data);
        signed.put(&Sha256::of(json.as_bytes()).0);
        let Ok(Signature::R1(compact)) = key.sign(&signed.finish()) else { panic!("no signature") };
        let (auth_data, client_json) = (Bytes(auth_data), Bytes(json.as_bytes().to_vec()));
        (key, Signature::WebAuthn(Box::new(WebAuthnSignature { compact, auth_data, client_json })))
    }

    fn digest() -> Checksum256 {
        Checksum256([0xff; 32])
    }

    const CHALLENGE: &str = "__________________________________________8";

    #[test]
    fn an_assertion_gives_its_key() {
        for (origin, flags, presence) in [("https://example.com", 5, 2), ("https://example.com:443", 1, 1)] {
            let json = format!(
                r#"{{"type":"webauthn.get","challenge":"{CHALLENGE}=","origin":"{origin}","x":[1,{{"type":2}}]}}"#
            );
            let (key, signature) = assertion(&json, flags);
            let Ok(PublicKey::WebAuthn(found)) = signature.recover(&digest()) else { panic!("no key") };
            assert_eq!(PublicKey::R1(found.key), key.public_key().expect("key"));
            assert_eq!((found.user_presence, &found.relying_party[..]), (presence, &b"example.com"[..]));
        }
    }

    #[test]
    fn assertions_that_say_something_else_are_faults() {
        for json in [
            format!(r#"{{"type":"webauthn.create","challenge":"{CHALLENGE}","origin":"https://example.com"}}"#),
            format!(r#"{{"type":"webauthn.get","challenge":"{CHALLENGE}","origin":"http://example.com"}}"#),
            format!(r#"{{"type":"webauthn.get","challenge":"{CHALLENGE}","origin":"https://example.org"}}"#),
            r#"{"type":"webauthn.get","challenge":"AAAA","origin":"https://example.com"}"#.to_owned(),
            "[]".to_owned(),
            String::new(),
        ] {
            let (_, signature) = assertion(&json, 1);
            assert!(signature.recover(&digest()).is_err(), "{json}");
        }
    }
}
