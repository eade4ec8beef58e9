//~ "Open" is not a name
//~ "set_price" is not a name: up to 12 of .12345abcdefghijklmnopqrstuvwxyz, and a 13th of .12345abcdefghij; name the action, as in #[action("setprice")]
//~ "eosio.token!" is not a name
//~ write "contract::action", or "*::action" for any contract
#[sdk::contract]
mod contract {
    use sdk::prelude::*;

    #[action("Open")]
    fn open() {}

    #[action]
    fn set_price() {}

    #[on_notify("eosio.token!::transfer")]
    fn received() {}

    #[on_notify("transfer")]
    fn sent() {}
}
