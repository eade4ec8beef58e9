//! Unix sockets with paths of any length. The system's structure takes 107 bytes, and data folders lie deeper than that:
//! a longer path is reached through a descriptor of the folder that it is in, or of the socket itself.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Bytes that an address may have: 108 in the system's structure, with the zero at its end.
const ADDRESS_BYTES_MAX: usize = 107;

fn fits(path: &Path) -> bool {
    path.as_os_str().len() <= ADDRESS_BYTES_MAX
}

/// The short name of an open file, for as long as it is open.
fn descriptor_path(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// Connects to the socket at `path`.
///
/// # Errors
/// There is none, nobody listens, or it may not be used.
pub fn connect(path: &Path) -> Result<UnixStream> {
    if fits(path) {
        return UnixStream::connect(path);
    }
    let socket = OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_CLOEXEC).open(path)?;
    UnixStream::connect(descriptor_path(&socket))
}

/// Makes a socket at `path`, where nothing may be, and listens.
///
/// # Errors
/// Something is there, or its folder cannot be written.
pub fn listen(path: &Path) -> Result<UnixListener> {
    if fits(path) {
        return UnixListener::bind(path);
    }
    let no_name = || Error::new(ErrorKind::InvalidInput, "the path of a socket ends with its name");
    let (folder, name) = (path.parent().ok_or_else(no_name)?, path.file_name().ok_or_else(no_name)?);
    let folder = File::open(folder)?;
    let near = descriptor_path(&folder).join(name);
    if fits(&near) {
        return UnixListener::bind(near);
    }
    if path.symlink_metadata().is_ok() {
        return Err(ErrorKind::AddrInUse.into());
    }
    // A name that is too long by itself is given afterwards.
    let short = descriptor_path(&folder).join(format!(".socket-{}", std::process::id()));
    let listener = UnixListener::bind(&short)?;
    if let Err(error) = std::fs::rename(&short, path) {
        // What cannot be renamed is not left behind; that it may not be removable either is the lesser trouble.
        let _ = std::fs::remove_file(&short);
        return Err(error);
    }
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn paths_of_all_lengths_are_listened_at_and_reached() {
        let root = tempfile::tempdir().expect("temporary folder");
        let deep = root.path().join("folder/".repeat(40));
        std::fs::create_dir_all(&deep).expect("the folder can be made");
        let around = (ADDRESS_BYTES_MAX - 2..=ADDRESS_BYTES_MAX + 2).map(|length| {
            let left = length - root.path().as_os_str().len() - 1;
            root.path().join("x".repeat(left))
        });
        let far = ["s", "node.sock", &"y".repeat(80), &"z".repeat(100), &"é".repeat(127)].map(|name| deep.join(name));
        for path in around.chain(far) {
            let listener = listen(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(listen(&path).is_err_and(|error| error.kind() == ErrorKind::AddrInUse), "{}", path.display());
            let mut client = connect(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            client.write_all(b"hello").expect("somebody listens");
            let mut bytes = [0; 5];
            listener.accept().expect("somebody calls").0.read_exact(&mut bytes).expect("five bytes");
            assert_eq!(&bytes, b"hello");
            drop(listener);
            assert!(connect(&path).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused));
            std::fs::remove_file(&path).expect("the socket is where it was asked for");
            assert!(connect(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound));
        }
        assert_eq!(std::fs::read_dir(&deep).expect("a folder").count(), 0, "nothing is left behind");
    }

    #[test]
    fn folders_that_are_missing_are_told() {
        let path = PathBuf::from(format!("/nonexistent/{}", "x".repeat(120)));
        assert!(listen(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound));
        assert!(connect(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound));
        assert!(listen(Path::new(&"/..".repeat(50))).is_err());
    }
}
