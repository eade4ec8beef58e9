//! Files that are whole or not there, whatever ends the process or the machine.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file under the name `draft`, in the same folder, and gives it its own name once it is on the disk; so is the
/// name afterwards. Takes as long as the disk does.
///
/// # Errors
/// The disk refuses.
pub fn write_whole_file(path: &Path, draft: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = File::create(draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(draft, path)?;
    File::open(folder)?.sync_all()
}
