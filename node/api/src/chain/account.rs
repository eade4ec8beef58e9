//! `get_account`: what the chain knows of an account, and what the system contract's tables add.

use codec::Unpack;
use consensus::header_state::SYSTEM_ACCOUNT;
use ledger::{AccountId, AccountResourceLimit, Ledger, PermissionId};
use primitives::{Asset, BlockTimestamp, Fault, FaultKind, Name, Symbol};
use serde_json::{Map, Value, json as value};

use crate::bounds::Bounds;
use crate::chain::currency::name;
use crate::chain::rows::row;
use crate::node::Node;
use crate::params::Fields;
use crate::reply::{Answer, json, signed};
use crate::{ApiError, block_json};

/// `get_account`.
pub fn get_account(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::required(body)?;
    let account: Name = params.get("account_name")?;
    let expected_core_symbol: Option<Symbol> = params.maybe("expected_core_symbol")?;
    let bounds = Bounds::new();
    let answer = node.abis.with(&node.handle, SYSTEM_ACCOUNT, |chain, system| {
        let ledger = chain.ledger();
        let Some(id) = ledger.find_account(account) else { return Err(unknown(account)) };
        let mut answer = Map::new();
        let mut set = |key: &str, value: Value| answer.insert(key.to_owned(), value);
        let (info, metadata) = (ledger.account_info(id), ledger.account_metadata(id));
        let limits = ledger.account_limits(id);
        set("account_name", account.to_string().into());
        set("head_block_num", chain.head().number().into());
        set("head_block_time", chain.head_time().to_string().into());
        set("privileged", metadata.is_privileged().into());
        set("last_code_update", metadata.last_code_update.to_string().into());
        set("created", info.creation_date.time().to_string().into());
        let system = system.and_then(|contract| contract.usable());
        if system.is_some()
            && let Some(balance) = core_balance(ledger, account, expected_core_symbol)
        {
            set("core_liquid_balance", balance.to_string().into());
        }
        set("ram_quota", signed(limits.ram_bytes));
        set("net_weight", signed(limits.net_weight));
        set("cpu_weight", signed(limits.cpu_weight));
        let greylisted = chain.world().settings.resource_greylist.contains(&account);
        let multiplier = if greylisted { 1 } else { execution::settings::GREYLIST_LIMIT_MAX };
        let now = Some(BlockTimestamp::at(chain.head_time()));
        set("net_limit", limit(ledger.account_net_limit(id, multiplier, now)?.0, info.creation_date));
        set("cpu_limit", limit(ledger.account_cpu_limit(id, multiplier, now)?.0, info.creation_date));
        set("ram_usage", signed(i64::try_from(ledger.account_usage(id).ram).unwrap_or(i64::MAX)));
        set("permissions", permissions(ledger, id, account));
        let of_system = |table: &str, scope: Name, kind: &str| -> Result<Value, Fault> {
            let Some(abi) = system else { return Ok(Value::Null) };
            row(ledger, SYSTEM_ACCOUNT, scope, name(table), account.0)
                .map_or(Ok(Value::Null), |bytes| abi.decode(kind, bytes, &bounds.limits()))
        };
        set("total_resources", of_system("userres", account, "user_resources")?);
        set("self_delegated_bandwidth", of_system("delband", account, "delegated_bandwidth")?);
        set("refund_request", of_system("refunds", account, "refund_request")?);
        set("voter_info", of_system("voters", SYSTEM_ACCOUNT, "voter_info")?);
        set("rex_info", of_system("rexbal", SYSTEM_ACCOUNT, "rex_balance")?);
        set("subjective_cpu_bill_limit", subjective_bill(node.handle.subjective_bill(account)));
        set("eosio_any_linked_actions", linked(ledger, account, name("eosio.any")));
        Ok(answer)
    });
    json(200, &answer.map_err(|fault: Fault| ApiError::of(&fault))?)
}

fn unknown(account: Name) -> Fault {
    // chainbase's words for a row that is not there.
    const TYPE: &str = "boost::tuples::tuple<bool, eosio::chain::name, boost::tuples::null_type, \
                        boost::tuples::null_type, boost::tuples::null_type, boost::tuples::null_type, \
                        boost::tuples::null_type, boost::tuples::null_type, boost::tuples::null_type, \
                        boost::tuples::null_type>";
    let message = format!("unable to retrieve account info (unknown key ({TYPE}): (0 {account}))");
    Fault::new(FaultKind::ACCOUNT_QUERY_EXCEPTION, message)
}

/// What this node alone counts against the account; nodeos fills in nothing else.
fn subjective_bill(used_us: i64) -> Value {
    value!({
        "used": signed(used_us), "available": 0, "max": 0,
        "last_usage_update_time": BlockTimestamp(0).to_string(), "current_used": 0,
    })
}

fn limit(limit: AccountResourceLimit, created: BlockTimestamp) -> Value {
    let updated = if limit.last_usage_update_time.0 == 0 { created } else { limit.last_usage_update_time };
    value!({
        "used": signed(limit.used),
        "available": signed(limit.available),
        "max": signed(limit.max),
        "last_usage_update_time": updated.to_string(),
        "current_used": signed(limit.current_used),
    })
}

fn permissions(ledger: &Ledger, id: AccountId, account: Name) -> Value {
    let entry = |id: PermissionId| {
        let permission = ledger.permission(id);
        let parent =
            if permission.parent == PermissionId::NONE { Name(0) } else { ledger.permission(permission.parent).name };
        value!({
            "perm_name": permission.name.to_string(),
            "parent": parent.to_string(),
            "required_auth": block_json::value(&permission.auth),
            "linked_actions": linked(ledger, account, permission.name),
        })
    };
    ledger.permissions_of(id).map(entry).collect()
}

fn linked(ledger: &Ledger, account: Name, permission: Name) -> Value {
    let entry = |link: ledger::LinkKey| {
        let mut fields = Map::new();
        fields.insert("account".to_owned(), link.code.to_string().into());
        if link.message_type.0 != 0 {
            fields.insert("action".to_owned(), link.message_type.to_string().into());
        }
        Value::Object(fields)
    };
    ledger.links_to_permission(account, permission).into_iter().map(entry).collect()
}

fn core_balance(ledger: &Ledger, account: Name, expected: Option<Symbol>) -> Option<Asset> {
    let symbol = expected.or_else(|| core_symbol(ledger))?;
    let bytes = row(ledger, name("eosio.token"), account, name("accounts"), symbol.code().0)?;
    let balance = Asset::from_bytes(bytes.get(..16)?).ok()?;
    (balance.symbol.validate().is_ok() && balance.symbol == symbol).then_some(balance)
}

/// The symbol that the system contract's RAM market trades in.
fn core_symbol(ledger: &Ledger) -> Option<Symbol> {
    let key: Symbol = "4,RAMCORE".parse().ok()?;
    let bytes = row(ledger, SYSTEM_ACCOUNT, SYSTEM_ACCOUNT, name("rammarket"), key.0)?;
    // Supply and base (an asset and a weight), then the quote's asset.
    let quote = Asset::from_bytes(bytes.get(40..56)?).ok()?;
    quote.symbol.validate().is_ok().then_some(quote.symbol)
}
