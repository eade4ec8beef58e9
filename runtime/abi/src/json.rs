//! Reading JSON text as nodeos reads it (`fc::json`, the legacy parser): commas may be missing or too many, what follows
//! the value is ignored, an unknown word is a string, of keys that repeat the first counts, and a number with an exponent
//! is a string, which no integer is read from.
//!
//! Two things are read otherwise on purpose. The escapes `\\b`, `\\f` and `\\uXXXX` mean what JSON says: nodeos drops the
//! backslash and keeps the letters. And a string that is not UTF-8 is refused: nodeos keeps its bytes, which no JSON
//! value of ours can hold.

use primitives::message::printable;
use primitives::{Fault, FaultKind};
use serde_json::{Map, Number, Value};

/// Levels that values may be nested (`DEFAULT_MAX_RECURSION_DEPTH`, 200, of which each level takes two).
const DEPTH_MAX: u32 = 100;
/// The byte that ends a text beside its real end.
const END_OF_TRANSMISSION: u8 = 4;
/// The byte that nodeos takes for the end where a value should begin.
const END_OF_FILE: u8 = 0xff;
/// Digits of the number in an escape.
const ESCAPE_DIGITS: usize = 4;

/// Reads a value.
///
/// # Errors
/// `parse_error_exception` and its like, with nodeos' messages.
pub fn from_slice(text: &[u8]) -> Result<Value, Fault> {
    Reader { rest: text }.value(0).map_err(|fault| fault.with_context(""))
}

/// Reads a value that stands `depth` levels deep in a text.
///
/// # Errors
/// Those of [`from_slice`], or the text goes on behind what nodeos takes for the value (`1e+3` is the word `1e`): in the
/// whole text that would be read as what follows.
pub fn from_part(text: &[u8], depth: u32) -> Result<Value, Fault> {
    let mut reader = Reader { rest: text };
    let value = reader.value(depth).map_err(|fault| fault.with_context(""))?;
    reader.skip_blanks();
    if reader.rest.is_empty() { Ok(value) } else { Err(refused("the value ends before its text")) }
}

struct Reader<'a> {
    rest: &'a [u8],
}

fn refused(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::PARSE_ERROR_EXCEPTION, message)
}

fn end_of_file() -> Fault {
    refused("unexpected end of file")
}

