//~ mismatched types
//~ this function takes 3 arguments but 2 arguments were supplied
use sdk::prelude::*;

#[interface]
pub mod token {
    use sdk::prelude::*;

    #[action]
    fn open(owner: Name, symbol: Symbol) {}
}

pub fn send(this: Name) {
    token::open(this, this, Asset::default()).send_as(this);
    token::open(this, this).send_as(this);
}
