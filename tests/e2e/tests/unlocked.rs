//! Where keys of unlocked wallets are kept: in a folder that is this user's alone, or not at all.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use e2e::{DEV_PRIVATE_KEY, binary};

fn boreas(root: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(binary("boreas"))
        .args(arguments)
        .env("BOREAS_WALLET_DIR", root.join("wallets"))
        .env("XDG_RUNTIME_DIR", root.join("run"))
        .output()
        .expect("boreas runs");
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// The folder of keys inside of the run-time folder, which the first wallet makes.
fn keys_folder(root: &Path) -> std::path::PathBuf {
    let mut inside = std::fs::read_dir(root.join("run")).expect("the run-time folder is there");
    inside.next().expect("the first wallet made one").expect("it can be read").path()
}

#[test]
fn a_folder_of_somebody_else_is_not_trusted_with_keys() {
    let root = tempfile::tempdir().expect("temporary folder");
    let root = root.path();
    std::fs::create_dir(root.join("run")).expect("the folder can be made");
    let (made, text) = boreas(root, &["wallet", "create", "--to-console"]);
    assert!(made, "{text}");
    let password = text.split('"').nth(1).expect("the password stands between quotes").to_owned();
    let unlock = ["wallet", "unlock", "--password", &password];
    let import = ["wallet", "import", "--private-key", DEV_PRIVATE_KEY];
    let (imported, text) = boreas(root, &import);
    assert!(imported, "{text}");
    let folder = keys_folder(root);
    assert_eq!(std::fs::metadata(&folder).expect("it is there").permissions().mode() & 0o777, 0o700);

    let aside = root.join("aside");
    let refused = |what: &str| {
        let (unlocked, text) = boreas(root, &unlock);
        assert!(
            !unlocked && text.contains(folder.to_str().expect("ASCII")) && text.contains("XDG_RUNTIME_DIR"),
            "{what}: {text}"
        );
        let (sent, text) = boreas(root, &["wallet", "import", "--private-key", DEV_PRIVATE_KEY]);
        assert!(!sent, "{what}: {text}");
        assert!(!text.contains(DEV_PRIVATE_KEY), "{what}: {text}");
    };
    // One that others may look into, or write in.
    for mode in [0o755, 0o770, 0o701] {
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(mode)).expect("own folder");
        refused(&format!("mode {mode:o}"));
    }
    std::fs::remove_dir_all(&folder).expect("own folder");
    // A link to a folder that may be anywhere, and a file.
    std::fs::create_dir(&aside).expect("the folder can be made");
    std::fs::set_permissions(&aside, PermissionsExt::from_mode(0o700)).expect("own folder");
    symlink(&aside, &folder).expect("a link");
    refused("a link");
    assert_eq!(std::fs::read_dir(&aside).expect("own folder").count(), 0, "no key was written through the link");
    std::fs::remove_file(&folder).expect("own link");
    std::fs::write(&folder, "").expect("own file");
    refused("a file");
    std::fs::remove_file(&folder).expect("own file");
    // One of another user, which only root can make.
    std::fs::create_dir(&folder).expect("the folder can be made");
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).expect("own folder");
    if std::os::unix::fs::chown(&folder, Some(1), Some(1)).is_ok() {
        refused("another user's");
    }
    std::fs::remove_dir_all(&folder).expect("it is inside of an own folder");

    let (unlocked, text) = boreas(root, &unlock);
    assert!(unlocked, "{text}");
    let (listed, text) = boreas(root, &["wallet", "keys"]);
    assert!(listed && text.contains("EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"), "{text}");
}
