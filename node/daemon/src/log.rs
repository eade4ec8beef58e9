//! Log lines on standard error in the form that operators of nodeos know: level, time, thread, message.

use std::fmt::Write as _;
use std::io::Write as _;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Begins to log; `RUST_LOG` says what.
pub fn begin(node: bool) {
    // What libraries of the network tell in passing is not news of the node; of gossip, what any peer can make it say.
    let default = if node { "info,libp2p=warn,libp2p_gossipsub=error" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        // It would tell on standard error that standard error takes nothing, and end the thread over that.
        .log_internal_errors(false)
        .event_format(Line)
        .with_writer(std::io::stderr)
        .init();
}

/// Tells a person why the program ends: what failed, and each cause below it.
pub fn failure(error: &anyhow::Error) {
    // It may be on the disk that is full.
    let _ = writeln!(std::io::stderr(), "{}", told(error));
}

fn told(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}");
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some errors say what is below them themselves.
        if !text.ends_with(&cause) {
            // Writing into memory does not fail.
            let _ = write!(text, "\n  because: {cause}");
        }
    }
    text
}

struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> std::fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warn ",
            Level::INFO => "info ",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("boreasd");
        write!(out, "{level} {} {name:<9} ] ", engine::clock::machine_time())?;
        context.field_format().format_fields(out.by_ref(), event)?;
        writeln!(out)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    #[test]
    fn a_cause_is_told_once() {
        let error = Err::<(), _>(anyhow::anyhow!("no space")).context("cannot write x: no space").context("no start");
        assert_eq!(super::told(&error.unwrap_err()), "error: no start\n  because: cannot write x: no space");
    }
}
