//! Transaction traces as JSON, written straight into text: every answer of a pushed transaction goes through here.

use std::cell::RefCell;
use std::fmt::Write;
use std::ops::Range;

use abi::present;
use execution::{AccountDelta, ActionReceipt, ActionTrace, Backtrace, RowChange, TransactionTrace};
use primitives::json::LARGEST_PLAIN_INTEGER;
use primitives::{Action, BlockId, Fault, Name, Sha256, TimePoint};

use crate::abis::AbiSet;
use crate::block_json::from_set;
use crate::bounds::Bounds;
use crate::reply::integer;

/// Prefix of the message of a contract's assertion, and how nodeos formats it.
const ASSERTION: &str = "assertion failure with message: ";
/// Prefix of the message that passes a contract's console output on.
const CONSOLE: &str = "pending console output: ";

/// The contracts whose actions, or whose rows, a trace holds.
pub fn contracts(trace: &TransactionTrace) -> Vec<Name> {
    let inner = trace.failed_dtrx_trace.iter().flat_map(|failed| contracts(failed));
    let changed = trace.action_traces.iter().filter(|action| !action.rows.kept.is_empty());
    let changed = changed.map(|action| action.receiver);
    trace.action_traces.iter().map(|action| action.act.account).chain(changed).chain(inner).collect()
}

/// How the actions of a trace are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One list, by ordinal.
    Flat,
    /// Inline actions and notifications inside the actions that made them (`push_transaction`).
    Tree,
}

/// `{"transaction_id": ..., "processed": ...}`.
pub fn processed(trace: &TransactionTrace, abis: &AbiSet, shape: Shape) -> Vec<u8> {
    let mut out = String::with_capacity(1024 + 1200 * trace.action_traces.len());
    let abis = &Sources { abis, bounds: Bounds::new(), written: RefCell::default(), is_whole: false };
    write(&mut out, format_args!("{{\"transaction_id\":\"{}\",\"processed\":", trace.id));
    transaction(&mut out, trace, abis, shape);
    out.push('}');
    out.into_bytes()
}

/// The same as a list, with what nodeos' traces do not have: the `block` it is in, the rows that its actions changed, and
/// where a contract's code was that stopped.
pub fn whole(trace: &TransactionTrace, block: Option<BlockId>, abis: &AbiSet) -> Vec<u8> {
    let mut out = String::new();
    let abis = &Sources { abis, bounds: Bounds::new(), written: RefCell::default(), is_whole: true };
    write(&mut out, format_args!("{{\"transaction_id\":\"{}\",\"block_id\":", trace.id));
    optional_text(&mut out, block);
    out.push_str(",\"processed\":");
    transaction(&mut out, trace, abis, Shape::Flat);
    out.push('}');
    out.into_bytes()
}

fn write(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("writing into memory does not fail");
}

/// Where ABIs come from, what their JSON may take, and which actions are in the text already: notifications share theirs.
struct Sources<'a> {
    abis: &'a AbiSet,
    bounds: Bounds,
    written: RefCell<Vec<(*const Action, Range<usize>)>>,
    /// Whether actions show what nodeos' traces do not have.
    is_whole: bool,
}

