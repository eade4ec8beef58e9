//! Makes the table of a build: DWARF of the linked module says where its code comes from, and a source map carries that
//! through the optimiser, which would leave things out if it had to keep DWARF itself.

mod map;
mod module;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use addr2line::Context as Symbols;
use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian, SectionId};
use anyhow::{Context, ensure};
use clap::Subcommand;
use lines::{EXTENSION, Place, Table};
use primitives::Sha256;
use serde_json::Value;

/// What `contracts/build` asks for.
#[derive(Subcommand)]
pub enum Lines {
    /// Write a source map of a linked module, for the optimiser, and what its numbers mean
    Map {
        /// The linked module, with DWARF
        linked: PathBuf,
        /// The source map
        map: PathBuf,
        /// What its numbers mean
        ways: PathBuf,
    },
    /// Write the table beside a finished module
    Table {
        /// The finished module
        finished: PathBuf,
        /// The same with names
        named: PathBuf,
        /// Its source map
        map: PathBuf,
        /// What the map's numbers mean
        ways: PathBuf,
    },
}

impl Lines {
    /// Does it.
    ///
    /// # Errors
    /// A file cannot be read or written, or is not what it should be.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Map { linked, map, ways } => {
                let (table, places) = of_linked(&read(&linked)?)?;
                write(&map, &map::encoded(&places))?;
                write(&ways, &serde_json::to_value(table)?)
            }
            Self::Table { finished, named, map, ways } => {
                let table = serde_json::from_slice(&read(&ways)?).context("the meaning of a map's numbers")?;
                let map: Value = serde_json::from_slice(&read(&map)?).context("a source map")?;
                of_finished(table, &read(&finished)?, &read(&named)?, &map)?
                    .keep(&finished)
                    .with_context(|| format!("{} cannot be written", finished.with_extension(EXTENSION).display()))
            }
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn write(path: &Path, value: &Value) -> anyhow::Result<()> {
    fs::write(path, value.to_string()).with_context(|| format!("{} cannot be written", path.display()))
}

/// The ways of a linked module, and places in it with the numbers of their ways.
fn of_linked(linked: &[u8]) -> anyhow::Result<(Table, Vec<(usize, usize)>)> {
    let section = |id: SectionId| module::custom(linked, id.name()).map(|bytes| EndianSlice::new(bytes, LittleEndian));
    let symbols = Symbols::from_dwarf(Dwarf::load(section)?)?;
    let (begin, code) = module::code(linked)?;
    let (mut table, mut texts, mut known) = (Table::default(), Texts::default(), HashMap::new());
    let mut places = Vec::new();
    let lines = symbols.find_location_range(0, code.len() as u64)?.map(|(address, _, _)| address);
    // The optimiser takes what holds where a function begins for its head alone.
    let addresses: BTreeSet<u64> = lines.chain(module::first_instructions(code)?).collect();
    for address in addresses {
        let way = way(&symbols, address, &mut texts)?;
        if way.is_empty() {
            continue;
        }
        let number = *known.entry(way).or_insert_with_key(|way| {
            table.ways.push(way.clone());
            table.ways.len() - 1
        });
        places.push((begin + usize::try_from(address)?, number));
    }
    table.texts = texts.all;
    Ok((table, places))
}

type Slices<'a> = Symbols<EndianSlice<'a, LittleEndian>>;

/// The way from an address out, the innermost function first.
fn way(symbols: &Slices<'_>, address: u64, texts: &mut Texts) -> anyhow::Result<Vec<Place>> {
    let mut frames = symbols.find_frames(address).skip_all_loads()?;
    let mut way = Vec::new();
    while let Some(frame) = frames.next()? {
        let name = frame.function.as_ref().map(|function| function.raw_name()).transpose()?;
        let Some(location) = frame.location else { continue };
        let (Some(file), Some(line)) = (location.file, location.line) else { continue };
        way.push((texts.number(&plain(&name.unwrap_or_default())), texts.number(&shown(file)), line));
    }
    Ok(way)
}

/// A function's name as its programmer knows it.
fn plain(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// A file's path as it is known in the project: `contracts/build` puts these two in front.
fn shown(path: &str) -> String {
    let path = path.strip_prefix("/contracts/").or_else(|| path.strip_prefix("/cargo/registry/src/")).unwrap_or(path);
    path.to_owned()
}

/// Texts by number.
#[derive(Default)]
struct Texts {
    all: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Texts {
    fn number(&mut self, text: &str) -> usize {
        if let Some(known) = self.numbers.get(text) {
            return *known;
        }
        self.all.push(text.to_owned());
        self.numbers.insert(text.to_owned(), self.all.len() - 1);
        self.all.len() - 1
    }
}

/// The table of a finished module, from one with names, which must have the same code.
fn of_finished(mut table: Table, finished: &[u8], named: &[u8], map: &Value) -> anyhow::Result<Table> {
    let ((begin, code), (_, finished_code)) = (module::code(named)?, module::code(finished)?);
    ensure!(code == finished_code, "the optimiser makes other code where it keeps names");
    table.code_hash = Sha256::of(finished).to_string();
    for (at, way) in map::decoded(map)? {
        if let Some(offset) = at.checked_sub(begin) {
            table.places.push((u32::try_from(offset)?, way));
        }
    }
    table.places.sort_by_key(|(offset, _)| *offset);
    let unnamed = table.texts.len();
    table.texts.push("?".to_owned());
    for (index, name) in module::names(named)? {
        let index = index as usize;
        ensure!(index <= finished.len(), "a function's index is too large");
        table.functions.resize(table.functions.len().max(index + 1), unnamed);
        table.functions[index] = table.texts.len();
        table.texts.push(plain(&name));
    }
    Ok(table)
}
