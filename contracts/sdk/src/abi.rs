//! The description of a contract, made on the build machine from the same types the contract is made of.
//!
//! `#[contract]` writes a function `abi()`; the build runs it and writes `NAME.abi`. Nothing of this is in the module.

use crate::action::{Action, PermissionLevel};
use crate::codec::{Extension, Ignore, VarInt32, VarUint32};
use std::collections::BTreeMap;

/// A contract's ABI while it is being gathered; types are added once, by name.
#[derive(Default)]
pub struct Abi {
    types: BTreeMap<String, String>,
    structs: BTreeMap<String, (String, Vec<(String, String)>)>,
    variants: BTreeMap<String, Vec<String>>,
    /// What each name stands for in the source, so that no two things share one unseen.
    sources: BTreeMap<String, String>,
    faults: Vec<String>,
    actions: BTreeMap<String, (String, String)>,
    tables: BTreeMap<String, String>,
    clauses: Vec<(String, String)>,
    results: BTreeMap<String, String>,
}

/// A type that has a name in ABIs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no name in ABIs, so nobody could send or read it",
    label = "not a type of the chain",
    note = "for a struct or enum of your own: #[derive(Record)]; for bytes: Vec<u8>, &[u8] or a Checksum; \
            isize and usize are no types of ABIs, and a tuple has at most 8 values"
)]
pub trait AbiType {
    /// The type's name; a struct or variant adds itself to `abi` first.
    fn describe(abi: &mut Abi) -> String;
}

impl Abi {
    /// Adds a struct unless it is there; `fields` is asked only then, so that types may refer to themselves. `source`
    /// says what it is in the source: two things of one name are a fault of the ABI.
    pub fn add_struct(
        &mut self,
        name: &str,
        source: &str,
        fields: impl FnOnce(&mut Self) -> (String, Vec<(String, String)>),
    ) -> String {
        if self.claim(name, source) {
            self.structs.insert(name.into(), Default::default());
            let described = fields(self);
            self.check_extensions(source, &described.1);
            self.structs.insert(name.into(), described);
        }
        name.into()
    }

    /// Adds a variant unless it is there; as [`Self::add_struct`].
    pub fn add_variant(&mut self, name: &str, source: &str, kinds: impl FnOnce(&mut Self) -> Vec<String>) -> String {
        if self.claim(name, source) {
            self.variants.insert(name.into(), Vec::new());
            let described = kinds(self);
            for (at, kind) in described.iter().enumerate().filter(|(at, kind)| described[..*at].contains(kind)) {
                self.faults.push(format!(
                    "{source}: the case {at} is {kind}, as an earlier one is, so that nobody could send it; \
                     give it a name of its own: #[abi(name = \"...\")] on the case"
                ));
            }
            self.variants.insert(name.into(), described);
        }
        name.into()
    }

    /// Whether the name is new. Notes a fault when something else has it.
    fn claim(&mut self, name: &str, source: &str) -> bool {
        let other = match self.sources.get(name) {
            Some(known) if known == source => return false,
            Some(known) => known.clone(),
            None if BUILT_IN.contains(&name) => "a type that every ABI has".into(),
            None => {
                self.sources.insert(name.into(), source.into());
                return true;
            }
        };
        self.faults.push(format!(
            "two types are called {name:?} in the ABI: {source}, and {other}; \
             give one another name: #[abi(name = \"...\")] on the struct, #[action(\"...\")] on the action"
        ));
        false
    }

    /// A field that older data may lack is followed only by such fields, and stands in no list or optional.
    fn check_extensions(&mut self, source: &str, fields: &[(String, String)]) {
        let is_extension = |kind: &str| kind.ends_with('$');
        let first = fields.iter().position(|(_, kind)| is_extension(kind)).unwrap_or(fields.len());
        for (name, kind) in fields.iter().skip(first).filter(|(_, kind)| !is_extension(kind)) {
            self.faults.push(format!("{source}: the field {name} ({kind}) follows an Extension, which must be last"));
        }
        for (name, kind) in fields.iter().filter(|(_, kind)| kind.trim_end_matches('$').contains('$')) {
            self.faults.push(format!("{source}: the field {name} is {kind}, but an Extension stands in nothing else"));
        }
    }

