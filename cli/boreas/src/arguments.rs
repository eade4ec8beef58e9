//! Arguments with a meaning of their own: names, permissions, keys, authorities, assets.

use anyhow::{Context, bail, ensure};
use primitives::{Asset, Authority, ChainId, Name, PermissionLevel, PrivateKey, PublicKey, Symbol};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::json::{Grammar, text_or_file};
use crate::secrets;

/// `account` or `account@permission`; the permission is `active` when not given.
pub fn permission(text: &str) -> anyhow::Result<PermissionLevel> {
    let (actor, permission) = text.split_once('@').unwrap_or((text, "active"));
    ensure!(
        !actor.is_empty() && !permission.is_empty(),
        "{text:?} is not a valid permission, which is ACCOUNT or ACCOUNT@PERMISSION"
    );
    Ok(PermissionLevel { actor: name(actor)?, permission: name(permission)? })
}

/// A name, with the rule when it is not valid.
pub fn name(text: &str) -> anyhow::Result<Name> {
    ensure!(!secrets::is_secret(text), "the name of an account is expected, not a private key\n{}", secrets::ADVICE);
    text.parse::<Name>().map_err(|_| {
        let rule = "up to 12 characters of a-z, 1-5 and dot (a 13th of a-j, 1-5 and dot), no dot at the end";
        let lower = text.to_lowercase();
        let like =
            if lower != text && lower.parse::<Name>().is_ok() { format!("; is {lower} meant?") } else { String::new() };
        anyhow::anyhow!("{text:?} is not a valid name, which has {rule}{like}")
    })
}

/// A public key; `what` says whose.
pub fn public_key(text: &str, what: &str) -> anyhow::Result<PublicKey> {
    if secrets::is_secret(text) {
        let own = text.parse::<PrivateKey>().ok().and_then(|key| key.public_key().ok());
        let own = own.map_or_else(String::new, |key| format!(": its public key is {key}"));
        bail!(
            "{what} has to be a public key, which begins with EOS or PUB_, not a private key{own}\n{}",
            secrets::ADVICE
        );
    }
    text.parse().map_err(|_| match is_like_public_key(text) {
        true => anyhow::anyhow!("Invalid public key: {text}: a character is wrong or missing"),
        false => anyhow::anyhow!("Invalid public key: {text}: {what} has to begin with EOS or PUB_"),
    })
}

/// A private key. The fault is left out of the message: it could tell of the key.
pub fn private_key(text: &str) -> anyhow::Result<PrivateKey> {
    let text = text.trim();
    ensure!(
        !is_like_public_key(text),
        "Invalid private key: this is a public key; a private key begins with 5, or PVT_"
    );
    text.parse().map_err(|_| {
        anyhow::anyhow!("Invalid private key: a character is wrong or missing; one begins with 5, or PVT_")
    })
}

fn is_like_public_key(text: &str) -> bool {
    text.starts_with("EOS") || text.starts_with("PUB_")
}

/// A key, `account@permission`, or an authority as JSON or in a file; `what` says whose.
pub fn authority(text: &str, what: &str) -> anyhow::Result<Authority> {
    let is_json = text.contains('{');
    if !is_json && (is_like_public_key(text) || secrets::is_secret(text)) {
        return Ok(Authority::of_key(public_key(text, what)?));
    }
    if !is_json && text.contains('@') {
        return Ok(Authority::of_permission(permission(text)?));
    }
    let value = text_or_file(text, Grammar::Plain).with_context(|| {
        format!(
            "{what} {text:?} is neither a public key, nor ACCOUNT@PERMISSION, nor an authority as JSON or in a file"
        )
    })?;
    let mut authority: Authority =
        of_chain_type(&value, "authority", &json!({ "threshold": 0, "keys": [], "accounts": [], "waits": [] }))
            .context("Invalid authority format")?;
    authority.sort();
    ensure!(authority.is_valid(), "{}", why_not_valid(&authority));
    Ok(authority)
}

/// A value of one of the chain's own types from its JSON, or what is wrong with that in the words of the ABI. Fields of
/// `defaults` may be left out.
pub fn of_chain_type<T: DeserializeOwned>(value: &Value, kind: &str, defaults: &Value) -> anyhow::Result<T> {
    T::deserialize(value).map_err(|error| match client::mismatch_of_chain_type(kind, value, defaults) {
        Some(reason) => anyhow::anyhow!(reason),
        None => error.into(),
    })
}

fn why_not_valid(authority: &Authority) -> String {
    let weights = authority.keys.iter().map(|factor| u64::from(factor.weight));
    let weights = weights.chain(authority.accounts.iter().map(|factor| u64::from(factor.weight)));
    let sum: u64 = weights.chain(authority.waits.iter().map(|factor| u64::from(factor.weight))).sum();
    let reason = match authority.threshold {
        0 => "its threshold is 0".to_owned(),
        threshold if sum < u64::from(threshold) => {
            format!("its threshold is {threshold}, and all its weights together are {sum}")
        }
        _ => "a key, account or wait stands in it twice, or a wait is 0".to_owned(),
    };
    format!("the authority can never be satisfied, or is ambiguous: {reason}")
}

