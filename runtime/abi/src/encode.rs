//! JSON to packed bytes.

use codec::{Pack, VarUint32};
use primitives::{Fault, FaultKind, ensure};
use serde_json::{Map, Value};

use crate::builtin::{Builtin, as_array, as_str, pack_length};
use crate::checked::{Abi, fundamental};
use crate::context::{Context, Root, Step};
use crate::definition::{StructDefinition, VariantDefinition};
use crate::limits::Limits;

/// Most bytes that a value may take.
const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

impl Abi {
    /// The packed bytes of a JSON value. For an unknown type, the value is the hex text of the bytes.
    ///
    /// # Errors
    /// `pack_exception` and other chain faults with nodeos' messages.
    pub fn encode(&self, kind: &str, value: &Value, limits: &Limits<'_>) -> Result<Vec<u8>, Fault> {
        let mut context = Context::new(self, kind, *limits);
        context.scope(|context| {
            if !context.abi.is_type_at(kind, context.depth(), limits)? {
                return primitives::json::bytes_of_hex(as_str(value)?);
            }
            let mut out = Vec::new();
            encode_value(context, kind, value, &mut out)?;
            Ok(out)
        })
    }
}

fn encode_value<'a>(context: &mut Context<'a>, kind: &'a str, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    context.scope(|context| {
        let kind = context.abi.resolve(kind);
        let inner = fundamental(kind);
        if let Some(builtin) = Builtin::of(inner) {
            encode_builtin(builtin, kind, value, out)?;
        } else if kind.ends_with("[]") {
            encode_array(context, inner, value, out)?;
        } else if kind.ends_with('?') {
            (!value.is_null()).pack(out);
            if !value.is_null() {
                encode_value(context, inner, value, out)?;
            }
        } else if let Some(definition) = context.abi.variant_of(kind) {
            encode_variant(context, definition, value, out)?;
        } else if let Some(definition) = context.abi.struct_of(kind) {
            context.hint(Root::Struct(&definition.name));
            match value {
                Value::Object(fields) => encode_object(context, definition, value, fields, out)?,
                Value::Array(items) => encode_items(context, definition, items, out)?,
                _ => {
                    let path = context.path();
                    let message = format!("Unexpected input encountered while processing struct '{path}'");
                    return Err(Fault::new(FaultKind::PACK_EXCEPTION, message));
                }
            }
        } else {
            let message = format!("Unknown type {}", context.name(kind));
            return Err(Fault::new(FaultKind::INVALID_TYPE_INSIDE_ABI, message));
        }
        let over = out.len().saturating_sub(OUTPUT_BYTES_MAX);
        ensure!(over == 0, OUT_OF_RANGE_EXCEPTION, "write datastream of length {OUTPUT_BYTES_MAX} over by {over}");
        Ok(())
    })
}

fn encode_builtin(builtin: Builtin, kind: &str, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    if kind.ends_with("[]") {
        return builtin.encode_array(value, out);
    }
    if kind.ends_with('?') {
        (!value.is_null()).pack(out);
        if value.is_null() {
            return Ok(());
        }
    }
    builtin.encode(value, out)
}

fn encode_array<'a>(context: &mut Context<'a>, inner: &'a str, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    context.hint(Root::Array);
    let items = as_array(value)?;
    pack_length(items.len(), out)?;
    context.step(Step::Index { hint: Root::Unknown, index: 0 }, |context| {
        context.extensions_only_if(false, |context| {
            items.iter().enumerate().try_for_each(|(index, item)| {
                context.set_index(index);
                encode_value(context, inner, item, out)
            })
        })
    })
}

