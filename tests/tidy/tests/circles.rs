//! No files import each other in a circle: such files can only be understood all at once.

use std::collections::{BTreeMap, BTreeSet};

use tidy::{Crate, Repository, SourceFile};

/// The path of the module that a file is.
fn module(one: &Crate, file: &SourceFile) -> Option<Vec<String>> {
    let path = file.path.strip_prefix(&format!("{}/src/", one.folder))?.strip_suffix(".rs")?;
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    Some(parts)
}

/// The segments after `crate::`, `super::` or `self::` at each place of a line where one begins.
fn imports(line: &str) -> Vec<(&str, Vec<String>)> {
    let mut found = Vec::new();
    for root in ["crate", "super", "self"] {
        for (at, _) in line.match_indices(&format!("{root}::")) {
            let before = line[..at].chars().next_back();
            if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':') {
                continue;
            }
            let rest = &line[at + root.len() + 2..];
            let lower = |segment: &&str| segment.starts_with(|letter: char| letter.is_ascii_lowercase());
            let end = |letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == ':');
            if let Some(names) = rest.strip_prefix('{') {
                let names = names.split(',').map(|name| name.split(end).find(|part| !part.is_empty()).unwrap_or(""));
                found.extend(names.map(|name| (root, vec![name.split("::").next().unwrap_or("").to_owned()])));
            } else {
                let path = rest.split(end).next().unwrap_or("");
                found.push((root, path.split("::").take_while(lower).map(str::to_owned).collect()));
            }
        }
    }
    found
}

type Graph = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

fn graph(repository: &Repository, one: &Crate) -> Graph {
    let files: Vec<_> = repository.rust_of(&one.folder).filter_map(|file| Some((module(one, file)?, file))).collect();
    let known: BTreeSet<_> = files.iter().map(|(module, _)| module.clone()).collect();
    let mut graph = Graph::new();
    for (module, file) in files {
        let edges = graph.entry(module.clone()).or_default();
        for (root, segments) in file.code().flat_map(|(_, line)| imports(line)) {
            let base = match root {
                "self" => module.clone(),
                "super" => module[..module.len().saturating_sub(1)].to_vec(),
                _ => Vec::new(),
            };
            let mut target = [base, segments].concat();
            while !target.is_empty() && !known.contains(&target) {
                target.pop();
            }
            if !target.is_empty() && target != module {
                edges.insert(target);
            }
        }
    }
    graph
}

fn reachable(graph: &Graph, from: &[String]) -> BTreeSet<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![from.to_vec()];
    while let Some(module) = waiting.pop() {
        for next in graph.get(&module).into_iter().flatten() {
            if seen.insert(next.clone()) {
                waiting.push(next.clone());
            }
        }
    }
    seen
}

#[test]
fn no_file_imports_one_that_imports_it() {
    let repository = Repository::read();
    let mut found = Vec::new();
    for one in repository.crates.iter().filter(|one| !one.folder.starts_with("tests")) {
        let graph = graph(&repository, one);
        let circular = graph.keys().filter(|module| !module.is_empty() && reachable(&graph, module).contains(*module));
        found.extend(circular.map(|module| format!("{}: {}", one.folder, module.join("::"))));
    }
    tidy::report("files that import each other in a circle:", &found);
}
