//! A definition that was checked: every type is known, nothing refers to itself, no name is taken twice.

use std::collections::{BTreeMap, HashSet};
use std::ops::Deref;

use primitives::{Fault, FaultKind, Name, ensure};

use crate::builtin::Builtin;
use crate::definition::{AbiDefinition, StructDefinition, VariantDefinition};
use crate::limits::{DEPTH_START, Limits};
use crate::text::{Text, said};

/// A checked ABI, ready to decode and encode.
#[derive(Debug, Clone, Default)]
pub struct Abi {
    typedefs: BTreeMap<Text, Text>,
    structs: BTreeMap<Text, StructDefinition>,
    variants: BTreeMap<Text, VariantDefinition>,
    actions: BTreeMap<Name, Text>,
    tables: BTreeMap<Name, Text>,
    action_results: BTreeMap<Name, Text>,
    error_messages: BTreeMap<u64, Text>,
}

/// Moves items into a map.
///
/// # Errors
/// `kind` when two have the same key.
fn index<K: Ord, V>(
    items: impl ExactSizeIterator<Item = (K, V)>,
    kind: FaultKind,
    what: &str,
) -> Result<BTreeMap<K, V>, Fault> {
    let count = items.len();
    let map: BTreeMap<K, V> = items.collect();
    match map.len() == count {
        true => Ok(map),
        false => Err(Fault::new(kind, format!("duplicate {what} definition detected"))),
    }
}

/// What an array or optional is of; any other type is itself.
pub(crate) fn fundamental(kind: &str) -> &str {
    if let Some(inner) = kind.strip_suffix("[]") {
        return inner;
    }
    if is_sized_array(kind) {
        return &kind[..kind.rfind('[').unwrap_or(kind.len())];
    }
    kind.strip_suffix('?').unwrap_or(kind)
}

/// Whether digits stand between the last brackets.
fn is_sized_array(kind: &str) -> bool {
    let (Some(open), Some(close)) = (kind.rfind('['), kind.rfind(']')) else { return false };
    kind.get(open + 1..close).is_some_and(|size| !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit()))
        || open > close
}

impl Abi {
    /// Checks a definition.
    ///
    /// # Errors
    /// `unsupported_abi_version_exception`, `duplicate_abi_*_exception`, `invalid_type_inside_abi`,
    /// `abi_circular_def_exception`, `abi_recursion_depth_exception`, `abi_serialization_deadline_exception`.
    pub fn new(definition: AbiDefinition, limits: &Limits<'_>) -> Result<Self, Fault> {
        ensure!(
            definition.version.starts_with("eosio::abi/1."),
            UNSUPPORTED_ABI_VERSION_EXCEPTION,
            "ABI has an unsupported version"
        );
        let mut abi = Self::default();
        let structs = definition.structs.into_iter().map(|item| (item.name.clone(), item));
        abi.structs = index(structs, FaultKind::DUPLICATE_ABI_STRUCT_DEF_EXCEPTION, "struct")?;
        for item in definition.types {
            let known = abi.is_type_at(&item.new_type_name, DEPTH_START, limits)?;
            ensure!(!known, DUPLICATE_ABI_TYPE_DEF_EXCEPTION, "type already exists");
            abi.typedefs.insert(item.new_type_name, item.kind);
        }
        let actions = definition.actions.into_iter().map(|item| (item.name, item.kind));
        abi.actions = index(actions, FaultKind::DUPLICATE_ABI_ACTION_DEF_EXCEPTION, "action")?;
        let tables = definition.tables.into_iter().map(|item| (item.name, item.kind));
        abi.tables = index(tables, FaultKind::DUPLICATE_ABI_TABLE_DEF_EXCEPTION, "table")?;
        let messages = definition.error_messages.into_iter().map(|item| (item.error_code, item.error_msg));
        abi.error_messages = index(messages, FaultKind::DUPLICATE_ABI_ERR_MSG_DEF_EXCEPTION, "error message")?;
        let variants = definition.variants.into_iter().map(|item| (item.name.clone(), item));
        abi.variants = index(variants, FaultKind::DUPLICATE_ABI_VARIANT_DEF_EXCEPTION, "variant")?;
        let results = definition.action_results.into_iter().map(|item| (item.name, item.result_type));
        abi.action_results = index(results, FaultKind::DUPLICATE_ABI_ACTION_RESULTS_DEF_EXCEPTION, "action results")?;
        abi.validate(limits)?;
        Ok(abi)
    }

    /// Reads the ABI that an account stores; `None` when the account has none.
    ///
    /// # Errors
    /// As [`Abi::new`], or a decoding fault.
    pub fn from_account(bytes: &[u8], limits: &Limits<'_>) -> Result<Option<Self>, Fault> {
        AbiDefinition::from_account(bytes)?.map(|definition| Self::new(definition, limits)).transpose()
    }

    /// The actions it tells of.
    pub fn actions(&self) -> impl Iterator<Item = Name> {
        self.actions.keys().copied()
    }

