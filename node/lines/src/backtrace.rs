//! A backtrace as traces tell it, in words.

use serde::{Deserialize, Serialize};

use crate::Table;

/// The functions of a contract that had not ended when it stopped: `backtrace` of an action's trace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backtrace {
    /// Hash of the contract's code.
    #[serde(default)]
    pub code_hash: String,
    /// The functions, innermost first.
    #[serde(default)]
    pub frames: Vec<Frame>,
    /// How many more there were around these.
    #[serde(default)]
    pub omitted: u32,
}

/// A function that had not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Its index in the module.
    pub function: u64,
    /// Its name, where the module tells one.
    pub name: Option<String>,
    /// Where its current instruction begins, in bytes from the beginning of the code section's content.
    #[serde(default)]
    pub offset: u64,
}

impl Backtrace {
    /// Lines for people, the innermost function first; none where nothing is known but numbers, which only those get who
    /// asked (`with_numbers`).
    pub fn told(&self, receiver: &str, with_numbers: bool) -> Vec<String> {
        let table = Table::find(&self.code_hash);
        // What every module exports tells nothing.
        let is_named = |frame: &Frame| frame.name.as_ref().is_some_and(|name| name != "apply");
        let is_known = with_numbers || table.is_some() || self.frames.iter().any(is_named);
        if self.frames.is_empty() || !is_known {
            return Vec::new();
        }
        let mut lines = vec![format!("the code of {receiver} stopped in")];
        for frame in &self.frames {
            lines.extend(frame.told(table.as_ref()).into_iter().map(|line| format!("  {line}")));
        }
        if table.is_none() && self.frames.iter().any(|frame| frame.name.is_none()) {
            lines.push("  (functions and lines are known where boreas contract build made the module)".to_owned());
        }
        if self.omitted > 0 {
            lines.push(format!("  and {} functions around these", self.omitted));
        }
        lines
    }
}

impl Frame {
    /// What it is called in the source, if that is known here, or in the module.
    fn told(&self, table: Option<&Table>) -> Vec<String> {
        let lines = table.map(|table| table.at(self.function, self.offset)).unwrap_or_default();
        if !lines.is_empty() {
            return lines;
        }
        vec![self.name.clone().unwrap_or_else(|| format!("function {}", self.function))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Backtrace {
        serde_json::from_str(text).expect("a backtrace")
    }

    #[test]
    fn functions_are_listed_from_the_innermost_out() {
        let stopped = read(
            r#"{"frames":[{"function":7,"name":"counter::hello"},{"function":2,"name":null,"offset":9}],"omitted":3}"#,
        );
        let expected = [
            "the code of bob stopped in",
            "  counter::hello",
            "  function 2",
            "  (functions and lines are known where boreas contract build made the module)",
            "  and 3 functions around these",
        ];
        assert_eq!(stopped.told("bob", true), expected);
        assert_eq!(stopped.told("bob", false), expected);
    }

    #[test]
    fn numbers_are_for_those_who_ask() {
        let stopped = read(r#"{"frames":[{"function":7,"name":null},{"function":2,"name":"apply"}]}"#);
        assert!(stopped.told("bob", false).is_empty());
        assert_eq!(stopped.told("bob", true).len(), 4);
        assert!(read("{}").told("bob", true).is_empty());
    }
}
