//! Where a contract was when it stopped: the functions and lines of its source. `boreas contract build` writes a table of
//! them beside the module; what shows where a contract failed reads it, and finds it by the hash of the code.
//!
//! The chain has nothing of it: a module has neither names nor places in it.

mod backtrace;
mod table;

pub use backtrace::{Backtrace, Frame};
pub use table::{EXTENSION, Place, Table};
