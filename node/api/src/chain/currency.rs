//! Tokens: `get_currency_balance`, `get_currency_stats`.

use codec::Unpack;
use primitives::{Asset, Fault, FaultKind, Name, SymbolCode, ensure};
use serde_json::{Map, json as value};

use crate::chain::rows::{index_type, rows};
use crate::node::Node;
use crate::params::Fields;
use crate::reply::{Answer, json};

/// Rows that one answer looks at.
const BALANCES_MAX: usize = 10_000;
/// Bytes of a packed asset.
const ASSET_BYTES: usize = 16;
/// Bytes of a row of a token's `stat` table: supply, maximum, issuer.
const STAT_BYTES: usize = 40;

/// `get_currency_balance`: all of an account's balances, or the one in a symbol.
pub fn get_currency_balance(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::required(body)?;
    let (code, account): (Name, Name) = (params.get("code")?, params.get("account")?);
    let wanted: Option<String> = params.maybe("symbol")?;
    let accounts = name("accounts");
    let balances = node.abis.with(&node.handle, code, |chain, abi| {
        let ledger = chain.ledger();
        index_type(abi, code, accounts)?;
        let mut balances = Vec::new();
        for (looked_at, bytes) in rows(ledger, code, account, accounts).enumerate() {
            ensure!(looked_at < BALANCES_MAX, CONTRACT_TABLE_QUERY_EXCEPTION, "{}", too_many(account));
            ensure!(bytes.len() >= ASSET_BYTES, ASSET_TYPE_EXCEPTION, "Invalid data on table");
            let balance = Asset::from_bytes(&bytes[..ASSET_BYTES]).map_err(damaged)?;
            ensure!(balance.symbol.validate().is_ok(), ASSET_TYPE_EXCEPTION, "Invalid asset");
            if wanted.as_ref().is_none_or(|symbol| symbol.eq_ignore_ascii_case(&balance.symbol.code().to_string())) {
                balances.push(balance.to_string());
                if wanted.is_some() {
                    break;
                }
            }
        }
        Ok::<_, Fault>(balances)
    })?;
    json(200, &balances)
}

/// `get_currency_stats`: supply, maximum and issuer by symbol.
pub fn get_currency_stats(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::required(body)?;
    let (code, symbol): (Name, String) = (params.get("code")?, params.get("symbol")?);
    let stats = node.abis.with(&node.handle, code, |chain, abi| {
        let ledger = chain.ledger();
        index_type(abi, code, name("stat"))?;
        let scope = scope_of(&symbol.to_ascii_uppercase())?;
        let mut stats = Map::new();
        for (looked_at, bytes) in rows(ledger, code, scope, name("stat")).enumerate() {
            ensure!(looked_at < BALANCES_MAX, CONTRACT_TABLE_QUERY_EXCEPTION, "{}", too_many(scope));
            ensure!(bytes.len() >= STAT_BYTES, ASSET_TYPE_EXCEPTION, "Invalid data on table");
            let (supply, max_supply, issuer) =
                <(Asset, Asset, Name)>::from_bytes(&bytes[..STAT_BYTES]).map_err(damaged)?;
            let entry = value!({
                "supply": supply.to_string(),
                "max_supply": max_supply.to_string(),
                "issuer": issuer.to_string(),
            });
            stats.insert(supply.symbol.code().to_string(), entry);
        }
        Ok::<_, Fault>(stats)
    })?;
    json(200, &stats)
}

/// The scope of a symbol's statistics: its letters as nodeos shifts them together, however many there are.
fn scope_of(symbol: &str) -> Result<Name, Fault> {
    if !symbol.bytes().all(|byte| byte.is_ascii_uppercase()) || symbol.is_empty() {
        return Ok(Name(symbol.parse::<SymbolCode>()?.0));
    }
    let shifted = |(place, byte): (u32, u8)| u64::from(byte).wrapping_shl(8 * (place + 1));
    Ok(Name((0..).zip(symbol.bytes()).map(shifted).fold(0, |all, letter| all | letter) >> 8))
}

fn too_many(scope: Name) -> String {
    format!("{scope} has more than {BALANCES_MAX} rows: read them by get_table_rows, which takes bounds")
}

fn damaged(error: codec::DecodeError) -> Fault {
    Fault::new(FaultKind::ASSET_TYPE_EXCEPTION, error.to_string())
}

/// A name that is written in the source.
pub(crate) fn name(text: &str) -> Name {
    text.parse().expect("a name in the source is one")
}
