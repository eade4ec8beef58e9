//~ #[action] stands only on functions of a module or impl with #[contract]
//~ a contract is a module (mod name { ... }) or an impl
//~ an interface has only #[action] functions
use sdk::prelude::*;

#[action]
fn lonely() {}

#[contract]
struct Contract;

#[interface]
mod token {
    fn transfer() {}
}