/// A whole trace.
fn transaction(out: &mut String, trace: &TransactionTrace, abis: &Sources<'_>, shape: Shape) {
    write(
        out,
        format_args!(
            "{{\"id\":\"{}\",\"block_num\":{},\"block_time\":\"{}\"",
            trace.id, trace.block_num, trace.block_time
        ),
    );
    out.push_str(",\"producer_block_id\":");
    optional_text(out, trace.producer_block_id);
    match &trace.receipt {
        Some(receipt) => write(
            out,
            format_args!(
                ",\"receipt\":{{\"status\":\"{}\",\"cpu_usage_us\":{},\"net_usage_words\":{}}}",
                receipt.status.name(),
                receipt.cpu_usage_us,
                receipt.net_usage_words.0
            ),
        ),
        None => out.push_str(",\"receipt\":null"),
    }
    out.push_str(",\"elapsed\":");
    signed(out, trace.elapsed_us);
    out.push_str(",\"net_usage\":");
    unsigned(out, trace.net_usage);
    write(out, format_args!(",\"scheduled\":{},\"action_traces\":", trace.scheduled));
    match shape {
        Shape::Flat => list(out, &trace.action_traces, |out, action| {
            action_fields(out, trace, action, abis, false);
            out.push('}');
        }),
        Shape::Tree => tree(out, trace, abis, 0),
    }
    out.push_str(",\"account_ram_delta\":");
    match &trace.account_ram_delta {
        Some(delta) => account_delta(out, delta),
        None => out.push_str("null"),
    }
    if let Some(failed) = &trace.failed_dtrx_trace {
        out.push_str(",\"failed_dtrx_trace\":");
        transaction(out, failed, abis, Shape::Flat);
    }
    failure(out, trace.except.as_deref(), trace.error_code);
    out.push('}');
}

/// The actions below `ancestor`, in the order in which they ran.
fn tree(out: &mut String, trace: &TransactionTrace, abis: &Sources<'_>, ancestor: u32) {
    let mut children: Vec<&ActionTrace> = trace
        .action_traces
        .iter()
        .filter(|action| action.closest_unnotified_ancestor_action_ordinal == ancestor)
        .filter(|action| action.receipt.is_some() || action.except.is_some())
        .collect();
    children.sort_by_key(|action| action.receipt.as_ref().map_or(u64::MAX, |receipt| receipt.global_sequence));
    list(out, &children, |out, action| {
        action_fields(out, trace, action, abis, true);
        out.push_str(",\"inline_traces\":");
        tree(out, trace, abis, action.action_ordinal);
        out.push('}');
    });
}

/// All fields of an action's trace; the brace stays open.
fn action_fields(
    out: &mut String,
    trace: &TransactionTrace,
    action: &ActionTrace,
    abis: &Sources<'_>,
    invent_receipt: bool,
) {
    write(
        out,
        format_args!(
            "{{\"action_ordinal\":{},\"creator_action_ordinal\":{},\"closest_unnotified_ancestor_action_ordinal\":{},\"receipt\":",
            action.action_ordinal, action.creator_action_ordinal, action.closest_unnotified_ancestor_action_ordinal
        ),
    );
    match &action.receipt {
        Some(receipt) => action_receipt(out, receipt),
        None if invent_receipt => write(
            out,
            format_args!(
                "{{\"abi_sequence\":0,\"act_digest\":\"{}\",\"auth_sequence\":[],\"code_sequence\":0,\"global_sequence\":0,\"receiver\":\"{}\",\"recv_sequence\":0}}",
                Sha256::packed(&*action.act),
                action.receiver
            ),
        ),
        None => out.push_str("null"),
    }
    write(out, format_args!(",\"receiver\":\"{}\",\"act\":", action.receiver));
    act(out, &action.act, abis);
    write(out, format_args!(",\"context_free\":{},\"elapsed\":", action.context_free));
    signed(out, action.elapsed_us);
    out.push_str(",\"console\":");
    text(out, &execution::utf8_only(&action.console));
    write(
        out,
        format_args!(
            ",\"trx_id\":\"{}\",\"block_num\":{},\"block_time\":\"{}\"",
            trace.id, trace.block_num, trace.block_time
        ),
    );
    out.push_str(",\"producer_block_id\":");
    optional_text(out, trace.producer_block_id);
    out.push_str(",\"account_ram_deltas\":");
    list(out, &action.account_ram_deltas, account_delta);
    if abis.is_whole {
        out.push_str(",\"row_changes\":");
        list(out, &action.rows.kept, |out, change| row_change(out, action.receiver, change, abis));
        write(out, format_args!(",\"row_changes_omitted\":{}", action.rows.omitted));
        if let Some(stopped) = &action.backtrace {
            out.push_str(",\"backtrace\":");
            backtrace(out, stopped);
        }
    }
    failure(out, action.except.as_deref(), action.error_code);
    out.push_str(",\"return_value_hex_data\":\"");
    hexadecimal(out, &action.return_value);
    out.push('"');
    let (limits, mut sources) = (abis.bounds.limits(), from_set(abis.abis));
    if let Some(value) = present::return_value(&action.act, &action.return_value, &mut sources, &limits) {
        write(out, format_args!(",\"return_value_data\":{value}"));
    }
}

