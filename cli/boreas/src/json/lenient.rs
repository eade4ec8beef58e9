//! JSON as cleos reads it, which is more than JSON: scripts rest on it.
//!
//! cleos has two grammars (fc's `json.cpp` and `json_relaxed.hpp`). Both need no commas between items and fields and
//! take more of them than needed. [`Grammar::Relaxed`] is for arguments of actions: bare words, `0x10`, `0o17`,
//! `0b101`, `+5`, `007`, `"""long"""`. [`Grammar::Plain`] is for everything else. Where cleos would change a value
//! without a word, this refuses or reads what is meant; `tests/e2e/tests/cleos.rs` lists each such place.

use std::fmt;

use serde_json::{Map, Number, Value};

use crate::secrets;

/// Deeper nesting is refused, as by cleos; its relaxed grammar has no limit, but no ABI takes more than 32 levels.
const DEPTH_MAX: usize = 100;
/// The largest integer below which a double holds every integer.
const EXACT_DOUBLE_MAX: f64 = 9_007_199_254_740_992.0;
/// So much of a text is shown around a mistake.
const EXCERPT_CHARS: usize = 20;

/// Which of the two grammars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// Arguments of actions.
    Relaxed,
    /// Transactions, permissions, authorities.
    Plain,
}

/// Where a text stops to be JSON, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    reason: String,
    line: usize,
    column: usize,
    excerpt: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, line, column, excerpt } = self;
        if *line > 1 {
            write!(f, "{reason} in line {line}, column {column}: ... {excerpt}")
        } else {
            write!(f, "{reason} at character {column}: ... {excerpt}")
        }
    }
}

impl std::error::Error for Mistake {}

