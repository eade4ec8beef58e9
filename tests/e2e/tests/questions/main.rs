//! Random questions over HTTP, asked of our node and of nodeos on one chain: JSON with numbers and strings of all shapes,
//! fields twice or missing, deep nesting, wherever an endpoint takes a transaction, a bound of a table or a name.
//!
//! `SEED` asks other questions than those of every run, `COUNT` more of them, `SHOWN` shows more differences.

mod bodies;
mod listed;
mod texts;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use conformance::answers::{self, Asked, difference};
use conformance::wanted;
use e2e::{DEV_PRIVATE_KEY, Dice, Load, Peer, RunningNode, RunningNodeos, replay};
use primitives::{PrivateKey, TimePointSec, name};
use serde_json::{Value, json};

use bodies::{Chain, question};

const SEED: u64 = 20_260_101;
/// Questions in a run.
const COUNT: usize = 700;
/// Differences that are shown.
const SHOWN: usize = 20;
/// Characters of each that are.
const DIFFERENCE_SHOWN: usize = 3000;
const READ_ONLY: &str = "/v1/chain/send_read_only_transaction";
/// The recorded chain that both continue.
const RECORDING: &str = "api";
/// The key of a producer that the recorded chain has elected at its end.
const ALICE_PRODUCES_WITH: &str = "5Jja7Xxy4JQebRRErFUwxHBBFQt5hBfQbWcJEay8GjEDVQsksYh";
/// Seconds that transactions stay valid.
const LIFETIME: u32 = 1800;
/// A node that takes longer for an answer is broken.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// Times that a question is asked again which a busy machine made too slow.
const TRIES: usize = 5;
/// What nodeos does not survive is left out, but not more often than once in this many questions.
const DEATHS: usize = 50;
/// Codes of what took too long, and of a node that has too much to do.
const SLOW: [u64; 4] = [3_080_001, 3_080_004, 3_080_006, 3_081_001];
/// Fields of traces that depend on when and where in a program they were made, and on how many blocks there are.
const MOVING: [&str; 11] = [
    "context",
    "elapsed",
    "block_num",
    "block_time",
    "producer_block_id",
    "head_block_num",
    "head_block_time",
    "cpu_usage_us",
    "global_sequence",
    "recv_sequence",
    "auth_sequence",
];

/// Fields that depend on how well a program compresses a transaction that it is given in JSON and asked to compress:
/// nodeos has zlib, we have zlib-rs, whose streams are a few bytes longer or shorter.
const COMPRESSED: [&str; 2] = ["net_usage", "net_usage_words"];

/// Built-in types, and those that the ABI makes of them.
const TYPES: [&str; 42] = [
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "int128",
    "uint128",
    "varint32",
    "varuint32",
    "float32",
    "float64",
    "float128",
    "time_point",
    "time_point_sec",
    "block_timestamp_type",
    "name",
    "bytes",
    "string",
    "checksum160",
    "checksum256",
    "checksum512",
    "public_key",
    "signature",
    "symbol",
    "symbol_code",
    "asset",
    "extended_asset",
    "nick",
    "pair",
    "longer",
    "either",
    "uint8[]",
    "string[]",
    "pair[]",
    "uint64?",
    "pair?",
    "either[]",
    "name[]",
];

/// The name of the action whose one argument is of a type.
fn action_name(place: usize) -> String {
    let letter = |number: usize| char::from(b'a' + u8::try_from(number % 26).expect("a letter"));
    format!("t{}{}", letter(place / 26), letter(place))
}

/// An ABI with an action for every type.
fn every_type() -> Value {
    let field = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    let structure =
        |name: &str, base: &str, fields: Vec<Value>| json!({ "name": name, "base": base, "fields": fields });
    let mut structs = vec![
        structure("pair", "", vec![field("first", "uint8"), field("second", "string")]),
        structure("longer", "pair", vec![field("third", "name"), field("tail", "int64$")]),
    ];
    let kinds = TYPES.iter().enumerate();
    structs.extend(kinds.clone().map(|(place, kind)| structure(&action_name(place), "", vec![field("v", kind)])));
    let actions: Vec<_> = kinds
        .map(|(place, _)| json!({ "name": action_name(place), "type": action_name(place), "ricardian_contract": "" }))
        .collect();
    json!({
        "version": "eosio::abi/1.2", "structs": structs, "actions": actions,
        "types": [{ "new_type_name": "nick", "type": "name" }],
        "variants": [{ "name": "either", "types": ["uint32", "string", "pair", "nick"] }],
    })
}

/// Asks, and gives status and body; `None` when there is no whole answer.
fn ask(address: &str, path: &str, body: &str) -> Option<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(ANSWER_LIMIT)).ok()?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let status = std::str::from_utf8(&answer[..end]).ok()?.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_off(end + 4)))
}

