//! What comments and messages say.

use tidy::{Repository, SourceFile, report};

/// Words of the language that users never meet: what to say instead.
const WORDS: [(&str, &str); 3] =
    [(" is none", "is not a valid ..."), (" are none", "are not valid ..."), (" is no ", "is not a ...")];
/// Sentences in which the words mean what they say.
const KEPT: [&str; 3] = ["is no longer", "is no more", "here is no "];
/// Folders of a machine that the project must not know.
const MACHINES: [&str; 3] = ["/root/", "/home/", "/work/"];
/// Names that stand for files of a user.
const PLACEHOLDERS: [&str; 1] = ["NAME.toml"];

/// The file names in a text.
fn file_names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "_./-".contains(letter)));
    let ends = [".rs", ".md", ".py", ".sh"];
    words
        .map(|word| word.trim_end_matches('.'))
        .filter(move |word| ends.iter().any(|end| word.ends_with(end) && word.len() > end.len()))
}

#[test]
fn comments_name_files_that_exist() {
    let repository = Repository::read();
    let exists = |name: &str| {
        let ends = |path: &String| path == name || path.ends_with(&format!("/{name}"));
        PLACEHOLDERS.contains(&name) || repository.paths.iter().any(ends)
    };
    let rust = repository.files.iter().filter(|file| file.path.ends_with(".rs"));
    let found: Vec<_> = rust
        .flat_map(|file| file.comments().map(move |(number, text)| (file, number, text)))
        .flat_map(|(file, number, text)| file_names(text).map(move |name| (file, number, name)))
        .filter(|(_, _, name)| !exists(name))
        .map(|(file, number, name)| format!("{}:{number}: {name}", file.path))
        .collect();
    report("comments name files that do not exist:", &found);
}

/// The string literals of a line.
fn literals(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

#[test]
fn messages_speak_plain_english() {
    let repository = Repository::read();
    let shown = |file: &&SourceFile| {
        file.path.ends_with(".rs")
            && file.path.contains("/src/")
            && ["node/", "cli/", "genesis/"].iter().any(|top| file.path.starts_with(top))
    };
    let mut found = Vec::new();
    for file in repository.files.iter().filter(shown) {
        for (number, line) in file.code() {
            for literal in literals(line).filter(|literal| !KEPT.iter().any(|kept| literal.contains(kept))) {
                let said =
                    WORDS.iter().filter(|(word, _)| literal.contains(word) || literal.ends_with(word.trim_end()));
                found.extend(said.map(|(_, instead)| format!("{}:{number}: \"{literal}\": say {instead}", file.path)));
            }
        }
    }
    report("messages in words of our own:", &found);
}

#[test]
fn texts_name_no_machine() {
    let repository = Repository::read();
    let mut found = Vec::new();
    for file in repository.files.iter().filter(|file| file.path != "tests/tidy/tests/words.rs") {
        for (index, line) in file.text.lines().enumerate() {
            let named = MACHINES.iter().filter(|folder| line.contains(**folder));
            found.extend(named.map(|folder| format!("{}:{}: {folder}", file.path, index + 1)));
        }
    }
    report("texts name folders of one machine:", &found);
}
