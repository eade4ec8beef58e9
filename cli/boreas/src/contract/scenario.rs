//! Scenarios: a contract's test as a file of steps, for contracts of any language.
//!
//! ```toml
//! chain = "bare"                      # or "system": tokens, an elected producer, alice, bob, ... with stake
//! accounts = ["mytoken", "alice", "bob"]
//!
//! [[step]]
//! deploy = "build/mytoken"            # a folder with mytoken.wasm and mytoken.abi, beside this file
//! account = "mytoken"
//!
//! [[step]]
//! push = "mytoken::create"
//! by = "mytoken"                      # or a list; "alice@owner" for another permission
//! arguments = { issuer = "alice", maximum_supply = "100.0000 TOK" }
//!
//! [[step]]
//! push = "mytoken::issue"
//! by = "bob"
//! arguments = { to = "alice", quantity = "1.0000 TOK", memo = "" }
//! fault = "missing authority of alice" # part of a message; without it the push must succeed
//!
//! [[step]]
//! rows = "mytoken::stat"
//! scope = "TOK"
//! are = [{ supply = "0.0000 TOK", max_supply = "100.0000 TOK", issuer = "alice" }]
//!
//! [[step]]
//! advance = 3600                      # seconds; produce = 3 for blocks
//! ```
//!
//! A push may also say what it must have as `console` and as `result`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::session::say;

/// A whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    chain: Kind,
    #[serde(default)]
    accounts: Vec<String>,
    #[serde(default, rename = "step")]
    steps: Vec<Step>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Bare,
    System,
}

/// One step: exactly one of its verbs (`deploy`, `push`, `rows`, `advance`, `produce`), with what belongs to it.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Step {
    deploy: Option<String>,
    account: Option<String>,
    push: Option<String>,
    by: Option<OneOrMany>,
    arguments: Option<Value>,
    fault: Option<String>,
    console: Option<String>,
    result: Option<Value>,
    rows: Option<String>,
    scope: Option<String>,
    are: Option<Value>,
    advance: Option<u32>,
    produce: Option<u32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn list(&self) -> Vec<&str> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many.iter().map(String::as_str).collect(),
        }
    }
}

/// Plays a file of steps on a chain of its own.
///
/// # Errors
/// The file is not a scenario, or a step does not do what it says: which one, and what happened instead.
pub fn play(boreasd: &Path, file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let scenario: Scenario = toml::from_str(&text).with_context(|| format!("{} is not a scenario", file.display()))?;
    let mut chain = Pipe::open(boreasd)?;
    chain.ask(&match scenario.chain {
        Kind::Bare => json!({ "do": "bare" }),
        Kind::System => json!({ "do": "system" }),
    })?;
    for account in &scenario.accounts {
        chain.ask(&json!({ "do": "account", "account": account }))?;
    }
    let beside = file.parent().unwrap_or(Path::new(""));
    for (number, step) in (1..).zip(&scenario.steps) {
        step.play(&mut chain, beside).with_context(|| format!("{}: step {number}", file.display()))?;
    }
    say(format!("{}: {} steps passed", file.display(), scenario.steps.len()))
}

impl Step {
    fn play(&self, chain: &mut Pipe, beside: &Path) -> anyhow::Result<()> {
        match (&self.deploy, &self.push, &self.rows, self.advance, self.produce) {
            (Some(folder), None, None, None, None) => {
                let account = self.account.as_deref().context("deploy lacks its account")?;
                let folder = beside.join(folder);
                let folder = folder.canonicalize().with_context(|| folder.display().to_string())?;
                chain.ask(&json!({ "do": "deploy_folder", "account": account, "folder": folder })).map(drop)
            }
            (None, Some(action), None, None, None) => self.push(chain, action),
            (None, None, Some(table), None, None) => self.compare_rows(chain, table),
            (None, None, None, Some(seconds), None) => {
                chain.ask(&json!({ "do": "advance", "seconds": seconds })).map(drop)
            }
            (None, None, None, None, Some(blocks)) => {
                chain.ask(&json!({ "do": "produce", "blocks": blocks })).map(drop)
            }
            _ => bail!("a step says exactly one of deploy, push, rows, advance and produce"),
        }
    }

