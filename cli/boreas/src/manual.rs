//! `boreas completion` and `boreas man`: what shells and manuals know of the commands, made from the commands themselves.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;

use crate::session::{note, say};

/// Flags of `completion`.
#[derive(Args)]
pub struct Completion {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Flags of `man`.
#[derive(Args)]
pub struct Manual {
    /// The folder to write the pages to
    folder: PathBuf,
}

impl Completion {
    /// Prints the script.
    pub fn run(self, mut command: Command) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "boreas", &mut script);
        say(String::from_utf8_lossy(&script).trim_end())
    }
}

impl Manual {
    /// Writes a page for each command.
    pub fn run(self, command: Command) -> anyhow::Result<()> {
        let folder = self.folder.display();
        std::fs::create_dir_all(&self.folder).with_context(|| format!("{folder} cannot be made"))?;
        clap_mangen::generate_to(command.disable_help_subcommand(true), &self.folder)
            .with_context(|| format!("{folder} cannot be written"))?;
        note(format!("to read one: man -l {folder}/boreas.1"));
        Ok(())
    }
}
