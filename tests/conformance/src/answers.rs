//! What nodeos answered over HTTP about a recorded chain (`record/answers.py`), and how an answer of ours differs.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;

use crate::recording;

/// One question and its answer.
#[derive(Debug, Clone, Deserialize)]
pub struct Asked {
    /// The path, as it was asked.
    pub path: String,
    /// The body, where it is text.
    #[serde(default)]
    body: String,
    /// The body, where it is not.
    #[serde(default)]
    hex: Option<String>,
    /// nodeos' status.
    #[serde(default)]
    pub status: u16,
    /// nodeos' answer.
    #[serde(default)]
    pub answer: String,
    /// The code of the exception that ended nodeos instead.
    #[serde(default)]
    pub ended: Option<u32>,
}

impl Asked {
    /// A question in text and what nodeos answered.
    pub fn text(path: &str, body: &str, status: u16, answer: &str) -> Self {
        let (path, body, answer) = (path.to_owned(), body.to_owned(), answer.to_owned());
        Self { path, body, hex: None, status, answer, ended: None }
    }

    /// The bytes of the body.
    ///
    /// # Panics
    /// When the recording is damaged.
    pub fn body(&self) -> Vec<u8> {
        let hex = self.hex.as_ref().map(|text| hex::decode(text).expect("recorded bodies are hexadecimal"));
        hex.unwrap_or_else(|| self.body.clone().into_bytes())
    }
}

/// Fields that say which program answered, or where in its source.
const OWN: [&str; 8] = [
    "server_version",
    "server_version_string",
    "server_full_version_string",
    "file",
    "line_number",
    "method",
    "thread_name",
    "hostname",
];

/// nodeos' number for faults that are C++ standard exceptions.
const STD_EXCEPTION: u32 = 13;

fn folder(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(part)
}

fn unpacked(path: &Path) -> Vec<u8> {
    let file = fs::read(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
    let mut out = Vec::new();
    GzDecoder::new(file.as_slice()).read_to_end(&mut out).expect("recordings are whole gzip files");
    out
}

/// The folder of the answers: this crate's, or the one that the environment names in `ANSWERS`.
fn answers() -> PathBuf {
    std::env::var_os("ANSWERS").map_or_else(|| folder("answers"), PathBuf::from)
}

/// The blocks that a chain's answers are about, as a block log.
///
/// # Panics
/// When the recording is missing.
pub fn blocks(chain: &str) -> Vec<u8> {
    let name = format!("{chain}.blocks.log.gz");
    let own = folder("recorded").join(&name);
    unpacked(&if own.exists() { own } else { recording::folder().join(&name) })
}

/// All answers about a chain, in the order in which they were given.
///
/// # Panics
/// When the recording is missing or damaged.
pub fn load(chain: &str) -> Vec<Asked> {
    let text = unpacked(&answers().join(format!("{chain}.answers.jsonl.gz")));
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).expect("answers have their fields")).collect()
}

/// The difference between an answer of ours and nodeos', in words; none when they agree.
pub fn difference(asked: &Asked, status: u16, body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    if let Some(code) = asked.ended {
        let ours = serde_json::from_str::<Value>(&text).unwrap_or_default()["error"]["code"].clone();
        let told = status == 500 && ours == code;
        return (!told).then(|| format!("ours {status} {text}, nodeos ended by {code}"));
    }
    if status != asked.status {
        return Some(format!("status: ours {status}, nodeos {}: ours {text}, nodeos {}", asked.status, asked.answer));
    }
    match (serde_json::from_str::<Value>(&text), serde_json::from_str::<Value>(&asked.answer)) {
        (Ok(ours), Ok(theirs)) => value("", &ours, &theirs),
        _ if text == asked.answer => None,
        _ => Some(format!("ours {text}, nodeos {}", asked.answer)),
    }
}

fn value(place: &str, ours: &Value, theirs: &Value) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(our), Value::Object(their)) => {
            let names = |fields: &serde_json::Map<String, Value>| fields.keys().cloned().collect::<Vec<_>>();
            if names(our) != names(their) {
                return Some(format!("{place}: ours has {:?}, nodeos {:?}", names(our), names(their)));
            }
            // The name of a C++ standard exception is a mangled one.
            let mangled = their.get("code").is_some_and(|code| code == STD_EXCEPTION);
            let own = |name: &str| OWN.contains(&name) || (mangled && name == "name");
            let fields = our.iter().filter(|(name, _)| !own(name));
            fields.into_iter().find_map(|(name, our)| value(&format!("{place}.{name}"), our, &their[name]))
        }
        // The first message says what is wrong; those after it name nodeos' own calls.
        (Value::Array(our), Value::Array(their)) if place.ends_with(".error.details") => {
            match (our.first(), their.first()) {
                (Some(our), Some(their)) => value(&format!("{place}[0]"), our, their),
                (our, their) => (our != their).then(|| format!("{place}: ours {our:?}, nodeos {their:?}")),
            }
        }
        (Value::Array(our), Value::Array(their)) if our.len() == their.len() => {
            let pairs = our.iter().zip(their).enumerate();
            pairs.into_iter().find_map(|(index, (our, their))| value(&format!("{place}[{index}]"), our, their))
        }
        // An exception's text goes on with lines of nodeos' source.
        (Value::String(our), Value::String(their)) if place.ends_with(".processed.error") => {
            let first = |text: &str| text.lines().next().map(str::to_owned);
            (first(our) != first(their)).then(|| format!("{place}: ours {our}, nodeos {their}"))
        }
        _ if ours == theirs => None,
        _ => Some(format!("{place}: ours {ours}, nodeos {theirs}")),
    }
}
