// Attributes where they do not belong. What stands before the first case is not a contract's.

// --- an action outside of a contract
// +++ bare
use sdk::prelude::*;
#[action] //~ #[action] stands only on functions of a module or impl with #[contract]
fn lonely() {}

// --- a contract that is a struct
// +++ bare
#[sdk::contract]
pub struct Contract; //~ a contract is a module (mod name { ... }) or an impl

// --- a contract that is a trait
// +++ bare
#[sdk::contract]
trait Wrong {} //~ a contract is a module
