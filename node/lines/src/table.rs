//! Where each instruction of a module comes from, as a build on this machine left it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

/// What a file of lines is called beside NAME.wasm.
pub const EXTENSION: &str = "lines.json";
/// Bytes of a file of lines that is read.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Places that are looked at for the function around one.
const SEARCHED_MAX: usize = 64;

/// Where each instruction of a module comes from.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Hash of the module.
    pub code_hash: String,
    /// Names of functions and of files, which the others refer to.
    pub texts: Vec<String>,
    /// The name of each function of the module, by its index.
    pub functions: Vec<usize>,
    /// Ways from a line out through the functions that were made one with the function around them.
    pub ways: Vec<Vec<Place>>,
    /// Bytes from the beginning of the code section's content, ascending, and the way of what is there: where several
    /// expressions begin, one in the other, the outermost first.
    pub places: Vec<(u32, usize)>,
}

/// A line: function and file, as numbers of texts, and the line's number.
pub type Place = (usize, usize, u32);

impl Table {
    /// The table for code of this hash, if its build left one on this machine.
    pub fn find(code_hash: &str) -> Option<Self> {
        let is_hash = code_hash.len() == 64 && code_hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let path = notes().filter(|_| is_hash)?.join(code_hash);
        let readable = fs::metadata(&path).ok().filter(|file| file.len() <= FILE_BYTES_MAX)?;
        let table: Self = readable.is_file().then(|| serde_json::from_slice(&fs::read(&path).ok()?).ok())??;
        // The build may have gone on since.
        Some(table).filter(|table| table.code_hash == code_hash)
    }

    /// Writes it beside the module, and notes where it is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(&self, module: &Path) -> io::Result<()> {
        let path = module.with_extension(EXTENSION);
        fs::write(&path, serde_json::to_vec(self)?)?;
        let Some(notes) = notes() else { return Ok(()) };
        forget_what_is_gone(&notes);
        let note = notes.join(&self.code_hash);
        // Without a note it is not found by itself, and the build is as good.
        let _ = fs::create_dir_all(&notes).and_then(|()| {
            let _ = fs::remove_file(&note);
            std::os::unix::fs::symlink(path.canonicalize()?, &note)
        });
        Ok(())
    }

    /// What a place in the module's code comes from, the innermost function first: `function at file:line`, or `near`
    /// where the optimiser left no more.
    pub fn at(&self, function: u64, offset: u64) -> Vec<String> {
        let text = |index: &usize| self.texts.get(*index).map_or("?", String::as_str);
        let at = self.place(offset);
        let way = at.and_then(|at| self.ways.get(self.places[at].1)).map(Vec::as_slice).unwrap_or_default();
        let told = |way: &[Place], word: &str| -> Vec<String> {
            way.iter().map(|(name, file, line)| format!("{} {word} {}:{line}", text(name), text(file))).collect()
        };
        let mut lines = told(way, "at");
        let Some(whole) = usize::try_from(function).ok().and_then(|index| self.functions.get(index)).map(text) else {
            return lines;
        };
        let is_whole = |way: &[Place]| way.last().is_some_and(|last| text(&last.0) == whole);
        if !is_whole(way) {
            // The optimiser put a function into this one, mostly behind what gives its arguments.
            let before = self.places[..at.unwrap_or_default()]
                .iter()
                .rev()
                .take(SEARCHED_MAX)
                .filter_map(|(_, way)| self.ways.get(*way));
            match before.map(Vec::as_slice).find(|way| is_whole(way)) {
                Some(way) => lines.extend(told(way, "near")),
                None => lines.push(whole.to_owned()),
            }
        }
        lines
    }
}

impl Table {
    /// The entry for an instruction. The optimiser says where expressions begin: one that is not the first instruction
    /// there is what the others are the arguments of.
    fn place(&self, offset: u64) -> Option<usize> {
        let last = self.places.partition_point(|(known, _)| u64::from(*known) <= offset).checked_sub(1)?;
        let begin = self.places[last].0;
        let first = self.places.partition_point(|(known, _)| *known < begin);
        Some(if u64::from(begin) == offset { last } else { first })
    }
}

/// The folder with a link for each build, named by its code's hash.
fn notes() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(cache.join("boreas/lines"))
}

/// Removes links to files that are not there any more.
fn forget_what_is_gone(notes: &Path) {
    for note in fs::read_dir(notes).into_iter().flatten().flatten() {
        let path = note.path();
        if path.is_symlink() && !path.exists() {
            // Whoever cannot remove it has one link more.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_with_all_functions_around_it() {
        let texts = ["a::inner", "src/lib.rs", "a::outer", "apply"].map(str::to_owned).to_vec();
        let ways = vec![vec![(0, 1, 7), (2, 1, 30)], vec![(3, 1, 2)]];
        let table = Table {
            code_hash: String::new(),
            texts,
            functions: vec![3, 2],
            ways,
            places: vec![(10, 1), (20, 1), (20, 0)],
        };
        assert_eq!(table.at(1, 20), ["a::inner at src/lib.rs:7", "a::outer at src/lib.rs:30"]);
        assert_eq!(table.at(0, 25), ["apply at src/lib.rs:2"]);
        let ways = ["a::inner at src/lib.rs:7", "a::outer at src/lib.rs:30", "apply near src/lib.rs:2"];
        assert_eq!(table.at(0, 20), ways);
        assert_eq!(table.at(0, 19), ["apply at src/lib.rs:2"]);
        assert_eq!(table.at(0, 3), ["apply"]);
        assert!(table.at(9, 3).is_empty());
        let read: Table = serde_json::from_slice(&serde_json::to_vec(&table).expect("JSON")).expect("the same");
        assert_eq!(read, table);
    }

    #[test]
    fn what_is_not_a_hash_is_not_looked_for() {
        assert!(Table::find("../../etc/passwd").is_none());
    }
}
