//! What this program prints.

use std::io::Write;

use anyhow::Context;

use crate::secrets;

/// Prints a line of output.
pub fn say(line: impl AsRef<str>) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", line.as_ref()).context("standard output is closed")
}

/// Prints a line that is not output; private keys in it are hidden.
pub fn note(line: impl AsRef<str>) {
    // Notes are for eyes only: losing one is no failure.
    let _ = writeln!(std::io::stderr(), "{}", secrets::hidden(line.as_ref()));
}
