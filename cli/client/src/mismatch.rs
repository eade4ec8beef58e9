//! Which argument of an action is wrong, for people: an ABI's own faults name types of C++ and no field.

use abi::{Abi, AbiDefinition, FieldDefinition, Limits, StructDefinition};
use serde_json::Value;

/// Given values longer than this are cut in a message, or only described.
const SHOWN_CHARS: usize = 60;
/// Structs inside structs are followed so far.
const DEPTH_MAX: usize = 32;

/// What is wrong with a value that does not fit a type.
pub fn mismatch(abi: &Abi, definition: &AbiDefinition, kind: &str, value: &Value) -> String {
    Search { abi, definition }.value(kind, value, "", 0)
}

/// What is wrong with a value of one of the chain's own types (`authority`, `permission_level[]`, `transaction`), if
/// anything is. Fields of `defaults` may be left out.
pub fn mismatch_of_chain_type(kind: &str, value: &Value, defaults: &Value) -> Option<String> {
    let definition = AbiDefinition::from_account(&primitives::system_abi()).ok().flatten()?;
    let abi = Abi::new(definition.clone(), &Limits::default()).ok()?;
    let mut whole = value.clone();
    if let (Some(fields), Some(defaults)) = (whole.as_object_mut(), defaults.as_object()) {
        for (name, default) in defaults {
            fields.entry(name.as_str()).or_insert_with(|| default.clone());
        }
    }
    abi.encode(kind, &whole, &Limits::default()).err().map(|_| mismatch(&abi, &definition, kind, &whole))
}

struct Search<'a> {
    abi: &'a Abi,
    definition: &'a AbiDefinition,
}

impl Search<'_> {
    fn fits(&self, kind: &str, value: &Value) -> bool {
        self.abi.encode(kind, value, &Limits::default()).is_ok()
    }

    /// The type behind a name.
    fn resolve<'b>(&'b self, mut kind: &'b str) -> &'b str {
        for _ in 0..DEPTH_MAX {
            match self.definition.types.iter().find(|alias| alias.new_type_name == kind) {
                Some(alias) => kind = &alias.kind,
                None => break,
            }
        }
        kind
    }

    /// `path` is empty for the arguments as a whole.
    fn value(&self, kind: &str, value: &Value, path: &str, depth: usize) -> String {
        let kind = self.resolve(kind.strip_suffix('$').unwrap_or(kind));
        if depth == DEPTH_MAX {
            return describe(kind, value, path);
        }
        if let (Some(inner), Value::Array(items)) = (kind.strip_suffix("[]"), value) {
            let wrong = items.iter().enumerate().find(|(_, item)| !self.fits(inner, item));
            return wrong.map_or_else(
                || describe(kind, value, path),
                |(index, item)| self.value(inner, item, &format!("{path}[{index}]"), depth + 1),
            );
        }
        if let Some(inner) = kind.strip_suffix('?') {
            return self.value(inner, value, path, depth + 1);
        }
        match self.definition.structs.iter().find(|known| known.name == kind) {
            Some(known) => self.fields(known, value, path, depth),
            None => describe(kind, value, path),
        }
    }

    /// The fields of a struct and, before them, those of the structs that it extends.
    fn all_fields<'b>(&'b self, known: &'b StructDefinition) -> Vec<&'b FieldDefinition> {
        let mut levels = vec![known];
        while let Some(base) = levels.last().filter(|last| !last.base.is_empty() && levels.len() < DEPTH_MAX) {
            let base = self.resolve(&base.base);
            let Some(next) = self.definition.structs.iter().find(|known| known.name == base) else { break };
            levels.push(next);
        }
        levels.iter().rev().flat_map(|level| &level.fields).collect()
    }

    fn fields(&self, known: &StructDefinition, value: &Value, path: &str, depth: usize) -> String {
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let known = self.all_fields(known);
        let names = || known.iter().map(|field| &*field.name).collect::<Vec<_>>();
        let optional = |kind: &str| kind.ends_with(['?', '$']);
        let given = |name: &str, index: usize| match value {
            Value::Object(fields) => fields.get(name),
            Value::Array(items) => items.get(index),
            _ => None,
        };
        if !value.is_object() && !value.is_array() {
            return format!("{} expected, not {}", shape(&known), shown(value));
        }
        for (index, field) in known.iter().enumerate() {
            match given(&field.name, index) {
                Some(item) if !self.fits(field.kind.trim_end_matches('$'), item) => {
                    return self.value(&field.kind, item, &below(&field.name), depth + 1);
                }
                None if !optional(&field.kind) => {
                    let near = value.as_object().and_then(|fields| {
                        let unknown = fields.keys().filter(|key| !names().contains(&key.as_str()));
                        unknown.min_by_key(|key| differences(key, &field.name)).cloned()
                    });
                    let typo = near.map_or_else(String::new, |key| format!("; there is no {:?}", below(&key)));
                    return format!(
                        "{} ({}) is missing{typo}; {} expected",
                        below(&field.name),
                        field.kind,
                        shape(&known)
                    );
                }
                _ => {}
            }
        }
        format!("{} expected, not {}", shape(&known), shown(value))
    }
}

/// Letters that two names do not share in place; small for a typo.
fn differences(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).filter(|(a, b)| a == b).count();
    a.len().max(b.len()) - same
}

