//! Contracts of a running chain on a development chain: code, ABI and rows, by the HTTP API of any node alone.
//!
//! While a contract is copied, the row editor stands in its place; its own code comes last. So a copy that was interrupted
//! is seen, and made from the beginning when it is asked for again.

mod source;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use abi::AbiDefinition;
use primitives::{Checksum256, Name, Sha256, Unpack, name};
use serde_json::{Value, json};

use crate::editor::{EditedKey, EditedRow, INDEX_BITS};
use crate::{ApiError, ApiFault, ClientError, Connection, Node};
use source::{Source, Table, changed};
use target::Target;

/// Rows of a table with secondary indexes at most: which key each has is kept in memory.
const INDEXED_ROWS_MAX: usize = 1_000_000;
/// How often a table is read again whose rows change meanwhile.
const TABLE_TRIES: u32 = 3;
/// Accounts that a message names.
const NAMES_SHOWN: usize = 10;
/// Time between two lines about progress.
const PROGRESS: Duration = Duration::from_secs(2);

/// What was copied of a contract.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forked {
    /// Tables and secondary indexes.
    pub tables: u64,
    /// Rows.
    pub rows: u64,
    /// Entries of secondary indexes.
    pub entries: u64,
    /// Whether its account was created.
    pub created: bool,
    /// Who pays for rows at the source and could not here, and for how many: the contract pays for these.
    pub replaced: BTreeMap<Name, u64>,
    /// Tables that are not in the contract's ABI, whose rows no node shows.
    pub left_out: BTreeSet<Name>,
    /// The source's head when it began and when it ended: between them rows may have changed.
    pub blocks: (u64, u64),
}

/// Why a contract was not copied.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// The source is not reached, or is no node.
    #[error("the source cannot be asked: {0}")]
    Unanswered(Box<ApiError>),
    /// The source says no.
    #[error("the source {url} refuses {path}: {fault}")]
    Refused {
        /// The source.
        url: String,
        /// What was called.
        path: String,
        /// What it said.
        fault: Box<ApiFault>,
    },
    /// The account has no code.
    #[error("{contract} has no contract at {url}: there is nothing to copy")]
    NoCode {
        /// The account.
        contract: Name,
        /// The source.
        url: String,
    },
    /// An answer of the source is not what nodes answer.
    #[error("the source answers in a way that is not understood: {0}")]
    Unexpected(String),
    /// A table changes faster than it is read.
    #[error(
        "the rows of the table {table} in scope {scope} change at the source while they are read. Try again, or ask a node \
         that stands still (one started with --read-mode irreversible, or without peers)"
    )]
    Changed {
        /// The table.
        table: Name,
        /// Its scope.
        scope: Name,
    },
    /// A table is too large.
    #[error(
        "the table {table} in scope {scope} has secondary indexes and more than {INDEXED_ROWS_MAX} rows, which is too many"
    )]
    TooLarge {
        /// The table.
        table: Name,
        /// Its scope.
        scope: Name,
    },
    /// The system contract.
    #[error(
        "eosio cannot be copied: it is the chain itself. To go on from a whole chain start boreasd dev --snapshot FILE with a \
         snapshot of it"
    )]
    System,
    /// The chain that it should be copied to is no development chain.
    #[error("{url} does not run a development chain. One is begun with: boreasd dev")]
    NotDev {
        /// Its URL.
        url: String,
    },
    /// The chain that it should be copied to says no.
    #[error("this chain does not take it: {0}")]
    Target(Box<ClientError>),
}

/// How long one call to a source may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The node at a URL, as one that is copied from: it is not waited for long.
pub fn source(url: &str) -> Node {
    Node::connect(url, Connection { try_timeout: Some(CALL_TIMEOUT), ..Connection::default() })
}

