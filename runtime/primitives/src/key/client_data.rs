//! Client data of WebAuthn assertions: JSON, read exactly as the parser that fc uses reads it.
//!
//! What it accepts is consensus: no validation of UTF-8, the input ends at a zero byte, nothing may follow the
//! document, and the three members must be strings wherever they occur at the top; the last one of a name counts.

/// The members that matter; empty when missing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ClientData {
    pub challenge: Vec<u8>,
    pub origin: Vec<u8>,
    pub kind: Vec<u8>,
}

/// Reads a document; `None` when it is no object or no JSON.
pub(super) fn parse(json: &[u8]) -> Option<ClientData> {
    let end = json.iter().position(|byte| *byte == 0).unwrap_or(json.len());
    let mut input = Input { rest: &json[..end] };
    let mut data = ClientData::default();
    input.expect(b'{')?;
    if !input.accept(b'}') {
        loop {
            input.space();
            let key = input.string()?;
            input.expect(b':')?;
            input.space();
            // The original compares up to a zero byte in the key.
            match key.split(|byte| *byte == 0).next()? {
                b"challenge" => data.challenge = input.string()?,
                b"origin" => data.origin = input.string()?,
                b"type" => data.kind = input.string()?,
                _ => input.skip_value()?,
            }
            if !input.accept(b',') {
                break;
            }
        }
        input.expect(b'}')?;
    }
    input.space();
    input.rest.is_empty().then_some(data)
}

struct Input<'a> {
    rest: &'a [u8],
}

impl Input<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn space(&mut self) {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        let count = self.rest.iter().take_while(|byte| blank(byte)).count();
        self.rest = &self.rest[count..];
    }

    /// Takes a byte after white space, if it is the next one.
    fn accept(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.accept(byte).then_some(())
    }

    fn string(&mut self) -> Option<Vec<u8>> {
        if self.next()? != b'"' {
            return None;
        }
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'"' => return Some(text),
                b'\\' => self.escape(&mut text)?,
                0..0x20 => return None,
                byte => text.push(byte),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let byte = match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode(text),
            _ => return None,
        };
        text.push(byte);
        Some(())
    }

    fn unicode(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let mut code = self.four_digits()?;
        if (0xd800..0xdc00).contains(&code) {
            if self.next()? != b'\\' || self.next()? != b'u' {
                return None;
            }
            let low = self.four_digits()?;
            if !(0xdc00..0xe000).contains(&low) {
                return None;
            }
            code = ((code - 0xd800) << 10 | (low - 0xdc00)) + 0x10000;
        }
        // A low surrogate alone is written as three bytes, which no Rust `char` could.
        let tail = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
        match code {
            0..0x80 => text.push(code as u8),
            0x80..0x800 => text.extend([0xc0 | (code >> 6) as u8, tail(0)]),
            0x800..0x10000 => text.extend([0xe0 | (code >> 12) as u8, tail(6), tail(0)]),
            _ => text.extend([0xf0 | (code >> 18) as u8, tail(12), tail(6), tail(0)]),
        }
        Some(())
    }

    fn four_digits(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |code, _| Some(code << 4 | (self.next()? as char).to_digit(16)?))
    }

    /// Passes over any value without recursion.
    fn skip_value(&mut self) -> Option<()> {
        let mut open = Vec::new();
        loop {
            self.space();
            let container = match self.rest.first()? {
                b'{' => Some(b'}'),
                b'[' => Some(b']'),
                _ => None,
            };
            match container {
                None => self.skip_scalar()?,
                Some(close) => {
                    self.next();
                    if !self.accept(close) {
                        self.skip_key(close)?;
                        open.push(close);
                        continue;
                    }
                }
            }
            // A value has ended: what was it part of?
            loop {
                let Some(close) = open.last().copied() else { return Some(()) };
                if self.accept(b',') {
                    self.skip_key(close)?;
                    break;
                }
                self.expect(close)?;
                open.pop();
            }
        }
    }

    /// Passes over the key of a member; items of arrays have none.
    fn skip_key(&mut self, close: u8) -> Option<()> {
        if close == b']' {
            return Some(());
        }
        self.space();
        self.string()?;
        self.expect(b':')
    }

    fn skip_scalar(&mut self) -> Option<()> {
        for word in [&b"null"[..], b"true", b"false"] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Some(());
            }
        }
        if self.rest.first() == Some(&b'"') {
            return self.string().map(drop);
        }
        self.number()
    }

    fn digits(&mut self) -> usize {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.rest = &self.rest[count..];
        count
    }

    /// A number that a double can hold.
    fn number(&mut self) -> Option<()> {
        let start = self.rest;
        if self.rest.first() == Some(&b'-') {
            self.next();
        }
        let zero = self.rest.first() == Some(&b'0');
        let whole = self.digits();
        if whole == 0 || zero && whole > 1 {
            return None;
        }
        if self.rest.first() == Some(&b'.') {
            self.next();
            (self.digits() > 0).then_some(())?;
        }
        if matches!(self.rest.first(), Some(b'e' | b'E')) {
            self.next();
            if matches!(self.rest.first(), Some(b'+' | b'-')) {
                self.next();
            }
            (self.digits() > 0).then_some(())?;
        }
        let text = std::str::from_utf8(&start[..start.len() - self.rest.len()]).ok()?;
        text.parse::<f64>().ok()?.is_finite().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn origin(json: &str) -> Option<String> {
        parse(json.as_bytes()).map(|data| String::from_utf8_lossy(&data.origin).into_owned())
    }

    #[test]
    fn documents() {
        assert_eq!(parse(b"{}"), Some(ClientData::default()));
        assert_eq!(origin(r#" { "origin" : "a\u00e9\ud83d\ude00\/" } "#).as_deref(), Some("a\u{e9}\u{1f600}/"));
        assert_eq!(origin(r#"{"origin":"a","origin":"b"}"#).as_deref(), Some("b"));
        assert_eq!(origin(r#"{"origin\u0000x":"a"}"#).as_deref(), Some("a"));
        assert_eq!(origin("{\"origin\":\"a\"}\0garbage").as_deref(), Some("a"));
        let nested = r#"{"x":[[],{},{"origin":{"a":[1,-2.5e3,null,true,"s"]}}],"origin":"a"}"#;
        assert_eq!(origin(nested).as_deref(), Some("a"));
    }

    #[test]
    fn no_documents() {
        for json in [
            "",
            "[]",
            "\"a\"",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":[1,]}",
            "{} x",
            "{\"origin\":1}",
            "{\"a\":01}",
            "{\"a\":1e999}",
            "{\"a\":.5}",
            "{\"a\":\"\n\"}",
            "{\"a\":[}",
            "{\"a\":\"\\ud800\"}",
        ] {
            assert_eq!(parse(json.as_bytes()), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes: Vec<u8>, text in "[{}\\[\\]:,\"a1 ]*") {
            let _ = parse(&bytes);
            let _ = parse(text.as_bytes());
        }
    }
}
