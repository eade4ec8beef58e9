//! A removal that was ended half-way is finished by the next one that opens the folder.

use std::path::Path;

use store::{Store, StoreSettings};

fn open(path: &Path) -> Store {
    Store::open(&StoreSettings { path: path.to_owned() }).expect("the folder can be opened")
}

#[test]
fn a_removal_is_finished_by_the_next_start() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("db");
    let store = open(&path);
    store.set_fact("fact", b"value").expect("it is written");
    drop(store);
    assert_eq!(open(&path).fact("fact").expect("it can be read").as_deref(), Some(&b"value"[..]));

    // As a kill leaves it: some files are gone, the one that names them is there.
    std::fs::write(path.join("REMOVING"), []).expect("written");
    let files = std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path());
    for file in files.filter(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("MANIFEST")))
    {
        std::fs::remove_file(file).expect("removed");
    }
    assert!(path.join("CURRENT").exists() && Store::is_half_removed(&path));
    assert_eq!(open(&path).fact("fact").expect("it can be read"), None);
    assert!(!Store::is_half_removed(&path));
    assert_eq!(open(&path).fact("fact").expect("it can be read"), None);

    Store::destroy(&path).expect("removed");
    assert!(!path.exists());
}
