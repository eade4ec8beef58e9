//! A contract as its chain's HTTP API shows it: code, ABI, tables, rows with their primary keys and payers, and the keys of
//! secondary indexes.
//!
//! The API shows no key beside a row. But it says with which key a page that is cut would go on (`next_key`): with a limit
//! of 0 that is the first key of all, with a limit of 1 the key after the row. Where keys follow each other without gaps,
//! as those of numbered rows, pages of many rows tell their keys too.

use primitives::{Checksum256, Name, Sha256};
use serde_json::{Value, json};

use super::{ForkError, unexpected};
use crate::editor::{INDEX_BITS, SecondaryKey};
use crate::{ApiError, Node, base64_field};

/// Tables asked for at once.
const TABLES_PAGE: u32 = 500;
/// Most tables of one scope.
const SCOPE_TABLES_MAX: u32 = 100_000;
/// Rows asked for at once.
const ROWS_PAGE: u32 = 100;
/// Entries with the same secondary key that are asked for at once: a page cannot begin between them.
const SAME_KEYS_MAX: u32 = 100_000;

/// A contract's code and ABI.
#[derive(Debug)]
pub struct Code {
    /// The module.
    pub wasm: Vec<u8>,
    /// The packed ABI; empty where there is none.
    pub abi: Vec<u8>,
}

/// A table, or a secondary index of one. The first index has the name of its table, and is counted with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its scope.
    pub scope: Name,
    /// Its name, with an index' number in the last four bits.
    pub name: Name,
    /// Rows or entries.
    pub count: u64,
}

/// A row with its key.
#[derive(Debug)]
pub struct Row {
    /// Its primary key.
    pub id: u64,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Who pays.
    pub payer: Name,
}

/// An entry of a secondary index: its key, and which row it is of.
#[derive(Debug)]
pub struct Entry {
    /// Its key.
    pub key: SecondaryKey,
    /// The hash of its row's bytes.
    pub row: Checksum256,
    /// Who pays.
    pub payer: Name,
}

/// One contract of a node.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The node.
    pub node: &'a Node,
    /// The contract.
    pub contract: Name,
}

/// Rows, and the key to go on with.
struct Page {
    rows: Vec<(Vec<u8>, Name)>,
    next: Option<String>,
}

