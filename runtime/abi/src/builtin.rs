//! The types that every ABI knows, between bytes and JSON.

use codec::{Bytes, Pack, Reader, Unpack, VarInt32, VarUint32};
use primitives::{
    Asset, BlockTimestamp, Checksum160, Checksum256, Checksum512, ExtendedAsset, Fault, FaultKind, Name, PublicKey,
    Signature, Symbol, SymbolCode, TimePoint, TimePointSec, json,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A built-in type, as its two conversions.
#[derive(Clone, Copy)]
pub(crate) struct Builtin {
    /// Reads one value.
    pub decode: fn(&mut Reader<'_>) -> Result<Value, Fault>,
    /// Writes one value.
    pub encode: fn(&Value, &mut Vec<u8>) -> Result<(), Fault>,
}

impl Builtin {
    /// The type of that name (`abi_serializer::configure_built_in_types`).
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            // nodeos keeps a bool in a uint8 and prints it as a number.
            "bool" | "uint8" => integer!(u8),
            "int8" => integer!(i8),
            "int16" => integer!(i16),
            "uint16" => integer!(u16),
            "int32" => integer!(i32),
            "uint32" => integer!(u32),
            "int64" => integer!(i64),
            "uint64" => integer!(u64),
            "int128" => Self { decode: |input| text(read::<i128>(input)?), encode: encode_i128 },
            "uint128" => Self { decode: |input| text(read::<u128>(input)?), encode: encode_u128 },
            "varint32" => Self {
                decode: |input| integer_json(read::<VarInt32>(input)?.0),
                encode: |value, out| write(&VarInt32(integer_of(value)?), out),
            },
            "varuint32" => Self {
                decode: |input| integer_json(read::<VarUint32>(input)?.0),
                encode: |value, out| write(&VarUint32(integer_of(value)?), out),
            },
            "float32" => Self {
                decode: |input| Ok(json::double_text(f64::from(read::<f32>(input)?)).into()),
                encode: |value, out| write(&(double_of(value)? as f32), out),
            },
            "float64" => Self {
                decode: |input| Ok(json::double_text(read::<f64>(input)?).into()),
                encode: |value, out| write(&double_of(value)?, out),
            },
            "float128" => Self {
                decode: |input| Ok(format!("0x{}", hex::encode(read::<[u8; 16]>(input)?)).into()),
                encode: encode_float128,
            },
            "time_point" => serde_type::<TimePoint>(),
            "time_point_sec" => serde_type::<TimePointSec>(),
            "block_timestamp_type" => serde_type::<BlockTimestamp>(),
            "name" => serde_type::<Name>(),
            "bytes" => Self {
                decode: |input| Ok(hex::encode(&read::<Bytes>(input)?.0).into()),
                encode: |value, out| write(&Bytes(bytes_of(value)?), out),
            },
            "string" => Self { decode: decode_string, encode: |value, out| write(&string_of(value)?, out) },
            "checksum160" => serde_type::<Checksum160>(),
            "checksum256" => serde_type::<Checksum256>(),
            "checksum512" => serde_type::<Checksum512>(),
            "public_key" => serde_type::<PublicKey>(),
            "signature" => serde_type::<Signature>(),
            "symbol" => serde_type::<Symbol>(),
            "symbol_code" => serde_type::<SymbolCode>(),
            "asset" => serde_type::<Asset>(),
            "extended_asset" => serde_type::<ExtendedAsset>(),
            _ => return None,
        })
    }
}

macro_rules! integer {
    ($type:ty) => {
        Self {
            decode: |input| integer_json(read::<$type>(input)?),
            encode: |value, out| write(&integer_of::<$type>(value)?, out),
        }
    };
}
use integer;

/// A type whose JSON form is that of its `serde` implementation.
fn serde_type<T: Pack + Unpack + Serialize + DeserializeOwned>() -> Builtin {
    Builtin {
        decode: |input| serde_json::to_value(read::<T>(input)?).map_err(|error| bad_cast(error.to_string())),
        encode: |value, out| {
            let value: T = serde_json::from_value(value.clone()).map_err(|error| from_serde(&error))?;
            write(&value, out)
        },
    }
}

