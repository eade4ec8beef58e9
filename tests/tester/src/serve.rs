//! A chain behind a pipe: one JSON request a line on one side, one JSON answer a line on the other.
//!
//! `boreasd contract-chain` is this on its standard input and output. A contract project's tests talk to it through
//! `contracts/tester`, scenario files through `boreas contract test`, and any other language can. An answer is
//! `{"ok": VALUE}` or `{"error": "why"}`; what is asked is told by `"do"`, see [`Request`].

use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use abi::Limits;
use execution::{ActionTrace, Clock};
use genesis::{Contract, Document, contracts};
use lines::{Backtrace, Frame};
use primitives::{Action, Bytes, Name, PermissionLevel, SymbolCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::states::States;
use crate::{Outcome, Tester};

/// Where the CPU and RAM of each action is written, one line each: the name of a variable of the environment.
const REPORT: &str = "BOREAS_CONTRACT_REPORT";

/// What is asked.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    /// A chain with all protocol features and `eosio.bios`.
    Bare,
    /// A chain with the system contracts, booted from a document or the built-in one.
    System {
        #[serde(default)]
        document: Option<Document>,
    },
    /// An account without limits (on a bare chain), or without anything.
    Create { account: String },
    /// An account with RAM and stake.
    Account { account: String },
    /// `NAME.wasm` and `NAME.abi` of a folder NAME.
    DeployFolder { account: String, folder: PathBuf },
    /// One of the embedded contracts, by the account that it is made for.
    Deploy { account: String, contract: String },
    /// A transaction, in a block of its own.
    Push { actions: Vec<Pushed> },
    /// The rows of a table, as JSON and packed.
    Rows { code: String, scope: String, table: String },
    /// The scopes in which a table has rows.
    Scopes { code: String, table: String },
    /// Blocks in the next slots.
    Produce { blocks: u32 },
    /// Moves time.
    Advance { seconds: u32 },
    /// The time of the head block in microseconds since 1970.
    Now,
    /// Bytes of RAM that an account uses.
    Ram { account: String },
    /// Remembers the chain as it is; the answer is the state's number.
    Save,
    /// Goes back to a remembered state. States saved after it are forgotten.
    Restore { state: u32 },
}

/// An action of a pushed transaction.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pushed {
    contract: String,
    action: String,
    /// `account` or `account@permission`.
    by: Vec<String>,
    /// By the contract's ABI.
    #[serde(default)]
    arguments: Option<Value>,
    /// Instead of arguments: the packed ones, in hexadecimal.
    #[serde(default)]
    data: Option<String>,
}

/// Answers requests until there are no more.
///
/// # Errors
/// A line cannot be read or written.
pub fn serve(input: impl BufRead, output: impl Write, clock: fn() -> Box<dyn Clock>) -> io::Result<()> {
    std::panic::set_hook(Box::new(|_| {})); // a request that cannot be done is answered, not printed
    let mut served = Served { chain: None, states: States::default(), clock };
    served.answer_all(input, output)
}

struct Served {
    chain: Option<Tester>,
    states: States,
    clock: fn() -> Box<dyn Clock>,
}

impl Served {
    fn answer_all(&mut self, input: impl BufRead, mut output: impl Write) -> io::Result<()> {
        for line in input.lines() {
            let answer = match serde_json::from_str(&line?) {
                Ok(request) => catch_unwind(AssertUnwindSafe(|| self.answer(request))).unwrap_or_else(|panic| {
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    Err(text.unwrap_or_default())
                }),
                Err(error) => Err(format!("not a request: {error}")),
            };
            let answer = answer.map_or_else(|error| json!({ "error": error }), |value| json!({ "ok": value }));
            writeln!(output, "{answer}")?;
            output.flush()?;
        }
        Ok(())
    }

    fn answer(&mut self, request: Request) -> Result<Value, String> {
        match request {
            Request::Bare => self.chain = Some(Tester::timed_bare((self.clock)())),
            Request::System { document } => {
                let document = document.unwrap_or_else(Document::dev);
                self.chain = Some(Tester::timed_from_document(&document, (self.clock)()));
            }
            Request::Save => return Ok(json!(self.states.save()?)),
            Request::Restore { state } => self.states.restore(state)?,
            request => return answer_of_chain(self.chain.as_mut().ok_or("there is no chain yet")?, request),
        }
        Ok(Value::Null)
    }
}

/// What needs a chain. Panics, as the tester does, where a request cannot be done.
fn answer_of_chain(chain: &mut Tester, request: Request) -> Result<Value, String> {
    match request {
        Request::Create { account } => chain.create(&account),
        Request::Account { account } => chain.account(&account),
        Request::DeployFolder { account, folder } => chain.deploy_folder(&account, folder),
        Request::Deploy { account, contract } => {
            let embedded = embedded(&contract).ok_or_else(|| format!("{contract} is not an embedded contract"))?;
            chain.deploy(crate::tester::name(&account), embedded);
        }
        Request::Push { actions } => {
            let actions = actions.into_iter().map(|action| action.packed(chain)).collect::<Result<_, _>>()?;
            let outcome = chain.push_actions(actions);
            report(&outcome);
            return Ok(told(&outcome, chain));
        }
        Request::Rows { code, scope, table } => {
            let scope = place(&scope)?;
            let json = chain.rows_json(&code, &scope, &table);
            let packed: Vec<_> = chain.rows_packed(&code, &scope, &table).iter().map(hex).collect();
            return Ok(json!({ "json": json, "packed": packed }));
        }
        Request::Scopes { code, table } => return Ok(json!(chain.scopes(&code, &table))),
        Request::Produce { blocks } => chain.produce(blocks),
        Request::Advance { seconds } => chain.advance(seconds),
        Request::Now => return Ok(json!(chain.now().0)),
        Request::Ram { account } => return Ok(json!(chain.ram_bytes(&account))),
        Request::Bare | Request::System { .. } | Request::Save | Request::Restore { .. } => {
            unreachable!("answered without a chain")
        }
    }
    Ok(Value::Null)
}

