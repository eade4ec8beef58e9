//! Packed bytes to JSON.

use codec::{Reader, Unpack, VarUint32};
use primitives::{Fault, FaultKind, ensure};
use serde_json::{Map, Value};

use crate::builtin::Builtin;
use crate::checked::{Abi, fundamental};
use crate::context::{Context, Root, Step};
use crate::limits::Limits;
use crate::text::said;

/// What a value costs beside its text, for the limit on output.
const VALUE_BYTES: usize = size_of::<Value>();

impl Abi {
    /// The JSON of packed bytes; bytes after the value are ignored.
    ///
    /// # Errors
    /// `unpack_exception` and other chain faults with nodeos' messages.
    pub fn decode(&self, kind: &str, bytes: &[u8], limits: &Limits<'_>) -> Result<Value, Fault> {
        let mut context = Context::new(self, kind, *limits);
        let mut input = Reader::new(bytes);
        context.scope(|context| decode_value(context, kind, &mut input))
    }
}

fn decode_value<'a>(context: &mut Context<'a>, kind: &'a str, input: &mut Reader<'_>) -> Result<Value, Fault> {
    context.scope(|context| {
        let before = input.remaining();
        let kind = context.abi.resolve(kind);
        let inner = fundamental(kind);
        let value = if let Some(builtin) = Builtin::of(inner) {
            let value = decode_builtin(context, builtin, kind, inner, input)?;
            context.count_output(value.as_array().map_or(0, Vec::len) * VALUE_BYTES)?;
            Ok(value)
        } else if kind.ends_with("[]") {
            decode_array(context, inner, input)
        } else if kind.ends_with('?') {
            match flag(context, input)? {
                0 => Ok(Value::Null),
                _ => decode_value(context, inner, input),
            }
        } else if let Some(definition) = context.abi.variant_of(kind) {
            context.hint(Root::Variant(&definition.name));
            let case = unpack_or(context, input, |path| format!("Unable to unpack tag of variant '{path}'"))? as usize;
            let Some(case_kind) = definition.types.get(case) else {
                let path = context.path();
                let message = format!("Unpacked invalid tag ({case}) for variant '{path}'");
                return Err(Fault::new(FaultKind::UNPACK_EXCEPTION, message));
            };
            let step = Step::Case { parent: definition, ordinal: case };
            let value = context.step(step, |context| decode_value(context, case_kind, input))?;
            context.count_output(case_kind.len())?;
            Ok(Value::Array(vec![Value::String(case_kind.to_string()), value]))
        } else {
            let mut fields = Map::new();
            decode_fields(context, kind, input, &mut fields)?;
            ensure!(!fields.is_empty(), UNPACK_EXCEPTION, "Unable to unpack '{}' from stream", context.path());
            Ok(Value::Object(fields))
        }?;
        context.count_output(VALUE_BYTES + before - input.remaining())?;
        Ok(value)
    })
}

fn decode_builtin(
    context: &Context<'_>,
    builtin: Builtin,
    kind: &str,
    inner: &str,
    input: &mut Reader<'_>,
) -> Result<Value, Fault> {
    let (class, value) = if kind.ends_with("[]") {
        ("array of built-in", builtin.decode_array(input).map(Value::Array))
    } else if kind.ends_with('?') {
        let present = bool::unpack(input).map_err(Fault::from);
        let value = present.and_then(|present| if present { builtin.decode(input) } else { Ok(Value::Null) });
        ("optional of built-in", value)
    } else {
        ("built-in", builtin.decode(input))
    };
    value.map_err(|fault| {
        let message = format!("Unable to unpack {class} type '{}' while processing '{}'", said(inner), context.path());
        fault.rethrown_as(FaultKind::UNPACK_EXCEPTION, message)
    })
}

fn decode_array<'a>(context: &mut Context<'a>, inner: &'a str, input: &mut Reader<'_>) -> Result<Value, Fault> {
    context.hint(Root::Array);
    let length = unpack_or(context, input, |path| format!("Unable to unpack size of array '{path}'"))?;
    context.step(Step::Index { hint: Root::Unknown, index: 0 }, |context| {
        let mut items = Vec::new();
        for index in 0..length as usize {
            context.set_index(index);
            items.push(decode_value(context, inner, input)?);
        }
        Ok(Value::Array(items))
    })
}

/// A variable-length number, or a fault with the path.
fn unpack_or(context: &Context<'_>, input: &mut Reader<'_>, message: impl Fn(&str) -> String) -> Result<u32, Fault> {
    VarUint32::unpack(input)
        .map(|number| number.0)
        .map_err(|error| Fault::from(error).rethrown_as(FaultKind::UNPACK_EXCEPTION, message(&context.path())))
}

/// The presence of an optional: any byte but zero means yes.
fn flag(context: &Context<'_>, input: &mut Reader<'_>) -> Result<u8, Fault> {
    u8::unpack(input).map_err(|error| {
        let message = format!("Unable to unpack presence flag of optional '{}'", context.path());
        Fault::from(error).rethrown_as(FaultKind::UNPACK_EXCEPTION, message)
    })
}

fn decode_fields<'a>(
    context: &mut Context<'a>,
    kind: &'a str,
    input: &mut Reader<'_>,
    fields: &mut Map<String, Value>,
) -> Result<(), Fault> {
    context.scope(|context| {
        let Some(definition) = context.abi.struct_of(kind) else {
            let message = format!("Unknown type {}", context.name(kind));
            return Err(Fault::new(FaultKind::INVALID_TYPE_INSIDE_ABI, message));
        };
        context.hint(Root::Struct(&definition.name));
        if !definition.base.is_empty() {
            decode_fields(context, context.abi.resolve(&definition.base), input, fields)?;
        }
        let mut extensions_begun = false;
        for (ordinal, field) in definition.fields.iter().enumerate() {
            let extension = field.kind.strip_suffix('$');
            extensions_begun |= extension.is_some();
            if input.remaining() == 0 {
                if extension.is_some() {
                    continue;
                }
                return Err(ended(context, &field.name, extensions_begun));
            }
            let kind = context.abi.resolve(extension.unwrap_or(&field.kind));
            let step = Step::Field { parent: definition, ordinal };
            let value = context.step(step, |context| decode_value(context, kind, input))?;
            context.count_output(field.name.len())?;
            fields.insert(field.name.to_string(), value);
        }
        Ok(())
    })
}

/// The fault of bytes that end before a field.
fn ended(context: &Context<'_>, field: &str, extensions_begun: bool) -> Fault {
    let (field, path) = (context.name(field), context.path());
    if extensions_begun {
        let message = format!(
            "Encountered field '{field}' without binary extension designation while processing struct '{path}'"
        );
        return Fault::new(FaultKind::ABI_EXCEPTION, message);
    }
    let message = format!("Stream unexpectedly ended; unable to unpack field '{field}' of struct '{path}'");
    Fault::new(FaultKind::UNPACK_EXCEPTION, message)
}
