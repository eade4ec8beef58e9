//! Where a conversion stands: its depth, what is left of its limits, and the path that messages name.

use std::fmt::Write;

use primitives::Fault;

use crate::checked::Abi;
use crate::definition::{StructDefinition, VariantDefinition};
use crate::limits::{DEPTH_START, Limits, OUTPUT_BYTES_MAX, STEP_BYTES, too_large};
use crate::text::said;

/// Longest name in a shortened message.
const SHORT_NAME_BYTES: usize = 64;
/// What is left of a shortened name's end.
const SHORT_NAME_TAIL_BYTES: usize = 6;

/// The kind of thing that a conversion began with, or that an array's items are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Root<'a> {
    Unknown,
    Array,
    Struct(&'a str),
    Variant(&'a str),
}

/// A step down.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'a> {
    Index { hint: Root<'a>, index: usize },
    Field { parent: &'a StructDefinition, ordinal: usize },
    Case { parent: &'a VariantDefinition, ordinal: usize },
}

/// Where a conversion stands.
pub(crate) struct Context<'a> {
    pub abi: &'a Abi,
    pub limits: Limits<'a>,
    root: Root<'a>,
    path: Vec<Step<'a>>,
    depth: usize,
    output_bytes: usize,
    /// Whether missing binary extensions are still at the end of everything.
    pub extensions_allowed: bool,
}

impl<'a> Context<'a> {
    pub fn new(abi: &'a Abi, kind: &'a str, limits: Limits<'a>) -> Self {
        let kind = abi.resolve(kind);
        let root = if kind.ends_with("[]") {
            Root::Array
        } else if let Some(definition) = abi.struct_of(kind) {
            Root::Struct(&definition.name)
        } else if let Some(definition) = abi.variant_of(kind) {
            Root::Variant(&definition.name)
        } else {
            Root::Unknown
        };
        Self {
            abi,
            limits,
            root,
            path: Vec::new(),
            depth: DEPTH_START + limits.depth_used,
            output_bytes: 0,
            extensions_allowed: true,
        }
    }

    /// Runs `work` one level deeper.
    pub fn scope<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.depth += 1;
        self.limits.check(self.depth)?;
        self.limits.budget.map_or(Ok(()), |budget| budget.spend(STEP_BYTES))?;
        let result = work(self);
        self.depth -= 1;
        result
    }

    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Runs `work` with one more step in the path. After a fault the path stays as it was when the fault was found.
    pub fn step<T>(&mut self, step: Step<'a>, work: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.path.push(step);
        let result = work(self)?;
        self.path.pop();
        Ok(result)
    }

    /// Runs `work` where missing binary extensions are no longer allowed unless `condition` holds.
    pub fn extensions_only_if<T>(
        &mut self,
        condition: bool,
        work: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let before = self.extensions_allowed;
        self.extensions_allowed &= condition;
        let result = work(self);
        self.extensions_allowed = before;
        result
    }

    /// Sets the index of the array that is being walked.
    pub fn set_index(&mut self, position: usize) {
        if let Some(Step::Index { index, .. }) = self.path.last_mut() {
            *index = position;
        }
    }

    /// Notes what the items of the array being walked are.
    pub fn hint(&mut self, kind: Root<'a>) {
        if let Some(Step::Index { hint, .. }) = self.path.last_mut() {
            *hint = kind;
        }
    }

    /// Counts JSON that is about to be made.
    pub fn count_output(&mut self, bytes: usize) -> Result<(), Fault> {
        self.output_bytes += bytes;
        if self.output_bytes > OUTPUT_BYTES_MAX {
            return Err(too_large(format!("conversion makes more than {OUTPUT_BYTES_MAX} bytes")));
        }
        self.limits.budget.map_or(Ok(()), |budget| budget.spend(bytes))
    }

    /// A name as messages show it.
    pub fn name(&self, name: &str) -> String {
        let name = said(name);
        if self.limits.short_path { shorten(&name) } else { name }
    }

    /// The path as messages show it: all of it, or in short the type of the last step.
    pub fn path(&self) -> String {
        if !self.limits.short_path {
            let mut text = self.root.text();
            for step in &self.path {
                step.describe(&mut text);
            }
            return said(&text);
        }
        shorten(&said(&self.path.last().map_or_else(|| self.root.text(), |step| step.kind())))
    }
}

impl Root<'_> {
    fn text(self) -> String {
        match self {
            Self::Unknown => "",
            Self::Array => "ARRAY",
            Self::Struct(name) | Self::Variant(name) => name,
        }
        .to_owned()
    }
}

impl Step<'_> {
    fn describe(&self, text: &mut String) {
        let written = match self {
            Self::Index { index, .. } => write!(text, "[{index}]"),
            Self::Field { parent, ordinal } => write!(text, ".{}", parent.fields[*ordinal].name),
            Self::Case { parent, ordinal } => write!(text, ".<variant({ordinal})={}>", parent.types[*ordinal]),
        };
        written.expect("strings take all text");
    }

    fn kind(&self) -> String {
        match self {
            Self::Index { hint: Root::Unknown, .. } => "UNKNOWN".to_owned(),
            Self::Index { hint, .. } => hint.text(),
            Self::Field { parent, ordinal } => (*parent.fields[*ordinal].kind).to_owned(),
            Self::Case { parent, ordinal } => (*parent.types[*ordinal]).to_owned(),
        }
    }
}

/// Cuts the middle out of a long name.
fn shorten(name: &str) -> String {
    if name.len() <= SHORT_NAME_BYTES {
        return name.to_owned();
    }
    let head = name.floor_char_boundary(SHORT_NAME_BYTES - 3 - SHORT_NAME_TAIL_BYTES);
    let tail = name.ceil_char_boundary(name.len() - SHORT_NAME_TAIL_BYTES);
    format!("{}...{}", &name[..head], &name[tail..])
}
