//! nodeos' messages where their parts can be long: the HTTP answers cut them (nodeos: libfc `format_string` with
//! `minimize`, `escape_string`). Short messages are written with `format!` where they arise.

/// Bytes that a message may have before its parts are cut.
pub const MESSAGE_MAX: usize = 1024;

/// A part of a message.
pub enum Part<'a> {
    /// Text: cut where it is too long.
    Text(&'a [u8]),
    /// An array or object as JSON: left out, with its name in its place, where it is too long.
    Json(String),
    /// A number, as it is.
    Number(i64),
}

/// A message after `${name}` is replaced by its part. All parts count, named in the format or not.
pub fn message(format: &str, parts: &[(&str, Part<'_>)]) -> String {
    let part_max = MESSAGE_MAX.saturating_sub(format.len()) / parts.len().max(1);
    let mut result = String::new();
    let mut rest = format;
    while let Some((before, name, after)) = next_name(rest) {
        result.push_str(before);
        if result.len() > MESSAGE_MAX {
            result.push_str("...");
            return result;
        }
        match parts.iter().find(|(known, _)| *known == name).map(|(_, part)| part) {
            Some(Part::Text(text)) if text.len() > part_max => {
                let length = part_max.min(MESSAGE_MAX.saturating_sub(result.len()));
                result.push_str(&printable(&text[..length]));
                result.push_str("...");
            }
            Some(Part::Text(text)) => result.push_str(&printable(text)),
            Some(Part::Json(json)) if json.len() <= part_max && result.len() < MESSAGE_MAX => result.push_str(json),
            Some(Part::Number(number)) => result.push_str(&number.to_string()),
            Some(Part::Json(_)) | None => {
                result.push_str("${");
                result.push_str(name);
                result.push('}');
            }
        }
        rest = after;
    }
    result.push_str(rest);
    result
}

/// Text that nodeos takes for a format without parts: a dollar sign is lost unless a name in braces follows it, and ends
/// what is long already.
pub fn unparted(text: &[u8]) -> String {
    let mut result = String::new();
    let mut rest = text;
    let find = |bytes: &[u8], wanted: u8| bytes.iter().position(|byte| *byte == wanted);
    while let Some(at) = find(rest, b'$') {
        result.push_str(&printable(&rest[..at]));
        if result.len() > MESSAGE_MAX {
            return result + "...";
        }
        rest = &rest[at + 1..];
        let end = match rest.first() {
            Some(b'{') => match find(rest, b'}') {
                Some(end) => {
                    result.push('$');
                    end + 1
                }
                None => rest.len(),
            },
            // One byte stands for itself, be it another dollar sign.
            first => first.map_or(0, |_| 1),
        };
        result.push_str(&printable(&rest[..end]));
        rest = &rest[end..];
    }
    result + &printable(rest)
}

/// Text before the next `${name}`, the name, and the text after it.
fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// Text as messages show it: control characters by number, without bytes that are no UTF-8.
pub fn printable(text: &[u8]) -> String {
    let mut result = String::with_capacity(text.len());
    for character in utf8_only(text).chars() {
        match character {
            '\t' | '\n' | '\r' => result.push(character),
            '\0'..='\x1f' | '\x7f'..='\u{9f}' => result.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => result.push(character),
        }
    }
    result
}

/// Text without the bytes that are no UTF-8, as nodeos prints what contracts print (`prune_invalid_utf8`).
pub fn utf8_only(text: &[u8]) -> String {
    text.utf8_chunks().map(|chunk| chunk.valid()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_parts_are_cut_or_left_out() {
        let text = "x".repeat(1020);
        let cut = message("assertion failure with message: ${s}", &[("s", Part::Text(text.as_bytes()))]);
        assert_eq!(cut, format!("assertion failure with message: {}...", "x".repeat(988)));
        let json = Part::Json("[1]".repeat(400));
        assert_eq!(message("keys ${keys} of ${n}", &[("keys", json), ("n", Part::Number(3))]), "keys ${keys} of 3");
    }

    #[test]
    fn dollar_signs_are_lost_unless_a_name_follows() {
        let read = |text: &str| unparted(text.as_bytes());
        assert_eq!(read("no $x, ${y}, ${z or \u{1}$"), "no x, ${y}, {z or \\u0001$");
        assert_eq!(read("$$$$ ${a$b} $\u{e9} $"), "$$ ${a$b}  ");
        let long = "x".repeat(1100);
        assert_eq!(read(&long), long);
        assert_eq!(read(&format!("{long}$y")), format!("{long}..."));
    }

    #[test]
    fn only_what_can_be_printed_is_printed() {
        assert_eq!(printable(b"a\x01\n\x7f\xff\xc2\x80b"), "a\\u0001\n\\u007f\\u0080b");
        assert_eq!(utf8_only(b"bad \xff\xfe utf8"), "bad  utf8");
    }
}
