//! How far the list of files (MANIFEST) reached. RocksDB takes a list that ends too early for one whose end is not
//! written yet, and removes the files that it does not name: blocks would be gone without a word. So its name and its
//! size are noted beside it whenever it is known to be on the disk, and a list that is shorter later is refused.

use std::path::Path;

use crate::StoreError;
use crate::crc::crc32c;

const FILE: &str = "listed";

/// Notes that the list of files has good records up to `end`.
///
/// # Errors
/// The disk refuses.
pub fn note(folder: &Path, manifest: &Path, end: usize) -> Result<(), StoreError> {
    if noted(folder, manifest) == Some(end) {
        return Ok(());
    }
    let (path, draft) = (folder.join(FILE), folder.join("listed.draft"));
    let write = || {
        // What is noted must not outlive what it is about.
        std::fs::File::open(manifest)?.sync_data()?;
        let body = format!("{} {end}", name_of(manifest));
        std::fs::write(&draft, format!("{body} {:08x}\n", crc32c(&[body.as_bytes()])))?;
        std::fs::rename(&draft, &path)
    };
    write().map_err(|source| StoreError::file("write", &path, source))
}

/// Bytes that a list of files has at least, by the last note; none when there is none of it, or it cannot be read: it
/// was not synced.
pub fn noted(folder: &Path, manifest: &Path) -> Option<usize> {
    let text = std::fs::read_to_string(folder.join(FILE)).ok()?;
    let (body, sum) = text.trim_end().rsplit_once(' ')?;
    let (name, size) = body.split_once(' ')?;
    let known = sum == format!("{:08x}", crc32c(&[body.as_bytes()])) && name == name_of(manifest);
    known.then(|| size.parse().ok()).flatten()
}

/// Removes the note of a database that is removed.
///
/// # Errors
/// The disk refuses.
pub fn remove(folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(FILE);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::file("remove", &path, error)),
        _ => Ok(()),
    }
}

fn name_of(manifest: &Path) -> std::borrow::Cow<'_, str> {
    manifest.file_name().unwrap_or_default().to_string_lossy()
}
