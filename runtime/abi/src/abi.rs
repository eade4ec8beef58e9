//! A checked ABI: its types, actions and tables by name.

use std::collections::{BTreeMap, BTreeSet};

use codec::{Pack, Unpack};
use primitives::{Fault, FaultKind, Name, ensure};

use crate::builtin::Builtin;
use crate::definition::{AbiDefinition, StructDefinition, VariantDefinition};
use crate::path::Depth;

/// A checked ABI. The rules are those of `abi_serializer::set_abi` and `validate`.
#[derive(Debug, Clone, Default)]
pub struct Abi {
    definition: AbiDefinition,
    aliases: BTreeMap<String, String>,
    structs: BTreeMap<String, StructDefinition>,
    variants: BTreeMap<String, VariantDefinition>,
    actions: BTreeMap<Name, String>,
    tables: BTreeMap<Name, String>,
    error_messages: BTreeMap<u64, String>,
    action_results: BTreeMap<Name, String>,
}

/// A type's name taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `T[]`
    Array,
    /// `T?`
    Optional,
    /// `T`
    Plain,
}

/// What a type's last two characters make of it.
pub(crate) fn shape(kind: &str) -> Shape {
    if kind.ends_with("[]") {
        Shape::Array
    } else if is_sized_array(kind) || !kind.ends_with('?') {
        Shape::Plain
    } else {
        Shape::Optional
    }
}

