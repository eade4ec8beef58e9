//! What helps with an error: the command to type next, with the names and numbers of the case.

mod limits;

use client::{ApiError, ApiFault, ClientError, Signer};
use primitives::{Asset, FaultKind, Name, PublicKey};
use serde_json::{Value, json};

use crate::keys::Keys;
use crate::receipt::{FailedAction, FailedTransaction};
use crate::session::Session;
use crate::similar::{best, meant};

/// Accounts of every chain with a system contract.
const EVERYWHERE: [&str; 5] = ["eosio", "eosio.token", "eosio.msig", "eosio.wrap", "eosio.rex"];

/// Kinds of faults and what helps with all of a kind.
const TABLE: [(FaultKind, &str); 12] = [
    (FaultKind::CONTRACT_TABLE_QUERY_EXCEPTION, "The contract's tables: boreas get abi CONTRACT"),
    (FaultKind::PACK_EXCEPTION, "The action's arguments: boreas get abi CONTRACT"),
    (FaultKind::TX_NO_AUTHS, "Say whose action it is: -p ACCOUNT, or -p ACCOUNT@PERMISSION"),
    (FaultKind::EXPIRED_TX_EXCEPTION, "Is the clock of this machine right? A longer time: -x SECONDS"),
    (FaultKind::TX_EXP_TOO_FAR_EXCEPTION, "A shorter time: -x SECONDS"),
    (FaultKind::TX_DUPLICATE, "To send the same again on purpose: -f"),
    (FaultKind::INVALID_REF_BLOCK_EXCEPTION, "Name a block of this chain with --ref-block, or leave it out"),
    (
        FaultKind::WASM_SERIALIZATION_ERROR,
        "A host function that is unresolveable comes with a protocol feature; boreasd dev has all of them active",
    ),
    (FaultKind::TX_NET_USAGE_EXCEEDED, STAKE),
    (FaultKind::TX_CPU_USAGE_EXCEEDED, STAKE),
    (FaultKind::LEEWAY_DEADLINE_EXCEPTION, STAKE),
    (FaultKind::MISSING_AUTH_EXCEPTION, "Give the authority with -p ACCOUNT, or -p ACCOUNT@PERMISSION"),
];
const STAKE: &str = "Stake more: boreas system delegatebw PAYER ACCOUNT \"NET SYS\" \"CPU SYS\"";

/// What contracts of the reference say, and what helps; ACTOR is who acted.
const ASSERTIONS: [(&str, &str); 20] = [
    (
        "no active bid for name",
        "Names of less than 12 characters are auctioned: boreas system bidname BIDDER NAME \"1 SYS\". One of 12 characters \
         (a-z, 1-5) is free",
    ),
    ("auction for name is not closed yet", "When it closes: boreas system names"),
    ("refund is not available yet", "When it is: boreas system refund show OWNER"),
    (
        "refund request not found",
        "What is unstaked: boreas system refund show OWNER; what is staked: boreas get account OWNER",
    ),
    ("overdrawn balance", "What there is: boreas get currency balance CONTRACT ACCOUNT"),
    ("no balance object found", "What there is: boreas get currency balance CONTRACT ACCOUNT"),
    ("to account does not exist", "Is the name of the receiver right? boreas get account NAME"),
    ("must buy ram with core token", "Write all its decimals: boreas get currency stats eosio.token SYMBOL"),
    ("symbol precision mismatch", "The token's decimals: boreas get currency stats CONTRACT SYMBOL"),
    ("user must stake before they can vote", "boreas system delegatebw ACTOR ACTOR \"1 SYS\" \"1 SYS\""),
    ("insufficient staked", "What is staked: boreas system listbw ACTOR"),
    ("insufficient quota", "What RAM there is: boreas get account ACTOR"),
    ("must increase bid by 10%", "What is bid: boreas system names"),
    ("producer not registered", "To register: boreas system regproducer ACTOR KEY"),
    ("is not registered", "Who is: boreas system listproducers"),
    ("is not currently registered", "Who is: boreas system listproducers"),
    ("proxy not found", "A proxy registers itself: boreas system regproxy PROXY"),
    ("already claimed rewards", "On a development chain time can be moved: boreas dev time +1d"),
    ("powerup hasn't been initialized", "Whoever runs the chain opens the market: eosio::cfgpowerup"),
    ("quantity exceeds available supply", "What may be issued: boreas get currency stats CONTRACT SYMBOL"),
];