fn action_receipt(out: &mut String, receipt: &ActionReceipt) {
    write(
        out,
        format_args!(
            "{{\"receiver\":\"{}\",\"act_digest\":\"{}\",\"global_sequence\":",
            receipt.receiver, receipt.act_digest
        ),
    );
    unsigned(out, receipt.global_sequence);
    out.push_str(",\"recv_sequence\":");
    unsigned(out, receipt.recv_sequence);
    out.push_str(",\"auth_sequence\":");
    list(out, receipt.auth_sequence.as_slice(), |out, (name, sequence)| {
        write(out, format_args!("[\"{name}\","));
        unsigned(out, *sequence);
        out.push(']');
    });
    let (code, abi) = (receipt.code_sequence.0, receipt.abi_sequence.0);
    write(out, format_args!(",\"code_sequence\":{code},\"abi_sequence\":{abi}}}"));
}

fn act(out: &mut String, act: &Action, abis: &Sources<'_>) {
    let (from, this) = (out.len(), std::ptr::from_ref(act));
    let written = abis.written.borrow().iter().find(|(known, _)| *known == this).map(|(_, range)| range.clone());
    if let Some(range) = written {
        out.extend_from_within(range);
        return;
    }
    write(out, format_args!("{{\"account\":\"{}\",\"name\":\"{}\",\"authorization\":", act.account, act.name));
    list(out, &act.authorization, |out, level| {
        write(out, format_args!("{{\"actor\":\"{}\",\"permission\":\"{}\"}}", level.actor, level.permission));
    });
    out.push_str(",\"data\":");
    decoded(out, data(act, abis), &act.data);
    out.push_str(",\"hex_data\":\"");
    hexadecimal(out, &act.data);
    out.push_str("\"}");
    abis.written.borrow_mut().push((this, from..out.len()));
}

/// An action's data in the form of its contract's ABI.
fn data(action: &Action, abis: &Sources<'_>) -> Option<serde_json::Value> {
    let abi = abis.abis.get(&action.account)?.as_ref()?.usable()?;
    abi.decode(abi.action_type(action.name)?, &action.data, &abis.bounds.limits()).ok()
}

/// What an ABI made of bytes, or the bytes.
fn decoded(out: &mut String, value: Option<serde_json::Value>, bytes: &[u8]) {
    match value {
        Some(value) => write(out, format_args!("{value}")),
        None => {
            out.push('"');
            hexadecimal(out, bytes);
            out.push('"');
        }
    }
}

/// A changed row, before and after.
fn row_change(out: &mut String, code: Name, change: &RowChange, abis: &Sources<'_>) {
    let RowChange { scope, table, primary, before, after } = change;
    let primary = integer(*primary);
    write(out, format_args!("{{\"scope\":\"{scope}\",\"table\":\"{table}\",\"primary_key\":{primary}"));
    for (when, image) in [("before", before), ("after", after)] {
        write(out, format_args!(",\"{when}\":"));
        match image {
            Some(image) => {
                write(out, format_args!("{{\"payer\":\"{}\",\"data\":", image.payer));
                decoded(out, row(code, *table, &image.value, abis), &image.value);
                out.push('}');
            }
            None => out.push_str("null"),
        }
    }
    out.push('}');
}