impl Source<'_> {
    /// Calls the node; what it refuses says which call it was.
    pub fn call(&self, path: &str, body: &Value) -> Result<Value, ForkError> {
        self.node.call(path, body).map_err(|error| match error {
            ApiError::Fault(fault) => {
                ForkError::Refused { url: self.node.url().to_owned(), path: path.to_owned(), fault: Box::new(fault) }
            }
            other => ForkError::Unanswered(Box::new(other)),
        })
    }

    /// Code and ABI.
    pub fn code(&self) -> Result<Code, ForkError> {
        let body = json!({ "account_name": self.contract });
        let answer = self.call("/v1/chain/get_raw_code_and_abi", &body)?;
        let field = |name| base64_field(&answer, name).map_err(|error| unexpected(error.to_string()));
        let code = Code { wasm: field("wasm")?, abi: field("abi")? };
        if code.wasm.is_empty() {
            return Err(ForkError::NoCode { contract: self.contract, url: self.node.url().to_owned() });
        }
        Ok(code)
    }

    /// The tables of whole scopes from `scope` on, and the scope to go on with.
    pub fn tables(&self, scope: Name) -> Result<(Vec<Table>, Option<Name>), ForkError> {
        let mut limit = TABLES_PAGE;
        loop {
            let body =
                json!({ "code": self.contract, "table": "", "lower_bound": scope.0.to_string(), "limit": limit });
            let answer = self.call("/v1/chain/get_table_by_scope", &body)?;
            let rows = answer["rows"].as_array().ok_or_else(|| unexpected("get_table_by_scope has no rows"))?;
            let mut tables = rows.iter().map(table).collect::<Result<Vec<_>, _>>()?;
            let next = match answer["more"].as_str().unwrap_or_default() {
                "" => return Ok((tables, None)),
                next => name_of(next)?,
            };
            // The last scope may have more tables than the page has.
            tables.retain(|table| table.scope != next);
            if next > scope || !tables.is_empty() {
                return Ok((tables, Some(next)));
            }
            if limit >= SCOPE_TABLES_MAX {
                return Err(unexpected(format!("scope {scope} has more than {SCOPE_TABLES_MAX} tables")));
            }
            limit *= 4;
        }
    }

    /// Hands the rows of a table to `each`, by their keys. Returns how many there are.
    pub fn rows(&self, table: &Table, each: &mut dyn FnMut(Row) -> Result<(), ForkError>) -> Result<u64, ForkError> {
        let (mut found, mut limit) = (0, 1);
        let Some(mut key) = self.primary_edge(table, false)? else { return Ok(0) };
        loop {
            let page = self.primary(table, Some(key), limit, false)?;
            let next = page.next.as_deref().map(number_of).transpose()?;
            let count = page.rows.len() as u64;
            if count == 0 {
                return Err(changed(table));
            }
            let follows = match next {
                Some(next) => next.checked_sub(key) == Some(count),
                None if count > 1 => {
                    let last = self.primary_edge(table, true)?.ok_or_else(|| changed(table))?;
                    last.checked_sub(key) == Some(count - 1)
                }
                None => true,
            };
            if count > 1 && !follows {
                // There are gaps: row by row.
                limit = 1;
                continue;
            }
            for (id, (bytes, payer)) in (key..).zip(page.rows) {
                each(Row { id, bytes, payer })?;
            }
            found += count;
            limit = if follows { (limit * 4).min(ROWS_PAGE) } else { 1 };
            match next {
                Some(next) if next > key => key = next,
                Some(_) => return Err(changed(table)),
                None => return Ok(found),
            }
        }
    }

    /// The first key of a table, or the last.
    fn primary_edge(&self, table: &Table, last: bool) -> Result<Option<u64>, ForkError> {
        self.primary(table, None, 0, last)?.next.as_deref().map(number_of).transpose()
    }

    fn primary(&self, table: &Table, lower: Option<u64>, limit: u32, reverse: bool) -> Result<Page, ForkError> {
        let lower = lower.map(|lower| lower.to_string()).unwrap_or_default();
        self.page(&json!({
            "json": false, "show_payer": true, "code": self.contract, "scope": table.scope.0.to_string(),
            "table": table.name, "limit": limit, "key_type": "i64", "lower_bound": lower, "reverse": reverse,
        }))
    }

    /// Hands the entries of a secondary index to `each`, in order. Returns how many there are.
    pub fn entries(
        &self,
        index: &Table,
        each: &mut dyn FnMut(Entry) -> Result<(), ForkError>,
    ) -> Result<u64, ForkError> {
        let mut found = 0;
        let Some((kind, mut text)) = self.kind_of(index)? else { return Ok(0) };
        if kind.is_float() {
            return self.float_entries(index, kind, each);
        }
        loop {
            let mut page = self.secondary(index, kind, (&text, ""), 1)?;
            if page.next.as_deref() == Some(&text) {
                let rows = self.same_key(index, kind, &text)?;
                let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
                page = Page { rows, next: self.secondary(index, kind, (&text, ""), count)?.next };
            }
            if page.rows.is_empty() || page.next.as_deref() == Some(&text) {
                return Err(changed(index));
            }
            for (bytes, payer) in page.rows {
                let key = kind.key(&text, &bytes)?;
                each(Entry { key, row: Sha256::of(&bytes), payer })?;
                found += 1;
            }
            match page.next {
                Some(next) => text = next,
                None => return Ok(found),
            }
        }
    }

    /// The same for floats. Their texts in answers are rounded, so that the next key is looked for above the last one as
    /// the row has it.
    fn float_entries(
        &self,
        index: &Table,
        kind: Kind,
        each: &mut dyn FnMut(Entry) -> Result<(), ForkError>,
    ) -> Result<u64, ForkError> {
        let (mut found, mut lower) = (0, String::new());
        while let Some(text) = self.secondary(index, kind, (&lower, ""), 0)?.next {
            let mut rows = self.secondary(index, kind, (&lower, ""), 1)?.rows;
            let (bytes, _) = rows.first().ok_or_else(|| changed(index))?;
            let key = kind.key(&text, bytes)?;
            let double = match key {
                SecondaryKey::Double(bits) => f64::from_bits(bits),
                SecondaryKey::LongDouble(bits) => narrowed(bits).unwrap_or(f64::INFINITY),
                _ => return Err(unexpected("a float is not a float")),
            };
            let same = self.same_key(index, kind, &format!("{double:e}"))?;
            if !same.is_empty() {
                rows = same;
            }
            for (bytes, payer) in rows {
                each(Entry { key, row: Sha256::of(&bytes), payer })?;
                found += 1;
            }
            if double == f64::INFINITY {
                break;
            }
            lower = format!("{:e}", double.next_up());
        }
        Ok(found)
    }

    /// All rows with one key.
    fn same_key(&self, index: &Table, kind: Kind, key: &str) -> Result<Vec<(Vec<u8>, Name)>, ForkError> {
        let mut limit = ROWS_PAGE;
        loop {
            let page = self.secondary(index, kind, (key, key), limit)?;
            if page.next.is_none() {
                return Ok(page.rows);
            }
            if limit >= SAME_KEYS_MAX {
                return Err(unexpected(format!("more than {SAME_KEYS_MAX} entries of {} have one key", index.name)));
            }
            limit *= 10;
        }
    }

    /// Whether an index has entries.
    pub fn has_entries(&self, index: &Table) -> Result<bool, ForkError> {
        Ok(self.kind_of(index)?.is_some())
    }

    /// What kind of keys an index has, and its first key: it is the kind that finds entries.
    fn kind_of(&self, index: &Table) -> Result<Option<(Kind, String)>, ForkError> {
        for kind in [Kind::I64, Kind::I128, Kind::Sha256, Kind::Float64, Kind::Float128] {
            if let Some(first) = self.secondary(index, kind, ("", ""), 0)?.next {
                return Ok(Some((kind, first)));
            }
        }
        Ok(None)
    }

    fn secondary(&self, index: &Table, kind: Kind, bounds: (&str, &str), limit: u32) -> Result<Page, ForkError> {
        let table = Name(index.name.0 & !INDEX_BITS);
        self.page(&json!({
            "json": false, "show_payer": true, "code": self.contract, "scope": index.scope.0.to_string(),
            "table": table, "limit": limit, "key_type": kind.name(),
            "index_position": ((index.name.0 & INDEX_BITS) + 2).to_string(),
            "lower_bound": bounds.0, "upper_bound": bounds.1,
        }))
    }

    fn page(&self, body: &Value) -> Result<Page, ForkError> {
        let answer = self.call("/v1/chain/get_table_rows", body)?;
        let rows = answer["rows"].as_array().ok_or_else(|| unexpected("get_table_rows has no rows"))?;
        let row = |row: &Value| {
            let text = |field: &str| row[field].as_str().ok_or_else(|| unexpected(format!("a row has no {field}")));
            Ok((bytes_of(text("data")?)?, name_of(text("payer")?)?))
        };
        let rows = rows.iter().map(row).collect::<Result<_, ForkError>>()?;
        let next = answer["next_key"].as_str().filter(|key| !key.is_empty() && answer["more"] == true);
        Ok(Page { rows, next: next.map(str::to_owned) })
    }
}