/// What helps with an error, if anything is known that does.
pub fn advice(session: &Session, error: &anyhow::Error) -> Option<String> {
    if let Some(ClientError::UnknownAction { name, known, .. }) = error.downcast_ref::<ClientError>() {
        return best(&name.to_string(), known.iter().map(String::as_str)).map(|name| format!("Is {name} meant?"));
    }
    if let Some(ClientError::UnknownTable { table, known, .. }) = error.downcast_ref::<ClientError>() {
        return best(&table.to_string(), known.iter().map(String::as_str)).map(|table| format!("Is {table} meant?"));
    }
    let failed = error.downcast_ref::<FailedTransaction>();
    let fault = failed.map(|failed| &failed.fault).or_else(|| refusal(error))?;
    let known = session.advice.iter().find(|(kind, _)| u64::from(kind.code) == fault.code);
    let text = fault.details.join("\n");
    known
        .map(|(_, advice)| advice.clone())
        .or_else(|| authority(session, fault, &text, failed.and_then(|failed| failed.action.as_ref())))
        .or_else(|| nobody(session, fault, &text))
        .or_else(|| account(session, fault, &text))
        .or_else(|| ram(fault, &text))
        .or_else(|| {
            failed.and_then(|failed| failed.action.as_ref()).and_then(|action| chain_state(session, action, &text))
        })
        .or_else(|| limits::advice(session, fault, &text, failed.and_then(|failed| failed.action.as_ref())))
        .or_else(|| {
            let said = ASSERTIONS.iter().find(|(message, _)| text.contains(message))?;
            let actor = failed.and_then(|failed| failed.action.as_ref()).map_or("ACTOR", |action| &action.actor);
            Some(said.1.replace("ACTOR", actor))
        })
        .or_else(|| {
            let known = TABLE.iter().find(|(kind, _)| u64::from(kind.code) == fault.code)?;
            Some(known.1.to_owned())
        })
}

/// An error's text without the names that C++ has for types: nodes put them into some messages.
pub fn plain(text: &str) -> String {
    const KINDS: [(&str, &str); 9] = [
        ("null_type", "null"),
        ("bool_type", "a flag"),
        ("uint64_type", "a number"),
        ("int64_type", "a number"),
        ("double_type", "a number with a fraction"),
        ("string_type", "a text"),
        ("array_type", "a list"),
        ("object_type", "an object"),
        ("blob_type", "bytes"),
    ];
    const NUMBERS: [(&str, &str); 6] = [
        ("Couldn't parse uint64_t", "this is not a valid number from 0 to 18446744073709551615"),
        ("Couldn't parse int64_t", "this is not a valid number"),
        ("Couldn't parse double", "this is not a valid number"),
        (" into a uint128_t", " into a number"),
        (" into a int128_t", " into a number"),
        ("Invalid cast from type ", "a value of the wrong sort: "),
    ];
    let mut out = text.to_owned();
    for (kind, word) in KINDS {
        out = out.replace(&format!("'{kind}'"), word).replace(kind, word);
    }
    for (cpp, words) in NUMBERS {
        out = out.replace(cpp, words);
    }
    // unknown key (eosio::chain::name): nobody
    while let Some(start) = out.find("unknown key (") {
        let open = start + "unknown key ".len();
        let Some(close) = out[open..].find("): ").map(|length| open + length) else { break };
        out.replace_range(start..close + 1, "there is no such key");
    }
    out
}

/// The fault that a node, or this program in its stead, refused with.
pub fn refusal(error: &anyhow::Error) -> Option<&ApiFault> {
    match error.downcast_ref::<ClientError>()? {
        ClientError::Api(api) => match &**api {
            ApiError::Fault(fault) => Some(fault),
            _ => None,
        },
        ClientError::Refused(fault) => Some(&**fault),
        ClientError::Arguments { .. }
        | ClientError::UnknownAction { .. }
        | ClientError::UnknownTable { .. }
        | ClientError::Value(_) => None,
    }
}

fn is(fault: &ApiFault, kind: FaultKind) -> bool {
    fault.code == u64::from(kind.code)
}

