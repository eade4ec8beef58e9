//! Block logs as files: found, mapped, and written so that one is whole or not there.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use engine::block_log::LOG_NAME;
use memmap2::Mmap;

/// The log that an option names: a file, or the folder that it is in.
pub fn path(named: &Path) -> PathBuf {
    if named.is_dir() { named.join(LOG_NAME) } else { named.to_owned() }
}

/// Maps a log into memory.
///
/// # Errors
/// It cannot be opened.
pub fn map(path: &Path) -> anyhow::Result<Mmap> {
    let file = File::open(path).with_context(|| format!("cannot open the block log {}", path.display()))?;
    // SAFETY: the log is only read; whoever changes it meanwhile gets a failed command, as the file's format is checked.
    unsafe { Mmap::map(&file) }.with_context(|| format!("cannot read the block log {}", path.display()))
}

/// Checks that writing a log takes nothing away. A pipe or a device may be there.
///
/// # Errors
/// A file of this name exists; `instead` says what to do.
pub fn must_be_new(path: &Path, instead: &str) -> anyhow::Result<()> {
    anyhow::ensure!(!path.is_file(), "{} exists already. {instead}", path.display());
    Ok(())
}

/// Writes a file under another name and gives it its own when it is whole.
///
/// # Errors
/// It cannot be written, or `fill` fails; what had the name before is still there.
pub fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    if path.exists() && !path.is_file() {
        // A pipe or a device has no other name.
        return File::create(path).and_then(|mut file| fill(&mut file)).with_context(cannot);
    }
    // What a link names is written where it is.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let draft = path.with_added_extension("draft");
    let written = || {
        let mut file = BufWriter::new(File::create(&draft)?);
        fill(&mut file)?;
        file.into_inner()?.sync_all()?;
        std::fs::rename(&draft, path)
    };
    written().inspect_err(|_| drop(std::fs::remove_file(&draft))).with_context(cannot)
}
