//~ string is too long to be a valid name
//~ character is not in allowed character set for names
//~ only uppercase letters allowed in symbol_code string
use sdk::prelude::*;

pub const LONG: Name = name!("abcdefghijklmn");
pub const CAPITAL: Name = name!("Alice");
pub const SMALL: SymbolCode = SymbolCode::new("sys");
