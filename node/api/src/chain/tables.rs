//! `get_table_rows`, `get_table_by_scope`: every kind of key, nothing cut but by the client's own limit.
//!
//! Rows are copied while the chain is read and turned into JSON afterwards, so that a long answer never holds up
//! the writer.

use ledger::{Float64, Float128, Key128, Key256, Ledger, SecondaryId, SecondaryKey, TableId, TableKey};
use primitives::{Fault, FaultKind, Name, ensure, number};
use serde_json::{Value, json as value};

use crate::ApiError;
use crate::abis::{ContractAbi, not_specified};
use crate::bounds::{Bounds, Deadline};
use crate::chain::rows::existing;
use crate::node::Node;
use crate::params::Fields;
use crate::reply::{Answer, json};
use crate::table_keys as keys;

/// Rows that are shown unless the client says otherwise.
const ROWS_DEFAULT: u32 = 10;
/// What a scope in an answer takes in memory, about.
const SCOPE_BYTES: usize = 512;

struct RowsParams {
    json: bool,
    code: Name,
    scope: String,
    table: Name,
    lower_bound: String,
    upper_bound: String,
    limit: u32,
    key_type: String,
    index_position: String,
    encode_type: String,
    reverse: bool,
    show_payer: bool,
    until: Deadline,
}

impl RowsParams {
    fn read(body: &[u8]) -> Result<Self, ApiError> {
        let fields = Fields::required(body)?;
        Ok(Self {
            json: fields.get("json")?,
            code: fields.get("code")?,
            scope: fields.get("scope")?,
            table: fields.get("table")?,
            lower_bound: fields.get("lower_bound")?,
            upper_bound: fields.get("upper_bound")?,
            limit: fields.or("limit", ROWS_DEFAULT)?,
            key_type: fields.get("key_type")?,
            index_position: fields.get("index_position")?,
            encode_type: fields.or("encode_type", "dec".to_owned())?,
            reverse: fields.get("reverse")?,
            show_payer: fields.get("show_payer")?,
            until: Deadline::of(&fields)?,
        })
    }

    /// Whether an answer has as many rows as are wanted, or may have.
    fn enough(&self, found: &Found) -> bool {
        let wanted = usize::try_from(self.limit).unwrap_or(usize::MAX);
        found.rows.len() >= wanted || (!found.rows.is_empty() && self.until.is_cut(found.rows.len(), found.bytes))
    }
}

/// A row as it is in the ledger.
struct FoundRow {
    bytes: Vec<u8>,
    payer: Name,
    key: String,
}

/// Rows, how many bytes they have, and where to go on.
#[derive(Default)]
struct Found {
    rows: Vec<FoundRow>,
    bytes: usize,
    next_key: Option<String>,
}

impl Found {
    fn push(&mut self, value: &[u8], payer: Name, key: String) {
        self.bytes += value.len();
        self.rows.push(FoundRow { bytes: value.to_vec(), payer, key });
    }
}

/// Which index is asked for: 0 for the primary one, else the number that the secondary table carries, plus one.
fn index_number(params: &RowsParams) -> Result<Option<u64>, Fault> {
    let position = params.index_position.as_str();
    let starts = |prefix: &str| position.starts_with(prefix);
    Ok(Some(match position {
        "" | "first" | "primary" | "one" => return Ok(None),
        "two" => 0,
        _ if starts("sec") => 0,
        _ if starts("ter") || starts("th") => 1,
        _ if starts("fou") => 2,
        _ if starts("fi") => 3,
        _ if starts("six") => 4,
        _ if starts("sev") => 5,
        _ if starts("eig") => 6,
        _ if starts("nin") => 7,
        _ if starts("ten") => 8,
        _ => match number::unsigned(position) {
            Some(number) if number < 2 => return Ok(None),
            Some(number) => number - 2,
            None => {
                let message = format!("Invalid index_position: {position}");
                return Err(Fault::new(FaultKind::CONTRACT_TABLE_QUERY_EXCEPTION, message));
            }
        },
    }))
}

