//! The first call of a contract after its code was set: those of the repository, and modules made to be slow.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use e2e::modules::nested_loops;

use crate::Arguments;
use crate::modules;
use crate::peers::Peers;
use crate::report::Report;
use crate::workload;

const CONTRACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/dist");
/// After the code was set, until it is called: it is in a block then.
const SETTLE: Duration = Duration::from_millis(1100);

/// A contract's code under a name.
struct Module {
    name: String,
    code: Vec<u8>,
}

/// How long the answer to the first call takes, after each code was set. What the contract says to it does not matter.
pub fn measure(arguments: &Arguments, peers: &Peers, report: &mut Report) -> anyhow::Result<()> {
    let mut modules = contracts(Path::new(CONTRACTS))?;
    modules.extend(slow());
    for _ in 0..arguments.rounds {
        for peer in arguments.peers() {
            let folder = tempfile::tempdir()?;
            let options = ["--max-transaction-time", "499", "--chain-state-db-size-mb", "1024"];
            let node = peers.start(peer, folder.path(), &options)?;
            workload::activate_features(&node.api, Path::new(CONTRACTS))?;
            for (index, module) in modules.iter().enumerate() {
                let account = match workload::set_code(&node.api, index, &module.code) {
                    Ok(account) => account,
                    Err(error) => {
                        report.remark(format!("{peer:?} does not take {}: {error}", module.name));
                        continue;
                    }
                };
                std::thread::sleep(SETTLE);
                let call = workload::call(&node.api, account)?;
                let begin = Instant::now();
                // A contract may refuse it: it has run then.
                let answer = node.api.call("/v1/chain/send_transaction2", &call);
                let took = begin.elapsed();
                let refused =
                    answer.map_or_else(|error| error.to_string(), |answer| answer["processed"]["except"].to_string());
                if refused.contains("deadline") || refused.contains("too long") {
                    report.remark(format!("{peer:?} ends {} before its end", module.name));
                }
                report.add(
                    format!("{}, {} KB, ms", module.name, module.code.len() >> 10),
                    peer,
                    took.as_secs_f64() * 1e3,
                );
            }
            node.process.stop()?;
        }
    }
    Ok(())
}

/// Every module below a folder.
fn contracts(folder: &Path) -> anyhow::Result<Vec<Module>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        for file in std::fs::read_dir(entry?.path())? {
            let path = file?.path();
            if path.extension().is_some_and(|end| end == "wasm") {
                let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                found.push(Module { name, code: std::fs::read(&path)? });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn slow() -> Vec<Module> {
    let loops = [(1, 400, 1000), (2, 400, 1000), (25, 200, 1000), (1, 900, 1000), (60, 60, 500), (100, 20, 20)];
    let nested = loops.map(|(functions, nested, locals)| Module {
        name: format!("{functions} x {nested} nested loops, {locals} locals"),
        code: nested_loops(functions, nested, locals),
    });
    let long = [64, 256]
        .map(|count| Module { name: format!("{count} functions of 800 bytes"), code: modules::long_functions(count) });
    let small = Module { name: "4,000 small functions".to_owned(), code: modules::small_functions(4000) };
    let tables = Module { name: "60 jump tables of 500".to_owned(), code: modules::jump_tables(60, 500) };
    nested.into_iter().chain(long).chain([small, tables]).collect()
}