/// The text of a string or word.
fn text_of(bytes: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(bytes).map_err(|error| {
        let text = printable(error.as_bytes());
        refused(format!(
            "The string '{text}' has bytes that are not UTF-8: send texts as UTF-8 and bytes as hexadecimal"
        ))
    })
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied().filter(|byte| *byte != 0)
    }

    fn skip(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn value(&mut self, depth: u32) -> Result<Value, Fault> {
        if depth >= DEPTH_MAX {
            return Err(refused("Too many nested items in JSON input!"));
        }
        self.skip_blanks();
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'{') => self.object(depth).map_err(|fault| fault.with_context("Error parsing object")),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'.' | b'0'..=b'9') => self.number(),
            Some(b'n' | b't' | b'f') => self.word(),
            Some(END_OF_TRANSMISSION | END_OF_FILE) | None => Err(end_of_file()),
            // The sign of bytes beyond ASCII is nodeos'.
            Some(byte) => {
                Err(refused(format!("Unexpected char '{}' in \"{}\"", byte as i8, printable(&self.token()?))))
            }
        }
    }

    fn object(&mut self, depth: u32) -> Result<Value, Fault> {
        let mut fields = Map::new();
        self.skip();
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(b'}') => {
                    self.skip();
                    return Ok(Value::Object(fields));
                }
                Some(b',') => self.skip(),
                _ => {
                    let key = self.string()?;
                    self.skip_blanks();
                    if self.peek() != Some(b':') {
                        return Err(refused(format!("Expected ':' after key \"{key}\"")));
                    }
                    self.skip();
                    let value = self.value(depth + 1)?;
                    fields.entry(key).or_insert(value);
                }
            }
        }
    }

    fn array(&mut self, depth: u32) -> Result<Value, Fault> {
        let mut items = Vec::new();
        self.skip();
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(b']') => {
                    self.skip();
                    return Ok(Value::Array(items));
                }
                Some(b',') => self.skip(),
                None => return Err(in_array(end_of_file(), items)),
                Some(_) => match self.value(depth + 1) {
                    Ok(value) => items.push(value),
                    Err(fault) => return Err(in_array(fault, items)),
                },
            }
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        let mut token = Vec::new();
        self.string_into(&mut token)
            .and_then(|()| text_of(std::mem::take(&mut token)))
            .map_err(|fault| fault.with_context(format!("while parsing token '{}'", printable(&token))))
    }

    fn string_into(&mut self, token: &mut Vec<u8>) -> Result<(), Fault> {
        let first = self.peek();
        if first != Some(b'"') {
            let read = first.map(|byte| printable(&[byte])).unwrap_or_default();
            return Err(refused(format!("Expected '\"' but read '{read}'")));
        }
        self.skip();
        loop {
            match self.rest.first() {
                None | Some(&END_OF_TRANSMISSION) => {
                    return Err(refused(format!("EOF before closing '\"' in string '{}'", printable(token))));
                }
                Some(b'"') => {
                    self.skip();
                    return Ok(());
                }
                Some(b'\\') => self.escaped(token)?,
                Some(byte) => {
                    token.push(*byte);
                    self.skip();
                }
            }
        }
    }

    /// Adds what a backslash and the byte after it stand for. An escape that JSON does not know is its letter.
    fn escaped(&mut self, token: &mut Vec<u8>) -> Result<(), Fault> {
        self.skip();
        let Some(byte) = self.rest.first().copied() else { return Ok(()) };
        self.skip();
        match byte {
            b't' => token.push(b'\t'),
            b'n' => token.push(b'\n'),
            b'r' => token.push(b'\r'),
            b'b' => token.push(8),
            b'f' => token.push(12),
            b'u' => match self.escaped_unit() {
                Some(unit) => {
                    let character = self.escaped_character(unit)?;
                    token.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                None => token.push(b'u'),
            },
            other => token.push(other),
        }
        Ok(())
    }

    /// The number in an escape, behind its `u`.
    fn escaped_unit(&mut self) -> Option<u16> {
        let (digits, rest) = self.rest.split_at_checked(ESCAPE_DIGITS)?;
        let digits =
            std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        let unit = u16::from_str_radix(digits, 16).ok()?;
        self.rest = rest;
        Some(unit)
    }

    /// The character of a UTF-16 unit, and of the one after it where it takes two.
    fn escaped_character(&mut self, unit: u16) -> Result<char, Fault> {
        let mut units = vec![unit];
        if (0xd800..0xdc00).contains(&unit) && self.rest.starts_with(b"\\u") {
            self.rest = &self.rest[2..];
            units.extend(self.escaped_unit());
        }
        match char::decode_utf16(units).collect::<Result<Vec<_>, _>>().as_deref() {
            Ok([character]) => Ok(*character),
            _ => Err(refused(format!("The escape '\\u{unit:04x}' is half a character"))),
        }
    }

    /// A word without quotes.
    fn token(&mut self) -> Result<Vec<u8>, Fault> {
        let mut token = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.escaped(&mut token)?,
                b'\t' | b' ' | b'\n' => {
                    self.skip();
                    break;
                }
                b'_' | b'-' | b'.' | b':' | b'/' => {
                    token.push(byte);
                    self.skip();
                }
                _ if byte.is_ascii_alphanumeric() => {
                    token.push(byte);
                    self.skip();
                }
                _ => break,
            }
        }
        Ok(token)
    }

    fn word(&mut self) -> Result<Value, Fault> {
        let letters = self.rest.iter().take_while(|byte| b"nultrefas".contains(byte)).count();
        let (word, rest) = self.rest.split_at(letters);
        self.rest = rest;
        Ok(match word {
            b"null" => Value::Null,
            b"true" => Value::Bool(true),
            b"false" => Value::Bool(false),
            _ => text_of([word, &self.token()?].concat())?.into(),
        })
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let negative = self.peek() == Some(b'-');
        let mut digits = Vec::new();
        if negative {
            digits.push(b'-');
            self.skip();
        }
        let mut dot = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'.' if dot => return Err(refused("Can't parse a number with two decimal places")),
                b'.' | b'0'..=b'9' => {
                    dot |= byte == b'.';
                    digits.push(byte);
                    self.skip();
                }
                _ if byte.is_ascii_alphanumeric() => {
                    digits.extend(self.token()?);
                    return Ok(text_of(digits)?.into());
                }
                _ => break,
            }
        }
        let digits = text_of(digits)?;
        if matches!(digits.as_str(), "-." | "." | "-") {
            return Err(refused(format!("Can't parse token \"{digits}\" as a JSON numeric constant")));
        }
        let no_number = |kind: &str| refused(format!("Couldn't parse {kind}"));
        if dot {
            let number = primitives::number::double(&digits).and_then(Number::from_f64);
            return number.map(Value::Number).ok_or_else(|| no_number("double"));
        }
        if negative {
            return digits.parse::<i64>().map(Value::from).map_err(|_| no_number("int64_t"));
        }
        digits.parse::<u64>().map(Value::from).map_err(|_| no_number("uint64_t").with_context(""))
    }
}

