// Constants and texts.

// --- a capital letter in a name
const ALICE: Name = name!("Alice"); //~ "Alice" is not a name: up to 12 of .12345abcdefghijklmnopqrstuvwxyz, and a 13th of .12345abcdefghij

// --- a name that is too long
const LONG: Name = name!("abcdefghijklmn"); //~ "abcdefghijklmn" is not a name: up to 12 of .12345abcdefghijklmnopqrstuvwxyz, and a 13th of .12345abcdefghij

// --- a name that is not a constant
fn f(text: &str) -> Name {
    name!(text) //~ write it in quotation marks: name!("alice")
}

// --- small letters in a symbol
const SYS: Symbol = symbol!("4,sys"); //~ "4,sys" is not a symbol: decimals (0 to 18), a comma, and 1 to 7 capital letters, as in "4,SYS"

// --- small letters in a symbol code
const SYS: SymbolCode = SymbolCode::new("sys"); //~ evaluation panicked: only uppercase letters allowed in symbol_code string

// --- lists without a text
fn say(bytes: Vec<u8>, names: Vec<Name>) {
    check!(bytes.is_empty(), "bytes ", bytes); //~ `sdk::prelude::Vec<u8>` has no text of its own
    print!(names); //~ `sdk::prelude::Vec<sdk::name::Name>` cannot be written to the console
}

// --- a text that is built in any case
#[action]
fn a(x: u64) {
    check(x > 0, text!("not ", x)); //~ mismatched types: expected `&str`, found `String`
}

// --- a dot at the end of a name
const A: Name = name!("alice."); //~ without the dot at its end it would be the same

// --- more decimals than a symbol has
const A: Symbol = symbol!("19,SYS"); //~ decimals (0 to 18)
