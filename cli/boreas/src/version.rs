//! `boreas version`.

use clap::Subcommand;

use crate::session::say;

/// Which form of the version.
#[derive(Subcommand)]
pub enum Version {
    /// The version of this program
    Client,
    /// The version of this program and what it is
    Full,
}

impl Version {
    /// Prints it.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Client => say(concat!("v", env!("CARGO_PKG_VERSION"))),
            Self::Full => say(concat!("v", env!("CARGO_PKG_VERSION"), "-boreas")),
        }
    }
}
