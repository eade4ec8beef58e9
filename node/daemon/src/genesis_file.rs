//! The genesis document that an operator names: nodeos' form, and refused in words where it is not of it.

use std::path::Path;

use anyhow::Context;
use primitives::{Genesis, TimePoint};
use serde_json::{Map, Value};

use crate::words;

const TIME: &str = "initial_timestamp";
const KEY: &str = "initial_key";
const CONFIGURATION: &str = "initial_configuration";
/// What nodeos writes beside them and does not read.
const CHAIN_ID: &str = "initial_chain_id";

/// Reads a genesis document. What it does not have is as in the default one, as for nodeos.
///
/// # Errors
/// The file cannot be read or is not a genesis.
pub fn read(path: &Path) -> anyhow::Result<Genesis> {
    let text = std::fs::read(path).with_context(|| format!("cannot read the genesis {}", path.display()))?;
    parse(&text).with_context(|| format!("{} is not a valid genesis document", path.display()))
}

fn parse(text: &[u8]) -> anyhow::Result<Genesis> {
    anyhow::ensure!(!text.trim_ascii().is_empty(), "the file is empty");
    let document = abi::json::from_slice(text).context("it is not JSON")?;
    let Value::Object(fields) = document else {
        anyhow::bail!("it must be an object with {TIME}, {KEY} and {CONFIGURATION}, in braces");
    };
    let known = [TIME, KEY, CONFIGURATION, CHAIN_ID];
    for unknown in fields.keys().filter(|name| !known.contains(&name.as_str())) {
        tracing::warn!("the genesis has a field {unknown}, which means nothing there");
    }
    let mut genesis = Genesis::default();
    if let Some(time) = text_of(&fields, TIME)? {
        genesis.initial_timestamp = read_time(time).with_context(|| format!("{TIME} {time}"))?;
    }
    if let Some(key) = text_of(&fields, KEY)? {
        genesis.initial_key = words::public_key(key).context(KEY)?;
    }
    if let Some(parameters) = fields.get(CONFIGURATION) {
        anyhow::ensure!(parameters.is_object(), "{CONFIGURATION} must be an object with the chain's parameters");
        let configuration = serde_json::from_value(parameters.clone()).context(CONFIGURATION)?;
        warn_of_unknown(parameters, &serde_json::to_value(&configuration).context(CONFIGURATION)?);
        genesis.initial_configuration = configuration;
    }
    Ok(genesis)
}

/// A parameter with a typo in its name is as in the default genesis, for nodeos too.
fn warn_of_unknown(given: &Value, known: &Value) {
    for unknown in given.as_object().into_iter().flat_map(Map::keys).filter(|name| known.get(name.as_str()).is_none()) {
        tracing::warn!("the genesis has a parameter {unknown} in {CONFIGURATION}, which means nothing there");
    }
}

fn text_of<'a>(fields: &'a Map<String, Value>, name: &str) -> anyhow::Result<Option<&'a str>> {
    fields.get(name).map(|value| value.as_str().with_context(|| format!("{name} must be a text"))).transpose()
}

/// Reads a time as it is written in documents and options.
///
/// # Errors
/// It has another form.
pub fn read_time(text: &str) -> anyhow::Result<TimePoint> {
    const FORM: &str = "write it as 2024-01-01T00:00:00.000";
    let clock = text.split_once(['T', 't']).map_or("", |(_, clock)| clock);
    anyhow::ensure!(!clock.contains(['Z', 'z', '+', '-']), "a time has no zone at its end, it is always UTC: {FORM}");
    text.parse().ok().with_context(|| format!("it is not a valid time: {FORM}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV";
    const PRIVATE: &str = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3";

    /// What nodeos accepts is accepted, and begins the same chain: ids are those of nodeos 4.1.
    #[test]
    fn documents_that_nodeos_takes() {
        let id = |text: &str| parse(text.as_bytes()).unwrap().chain_id().to_string()[..8].to_owned();
        assert_eq!(id("{}"), "8a34ec7d");
        assert_eq!(id(r#"{"initial_configuration": {}, "foo": 1, "initial_chain_id": "00"}"#), "8a34ec7d");
        assert_eq!(id(&format!(r#"{{"initial_key": "{PUBLIC}"}}"#)), "8a34ec7d");
        // JSON is what it is for nodeos: the first of two fields counts, commas may be too many, numbers begin with 0.
        assert_eq!(
            id(r#"{"initial_configuration": {}, "initial_configuration": {"net_usage_leeway": 7}}"#),
            "8a34ec7d"
        );
        assert_eq!(id(r#"{"initial_configuration": {"net_usage_leeway": 0500,},} x"#), "8a34ec7d");
    }

    #[test]
    fn other_documents_are_refused_in_words() {
        let other_prefix = PUBLIC.replace("EOS", "FIO");
        let typo = PUBLIC.replace("CV", "CW");
        let field = |name: &str, value: &str| format!(r#"{{"{name}": {value}}}"#);
        let text = |name: &str, value: &str| field(name, &format!("\"{value}\""));
        let table = [
            (String::new(), "the file is empty"),
            ("{".to_owned(), "it is not JSON"),
            ("[]".to_owned(), "it must be an object"),
            ("null".to_owned(), "it must be an object"),
            ("\"x\"".to_owned(), "it must be an object"),
            (text(TIME, "2024-01-01T00:00:00.000Z"), "always UTC: write it as 2024-01-01T00:00:00.000"),
            (text(TIME, "2024-01-01T00:00:00Z"), "a time has no zone"),
            (text(TIME, "2024-01-01T00:00:00+02:00"), "a time has no zone"),
            (text(TIME, "2024-01-01"), "it is not a valid time"),
            (text(TIME, "yesterday"), "it is not a valid time"),
            (field(TIME, "1704067200"), "initial_timestamp must be a text"),
            (text(KEY, &other_prefix), "does not begin as public keys do"),
            (text(KEY, &typo), "is not a valid public key; a letter may be wrong"),
            (text(KEY, "EOS6"), "is not a valid public key"),
            (text(KEY, ""), "does not begin as public keys do"),
            (text(KEY, PRIVATE), "it is a private key"),
            (field(KEY, "[]"), "initial_key must be a text"),
            (text(CONFIGURATION, "x"), "initial_configuration must be an object"),
            (field(CONFIGURATION, r#"{"net_usage_leeway": 5e2}"#), "initial_configuration"),
        ];
        for (document, expected) in table {
            let message = format!("{:#}", parse(document.as_bytes()).unwrap_err());
            assert!(message.contains(expected), "{document}: {message}");
            assert!(!message.contains(PRIVATE), "{message}");
        }
    }
}
