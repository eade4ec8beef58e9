//! Types that every ABI knows, in JSON as nodeos prints and reads them.

use codec::{Bytes, ITEMS_MAX, Pack, Reader, Unpack, VarInt32, VarUint32};
use primitives::json::{LARGEST_PLAIN_INTEGER, bytes_of_hex, double_text};
use primitives::message::utf8_only;
use primitives::variant::{as_i64, as_string, as_u64, bad_cast, parse_error, type_name};
use primitives::{
    Asset, BlockTimestamp, Checksum160, Checksum256, Checksum512, ExtendedAsset, Fault, FaultKind, Name, PublicKey,
    Signature, Symbol, SymbolCode, TimePoint, TimePointSec, ensure, number,
};
use serde_json::Value;

macro_rules! builtins {
    ($($case:ident $name:literal)*) => {
        /// A built-in type.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Builtin { $($case),* }

        impl Builtin {
            /// The type of a name.
            pub fn of(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$case),)*
                    _ => None,
                }
            }
        }
    };
}

builtins! {
    Bool "bool"
    Int8 "int8"
    Uint8 "uint8"
    Int16 "int16"
    Uint16 "uint16"
    Int32 "int32"
    Uint32 "uint32"
    Int64 "int64"
    Uint64 "uint64"
    Int128 "int128"
    Uint128 "uint128"
    Varint32 "varint32"
    Varuint32 "varuint32"
    Float32 "float32"
    Float64 "float64"
    Float128 "float128"
    TimePoint "time_point"
    TimePointSec "time_point_sec"
    BlockTimestamp "block_timestamp_type"
    Name "name"
    Bytes "bytes"
    String "string"
    Checksum160 "checksum160"
    Checksum256 "checksum256"
    Checksum512 "checksum512"
    PublicKey "public_key"
    Signature "signature"
    Symbol "symbol"
    SymbolCode "symbol_code"
    Asset "asset"
    ExtendedAsset "extended_asset"
}

/// An unsigned number as nodeos prints it: a string when it is large.
pub(crate) fn unsigned(value: impl Into<u64>) -> Value {
    let value = value.into();
    if value > LARGEST_PLAIN_INTEGER { Value::String(value.to_string()) } else { Value::from(value) }
}

/// A signed number as nodeos prints it: a string when its magnitude is large.
fn signed(value: impl Into<i64>) -> Value {
    let value = value.into();
    if value.unsigned_abs() > LARGEST_PLAIN_INTEGER { Value::String(value.to_string()) } else { Value::from(value) }
}

fn text(value: impl std::fmt::Display) -> Value {
    Value::String(value.to_string())
}

impl Builtin {
    /// Reads one value.
    pub fn decode(self, input: &mut Reader<'_>) -> Result<Value, Fault> {
        Ok(match self {
            Self::Bool | Self::Uint8 => unsigned(u8::unpack(input)?),
            Self::Int8 => signed(i8::unpack(input)?),
            Self::Int16 => signed(i16::unpack(input)?),
            Self::Uint16 => unsigned(u16::unpack(input)?),
            Self::Int32 => signed(i32::unpack(input)?),
            Self::Uint32 => unsigned(u32::unpack(input)?),
            Self::Int64 => signed(i64::unpack(input)?),
            Self::Uint64 => unsigned(u64::unpack(input)?),
            Self::Int128 => text(i128::unpack(input)?),
            Self::Uint128 => text(u128::unpack(input)?),
            Self::Varint32 => signed(VarInt32::unpack(input)?.0),
            Self::Varuint32 => unsigned(VarUint32::unpack(input)?.0),
            Self::Float32 => text(double_text(f64::from(f32::unpack(input)?))),
            Self::Float64 => text(double_text(f64::unpack(input)?)),
            Self::Float128 => text(format_args!("0x{}", Bytes(<[u8; 16]>::unpack(input)?.to_vec()))),
            Self::TimePoint => text(printable_time(TimePoint::unpack(input)?)?),
            Self::TimePointSec => text(TimePointSec::unpack(input)?),
            Self::BlockTimestamp => text(BlockTimestamp::unpack(input)?),
            Self::Name => text(Name::unpack(input)?),
            Self::Bytes => text(Bytes::unpack(input)?),
            Self::String => Value::String(utf8_only(&Bytes::unpack(input)?)),
            Self::Checksum160 => text(Checksum160::unpack(input)?),
            Self::Checksum256 => text(Checksum256::unpack(input)?),
            Self::Checksum512 => text(Checksum512::unpack(input)?),
            Self::PublicKey => text(PublicKey::unpack(input)?),
            Self::Signature => text(Signature::unpack(input)?),
            Self::Symbol => text(valid_symbol(Symbol::unpack(input)?)?),
            Self::SymbolCode => text(valid_symbol(Symbol(SymbolCode::unpack(input)?.0 << 8))?.code()),
            Self::Asset => text(valid_asset(Asset::unpack(input)?)?),
            Self::ExtendedAsset => {
                let quantity = valid_asset(Asset::unpack(input)?)?;
                let asset = ExtendedAsset { quantity, contract: Name::unpack(input)? };
                serde_json::to_value(asset).expect("texts make JSON")
            }
        })
    }

