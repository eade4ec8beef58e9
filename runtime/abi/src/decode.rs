//! Packed bytes to JSON (`abi_serializer::binary_to_variant`).

use codec::{Reader, Unpack, VarUint32};
use primitives::{Fault, FaultKind, ensure};
use serde_json::{Map, Value};

use crate::abi::{Abi, Shape, fundamental, shape, without_extension};
use crate::builtin::Builtin;
use crate::definition::StructDefinition;
use crate::path::{Names, Path};

impl Abi {
    /// The JSON form of packed bytes of type `kind`. What follows the value is ignored, as nodeos does.
    ///
    /// # Errors
    /// `unpack_exception` where the bytes end early, `invalid_type_inside_abi`, `abi_recursion_depth_exception`.
    pub fn binary_to_json(&self, kind: &str, bytes: &[u8]) -> Result<Value, Fault> {
        self.decode(kind, &mut Reader::new(bytes), Names::Full)
    }

    /// As [`Abi::binary_to_json`], from a reader that goes on behind the value.
    pub fn decode(&self, kind: &str, input: &mut Reader<'_>, names: Names) -> Result<Value, Fault> {
        let mut path = Path::new(self, kind, names);
        path.within(|path| value(self, kind, input, path))
    }
}

fn value<'a>(abi: &'a Abi, kind: &'a str, input: &mut Reader<'_>, path: &mut Path<'a>) -> Result<Value, Fault> {
    path.within(|path| {
        let resolved = abi.resolve(kind);
        let inner = fundamental(resolved);
        if let Some(builtin) = Builtin::of(inner) {
            return builtin_value(builtin, shape(resolved), input).map_err(|fault| {
                let class = match shape(resolved) {
                    Shape::Array => "array of built-in",
                    Shape::Optional => "optional of built-in",
                    Shape::Plain => "built-in",
                };
                let place = path.text();
                let message = format!("Unable to unpack {class} type '{inner}' while processing '{place}'");
                fault.rethrown_as(FaultKind::UNPACK_EXCEPTION, message)
            });
        }
        match shape(resolved) {
            Shape::Array => array(abi, inner, input, path),
            Shape::Optional => {
                let flag = read::<u8>(input, || format!("presence flag of optional '{}'", path.text()))?;
                if flag == 0 { Ok(Value::Null) } else { value(abi, inner, input, path) }
            }
            Shape::Plain => match abi.variant(resolved) {
                Some(_) => variant(abi, resolved, input, path),
                None => {
                    let mut fields = Map::new();
                    structure(abi, resolved, input, &mut fields, path)?;
                    ensure!(!fields.is_empty(), UNPACK_EXCEPTION, "Unable to unpack '{}' from stream", path.text());
                    Ok(Value::Object(fields))
                }
            },
        }
    })
}

fn builtin_value(builtin: Builtin, shape: Shape, input: &mut Reader<'_>) -> Result<Value, Fault> {
    let out_of_range = |error: codec::DecodeError| Fault::new(FaultKind::OUT_OF_RANGE_EXCEPTION, error.to_string());
    match shape {
        Shape::Plain => (builtin.decode)(input),
        Shape::Optional => {
            let present = bool::unpack(input).map_err(out_of_range)?;
            if present { (builtin.decode)(input) } else { Ok(Value::Null) }
        }
        Shape::Array => {
            let count = VarUint32::unpack(input).map_err(out_of_range)?.0;
            (0..count).map(|_| (builtin.decode)(input)).collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
    }
}

fn read<T: Unpack>(input: &mut Reader<'_>, what: impl FnOnce() -> String) -> Result<T, Fault> {
    T::unpack(input).map_err(|error| {
        let fault = Fault::new(FaultKind::OUT_OF_RANGE_EXCEPTION, error.to_string());
        fault.rethrown_as(FaultKind::UNPACK_EXCEPTION, format!("Unable to unpack {}", what()))
    })
}

fn array<'a>(abi: &'a Abi, inner: &'a str, input: &mut Reader<'_>, path: &mut Path<'a>) -> Result<Value, Fault> {
    path.item_holds("ARRAY");
    let count = read::<VarUint32>(input, || format!("size of array '{}'", path.text()))?.0 as usize;
    let item = |index| path.in_item(index, |path| value(abi, inner, input, path));
    (0..count).map(item).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn variant<'a>(abi: &'a Abi, kind: &'a str, input: &mut Reader<'_>, path: &mut Path<'a>) -> Result<Value, Fault> {
    path.item_holds(kind);
    let cases = abi.variant(kind).map(|variant| variant.types.as_slice()).unwrap_or_default();
    let tag = read::<VarUint32>(input, || format!("tag of variant '{}'", path.text()))?.0 as usize;
    let invalid = || format!("Unpacked invalid tag ({tag}) for variant '{}'", path.text());
    let case = cases.get(tag).ok_or_else(|| Fault::new(FaultKind::UNPACK_EXCEPTION, invalid()))?;
    let inside = path.in_case(tag, case, |path| value(abi, case, input, path))?;
    Ok(Value::Array(vec![case.clone().into(), inside]))
}

fn structure<'a>(
    abi: &'a Abi,
    kind: &'a str,
    input: &mut Reader<'_>,
    out: &mut Map<String, Value>,
    path: &mut Path<'a>,
) -> Result<(), Fault> {
    path.within(|path| {
        let unknown = || Fault::new(FaultKind::INVALID_TYPE_INSIDE_ABI, format!("Unknown type {}", path.name(kind)));
        let definition = abi.structure(kind).ok_or_else(unknown)?;
        path.item_holds(&definition.name);
        if !definition.base.is_empty() {
            structure(abi, abi.resolve(&definition.base), input, out, path)?;
        }
        fields(abi, definition, input, out, path)
    })
}

fn fields<'a>(
    abi: &'a Abi,
    definition: &'a StructDefinition,
    input: &mut Reader<'_>,
    out: &mut Map<String, Value>,
    path: &mut Path<'a>,
) -> Result<(), Fault> {
    let mut extended = false;
    for field in &definition.fields {
        let extension = field.kind.ends_with('$');
        extended |= extension;
        if input.remaining() == 0 {
            if extension {
                continue;
            }
            let (name, place) = (path.name(&field.name), path.text());
            ensure!(
                !extended,
                ABI_EXCEPTION,
                "Encountered field '{name}' without binary extension designation while processing struct '{place}'"
            );
            let message = format!("Stream unexpectedly ended; unable to unpack field '{name}' of struct '{place}'");
            return Err(Fault::new(FaultKind::UNPACK_EXCEPTION, message));
        }
        let kind = abi.resolve(without_extension(&field.kind));
        let inside = path.in_field(&field.name, &field.kind, |path| value(abi, kind, input, path))?;
        out.insert(field.name.clone(), inside);
    }
    Ok(())
}