/// The fields of a struct.
fn shape(known: &[&FieldDefinition]) -> String {
    if known.is_empty() {
        return "no arguments, which is [] or {},".to_owned();
    }
    let fields: Vec<_> = known.iter().map(|field| format!("{}: {}", field.name, field.kind)).collect();
    format!("{{{}}}", fields.join(", "))
}

fn describe(kind: &str, value: &Value, path: &str) -> String {
    let path = if path.is_empty() { "the value" } else { path };
    let like = example(kind).map_or_else(|| ",".to_owned(), |example| format!(", which looks like {example},"));
    format!("{path} has to be {kind}{like} not {}", shown(value))
}

fn example(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "name" => "alice (up to 12 characters of a-z, 1-5 and dot)",
        "asset" => "\"1.0000 SYS\"",
        "extended_asset" => "{\"quantity\": \"1.0000 SYS\", \"contract\": \"eosio.token\"}",
        "symbol" => "4,SYS",
        "symbol_code" => "SYS",
        "bool" => "true or false",
        "public_key" => "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV",
        "checksum160" => "40 hexadecimal digits",
        "checksum256" => "64 hexadecimal digits",
        "checksum512" => "128 hexadecimal digits",
        "bytes" => "hexadecimal digits, two a byte",
        "time_point" | "block_timestamp_type" => "2030-01-31T12:00:00.000",
        "time_point_sec" => "2030-01-31T12:00:00",
        "float128" => "0x and 32 hexadecimal digits",
        "uint8" => "a whole number from 0 to 255",
        "uint16" => "a whole number from 0 to 65535",
        "uint32" | "varuint32" => "a whole number from 0 to 4294967295",
        "uint64" => "a whole number from 0 to 18446744073709551615",
        "int8" => "a whole number from -128 to 127",
        "int16" => "a whole number from -32768 to 32767",
        "int32" | "varint32" => "a whole number from -2147483648 to 2147483647",
        "int64" => "a whole number from -9223372036854775808 to 9223372036854775807",
        "uint128" | "int128" => "a whole number in quotes",
        "float32" | "float64" => "1.5",
        _ if kind.ends_with("[]") => "a list in [ ]",
        _ => return None,
    })
}

/// A given value with the word for its sort.
fn shown(value: &Value) -> String {
    let sort = match value {
        Value::Null => return "null".to_owned(),
        Value::Bool(_) => "the flag",
        Value::Number(_) => "the number",
        Value::String(_) => "the text",
        Value::Array(_) => "the list",
        Value::Object(_) => "the object",
    };
    let text = value.to_string();
    match (text.chars().count() <= SHOWN_CHARS, value) {
        (true, _) => format!("{sort} {text}"),
        (false, Value::Array(items)) => format!("a list of {} items", items.len()),
        (false, Value::Object(fields)) => {
            format!("an object with {}", fields.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
        }
        (false, _) => format!("{sort} {}...", text.chars().take(SHOWN_CHARS).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(value: &Value) -> String {
        let field = |name: &str, kind: &str| json!({ "name": name, "type": kind });
        let definition: AbiDefinition = serde_json::from_value(json!({
            "version": "eosio::abi/1.1",
            "types": [{ "new_type_name": "account_name", "type": "name" }],
            "structs": [
                { "name": "pay", "base": "", "fields": [
                    field("to", "account_name"), field("quantity", "asset"), field("parts", "part[]"), field("memo", "string?"),
                ] },
                { "name": "part", "base": "thing", "fields": [field("weight", "uint16")] },
                { "name": "thing", "base": "", "fields": [field("title", "string")] },
            ],
        }))
        .expect("an ABI");
        let abi = Abi::new(definition.clone(), &Limits::default()).expect("a valid ABI");
        mismatch(&abi, &definition, "pay", value)
    }

    #[test]
    fn the_wrong_argument_is_named() {
        let shape = "{to: account_name, quantity: asset, parts: part[], memo: string?} expected";
        let table = [
            (
                json!([1, "1 SYS", [], ""]),
                "to has to be name, which looks like alice (up to 12 characters of a-z, 1-5 and dot), not the number 1"
                    .to_owned(),
            ),
            (
                json!(["bob", "1", [], ""]),
                "quantity has to be asset, which looks like \"1.0000 SYS\", not the text \"1\"".to_owned(),
            ),
            (
                json!(["bob", "1 SYS", {}, ""]),
                "parts has to be part[], which looks like a list in [ ], not the object {}".to_owned(),
            ),
            (
                json!(["bob", "1 SYS", [{"title": "a", "weight": 1}, {"title": "b", "weight": "x"}], ""]),
                "parts[1].weight has to be uint16, which looks like a whole number from 0 to 65535, not the text \"x\""
                    .to_owned(),
            ),
            (json!(["bob"]), format!("quantity (asset) is missing; {shape}")),
            (
                json!({"to": "bob", "quantty": "1 SYS"}),
                format!("quantity (asset) is missing; there is no \"quantty\"; {shape}"),
            ),
            (json!("bob"), format!("{shape}, not the text \"bob\"")),
            (
                json!({"to": "bob", "quantity": "1 SYS", "parts": [{"title": ""}], "memo": null}),
                "parts[0].weight (uint16) is missing; {title: string, weight: uint16} expected".to_owned(),
            ),
            (
                json!({"to": "bob", "quantity": "1 SYS", "parts": [{"title": [], "weight": 1}], "memo": null}),
                "parts[0].title has to be string, not the list []".to_owned(),
            ),
        ];
        for (value, message) in table {
            assert_eq!(told(&value), message, "{value}");
        }
    }
}