    /// Reads a vector of values.
    pub fn decode_array(self, input: &mut Reader<'_>) -> Result<Vec<Value>, Fault> {
        let length = VarUint32::unpack(input)?.0 as usize;
        ensure!(length <= ITEMS_MAX, ASSERT_EXCEPTION, "size.value <= MAX_NUM_ARRAY_ELEMENTS: ");
        if matches!(self, Self::SymbolCode | Self::TimePoint) {
            // All of them are read before the first one is printed, which is when these are checked.
            let mut ahead = input.clone();
            (0..length).try_for_each(|_| u64::unpack(&mut ahead).map(drop))?;
        }
        (0..length).map(|_| self.decode(input)).collect()
    }

    /// Writes one value.
    pub fn encode(self, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
        match self {
            Self::Bool | Self::Uint8 => (as_u64(value)? as u8).pack(out),
            Self::Int8 => (as_i64(value)? as i8).pack(out),
            Self::Int16 => (as_i64(value)? as i16).pack(out),
            Self::Uint16 => (as_u64(value)? as u16).pack(out),
            Self::Int32 => (as_i64(value)? as i32).pack(out),
            Self::Uint32 => (as_u64(value)? as u32).pack(out),
            Self::Int64 => as_i64(value)?.pack(out),
            Self::Uint64 => as_u64(value)?.pack(out),
            Self::Int128 => as_i128(value)?.pack(out),
            Self::Uint128 => as_u128(value)?.pack(out),
            Self::Varint32 => VarInt32(as_i64(value)? as i32).pack(out),
            Self::Varuint32 => VarUint32(as_u64(value)? as u32).pack(out),
            Self::Float32 => (as_f64(value)? as f32).pack(out),
            Self::Float64 => as_f64(value)?.pack(out),
            Self::Float128 => float128(value)?.pack(out),
            Self::TimePoint => parsed::<TimePoint>(&as_string(value)?)?.pack(out),
            Self::TimePointSec => parsed::<TimePointSec>(&as_string(value)?)?.pack(out),
            Self::BlockTimestamp => parsed::<BlockTimestamp>(&as_string(value)?)?.pack(out),
            Self::Name => parsed::<Name>(as_str(value)?)?.pack(out),
            Self::Bytes => Bytes(bytes_of_hex(as_str(value)?)?).pack(out),
            Self::String => as_string(value)?.pack(out),
            Self::Checksum160 => parsed::<Checksum160>(as_str(value)?)?.pack(out),
            Self::Checksum256 => parsed::<Checksum256>(as_str(value)?)?.pack(out),
            Self::Checksum512 => parsed::<Checksum512>(as_str(value)?)?.pack(out),
            Self::PublicKey => parsed::<PublicKey>(&as_string(value)?)?.pack(out),
            Self::Signature => parsed::<Signature>(&as_string(value)?)?.pack(out),
            Self::Symbol => parsed::<Symbol>(as_str(value)?)?.pack(out),
            Self::SymbolCode => parsed::<SymbolCode>(as_str(value)?)?.pack(out),
            Self::Asset => parsed::<Asset>(as_str(value)?)?.pack(out),
            Self::ExtendedAsset => extended_asset(value)?.pack(out),
        }
        Ok(())
    }

    /// Writes a vector of values.
    pub fn encode_array(self, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
        let items = as_array(value)?;
        pack_length(items.len(), out)?;
        items.iter().try_for_each(|item| self.encode(item, out))
    }
}

/// Writes the length of an array.
pub(crate) fn pack_length(length: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    ensure!(length <= ITEMS_MAX, ASSERT_EXCEPTION, "value.size() <= MAX_NUM_ARRAY_ELEMENTS: ");
    VarUint32(length as u32).pack(out);
    Ok(())
}

/// Some instants after the year 9999 have no text.
fn printable_time(time: TimePoint) -> Result<TimePoint, Fault> {
    if time.is_printable() { Ok(time) } else { Err(Fault::standard("Year is out of valid range: 1400..9999")) }
}

fn valid_symbol(symbol: Symbol) -> Result<Symbol, Fault> {
    symbol.validate().map(|()| symbol)
}

fn valid_asset(asset: Asset) -> Result<Asset, Fault> {
    asset.validate().map(|()| asset)
}

