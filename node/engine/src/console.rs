//! What contracts print, in the log: a stranger decides what it is and how much, so it is bounded, and nothing in it can
//! pass for a line of the log or act on a terminal. The transaction's trace has more of it.

use std::fmt::Write as _;

use execution::{ActionTrace, TransactionTrace};
use primitives::TimePoint;

/// The target of these lines, by which the log's writer knows that they are bounded already.
pub const CONSOLE_TARGET: &str = "console";
/// Bytes of an action's text.
pub const ACTION_BYTES_MAX: usize = 4 << 10;
/// Bytes of the texts of a transaction's actions.
pub const TRANSACTION_BYTES_MAX: usize = 16 << 10;
/// Bytes of the texts of a second.
pub const SECOND_BYTES_MAX: usize = 64 << 10;
/// What an action costs of these beside its text, for the lines around it.
const FRAME_BYTES: usize = 256;

/// What was logged in this second.
#[derive(Debug, Default)]
pub(crate) struct ConsoleLog {
    second: i64,
    written: usize,
    left_out: usize,
}

impl ConsoleLog {
    /// What is to be logged of a transaction that ran at `now`.
    pub fn told(&mut self, trace: &TransactionTrace, now: TimePoint) -> Vec<String> {
        let printed = trace.action_traces.iter().filter(|action| !action.console.is_empty());
        self.told_of(printed.map(|action| (place_of(action), &action.console[..])), now)
    }

    /// The same of texts with their places.
    fn told_of<'a>(&mut self, printed: impl Iterator<Item = (String, &'a [u8])>, now: TimePoint) -> Vec<String> {
        let mut told = Vec::new();
        let mut of_transaction = 0;
        for (place, console) in printed {
            told.extend(self.begin_second(now));
            let room = (TRANSACTION_BYTES_MAX - of_transaction).min(SECOND_BYTES_MAX - self.written);
            let Some(room) = room.checked_sub(FRAME_BYTES).filter(|room| *room > 0) else {
                self.left_out = self.left_out.saturating_add(console.len());
                continue;
            };
            let (text, cut) = shown(console, room.min(ACTION_BYTES_MAX));
            self.left_out = self.left_out.saturating_add(cut);
            of_transaction += text.len() + FRAME_BYTES;
            self.written += text.len() + FRAME_BYTES;
            told.push(framed(&place, &text, cut));
        }
        told
    }

    /// Another second has room again. Says what the last one had no room for.
    fn begin_second(&mut self, now: TimePoint) -> Option<String> {
        let second = now.0.div_euclid(1_000_000);
        if second == self.second {
            return None;
        }
        let left_out = std::mem::take(&mut self.left_out);
        (self.second, self.written) = (second, 0);
        (left_out > 0).then(|| {
            format!(
                "{left_out} bytes that contracts printed were left out of the log: at most {SECOND_BYTES_MAX} a second, \
                 {TRANSACTION_BYTES_MAX} a transaction and {ACTION_BYTES_MAX} an action are in it. Traces have more; \
                 without --contracts-console nothing is kept"
            )
        })
    }
}

fn place_of(action: &ActionTrace) -> String {
    format!("({},{})->{}", action.act.account, action.act.name, action.receiver)
}

/// Between the lines that nodeos has around it.
fn framed(place: &str, text: &str, cut: usize) -> String {
    let more = if cut > 0 { format!("\n[{place}]: {cut} bytes more") } else { String::new() };
    format!(
        "\n[{place}]: CONSOLE OUTPUT BEGIN =====================\n{text}{more}\n[{place}]: CONSOLE OUTPUT END   ====================="
    )
}

/// The beginning of a text in at most `max` bytes, with the number of bytes that have no room. Lines after the first are
/// set in, so that none looks like one of the log's own; what is no character that can be seen is written as a number.
fn shown(text: &[u8], max: usize) -> (String, usize) {
    let mut out = String::new();
    let mut read = 0;
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            let before = out.len();
            match character {
                '\n' => out.push_str("\n    "),
                '\t' => out.push('\t'),
                // What turns the direction of a line changes what a reader sees as much as what moves the cursor.
                '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    out.extend(character.escape_unicode())
                }
                seen if !seen.is_control() => out.push(seen),
                hidden => out.extend(hidden.escape_unicode()),
            }
            if out.len() > max {
                out.truncate(before);
                return (out, text.len() - read);
            }
            read += character.len_utf8();
        }
        for byte in chunk.invalid() {
            let before = out.len();
            // Writing into memory does not fail.
            let _ = write!(out, "\\x{byte:02x}");
            if out.len() > max {
                out.truncate(before);
                return (out, text.len() - read);
            }
            read += 1;
        }
    }
    (out, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(log: &mut ConsoleLog, texts: &[&[u8]], now: TimePoint) -> Vec<String> {
        log.told_of(texts.iter().map(|text| ("(a,b)->a".to_owned(), *text)), now)
    }

    fn at(second: i64) -> TimePoint {
        TimePoint(second * 1_000_000 + 1)
    }

    #[test]
    fn nothing_printed_passes_for_a_line_or_moves_the_cursor() {
        let text = "a\u{1b}[2J\r\nerror 2026-01-01 \u{202e}\u{7f}\u{85}\u{0}\tb é\u{ff}".as_bytes();
        let (shown, cut) = shown(&[text, &[0xff, 0xc3]].concat(), 1000);
        let expected = "a\\u{1b}[2J\\u{d}\n    error 2026-01-01 \\u{202e}\\u{7f}\\u{85}\\u{0}\tb é\u{ff}\\xff\\xc3";
        assert_eq!((shown.as_str(), cut), (expected, 0));
    }

    #[test]
    fn an_action_a_transaction_and_a_second_have_so_many_bytes() {
        let mut log = ConsoleLog::default();
        let long = vec![b'x'; ACTION_BYTES_MAX + 7];
        let lines = told(&mut log, &[&long, b"short"], at(1));
        assert_eq!(lines.len(), 2);
        assert!(lines[0].contains("]: 7 bytes more\n") && lines[1].contains("\nshort\n["), "{}", lines[1]);

        let newlines = vec![b'\n'; 1 << 20];
        let all: usize = told(&mut log, &vec![&newlines[..]; 50], at(2)).iter().map(String::len).sum();
        assert!(all <= TRANSACTION_BYTES_MAX + FRAME_BYTES, "{all}");
        let mut in_second = all;
        for _ in 0..1000 {
            in_second += told(&mut log, &[&long, &long], at(2)).iter().map(String::len).sum::<usize>();
        }
        assert!(in_second <= SECOND_BYTES_MAX + FRAME_BYTES, "{in_second}");
        let lines = told(&mut log, &[b"again"], at(3));
        assert!(lines[0].contains("bytes that contracts printed were left out") && lines[1].contains("\nagain\n"));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shown("aé".as_bytes(), 2), ("a".to_owned(), 2));
        assert_eq!(shown("a\n".as_bytes(), 3), ("a".to_owned(), 1));
        assert_eq!(shown(&[b'a', 0xff, 0xff], 5), ("a\\xff".to_owned(), 1));
    }
}
