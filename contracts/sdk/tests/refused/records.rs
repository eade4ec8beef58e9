//~ an enum without values is packed as a number: say which kind, as in #[repr(u8)]
//~ a variant's case holds exactly one value: Case(Type)
//~ no type parameters here: an ABI has plain types only
//~ a record has named fields, or is a new name for one type
//~ the base comes first: its fields are packed first
//~ known here: name = "...", alias = "...", base
use sdk::prelude::*;

#[derive(Record)]
pub enum Status {
    Open,
    Closed,
}

#[derive(Record)]
pub enum Shape {
    Empty,
    Circle(u64),
}

#[derive(Record)]
pub struct Generic<T> {
    pub value: T,
}

#[derive(Record)]
pub struct Two(u64, u64);

#[derive(Record)]
pub struct Base {
    pub id: u64,
}

#[derive(Record)]
pub struct Derived {
    pub name: Name,
    #[abi(base)]
    pub base: Base,
}

#[derive(Record)]
pub struct Words {
    #[abi(renamed = "type")]
    pub kind: u64,
}
