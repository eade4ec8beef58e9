//! `boreas` beside the real cleos, on one chain and with the keys of one keosd.

use std::path::Path;
use std::process::{Command, Stdio};

use client::Node;
use e2e::{DEV_PRIVATE_KEY, Dice, Keosd, Peer, RunningNode, binary};
use serde_json::{Value, json};

/// Command lines and how much alike the two answer.
const COMMANDS: &str = include_str!("../cleos/commands.txt");
/// The ABI whose actions take one argument of each sort.
const ODD_ABI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cleos/odd.abi");
/// Times that a moment is waited for in which nothing moves.
const STILL_TRIES: usize = 3;
/// So many texts are made up for each run.
const ODD_TEXTS: usize = 250;
/// What they are made from; the environment's SEED gives others.
const SEED: u64 = 1630;
/// Fields that change from one moment to the next, between the two programs.
const MOVING: [&str; 12] = [
    "packed_trx",
    "available\"",
    "max\"",
    "expiration",
    "ref_block_num",
    "ref_block_prefix",
    "head_block_",
    "fork_db_head_",
    "last_irreversible_block_",
    "virtual_block_",
    "current_used",
    "last_usage_update_time",
];

/// What a program answered.
struct Answer {
    status: Option<i32>,
    output: String,
    errors: String,
}

impl Answer {
    fn told(&self) -> String {
        format!("status {:?}\n{}{}", self.status, self.output, self.errors)
    }
}

/// The two programs, with a chain and a keosd that both use.
struct Both {
    peer: Peer,
    node: RunningNode,
    keosd: Keosd,
    folder: tempfile::TempDir,
}

impl Both {
    fn start() -> Option<Self> {
        let peer = Peer::find()?;
        let folder = tempfile::tempdir().expect("temporary folder");
        let plugins = ["--plugin", "eosio::producer_api_plugin", "--plugin", "eosio::net_api_plugin"];
        let node = RunningNode::dev(folder.path(), &plugins);
        let keosd = Keosd::with_key(&peer, DEV_PRIVATE_KEY);
        let (_, private) = node.printed_keys("alice");
        let wallets = Node::new(&keosd.url, Vec::new());
        wallets.call("/v1/wallet/import_key", &json!(["test", private])).expect("keosd takes the key");
        Some(Self { peer, node, keosd, folder })
    }