impl Forked {
    /// What a user should know, a line each.
    pub fn lines(&self, contract: Name) -> Vec<String> {
        let Self { tables, rows, entries, created, .. } = self;
        let mut lines = vec![format!(
            "{contract} is here{}: {rows} rows and {entries} entries of secondary indexes, in {tables} tables",
            if *created { ", with an account of its own" } else { "" }
        )];
        if !self.replaced.is_empty() {
            let rows: u64 = self.replaced.values().sum();
            let mut payers: Vec<_> = self.replaced.keys().take(NAMES_SHOWN).map(ToString::to_string).collect();
            if self.replaced.len() > NAMES_SHOWN {
                payers.push(format!("and {} more", self.replaced.len() - NAMES_SHOWN));
            }
            let payers = payers.join(", ");
            lines
                .push(format!("it pays for {rows} of them whose payers are not here or have not enough RAM: {payers}"));
        }
        if !self.left_out.is_empty() {
            let tables: Vec<_> = self.left_out.iter().map(ToString::to_string).collect();
            lines.push(format!(
                "left out: {}, which the ABI does not have, so that no node shows the rows",
                tables.join(", ")
            ));
        }
        let (first, last) = self.blocks;
        if first != last {
            lines.push(format!(
                "the source went on from block {first} to {last} meanwhile: rows that changed in between are of either"
            ));
        }
        lines
    }
}

impl ForkError {
    fn target(error: ClientError) -> Self {
        Self::Target(Box::new(error))
    }
}

fn unexpected(what: impl Into<String>) -> ForkError {
    ForkError::Unexpected(what.into())
}

/// Copies a contract from `source` to the development chain of `target`. What the contract has there, rows and code, gives
/// way. `progress` is told now and then how far it is.
///
/// # Errors
/// [`ForkError`]. The contract is left half copied then, with the row editor in its place; another try begins again.
pub fn fork(source: &Node, target: &Node, contract: Name, progress: &mut dyn FnMut(&str)) -> Result<Forked, ForkError> {
    if contract == name!("eosio") {
        return Err(ForkError::System);
    }
    let source = Source { node: source, contract };
    let head = || -> Result<u64, ForkError> {
        let info = source.call("/v1/chain/get_info", &Value::Null)?;
        info["head_block_num"].as_u64().ok_or_else(|| unexpected("get_info has no head_block_num"))
    };
    let first = head()?;
    let account = source.call("/v1/chain/get_account", &json!({ "account_name": contract }))?;
    let code = source.code()?;
    Target::check(target)?;
    let known_tables = match code.abi.is_empty() {
        true => BTreeSet::new(),
        false => {
            let abi = AbiDefinition::from_prefix(&code.abi).map_err(|error| unexpected(format!("the ABI: {error}")))?;
            abi.tables.iter().map(|table| table.name).collect()
        }
    };
    let mut copy = Copy {
        source,
        target: Target::new(target, contract),
        known_tables,
        forked: Forked::default(),
        progress,
        told: Instant::now(),
    };
    copy.forked.created = copy.target.create(&source)?;
    copy.target.equip(account["privileged"] == true)?;
    copy.target.open()?;
    let mut scope = Some(Name(0));
    while let Some(from) = scope {
        let (tables, next) = source.tables(from)?;
        for group in tables.chunk_by(|a, b| a.scope == b.scope && a.name.0 | INDEX_BITS == b.name.0 | INDEX_BITS) {
            copy.group(group)?;
        }
        scope = next;
    }
    copy.target.close(&code.wasm, &code.abi)?;
    let Copy { target, mut forked, .. } = copy;
    forked.replaced = target.replaced;
    forked.blocks = (first, head()?);
    Ok(forked)
}

/// A copy under way.
struct Copy<'a> {
    source: Source<'a>,
    target: Target<'a>,
    known_tables: BTreeSet<Name>,
    forked: Forked,
    progress: &'a mut dyn FnMut(&str),
    told: Instant,
}

