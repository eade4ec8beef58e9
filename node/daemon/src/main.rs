//! `boreasd`: without a subcommand it runs the node; the others work on files. Here is only which of them runs, and
//! how a failure is told.

mod code_cache;
mod export;
mod log;
mod replay;
mod run;
mod settings;
mod start;

use std::process::ExitCode;

use settings::{Parsed, Work};

fn main() -> ExitCode {
    let result = settings::parse(std::env::args_os().collect()).and_then(|Parsed { work, notices }| {
        log::begin(matches!(work, Work::Node(_)));
        notices.iter().for_each(|notice| tracing::warn!("{notice}"));
        match work {
            Work::Node(args) => run::node(*args),
            Work::Replay(args) => replay::replay(&args),
            Work::ExportBlocks(args) => export::export(&args),
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::failure(&error);
            ExitCode::FAILURE
        }
    }
}
