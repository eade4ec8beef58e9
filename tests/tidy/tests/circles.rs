//! No files import each other in a circle: such files can only be understood all at once. What a file imports through
//! the crate's root, or through a module that shows it on (`pub use`), counts as imported from where it is. A module may
//! use its own submodules by their bare names, and these may use it.

use std::collections::{BTreeMap, BTreeSet};

use tidy::{Crate, Repository, SourceFile};

/// A module by its path in its crate; the root is empty.
type Module = Vec<String>;
/// Modules with those that they import.
type Graph = BTreeMap<Module, BTreeSet<Module>>;
/// What each module shows on, by name, with the module that it comes from.
type Shown = BTreeMap<Module, BTreeMap<String, Module>>;

/// The module that a file is.
fn module(one: &Crate, file: &SourceFile) -> Option<Module> {
    let path = file.path.strip_prefix(&format!("{}/src/", one.folder))?.strip_suffix(".rs")?;
    let mut parts: Module = path.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    Some(parts)
}

/// A file's code in one line, with single spaces.
fn text(file: &SourceFile) -> String {
    let words = file.code().flat_map(|(_, line)| line.split_whitespace());
    words.collect::<Vec<_>>().join(" ")
}

fn is_path(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == ':'
}

/// The paths that a `use` names, braces resolved, without what stands after `as`; with the name that each gets.
fn used(item: &str) -> Vec<(String, String)> {
    let Some((prefix, rest)) = item.split_once('{') else {
        let (path, name) = item.split_once(" as ").unwrap_or((item, ""));
        let last = path.rsplit("::").next().unwrap_or("");
        return vec![(path.trim().to_owned(), if name.is_empty() { last } else { name }.trim().to_owned())];
    };
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    for (at, letter) in inner.char_indices().chain([(inner.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = inner[start..at].trim();
                if !part.is_empty() {
                    found.extend(used(&format!("{}{part}", prefix.trim())));
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// The `use` items of a text, without the word and the semicolon; `public` alone, or all.
fn items(text: &str, public: bool) -> impl Iterator<Item = &str> {
    let parts = text.match_indices("use ").filter(move |(at, _)| {
        let before = text[..*at].trim_end();
        let shown = before.ends_with("pub") || before.ends_with("pub(crate)") || before.ends_with("pub(super)");
        let own = text[..*at].chars().next_back().is_none_or(char::is_whitespace);
        own && (shown || !public)
    });
    parts.filter_map(|(at, word)| Some(text[at + word.len()..].split_once(';')?.0))
}

/// The module where a path begins that a file of `module` writes, and the rest of it; `bare` paths begin in the module.
fn begin<'a>(module: &[String], path: &'a str, bare: bool) -> Option<(Module, Vec<&'a str>)> {
    let mut segments: Vec<&str> = path.split("::").filter(|segment| !segment.is_empty()).collect();
    let mut base = module.to_vec();
    match *segments.first()? {
        "crate" => base.clear(),
        "super" => drop(base.pop()),
        "self" => {}
        _ if bare => return Some((base, segments)),
        _ => return None,
    }
    segments.remove(0);
    while segments.first() == Some(&"super") {
        base.pop();
        segments.remove(0);
    }
    Some((base, segments))
}

/// The module that a path is of.
fn resolve(known: &BTreeSet<Module>, shown: &Shown, (mut at, segments): (Module, Vec<&str>)) -> Module {
    for segment in segments {
        let deeper = [at.clone(), vec![segment.to_owned()]].concat();
        if known.contains(&deeper) {
            at = deeper;
            continue;
        }
        // A thing may be shown on more than once.
        for _ in 0..8 {
            match shown.get(&at).and_then(|names| names.get(segment)) {
                Some(origin) if *origin != at => at = origin.clone(),
                _ => return at,
            }
        }
    }
    at
}

fn graph(repository: &Repository, one: &Crate) -> Graph {
    let files: Vec<_> =
        repository.rust_of(&one.folder).filter_map(|file| Some((module(one, file)?, text(file)))).collect();
    let known: BTreeSet<_> = files.iter().map(|(module, _)| module.clone()).collect();
    let mut shown = Shown::new();
    for (module, text) in &files {
        for (path, name) in items(text, true).flat_map(used) {
            if let Some(place) = begin(module, &path, true) {
                let origin = resolve(&known, &Shown::new(), place);
                shown.entry(module.clone()).or_default().insert(name, origin);
            }
        }
    }
    let mut graph = Graph::new();
    for (module, text) in &files {
        let uses = items(text, false).flat_map(used).map(|(path, _)| path);
        let inline = ["crate::", "super::", "self::"].into_iter().flat_map(|root| text.match_indices(root));
        let inline = inline.filter(|(at, _)| !text[..*at].ends_with(is_path));
        let inline = inline.map(|(at, _)| text[at..].split(|letter| !is_path(letter)).next().unwrap_or("").to_owned());
        let targets = uses.chain(inline).filter_map(|path| Some(resolve(&known, &shown, begin(module, &path, false)?)));
        let targets = targets.filter(|target| !target.is_empty() && target != module);
        graph.insert(module.clone(), targets.collect());
    }
    graph
}

fn reachable(graph: &Graph, from: &[String]) -> BTreeSet<Module> {
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

#[test]
fn imports_are_followed_to_where_things_are() {
    let paths = |item| used(item).into_iter().map(|(path, name)| format!("{path} {name}")).collect::<Vec<_>>();
    assert_eq!(paths("crate::{A, b::{C, D as E}, f}"), ["crate::A A", "crate::b::C C", "crate::b::D E", "crate::f f"]);
    let name = |text: &str| text.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect::<Module>();
    let known: BTreeSet<Module> = ["", "a", "a::b", "c"].into_iter().map(name).collect();
    let shown: Shown =
        [(name(""), [("X".to_owned(), name("a"))].into()), (name("a"), [("X".to_owned(), name("a::b"))].into())].into();
    let from = |module: &str, path| resolve(&known, &shown, begin(&name(module), path, false).expect("it begins here"));
    assert_eq!(from("c", "crate::X"), name("a::b"));
    assert_eq!(from("c", "crate::Y"), name(""));
    assert_eq!(from("a::b", "super::super::c::z"), name("c"));
    assert_eq!(from("a", "self::b"), name("a::b"));
}