fn encode_variant<'a>(
    context: &mut Context<'a>,
    definition: &'a VariantDefinition,
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    context.hint(Root::Variant(&definition.name));
    let Some([kind, value]) = value.as_array().map(Vec::as_slice) else {
        let path = context.path();
        let message = format!("Expected input to be an array of two items while processing variant '{path}'");
        return Err(Fault::new(FaultKind::PACK_EXCEPTION, message));
    };
    let Some(kind) = kind.as_str() else {
        let path = context.path();
        let message = format!("Encountered non-string as first item of input array while processing variant '{path}'");
        return Err(Fault::new(FaultKind::PACK_EXCEPTION, message));
    };
    let Some(ordinal) = definition.types.iter().position(|case| **case == *kind) else {
        let (kind, path) = (context.name(kind), context.path());
        let message = format!("Specified type '{kind}' in input array is not valid within the variant '{path}'");
        return Err(Fault::new(FaultKind::PACK_EXCEPTION, message));
    };
    VarUint32(ordinal as u32).pack(out);
    let step = Step::Case { parent: definition, ordinal };
    context.step(step, |context| encode_value(context, &definition.types[ordinal], value, out))
}

fn without_extension_mark(kind: &str) -> &str {
    kind.strip_suffix('$').unwrap_or(kind)
}

fn encode_object<'a>(
    context: &mut Context<'a>,
    definition: &'a StructDefinition,
    value: &Value,
    fields: &Map<String, Value>,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    if !definition.base.is_empty() {
        context.extensions_only_if(false, |context| {
            let base = context.abi.resolve(&definition.base);
            encode_value(context, base, value, out)
        })?;
    }
    let mut extension_missing = false;
    for (ordinal, field) in definition.fields.iter().enumerate() {
        let given = fields.get(&*field.name);
        if given.is_some() || field.kind.ends_with('?') {
            if extension_missing {
                let (name, path) = (context.name(&field.name), context.path());
                let message =
                    format!("Unexpected field '{name}' found in input object while processing struct '{path}'");
                return Err(Fault::new(FaultKind::PACK_EXCEPTION, message));
            }
            encode_field(context, definition, ordinal, given.unwrap_or(&Value::Null), out)?;
        } else if field.kind.ends_with('$') && context.extensions_allowed {
            extension_missing = true;
        } else {
            return Err(missing_field(context, &field.name, extension_missing));
        }
    }
    Ok(())
}

fn encode_field<'a>(
    context: &mut Context<'a>,
    definition: &'a StructDefinition,
    ordinal: usize,
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let kind = without_extension_mark(&definition.fields[ordinal].kind);
    let last = ordinal + 1 == definition.fields.len();
    context.step(Step::Field { parent: definition, ordinal }, |context| {
        context.extensions_only_if(last, |context| encode_value(context, kind, value, out))
    })
}

fn missing_field(context: &Context<'_>, field: &str, extension_missing: bool) -> Fault {
    let (field, path) = (context.name(field), context.path());
    if extension_missing {
        let message = format!(
            "Encountered field '{field}' without binary extension designation while processing struct '{path}'"
        );
        return Fault::new(FaultKind::ABI_EXCEPTION, message);
    }
    let message = format!("Missing field '{field}' in input object while processing struct '{path}'");
    Fault::new(FaultKind::PACK_EXCEPTION, message)
}

fn encode_items<'a>(
    context: &mut Context<'a>,
    definition: &'a StructDefinition,
    items: &[Value],
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    ensure!(
        definition.base.is_empty(),
        INVALID_TYPE_INSIDE_ABI,
        "Using input array to specify the fields of the derived struct '{}'; input arrays are currently only allowed for structs without a base",
        context.path()
    );
    for (ordinal, field) in definition.fields.iter().enumerate() {
        match items.get(ordinal) {
            Some(item) => encode_field(context, definition, ordinal, item, out)?,
            None if field.kind.ends_with('$') && context.extensions_allowed => break,
            None => {
                let (path, name) = (context.path(), context.name(&field.name));
                let message = format!(
                    "Early end to input array specifying the fields of struct '{path}'; require input for field '{name}'"
                );
                return Err(Fault::new(FaultKind::PACK_EXCEPTION, message));
            }
        }
    }
    Ok(())
}
