//! How output looks: for people on a terminal, for scripts elsewhere.

use std::io::IsTerminal;

/// How much of a transaction is printed, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout {
    /// All lines of consoles.
    pub verbose: bool,
    /// A tree for people; else the lines of cleos, which scripts read.
    pub tree: bool,
    /// With colours.
    pub colour: bool,
}

impl Layout {
    /// Trees and colours are for eyes: scripts read what cleos prints.
    pub fn of_output(verbose: bool, tree: bool) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        Self { verbose, tree: tree || is_terminal, colour: is_terminal && wants_colour() }
    }
}

/// Whether colours are wanted on a terminal (`NO_COLOR`).
fn wants_colour() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// An error's text, its first line in red on a terminal.
pub fn alarming(text: &str) -> String {
    if !std::io::stderr().is_terminal() || !wants_colour() {
        return text.to_owned();
    }
    let (first, rest) = text.split_at(text.find('\n').unwrap_or(text.len()));
    format!("\u{1b}[1;31m{first}\u{1b}[0m{rest}")
}
