//! `boreas top`: a chain at work, on one screen.

mod screen;
mod watch;

use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::session::{Session, say};
use watch::Watch;

/// Columns and lines of a screen that is printed as text.
const TEXT_SIZE: (u16, u16) = (110, 36);

/// Flags of `top`.
#[derive(Args)]
pub struct Top {
    /// Print one screen as text and end, as is done where output is not a terminal
    #[arg(long)]
    once: bool,
    /// Seconds from one look at the node to the next
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = interval)]
    every: Duration,
}

fn interval(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "seconds are a number from 0.1 to 3600".to_owned())
}

impl Top {
    /// Shows the chain until a key ends it.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let mut watch = Watch::default();
        // A node that does not answer at all is an error on the command line, not a screen.
        watch.look(session)?;
        if self.once || !std::io::stdout().is_terminal() {
            return say(screen::as_text(&watch, TEXT_SIZE)?);
        }
        let mut terminal = ratatui::try_init().context("the terminal cannot be drawn on; try --once")?;
        let drawing = Arc::new(Mutex::new(()));
        let shown = restore_when_ended(Arc::clone(&drawing))
            .and_then(|()| self.show(session, &mut watch, &mut terminal, &drawing));
        ratatui::restore();
        shown
    }

    fn show(
        &self,
        session: &Session,
        watch: &mut Watch,
        terminal: &mut DefaultTerminal,
        drawing: &Mutex<()>,
    ) -> anyhow::Result<()> {
        let mut next_look = Instant::now() + self.every;
        loop {
            let drawn = {
                let _drawing = drawing.lock();
                terminal.draw(|frame| screen::draw(frame, watch)).map(|_| ())
            };
            drawn.context("the terminal is gone")?;
            let wait = next_look.saturating_duration_since(Instant::now());
            if event::poll(wait).context("the terminal is gone")? {
                if let Event::Key(key) = event::read().context("the terminal is gone")?
                    && ends(key)
                {
                    return Ok(());
                }
                continue;
            }
            watch.problem = watch.look(session).err().map(|error| format!("{error:#}"));
            next_look = Instant::now() + self.every;
        }
    }
}

/// Gives the terminal back when a signal ends the program, wherever it waits: a node that hangs would hold a flag up.
fn restore_when_ended(drawing: Arc<Mutex<()>>) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT]).context("signals cannot be waited for")?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            // Nothing is drawn any more: it is never unlocked.
            let _drawing = drawing.lock();
            ratatui::restore();
            // The program ends here as if the signal had not been waited for.
            let _ = emulate_default_handler(signal);
        }
    });
    Ok(())
}

/// Whether a key ends the screen.
fn ends(key: KeyEvent) -> bool {
    let interrupts = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind != KeyEventKind::Release && (interrupts || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc))
}
