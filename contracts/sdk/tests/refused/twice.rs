//~ there is an action open already
#[sdk::contract]
mod contract {
    use sdk::prelude::*;

    #[action]
    fn open() {}

    #[action("open")]
    fn open_again() {}
}
