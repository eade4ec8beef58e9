//! `get_account`: what the chain knows of an account, and what the system contract's tables add.

use std::collections::BTreeMap;

use chain::Chain;
use codec::{Pack, Unpack};
use consensus::header_state::SYSTEM_ACCOUNT;
use ledger::{AccountId, AccountResourceLimit, Ledger, LinkKey, PermissionId};
use primitives::{Asset, Authority, BlockTimestamp, Fault, FaultKind, Name, Symbol};
use serde_json::{Map, Value, json as value};

use crate::bounds::{Bounds, Deadline};
use crate::chain::currency::name;
use crate::chain::rows::row;
use crate::node::Node;
use crate::params::Fields;
use crate::reply::{Answer, json, signed};
use crate::{ApiError, block_json};

/// Bytes that a key, account or wait of an authority, or a link, is reckoned with: what it is in memory as JSON.
const FACTOR_BYTES: usize = 256;

/// The system contract's tables that know an account: field, table, scope (the account itself unless it is named), type.
const SYSTEM_ROWS: [(&str, &str, Option<Name>, &str); 5] = [
    ("total_resources", "userres", None, "user_resources"),
    ("self_delegated_bandwidth", "delband", None, "delegated_bandwidth"),
    ("refund_request", "refunds", None, "refund_request"),
    ("voter_info", "voters", Some(SYSTEM_ACCOUNT), "voter_info"),
    ("rex_info", "rexbal", Some(SYSTEM_ACCOUNT), "rex_balance"),
];

/// `get_account`. What is more than one answer is made of is left out, and `more` says so.
pub fn get_account(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::required(body)?;
    let account: Name = params.get("account_name")?;
    let expected_core_symbol: Option<Symbol> = params.maybe("expected_core_symbol")?;
    let bounds = Bounds::new();
    let (mut answer, copied, system) = node
        .abis
        .with(&node.handle, SYSTEM_ACCOUNT, |chain, system| {
            let Some(id) = chain.ledger().find_account(account) else { return Err(unknown(account)) };
            let system = system.filter(|contract| contract.usable().is_some());
            let figures = figures(chain, id, account, system.is_some().then_some(expected_core_symbol))?;
            Ok((figures, Copied::of(chain.ledger(), id, account), system.cloned()))
        })
        .map_err(|fault| ApiError::of(&fault))?;
    let mut set = |key: &str, value: Value| answer.insert(key.to_owned(), value);
    let mut links = by_permission(copied.links);
    let permission = |(name, parent, auth): (Name, Name, Authority)| {
        value!({
            "perm_name": name.to_string(),
            "parent": parent.to_string(),
            "required_auth": block_json::value(&auth),
            "linked_actions": links.remove(&name).unwrap_or_default(),
        })
    };
    set("permissions", copied.permissions.into_iter().map(permission).collect());
    for ((field, _, _, kind), bytes) in SYSTEM_ROWS.into_iter().zip(copied.rows) {
        let abi = system.as_ref().and_then(|contract| contract.usable());
        let row = match (abi, bytes) {
            (Some(abi), Some(bytes)) => {
                abi.decode(kind, &bytes, &bounds.limits()).map_err(|fault| ApiError::of(&fault))?
            }
            _ => Value::Null,
        };
        set(field, row);
    }
    set("subjective_cpu_bill_limit", subjective_bill(node.handle.subjective_bill(account)));
    set("eosio_any_linked_actions", links.remove(&name("eosio.any")).unwrap_or_default().into());
    if copied.more {
        set("more", true.into());
    }
    json(200, &answer)
}

/// What is a number or a word. With `core_symbol` there is a system contract; the symbol may be in what it says.
fn figures(
    chain: &Chain,
    id: AccountId,
    account: Name,
    core_symbol: Option<Option<Symbol>>,
) -> Result<Map<String, Value>, Fault> {
    let ledger = chain.ledger();
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
    if let Some(balance) = core_symbol.and_then(|expected| core_balance(ledger, account, expected)) {
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
    Ok(answer)
}

/// What an account may have much of, as it is on the chain: it becomes JSON when the writer does not wait any more.
#[derive(Default)]
struct Copied {
    /// Name, parent, authority.
    permissions: Vec<(Name, Name, Authority)>,
    /// Order of creation, link, permission that it names.
    links: Vec<(u64, LinkKey, Name)>,
    /// By [`SYSTEM_ROWS`].
    rows: [Option<Vec<u8>>; SYSTEM_ROWS.len()],
    /// Something did not fit.
    more: bool,
}

impl Copied {
    fn of(ledger: &Ledger, id: AccountId, account: Name) -> Self {
        let rows = SYSTEM_ROWS.map(|(_, table, scope, _)| {
            row(ledger, SYSTEM_ACCOUNT, scope.unwrap_or(account), name(table), account.0).map(<[u8]>::to_vec)
        });
        let mut copied = Self { rows, ..Self::default() };
        let (deadline, mut factors) = (Deadline::from_now(), 0);
        let mut bytes = copied.rows.iter().flatten().map(Vec::len).sum::<usize>();
        for id in ledger.permissions_of(id) {
            if deadline.is_cut(factors, bytes) {
                return Self { more: true, ..copied };
            }
            let permission = ledger.permission(id);
            let auth = &permission.auth;
            let count = 1 + auth.keys.len() + auth.accounts.len() + auth.waits.len();
            factors += count;
            bytes += count * FACTOR_BYTES + auth.packed_size();
            let is_top = permission.parent == PermissionId::NONE;
            let parent = if is_top { Name(0) } else { ledger.permission(permission.parent).name };
            copied.permissions.push((permission.name, parent, auth.clone()));
        }
        for (order, link, permission) in ledger.links_of(account) {
            if deadline.is_cut(factors, bytes) {
                return Self { more: true, ..copied };
            }
            factors += 1;
            bytes += FACTOR_BYTES;
            copied.links.push((order, link, permission));
        }
        copied
    }
}

/// Links by the permission that they name, in the order of creation.
fn by_permission(mut links: Vec<(u64, LinkKey, Name)>) -> BTreeMap<Name, Vec<Value>> {
    links.sort_unstable_by_key(|(order, ..)| *order);
    let mut sorted: BTreeMap<Name, Vec<Value>> = BTreeMap::new();
    for (_, link, permission) in links {
        let mut fields = Map::new();
        fields.insert("account".to_owned(), link.code.to_string().into());
        if link.message_type.0 != 0 {
            fields.insert("action".to_owned(), link.message_type.to_string().into());
        }
        sorted.entry(permission).or_default().push(Value::Object(fields));
    }
    sorted
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
