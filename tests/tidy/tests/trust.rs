//! The page of trust names constants and tests that are there.

use tidy::{Repository, report};

const PAGE: &str = "node/TRUST.md";

#[test]
fn the_page_of_trust_names_what_there_is() {
    let repository = Repository::read();
    let page = repository.files.iter().find(|file| file.path == PAGE).expect("the page is there");
    let mut found = Vec::new();
    let mut names = 0;
    for name in page.text.split('`').skip(1).step_by(2) {
        let is_constant = name.len() > 3 && name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
        let is_path = ["tests/", "runtime/", "node/"].iter().any(|group| name.starts_with(group));
        if is_constant {
            let words = [format!("const {name}:"), format!("static {name}:")];
            let sources = repository.files.iter().filter(|file| file.path.ends_with(".rs"));
            if !sources.into_iter().any(|file| words.iter().any(|word| file.text.contains(word.as_str()))) {
                found.push(format!("no source has the constant {name}"));
            }
        } else if is_path && !repository.paths.iter().any(|path| path == name || path.starts_with(&format!("{name}/")))
        {
            found.push(format!("{name} does not exist"));
        }
        names += usize::from(is_constant || is_path);
    }
    assert!(names > 30, "{names} names");
    report("node/TRUST.md:", &found);
}
