//! Tokens: `get_currency_balance`, `get_currency_stats`.

use codec::Unpack;
use primitives::{Asset, Fault, FaultKind, Name, SymbolCode, ensure};
use serde::Deserialize;
use serde_json::{Map, json as value};

use crate::chain::rows::{index_type, rows};
use crate::node::Node;
use crate::params;
use crate::reply::{Answer, json};

/// Bytes of a packed asset.
const ASSET_BYTES: usize = 16;
/// Bytes of a row of a token's `stat` table: supply, maximum, issuer.
const STAT_BYTES: usize = 40;

#[derive(Deserialize)]
struct BalanceParams {
    #[serde(default)]
    code: Name,
    #[serde(default)]
    account: Name,
    #[serde(default)]
    symbol: Option<String>,
}

#[derive(Deserialize)]
struct StatsParams {
    #[serde(default)]
    code: Name,
    #[serde(default, deserialize_with = "params::text")]
    symbol: String,
}

/// `get_currency_balance`: all of an account's balances, or the one in a symbol.
pub fn get_currency_balance(node: &Node, body: &[u8]) -> Answer {
    let params: BalanceParams = params::required(body)?;
    let accounts = name("accounts");
    let balances = node.handle.read(|chain| {
        let ledger = chain.ledger();
        index_type(node, ledger, params.code, accounts)?;
        let mut balances = Vec::new();
        for bytes in rows(ledger, params.code, params.account, accounts) {
            ensure!(bytes.len() >= ASSET_BYTES, ASSET_TYPE_EXCEPTION, "Invalid data on table");
            let balance = Asset::from_bytes(&bytes[..ASSET_BYTES]).map_err(damaged)?;
            ensure!(balance.symbol.validate().is_ok(), ASSET_TYPE_EXCEPTION, "Invalid asset");
            let wanted = params.symbol.as_ref();
            if wanted.is_none_or(|symbol| symbol.eq_ignore_ascii_case(&balance.symbol.code().to_string())) {
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
    let params: StatsParams = params::required(body)?;
    let stats = node.handle.read(|chain| {
        let ledger = chain.ledger();
        index_type(node, ledger, params.code, name("stat"))?;
        let scope = params.symbol.to_ascii_uppercase().parse::<SymbolCode>()?;
        let mut stats = Map::new();
        for bytes in rows(ledger, params.code, Name(scope.0), name("stat")) {
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

fn damaged(error: codec::DecodeError) -> Fault {
    Fault::new(FaultKind::ASSET_TYPE_EXCEPTION, error.to_string())
}

/// A name that is written in the source.
pub(crate) fn name(text: &str) -> Name {
    text.parse().expect("a name in the source is one")
}