/// An answer without what differs from one moment to the next.
fn still(body: &[u8], compressed: bool) -> String {
    let text = String::from_utf8_lossy(body).into_owned();
    match serde_json::from_str::<Value>(&text) {
        Ok(mut value) => {
            calm(&mut value, compressed);
            value.to_string()
        }
        Err(_) => text,
    }
}

fn calm(value: &mut Value, compressed: bool) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| calm(item, compressed)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    // The first message says what is wrong; those after it name nodeos' own calls.
                    Value::Array(stack) if name == "stack" => {
                        stack.truncate(1);
                        stack.iter_mut().for_each(fill);
                    }
                    _ => {}
                }
                let moves = MOVING.contains(&name.as_str()) || (compressed && COMPRESSED.contains(&name.as_str()));
                if moves { *field = Value::Null } else { calm(field, compressed) }
            }
        }
        Value::String(text) => *text = without_times(text),
        _ => {}
    }
}

/// Puts a message's data into its format. Wanted: ours are finished sentences, but for the two that clients take apart.
fn fill(message: &mut Value) {
    let mut format = message["format"].as_str().unwrap_or_default().to_owned();
    for (name, part) in message["data"].as_object().into_iter().flatten() {
        let part = part.as_str().map_or_else(|| part.to_string(), str::to_owned);
        format = format.replace(&format!("${{{name}}}"), &part);
    }
    message["format"] = format.into();
    message["data"] = Value::Null;
}