    fn run(&self, mut command: Command, arguments: &[String]) -> Answer {
        command.args(["-u", &self.node.url, "--wallet-url", &self.keosd.url, "--no-auto-keosd"]).args(arguments);
        command.env("BOREAS_WALLET_DIR", self.folder.path().join("wallets")).stdin(Stdio::null());
        let done = command.output().expect("the program runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Answer { status: done.status.code(), output: text(&done.stdout), errors: text(&done.stderr) }
    }

    fn cleos(&self, arguments: &[String]) -> Answer {
        self.run(self.peer.program("cleos"), arguments)
    }

    fn boreas(&self, arguments: &[String]) -> Answer {
        self.run(Command::new(binary("boreas")), arguments)
    }
}

/// A command line split as a shell does: quotes of both kinds hold spaces.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars() {
        match (letter, quote) {
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (_, Some(open)) if letter == open => quote = None,
            (' ', None) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// Output without what changes from one moment to the next.
fn still(output: &str) -> String {
    let moving = |line: &&str| {
        let line = line.trim_start().trim_start_matches(['{', '[', '"']);
        MOVING.iter().any(|field| line.starts_with(field))
            || ["used:", "available:", "limit:"].iter().any(|field| line.starts_with(field))
            || line.contains("eosio.null::nonce")
    };
    output.lines().filter(|line| !moving(line)).collect::<Vec<_>>().join("\n")
}

impl Both {
    /// Whether both print the same. What moves is left out only where it does not stand still: cleos is asked before and
    /// after, and where it says the same again, so must boreas.
    fn print_alike(&self, arguments: &[String], first: &Answer) -> bool {
        let (mut before, mut alike) = (first.output.clone(), false);
        for _ in 0..STILL_TRIES {
            let boreas = self.boreas(arguments).output;
            let after = self.cleos(arguments).output;
            if before == after {
                return boreas == after;
            }
            alike |= still(&boreas) == still(&after) || still(&boreas) == still(&before);
            before = after;
        }
        alike
    }
}

#[test]
fn the_same_commands_end_alike_and_print_alike() {
    let Some(both) = Both::start() else { return };
    let mut differences = Vec::new();
    for line in COMMANDS.lines().filter(|line| line.starts_with(['=', '~', 'x'])) {
        let (mark, rest) = line.split_at(1);
        let mut arguments = words(rest.trim());
        let expected = (mark == "x").then(|| [arguments.remove(0), arguments.remove(0)]);
        let (cleos, boreas) = (both.cleos(&arguments), both.boreas(&arguments));
        let statuses =
            [cleos.status, boreas.status].map(|status| status.map_or_else(String::new, |code| code.to_string()));
        let alike = expected.map_or(cleos.status == boreas.status, |expected| expected == statuses);
        let printed = mark != "=" || cleos.status != Some(0) || both.print_alike(&arguments, &cleos);
        if !alike || !printed {
            differences.push(format!("{line}\ncleos: {}\nboreas: {}", cleos.told(), boreas.told()));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n\n"));
}

/// A text that might be a value.
fn odd_value(dice: &mut Dice, depth: usize) -> String {
    const WORDS: [&str; 12] =
        ["alice", "true", "false", "null", "n", "tru", "a.b-c_d/e+f", "v1.0", "R", "_x", "/a", "alice\\ b"];
    const DIGITS: [&str; 22] = [
        "0",
        "1",
        "007",
        "-5",
        "+5",
        "-0",
        "1.5",
        ".5",
        "1.",
        "0x10",
        "0XfF",
        "-0x10",
        "0o17",
        "1e",
        "1e+",
        "1_000",
        "1-2",
        "--1",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
    ];
    const QUOTED: [&str; 9] = [
        r#""""#,
        r#""a b""#,
        r#""a\"b""#,
        r#""a\tb\\c""#,
        "\"a\tb\"",
        r#""7""#,
        r#""ü""#,
        "\"\"\"x\ny\"\"\"",
        r#""1.0000 SYS""#,
    ];
    match dice.below(if depth > 2 { 8 } else { 10 }) {
        0..=2 => dice.of(&WORDS).to_owned(),
        3..=5 => dice.of(&DIGITS).to_owned(),
        6..=7 => dice.of(&QUOTED).to_owned(),
        8 => format!("[{}]", odd_items(dice, depth + 1)),
        _ => format!("{{\"k\":{}}}", odd_value(dice, depth + 1)),
    }
}

fn odd_items(dice: &mut Dice, depth: usize) -> String {
    let items = (0..dice.below(4)).map(|_| odd_value(dice, depth) + dice.of(&[",", " ", ", ", ",,", "\t", "\n"]));
    items.collect()
}

/// The arguments of an action with one field, or nearly.
fn odd_text(dice: &mut Dice) -> String {
    let value = odd_value(dice, 0);
    match dice.below(10) {
        0 => format!("{{\"v\":{value}}}"),
        1 => format!("{{\"v\" : {value} , }}"),
        2 => format!("{{'v':{value}}}"),
        3 => format!("[{value}"),
        4 => format!(" [ {value} ] "),
        5 => format!("[{value}{}", dice.of(&["]]", "]}", "] x", ",]", " ]"])),
        _ => format!("[{value}]"),
    }
}

#[test]
fn odd_arguments_are_packed_as_cleos_packs_them() {
    let Some(both) = Both::start() else { return };
    let mut dice = Dice::of_test(SEED);
    let seed = dice.seed();
    let mut differences = Vec::new();
    for _ in 0..ODD_TEXTS {
        let action = dice.of(&["n", "s", "u", "i", "f", "l", "o"]).to_owned();
        let text = odd_text(&mut dice);
        let abi = format!("odd:{ODD_ABI}");
        let line = ["--abi-file", &abi, "push", "action", "odd", &action, &text, "-d", "-s", "-j", "-p", "alice"];
        let line: Vec<_> = line.iter().map(|word| (*word).to_owned()).collect();
        let packed = |answer: &Answer| {
            let value: Value = serde_json::from_str(&answer.output).unwrap_or_default();
            (answer.status == Some(0)).then(|| value["actions"][0]["data"].clone())
        };
        let (cleos, boreas) = (both.cleos(&line), both.boreas(&line));
        if packed(&cleos) != packed(&boreas) {
            differences.push(format!("{action} {text:?}\ncleos: {}\nboreas: {}", cleos.told(), boreas.told()));
        }
    }
    assert!(differences.is_empty(), "seed {seed}: {} differ:\n{}", differences.len(), differences.join("\n\n"));
}

/// What boreas reads otherwise than cleos, on purpose: the text, what cleos packs and what boreas packs.
const WANTED: [(&str, &str, Option<&str>, Option<&str>); 10] = [
    // Escapes mean what JSON says, not the letter after the backslash.
    ("s", r#"["\u00fc"]"#, Some("057530306663"), Some("02c3bc")),
    ("s", r#"["\b\f"]"#, Some("026266"), Some("02080c")),
    // Binary numbers: cleos leaves the first digit out.
    ("u", "[0b101]", Some("0100000000000000"), Some("0500000000000000")),
    // Letters beyond the base are digits for cleos.
    ("u", "[0x1g]", Some("2000000000000000"), None),
    // An integer with an exponent is that integer where a text is wanted, too.
    ("s", "[1e5]", Some("183130303030302e3030303030303030303030303030303030"), Some("06313030303030")),
    // Names of fields need no quotes.
    ("s", "{v:x}", None, Some("0178")),
    // A colon ends nothing: cleos drops it and what follows.
    ("s", "[a:b]", Some("0161"), None),
    // Numbers that do not fit are refused by both.
    ("u", "[18446744073709551616]", None, None),
    ("i", "[-9223372036854775809]", None, None),
    ("u", "[1000.9]", None, None),
];

#[test]
fn wanted_differences_are_these() {
    let Some(both) = Both::start() else { return };
    for (action, text, of_cleos, of_boreas) in WANTED {
        let abi = format!("odd:{ODD_ABI}");
        let line = ["--abi-file", &abi, "push", "action", "odd", action, text, "-d", "-s", "-j", "-p", "alice"];
        let line: Vec<_> = line.iter().map(|word| (*word).to_owned()).collect();
        for (answer, expected) in [(both.cleos(&line), of_cleos), (both.boreas(&line), of_boreas)] {
            let value: Value = serde_json::from_str(&answer.output).unwrap_or_default();
            let packed = (answer.status == Some(0)).then(|| value["actions"][0]["data"].clone());
            assert_eq!(packed, expected.map(|hex| json!(hex)), "{text}: {}", answer.told());
        }
    }
    assert!(Path::new(ODD_ABI).exists());
}
