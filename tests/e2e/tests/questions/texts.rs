//! JSON texts by chance: numbers, strings, lists and objects of all shapes, and values that fit a type of an ABI.

use e2e::Dice;

/// Values are nested so deep, but for a few.
const DEPTH: usize = 3;
/// Levels of the few: round those that ABIs allow (32) and those that JSON may have (100), reckoned from where a value
/// stands in a body.
const DEEP: [usize; 15] = [8, 30, 31, 32, 33, 90, 93, 94, 95, 96, 97, 98, 99, 100, 600];

/// Numbers as people and programs write them, and as nobody should.
const NUMBERS: [&str; 66] = [
    "0",
    "1",
    "2",
    "7",
    "10",
    "007",
    "-1",
    "-5",
    "+5",
    "1.0",
    "1.5",
    "-1.5",
    "0.1",
    ".5",
    "5.",
    "-.5",
    "1..2",
    "1.2.3",
    "-",
    ".",
    "-.",
    "127",
    "128",
    "-128",
    "-129",
    "255",
    "256",
    "32767",
    "32768",
    "65535",
    "65536",
    "-32769",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
    "340282366920938463463374607431768211455",
    "340282366920938463463374607431768211456",
    "-170141183460469231731687303715884105728",
    "1e3",
    "1E3",
    "1e30",
    "1e-3",
    "1.5e3",
    "-1e3",
    "1e",
    "1e+3",
    "0x10",
    "0xfF",
    "-0x10",
    "0b1",
    "0o7",
    "1_000",
    "12abc",
    "1e400",
    "0.30000000000000004",
    "123456789.123456789",
];

/// Words without quotes.
const WORDS: [&str; 12] =
    ["true", "false", "null", "tru", "nul", "nullx", "falsey", "alice", "NaN", "Infinity", "undefined", "n/a"];

/// Insides of strings, as they stand between the quotes.
const STRINGS: [&str; 60] = [
    "",
    "a",
    "alice",
    "bob",
    "eosio",
    "active",
    "ALICE",
    "alice ",
    " alice",
    "aliceandbob11",
    "aliceandbob1z",
    "a.b",
    "....",
    "zzzzzzzzzzzzj",
    "toolongaccountname",
    "0",
    "1",
    "-1",
    "255",
    "256",
    "+7",
    " 7",
    "7 ",
    "1.5",
    "1e3",
    "0x10",
    "0X1f",
    "inf",
    "-inf",
    "nan",
    "1e400",
    "true",
    "false",
    "TRUE",
    "1.0000 SYS",
    "1 SYS",
    "-1.0000 SYS",
    "1.0000SYS",
    "1.0000  SYS",
    "4611686018427387904 SYS",
    "0.1234567890123456789 SYS",
    "4,SYS",
    "19,SYS",
    "SYS",
    "sys",
    "00",
    "0",
    "zz",
    "0102ff",
    "0102FF",
    "2030-01-01T00:00:00",
    "2030-01-01T00:00:00.500",
    "1970-01-01T00:00:00.000",
    "2030-01-01",
    "2030-1-1T0:0:0",
    "2200-01-01T00:00:00",
    "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV",
    "PUB_K1_6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5BoDq63",
    "18446744073709551616",
    "SIG_K1_111111111111111111111111111111111111111111111111111111111111111116uk5ne",
];

/// Pieces that make strings odd: escapes, controls, text beyond ASCII.
const PIECES: [&str; 16] = [
    "\\n",
    "\\t",
    "\\r",
    "\\\"",
    "\\\\",
    "\\/",
    "\\q",
    "\\0",
    "\t",
    "\n",
    "\u{1}",
    "\u{7f}",
    "é",
    "\u{20ac}",
    "\u{1f600}",
    "'",
];

/// Blanks between tokens.
const BLANKS: [&str; 6] = [" ", "  ", "\t", "\n", "\r\n", ""];

fn blank(dice: &mut Dice) -> &'static str {
    if dice.once_in(12) { dice.of(&BLANKS) } else { "" }
}

/// A comma, or what stands for one.
fn comma(dice: &mut Dice) -> &'static str {
    if dice.once_in(40) { dice.of(&[" ", ",,", ", ,", "\n"]) } else { "," }
}

pub fn number(dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => (dice.bits() >> dice.below(64)).to_string(),
        _ => dice.of(&NUMBERS).to_owned(),
    }
}

pub fn string(dice: &mut Dice) -> String {
    let mut inside = dice.of(&STRINGS).to_owned();
    if dice.once_in(4) {
        for _ in 0..=dice.below(3) {
            inside.push_str(dice.of(&PIECES));
        }
    }
    if dice.once_in(60) {
        inside = inside.repeat(dice.of(&[3, 20, 100]));
    }
    format!("\"{inside}\"")
}

/// Anything.
pub fn value(dice: &mut Dice, depth: usize) -> String {
    if dice.once_in(150) {
        return deep(dice);
    }
    match dice.below(if depth >= DEPTH { 10 } else { 14 }) {
        0..=3 => number(dice),
        4..=7 => string(dice),
        8..=9 => dice.of(&WORDS).to_owned(),
        10..=11 => list(dice, depth),
        _ => {
            let names = ["a", "v", "actor", "permission", "quantity", "first", "from", "0"];
            let fields = (0..dice.below(4)).map(|_| (dice.of(&names).to_owned(), value(dice, depth + 1))).collect();
            object(dice, fields)
        }
    }
}

