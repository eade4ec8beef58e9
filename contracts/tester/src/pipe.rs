//! The process that runs the chain, and the pipe to it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Value;

/// Names the program, where it is neither on the path nor given by `boreas contract test`.
const PROGRAM: &str = "BOREASD";

/// A running chain.
pub(crate) struct Pipe {
    process: Child,
    /// Nothing once the chain is told to end.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Pipe {
    /// Starts the process.
    pub(crate) fn open() -> Result<Self, String> {
        let program = std::env::var_os(PROGRAM).unwrap_or_else(|| "boreasd".into());
        let mut command = Command::new(&program);
        let started = command.arg("contract-chain").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = started.map_err(|error| {
            format!(
                "{} does not start: {error}; run `boreas contract test`, or say in {PROGRAM} where it is",
                program.display()
            )
        })?;
        let missing = || "the process has no pipe".to_owned();
        let requests = Some(process.stdin.take().ok_or_else(missing)?);
        let answers = BufReader::new(process.stdout.take().ok_or_else(missing)?);
        Ok(Self { process, requests, answers })
    }

    /// Asks for something and waits for it.
    pub(crate) fn ask(&mut self, request: &Value) -> Result<Value, String> {
        let gone = |error| format!("the chain is gone: {error}");
        if let Some(requests) = &mut self.requests {
            writeln!(requests, "{request}").and_then(|()| requests.flush()).map_err(gone)?;
        }
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(gone)?;
        let mut answer: Value = line.parse().map_err(|error| {
            format!(
                "boreasd contract-chain ended or said what is not an answer ({error}): {line:?}; is it of this version?"
            )
        })?;
        match answer.take_field("error") {
            Value::String(error) => Err(error),
            _ => Ok(answer.take_field("ok")),
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.requests = None;
        // It ends by itself when nobody asks any more; how is of no interest here.
        let _ = self.process.wait();
    }
}
