//! Contracts' code and ABIs: `get_abi`, `get_code`, `get_code_hash`, `get_raw_abi`, `get_raw_code_and_abi`.

use abi::AbiDefinition;
use ledger::{AccountId, Ledger};
use primitives::{Checksum256, Fault, FaultKind, Name, Sha256};
use serde_json::{Map, Value, json as value};

use crate::node::Node;
use crate::params::Fields;
use crate::reply::{Answer, json};
use crate::{ApiError, block_json};

/// The account that a request names, and the request.
fn asked(body: &[u8]) -> Result<(Name, Fields), ApiError> {
    let params = Fields::required(body)?;
    Ok((params.get("account_name")?, params))
}

/// The account that is asked for; `what` is what is wanted of it.
fn account(ledger: &Ledger, name: Name, what: &str) -> Result<AccountId, ApiError> {
    let missing = || {
        // chainbase's words for a row that is not there.
        let message = format!("unable to retrieve account {what} (unknown key (eosio::chain::name): {name})");
        ApiError::new(FaultKind::ACCOUNT_QUERY_EXCEPTION, message)
    };
    ledger.find_account(name).ok_or_else(missing)
}

/// The JSON of an account's ABI; `what` is what is wanted of the account.
fn abi_of(bytes: &[u8], what: &str) -> Result<Option<Value>, ApiError> {
    let definition = AbiDefinition::from_account(bytes).map_err(|error| {
        let message = format!("unable to retrieve account {what}");
        Fault::from(error).rethrown_as(FaultKind::ACCOUNT_QUERY_EXCEPTION, message)
    })?;
    Ok(definition.map(|definition| block_json::value(&definition)))
}

/// `get_abi`.
pub fn get_abi(node: &Node, body: &[u8]) -> Answer {
    let (account_name, _) = asked(body)?;
    let abi = node.handle.read(|chain| {
        let ledger = chain.ledger();
        Ok::<_, ApiError>(ledger.account_info(account(ledger, account_name, "abi")?).abi.to_vec())
    })?;
    let mut answer = Map::new();
    answer.insert("account_name".to_owned(), account_name.to_string().into());
    if let Some(abi) = abi_of(&abi, "abi")? {
        answer.insert("abi".to_owned(), abi);
    }
    json(200, &answer)
}

/// `get_code`: the module's bytes as a text.
pub fn get_code(node: &Node, body: &[u8]) -> Answer {
    let (account_name, params) = asked(body)?;
    let code_as_wasm = params.or("code_as_wasm", true)?;
    let (hash, wasm, abi) = node.handle.read(|chain| {
        let ledger = chain.ledger();
        let id = account(ledger, account_name, "code")?;
        if !code_as_wasm {
            let message = "Returning WAST from get_code is no longer supported";
            return Err(ApiError::new(FaultKind::UNSUPPORTED_FEATURE, message));
        }
        let wasm = code_of(ledger, id);
        Ok::<_, ApiError>((ledger.account_code_hash(id), wasm, ledger.account_info(id).abi.to_vec()))
    })?;
    let mut answer = Map::new();
    answer.insert("account_name".to_owned(), account_name.to_string().into());
    answer.insert("code_hash".to_owned(), hash.to_string().into());
    answer.insert("wast".to_owned(), "".into());
    // A module is no text: what is none is left out, as nodeos prunes it.
    answer.insert("wasm".to_owned(), execution::utf8_only(&wasm).into());
    if let Some(abi) = abi_of(&abi, "code")? {
        answer.insert("abi".to_owned(), abi);
    }
    json(200, &answer)
}

fn code_of(ledger: &Ledger, id: AccountId) -> Vec<u8> {
    ledger.account_metadata(id).code.map(|code| ledger.code(code).code.to_vec()).unwrap_or_default()
}

/// `get_code_hash`.
pub fn get_code_hash(node: &Node, body: &[u8]) -> Answer {
    let (account_name, _) = asked(body)?;
    let hash = node.handle.read(|chain| {
        let ledger = chain.ledger();
        Ok::<_, ApiError>(ledger.account_code_hash(account(ledger, account_name, "code hash")?))
    })?;
    json(200, &value!({"account_name": account_name.to_string(), "code_hash": hash.to_string()}))
}

/// `get_raw_code_and_abi`: both in base64.
pub fn get_raw_code_and_abi(node: &Node, body: &[u8]) -> Answer {
    let (account_name, _) = asked(body)?;
    let (wasm, abi) = node.handle.read(|chain| {
        let ledger = chain.ledger();
        let id = account(ledger, account_name, "code/abi")?;
        Ok::<_, ApiError>((code_of(ledger, id), ledger.account_info(id).abi.to_vec()))
    })?;
    json(200, &value!({"account_name": account_name.to_string(), "wasm": base64(&wasm), "abi": base64(&abi)}))
}

/// `get_raw_abi`: in base64, unless the client has it already.
pub fn get_raw_abi(node: &Node, body: &[u8]) -> Answer {
    let (account_name, params) = asked(body)?;
    let known: Option<Checksum256> = params.maybe("abi_hash")?;
    let (code_hash, abi) = node.handle.read(|chain| {
        let ledger = chain.ledger();
        let id = account(ledger, account_name, "abi")?;
        Ok::<_, ApiError>((ledger.account_code_hash(id), ledger.account_info(id).abi.to_vec()))
    })?;
    let abi_hash = Sha256::of(&abi);
    let mut answer = Map::new();
    answer.insert("account_name".to_owned(), account_name.to_string().into());
    answer.insert("code_hash".to_owned(), code_hash.to_string().into());
    answer.insert("abi_hash".to_owned(), abi_hash.to_string().into());
    if known != Some(abi_hash) {
        answer.insert("abi".to_owned(), base64(&abi).into());
    }
    json(200, &answer)
}

/// Base64 as nodeos writes blobs: padded, and one more sign, which older clients insist on.
fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    if bytes.is_empty() { String::new() } else { base64::engine::general_purpose::STANDARD.encode(bytes) + "=" }
}