/// An asset's text, or what is wrong with it.
pub fn asset(text: &str) -> anyhow::Result<Asset> {
    text.parse::<Asset>().map_err(|fault| {
        let why = fault.details.first().map(String::as_str).unwrap_or_default();
        let typo = text.split_once(' ').filter(|(_, symbol)| symbol.to_uppercase() != *symbol);
        let like = typo
            .map_or_else(String::new, |(amount, symbol)| format!("; is \"{amount} {}\" meant?", symbol.to_uppercase()));
        anyhow::anyhow!("{text:?} is not a valid asset, which looks like \"1.0000 SYS\": {why}{like}")
    })
}

/// The same amount in the decimals of `symbol`.
pub fn in_symbol(given: Asset, symbol: Symbol) -> anyhow::Result<Asset> {
    let (have, want) = (given.symbol.precision(), symbol.precision());
    ensure!(have <= want, "Too many decimal digits in {given}, only {want} supported");
    let factor = 10i64.checked_pow(u32::from(want - have));
    let amount = factor.and_then(|factor| given.amount.checked_mul(factor));
    Ok(Asset { amount: amount.with_context(|| format!("{given} is too large an amount"))?, symbol })
}

/// A chain's id.
pub fn chain_id(text: &str) -> anyhow::Result<ChainId> {
    text.parse().map_err(|_| anyhow::anyhow!("{text:?} is not a valid chain id, which has 64 hexadecimal digits"))
}

/// A transaction's id.
pub fn transaction_id(text: &str) -> anyhow::Result<ChainId> {
    text.parse().map_err(|_| anyhow::anyhow!("{text:?} is not a valid transaction id, which has 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIF: &str = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3";
    const PUBLIC: &str = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV";

    fn told<T: std::fmt::Debug>(result: anyhow::Result<T>) -> String {
        format!("{:#}", result.expect_err("refused"))
    }

    #[test]
    fn names_say_their_rule() {
        assert_eq!(
            told(name("Alice")),
            "\"Alice\" is not a valid name, which has up to 12 characters of a-z, 1-5 and dot (a 13th of a-j, 1-5 and dot), no \
             dot at the end; is alice meant?"
        );
        assert!(!told(name("alice6")).contains("meant"));
        assert!(!told(name(WIF)).contains(WIF) && told(name(WIF)).contains("private key"));
    }

    #[test]
    fn keys_say_what_is_wrong_and_never_what_is_secret() {
        let message = told(public_key(WIF, "the owner"));
        assert!(message.contains(&format!("its public key is {PUBLIC}")) && !message.contains(WIF), "{message}");
        assert!(told(authority(WIF, "the owner")).contains("not a private key"));
        assert!(told(authority(&format!("{PUBLIC}x"), "the owner")).contains("a character is wrong or missing"));
        assert!(told(private_key(PUBLIC)).contains("this is a public key"));
        assert!(!told(private_key(&WIF[1..])).contains(&WIF[1..]));
        assert_eq!(authority(PUBLIC, "").expect("a key"), Authority::of_key(PUBLIC.parse().expect("a key")));
        assert_eq!(
            authority("a@b", "").expect("a permission"),
            Authority::of_permission(permission("a@b").expect("one"))
        );
    }

    #[test]
    fn authorities_that_cannot_be_satisfied_say_why() {
        let factors = format!(r#""keys":[{{"key":"{PUBLIC}","weight":1}}],"accounts":[],"waits":[]"#);
        assert!(told(authority(&format!(r#"{{"threshold":2,{factors}}}"#), "")).contains("together are 1"));
        assert!(told(authority(&format!(r#"{{"threshold":0,{factors}}}"#), "")).contains("threshold is 0"));
        assert!(authority(&format!(r#"{{"threshold":1,{factors}}}"#), "").is_ok());
    }

    #[test]
    fn assets_say_how_they_look() {
        assert!(told(asset("1.0000 sys")).ends_with("is \"1.0000 SYS\" meant?"));
        assert!(told(asset("1.0000")).contains("which looks like"));
        let symbol = asset("1.0000 SYS").expect("an asset").symbol;
        let same = |text: &str| in_symbol(asset(text).expect("an asset"), symbol).map(|asset| asset.to_string());
        assert_eq!(same("1 SYS").expect("fewer digits"), "1.0000 SYS");
        assert_eq!(same("-1.5 SYS").expect("fewer digits"), "-1.5000 SYS");
        assert!(told(same("1.00000 SYS")).contains("Too many decimal digits"));
        assert!(told(same("4611686018427387903 SYS")).contains("too large"));
    }
}
