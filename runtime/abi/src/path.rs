//! Where in a value the reader or writer is, for its messages, and how deep.

use std::fmt::Write;

use primitives::{Fault, FaultKind};

use crate::RECURSION_DEPTH_MAX;
use crate::abi::{Abi, Shape, shape};

/// Names longer than this are cut where messages are short.
const SHORT_NAME_MAX: usize = 64;
/// Characters of a cut name's end that stay.
const SHORT_NAME_TAIL: usize = 6;

/// How messages name places: in full, or only the last type, cut (the API answers strangers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Names {
    /// The whole path.
    #[default]
    Full,
    /// The last part.
    Short,
}

/// Counts nested types.
#[derive(Debug, Default)]
pub(crate) struct Depth(usize);

impl Depth {
    /// Runs `inside` one level deeper.
    pub fn within<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.enter()?;
        let result = inside(self);
        self.leave();
        result
    }

    fn enter(&mut self) -> Result<(), Fault> {
        self.0 += 1;
        if self.0 < RECURSION_DEPTH_MAX {
            return Ok(());
        }
        let message = format!("recursive definition, max_recursion_depth {RECURSION_DEPTH_MAX} ");
        Err(Fault::new(FaultKind::ABI_RECURSION_DEPTH_EXCEPTION, message))
    }

    fn leave(&mut self) {
        self.0 -= 1;
    }
}

/// One step of a path.
#[derive(Debug, Clone)]
enum Step<'a> {
    Field { name: &'a str, kind: &'a str },
    Index { index: usize, holds: Option<&'a str> },
    Case { index: usize, kind: &'a str },
}

/// The path from the root of a value.
#[derive(Debug)]
pub(crate) struct Path<'a> {
    root: &'a str,
    steps: Vec<Step<'a>>,
    depth: Depth,
    names: Names,
}

impl<'a> Path<'a> {
    /// At the root of a value of type `kind`.
    pub fn new(abi: &'a Abi, kind: &'a str, names: Names) -> Self {
        let resolved = abi.resolve(kind);
        let root = match shape(resolved) {
            Shape::Array => "ARRAY",
            _ if abi.structure(resolved).is_some() || abi.variant(resolved).is_some() => resolved,
            _ => "",
        };
        Self { root, steps: Vec::new(), depth: Depth::default(), names }
    }

    pub fn depth(&mut self) -> &mut Depth {
        &mut self.depth
    }

    /// Runs `inside` one level of types deeper.
    pub fn within<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.depth.enter()?;
        let result = inside(self);
        self.depth.leave();
        result
    }

    pub fn in_field<T>(&mut self, name: &'a str, kind: &'a str, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.at(Step::Field { name, kind }, inside)
    }

    pub fn in_item<T>(&mut self, index: usize, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.at(Step::Index { index, holds: None }, inside)
    }

    pub fn in_case<T>(&mut self, index: usize, kind: &'a str, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.at(Step::Case { index, kind }, inside)
    }

    fn at<T>(&mut self, step: Step<'a>, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.steps.push(step);
        let result = inside(self);
        self.steps.pop();
        result
    }

    /// Remembers what the item at hand turned out to be.
    pub fn item_holds(&mut self, kind: &'a str) {
        if let Some(Step::Index { holds, .. }) = self.steps.last_mut() {
            *holds = Some(kind);
        }
    }

    /// A name, cut where messages are short.
    pub fn name(&self, text: &str) -> String {
        let length = text.chars().count();
        if self.names == Names::Full || length <= SHORT_NAME_MAX {
            return text.to_owned();
        }
        let head: String = text.chars().take(SHORT_NAME_MAX - 3 - SHORT_NAME_TAIL).collect();
        let tail: String = text.chars().skip(length - SHORT_NAME_TAIL).collect();
        format!("{head}...{tail}")
    }

    /// The path as nodeos' messages show it: `transfer.quantity`, `ARRAY[2].key`, `op.<variant(1)=name>`.
    pub fn text(&self) -> String {
        match (self.names, self.steps.last()) {
            (Names::Short, None) => self.name(self.root),
            (Names::Short, Some(Step::Field { kind, .. } | Step::Case { kind, .. })) => self.name(kind),
            (Names::Short, Some(Step::Index { holds, .. })) => self.name(holds.unwrap_or("UNKNOWN")),
            (Names::Full, _) => self.full_text(),
        }
    }

    fn full_text(&self) -> String {
        let mut text = self.root.to_owned();
        for step in &self.steps {
            // Writing into a string cannot fail.
            let _ = match step {
                Step::Field { name, .. } => write!(text, ".{name}"),
                Step::Index { index, .. } => write!(text, "[{index}]"),
                Step::Case { index, kind } => write!(text, ".<variant({index})={kind}>"),
            };
        }
        text
    }
}
