//! Reads modules by eos-vm's rules (eos-vm parser.hpp), which are not quite the specification's: the same limits in
//! the same order, the same leniencies, the same messages. Setting code and running code both go through here, so
//! what was accepted can be run.

mod function;
mod module;
mod names;
mod options;
mod reader;
mod sections;

pub use function::{Emit, Op, Silent};
pub(crate) use function::{access, numeric_type};
pub use module::{FuncType, Module};
pub(crate) use names::function_names;
pub use options::Options;
pub use reader::ParseError;
pub use sections::parse;