    fn push(&self, chain: &mut Pipe, action: &str) -> anyhow::Result<()> {
        let (contract, name) =
            action.split_once("::").with_context(|| format!("{action:?} is not contract::action"))?;
        let by = self.by.as_ref().map_or_else(|| vec![contract], OneOrMany::list);
        let arguments = self.arguments.clone().unwrap_or_else(|| json!({}));
        let action = json!({ "contract": contract, "action": name, "by": by, "arguments": arguments });
        let told = chain.ask(&json!({ "do": "push", "actions": [action] }))?;
        let text = told["fault"]["text"].as_str();
        match (&self.fault, text) {
            (None, None) => {}
            (None, Some(fault)) => bail!("{} failed: {fault}", told["path"].as_str().unwrap_or(name)),
            (Some(wanted), None) => bail!("{name} succeeded, {wanted:?} was expected"),
            (Some(wanted), Some(fault)) => {
                let details = told["fault"]["details"].as_array().into_iter().flatten();
                let found = details.filter_map(Value::as_str).any(|detail| detail.contains(wanted.as_str()));
                ensure!(found, "{wanted:?} was expected, but: {fault}");
            }
        }
        let first = &told["traces"][0];
        if let Some(wanted) = &self.console {
            ensure!(first["console"] == json!(wanted), "the console is {}, not {wanted:?}", first["console"]);
        }
        if let Some(wanted) = &self.result {
            ensure!(same(&first["result"], wanted), "the result is {}, not {wanted}", first["result"]);
        }
        Ok(())
    }

    fn compare_rows(&self, chain: &mut Pipe, table: &str) -> anyhow::Result<()> {
        let (code, table) = table.split_once("::").with_context(|| format!("{table:?} is not contract::table"))?;
        let scope = self.scope.as_deref().unwrap_or(code);
        let told = chain.ask(&json!({ "do": "rows", "code": code, "scope": scope, "table": table }))?;
        let wanted = self.are.as_ref().context("rows lacks what they are")?;
        ensure!(same(&told["json"], wanted), "the rows of {table} in {scope} are {}, not {wanted}", told["json"]);
        Ok(())
    }
}

/// Whether two values say the same. A file may write a number where nodeos prints a text, and the other way round.
fn same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| same(found, wanted))
        }
        (Value::Object(found), Value::Object(wanted)) => {
            let is_there = |(name, wanted): (&String, &Value)| found.get(name).is_some_and(|found| same(found, wanted));
            found.len() == wanted.len() && wanted.iter().all(is_there)
        }
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
            number.to_string() == *text
        }
        (Value::Number(number), Value::Bool(truth)) | (Value::Bool(truth), Value::Number(number)) => {
            number.as_u64() == Some(u64::from(*truth))
        }
        (found, wanted) => found == wanted,
    }
}

/// The process that runs the chain.
struct Pipe {
    process: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Pipe {
    fn open(boreasd: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(boreasd);
        let started = command.arg("contract-chain").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = started.with_context(|| format!("{} does not start", boreasd.display()))?;
        let answers = BufReader::new(process.stdout.take().context("the process has no pipe")?);
        Ok(Self { process, answers })
    }

    fn ask(&mut self, request: &Value) -> anyhow::Result<Value> {
        let requests = self.process.stdin.as_mut().context("the process has no pipe")?;
        writeln!(requests, "{request}").and_then(|()| requests.flush()).context("the chain is gone")?;
        let mut line = String::new();
        self.answers.read_line(&mut line).context("the chain is gone")?;
        let mut answer: Value = serde_json::from_str(&line).with_context(|| format!("not an answer: {line:?}"))?;
        match answer["error"].take() {
            Value::String(error) => bail!(error),
            _ => Ok(answer["ok"].take()),
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It ends by itself when nobody asks any more.
        let _ = self.process.wait();
    }
}
