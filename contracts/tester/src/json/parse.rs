//! Text of JSON to its value.

use super::Value;

/// Lists and objects inside of each other; more would be a fault of the sender.
const DEPTH_MAX: usize = 128;

/// Reads one value, with nothing but white space around it.
pub(super) fn value(text: &str) -> Result<Value, String> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(DEPTH_MAX)?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.wrong("the end")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn wrong(&self, wanted: &str) -> String {
        format!("not JSON: {wanted} was expected at byte {}", self.at)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The first byte after white space.
    fn peek(&mut self) -> Option<u8> {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes over `word` if it comes next.
    fn skip(&mut self, word: &str) -> bool {
        self.peek();
        let is_next = self.rest().starts_with(word);
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        let deeper = depth.checked_sub(1).ok_or_else(|| self.wrong("less depth"))?;
        match self.peek() {
            Some(b'[') => self.between("[", "]", |reader| reader.value(deeper)).map(Value::Array),
            Some(b'{') => {
                let pair = |reader: &mut Self| {
                    let name = reader.text()?;
                    if reader.skip(":") { Ok((name, reader.value(deeper)?)) } else { Err(reader.wrong("a colon")) }
                };
                Ok(Value::Object(self.between("{", "}", pair)?.into_iter().collect()))
            }
            Some(b'"') => self.text().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.skip("null") => Ok(Value::Null),
            _ if self.skip("true") => Ok(Value::Bool(true)),
            _ if self.skip("false") => Ok(Value::Bool(false)),
            _ => Err(self.wrong("a value")),
        }
    }

    /// Things between two marks, with commas between them.
    fn between<T>(
        &mut self,
        first: &str,
        last: &str,
        mut one: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut all = Vec::new();
        self.skip(first);
        if self.skip(last) {
            return Ok(all);
        }
        loop {
            all.push(one(self)?);
            if self.skip(last) {
                return Ok(all);
            }
            if !self.skip(",") {
                return Err(self.wrong("a comma"));
            }
        }
    }

    fn number(&mut self) -> Result<Value, String> {
        let rest = self.rest();
        let end = rest.find(|letter: char| !matches!(letter, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
        let digits = &rest[..end.unwrap_or(rest.len())];
        let number = digits.parse().map(Value::Integer).ok();
        let number = number.or_else(|| digits.parse().map(Value::Float).ok()).ok_or_else(|| self.wrong("a number"))?;
        self.at += digits.len();
        Ok(number)
    }

    fn text(&mut self) -> Result<String, String> {
        if !self.skip("\"") {
            return Err(self.wrong("a text"));
        }
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let special = rest.find(|letter: char| matches!(letter, '"' | '\\') || letter < ' ');
            let plain = special.ok_or_else(|| self.wrong("the end of the text"))?;
            text.push_str(&rest[..plain]);
            self.at += plain + 1;
            match rest.as_bytes()[plain] {
                b'"' => return Ok(text),
                b'\\' => text.push(self.escaped()?),
                _ => return Err(self.wrong("a text of one line")),
            }
        }
    }

    /// What stands after a backslash.
    fn escaped(&mut self) -> Result<char, String> {
        let letter = self.rest().chars().next().ok_or_else(|| self.wrong("an escaped letter"))?;
        self.at += letter.len_utf8();
        Ok(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.hex()?;
                // A letter beyond 16 bits comes as two.
                let paired = if self.rest().starts_with("\\u") && (0xd800..0xdc00).contains(&first) {
                    self.at += 2;
                    vec![first, self.hex()?]
                } else {
                    vec![first]
                };
                String::from_utf16(&paired)
                    .ok()
                    .and_then(|text| text.chars().next())
                    .ok_or_else(|| self.wrong("a letter"))?
            }
            _ => return Err(self.wrong("an escaped letter")),
        })
    }

    fn hex(&mut self) -> Result<u16, String> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        self.at += 4;
        number.ok_or_else(|| self.wrong("four hexadecimal digits"))
    }
}