/// Where a contract's code was, the innermost function first.
fn backtrace(out: &mut String, backtrace: &Backtrace) {
    write(out, format_args!("{{\"code_hash\":\"{}\",\"frames\":", backtrace.code_hash));
    list(out, &backtrace.frames, |out, frame| {
        write(out, format_args!("{{\"function\":{},\"name\":", frame.function));
        match &frame.name {
            Some(name) => text(out, name),
            None => out.push_str("null"),
        }
        write(out, format_args!(",\"offset\":{}}}", frame.offset));
    });
    write(out, format_args!(",\"omitted\":{}}}", backtrace.omitted));
}

/// A row in the form of its contract's ABI.
fn row(code: Name, table: Name, bytes: &[u8], abis: &Sources<'_>) -> Option<serde_json::Value> {
    let abi = abis.abis.get(&code)?.as_ref()?.usable()?;
    abi.decode(abi.table_type(table)?, bytes, &abis.bounds.limits()).ok()
}

fn account_delta(out: &mut String, delta: &AccountDelta) {
    write(out, format_args!("{{\"account\":\"{}\",\"delta\":", delta.account));
    signed(out, delta.delta);
    out.push('}');
}

fn failure(out: &mut String, except: Option<&Fault>, error_code: Option<u64>) {
    out.push_str(",\"except\":");
    match except {
        Some(fault) => exception(out, fault),
        None => out.push_str("null"),
    }
    out.push_str(",\"error_code\":");
    match error_code {
        Some(code) => unsigned(out, code),
        None => out.push_str("null"),
    }
}

/// A fault as fc shows an exception: with the stack of log messages. Unlike fc's, `format` is the finished sentence and
/// `data` is empty, but for the two messages that clients take apart.
pub fn exception(out: &mut String, fault: &Fault) {
    let kind = fault.kind;
    write(out, format_args!("{{\"code\":{},\"name\":\"{}\",\"message\":", kind.code, kind.name));
    text(out, fault.what());
    out.push_str(",\"stack\":");
    let now: TimePoint = engine::clock::machine_time();
    let mut level = "error";
    list(out, &fault.details, |out, message| {
        write(
            out,
            format_args!(
                "{{\"context\":{{\"level\":\"{level}\",\"file\":\"\",\"line\":0,\"method\":\"\",\"hostname\":\"\",\"thread_name\":\"boreasd\",\"timestamp\":\"{now}\"}},\"format\":"
            ),
        );
        // The two messages that clients take apart keep nodeos' parts.
        if let Some(said) = message.strip_prefix(ASSERTION) {
            write(out, format_args!("\"{ASSERTION}${{s}}\",\"data\":{{\"s\":"));
            text(out, said);
            out.push_str("}}");
        } else if let Some(console) = message.strip_prefix(CONSOLE) {
            write(out, format_args!("\"{CONSOLE}${{console}}\",\"data\":{{\"console\":"));
            text(out, console);
            out.push_str("}}");
        } else {
            text(out, message);
            out.push_str(",\"data\":{}}");
        }
        level = "warn";
    });
    out.push('}');
}

fn list<T>(out: &mut String, items: &[T], mut each: impl FnMut(&mut String, &T)) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        each(out, item);
    }
    out.push(']');
}

fn unsigned(out: &mut String, value: u64) {
    if value > LARGEST_PLAIN_INTEGER {
        write(out, format_args!("\"{value}\""));
    } else {
        write(out, format_args!("{value}"));
    }
}

fn signed(out: &mut String, value: i64) {
    match u64::try_from(value) {
        Ok(value) => unsigned(out, value),
        Err(_) => write(out, format_args!("{value}")),
    }
}

fn optional_text(out: &mut String, value: Option<impl std::fmt::Display>) {
    match value {
        Some(value) => write(out, format_args!("\"{value}\"")),
        None => out.push_str("null"),
    }
}

fn text(out: &mut String, value: &str) {
    out.push_str(&serde_json::to_string(value).expect("a text is always JSON"));
}

fn hexadecimal(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}
