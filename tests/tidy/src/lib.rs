//! The rules of the house that a compiler does not check: which crate may use which, what the runtime must not touch,
//! manifest lines that nothing needs, names in comments, words, and the page of limits. The rules are tests of this
//! crate; here is only how they read the repository.
//!
//! - [`Repository`]: its text files and its crates.
//! - [`Crate`]: a manifest with the sources beside it.
//! - [`SourceFile`]: a text, with its code told from its comments.

use std::path::{Path, PathBuf};

/// Folders that hold nothing that is written by hand.
const SKIPPED: [&str; 4] = ["target", "node_modules", "dist", "recordings"];
/// What files must end in to be read.
const TEXTS: [&str; 9] = ["rs", "toml", "md", "py", "sh", "js", "mjs", "txt", "json"];
/// A larger file is data.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// The checkout that the tests run in.
#[derive(Debug)]
pub struct Repository {
    /// Its text files, sorted by path.
    pub files: Vec<SourceFile>,
    /// The paths of all files, those that are not texts too, relative to the root.
    pub paths: Vec<String>,
    /// The members of the root workspace.
    pub crates: Vec<Crate>,
    root: PathBuf,
}

/// A text file.
#[derive(Debug)]
pub struct SourceFile {
    /// Relative to the root, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// A member of the workspace.
#[derive(Debug)]
pub struct Crate {
    /// As other manifests name it.
    pub name: String,
    /// Relative to the root.
    pub folder: String,
    /// Names of `[dependencies]` and `[build-dependencies]`.
    pub dependencies: Vec<String>,
    /// Names of `[dev-dependencies]`.
    pub dev_dependencies: Vec<String>,
}

impl Repository {
    /// Reads the checkout.
    ///
    /// # Panics
    /// When a file cannot be read or the manifest is not valid.
    pub fn read() -> Self {
        // Asked for when the test runs: checkouts that share a build look at themselves.
        let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&here).join("../..").canonicalize().expect("the root is there");
        let mut paths = Vec::new();
        collect(&root, &root, &mut paths);
        paths.sort();
        let is_text = |path: &&String| {
            let known = path.rsplit_once('.').is_some_and(|(_, end)| TEXTS.contains(&end));
            let script = path.starts_with(".ci/") || path.starts_with(".dev/");
            (known || script) && root.join(path).metadata().is_ok_and(|data| data.len() <= TEXT_BYTES_MAX)
        };
        let texts = paths.iter().filter(is_text).filter_map(|path| {
            let text = std::fs::read_to_string(root.join(path)).ok()?;
            Some(SourceFile { path: path.clone(), text })
        });
        let files: Vec<_> = texts.collect();
        let workspace = parse(&root.join("Cargo.toml"));
        let members = workspace["workspace"]["members"].as_array().expect("the workspace has members");
        let crates = members.iter().map(|member| Crate::read(&root, member.as_str().expect("a path"))).collect();
        Self { files, paths, crates, root }
    }

    /// The Rust files of a folder.
    pub fn rust_of<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a SourceFile> {
        let inside = move |file: &&SourceFile| {
            file.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')) && file.path.ends_with(".rs")
        };
        self.files.iter().filter(inside)
    }

    /// The text of one file.
    ///
    /// # Panics
    /// When it is not there.
    pub fn text(&self, path: &str) -> &str {
        let file = self.files.iter().find(|file| file.path == path);
        &file.unwrap_or_else(|| panic!("{path} is missing")).text
    }

    /// The lines of `[workspace.dependencies]`: name and the whole line.
    pub fn shared_dependencies(&self) -> Vec<(&str, &str)> {
        let manifest = self.text("Cargo.toml");
        let (_, rest) = manifest.split_once("[workspace.dependencies]").expect("the workspace has dependencies");
        let lines = rest.lines().skip(1).take_while(|line| !line.starts_with('['));
        lines
            .filter_map(|line| Some((line.split_once('=')?.0.trim(), line)))
            .filter(|(name, _)| is_name(name))
            .collect()
    }

    /// Writes a page of the repository that a test makes from its sources.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, path: &str, text: &str) {
        std::fs::write(self.root.join(path), text).expect("the page can be written");
    }
}

impl Crate {
    fn read(root: &Path, folder: &str) -> Self {
        let manifest = parse(&root.join(folder).join("Cargo.toml"));
        let names = |section: &str| {
            let table = manifest.get(section).and_then(toml::Value::as_table);
            table.into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        Self {
            name: manifest["package"]["name"].as_str().expect("a package has a name").to_owned(),
            folder: folder.to_owned(),
            dependencies: [names("dependencies"), names("build-dependencies")].concat(),
            dev_dependencies: names("dev-dependencies"),
        }
    }
}

impl SourceFile {
    /// Line numbers with what stands there outside of comments, up to the file's unit tests.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]");
        lines.map(|(index, line)| (index + 1, line.find("//").map_or(line, |start| &line[..start])))
    }

    /// Line numbers with the comments that stand there.
    pub fn comments(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines.filter_map(|(index, line)| Some((index + 1, &line[line.find("//")?..])))
    }
}

/// Fails with all that was found.
///
/// # Panics
/// When something was found.
pub fn report(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}\n{}", found.join("\n"));
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn parse(path: &Path) -> toml::Table {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn collect(root: &Path, folder: &Path, paths: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder can be read").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let hidden = name.starts_with('.') && !matches!(&*name, ".ci" | ".dev" | ".clippy.toml" | ".rustfmt.toml");
        if hidden || SKIPPED.contains(&&*name) {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, paths);
        } else {
            let relative = path.strip_prefix(root).expect("it lies below the root");
            paths.push(relative.to_string_lossy().into_owned());
        }
    }
}