fn bad_cast(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::BAD_CAST_EXCEPTION, message)
}

/// The fault inside a JSON error, where a text was not what its type wants.
fn from_serde(error: &serde_json::Error) -> Fault {
    let text = error.to_string();
    Fault::recognise(&text).unwrap_or_else(|| bad_cast(text))
}

fn read<T: Unpack>(input: &mut Reader<'_>) -> Result<T, Fault> {
    T::unpack(input).map_err(|error| Fault::new(FaultKind::OUT_OF_RANGE_EXCEPTION, error.to_string()))
}

#[allow(clippy::unnecessary_wraps, reason = "one signature for all conversions")]
fn write<T: Pack>(value: &T, out: &mut Vec<u8>) -> Result<(), Fault> {
    value.pack(out);
    Ok(())
}

#[allow(clippy::unnecessary_wraps, reason = "one signature for all conversions")]
fn text(value: impl ToString) -> Result<Value, Fault> {
    Ok(value.to_string().into())
}

fn integer_json<T: json::Integer>(value: T) -> Result<Value, Fault> {
    json::integer::serialize(&value, serde_json::value::Serializer).map_err(|error| bad_cast(error.to_string()))
}

fn integer_of<T: json::Integer>(value: &Value) -> Result<T, Fault> {
    json::integer::deserialize(value).map_err(|error| from_serde(&error))
}

fn double_of(value: &Value) -> Result<f64, Fault> {
    match value {
        Value::Bool(flag) => Ok(f64::from(u8::from(*flag))),
        Value::Null => Ok(0.0),
        other => json::double::deserialize(other).map_err(|error| from_serde(&error)),
    }
}

/// What `variant::as_string` makes of a value.
fn string_of(value: &Value) -> Result<String, Fault> {
    Ok(match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(double) if number.is_f64() => json::double_text(double),
            _ => number.to_string(),
        },
        Value::Bool(flag) => flag.to_string(),
        Value::Null => String::new(),
        Value::Array(_) => return Err(bad_cast("Invalid cast from array_type to string")),
        Value::Object(_) => return Err(bad_cast("Invalid cast from object_type to string")),
    })
}

pub(crate) fn bytes_of(value: &Value) -> Result<Vec<u8>, Fault> {
    let text = value.as_str().ok_or_else(|| bad_cast("Invalid cast from type to string"))?;
    if text.len() % 2 != 0 {
        return Err(Fault::new(FaultKind::ASSERT_EXCEPTION, "the length of hex string should be even number"));
    }
    json::bytes_of_hex(text)
}

/// nodeos' strings are any bytes; JSON's are not, so that others are replaced as nodeos' JSON writer does.
fn decode_string(input: &mut Reader<'_>) -> Result<Value, Fault> {
    let bytes = read::<Bytes>(input)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned().into())
}

fn encode_u128(value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    let parsed = match value {
        Value::String(text) => match text.strip_prefix("0x") {
            Some(digits) => u128::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        },
        other => other.as_u64().map(u128::from),
    };
    write(&parsed.ok_or_else(|| bad_cast("Cannot convert variant into a uint128_t"))?, out)
}

fn encode_i128(value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    let parsed = match value {
        Value::String(text) => match text.strip_prefix("0x") {
            Some(digits) => i128::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        },
        other => other.as_i64().map(i128::from),
    };
    write(&parsed.ok_or_else(|| bad_cast("Cannot convert variant into a int128_t"))?, out)
}

fn encode_float128(value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
    let bytes = digits.and_then(|digits| <[u8; 16]>::try_from(hex::decode(digits).ok()?).ok());
    write(&bytes.ok_or_else(|| bad_cast("float128 wants 0x and 32 hex digits"))?, out)
}
