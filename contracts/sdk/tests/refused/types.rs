//~ `contract::Foreign` cannot be read from packed bytes, so the chain cannot carry it
//~ `std::collections::HashMap<sdk::name::Name, u64>` cannot be read from packed bytes, so the chain cannot carry it
//~ `usize` has no packed form, so the chain cannot carry it
//~ `[sdk::name::Name; 2]` has no packed form, so the chain cannot carry it
#[sdk::contract]
mod contract {
    use sdk::prelude::*;
    use std::collections::HashMap;

    pub struct Foreign;

    #[derive(Record)]
    pub struct Pair {
        pub names: [Name; 2],
    }

    #[action]
    fn take(foreign: Foreign, map: HashMap<Name, u64>) {}

    #[action]
    fn count() -> usize {
        0
    }
}
