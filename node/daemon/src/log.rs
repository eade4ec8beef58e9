//! Log lines on standard error in the form that operators of nodeos know: level, time, thread, message.
//!
//! Many lines tell of what a client or a peer did. So that nobody can fill the disk with them, each place of the sources
//! writes so many lines a minute, and what it left out is told.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tracing::callsite::Identifier;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Lines that one place of the sources writes within [`WINDOW`] at most.
const LINES_MAX: u64 = 1_000;
/// How long a place that wrote that many says nothing more.
const WINDOW: Duration = Duration::from_secs(60);
/// Bytes of a line's message; longer ones are cut.
const LINE_BYTES_MAX: usize = 64 << 10;

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
        .event_format(Line::default())
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

/// Writes lines, and counts those of each place.
#[derive(Default)]
struct Line {
    places: Mutex<FxHashMap<Identifier, Written>>,
}

/// What a place wrote since its window began.
#[derive(Debug, Clone, Copy)]
struct Written {
    since: Instant,
    lines: u64,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
enum Allowed {
    /// It is written, after a word on how many were left out since the last one.
    After(u64),
    /// It is written with a word that those which follow are left out.
    Last,
    No,
}

impl Written {
    /// Counts one more line.
    fn count(&mut self, now: Instant) -> Allowed {
        let mut left_out = 0;
        if now.saturating_duration_since(self.since) >= WINDOW {
            left_out = self.lines.saturating_sub(LINES_MAX);
            *self = Self { since: now, lines: 0 };
        }
        self.lines += 1;
        match self.lines {
            LINES_MAX => Allowed::Last,
            lines if lines < LINES_MAX => Allowed::After(left_out),
            _ => Allowed::No,
        }
    }
}

impl Line {
    fn count(&self, event: &Event<'_>) -> Allowed {
        // What contracts print has a bound of its own, in bytes; details are there because the operator asked for them.
        let is_detail = *event.metadata().level() > Level::INFO;
        if is_detail || event.metadata().target() == engine::CONSOLE_TARGET {
            return Allowed::After(0);
        }
        let now = Instant::now();
        let begin = || Written { since: now, lines: 0 };
        self.places.lock().entry(event.metadata().callsite()).or_insert_with(begin).count(now)
    }
}

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
        let allowed = self.count(event);
        if allowed == Allowed::No {
            return Ok(());
        }
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("boreasd");
        let head = format!("{level} {} {name:<9} ] ", engine::clock::machine_time());
        if let Allowed::After(left_out @ 1..) = allowed {
            writeln!(out, "{head}{left_out} lines like the next one were left out")?;
        }
        let mut message = String::new();
        context.field_format().format_fields(Writer::new(&mut message), event)?;
        let shown = &message[..message.floor_char_boundary(LINE_BYTES_MAX)];
        write!(out, "{head}{shown}")?;
        if shown.len() < message.len() {
            write!(out, "... ({} bytes more)", message.len() - shown.len())?;
        }
        if allowed == Allowed::Last {
            write!(out, " (further lines like this one are left out for a minute)")?;
        }
        writeln!(out)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_place_writes_so_many_lines_a_minute() {
        let begin = Instant::now();
        let mut place = Written { since: begin, lines: 0 };
        for _ in 1..LINES_MAX {
            assert_eq!(place.count(begin), Allowed::After(0));
        }
        assert_eq!(place.count(begin), Allowed::Last);
        for _ in 0..5 {
            assert_eq!(place.count(begin + WINDOW / 2), Allowed::No);
        }
        assert_eq!(place.count(begin + WINDOW), Allowed::After(5));
        assert_eq!(place.count(begin + WINDOW), Allowed::After(0));
    }

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_flood_of_one_place_is_cut_and_others_write_on() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .event_format(Line::default())
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..3 * LINES_MAX {
                tracing::error!("a block is refused: {number}");
            }
            for _ in 0..2 * LINES_MAX {
                tracing::info!(target: engine::CONSOLE_TARGET, "printed");
            }
            tracing::warn!("{}", "x".repeat(2 * LINE_BYTES_MAX));
        });
        let text = String::from_utf8(lines.0.lock().clone()).unwrap();
        let count = |part: &str| text.lines().filter(|line| line.contains(part)).count() as u64;
        assert_eq!((count("is refused"), count("are left out"), count("printed")), (LINES_MAX, 1, 2 * LINES_MAX));
        assert!(text.lines().last().unwrap().ends_with(&format!("xxx... ({LINE_BYTES_MAX} bytes more)")));
    }

    #[test]
    fn a_cause_is_told_once() {
        let error = Err::<(), _>(anyhow::anyhow!("no space")).context("cannot write x: no space").context("no start");
        assert_eq!(told(&error.unwrap_err()), "error: no start\n  because: cannot write x: no space");
    }
}
