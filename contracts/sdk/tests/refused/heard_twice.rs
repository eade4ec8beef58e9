//~ this notification has a handler already
#[sdk::contract]
mod contract {
    use sdk::prelude::*;

    #[on_notify("eosio.token::transfer")]
    fn received() {}

    #[on_notify("eosio.token::transfer")]
    fn received_again() {}
}