    /// Adds the name that a variant's case has of its own; `source` is the case.
    pub fn add_case(&mut self, name: &str, source: &str, of: String) -> String {
        if self.claim(name, source) {
            self.types.insert(name.into(), of);
        }
        name.into()
    }

    /// Adds another name for a type.
    pub fn add_alias(&mut self, name: &str, of: String) -> String {
        self.types.insert(name.into(), of);
        name.into()
    }

    /// Adds an action with its ricardian contract; the struct of its arguments has its name.
    pub fn add_action(&mut self, name: &str, documentation: &str) {
        self.actions.insert(name.into(), (name.into(), ricardian(name, documentation)));
    }

    /// Adds what an action returns.
    pub fn add_result(&mut self, action: &str, kind: String) {
        self.results.insert(action.into(), kind);
    }

    /// Adds a table of rows of type `R`.
    pub fn add_table<R: AbiType>(&mut self, name: &str) {
        let kind = R::describe(self);
        if let Some(other) = self.tables.insert(name.into(), kind.clone()).filter(|other| *other != kind) {
            self.faults.push(format!("the table {name:?} has rows of two kinds: {other} and {kind}"));
        }
    }

    /// Adds a ricardian clause.
    pub fn add_clause(&mut self, id: &str, body: &str) {
        self.clauses.push((id.into(), body.into()));
    }

    /// The ABI as the JSON file that `cleos set abi` reads.
    ///
    /// # Errors
    /// Each line says what no ABI can express and how to change it.
    pub fn to_json(&self) -> Result<String, String> {
        if !self.faults.is_empty() {
            return Err(self.faults.join("\n"));
        }
        let pair = |a: &str, x: &str, b: &str, y: &str| {
            format!("{{ {}: {}, {}: {} }}", quote(a), quote(x), quote(b), quote(y))
        };
        let list = |items: Vec<String>| match items.is_empty() {
            true => "[]".to_string(),
            false => format!("[\n        {}\n    ]", items.join(",\n        ")),
        };
        let types = self.types.iter().map(|(name, of)| pair("new_type_name", name, "type", of)).collect();
        let structs = self.structs.iter().map(|(name, (base, fields))| {
            let fields: Vec<_> = fields.iter().map(|(field, kind)| pair("name", field, "type", kind)).collect();
            format!("{{ \"name\": {}, \"base\": {}, \"fields\": [{}] }}", quote(name), quote(base), fields.join(", "))
        });
        let actions = self.actions.iter().map(|(name, (kind, ricardian))| {
            let contract = quote(ricardian);
            format!("{{ \"name\": {}, \"type\": {}, \"ricardian_contract\": {contract} }}", quote(name), quote(kind))
        });
        let tables = self.tables.iter().map(|(name, kind)| {
            let (name, kind) = (quote(name), quote(kind));
            format!("{{ \"name\": {name}, \"type\": {kind}, \"index_type\": \"i64\", \"key_names\": [], \"key_types\": [] }}")
        });
        let clauses = self.clauses.iter().map(|(id, body)| pair("id", id, "body", body)).collect();
        let variants = self.variants.iter().map(|(name, kinds)| {
            let kinds: Vec<_> = kinds.iter().map(|kind| quote(kind)).collect();
            format!("{{ \"name\": {}, \"types\": [{}] }}", quote(name), kinds.join(", "))
        });
        let results = self.results.iter().map(|(name, kind)| pair("name", name, "result_type", kind)).collect();
        let sections = [
            ("types", list(types)),
            ("structs", list(structs.collect())),
            ("actions", list(actions.collect())),
            ("tables", list(tables.collect())),
            ("ricardian_clauses", list(clauses)),
            ("error_messages", "[]".into()),
            ("abi_extensions", "[]".into()),
            ("variants", list(variants.collect())),
            ("action_results", list(results)),
        ];
        let mut json = String::from("{\n    \"version\": \"eosio::abi/1.2\"");
        for (name, body) in sections {
            json.push_str(&format!(",\n    {}: {body}", quote(name)));
        }
        json.push_str("\n}\n");
        Ok(json)
    }
}

