//! JSON to packed bytes (`abi_serializer::variant_to_binary`).

use codec::{Pack, VarUint32};
use primitives::{Fault, FaultKind, ensure};
use serde_json::{Map, Value};

use crate::PACKED_BYTES_MAX;
use crate::abi::{Abi, Shape, fundamental, shape, without_extension};
use crate::builtin::{Builtin, bytes_of};
use crate::definition::{FieldDefinition, StructDefinition};
use crate::path::{Names, Path};

impl Abi {
    /// The packed form of JSON of type `kind`. A name that is no type takes the value as hex bytes, as nodeos does.
    ///
    /// # Errors
    /// `pack_exception` where a part is missing or not of its type, and the faults of values that are none.
    pub fn json_to_binary(&self, kind: &str, json: &Value) -> Result<Vec<u8>, Fault> {
        self.encode(kind, json, Names::Full)
    }

    /// As [`Abi::json_to_binary`], with the choice of how messages name places.
    pub fn encode(&self, kind: &str, json: &Value, names: Names) -> Result<Vec<u8>, Fault> {
        let mut path = Path::new(self, kind, names);
        path.within(|path| {
            if !self.known(kind, path.depth())? {
                return bytes_of(json);
            }
            let mut encoder = Encoder { abi: self, out: Vec::new(), extensions: true };
            encoder.value(kind, json, path)?;
            Ok(encoder.out)
        })
    }
}

struct Encoder<'a> {
    abi: &'a Abi,
    out: Vec<u8>,
    /// Whether binary extensions may be left out here: only at the very end of the bytes.
    extensions: bool,
}

fn pack_fault(message: String) -> Fault {
    Fault::new(FaultKind::PACK_EXCEPTION, message)
}

impl<'a> Encoder<'a> {
    fn value(&mut self, kind: &'a str, json: &Value, path: &mut Path<'a>) -> Result<(), Fault> {
        path.within(|path| {
            let resolved = self.abi.resolve(kind);
            let inner = fundamental(resolved);
            if let Some(builtin) = Builtin::of(inner) {
                self.builtin(builtin, shape(resolved), json)?;
            } else {
                match shape(resolved) {
                    Shape::Array => self.array(inner, json, path)?,
                    Shape::Optional => {
                        (!json.is_null()).pack(&mut self.out);
                        if !json.is_null() {
                            self.value(inner, json, path)?;
                        }
                    }
                    Shape::Plain => self.composite(resolved, kind, json, path)?,
                }
            }
            ensure!(
                self.out.len() <= PACKED_BYTES_MAX,
                OUT_OF_RANGE_EXCEPTION,
                "packed data is larger than {PACKED_BYTES_MAX} bytes"
            );
            Ok(())
        })
    }

    fn builtin(&mut self, builtin: Builtin, shape: Shape, json: &Value) -> Result<(), Fault> {
        match shape {
            Shape::Plain => (builtin.encode)(json, &mut self.out),
            Shape::Optional => {
                (!json.is_null()).pack(&mut self.out);
                if json.is_null() { Ok(()) } else { (builtin.encode)(json, &mut self.out) }
            }
            Shape::Array => {
                let items = items_of(json)?;
                self.count(items.len());
                items.iter().try_for_each(|item| (builtin.encode)(item, &mut self.out))
            }
        }
    }

    fn count(&mut self, count: usize) {
        VarUint32(u32::try_from(count).unwrap_or(u32::MAX)).pack(&mut self.out);
    }

    fn array(&mut self, inner: &'a str, json: &Value, path: &mut Path<'a>) -> Result<(), Fault> {
        path.item_holds("ARRAY");
        let items = items_of(json)?;
        self.count(items.len());
        self.extensions_only_if(false, |this| {
            items.iter().enumerate().try_for_each(|(index, item)| {
                path.in_item(index, |path| this.value(inner, item, path))
            })
        })
    }

    fn composite(
        &mut self,
        resolved: &'a str,
        kind: &'a str,
        json: &Value,
        path: &mut Path<'a>,
    ) -> Result<(), Fault> {
        if self.abi.variant(resolved).is_some() {
            return self.variant(resolved, json, path);
        }
        let unknown = || Fault::new(FaultKind::INVALID_TYPE_INSIDE_ABI, format!("Unknown type {}", path.name(kind)));
        let definition = self.abi.structure(resolved).ok_or_else(unknown)?;
        path.item_holds(&definition.name);
        match json {
            Value::Object(fields) => self.object(definition, json, fields, path),
            Value::Array(items) => self.list(definition, items, path),
            _ => {
                let place = path.text();
                Err(pack_fault(format!("Unexpected input encountered while processing struct '{place}'")))
            }
        }
    }