/// Reads the value at the beginning of a text, and gives what follows it: cleos does not look at that.
///
/// # Errors
/// The first place that no reading makes sense of.
pub fn parse(text: &str, grammar: Grammar) -> Result<(Value, &str), Mistake> {
    let mut reader = Reader { text, at: 0, grammar };
    let value = reader.value(0)?;
    reader.skip_space();
    Ok((value, &text[reader.at..]))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    grammar: Grammar,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn take(&mut self, wanted: &str) -> bool {
        let found = self.text[self.at..].starts_with(wanted);
        self.at += if found { wanted.len() } else { 0 };
        found
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|next| matches!(next, ' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn mistake<T>(&self, reason: impl Into<String>) -> Result<T, Mistake> {
        self.mistake_at(self.at, reason)
    }

    fn mistake_at<T>(&self, at: usize, reason: impl Into<String>) -> Result<T, Mistake> {
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let from = before[line_start..]
            .char_indices()
            .rev()
            .nth(EXCERPT_CHARS / 2)
            .map_or(line_start, |(index, _)| line_start + index);
        Err(Mistake {
            reason: reason.into(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            excerpt: match is_public(self.text) {
                true => self.text[from..].chars().take(EXCERPT_CHARS).take_while(|next| *next != '\n').collect(),
                // A part of a key would not be known as one any more.
                false => "(not shown: there is a private key in the text)".to_owned(),
            },
        })
    }

    /// What stands here, for a message.
    fn found(&self) -> String {
        self.peek().map_or_else(|| "the end".to_owned(), |next| format!("{next:?}"))
    }

    fn value(&mut self, depth: usize) -> Result<Value, Mistake> {
        if depth >= DEPTH_MAX {
            return self.mistake(format!("JSON that is nested more than {DEPTH_MAX} levels deep"));
        }
        self.skip_space();
        match self.peek() {
            Some('"') => self.string().map(Value::String),
            Some('{') => self.object(depth),
            Some('[') => self.array(depth),
            Some('0'..='9' | '-' | '.') => self.number(),
            Some('+') if self.grammar == Grammar::Relaxed => self.number(),
            Some('n' | 't' | 'f') => self.word(),
            Some('a'..='z' | 'A'..='Z' | '_' | '/') if self.grammar == Grammar::Relaxed => self.word(),
            Some('\'') => self.mistake("a value begins with \", not with '"),
            _ => self.mistake(format!("a value is expected, not {}", self.found())),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Mistake> {
        let start = self.at;
        self.at += 1;
        let mut fields = Map::new();
        loop {
            self.skip_space();
            match self.peek() {
                Some(',') => self.at += 1,
                Some('}') => {
                    self.at += 1;
                    return Ok(Value::Object(fields));
                }
                None => return self.mistake_at(start, "the { has no }"),
                _ => {
                    let (key, value) = self.field(depth)?;
                    // Of two fields of one name the first counts.
                    fields.entry(key).or_insert(value);
                }
            }
        }
    }

    fn field(&mut self, depth: usize) -> Result<(String, Value), Mistake> {
        let relaxed = self.grammar == Grammar::Relaxed;
        let key = match self.peek() {
            Some('"') => self.string()?,
            Some('\'') if relaxed => self.string()?,
            Some(next) if relaxed && is_word(next) => self.token()?,
            _ => return self.mistake(format!("the name of a field in \" is expected, not {}", self.found())),
        };
        self.skip_space();
        if !self.take(":") {
            return self.mistake(format!("a : is expected after the field's name {key:?}, not {}", self.found()));
        }
        Ok((key, self.value(depth + 1)?))
    }

    fn array(&mut self, depth: usize) -> Result<Value, Mistake> {
        let start = self.at;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                Some(',') => self.at += 1,
                Some(']') => {
                    self.at += 1;
                    return Ok(Value::Array(items));
                }
                None => return self.mistake_at(start, "the [ has no ]"),
                _ => items.push(self.value(depth + 1)?),
            }
        }
    }

    /// A text in quotes. In the relaxed grammar it stays on its line, unless the quotes are three.
    fn string(&mut self) -> Result<String, Mistake> {
        let start = self.at;
        let relaxed = self.grammar == Grammar::Relaxed;
        let quote = self.next().unwrap_or('"');
        let three = [quote; 3].iter().collect::<String>();
        let long = relaxed && self.text[start..].starts_with(&three);
        if long {
            self.at = start + three.len();
        }
        let mut text = String::new();
        loop {
            if long && self.take(&three) {
                return Ok(text);
            }
            match self.peek() {
                None => return self.mistake_at(start, "the text that begins here has no end"),
                Some('\\') => text.push(self.escape()?),
                Some('\r' | '\n') if relaxed && !long => {
                    return self.mistake_at(start, "the text that begins here has no end in its line");
                }
                Some(next) => {
                    self.at += next.len_utf8();
                    if next == quote && !long {
                        return Ok(text);
                    }
                    text.push(next);
                }
            }
        }
    }

    /// A character after a backslash: JSON's escapes, and any other character for itself.
    fn escape(&mut self) -> Result<char, Mistake> {
        let start = self.at;
        self.at += 1;
        match self.next() {
            Some('t') => Ok('\t'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('u') => self.unicode(start),
            Some(other) => Ok(other),
            None => self.mistake_at(start, "the text ends with a backslash"),
        }
    }

    fn unicode(&mut self, start: usize) -> Result<char, Mistake> {
        let Some(first) = self.code_unit() else { return self.bad_unicode(start) };
        let pair = (0xd800..0xdc00).contains(&first) && self.take("\\u");
        let units = match pair.then(|| self.code_unit()).flatten() {
            Some(second) => vec![first, second],
            None => vec![first],
        };
        match char::decode_utf16(units).collect::<Result<Vec<_>, _>>().as_deref() {
            Ok([one]) => Ok(*one),
            _ => self.bad_unicode(start),
        }
    }

    fn bad_unicode(&self, start: usize) -> Result<char, Mistake> {
        self.mistake_at(start, "this is not a valid \\u escape")
    }

    fn code_unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let unit = u16::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
        self.at += 4;
        Some(unit)
    }

    /// Letters, digits and `_-.+/`, and what is escaped.
    fn token(&mut self) -> Result<String, Mistake> {
        let mut token = String::new();
        loop {
            match self.peek() {
                Some('\\') => token.push(self.escape()?),
                Some(next) if is_word(next) => {
                    self.at += next.len_utf8();
                    token.push(next);
                }
                _ => return Ok(token),
            }
        }
    }

    /// The rest of a word in the plain grammar.
    fn plain_rest(&mut self) -> Result<String, Mistake> {
        let mut token = String::new();
        loop {
            match self.peek() {
                Some('\\') => token.push(self.escape()?),
                Some(next) if next.is_ascii_alphanumeric() || "_-.:/".contains(next) => {
                    self.at += 1;
                    token.push(next);
                }
                _ => return Ok(token),
            }
        }
    }

    fn word(&mut self) -> Result<Value, Mistake> {
        let word = match self.grammar {
            Grammar::Relaxed => self.token()?,
            Grammar::Plain => self.plain_rest()?,
        };
        Ok(match word.as_str() {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::String(word),
        })
    }

    fn number(&mut self) -> Result<Value, Mistake> {
        let start = self.at;
        let number = match self.grammar {
            Grammar::Relaxed => relaxed_number(&self.token()?),
            Grammar::Plain => self.plain_number()?,
        };
        number.or_else(|reason| self.mistake_at(start, reason))
    }

    /// Digits and at most one dot; with a letter in it, a word.
    fn plain_number(&mut self) -> Result<Result<Value, String>, Mistake> {
        let start = self.at;
        self.take("-");
        while self.peek().is_some_and(|next| next.is_ascii_digit() || next == '.') {
            self.at += 1;
        }
        if self.peek().is_some_and(|next| next.is_ascii_alphabetic()) {
            let digits = self.text[start..self.at].to_owned();
            return Ok(Ok(Value::String(digits + &self.plain_rest()?)));
        }
        let token = &self.text[start..self.at];
        Ok(match token.contains('.') {
            true => token.parse().ok().and_then(Number::from_f64).map(Value::Number).ok_or_else(|| not_a_number(token)),
            false => integer(token, 10, token),
        })
    }
}

fn is_public(text: &str) -> bool {
    secrets::hidden(text) == text
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_-.+/".contains(letter)
}

fn not_a_number(token: &str) -> String {
    format!("{token:?} is not a valid number")
}

/// A token that begins like a number: one, or a text, as fc's `parseNumberOrStr` decides.
fn relaxed_number(token: &str) -> Result<Value, String> {
    let text = || Ok(Value::String(token.to_owned()));
    let magnitude = token.strip_prefix(['+', '-']).unwrap_or(token);
    let based = [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)];
    if let Some(radix) = based.iter().find_map(|(prefix, radix)| magnitude.starts_with(prefix).then_some(*radix)) {
        return based_integer(token, &magnitude[2..], radix);
    }
    if magnitude.is_empty() {
        return Err(not_a_number(token));
    }
    if magnitude.bytes().all(|byte| byte.is_ascii_digit()) {
        return integer(token, 10, magnitude);
    }
    match magnitude.split_once(['e', 'E']) {
        Some((digits, exponent))
            if is_digits(digits) && is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)) =>
        {
            exponential(token)
        }
        _ => text(),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `1e5`, which is an integer when it is one.
fn exponential(token: &str) -> Result<Value, String> {
    let number: f64 = token.parse().map_err(|_| not_a_number(token))?;
    if number.fract() == 0.0 && number.abs() <= EXACT_DOUBLE_MAX {
        return Ok(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number).ok_or_else(|| format!("{token} is larger than any number"))
}

/// `0x10`: beyond 64 bits it stays a text, as some types are wider.
fn based_integer(token: &str, digits: &str, radix: u32) -> Result<Value, String> {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(format!("{token:?} is not a valid number of base {radix}"));
    }
    integer(token, radix, digits).or_else(|_| Ok(Value::String(token.to_owned())))
}

/// An integer of 64 bits; it is never cut.
fn integer(token: &str, radix: u32, digits: &str) -> Result<Value, String> {
    let digits = digits.strip_prefix('-').unwrap_or(digits);
    if digits.is_empty() {
        return Err(not_a_number(token));
    }
    let out_of_range = || format!("{token} is out of range: integers go from {} to {}", i64::MIN, u64::MAX);
    let magnitude = u64::from_str_radix(digits, radix).map_err(|_| out_of_range())?;
    match token.starts_with('-') {
        true => 0i64.checked_sub_unsigned(magnitude).map(Value::from).ok_or_else(out_of_range),
        false => Ok(Value::from(magnitude)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn relaxed(text: &str) -> Value {
        parse(text, Grammar::Relaxed).unwrap_or_else(|mistake| panic!("{text}: {mistake}")).0
    }

    fn refused(text: &str, grammar: Grammar) -> String {
        parse(text, grammar).expect_err(text).to_string()
    }

    #[test]
    fn bare_words_missing_commas_and_numbers_of_other_bases() {
        assert_eq!(relaxed("[alice,bob,\"1.0000 SYS\",m]"), json!(["alice", "bob", "1.0000 SYS", "m"]));
        assert_eq!(
            relaxed("{\"from\":alice,to:bob,'memo':\"hi\"}"),
            json!({"from": "alice", "to": "bob", "memo": "hi"})
        );
        assert_eq!(relaxed("[\"a\" \"b\" c,,d,]"), json!(["a", "b", "c", "d"]));
        assert_eq!(relaxed("[0x10 007 +5 -5 1e3 0b101 0o17 0 -0]"), json!([16, 7, 5, -5, 1000, 5, 15, 0, 0]));
        assert_eq!(relaxed("[1.5 .5 1. 1e 1e+ 1-2 v1.0]"), json!(["1.5", ".5", "1.", "1e", "1e+", "1-2", "v1.0"]));
        assert_eq!(relaxed("[true null false True]"), json!([true, null, false, "True"]));
        assert_eq!(relaxed("[\"a\tb\" \"\"\"a\nb\"c\"\"\"]"), json!(["a\tb", "a\nb\"c"]));
        assert_eq!(relaxed("{\"a\":1 \"a\":2}"), json!({"a": 1}), "the first counts");
    }

    #[test]
    fn escapes_mean_what_json_means() {
        assert_eq!(relaxed(r#"["\u00fc\ud83d\ude00\b\f\n\/\q"]"#), json!(["ü😀\u{8}\u{c}\n/q"]));
        assert!(refused(r#"["\u00"]"#, Grammar::Relaxed).contains("escape"));
        assert!(refused(r#"["\ud83d"]"#, Grammar::Plain).contains("escape"));
    }

    #[test]
    fn numbers_are_never_cut() {
        let edges = "[18446744073709551615 -9223372036854775808 0xffffffffffffffff]";
        assert_eq!(relaxed(edges), json!([u64::MAX, i64::MIN, u64::MAX]));
        for text in ["18446744073709551616", "-9223372036854775809", "1e999", "0x1g", "-", "0b2", "0x"] {
            for text in [text.to_owned(), format!("[{text}]")] {
                parse(&text, Grammar::Relaxed).expect_err(&text);
            }
        }
        assert_eq!(relaxed("[0x10000000000000000]"), json!(["0x10000000000000000"]));
        assert!(refused("[18446744073709551616]", Grammar::Plain).contains("out of range"));
    }

    #[test]
    fn the_plain_grammar_has_fewer_words() {
        let plain = |text| parse(text, Grammar::Plain).expect(text).0;
        assert_eq!(plain("[1 -2,1.5 \"a\nb\" foo true 12ab:c]"), json!([1, -2, 1.5, "a\nb", "foo", true, "12ab:c"]));
        for text in ["[alice]", "{a:1}", "['a']", "[+1]", "[1..2]"] {
            refused(text, Grammar::Plain);
        }
    }

    #[test]
    fn mistakes_say_where_and_why() {
        assert_eq!(
            refused("[\"alice\",\"bob\"", Grammar::Relaxed),
            "the [ has no ] at character 1: ... [\"alice\",\"bob\""
        );
        assert_eq!(
            refused("{\"a\" 1}", Grammar::Relaxed),
            "a : is expected after the field's name \"a\", not '1' at character 6: ... {\"a\" 1}"
        );
        assert_eq!(
            refused("{\n \"a\":1,\n \"b\":]}", Grammar::Plain),
            "a value is expected, not ']' in line 3, column 6: ...  \"b\":]}"
        );
        assert!(refused(&"[".repeat(100_000), Grammar::Relaxed).contains("nested"));
        let nested = |levels| "[".repeat(levels) + &"]".repeat(levels);
        assert!(parse(&nested(100), Grammar::Plain).is_ok());
        assert!(refused(&nested(101), Grammar::Plain).contains("nested"));
        assert!(refused("", Grammar::Relaxed).contains("the end"));
        let secret = refused("[5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3", Grammar::Relaxed);
        assert!(secret.contains("not shown") && !secret.contains("5KQw"), "{secret}");
    }

    #[test]
    fn what_follows_is_given_back() {
        assert_eq!(parse("[1] ]", Grammar::Relaxed).expect("a value").1, "]");
        assert_eq!(parse("alice bob", Grammar::Relaxed).expect("a value").1, "bob");
    }
}
