//! `boreas top`: a chain at work, on one screen.

mod screen;
mod watch;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

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
        let shown = self.show(session, &mut watch, &mut terminal);
        ratatui::restore();
        shown
    }

    fn show(&self, session: &Session, watch: &mut Watch, terminal: &mut DefaultTerminal) -> anyhow::Result<()> {
        let mut next_look = Instant::now() + self.every;
        loop {
            terminal.draw(|frame| screen::draw(frame, watch)).context("the terminal is gone")?;
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

/// Whether a key ends the screen.
fn ends(key: KeyEvent) -> bool {
    let interrupts = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind != KeyEventKind::Release && (interrupts || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc))
}