/// The kinds of secondary keys, as `get_table_rows` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    I64,
    I128,
    Sha256,
    Float64,
    Float128,
}

impl Kind {
    fn is_float(self) -> bool {
        matches!(self, Self::Float64 | Self::Float128)
    }

    fn name(self) -> &'static str {
        match self {
            Self::I64 => "i64",
            Self::I128 => "i128",
            Self::Sha256 => "sha256",
            Self::Float64 => "float64",
            Self::Float128 => "float128",
        }
    }

    /// A key from its text. Floats have 17 decimals there, which is not all of a small one: the row itself mostly has the
    /// whole key among its bytes.
    fn key(self, text: &str, row: &[u8]) -> Result<SecondaryKey, ForkError> {
        let wrong = || unexpected(format!("{text:?} is not a valid key of an index of {}", self.name()));
        Ok(match self {
            Self::I64 => SecondaryKey::Key64(number_of(text)?),
            Self::I128 => SecondaryKey::Key128(text.parse().map_err(|_| wrong())?),
            Self::Sha256 => {
                let bytes: [u8; 32] = bytes_of(text)?.try_into().map_err(|_| wrong())?;
                let (high, low) = bytes.split_at(16);
                let word = |half: &[u8]| half.try_into().map(u128::from_be_bytes).map_err(|_| wrong());
                SecondaryKey::Key256([word(high)?, word(low)?])
            }
            Self::Float64 => {
                let mut inside = row.windows(8).filter_map(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
                let inside = inside.find(|bits| primitives::json::double_text(f64::from_bits(*bits)) == text);
                let whole = || text.parse::<f64>().ok().map(f64::to_bits);
                SecondaryKey::Double(inside.or_else(whole).ok_or_else(wrong)?)
            }
            Self::Float128 => {
                let mut inside = row.windows(16).filter_map(|bytes| Some(u128::from_le_bytes(bytes.try_into().ok()?)));
                let inside = inside
                    .find(|bits| narrowed(*bits).is_some_and(|double| primitives::json::double_text(double) == text));
                let whole = || text.parse::<f64>().ok().and_then(widened);
                SecondaryKey::LongDouble(inside.or_else(whole).ok_or_else(wrong)?)
            }
        })
    }
}

/// Bits of a double's exponent and fraction, and of a long double's.
const DOUBLE: (u32, u32, u64) = (11, 52, 1023);
const LONG_DOUBLE: (u32, u32, u64) = (15, 112, 16383);