/// A permission whose keys did not sign: it may not exist, or its keys may be locked, missing, or a contract's.
fn authority(session: &Session, fault: &ApiFault, text: &str, place: Option<&FailedAction>) -> Option<String> {
    if !is(fault, FaultKind::UNSATISFIED_AUTHORIZATION) {
        return None;
    }
    let level = text.split('\'').nth(1).and_then(|json| serde_json::from_str::<Value>(json).ok())?;
    let (actor, permission) = (level["actor"].as_str()?, level["permission"].as_str()?);
    let answer = match session.call("/v1/chain/get_account", &json!({ "account_name": actor })) {
        Ok(answer) => answer,
        Err(error) if refusal(&error).is_some() => return Some(no_account(session, actor)),
        Err(_) => return None,
    };
    let permissions = answer["permissions"].as_array().cloned().unwrap_or_default();
    let Some(found) = permissions.iter().find(|found| found["perm_name"] == permission) else {
        let names: Vec<_> = permissions.iter().filter_map(|known| known["perm_name"].as_str()).collect();
        return Some(format!("{actor} has no permission {permission}; it has: {}", names.join(", ")));
    };
    if let Some(FailedAction { receiver, .. }) = place {
        let contract = if receiver == actor { String::new() } else { format!(" {receiver}") };
        return Some(format!(
            "The contract of {receiver} acts for {actor}, which has to allow that: boreas set account permission {actor} \
             {permission}{contract} --add-code"
        ));
    }
    Some(keys(session, actor, permission, &found["required_auth"]))
}

fn no_account(session: &Session, actor: &str) -> String {
    let mut known = own_accounts(session);
    known.extend(known_accounts(session, actor));
    known.extend(EVERYWHERE.map(str::to_owned));
    let meant = meant(actor, &known);
    format!("There is no account {actor} on this chain{meant}")
}

/// Accounts that the user's keys control, where the node can tell.
fn own_accounts(session: &Session) -> Vec<String> {
    let keys = session.keys.public_keys().unwrap_or_default();
    let body = json!({ "accounts": [], "keys": keys });
    let answer = session.call("/v1/chain/get_accounts_by_authorizers", &body).unwrap_or_default();
    let accounts = answer["accounts"].as_array().into_iter().flatten();
    accounts.filter_map(|found| found["account_name"].as_str().map(str::to_owned)).collect()
}

