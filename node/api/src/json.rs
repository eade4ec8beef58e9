//! Reading JSON as nodeos reads it: commas may be missing or too many, what follows the value is ignored, an unknown
//! word is a string. What serde_json reads, this reads to the same value; it is tried where serde_json refuses.

use primitives::{Fault, FaultKind};
use serde_json::{Map, Number, Value};

/// Levels that values may be nested (`DEFAULT_MAX_RECURSION_DEPTH`, of which each level takes two).
const DEPTH_MAX: u32 = 500;
/// Digits of the smallest integer that may not fit 64 bits.
const LARGE_DIGITS: usize = 20;
/// The byte that ends a text beside its real end.
const END_OF_TRANSMISSION: u8 = 4;

/// Reads a value.
///
/// # Errors
/// `parse_error_exception` and its like, with nodeos' messages.
pub fn from_slice(text: &[u8]) -> Result<Value, Fault> {
    match serde_json::from_slice(text) {
        Ok(value) if !has_large_integer(text) => Ok(value),
        _ => Reader { rest: text }.value(0).map_err(|fault| fault.with_context("")),
    }
}

/// Whether there may be an integer beyond 64 bits, which serde_json makes a real number and nodeos refuses.
fn has_large_integer(text: &[u8]) -> bool {
    let digits = text.split(|byte| !byte.is_ascii_digit()).map(<[u8]>::len).max();
    digits.is_some_and(|digits| digits >= LARGE_DIGITS)
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

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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
            Some(b'n' | b't' | b'f') => Ok(self.word()),
            Some(END_OF_TRANSMISSION) | None => Err(end_of_file()),
            // The sign of bytes beyond ASCII is nodeos'.
            Some(byte) => Err(refused(format!("Unexpected char '{}' in \"{}\"", byte as i8, text_of(&self.token())))),
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
                    fields.insert(key, value);
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
        let failed = |message: String, token: &[u8]| {
            Err(refused(message).with_context(format!("while parsing token '{}'", text_of(token))))
        };
        let first = self.peek();
        if first != Some(b'"') {
            let read = first.map(|byte| text_of(&[byte])).unwrap_or_default();
            return failed(format!("Expected '\"' but read '{read}'"), &token);
        }
        self.skip();
        loop {
            match self.rest.first() {
                None | Some(&END_OF_TRANSMISSION) => {
                    return failed(format!("EOF before closing '\"' in string '{}'", text_of(&token)), &token);
                }
                Some(b'"') => {
                    self.skip();
                    return Ok(text_of(&token));
                }
                Some(b'\\') => token.extend(self.escaped()),
                Some(byte) => {
                    token.push(*byte);
                    self.skip();
                }
            }
        }
    }

    /// The byte that a backslash and the byte after it stand for; nodeos knows no escapes with numbers.
    fn escaped(&mut self) -> Option<u8> {
        self.skip();
        let byte = self.rest.first().copied()?;
        self.skip();
        Some(match byte {
            b't' => b'\t',
            b'n' => b'\n',
            b'r' => b'\r',
            other => other,
        })
    }

    /// A word without quotes.
    fn token(&mut self) -> Vec<u8> {
        let mut token = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => token.extend(self.escaped()),
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
        token
    }

    fn word(&mut self) -> Value {
        let letters = self.rest.iter().take_while(|byte| b"nultrefas".contains(byte)).count();
        let (word, rest) = self.rest.split_at(letters);
        self.rest = rest;
        match word {
            b"null" => Value::Null,
            b"true" => Value::Bool(true),
            b"false" => Value::Bool(false),
            _ => text_of(&[word, &self.token()].concat()).into(),
        }
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
                    digits.extend(self.token());
                    return Ok(text_of(&digits).into());
                }
                _ => break,
            }
        }
        let digits = text_of(&digits);
        if matches!(digits.as_str(), "-." | "." | "-") {
            return Err(refused(format!("Can't parse token \"{digits}\" as a JSON numeric constant")));
        }
        let no_number = |kind: &str| refused(format!("Couldn't parse {kind}"));
        if dot {
            let number = digits.parse::<f64>().ok().and_then(Number::from_f64);
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

    fn read(text: &str) -> Value {
        Reader { rest: text.as_bytes() }.value(0).unwrap_or_else(|fault| fault.details[0].clone().into())
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
    }

    #[test]
    fn what_nodeos_refuses_is_refused_in_its_words() {
        assert_eq!(read("{"), json!("Expected '\"' but read ''"));
        assert_eq!(read(r#"{"a""#), json!("Expected ':' after key \"a\""));
        assert_eq!(read(r#"{"a":}"#), json!("Unexpected char '125' in \"\""));
        assert_eq!(read("x"), json!("Unexpected char '120' in \"x\""));
        assert_eq!(read("1.2.3"), json!("Can't parse a number with two decimal places"));
        assert_eq!(read(&"[".repeat(100_000)), json!("Too many nested items in JSON input!"));
    }

    #[test]
    fn both_readers_agree_on_plain_json() {
        for text in [r#"{"a":[1,-2,1.5,"x\n",true,null,{}],"b":{"c":18446744073709551615}}"#, "[]", "\"\"", "0"] {
            assert_eq!(read(text), serde_json::from_str::<Value>(text).expect("plain JSON"));
        }
    }
}
