//! `boreasd`: without a subcommand it runs the node; the others work on files. Here is only which of them runs, and
//! how a failure is told.

use std::io::Write as _;

use anyhow::Context as _;
use daemon::settings::{Parsed, Work};
use daemon::{check, contract_chain, export, log, print, replay, run, salvage, settings, words};

/// Bytes of a piece of memory from which it is the system's own and goes back to it when it is freed. Left alone, the
/// allocator moves this up to 32 MB as large pieces are freed, and keeps what strangers made it take.
const OWN_MAPPING_BYTES: libc::c_int = 256 << 10;

fn main() {
    #[cfg(target_env = "gnu")]
    // SAFETY: a setting of the allocator, made while there is one thread.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING_BYTES)
    };
    let words: Vec<_> = std::env::args_os().collect();
    let result = settings::parse(&words).and_then(|Parsed { work, notices }| {
        log::begin(matches!(work, Work::Node(_) | Work::Dev(_)));
        notices.iter().for_each(|notice| tracing::warn!("{notice}"));
        on_deep_stack(|| perform(&work))
    });
    match result {
        Ok(()) => end(libc::EXIT_SUCCESS),
        Err(error) => match error.downcast_ref::<clap::Error>() {
            Some(usage) => tell_usage(usage),
            None => {
                log::failure(&error);
                end(libc::EXIT_FAILURE)
            }
        },
    }
}

/// Tells what is wrong with the words of the command line, which may have a private key among them.
fn tell_usage(usage: &clap::Error) -> ! {
    let message = usage.render().to_string();
    let told = words::hidden(&message);
    if told == message {
        usage.exit();
    }
    let _ = write!(std::io::stderr(), "{told}");
    end(usage.exit_code())
}

/// Ends the process at once. A node that fails leaves threads behind that hold the database, and RocksDB's own: the
/// static objects of C++ that an ordinary exit destroys would vanish under them, which aborts now and then.
fn end(status: i32) -> ! {
    // Whoever read it may be gone.
    let _ = std::io::stdout().flush();
    // SAFETY: it has no conditions; nothing of this process is used after it.
    unsafe { libc::_exit(status) }
}

fn perform(work: &Work) -> anyhow::Result<()> {
    if matches!(work, Work::Node(_) | Work::Dev(_)) {
        // It holds the keys of its producers.
        wallet::keep_out_of_dumps();
    }
    match work {
        Work::Node(args) if print::instead(args)? => Ok(()),
        Work::Dev(args) if print::instead(&args.node)? => Ok(()),
        Work::Node(args) => run::node(args).inspect(|()| say_goodbye()),
        Work::Dev(args) => run::dev(args).inspect(|()| say_goodbye()),
        Work::Replay(args) => replay::replay(args),
        Work::ExportBlocks(args) => export::export(args),
        Work::Salvage(args) => salvage::salvage(args),
        Work::Check(args) => check::check(args),
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