/// A message without times, which have the form `2030-01-01T00:00:00`.
fn without_times(text: &str) -> String {
    let is_time =
        |word: &str| word.len() >= 19 && word.is_ascii() && word.as_bytes()[10] == b'T' && word.as_bytes()[13] == b':';
    // A message that starts with a time is about it.
    let told = text.contains("expir") || text.contains("block time");
    let words = text.split(' ').map(|word| if told && is_time(word) { "TIME" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// Other forms of two differences that `conformance::wanted` lists with their reasons.
fn is_wanted(path: &str, body: &str) -> bool {
    (path.ends_with("get_accounts_by_authorizers") && body.contains("alice"))
        || (body.contains("float128") && body.contains("\"-3"))
}

/// The number in a block's id.
fn number_of(id: &Value) -> Option<u64> {
    u64::from_str_radix(id.as_str()?.get(..8)?, 16).ok()
}

/// The number of the block before the one that an answer is about.
fn previous_of(body: &[u8]) -> Option<u64> {
    let value: Value = serde_json::from_slice(body).ok()?;
    number_of(&value.get("signed_block_header").unwrap_or(&value)["previous"])
}

fn is_slow(status: u16, body: &[u8]) -> bool {
    let code = serde_json::from_slice::<Value>(body).unwrap_or_default()["error"]["code"].as_u64();
    matches!(status, 408 | 429 | 503) || code.is_some_and(|code| SLOW.contains(&code))
}

/// Waits for a new block: those of the recording are years old, and a transaction lives from the last one.
fn wait_for_block(node: &client::Node) {
    let begin = Instant::now();
    let head = || node.call("/v1/chain/get_info", &json!({})).expect("an answer")["head_block_num"].clone();
    let first = head();
    while head() == first {
        assert!(begin.elapsed() < ANSWER_LIMIT, "the node makes no blocks");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The two nodes, on the same chain.
struct Both<'a> {
    peer: &'a Peer,
    folder: &'a Path,
    /// The last block that both have.
    common: u64,
    options: Vec<String>,
    ours: RunningNode,
    theirs: RunningNodeos,
}

impl<'a> Both<'a> {
    fn start(peer: &'a Peer, folder: &'a Path) -> Self {
        let log = answers::blocks(RECORDING);
        let (our_folder, their_folder) = (folder.join("ours"), folder.join("theirs"));
        std::fs::create_dir_all(their_folder.join("blocks")).expect("the folder can be made");
        let path = their_folder.join("blocks/blocks.log");
        std::fs::write(&path, log).expect("the log can be written");
        let end = replay(&path, &["--data-dir", our_folder.to_str().expect("a path of ASCII")]);
        let mut options: Vec<String> = [
            "-p alice -p bob --http-max-response-time-ms 30000 --abi-serializer-max-time-ms 30000 --verbose-http-errors",
            "--plugin eosio::producer_api_plugin --plugin eosio::trace_api_plugin --trace-no-abis --http-validate-host false --contracts-console",
            "--enable-account-queries true --subjective-account-max-failures 4294967295 --max-body-size 33554432",
        ]
        .iter()
        .flat_map(|line| line.split(' ').map(str::to_owned))
        .collect();
        for key in [DEV_PRIVATE_KEY, ALICE_PRODUCES_WITH] {
            let public = key.parse::<PrivateKey>().and_then(|key| key.public_key()).expect("a private key");
            options.extend(["--signature-provider".to_owned(), format!("{public}=KEY:{key}")]);
        }
        let words: Vec<&str> = options.iter().map(String::as_str).collect();
        let ours = RunningNode::start(&our_folder, &words);
        let theirs = peer.serve_with(&their_folder, &[&words[..], &["--hard-replay-blockchain"]].concat());
        let common = number_of(&end["head_block_id"]).expect("the id of a block");
        Self { peer, folder, common, options, ours, theirs }
    }

    /// Starts nodeos again, which a question has ended.
    fn revive(&mut self) {
        let words: Vec<&str> = self.options.iter().map(String::as_str).collect();
        let folder = self.folder.join("theirs");
        self.theirs = self.peer.serve_with(&folder, &[&words[..], &["--hard-replay-blockchain"]].concat());
        self.set_abi(&self.theirs.url.clone());
    }

    /// Publishes the ABI with all types.
    fn set_abi(&self, url: &str) {
        let definition = serde_json::from_value(every_type()).expect("an ABI");
        let node = client::Node::new(url, Vec::new());
        wait_for_block(&node);
        let mut sender = Load::new(node);
        sender.set_abi(name!("empty"), &definition).expect("the ABI is taken");
    }

    fn chain(&self) -> Chain {
        let block = self.ours.call("/v1/chain/get_block", &json!({ "block_num_or_id": 10 }));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        let expiration = TimePointSec(u32::try_from(now).expect("this century") + LIFETIME);
        Chain {
            expiration: expiration.to_string(),
            reference: (10, block["ref_block_prefix"].as_u64().expect("a number")),
            actions: TYPES.iter().enumerate().map(|(place, kind)| (action_name(place), (*kind).to_owned())).collect(),
        }
    }

    /// The difference between the two answers, in words.
    fn compare(&mut self, path: &str, body: &str) -> Result<Option<String>, Died> {
        let their_address = self.theirs.url.trim_start_matches("http://").to_owned();
        for _ in 0..TRIES {
            let ours = ask(self.ours.address(), path, body);
            let theirs = ask(&their_address, path, body).ok_or(Died)?;
            let Some(ours) = ours else { return Ok(Some("ours does not answer".to_owned())) };
            if is_slow(ours.0, &ours.1) || is_slow(theirs.0, &theirs.1) {
                continue;
            }
            let still = |answer: &[u8]| still(answer, body.contains("\"zlib\""));
            let asked = Asked::text(path, body, theirs.0, &still(&theirs.1));
            if wanted::reason(&asked).is_some() || (ours.0 == theirs.0 && is_wanted(path, body)) {
                return Ok(None);
            }
            let own_block = |body| previous_of(body).is_some_and(|number| number >= self.common);
            if own_block(&ours.1) || own_block(&theirs.1) {
                return Ok(None);
            }
            return Ok(difference(&asked, ours.0, still(&ours.1).as_bytes()));
        }
        Ok(None)
    }
}

/// nodeos does not survive a question.
struct Died;

fn from_environment(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn questions_are_answered_as_nodeos_answers_them() {
    let Some(peer) = Peer::find() else { return };
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut both = Both::start(&peer, folder.path());
    both.set_abi(&both.ours.url);
    both.set_abi(&both.theirs.url);
    let chain = both.chain();
    let mut dice = Dice::of_test(SEED);
    let seed = dice.seed();
    let listed = listed::questions(&chain);
    let count = from_environment("COUNT", COUNT);
    let random = std::iter::repeat_with(|| question(&mut dice, &chain)).take(count);
    for body in listed::authorized_inline(&chain) {
        let receipt = |url: &str| {
            let (_, answer) = ask(url.trim_start_matches("http://"), READ_ONLY, &body).expect("an answer");
            serde_json::from_slice::<Value>(&answer).expect("JSON")["processed"]["receipt"]["status"].clone()
        };
        assert_eq!([receipt(&both.ours.url), receipt(&both.theirs.url)], [json!("executed"), Value::Null], "{body}");
    }
    let (mut differences, mut deaths, mut asked) = (Vec::new(), 0, 0);
    for (path, body) in listed.into_iter().chain(random) {
        asked += 1;
        match both.compare(&path, &body) {
            Ok(None) => {}
            Ok(Some(text)) => {
                differences
                    .push(format!("{path} {body}\n    {}", text.chars().take(DIFFERENCE_SHOWN).collect::<String>()));
            }
            Err(Died) => {
                eprintln!("nodeos does not survive {path} {body}");
                deaths += 1;
                assert!(deaths * DEATHS <= count.max(DEATHS), "nodeos dies too often");
                both.revive();
            }
        }
    }
    let first = differences.iter().take(from_environment("SHOWN", SHOWN)).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "seed {seed}: {} of {asked} answers differ:\n{first}", differences.len());
}
