//! `boreasd`: without a subcommand it runs the node; the others work on files. Here is only which of them runs, and
//! how a failure is told.

use std::process::ExitCode;

use anyhow::Context as _;
use daemon::settings::{Parsed, Work};
use daemon::{contract_chain, export, log, print, replay, run, salvage, settings};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let result = settings::parse(&words).and_then(|Parsed { work, notices }| {
        log::begin(matches!(work, Work::Node(_) | Work::Dev(_)));
        notices.iter().for_each(|notice| tracing::warn!("{notice}"));
        on_deep_stack(|| perform(&work))
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<clap::Error>() {
            Some(usage) => usage.exit(),
            None => {
                log::failure(&error);
                ExitCode::FAILURE
            }
        },
    }
}

fn perform(work: &Work) -> anyhow::Result<()> {
    match work {
        Work::Node(args) if print::instead(args)? => Ok(()),
        Work::Dev(args) if print::instead(&args.node)? => Ok(()),
        Work::Node(args) => run::node(args).inspect(|()| say_goodbye()),
        Work::Dev(args) => run::dev(args).inspect(|()| say_goodbye()),
        Work::Replay(args) => replay::replay(args),
        Work::ExportBlocks(args) => export::export(args),
        Work::Salvage(args) => salvage::salvage(args),
        Work::ContractChain => contract_chain::serve(),
    }
}

/// The last line of a node that ended well. Scripts wait for nodeos' words.
fn say_goodbye() {
    tracing::info!("nodeos successfully exiting");
}

/// Contracts run at full speed only on a stack that is deep enough for all of them, and the main thread's is not.
fn on_deep_stack(work: impl FnOnce() -> anyhow::Result<()> + Send) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("main".to_owned()).stack_size(wasm::engine::THREAD_STACK_BYTES);
        let handle = thread.spawn_scoped(scope, work).context("the system gives no thread")?;
        handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
