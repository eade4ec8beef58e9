//! What nothing under `runtime/` may touch: the clock, files, sockets, threads, chance.

use tidy::{Repository, report};

/// What is banned, outside of unit tests.
const BANNED: [&str; 10] = [
    "Instant::now",
    "SystemTime",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "thread::spawn",
    "std::env",
    "RandomState",
    "std::collections::HashMap",
];
/// Files that may, with their reasons.
const EXCUSED: [(&str, &str, &str); 1] = [(
    "runtime/wasm/src/stack.rs",
    "std::thread",
    "contracts need a larger stack than a caller's thread has; it is waited for",
)];

#[test]
fn the_runtime_does_not_touch_the_world() {
    let repository = Repository::read();
    let mut found = Vec::new();
    for file in repository.rust_of("runtime").filter(|file| file.path.contains("/src/")) {
        for (number, line) in file.code() {
            let banned = BANNED.iter().filter(|word| line.contains(**word));
            let excused =
                |word: &&&str| EXCUSED.iter().any(|(path, excused, _)| *path == file.path && word == &excused);
            found.extend(banned.filter(|word| !excused(word)).map(|word| format!("{}:{number}: {word}", file.path)));
        }
    }
    report("the runtime knows no clock, files, threads or chance; hand in what it needs:", &found);
}
