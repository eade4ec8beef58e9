//! `node/LIMITS.md`: every limit of the node, the command line and the runtime with its constant, made from the sources.
//! `TIDY_WRITE=1` writes the page anew.

use std::fmt::Write as _;

use tidy::{Repository, SourceFile};

const PAGE: &str = "node/LIMITS.md";
/// How the names of limits end.
const ENDS: [&str; 4] = ["_MAX", "_MIN", "_CAPACITY", "_LIMIT"];
const FOLDERS: [&str; 3] = ["node", "cli", "runtime"];
const HEAD: &str = "# Limits

Every limit of the node, the command line and the runtime, as the sources have it: its value there, and what it bounds. \
The page is made from the sources (`TIDY_WRITE=1 cargo test --release -p tidy --test limits`), and a test compares it with them.
";

struct Limit {
    name: String,
    value: String,
    meaning: String,
}

/// The constants of a file that bound something.
fn limits(file: &SourceFile) -> Vec<Limit> {
    let mut found = Vec::new();
    let mut comment = String::new();
    for line in file.text.lines().take_while(|line| line.trim() != "#[cfg(test)]") {
        let line = line.trim();
        if let Some(text) = line.strip_prefix("///") {
            comment = format!("{comment} {}", text.trim());
            continue;
        }
        let constant = line.find("const ").map(|at| &line[at + "const ".len()..]);
        if let Some((name, rest)) = constant.and_then(|text| text.split_once(':'))
            && ENDS.iter().any(|end| name.ends_with(end))
            && let Some((_, value)) = rest.split_once('=')
        {
            let value = value.split(';').next().unwrap_or_default().trim().to_owned();
            found.push(Limit { name: name.to_owned(), value, meaning: comment.trim().to_owned() });
        }
        if !line.starts_with("#[") {
            comment.clear();
        }
    }
    found
}

fn page(repository: &Repository) -> String {
    let mut page = HEAD.to_owned();
    for one in &repository.crates {
        if !FOLDERS.iter().any(|folder| one.folder.starts_with(folder)) {
            continue;
        }
        let files =
            repository.rust_of(&one.folder).filter(|file| file.path.starts_with(&format!("{}/src/", one.folder)));
        let rows: Vec<_> = files.flat_map(|file| limits(file).into_iter().map(move |limit| (file, limit))).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = write!(page, "\n## {}\n\n| constant | value | bounds | file |\n|---|---|---|---|\n", one.folder);
        for (file, limit) in rows {
            let place = file.path.trim_start_matches(&one.folder).trim_start_matches("/src/");
            let meaning = limit.meaning.replace('|', "\\|");
            let _ =
                writeln!(page, "| `{}` | `{}` | {meaning} | {place} |", limit.name, limit.value.replace('|', "\\|"));
        }
    }
    page
}

#[test]
fn the_page_of_limits_is_as_the_sources() {
    let repository = Repository::read();
    let page = page(&repository);
    if std::env::var_os("TIDY_WRITE").is_some() {
        repository.write(PAGE, &page);
        return;
    }
    let known = repository.text(PAGE);
    let differs = page.lines().zip(known.lines()).find(|(made, known)| made != known);
    assert!(page == known, "{PAGE} is not as the sources: {differs:?}; TIDY_WRITE=1 writes it");
}

#[test]
fn every_limit_says_what_it_bounds() {
    let repository = Repository::read();
    let sources =
        FOLDERS.iter().flat_map(|folder| repository.rust_of(folder)).filter(|file| file.path.contains("/src/"));
    let silent: Vec<_> = sources
        .flat_map(|file| limits(file).into_iter().map(move |limit| (file, limit)))
        .filter(|(_, limit)| limit.meaning.is_empty())
        .map(|(file, limit)| format!("{}: {}", file.path, limit.name))
        .collect();
    tidy::report("limits without a word on what they bound:", &silent);
}
