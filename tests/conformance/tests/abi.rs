//! Random ABIs: JSON to bytes and bytes to JSON as nodeos' serializer does it, faults included.

use std::fs::File;
use std::io::{BufRead, BufReader};

use abi::{Abi, AbiDefinition, Limits};
use conformance::recording::folder;
use flate2::read::GzDecoder;
use primitives::Fault;
use serde::Deserialize;
use serde_json::Value;

/// How many differences are shown.
const SHOWN: usize = 12;

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Definition {
        abi: Box<AbiDefinition>,
    },
    Encode {
        kind: String,
        text: String,
        #[serde(flatten)]
        end: End,
    },
    Decode {
        kind: String,
        bytes: String,
        #[serde(flatten)]
        end: End,
    },
}

/// What nodeos made of it.
#[derive(Deserialize, Debug)]
struct End {
    json: Option<String>,
    bytes: Option<String>,
    fault: Option<RecordedFault>,
}

#[derive(Deserialize, Debug)]
struct RecordedFault {
    code: u32,
    messages: Vec<String>,
}

/// Our answer: the text is read as nodeos reads it.
fn convert(abi: &Result<Abi, Fault>, line: &Line) -> Result<String, Fault> {
    let abi = abi.as_ref().map_err(Clone::clone)?;
    match line {
        Line::Encode { kind, text, .. } => {
            let value = abi::json::from_slice(text.as_bytes());
            value.and_then(|value| abi.encode(kind, &value, &Limits::default())).map(hex::encode)
        }
        Line::Decode { kind, bytes, .. } => {
            let bytes = hex::decode(bytes).expect("hex");
            abi.decode(kind, &bytes, &Limits::default()).map(|value| value.to_string())
        }
        Line::Definition { .. } => unreachable!("handled by the caller"),
    }
}

fn same_text(ours: &str, theirs: &str) -> bool {
    ours == theirs || serde_json::from_str::<Value>(ours).ok() == serde_json::from_str::<Value>(theirs).ok()
}

fn difference(ours: &Result<String, Fault>, end: &End) -> bool {
    match (ours, &end.fault) {
        (Ok(text), None) => !end.json.as_deref().or(end.bytes.as_deref()).is_some_and(|their| same_text(text, their)),
        (Err(fault), Some(their)) => {
            let trimmed = |text: &String| text.trim_end().to_owned();
            let known: Vec<_> = their.messages.iter().map(trimmed).collect();
            let message = fault.details.first().map(trimmed).unwrap_or_default();
            fault.kind.code != their.code || !known.contains(&message)
        }
        _ => true,
    }
}

#[test]
fn random_abis_convert_as_recorded() {
    let file = match File::open(folder().join("abi.jsonl.gz")) {
        Ok(file) => file,
        Err(_) if std::env::var_os("RECORDINGS").is_some() => return,
        Err(cause) => panic!("recordings/abi.jsonl.gz: {cause}"),
    };
    let shown = std::env::var("SHOWN").ok().and_then(|text| text.parse().ok()).unwrap_or(SHOWN);
    let (mut abi, mut definition, mut cases, mut wrong) = (Ok(Abi::default()), String::new(), 0, Vec::new());
    for text in BufReader::new(GzDecoder::new(file)).lines() {
        let text = text.expect("a whole gzip file");
        let line: Line = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let end = match &line {
            Line::Definition { abi: new } => {
                abi = Abi::new((**new).clone(), &Limits::default());
                definition = text;
                continue;
            }
            Line::Encode { end, .. } | Line::Decode { end, .. } => end,
        };
        cases += 1;
        let ours = convert(&abi, &line);
        if difference(&ours, end) {
            wrong.push(format!("{text}\n  ours {ours:?}\n  {definition}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {cases} differ:\n{}", wrong.len(), wrong[..shown.min(wrong.len())].join("\n"));
}