/// Accounts with resources whose names begin like a name that does not exist, and with its first letter.
fn known_accounts(session: &Session, actor: &str) -> Vec<String> {
    let scopes = |prefix: &str| {
        let body = json!({
            "code": "eosio", "table": "userres", "lower_bound": prefix, "upper_bound": format!("{prefix:z<12}"), "limit": 100,
        });
        let answer = session.call("/v1/chain/get_table_by_scope", &body).unwrap_or_default();
        let rows = answer["rows"].as_array().into_iter().flatten();
        rows.filter_map(|row| row["scope"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let start = |length: usize| actor.get(..length.min(actor.len())).unwrap_or_default();
    let mut found = scopes(start(3));
    found.extend(scopes(start(1)));
    found
}

/// Which keys the permission wants, and what became of them.
fn keys(session: &Session, actor: &str, permission: &str, wanted: &Value) -> String {
    let wanted: Vec<PublicKey> = wanted["keys"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|factor| factor["key"].as_str()?.parse().ok())
        .collect();
    let list = wanted.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if let Keys::Files(folder) = &session.keys {
        let wallets = folder.list().unwrap_or_default();
        if wallets.is_empty() {
            return "There is no wallet with keys yet: boreas wallet create --to-console, then boreas wallet import"
                .to_owned();
        }
        if wallets.iter().all(|(_, unlocked)| !unlocked) {
            return "Every wallet is locked: boreas wallet unlock".to_owned();
        }
    }
    if wanted.is_empty() {
        return format!(
            "{actor}@{permission} has no key: give another authority with -p, or approve with boreas multisig"
        );
    }
    let held = session.keys.public_keys().unwrap_or_default();
    if wanted.iter().any(|key| held.contains(key)) {
        return format!("{actor}@{permission} needs more weight than your keys have; its keys are {list}");
    }
    format!(
        "A key is missing: {actor}@{permission} wants {list}; boreas wallet import, or unlock the wallet that holds it"
    )
}

/// Says so where an account does not exist; a name that is much like it, if there is one. `None` where it is there, or the
/// node does not tell.
pub fn unknown(session: &Session, account: &str) -> Option<String> {
    let answer = session.call("/v1/chain/get_account", &json!({ "account_name": account }));
    let error = answer.err()?;
    let fault = refusal(&error)?;
    is(fault, FaultKind::ACCOUNT_QUERY_EXCEPTION).then(|| no_account(session, account))
}

/// An authority that is missing since there is nobody of that name.
fn nobody(session: &Session, fault: &ApiFault, text: &str) -> Option<String> {
    const MISSING: &str = "missing authority of ";
    if !is(fault, FaultKind::MISSING_AUTH_EXCEPTION) {
        return None;
    }
    let named = text.split(MISSING).nth(1)?;
    let end = named.find(|letter: char| letter.is_whitespace() || letter == '/').unwrap_or(named.len());
    unknown(session, &named[..end])
}

/// An account that does not exist.
fn account(session: &Session, fault: &ApiFault, text: &str) -> Option<String> {
    if !is(fault, FaultKind::ACCOUNT_QUERY_EXCEPTION) && !text.contains("unknown key (eosio::chain::name)") {
        return None;
    }
    // The name comes last: unknown key (eosio::chain::name): nobody
    let words = text.split(|letter: char| letter.is_whitespace() || "\"'();:,".contains(letter));
    let name = words.rev().find(|word| !word.is_empty() && word.parse::<Name>().is_ok());
    let meant = name.map(|name| no_account(session, name)).filter(|advice| advice.contains("meant"));
    Some(meant.unwrap_or_else(|| "Is the account's name right, and is this the right chain (--url)?".to_owned()))
}

/// What a contract's assertion means at this moment, with the numbers of the case.
fn chain_state(session: &Session, action: &FailedAction, text: &str) -> Option<String> {
    if text.contains("refund is not available yet") {
        let owner = action.arguments["owner"].as_str().unwrap_or(&action.actor);
        return crate::system::when_refund_is_due(session, owner);
    }
    if text.contains("to account does not exist") {
        return Some(no_account(session, action.arguments["to"].as_str()?));
    }
    if text.contains("overdrawn balance") || text.contains("no balance object found") {
        let wanted = action.arguments["quantity"].as_str()?.parse::<Asset>().ok()?;
        let owner = action.arguments["from"].as_str()?;
        let code = wanted.symbol.code().to_string();
        let body = json!({ "code": action.contract, "account": owner, "symbol": code });
        let answer = session.call("/v1/chain/get_currency_balance", &body).ok()?;
        let has = answer[0].as_str().and_then(|text| text.parse::<Asset>().ok());
        let has = has.unwrap_or(Asset { amount: 0, symbol: wanted.symbol });
        let missing = Asset { amount: wanted.amount.checked_sub(has.amount).filter(|missing| *missing > 0)?, ..has };
        return Some(format!("{owner} has {has} of {}: {missing} is missing", action.contract));
    }
    None
}

/// RAM that is missing, and how to buy it.
fn ram(fault: &ApiFault, text: &str) -> Option<String> {
    if !is(fault, FaultKind::RAM_USAGE_EXCEEDED) {
        return None;
    }
    // account NAME has insufficient ram; needs N bytes has M bytes
    let words: Vec<_> = text.split_whitespace().collect();
    let after = |word: &str| words.iter().rposition(|known| *known == word).and_then(|at| words.get(at + 1).copied());
    let number = |word: &str| after(word).and_then(|text| text.parse::<u64>().ok());
    let name = after("account").unwrap_or("ACCOUNT");
    let missing = number("needs").zip(number("has")).map(|(needs, has)| needs.saturating_sub(has).max(1));
    let bytes = missing.map_or_else(|| "BYTES".to_owned(), |bytes| bytes.to_string());
    Some(format!("{name} lacks {bytes} bytes of RAM: boreas system buyram PAYER {name} {bytes} --bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_cpp_are_not_shown() {
        let table = [
            ("unknown key (eosio::chain::name): nobody", "there is no such key: nobody"),
            (
                "unknown key (boost::tuples::tuple<bool, eosio::chain::name>): (0 nobody)",
                "there is no such key: (0 nobody)",
            ),
            ("Invalid cast from type 'uint64_type' to string", "a value of the wrong sort: a number to string"),
            ("Invalid cast from string_type to Array", "Invalid cast from a text to Array"),
        ];
        for (cpp, words) in table {
            assert_eq!(plain(cpp), words);
        }
    }

    #[test]
    fn missing_ram_is_counted() {
        let fault = ApiFault {
            status: 500,
            code: FaultKind::RAM_USAGE_EXCEEDED.code.into(),
            name: String::new(),
            what: String::new(),
            details: Vec::new(),
        };
        let text = "account alice has insufficient ram; needs 3574 bytes has 3446 bytes";
        assert_eq!(
            ram(&fault, text).expect("advice"),
            "alice lacks 128 bytes of RAM: boreas system buyram PAYER alice 128 --bytes"
        );
        assert!(ram(&fault, "").expect("advice").contains("BYTES"));
    }
}
