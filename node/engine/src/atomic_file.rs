//! Files that are whole or not there.

use std::fs;
use std::path::Path;

/// Writes a file under the name `draft` and renames it. A failure is told to the log.
pub(crate) fn write_file(path: &Path, draft: &Path, bytes: &[u8]) {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written =
        fs::create_dir_all(folder).and_then(|()| fs::write(draft, bytes)).and_then(|()| fs::rename(draft, path));
    if let Err(error) = written {
        tracing::error!("cannot write {}: {error}", path.display());
    }
}