/// `get_table_rows`.
pub fn get_table_rows(node: &Node, body: &[u8]) -> Answer {
    let params = RowsParams::read(body)?;
    let (mut found, contract) = node.abis.with(&node.handle, params.code, |chain, abi| {
        let abi = existing(abi, params.code)?;
        Ok::<_, Fault>((find(abi, chain.ledger(), &params)?, abi.clone()))
    })?;
    let bounds = Bounds::verbose(node.settings.verbose_http_errors);
    let mut rows = Vec::with_capacity(found.rows.len());
    for row in &found.rows {
        match shown(row, &contract, &params, &bounds) {
            Ok(shown) => rows.push(shown),
            Err(_) if bounds.are_reached() && !rows.is_empty() => {
                found.next_key = Some(row.key.clone());
                break;
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    json(200, &value!({"rows": rows, "more": found.next_key.is_some(), "next_key": found.next_key.unwrap_or_default()}))
}

/// A row as the answer has it. nodeos ends itself on an ABI that cannot be used; the fault says why it cannot.
fn shown(row: &FoundRow, contract: &ContractAbi, params: &RowsParams, bounds: &Bounds) -> Result<Value, Fault> {
    let data = if params.json {
        let abi = contract.abi.as_ref().map_err(Clone::clone)?.as_ref();
        let missing = || not_specified(params.table);
        let (abi, kind) = abi.and_then(|abi| Some((abi, abi.table_type(params.table)?))).ok_or_else(missing)?;
        abi.decode(kind, &row.bytes, &bounds.limits())?
    } else {
        hex::encode(&row.bytes).into()
    };
    Ok(if params.show_payer { value!({"data": data, "payer": row.payer.to_string()}) } else { data })
}

fn find(abi: &ContractAbi, ledger: &Ledger, params: &RowsParams) -> Result<Found, Fault> {
    abi.check_bytes()?;
    ensure!(params.table.0 & 0xf == 0, CONTRACT_TABLE_QUERY_EXCEPTION, "Unsupported table name: {}", params.table);
    let Some(index) = index_number(params)? else {
        let kind = abi.index_type(params.table)?;
        ensure!(
            kind == "i64" || params.key_type == "i64" || params.key_type == "name",
            CONTRACT_TABLE_QUERY_EXCEPTION,
            "Invalid table type {kind}"
        );
        return primary(ledger, params);
    };
    ensure!(!params.key_type.is_empty(), CONTRACT_TABLE_QUERY_EXCEPTION, "key type required for non-primary index");
    let index = Name(params.table.0 | (index & 0xf));
    let hexadecimal = params.encode_type == "hex";
    match params.key_type.as_str() {
        "i64" | "name" => secondary::<u64>(ledger, params, index, u64::MAX, 0),
        "i128" => secondary::<Key128>(ledger, params, index, Key128::from(u128::MAX), Key128::from(0)),
        "i256" | "sha256" | "ripemd160" => {
            let most = Key256(u128::MAX.into(), u128::MAX.into());
            secondary::<Key256>(ledger, params, index, most, Key256::default())
        }
        "float64" => secondary::<Float64>(
            ledger,
            params,
            index,
            Float64(f64::INFINITY.to_bits()),
            keys::float64(f64::NEG_INFINITY),
        ),
        "float128" => {
            let _ = hexadecimal;
            let (most, least) = (keys::float128(f64::INFINITY), keys::float128(f64::NEG_INFINITY));
            secondary::<Float128>(ledger, params, index, most, least)
        }
        other => Err(Fault::new(
            FaultKind::CONTRACT_TABLE_QUERY_EXCEPTION,
            format!("Unsupported secondary index type: {other}"),
        )),
    }
}

fn primary(ledger: &Ledger, params: &RowsParams) -> Result<Found, Fault> {
    let scope = Name(keys::to_u64(&params.scope, "scope")?);
    // Nobody looks at the bounds of a table that does not exist.
    let Some(table) = ledger.find_table(params.code, scope, params.table) else { return Ok(Found::default()) };
    let bound = |text: &str, what: &str, default: u64| -> Result<u64, Fault> {
        match text {
            "" => Ok(default),
            name if params.key_type == "name" => Ok(name.parse::<Name>()?.0),
            text => keys::to_u64(text, what),
        }
    };
    let lower = bound(&params.lower_bound, "lower_bound", 0)?;
    let upper = bound(&params.upper_bound, "upper_bound", u64::MAX)?;
    if upper < lower {
        return Ok(Found::default());
    }
    let mut next = if !params.reverse {
        ledger.row_lower_bound(table, lower)
    } else {
        let above = ledger.row_upper_bound(table, upper);
        above.map_or_else(|| ledger.last_row(table), |above| ledger.previous_row(above))
    };
    let mut found = Found::default();
    while let Some(id) = next {
        let row = ledger.row(id);
        if !(lower..=upper).contains(&row.primary) {
            break;
        }
        if params.enough(&found) {
            found.next_key = Some(row.primary.to_string());
            break;
        }
        found.push(row.value(), row.payer, row.primary.to_string());
        // Out of time nodeos goes on with the row that it shows last.
        if params.until.is_over(0, 0) {
            found.next_key = Some(row.primary.to_string());
            break;
        }
        next = if params.reverse { ledger.previous_row(id) } else { ledger.next_row(id) };
    }
    Ok(found)
}

/// A kind of secondary key as clients write it.
trait ClientKey: SecondaryKey + Copy + Ord {
    fn read(text: &str, params: &RowsParams, what: &str) -> Result<Self, Fault>;
    fn show(self, params: &RowsParams) -> String;
}

fn secondary<K: ClientKey>(
    ledger: &Ledger,
    params: &RowsParams,
    index: Name,
    most: K,
    least: K,
) -> Result<Found, Fault> {
    let scope = Name(keys::to_u64(&params.scope, "scope")?);
    let tables = (ledger.find_table(params.code, scope, params.table), ledger.find_table(params.code, scope, index));
    let (Some(rows), Some(index)) = tables else { return Ok(Found::default()) };
    let bound =
        |text: &str, what: &str, default: K| if text.is_empty() { Ok(default) } else { K::read(text, params, what) };
    let lower = bound(&params.lower_bound, "lower_bound", least)?;
    let upper = bound(&params.upper_bound, "upper_bound", most)?;
    if upper < lower {
        return Ok(Found::default());
    }
    let mut next = first_secondary(ledger, index, params.reverse, lower, upper);
    let mut found = Found::default();
    while let Some(id) = next {
        let entry = ledger.secondary::<K>(id);
        let key = entry.secondary;
        if key < lower || upper < key {
            break;
        }
        if params.enough(&found) {
            found.next_key = Some(key.show(params));
            break;
        }
        if let Some(row) = ledger.find_row(rows, entry.primary) {
            found.push(ledger.row(row).value(), entry.payer, key.show(params));
        }
        if params.until.is_over(0, 0) {
            found.next_key = Some(key.show(params));
            break;
        }
        next = if params.reverse { ledger.previous_secondary::<K>(id) } else { ledger.next_secondary::<K>(id) };
    }
    Ok(found)
}

fn first_secondary<K: ClientKey>(
    ledger: &Ledger,
    index: TableId,
    reverse: bool,
    lower: K,
    upper: K,
) -> Option<SecondaryId> {
    if !reverse {
        return ledger.secondary_lower_bound(index, lower);
    }
    match ledger.secondary_upper_bound(index, upper) {
        Some(above) => ledger.previous_secondary::<K>(above),
        None => ledger.last_secondary::<K>(index),
    }
}

impl ClientKey for u64 {
    fn read(text: &str, params: &RowsParams, what: &str) -> Result<Self, Fault> {
        if params.key_type == "name" { Ok(text.parse::<Name>()?.0) } else { keys::to_u64(text, what) }
    }
    fn show(self, _: &RowsParams) -> String {
        self.to_string()
    }
}

impl ClientKey for Key128 {
    fn read(text: &str, _: &RowsParams, what: &str) -> Result<Self, Fault> {
        keys::to_u128(text, what).map(Self::from)
    }
    fn show(self, _: &RowsParams) -> String {
        u128::from(self).to_string()
    }
}

impl ClientKey for Key256 {
    fn read(text: &str, params: &RowsParams, what: &str) -> Result<Self, Fault> {
        match params.key_type.as_str() {
            "ripemd160" => keys::hash160(text, what),
            "i256" if params.encode_type != "hex" => keys::number256(text, what),
            _ => keys::hash256(text, what),
        }
    }
    fn show(self, params: &RowsParams) -> String {
        let bytes = keys::bytes256(self);
        match params.key_type.as_str() {
            "ripemd160" => hex::encode(&bytes[..20]),
            "i256" if params.encode_type != "hex" => format!("0x{}", hex::encode(bytes)),
            _ => hex::encode(bytes),
        }
    }
}

impl ClientKey for Float64 {
    fn read(text: &str, _: &RowsParams, what: &str) -> Result<Self, Fault> {
        keys::to_f64(text, what).map(keys::float64)
    }
    fn show(self, _: &RowsParams) -> String {
        primitives::json::double_text(f64::from_bits(self.0))
    }
}

impl ClientKey for Float128 {
    fn read(text: &str, params: &RowsParams, what: &str) -> Result<Self, Fault> {
        if params.encode_type == "hex" {
            return keys::to_u128(text, what).map(|bits| Self(bits.into()));
        }
        keys::to_f64(text, what).map(keys::float128)
    }
    fn show(self, _: &RowsParams) -> String {
        primitives::json::double_text(keys::narrow(self))
    }
}

/// `get_table_by_scope`.
pub fn get_table_by_scope(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::required(body)?;
    let (code, table): (Name, Name) = (params.get("code")?, params.get("table")?);
    let (lower, upper): (String, String) = (params.get("lower_bound")?, params.get("upper_bound")?);
    let limit = usize::try_from(params.or("limit", ROWS_DEFAULT)?).unwrap_or(usize::MAX);
    let reverse: bool = params.get("reverse")?;
    let until = Deadline::of(&params)?;
    let mut first = TableKey { code, scope: Name(0), table };
    let last_table = if table.0 == 0 { Name(u64::MAX) } else { table };
    let mut last = TableKey { code, scope: Name(u64::MAX), table: last_table };
    if !lower.is_empty() {
        first.scope = Name(keys::to_u64(&lower, "lower_bound scope")?);
    }
    if !upper.is_empty() {
        last.scope = Name(keys::to_u64(&upper, "upper_bound scope")?);
    }
    let (rows, more) = node.handle.read(|chain| {
        let tables = chain.ledger().tables_between(first, last);
        if reverse { scopes(tables.rev(), table, limit, until) } else { scopes(tables, table, limit, until) }
    });
    json(200, &value!({"rows": rows, "more": more}))
}

fn scopes<'a>(
    tables: impl Iterator<Item = (&'a TableKey, &'a ledger::Table)>,
    filter: Name,
    limit: usize,
    until: Deadline,
) -> (Vec<Value>, String) {
    let mut rows = Vec::new();
    // As on nodeos the limit counts tables that are left out too.
    for (looked_at, (key, table)) in tables.enumerate() {
        if looked_at >= limit || (looked_at > 0 && until.is_cut(looked_at, rows.len() * SCOPE_BYTES)) {
            return (rows, key.scope.to_string());
        }
        if filter.0 != 0 && key.table != filter {
            continue;
        }
        rows.push(value!({
            "code": key.code.to_string(),
            "scope": key.scope.to_string(),
            "table": key.table.to_string(),
            "payer": table.payer.to_string(),
            "count": table.count,
        }));
        if until.is_over(0, 0) {
            return (rows, key.scope.to_string());
        }
    }
    (rows, String::new())
}
