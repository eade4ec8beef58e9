//! Modules that nodeos accepted or refused, and what the accepted ones did: the recordings `modules` and
//! `modules_all` of the conformance tests, without a chain around them.

mod world;

use codec::Unpack as _;
use flate2::read::GzDecoder;
use primitives::{Action, Fault, PackedTransaction, Sha256, WasmConfig};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use wasm::{Apply, Imports, Limits, RunLimits, Runtime, Signature, ValueType, validate};
use world::World;

const CONFORMANCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/conformance");
/// Where the recorder pokes packed parameters into memory (record/probe.py `AT`).
const POKED: [u8; 9] = [1, 0, 0, 1, 0, 48, 0, 0, 0];

/// Every host function of the recorder's list, and the features that are active.
struct Table {
    functions: BTreeMap<String, (Signature, bool)>,
}

impl Table {
    /// From record/hosts.py: one line `("name", "topic", "letters", "result", "kind", "since")` a function.
    fn new(every_feature: bool) -> Self {
        let text = std::fs::read_to_string(format!("{CONFORMANCE}/record/hosts.py")).expect("the recorder is there");
        let letter = |letter: char| match letter {
            'i' => Some(ValueType::I32),
            'I' => Some(ValueType::I64),
            'f' => Some(ValueType::F32),
            'd' => Some(ValueType::F64),
            _ => None,
        };
        let rows = text.lines().filter_map(|line| line.strip_prefix("    (\"")?.split_once("\")").map(|parts| parts.0));
        let functions = rows.filter_map(|row| {
            let fields: Vec<&str> = row.split("\", \"").collect();
            let [name, _, params, result, _, since] = fields[..] else { return None };
            let types = |letters: &str| letters.chars().filter_map(letter).collect();
            let signature = Signature { params: types(params), results: types(result) };
            let listed = every_feature || matches!(since, "genesis" | "PREACTIVATE_FEATURE");
            Some((name.to_owned(), (signature, listed)))
        });
        Self { functions: functions.collect() }
    }
}

impl Imports for Table {
    fn import(&self, name: &str) -> Option<(&Signature, bool)> {
        self.functions.get(name).map(|(signature, listed)| (signature, *listed))
    }
}

/// `wasm_config` as chains begin with it.
fn default_config() -> WasmConfig {
    WasmConfig {
        max_mutable_global_bytes: 1024,
        max_table_elements: 1024,
        max_section_elements: 8192,
        max_linear_memory_init: 65_536,
        max_func_local_bytes: 8192,
        max_nested_structures: 1024,
        max_symbol_bytes: 8192,
        max_module_bytes: 20 << 20,
        max_code_bytes: 20 << 20,
        max_pages: 528,
        max_call_depth: 251,
    }
}

struct Chain {
    table: Table,
    config: Option<WasmConfig>,
    runtime: Runtime<World>,
    world: World,
    codes: BTreeMap<u64, Vec<u8>>,
    compared: usize,
    wrong: Vec<String>,
}

impl Chain {
    fn new(every_feature: bool) -> Self {
        Self {
            table: Table::new(every_feature),
            config: every_feature.then(default_config),
            runtime: world::runtime(),
            world: World::default(),
            codes: BTreeMap::new(),
            compared: 0,
            wrong: Vec::new(),
        }
    }

    fn push(&mut self, step: &Value) {
        let bytes = hex::decode(step["trx"].as_str().expect("hex")).expect("hex");
        let packed = PackedTransaction::from_bytes(&bytes).expect("recorded");
        let transaction = packed.transaction().expect("recorded");
        let expected = step["trace"]["fault"]["code"].as_u64();
        let message = step["trace"]["fault"]["message"].as_str().unwrap_or_default();
        let note = step["note"].as_str().expect("a note");
        let same_code = expected == Some(3_160_008);
        if same_code || note.starts_with("run import") {
            return;
        }
        let before = self.codes.clone();
        let result = transaction.actions.iter().try_for_each(|action| self.action(action));
        if result.is_err() {
            self.codes = before;
        }
        let found = result.err();
        let agrees = match (&found, expected) {
            (None, None) => true,
            (Some(fault), Some(code)) => u64::from(fault.kind.code) == code && fault.details[0] == message,
            _ => false,
        };
        self.compared += 1;
        if !agrees {
            let found = found.map_or("nothing".to_owned(), |fault| format!("{} {:?}", fault.kind.code, fault.details));
            self.wrong.push(format!("{}: found {found}, expected {expected:?} {message}", step["note"]));
        }
    }

    fn action(&mut self, action: &Action) -> Result<(), Fault> {
        if action.account.to_string() == "eosio" {
            if action.name.to_string() == "setcode" {
                return self.set_code(&action.data.0);
            }
            if let Some(at) = action.data.0.windows(POKED.len()).position(|window| *window == POKED) {
                let packed = &action.data.0[at + POKED.len() + 4..];
                self.config = Some(WasmConfig::from_prefix(packed).expect("recorded"));
            }
            return Ok(());
        }
        let Some(code) = self.codes.get(&action.account.0) else { return Ok(()) };
        self.world.code = code.clone();
        let limits = self.config.as_ref().map_or_else(RunLimits::default, |config| RunLimits {
            max_pages: config.max_pages,
            max_call_depth: config.max_call_depth,
        });
        let apply = Apply { receiver: action.account, account: action.account, action: action.name };
        self.runtime.run(&Sha256::of(code), apply, limits, &mut self.world)
    }

    /// `setcode`: account, vm type, vm version, code.
    fn set_code(&mut self, data: &[u8]) -> Result<(), Fault> {
        let (account, _, code) = <(u64, (u8, u8), primitives::Bytes)>::from_bytes(data).expect("recorded");
        let limits = self.config.as_ref().map_or(Limits::Fixed { building: true }, Limits::Configured);
        validate(&code.0, limits, &self.table)?;
        self.codes.insert(account, code.0);
        Ok(())
    }
}

fn replay(name: &str, every_feature: bool, at_least: usize) {
    let file = std::fs::File::open(format!("{CONFORMANCE}/recordings/{name}.steps.jsonl.gz")).expect("recorded");
    let mut chain = Chain::new(every_feature);
    for line in BufReader::new(GzDecoder::new(file)).lines() {
        let step: Value = serde_json::from_str(&line.expect("text")).expect("JSON");
        if step["step"] == "push" && step["note"].is_string() {
            chain.push(&step);
        }
    }
    assert!(chain.wrong.is_empty(), "{} of {} differ:\n{}", chain.wrong.len(), chain.compared, chain.wrong.join("\n"));
    assert!(chain.compared >= at_least, "only {} compared", chain.compared);
}

#[test]
fn modules_before_configurable_limits() {
    replay("modules", false, 300);
}

#[test]
fn modules_with_configurable_limits() {
    world::on_large_stack(|| replay("modules_all", true, 500));
}
