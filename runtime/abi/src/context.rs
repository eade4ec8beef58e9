//! Where a conversion stands: its depth, its limits, and the path that messages name.

use std::cell::Cell;
use std::fmt::Write;

use primitives::{Fault, FaultKind};

use crate::checked::Abi;
use crate::definition::{StructDefinition, VariantDefinition};
use crate::text::said;

/// Deepest nesting of a conversion (nodeos: `max_recursion_depth`).
pub const DEPTH_MAX: usize = 32;
/// Where nodeos begins to count.
pub const DEPTH_START: usize = 1;
/// Most bytes that the JSON of a conversion may take: a small row of an unkind ABI could otherwise fill the memory.
pub const OUTPUT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What a step of a conversion counts in a budget: what it takes time is bounded too.
const STEP_BYTES: usize = 16;
/// Longest name in a shortened message.
const SHORT_NAME_BYTES: usize = 64;
/// What is left of a shortened name's end.
const SHORT_NAME_TAIL_BYTES: usize = 6;

/// What the conversions of one request may take together.
#[derive(Debug)]
pub struct Budget {
    bytes_left: Cell<usize>,
}

impl Budget {
    /// A budget of `bytes` of JSON.
    pub fn new(bytes: usize) -> Self {
        Self { bytes_left: Cell::new(bytes) }
    }

    /// Whether nothing is left.
    pub fn is_spent(&self) -> bool {
        self.bytes_left.get() == 0
    }

    /// Takes bytes; a budget that has not enough is spent.
    ///
    /// # Errors
    /// `abi_serialization_deadline_exception` when there are not enough.
    pub fn spend(&self, bytes: usize) -> Result<(), Fault> {
        let left = self.bytes_left.get().checked_sub(bytes);
        self.bytes_left.set(left.unwrap_or_default());
        match left {
            Some(_) => Ok(()),
            None => Err(too_large("the answer's JSON is larger than one answer may be: ask for less at a time")),
        }
    }
}

fn too_large(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::ABI_SERIALIZATION_DEADLINE_EXCEPTION, message)
}

/// What bounds a conversion. This crate has no clock: whoever has one says when time is over.
#[derive(Default, Clone, Copy)]
pub struct Limits<'a> {
    /// Asked at every step; `true` ends the conversion.
    pub out_of_time: Option<&'a dyn Fn() -> bool>,
    /// Whether messages name only the last step of the path, with long names cut.
    pub short_path: bool,
    /// Levels that the caller has used up before the conversion begins.
    pub depth_used: usize,
    /// What it shares with other conversions, beside the most that one may take.
    pub budget: Option<&'a Budget>,
}

impl std::fmt::Debug for Limits<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits")
            .field("short_path", &self.short_path)
            .field("depth_used", &self.depth_used)
            .finish_non_exhaustive()
    }
}

impl Limits<'_> {
    /// Checks depth and time.
    pub(crate) fn check(&self, depth: usize) -> Result<(), Fault> {
        if depth >= DEPTH_MAX {
            let message = format!("recursive definition, max_recursion_depth {DEPTH_MAX} ");
            return Err(Fault::new(FaultKind::ABI_RECURSION_DEPTH_EXCEPTION, message));
        }
        match self.out_of_time {
            Some(out_of_time) if out_of_time() => {
                Err(Fault::new(FaultKind::ABI_SERIALIZATION_DEADLINE_EXCEPTION, "serialization time limit exceeded"))
            }
            _ => Ok(()),
        }
    }
}

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