    /// Type of an action's arguments.
    pub fn action_type(&self, action: Name) -> Option<&str> {
        self.actions.get(&action).map(Deref::deref).filter(|kind| !kind.is_empty())
    }

    /// Type of a table's rows.
    pub fn table_type(&self, table: Name) -> Option<&str> {
        self.tables.get(&table).map(Deref::deref).filter(|kind| !kind.is_empty())
    }

    /// Type of an action's return value.
    pub fn action_result_type(&self, action: Name) -> Option<&str> {
        self.action_results.get(&action).map(Deref::deref).filter(|kind| !kind.is_empty())
    }

    /// Text of a contract's error code.
    pub fn error_message(&self, code: u64) -> Option<&str> {
        self.error_messages.get(&code).map(Deref::deref)
    }

    pub(crate) fn struct_of(&self, kind: &str) -> Option<&StructDefinition> {
        self.structs.get(kind)
    }

    pub(crate) fn variant_of(&self, kind: &str) -> Option<&VariantDefinition> {
        self.variants.get(kind)
    }

    /// Whether a type is built in or defined here, or an array or optional of such.
    ///
    /// # Errors
    /// `abi_recursion_depth_exception`.
    pub fn is_type(&self, kind: &str, limits: &Limits<'_>) -> Result<bool, Fault> {
        self.is_type_at(kind, DEPTH_START, limits)
    }

    pub(crate) fn is_type_at(&self, kind: &str, depth: usize, limits: &Limits<'_>) -> Result<bool, Fault> {
        let depth = depth + 1;
        limits.check(depth)?;
        let kind = fundamental(kind);
        if Builtin::of(kind).is_some() {
            return Ok(true);
        }
        if let Some(target) = self.typedefs.get(kind) {
            return self.is_type_at(target, depth, limits);
        }
        Ok(self.structs.contains_key(kind) || self.variants.contains_key(kind))
    }

    /// Follows type definitions to their end.
    pub(crate) fn resolve<'a>(&'a self, kind: &'a str) -> &'a str {
        let mut current = kind;
        for _ in 0..=self.typedefs.len() {
            match self.typedefs.get(current) {
                Some(target) => current = target,
                None => return current,
            }
        }
        kind
    }

    /// Checks that a type is known; the fault says it as it is `written`.
    fn require_type(&self, kind: &str, written: &str, limits: &Limits<'_>) -> Result<(), Fault> {
        limits.check(DEPTH_START)?;
        ensure!(self.is_type_at(kind, DEPTH_START, limits)?, INVALID_TYPE_INSIDE_ABI, "{}", said(written));
        Ok(())
    }

    fn validate(&self, limits: &Limits<'_>) -> Result<(), Fault> {
        self.validate_typedefs(limits)?;
        let mut ending = HashSet::new();
        for definition in self.structs.values() {
            self.validate_bases(definition, &mut ending, limits)?;
            for field in &definition.fields {
                self.require_type(field.kind.strip_suffix('$').unwrap_or(&field.kind), &field.kind, limits)?;
            }
        }
        let cases = self.variants.values().flat_map(|variant| &variant.types);
        let named = self.actions.values().chain(self.tables.values()).chain(self.action_results.values());
        cases.chain(named).try_for_each(|kind| self.require_type(kind, kind, limits))
    }

    /// Follows each type definition to its end. What has been followed once is not followed again: the cost is linear.
    fn validate_typedefs(&self, limits: &Limits<'_>) -> Result<(), Fault> {
        let mut ending: HashSet<&str> = HashSet::new();
        for (name, target) in &self.typedefs {
            let mut path: HashSet<&str> = HashSet::from([&**name, &**target]);
            let mut current = target;
            while !ending.contains(&**current)
                && let Some(next) = self.typedefs.get(current)
            {
                limits.check(DEPTH_START)?;
                ensure!(path.insert(next), ABI_CIRCULAR_DEF_EXCEPTION, "Circular reference in type {}", said(name));
                current = next;
            }
            ending.extend(path);
        }
        self.typedefs.values().try_for_each(|target| self.require_type(target, target, limits))
    }

    /// Follows the bases of a struct to the last one, or to one that is known to be in `ending`.
    fn validate_bases<'a>(
        &'a self,
        definition: &'a StructDefinition,
        ending: &mut HashSet<&'a str>,
        limits: &Limits<'_>,
    ) -> Result<(), Fault> {
        let (mut current, mut path) = (definition, HashSet::from([&*definition.name]));
        while !current.base.is_empty() && !ending.contains(&*current.name) {
            limits.check(DEPTH_START)?;
            let base = self.structs.get(self.resolve(&current.base)).ok_or_else(|| {
                Fault::new(FaultKind::INVALID_TYPE_INSIDE_ABI, format!("Unknown struct {}", said(&current.base)))
            })?;
            let name = &definition.name;
            let fresh = path.insert(&base.name);
            ensure!(fresh, ABI_CIRCULAR_DEF_EXCEPTION, "Circular reference in struct {}", said(name));
            current = base;
        }
        ending.extend(path);
        Ok(())
    }
}