fn parsed<T: std::str::FromStr<Err = Fault>>(text: &str) -> Result<T, Fault> {
    text.parse()
}

pub(crate) fn as_array(value: &Value) -> Result<&Vec<Value>, Fault> {
    value.as_array().ok_or_else(|| bad_cast(value, "Array"))
}

/// A fault of the accessors that take no other type.
fn bad_type(value: &Value, target: &str) -> Fault {
    let message = format!("Invalid cast from type '{}' to {target}", type_name(value));
    Fault::new(FaultKind::BAD_CAST_EXCEPTION, message)
}

pub(crate) fn as_str(value: &Value) -> Result<&str, Fault> {
    value.as_str().ok_or_else(|| bad_type(value, "string"))
}

fn as_u128(value: &Value) -> Result<u128, Fault> {
    match value {
        Value::Number(number) if number.is_u64() => Ok(as_u64(value)?.into()),
        Value::String(text) => {
            let (negative, digits) = sign_of(text);
            let magnitude = big(digits).ok_or_else(unreadable_number)?;
            Ok(if negative { magnitude.wrapping_neg() } else { magnitude })
        }
        _ => Err(Fault::new(
            FaultKind::BAD_CAST_EXCEPTION,
            format!("Cannot convert variant of type '{}' into a uint128_t", type_name(value)),
        )),
    }
}

fn as_i128(value: &Value) -> Result<i128, Fault> {
    match value {
        Value::Number(number) if number.is_i64() && !number.is_u64() => Ok(as_i64(value)?.into()),
        Value::String(text) => {
            // The magnitude wraps at 128 bits; what then does not fit becomes the nearest number that does.
            let (negative, digits) = sign_of(text);
            let magnitude = big(digits).ok_or_else(unreadable_number)?;
            let positive = i128::try_from(magnitude).unwrap_or(i128::MAX);
            Ok(if negative { 0i128.checked_sub_unsigned(magnitude).unwrap_or(i128::MIN) } else { positive })
        }
        _ => Err(Fault::new(
            FaultKind::BAD_CAST_EXCEPTION,
            format!("Cannot convert variant of type '{}' into a int128_t", type_name(value)),
        )),
    }
}

fn sign_of(text: &str) -> (bool, &str) {
    text.strip_prefix('-').map_or((false, text), |digits| (true, digits))
}

/// What boost says of a large number that is none.
fn unreadable_number() -> Fault {
    Fault::standard("Unexpected content found while parsing character string.").with_context("")
}

/// A large number in decimal, hexadecimal (`0x`) or octal (`0`), as boost reads them: it wraps at 128 bits.
fn big(text: &str) -> Option<u128> {
    let (digits, radix) = match text.strip_prefix('0') {
        Some(rest) if rest.starts_with(['x', 'X']) => (&rest[1..], 16),
        Some(rest) => (rest, 8),
        None => (text, 10),
    };
    digits.chars().try_fold(0u128, |number, digit| {
        Some(number.wrapping_mul(radix.into()).wrapping_add(digit.to_digit(radix)?.into()))
    })
}

fn as_f64(value: &Value) -> Result<f64, Fault> {
    Ok(match value {
        Value::Null => 0.0,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Number(number) => number.as_f64().unwrap_or_default(),
        Value::String(text) => number::double(text).ok_or_else(|| parse_error("double"))?,
        _ => return Err(bad_cast(value, "double")),
    })
}

fn float128(value: &Value) -> Result<[u8; 16], Fault> {
    let text = as_string(value)?;
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 32).ok_or_else(|| {
        let assertion = "s.size() == 2 + 2 * sizeof(temp) && s.find(\"0x\") == 0";
        let message = format!("{assertion}: Failure in converting hex data into a float128_t");
        Fault::new(FaultKind::ASSERT_EXCEPTION, message)
    })?;
    Ok(bytes_of_hex(digits)?.try_into().expect("32 digits are 16 bytes"))
}

/// An object, or an array of quantity and contract.
fn extended_asset(value: &Value) -> Result<ExtendedAsset, Fault> {
    let part = |index: usize, key: &str| match value {
        Value::Array(items) => items.get(index).ok_or_else(|| {
            let length = items.len();
            let what = format!("vector::_M_range_check: __n (which is {index}) >= this->size() (which is {length})");
            Fault::standard(what).with_context("")
        }),
        Value::Object(fields) => {
            fields.get(key).ok_or_else(|| Fault::new(FaultKind::KEY_NOT_FOUND_EXCEPTION, format!("Key {key}")))
        }
        _ => Err(bad_type(value, "Object")),
    };
    let quantity = as_str(part(0, "quantity")?)?.parse()?;
    Ok(ExtendedAsset { quantity, contract: as_str(part(1, "contract")?)?.parse()? })
}