fn in_array(fault: Fault, items: Vec<Value>) -> Fault {
    fault.with_context(format!("Attempting to parse array {}", Value::Array(items)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: impl AsRef<[u8]>) -> Value {
        from_slice(text.as_ref()).unwrap_or_else(|fault| fault.details[0].clone().into())
    }

    #[test]
    fn what_nodeos_lets_pass_is_read() {
        assert_eq!(read(r#"{"a":1,,"b":[1 2,],} x"#), json!({"a": 1, "b": [1, 2]}));
        assert_eq!(
            read(r#"{"a":tru,"b":12abc,"c":0x10,"d":"\q\u00"}"#),
            json!({"a": "tru", "b": "12abc", "c": "0x10", "d": "qu00"})
        );
        assert_eq!(read(r#"[.5,-1,"a","#), json!("unexpected end of file"));
        assert_eq!(read(r#"{"a":nul}"#), json!({"a": "nul"}));
        assert_eq!(read(r#"{"a":1,"b":2,"a":3}"#), json!({"a": 1, "b": 2}));
    }

    #[test]
    fn numbers_are_integers_of_64_bits_doubles_or_strings() {
        assert_eq!(
            read("[18446744073709551615,-9223372036854775808,-0,007,1.5,5.]"),
            json!([u64::MAX, i64::MIN, 0, 7, 1.5, 5.0])
        );
        assert_eq!(read("[1e3,1E3,1.5e3,-1e3,12abc]"), json!(["1e3", "1E3", "1.5e3", "-1e3", "12abc"]));
        assert_eq!(read("18446744073709551616"), json!("Couldn't parse uint64_t"));
        assert_eq!(read("-9223372036854775809"), json!("Couldn't parse int64_t"));
        assert_eq!(read("1".repeat(400) + ".0"), json!("Couldn't parse double"));
        assert_eq!(read("[1e+3]"), json!("Unexpected char '43' in \"\""));
    }

    #[test]
    fn what_nodeos_refuses_is_refused_in_its_words() {
        assert_eq!(read("{"), json!("Expected '\"' but read ''"));
        assert_eq!(read(r#"{"a""#), json!("Expected ':' after key \"a\""));
        assert_eq!(read(r#"{"a":}"#), json!("Unexpected char '125' in \"\""));
        assert_eq!(read("x"), json!("Unexpected char '120' in \"x\""));
        assert_eq!(read("1.2.3"), json!("Can't parse a number with two decimal places"));
        assert_eq!(read("[".repeat(100_000)), json!("Too many nested items in JSON input!"));
    }

    #[test]
    fn values_are_nested_as_deep_as_in_nodeos() {
        let nested = |levels| "[".repeat(levels) + &"]".repeat(levels);
        assert!(read(nested(100)).is_array());
        assert_eq!(read(nested(101)), json!("Too many nested items in JSON input!"));
        assert_eq!(read("[".repeat(99) + "7" + &"]".repeat(99)).as_array().map(Vec::len), Some(1));
        assert_eq!(read("[".repeat(100) + "7" + &"]".repeat(100)), json!("Too many nested items in JSON input!"));
        assert!(from_part(nested(97).as_bytes(), 3).is_ok() && from_part(nested(98).as_bytes(), 3).is_err());
        assert!(from_slice(b"1e+3 x").is_ok() && from_part(b" 1e3 ", 2).is_ok());
        for text in ["1e+3", "-1.5E+2", "1 2", "{}]"] {
            assert!(from_part(text.as_bytes(), 2).is_err(), "{text}");
        }
    }

    #[test]
    fn escapes_mean_what_json_says() {
        let text = r#""\u00fc\b\f\t\n\r\/\"\\\ud83d\ude00\u0000""#;
        assert_eq!(read(text), serde_json::from_str::<Value>(text).expect("JSON"));
        for half in [r#""\ud83d""#, r#""\ud83dx""#, r#""\ud83d\u0041""#, r#""\ude00""#] {
            assert!(read(half).as_str().is_some_and(|text| text.ends_with("is half a character")), "{half}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_refused_and_never_changed() {
        for text in [&b"\"a\xffb\""[..], b"{\"a\xff\":1}", b"[\"\xc3\"]", b"{\"a\":{\"b\":\"\xed\xa0\x80\"}}"] {
            assert!(read(text).as_str().is_some_and(|text| text.contains("not UTF-8")), "{text:?}");
        }
        assert_eq!(read("\"\u{fffd}é\""), json!("\u{fffd}é"));
    }

    #[test]
    fn plain_json_is_read_as_everybody_reads_it() {
        for text in [r#"{"a":[1,-2,1.5,"x\n",true,null,{}],"b":{"c":18446744073709551615}}"#, "[]", "\"\"", "0"] {
            assert_eq!(read(text), serde_json::from_str::<Value>(text).expect("plain JSON"));
        }
    }
}