/// A scope as `get_table_rows` takes it: a number, a name or a symbol code; as the name of the same number.
fn place(scope: &str) -> Result<String, String> {
    let number = scope.parse::<u64>().ok().or_else(|| Some(scope.parse::<Name>().ok()?.0));
    let code = || scope.parse::<SymbolCode>().ok().map(|code| code.0);
    let number = number.or_else(code).ok_or_else(|| format!("{scope:?} is neither a name, a symbol code nor a number"));
    Ok(Name(number?).to_string())
}

fn embedded(name: &str) -> Option<&'static Contract> {
    let all = [&contracts::BIOS, &contracts::SYSTEM, &contracts::TOKEN, &contracts::MSIG, &contracts::WRAP];
    all.into_iter().find(|contract| contract.account.to_string() == name)
}

impl Pushed {
    fn packed(self, chain: &mut Tester) -> Result<Action, String> {
        let authorization = self.by.iter().map(|by| {
            let (actor, permission) = by.split_once('@').unwrap_or((by, "active"));
            PermissionLevel { actor: crate::tester::name(actor), permission: crate::tester::name(permission) }
        });
        let authorization = authorization.collect();
        let data = match (self.arguments, self.data) {
            (Some(arguments), None) => {
                let action = chain.action(&self.contract, &self.action, "eosio", &arguments);
                return Ok(Action { authorization, ..action });
            }
            (None, Some(data)) => unhex(&data).ok_or("data is not hexadecimal")?,
            _ => return Err("an action has either arguments or data".into()),
        };
        let (account, name) = (crate::tester::name(&self.contract), crate::tester::name(&self.action));
        Ok(Action { account, name, authorization, data: Bytes(data) })
    }
}

/// What a transaction did.
fn told(outcome: &Outcome, chain: &mut Tester) -> Value {
    let fault = outcome.fault().map(|fault| {
        let lines: String = stopped(outcome).into_iter().map(|line| format!("\n{line}")).collect();
        json!({
            "code": fault.kind.code, "name": fault.kind.name, "details": fault.details,
            "text": format!("{fault}{lines}"), "path": outcome.path(),
        })
    });
    let traces: Vec<_> = outcome.actions().iter().map(|trace| told_action(trace, chain)).collect();
    json!({ "fault": fault, "path": outcome.path(), "traces": traces, "net_bytes": outcome.0.net_usage })
}

/// In which functions, and lines of their source, contracts were when they failed.
fn stopped(outcome: &Outcome) -> Vec<String> {
    let told = outcome.actions().iter().filter_map(|trace| {
        let backtrace = trace.backtrace.as_deref()?;
        let frames = backtrace.frames.iter().map(|frame| Frame {
            function: frame.function.into(),
            name: frame.name.clone(),
            offset: frame.offset.into(),
        });
        let (code_hash, frames) = (backtrace.code_hash.to_string(), frames.collect());
        let told = Backtrace { code_hash, frames, omitted: backtrace.omitted };
        Some(told.told(&trace.receiver.to_string(), false))
    });
    told.flatten().collect()
}

fn told_action(trace: &ActionTrace, chain: &mut Tester) -> Value {
    let levels = trace.act.authorization.iter().map(|level| format!("{}@{}", level.actor, level.permission));
    let ram = trace.account_ram_deltas.iter().map(|delta| (delta.account.to_string(), json!(delta.delta)));
    json!({
        "receiver": trace.receiver, "contract": trace.act.account, "action": trace.act.name,
        "by": levels.collect::<Vec<_>>(), "data": hex(&trace.act.data.0),
        "creator": trace.creator_action_ordinal, "console": String::from_utf8_lossy(&trace.console),
        "returned": hex(&trace.return_value), "result": result(trace, chain),
        "ram": ram.collect::<serde_json::Map<_, _>>(), "cpu_us": trace.elapsed_us,
    })
}

/// The returned value by the contract's ABI; null where that tells of none.
fn result(trace: &ActionTrace, chain: &mut Tester) -> Value {
    if trace.return_value.is_empty() {
        return Value::Null;
    }
    let Some(abi) = chain.find_abi(trace.act.account) else { return Value::Null };
    let kind = abi.action_result_type(trace.act.name);
    kind.and_then(|kind| abi.decode(kind, &trace.return_value, &Limits::default()).ok()).unwrap_or_default()
}

/// Adds the actions of a transaction that succeeded to the report, if one is wanted.
fn report(outcome: &Outcome) {
    let Some(file) = std::env::var_os(REPORT).filter(|_| outcome.fault().is_none()) else { return };
    let mut lines = String::new();
    for trace in outcome.actions() {
        let ram: i64 = trace.account_ram_deltas.iter().map(|delta| delta.delta).sum();
        let place = if trace.receiver == trace.act.account { "" } else { " (notified)" };
        let (receiver, action) = (trace.receiver, trace.act.name);
        lines.push_str(&format!("{receiver}::{action}{place}\t{}\t{ram}\n", trace.elapsed_us));
    }
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(file);
    // A report is for reading; a test does not fail for want of one.
    let _ = opened.and_then(|mut file| file.write_all(lines.as_bytes()));
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok()).collect()
}