/// A long double as the nearest double, where that is a normal number or zero.
fn narrowed(bits: u128) -> Option<f64> {
    let sign = if bits >> 127 == 1 { -1.0 } else { 1.0 };
    let magnitude = bits << 1 >> 1;
    if magnitude == 0 {
        return Some(0.0 * sign);
    }
    let drop = LONG_DOUBLE.1 - DOUBLE.1;
    let exponent = u64::try_from(magnitude >> LONG_DOUBLE.1).ok()?;
    let exponent = (exponent + DOUBLE.2).checked_sub(LONG_DOUBLE.2)?;
    if exponent == 0 || exponent >= (1 << DOUBLE.0) - 1 {
        return None;
    }
    let fraction = magnitude & ((1 << LONG_DOUBLE.1) - 1);
    let (kept, rest) = (u64::try_from(fraction >> drop).ok()?, fraction & ((1 << drop) - 1));
    let half = 1u128 << (drop - 1);
    let up = rest > half || (rest == half && kept & 1 == 1);
    Some(sign * f64::from_bits((exponent << DOUBLE.1 | kept) + u64::from(up)))
}

/// A double as a long double, where it is a normal number or zero.
fn widened(value: f64) -> Option<u128> {
    let bits = value.to_bits();
    let sign = u128::from(bits >> 63) << 127;
    let exponent = bits << 1 >> 1 >> DOUBLE.1;
    let fraction = u128::from(bits & ((1 << DOUBLE.1) - 1)) << (LONG_DOUBLE.1 - DOUBLE.1);
    match exponent {
        0 if fraction == 0 => Some(sign),
        0 => None,
        exponent if exponent == (1 << DOUBLE.0) - 1 => None,
        exponent => Some(sign | u128::from(exponent + LONG_DOUBLE.2 - DOUBLE.2) << LONG_DOUBLE.1 | fraction),
    }
}

fn table(row: &Value) -> Result<Table, ForkError> {
    let text = |field: &str| row[field].as_str().ok_or_else(|| unexpected(format!("a table has no {field}")));
    let count = row["count"].as_u64().ok_or_else(|| unexpected("a table has no count"))?;
    Ok(Table { scope: name_of(text("scope")?)?, name: name_of(text("table")?)?, count })
}

fn name_of(text: &str) -> Result<Name, ForkError> {
    text.parse().map_err(|_| unexpected(format!("{text:?} is not a valid name")))
}

fn number_of(text: &str) -> Result<u64, ForkError> {
    text.parse().map_err(|_| unexpected(format!("{text:?} is not a valid key")))
}

fn bytes_of(text: &str) -> Result<Vec<u8>, ForkError> {
    primitives::json::bytes_of_hex(text).map_err(|_| unexpected(format!("{text:?} is not hexadecimal")))
}

/// Says that a table is not what it was a moment before.
pub fn changed(table: &Table) -> ForkError {
    ForkError::Changed { table: table.name, scope: table.scope }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_found_in_the_row_or_made_of_their_text() {
        let third = (1.0f64 / 3.0 * 1e-4).to_bits();
        let text = primitives::json::double_text(f64::from_bits(third));
        let row = [&[7; 3][..], &third.to_le_bytes()].concat();
        assert_eq!(Kind::Float64.key(&text, &row).ok(), Some(SecondaryKey::Double(third)));
        assert_eq!(
            Kind::Float64.key("-1.50000000000000000", b"").ok(),
            Some(SecondaryKey::Double((-1.5f64).to_bits()))
        );
        for value in [0.0, -0.0, 1.0, -1.5, 1e300, -2.5e-300, f64::MAX, 0.1] {
            let wide = widened(value).expect("a normal number");
            assert_eq!(narrowed(wide).map(f64::to_bits), Some(value.to_bits()), "{value:e}");
        }
        // A third that is wider than a double.
        let wide = widened(1.0 / 3.0).expect("a number") | 0x5555;
        let text = primitives::json::double_text(1.0 / 3.0);
        assert_eq!(Kind::Float128.key(&text, &wide.to_le_bytes()).ok(), Some(SecondaryKey::LongDouble(wide)));
        assert!(Kind::Float64.key("x", b"").is_err());
    }

    #[test]
    fn hashes_are_two_words() {
        let text = format!("{}{}", "00".repeat(15) + "01", "00".repeat(15) + "02");
        assert_eq!(Kind::Sha256.key(&text, b"").ok(), Some(SecondaryKey::Key256([1, 2])));
        assert!(Kind::Sha256.key("00", b"").is_err());
    }
}
