// Actions, notifications and calls.

// --- a name that is too long
#[action]
fn verylongactionname() {} //~ "verylongactionname" is not a name: up to 12 of .12345abcdefghijklmnopqrstuvwxyz, and a 13th of .12345abcdefghij; name the action, as in #[action("verylongacti")]

// --- an underscore
#[action]
fn set_price() {} //~ "set_price" is not a name: up to 12 of .12345abcdefghijklmnopqrstuvwxyz, and a 13th of .12345abcdefghij; name the action, as in #[action("setprice")]

// --- a capital letter
#[action("Open")] //~ "Open" is not a name: up to 12 of .12345abcdefghijklmnopqrstuvwxyz, and a 13th of .12345abcdefghij
fn open() {}

// --- a name without quotation marks
#[action(transfer)] //~ write it in quotation marks: #[action("name")]
fn a() {}

// --- an action twice
#[action]
fn open() {}
#[action("open")] //~ there is an action open already
fn open_again() {}

// --- self
#[action]
fn a(&self) {} //~ a contract has no self: its state is its tables

// --- mut self
#[action]
fn a(&mut self) {} //~ a contract has no self: its state is its tables

// --- parts
#[action]
fn a((x, y): (u64, u64)) {} //~ an argument needs a plain name: the ABI shows it

// --- a type parameter
#[action]
fn a<T>(value: T) {} //~ no type parameters here: an ABI has plain types only

// --- async
#[action]
async fn a() {} //~ an action cannot wait: it runs to its end or fails

// --- unsafe
#[action]
unsafe fn a() {} //~ an action is safe: anybody may send anything to it

// --- a result that cannot be packed
pub struct P;
#[action]
fn a() -> P { //~ `P` has no packed form, so the chain cannot carry it
    P
}

// --- a result without its type
#[action]
fn a() -> usize { //~ `usize` has no packed form, so the chain cannot carry it
    0
}

// --- an error without a text
pub struct E;
#[action]
fn a() -> Result<u64, E> { //~ `E` has no text of its own
    Err(E)
}

// --- a value that cannot be packed, or an error
pub struct P;
#[action]
fn a() -> Result<P, String> { //~ `P` has no packed form, so the chain cannot carry it
    Ok(P)
}

// --- a notification twice
#[on_notify("eosio.token::transfer")]
fn received() {}
#[on_notify("eosio.token::transfer")]
fn received_again() {} //~ this notification has a handler already

// --- a notification without quotation marks
#[on_notify(eosio::transfer)] //~ write it in quotation marks: #[on_notify("eosio.token::transfer")]
fn received() {}

// --- a notification of nothing
#[on_notify] //~ say which: #[on_notify("eosio.token::transfer")]
fn received() {}

// --- a notification without its contract
#[on_notify("transfer")] //~ write "contract::action", or "*::action" for any contract
fn received() {}

// --- a notification of what is not a name
#[on_notify("eosio.token!::transfer")] //~ "eosio.token!" is not a name: up to 12 of .12345abcdefghijklmnopqrstuvwxyz, and a 13th of .12345abcdefghij
fn received() {}

// --- an interface of plain functions
#[interface]
mod token {
    fn transfer() {} //~ an interface has only #[action] functions
}

// --- calls with other arguments
#[interface]
mod token {
    use sdk::prelude::*;
    #[action]
    fn open(owner: Name, symbol: Symbol) {}
}
fn send(this: Name) {
    token::open(this, this, Asset::default()).send_as(this); //~ mismatched types: expected `Symbol`, found `Asset`
    token::open(this, this).send_as(this); //~ this function takes 3 arguments but 2 arguments were supplied
}

// --- an argument of any type with a text
#[action]
fn say(value: impl sdk::text::Text) {} //~ an argument has one type, which the ABI can name

// --- a number as parameter
#[action]
fn take<const N: usize>(list: [u8; N]) {} //~ no type parameters here

// --- a reference to a record
#[derive(Record)]
struct Count {
    number: u64,
}
#[action]
fn take(count: &Count) {} //~ `&c::Count` cannot be read from packed bytes

// --- a function with the name of the entry point
#[action]
fn apply() {} //~ a contract has a function apply already

// --- a helper with the name of what tells the ABI
fn abi() {} //~ a contract has a function abi already

// --- a notification with one colon
#[on_notify("eosio.token:transfer")] //~ write "contract::action"
fn received(from: Name) {}