/// The ricardian contract of an action: its documentation under the heading that wallets want.
fn ricardian(name: &str, documentation: &str) -> String {
    let documentation = documentation.trim();
    if documentation.is_empty() {
        return String::new();
    }
    let summary = documentation.split("\n\n").next().unwrap_or_default().replace('\n', " ").replace('\'', "''");
    format!("---\nspec_version: \"0.2.0\"\ntitle: {name}\nsummary: '{summary}'\nicon:\n---\n\n{documentation}")
}

fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            control if control < ' ' => quoted.push_str(&format!("\\u{:04x}", control as u32)),
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}

macro_rules! built_in {
    ($($kind:ty => $name:literal),+ $(,)?) => {
        /// The types that every ABI has.
        const BUILT_IN: &[&str] = &[$($name),+];
        $(
        impl AbiType for $kind {
            fn describe(_: &mut Abi) -> String {
                $name.into()
            }
        }
        )+
    };
}
built_in! {
    bool => "bool", u8 => "uint8", i8 => "int8", u16 => "uint16", i16 => "int16", u32 => "uint32", i32 => "int32",
    u64 => "uint64", i64 => "int64", u128 => "uint128", i128 => "int128", f32 => "float32", f64 => "float64",
    VarInt32 => "varint32", VarUint32 => "varuint32", str => "string", String => "string",
    crate::bytestr::ByteStr<'_> => "string", crate::bytestr::ByteString => "string",
    crate::float128::Float128 => "float128", crate::name::Name => "name",
    crate::asset::Asset => "asset", crate::asset::ExtendedAsset => "extended_asset",
    crate::asset::Symbol => "symbol", crate::asset::SymbolCode => "symbol_code",
    crate::time::TimePoint => "time_point", crate::time::TimePointSec => "time_point_sec",
    crate::time::BlockTimestamp => "block_timestamp_type",
    crate::digest::Checksum160 => "checksum160", crate::digest::Checksum256 => "checksum256",
    crate::digest::Checksum512 => "checksum512",
    crate::key::PublicKey => "public_key", crate::key::Signature => "signature",
    [u8] => "bytes",
}

impl<T: AbiType + ?Sized> AbiType for &T {
    fn describe(abi: &mut Abi) -> String {
        T::describe(abi)
    }
}

impl<T: AbiType> AbiType for Box<T> {
    fn describe(abi: &mut Abi) -> String {
        T::describe(abi)
    }
}

/// What may stand in a list or an optional: another of them only under a name of its own, `B_vector_name_E` as CDT
/// calls it, because nodeos looks through one mark alone.
fn add_inner(abi: &mut Abi, kind: String) -> String {
    let alias = match (kind.strip_suffix("[]"), kind.strip_suffix('?')) {
        (Some(item), _) => format!("B_vector_{item}_E"),
        (_, Some(value)) => format!("B_optional_{value}_E"),
        _ => return kind,
    };
    abi.add_alias(&alias, kind)
}

impl<T: AbiType> AbiType for Vec<T> {
    fn describe(abi: &mut Abi) -> String {
        match T::describe(abi) {
            byte if byte == "uint8" => "bytes".into(),
            item => add_inner(abi, item) + "[]",
        }
    }
}

impl<T: AbiType> AbiType for Option<T> {
    fn describe(abi: &mut Abi) -> String {
        let value = T::describe(abi);
        add_inner(abi, value) + "?"
    }
}

impl<T: AbiType> AbiType for Extension<T> {
    fn describe(abi: &mut Abi) -> String {
        T::describe(abi) + "$"
    }
}

impl<T: AbiType + ?Sized> AbiType for Ignore<'_, T> {
    fn describe(abi: &mut Abi) -> String {
        T::describe(abi)
    }
}

/// A type as a part of another's name.
fn in_a_name(kind: &str) -> String {
    kind.replace(['[', ']', '?'], "_")
}

/// Describes a struct that has no name of its own: `pair_name_uint64`.
fn add_tuple(abi: &mut Abi, kind: &str, fields: Vec<(String, String)>) -> String {
    let parts: Vec<_> = fields.iter().map(|(_, kind)| in_a_name(kind)).collect();
    let name = format!("{kind}_{}", parts.join("_"));
    let source = format!("the {kind} of {fields:?}");
    abi.add_struct(&name, &source, |_| (String::new(), fields))
}

