//! Files that are whole or not there.

use std::path::Path;

/// Writes a file under the name `draft` and renames it once it is on the disk. A failure is told to the log.
pub(crate) fn write_file(path: &Path, draft: &Path, bytes: &[u8]) {
    if let Err(error) = store::write_whole_file(path, draft, bytes) {
        tracing::error!("cannot write {}: {error}", path.display());
    }
}
