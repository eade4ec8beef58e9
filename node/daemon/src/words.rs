//! Names and keys in options and documents, and what is said of those that are not valid. A private key is never shown:
//! what is logged is read by others.

use std::collections::BTreeSet;

use anyhow::Context;
use primitives::{Name, PrivateKey, PublicKey};

/// What stands in a message for a private key.
const HIDDEN: &str = "<private key>";
/// How public keys begin.
const PUBLIC_PREFIXES: [&str; 4] = ["EOS", "PUB_K1_", "PUB_R1_", "PUB_WA_"];
/// How private keys begin.
const PRIVATE_PREFIXES: [&str; 2] = ["5", "PVT_"];
/// Characters that a private key has at least.
const PRIVATE_LENGTH: usize = 45;

/// A text for a message, without the private key that it may be, whole or with a slip.
pub fn shown(text: &str) -> &str {
    let looks_private = text.len() >= PRIVATE_LENGTH && PRIVATE_PREFIXES.iter().any(|prefix| text.starts_with(prefix));
    if looks_private || text.parse::<PrivateKey>().is_ok() { HIDDEN } else { text }
}

/// A message without the private keys that are in it.
pub fn hidden(message: &str) -> String {
    let part_of_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = message.split(|letter| !part_of_word(letter)).filter(|word| shown(word) != *word);
    words.fold(message.to_owned(), |told, word| told.replace(word, HIDDEN))
}

/// An account, action or permission.
///
/// # Errors
/// It is not a valid name.
pub fn name(text: &str) -> anyhow::Result<Name> {
    text.parse().map_err(|_| {
        anyhow::anyhow!(
            "{} is not a valid name, which has up to 12 characters of a-z, 1-5 and dot (a 13th of a-j, 1-5 and dot)",
            shown(text)
        )
    })
}

/// A public key.
///
/// # Errors
/// It is not a valid one.
pub fn public_key(text: &str) -> anyhow::Result<PublicKey> {
    anyhow::ensure!(shown(text) == text, "it is a private key where the public one belongs, which everybody may see");
    // The fault itself has nodeos' words, an expression of its source.
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let known = PUBLIC_PREFIXES.iter().any(|prefix| text.starts_with(prefix));
    anyhow::ensure!(known, "{text} does not begin as public keys do: with EOS, PUB_K1_, PUB_R1_ or PUB_WA_");
    anyhow::bail!("{text} is not a valid public key; a letter may be wrong or missing")
}

/// The accounts that an option names.
///
/// # Errors
/// One of them is no name.
pub fn names(option: &str, texts: &[String]) -> anyhow::Result<BTreeSet<Name>> {
    texts.iter().map(|text| name(text).with_context(|| format!("--{option}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV";
    const PRIVATE: &str = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3";

    #[test]
    fn what_is_not_valid_is_refused_in_words_and_without_secrets() {
        assert!(name("eosio.token").is_ok() && public_key(PUBLIC).is_ok());
        for text in ["Eosio", "eosio!", "averylongname123", "alice ", PRIVATE] {
            let message = name(text).unwrap_err().to_string();
            assert!(message.contains("is not a valid name, which has") && !message.contains(PRIVATE), "{message}");
        }
        for (text, expected) in [
            ("foo", "does not begin as public keys do"),
            ("", "does not begin as public keys do"),
            ("EOS6", "is not a valid public key; a letter may be wrong or missing"),
            ("PUB_R1_x", "is not a valid public key; a letter may be wrong or missing"),
            (PRIVATE, "it is a private key"),
            (&PRIVATE[..50], "it is a private key"),
            ("PVT_K1_2bfGi9rYsXQSXXTvJbDAPhHLQUojjaNLomdm3cEJ1XTzMqUt3V", "it is a private key"),
        ] {
            let message = public_key(text).unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains(&PRIVATE[..20]), "{text}: {message}");
            assert!(!message.contains("sizeof") && !message.contains("()"), "{text}: {message}");
        }
        let told = hidden(&format!("unexpected argument '={PUBLIC}=KEY:{PRIVATE}' found, {PRIVATE}"));
        assert_eq!(told, format!("unexpected argument '={PUBLIC}=KEY:{HIDDEN}' found, {HIDDEN}"));
    }
}