    fn variant(&mut self, kind: &'a str, json: &Value, path: &mut Path<'a>) -> Result<(), Fault> {
        path.item_holds(kind);
        let cases = self.abi.variant(kind).map(|variant| variant.types.as_slice()).unwrap_or_default();
        let place = path.text();
        let Some([case, inside]) = json.as_array().map(Vec::as_slice) else {
            let message = format!("Expected input to be an array of two items while processing variant '{place}'");
            return Err(pack_fault(message));
        };
        let Value::String(case) = case else {
            let rule = "Encountered non-string as first item of input array";
            return Err(pack_fault(format!("{rule} while processing variant '{place}'")));
        };
        let Some(index) = cases.iter().position(|each| each == case) else {
            let case = path.name(case);
            let message = format!("Specified type '{case}' in input array is not valid within the variant '{place}'");
            return Err(pack_fault(message));
        };
        self.count(index);
        path.in_case(index, &cases[index], |path| self.value(&cases[index], inside, path))
    }

    fn object(
        &mut self,
        definition: &'a StructDefinition,
        json: &Value,
        given: &Map<String, Value>,
        path: &mut Path<'a>,
    ) -> Result<(), Fault> {
        if !definition.base.is_empty() {
            let base = self.abi.resolve(&definition.base);
            self.extensions_only_if(false, |this| this.value(base, json, path))?;
        }
        let mut ended = false;
        for (index, field) in definition.fields.iter().enumerate() {
            let value = given.get(&field.name);
            let (name, place) = (&field.name, || path.text());
            if value.is_some() || field.kind.ends_with('?') {
                if ended {
                    let (name, place) = (path.name(name), place());
                    return Err(pack_fault(format!(
                        "Unexpected field '{name}' found in input object while processing struct '{place}'"
                    )));
                }
                let last = index + 1 == definition.fields.len();
                self.field(field, value.unwrap_or(&Value::Null), last, path)?;
            } else if field.kind.ends_with('$') && self.extensions {
                ended = true;
            } else {
                let (name, place) = (path.name(name), place());
                ensure!(
                    !ended,
                    ABI_EXCEPTION,
                    "Encountered field '{name}' without binary extension designation while processing struct '{place}'"
                );
                let message = format!("Missing field '{name}' in input object while processing struct '{place}'");
                return Err(pack_fault(message));
            }
        }
        Ok(())
    }

    fn list(&mut self, definition: &'a StructDefinition, given: &[Value], path: &mut Path<'a>) -> Result<(), Fault> {
        ensure!(
            definition.base.is_empty(),
            INVALID_TYPE_INSIDE_ABI,
            "Using input array to specify the fields of the derived struct '{}'; input arrays are currently only \
             allowed for structs without a base",
            path.text()
        );
        for (index, field) in definition.fields.iter().enumerate() {
            let last = index + 1 == definition.fields.len();
            match given.get(index) {
                Some(value) => self.field(field, value, last, path)?,
                None if field.kind.ends_with('$') && self.extensions => break,
                None => {
                    let (name, place) = (path.name(&field.name), path.text());
                    return Err(pack_fault(format!(
                        "Early end to input array specifying the fields of struct '{place}'; require input for field \
                         '{name}'"
                    )));
                }
            }
        }
        Ok(())
    }

    fn field(
        &mut self,
        field: &'a FieldDefinition,
        json: &Value,
        last: bool,
        path: &mut Path<'a>,
    ) -> Result<(), Fault> {
        let kind = without_extension(&field.kind);
        path.in_field(&field.name, &field.kind, |path| {
            self.extensions_only_if(last, |this| this.value(kind, json, path))
        })
    }

    fn extensions_only_if<T>(&mut self, allowed: bool, inside: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.extensions;
        self.extensions &= allowed;
        let result = inside(self);
        self.extensions = before;
        result
    }
}

fn items_of(json: &Value) -> Result<&[Value], Fault> {
    let message = || Fault::new(FaultKind::BAD_CAST_EXCEPTION, "Invalid cast from type to Array");
    json.as_array().map(Vec::as_slice).ok_or_else(message)
}