impl<A: AbiType, B: AbiType> AbiType for (A, B) {
    fn describe(abi: &mut Abi) -> String {
        let fields = vec![("first".into(), A::describe(abi)), ("second".into(), B::describe(abi))];
        add_tuple(abi, "pair", fields)
    }
}

macro_rules! tuples {
    ($($kind:ident $field:literal),+) => {
        impl<$($kind: AbiType),+> AbiType for ($($kind,)+) {
            fn describe(abi: &mut Abi) -> String {
                let fields = vec![$(($field.into(), $kind::describe(abi))),+];
                add_tuple(abi, "tuple", fields)
            }
        }
    };
}
tuples!(A "field_0", B "field_1", C "field_2");
tuples!(A "field_0", B "field_1", C "field_2", D "field_3");
tuples!(A "field_0", B "field_1", C "field_2", D "field_3", E "field_4");
tuples!(A "field_0", B "field_1", C "field_2", D "field_3", E "field_4", F "field_5");
tuples!(A "field_0", B "field_1", C "field_2", D "field_3", E "field_4", F "field_5", G "field_6");
tuples!(A "field_0", B "field_1", C "field_2", D "field_3", E "field_4", F "field_5", G "field_6", H "field_7");

/// A struct of so many fields, `array_uint64_3`: ABIs of this version have no lists of fixed length.
impl<T: AbiType, const N: usize> AbiType for [T; N] {
    fn describe(abi: &mut Abi) -> String {
        let item = T::describe(abi);
        let name = format!("array_{}_{N}", in_a_name(&item));
        let source = format!("the array of {N} {item}");
        let fields = (0..N).map(|at| (format!("item_{at}"), item.clone())).collect();
        abi.add_struct(&name, &source, |_| (String::new(), fields))
    }
}

impl<K: AbiType, V: AbiType> AbiType for BTreeMap<K, V> {
    fn describe(abi: &mut Abi) -> String {
        Vec::<(K, V)>::describe(abi)
    }
}

// The shapes below appear in every ABI that mentions them; a change of theirs is a change of the chain's format.
const _: fn() = || {
    fn described<T: AbiType>() {}
    described::<Action>();
    described::<PermissionLevel>();
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_written_with_their_marks() {
        let abi = &mut Abi::default();
        assert_eq!(Vec::<u8>::describe(abi), "bytes");
        assert_eq!(Option::<Vec<crate::name::Name>>::describe(abi), "B_vector_name_E?");
        assert_eq!(Vec::<Option<Option<u32>>>::describe(abi), "B_optional_B_optional_uint32_E_E[]");
        assert_eq!(Extension::<Option<u64>>::describe(abi), "uint64?$");
        assert_eq!(crate::authority::BlockSigningAuthority::describe(abi), "block_signing_authority");
        assert!(abi.to_json().expect("an ABI").contains("\"variant_block_signing_authority_v0\""));
        assert_eq!(BTreeMap::<String, (u8, u64, bool)>::describe(abi), "pair_string_tuple_uint8_uint64_bool[]");
    }

    #[test]
    fn two_things_of_one_name_are_a_fault() {
        let abi = &mut Abi::default();
        for source in ["here::Deal", "here::Deal", "the arguments of the action deal"] {
            abi.add_struct("deal", source, |_| Default::default());
        }
        abi.add_struct("name", "here::Name", |_| Default::default());
        let faults = abi.to_json().expect_err("faults");
        assert_eq!(faults.lines().count(), 2, "{faults}");
        assert!(faults.contains("the arguments of the action deal, and here::Deal"), "{faults}");
    }

    #[test]
    fn an_extension_is_last() {
        let abi = &mut Abi::default();
        abi.add_struct("row", "Row", |abi| {
            let fields = vec![("new".into(), Extension::<u64>::describe(abi)), ("old".into(), "name".into())];
            (String::new(), fields)
        });
        assert!(abi.to_json().expect_err("a fault").contains("Row: the field old (name) follows an Extension"));
    }
}