/// A value inside of many lists or objects.
fn deep(dice: &mut Dice) -> String {
    let levels = dice.of(&DEEP);
    let (open, close) = dice.of(&[("[", "]"), ("{\"v\":", "}")]);
    format!("{}1{}", open.repeat(levels), close.repeat(levels))
}

fn list(dice: &mut Dice, depth: usize) -> String {
    let items = (0..dice.below(4)).map(|_| value(dice, depth + 1)).collect();
    items_text(dice, items)
}

pub fn items_text(dice: &mut Dice, items: Vec<String>) -> String {
    let mut text = "[".to_owned();
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            text.push_str(comma(dice));
        }
        text.push_str(blank(dice));
        text.push_str(item);
    }
    text + blank(dice) + "]"
}

/// An object, now and then with a field twice, missing, more, in another order, or badly written.
pub fn object(dice: &mut Dice, mut fields: Vec<(String, String)>) -> String {
    if !fields.is_empty() && dice.once_in(12) {
        let place = dice.below(fields.len());
        match dice.below(4) {
            0 => drop(fields.remove(place)),
            1 => fields[place].1 = value(dice, DEPTH),
            2 => {
                let name = fields[place].0.clone();
                let other = value(dice, DEPTH);
                let at = dice.below(fields.len() + 1);
                fields.insert(at, (name, other));
            }
            _ => fields.swap(0, place),
        }
    }
    if dice.once_in(25) {
        fields.push((dice.of(&["x", "", "data", "hex_data", "a b", "\\n"]).to_owned(), value(dice, DEPTH)));
    }
    let mut text = "{".to_owned();
    for (place, (name, value)) in fields.iter().enumerate() {
        if place > 0 {
            text.push_str(comma(dice));
        }
        let quote = if dice.once_in(300) { dice.of(&["", "'"]) } else { "\"" };
        let colon = if dice.once_in(300) { dice.of(&["", "=", "::"]) } else { ":" };
        let (before, after) = (blank(dice), blank(dice));
        text.push_str(&format!("{before}{quote}{name}{quote}{colon}{after}{value}"));
    }
    text + blank(dice) + "}"
}

/// A value that fits a type of [`super::every_type`], but for a few.
pub fn of_type(dice: &mut Dice, kind: &str, depth: usize) -> String {
    if dice.once_in(5) {
        return value(dice, depth);
    }
    if let Some(item) = kind.strip_suffix("[]") {
        let items = (0..dice.below(4)).map(|_| of_type(dice, item, depth + 1)).collect();
        return items_text(dice, items);
    }
    if let Some(inner) = kind.strip_suffix('?') {
        return if dice.once_in(4) { "null".to_owned() } else { of_type(dice, inner, depth) };
    }
    match kind {
        "pair" | "longer" => {
            let mut fields =
                vec![("first", of_type(dice, "uint8", depth + 1)), ("second", of_type(dice, "string", depth + 1))];
            if kind == "longer" {
                fields.push(("third", of_type(dice, "name", depth + 1)));
                if dice.once_in(2) {
                    fields.push(("tail", of_type(dice, "int64", depth + 1)));
                }
            }
            if dice.once_in(3) {
                let items = fields.into_iter().map(|(_, value)| value).collect();
                return items_text(dice, items);
            }
            let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            object(dice, fields)
        }
        "either" => {
            let kind = dice.of(&["uint32", "string", "pair", "nick"]);
            let inner = of_type(dice, kind, depth + 1);
            items_text(dice, vec![format!("\"{kind}\""), inner])
        }
        "bool" => dice.of(&["true", "false", "0", "1", "\"true\"", "2"]).to_owned(),
        "name" | "nick" => dice.of(&["\"alice\"", "\"bob\"", "\"\"", "\"a.b.c\"", "\"zzzzzzzzzzzzj\""]).to_owned(),
        "string" => string(dice),
        "bytes" => dice.of(&["\"\"", "\"00\"", "\"0102ff\"", "\"0102FF\"", "\"012\""]).to_owned(),
        "asset" => dice.of(&["\"1.0000 SYS\"", "\"0 A\"", "\"-1.5 SYS\"", "\"4611686018427387903 SYS\""]).to_owned(),
        "extended_asset" => {
            let fields = [("quantity", "\"1.0000 SYS\""), ("contract", "\"eosio.token\"")];
            object(dice, fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
        }
        "symbol" => dice.of(&["\"4,SYS\"", "\"0,A\"", "\"18,ABCDEFG\"", "\"19,SYS\""]).to_owned(),
        "symbol_code" => dice.of(&["\"SYS\"", "\"A\"", "\"ABCDEFG\"", "\"ABCDEFGH\""]).to_owned(),
        "public_key" => format!("\"{}\"", e2e::DEV_PUBLIC_KEY),
        "signature" => format!("\"SIG_K1_{}16uk5ne\"", "1".repeat(64 + 8)),
        kind if kind.starts_with("checksum") => {
            let bytes: usize = kind.trim_start_matches("checksum").parse().expect("a number of bits");
            format!("\"{}\"", "7f".repeat(bytes / 8 + dice.below(40) / 39))
        }
        kind if kind.starts_with("time") || kind.starts_with("block_timestamp") => {
            dice.of(&["\"2030-01-01T00:00:00\"", "\"2030-01-01T00:00:00.500\"", "\"1970-01-01T00:00:00\""]).to_owned()
        }
        _ => {
            let plain = number(dice);
            if dice.once_in(3) { format!("\"{plain}\"") } else { plain }
        }
    }
}