impl Copy<'_> {
    /// A table of one scope with its secondary indexes.
    fn group(&mut self, tables: &[Table]) -> Result<(), ForkError> {
        let Some(base) = tables.first().map(|table| Name(table.name.0 & !INDEX_BITS)) else { return Ok(()) };
        if !self.known_tables.contains(&base) {
            self.forked.left_out.insert(base);
            return Ok(());
        }
        let mut tries = 0;
        let (rows, entries) = loop {
            tries += 1;
            match self.read(tables) {
                Err(ForkError::Changed { .. }) if tries < TABLE_TRIES => {
                    self.target.flush()?;
                    for table in tables {
                        self.target.clear(table.scope, table.name, table.count.saturating_mul(2))?;
                    }
                }
                done => break done?,
            }
        };
        self.forked.tables += tables.len() as u64;
        self.forked.rows += rows;
        self.forked.entries += entries;
        Ok(())
    }

    /// Copies a table and its indexes. The first index has the table's own name: what the table counts beside its rows are
    /// that index' entries.
    fn read(&mut self, tables: &[Table]) -> Result<(u64, u64), ForkError> {
        let Self { source, target, progress, told, forked, .. } = self;
        let mut done = forked.rows + forked.entries;
        let mut tell = |table: &Table| {
            done += 1;
            if told.elapsed() >= PROGRESS {
                *told = Instant::now();
                progress(&format!("{}: {done} rows and entries, now in {}", source.contract, table.name));
            }
        };
        let (mut rows, mut entries) = (0, 0);
        let mut ids = Ids::default();
        for table in tables {
            let (scope, name) = (table.scope, table.name);
            let is_first = name.0 & INDEX_BITS == 0;
            if is_first {
                rows = source.rows(table, &mut |row| {
                    ids.note(&row);
                    tell(table);
                    let (payer, id, bytes) = (row.payer, row.id, Some(row.bytes));
                    target.write_row(EditedRow { scope, table: name, payer, id, bytes })
                })?;
            }
            let expected =
                if is_first { table.count.checked_sub(rows).ok_or_else(|| changed(table))? } else { table.count };
            if expected == 0 {
                continue;
            }
            let mut taken = BTreeMap::new();
            let found = source.entries(table, &mut |entry| {
                tell(table);
                let id = ids.next(&entry.row, &mut taken, table)?;
                target.write_key(EditedKey { scope, table: name, payer: entry.payer, id, key: entry.key })
            })?;
            if found != expected {
                return Err(changed(table));
            }
            entries += found;
        }
        Ok((rows, entries))
    }
}

/// Which rows have which bytes: the answers about an index show the bytes of rows, not their keys.
#[derive(Default)]
struct Ids {
    by_bytes: BTreeMap<Checksum256, Vec<u64>>,
    count: usize,
}

impl Ids {
    fn note(&mut self, row: &source::Row) {
        self.count += 1;
        if self.count > INDEXED_ROWS_MAX {
            // Too many, unless nobody asks for them.
            self.by_bytes.clear();
            return;
        }
        self.by_bytes.entry(Sha256::of(&row.bytes)).or_default().push(row.id);
    }

    /// The next row with these bytes. Rows with the same bytes mostly have the same keys, and then stand in the order of
    /// their primary keys.
    fn next(
        &self,
        bytes: &Checksum256,
        taken: &mut BTreeMap<Checksum256, usize>,
        table: &Table,
    ) -> Result<u64, ForkError> {
        if self.count > INDEXED_ROWS_MAX {
            return Err(ForkError::TooLarge { table: table.name, scope: table.scope });
        }
        let turn = taken.entry(*bytes).or_default();
        let id = self.by_bytes.get(bytes).and_then(|ids| ids.get(*turn)).ok_or_else(|| changed(table))?;
        *turn += 1;
        Ok(*id)
    }
}

/// How many secondary indexes of a table have entries in one scope.
///
/// # Errors
/// The node cannot be asked.
pub fn indexes(node: &Node, contract: Name, scope: Name, table: Name) -> Result<usize, ForkError> {
    let source = Source { node, contract };
    let (tables, _) = source.tables(scope)?;
    let others =
        tables.iter().filter(|one| one.scope == scope && one.name != table && one.name.0 & !INDEX_BITS == table.0);
    Ok(others.count() + usize::from(source.has_entries(&Table { scope, name: table, count: 0 })?))
}