/// `T[3]`: known as a name, though nodeos reads and writes it like a plain `T`.
fn is_sized_array(kind: &str) -> bool {
    match (kind.rfind('['), kind.rfind(']')) {
        (Some(open), Some(close)) if close > open + 1 => {
            kind.as_bytes()[open + 1..close].iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// The type inside an array or optional.
pub(crate) fn fundamental(kind: &str) -> &str {
    if let Some(inner) = kind.strip_suffix("[]") {
        inner
    } else if is_sized_array(kind) {
        &kind[..kind.rfind('[').expect("a sized array has a bracket")]
    } else {
        kind.strip_suffix('?').unwrap_or(kind)
    }
}

/// The type without the mark of a binary extension.
pub(crate) fn without_extension(kind: &str) -> &str {
    kind.strip_suffix('$').unwrap_or(kind)
}

/// Collects into a map; fails when two items have one key.
fn unique<K: Ord, V>(items: impl IntoIterator<Item = (K, V)>, duplicate: Fault) -> Result<BTreeMap<K, V>, Fault> {
    let mut map = BTreeMap::new();
    for (key, value) in items {
        if map.insert(key, value).is_some() {
            return Err(duplicate);
        }
    }
    Ok(map)
}

impl Abi {
    /// Checks a definition.
    ///
    /// # Errors
    /// nodeos' `abi_exception`s: unsupported version, duplicates, unknown types, circular references.
    pub fn new(definition: AbiDefinition) -> Result<Self, Fault> {
        let starts_well = definition.version.starts_with("eosio::abi/1.");
        ensure!(starts_well, UNSUPPORTED_ABI_VERSION_EXCEPTION, "ABI has an unsupported version");
        let duplicate = |kind, what| Fault::new(kind, format!("duplicate {what} definition detected"));
        let mut abi = Self {
            structs: unique(
                definition.structs.iter().map(|item| (item.name.clone(), item.clone())),
                duplicate(FaultKind::DUPLICATE_ABI_STRUCT_DEF_EXCEPTION, "struct"),
            )?,
            variants: unique(
                definition.variants.iter().map(|item| (item.name.clone(), item.clone())),
                duplicate(FaultKind::DUPLICATE_ABI_VARIANT_DEF_EXCEPTION, "variant"),
            )?,
            actions: unique(
                definition.actions.iter().map(|item| (item.name, item.kind.clone())),
                duplicate(FaultKind::DUPLICATE_ABI_ACTION_DEF_EXCEPTION, "action"),
            )?,
            tables: unique(
                definition.tables.iter().map(|item| (item.name, item.kind.clone())),
                duplicate(FaultKind::DUPLICATE_ABI_TABLE_DEF_EXCEPTION, "table"),
            )?,
            error_messages: unique(
                definition.error_messages.iter().map(|item| (item.error_code, item.error_msg.clone())),
                duplicate(FaultKind::DUPLICATE_ABI_ERR_MSG_DEF_EXCEPTION, "error message"),
            )?,
            action_results: unique(
                definition.action_results.iter().map(|item| (item.name, item.result_type.clone())),
                duplicate(FaultKind::DUPLICATE_ABI_ACTION_RESULTS_DEF_EXCEPTION, "action results"),
            )?,
            ..Self::default()
        };
        abi.add_aliases(&definition)?;
        abi.definition = definition;
        abi.validate()?;
        Ok(abi)
    }

    /// Reads and checks a packed ABI, as `setabi` stores it.
    ///
    /// # Errors
    /// `unpack_exception` where the bytes are no ABI, else as [`Abi::new`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let definition = AbiDefinition::from_prefix(bytes)
            .map_err(|error| Fault::new(FaultKind::UNPACK_EXCEPTION, error.to_string()))?;
        Self::new(definition)
    }

    /// Reads and checks an ABI in JSON.
    ///
    /// # Errors
    /// `abi_type_exception` where the text is no ABI, else as [`Abi::new`].
    pub fn from_json(text: &str) -> Result<Self, Fault> {
        let definition = serde_json::from_str(text)
            .map_err(|error| Fault::new(FaultKind::ABI_TYPE_EXCEPTION, format!("Fail to parse ABI JSON: {error}")))?;
        Self::new(definition)
    }

    /// The packed ABI.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.definition.to_bytes()
    }

    /// The ABI as written.
    pub fn definition(&self) -> &AbiDefinition {
        &self.definition
    }

    /// Type of an action's arguments.
    pub fn action_type(&self, action: Name) -> Option<&str> {
        self.actions.get(&action).map(String::as_str)
    }

    /// Type of a table's rows.
    pub fn table_type(&self, table: Name) -> Option<&str> {
        self.tables.get(&table).map(String::as_str)
    }

    /// Type of an action's return value.
    pub fn action_result_type(&self, action: Name) -> Option<&str> {
        self.action_results.get(&action).map(String::as_str)
    }

    /// Text of an error code.
    pub fn error_message(&self, code: u64) -> Option<&str> {
        self.error_messages.get(&code).map(String::as_str)
    }

    /// Whether a name is a type here.
    pub fn is_type(&self, kind: &str) -> bool {
        self.known(kind, &mut Depth::default()).unwrap_or(false)
    }

    pub(crate) fn structure(&self, kind: &str) -> Option<&StructDefinition> {
        self.structs.get(kind)
    }

    pub(crate) fn variant(&self, kind: &str) -> Option<&VariantDefinition> {
        self.variants.get(kind)
    }

    /// Follows aliases to the end.
    pub(crate) fn resolve<'a>(&'a self, kind: &'a str) -> &'a str {
        let mut kind = kind;
        // A circle of aliases ends by count.
        for _ in 0..=self.aliases.len() {
            match self.aliases.get(kind) {
                Some(next) => kind = next,
                None => break,
            }
        }
        kind
    }

    pub(crate) fn known(&self, kind: &str, depth: &mut Depth) -> Result<bool, Fault> {
        depth.within(|depth| {
            let inner = fundamental(kind);
            if Builtin::of(inner).is_some() {
                return Ok(true);
            }
            match self.aliases.get(inner) {
                Some(next) => self.known(next, depth),
                None => Ok(self.structs.contains_key(inner) || self.variants.contains_key(inner)),
            }
        })
    }

    fn add_aliases(&mut self, definition: &AbiDefinition) -> Result<(), Fault> {
        for alias in &definition.types {
            // Variants come later in nodeos' order, so that an alias may hide one.
            let inner = fundamental(&alias.new_type_name);
            let taken = Builtin::of(inner).is_some()
                || self.structs.contains_key(inner)
                || self.aliases.contains_key(inner) && self.is_type(&alias.new_type_name);
            ensure!(!taken, DUPLICATE_ABI_TYPE_DEF_EXCEPTION, "type already exists");
            self.aliases.insert(alias.new_type_name.clone(), alias.kind.clone());
        }
        let complete = self.aliases.len() == definition.types.len();
        ensure!(complete, DUPLICATE_ABI_TYPE_DEF_EXCEPTION, "duplicate type definition detected");
        Ok(())
    }

    fn validate(&self) -> Result<(), Fault> {
        for (name, kind) in &self.aliases {
            let mut seen = BTreeSet::from([name.as_str(), kind.as_str()]);
            let mut next = self.aliases.get(kind);
            while let Some(kind) = next {
                ensure!(seen.insert(kind), ABI_CIRCULAR_DEF_EXCEPTION, "Circular reference in type {name}");
                next = self.aliases.get(kind);
            }
        }
        for kind in self.aliases.values() {
            self.require(kind, kind)?;
        }
        for structure in self.structs.values() {
            self.validate_bases(structure)?;
            for field in &structure.fields {
                self.require(without_extension(&field.kind), &field.kind)?;
            }
        }
        let cases = self.variants.values().flat_map(|variant| &variant.types);
        let uses = self.actions.values().chain(self.tables.values()).chain(self.action_results.values());
        cases.chain(uses).try_for_each(|kind| self.require(kind, kind))
    }

    fn require(&self, kind: &str, text: &str) -> Result<(), Fault> {
        ensure!(self.known(kind, &mut Depth::default())?, INVALID_TYPE_INSIDE_ABI, "{text}");
        Ok(())
    }

    fn validate_bases(&self, structure: &StructDefinition) -> Result<(), Fault> {
        let mut seen = BTreeSet::from([structure.name.as_str()]);
        let mut current = structure;
        while !current.base.is_empty() {
            let base = self.structs.get(self.resolve(&current.base));
            let unknown = || {
                Fault::new(FaultKind::INVALID_TYPE_INSIDE_ABI, format!("Unknown struct {}", current.base))
            };
            let base = base.ok_or_else(unknown)?;
            let fresh = seen.insert(&base.name);
            ensure!(fresh, ABI_CIRCULAR_DEF_EXCEPTION, "Circular reference in struct {}", structure.name);
            current = base;
        }
        Ok(())
    }
}
