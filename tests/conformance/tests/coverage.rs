//! COVERAGE.md says what the recordings cover, and they cover everything.

use std::fs;
use std::path::Path;

use conformance::coverage::markdown;

#[test]
fn coverage_page_is_current_and_complete() {
    let table = execution::intrinsics::table();
    let page = markdown(table.iter().map(|one| (one.topic, one.name)));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("COVERAGE.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).expect("the crate's folder is writable");
    }
    let missing: Vec<_> = page.lines().filter(|line| line.ends_with("| 0 | 0 |  |")).collect();
    assert!(missing.is_empty(), "not covered:\n{}", missing.join("\n"));
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "COVERAGE.md is out of date: UPDATE=1 cargo test --release -p conformance --test coverage"
    );
}
