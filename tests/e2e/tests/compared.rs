//! The help of each command of the real cleos and its samples, compared with those of `boreas` by `tests/peer/compare.py`.

use std::path::Path;
use std::process::Command;

use e2e::{Peer, binary, target_dir};

#[test]
fn what_differs_from_cleos_is_listed_with_a_reason() {
    if Peer::find().is_none() {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peer/compare.py");
    let binaries = binary("boreas");
    let binaries = binaries.parent().expect("a program lies in a folder");
    let done = Command::new("python3.11").arg("-B").arg(script).arg(binaries).arg(target_dir().join("peer")).output();
    let done = done.expect("python3.11 runs");
    let text = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success(), "{text}");
    assert!(text.contains("121 commands, 47 samples"), "{text}");
}
