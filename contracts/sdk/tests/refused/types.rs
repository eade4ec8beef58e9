// Types that the chain cannot carry, or not by that name.

// --- a struct without Record
pub struct P {
    pub a: u64,
}
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
    pub p: P, //~ `c::P` cannot be read from packed bytes, so the chain cannot carry it
}
#[action]
fn a(p: P) {} //~ `c::P` cannot be read from packed bytes, so the chain cannot carry it

// --- inside of others
pub struct P;
#[action]
fn a(list: Vec<Option<P>>) {} //~ `c::P` cannot be read from packed bytes, so the chain cannot carry it

// --- in a record
pub struct P;
#[derive(Record)]
pub struct Q {
    pub id: u64,
    pub p: Vec<P>, //~ `P` cannot be read from packed bytes, so the chain cannot carry it
}
#[action]
fn a(q: Q) {}

// --- usize
#[action]
fn a(n: usize) {} //~ `usize` cannot be read from packed bytes, so the chain cannot carry it

// --- a list of usize
#[action]
fn a(n: Vec<usize>) {} //~ `usize` cannot be read from packed bytes, so the chain cannot carry it

// --- char
#[action]
fn a(n: char) {} //~ `char` cannot be read from packed bytes, so the chain cannot carry it

// --- a changeable reference
#[action]
fn a(n: &mut u64) {} //~ `&mut u64` cannot be read from packed bytes, so the chain cannot carry it

// --- nine values
#[action]
fn a(n: (u8, u8, u8, u8, u8, u8, u8, u8, u8)) {} //~ `(u8, u8, u8, u8, u8, u8, u8, u8, u8)` cannot be read from packed bytes, so the chain cannot carry it

// --- the standard library
use std::collections::HashMap; //~ a contract has no standard library, only core and alloc
#[action]
fn a() {}

// --- two things of one name
#[table("counts")]
pub struct Count {
    #[primary]
    pub id: u64,
}
#[action]
fn count() {} //~ two types are called "count" in the ABI, and this is the second; give one another name: #[abi(name = "...")] on a struct, #[action("...")] on an action

// --- a record and an action of one name
#[derive(Record)]
pub struct Deal {
    pub id: u64,
}
#[action]
fn deal(d: Deal) {} //~ two types are called "deal" in the ABI, and this is the second; give one another name: #[abi(name = "...")] on a struct, #[action("...")] on an action

// --- an enum without its number
#[derive(Record)]
pub enum E { //~ an enum without values is packed as a number: say which kind, as in #[repr(u8)]
    A,
    B,
}
#[action]
fn a(e: E) {}

// --- a variant with an empty case
#[derive(Record)]
pub enum E {
    A, //~ a variant's case holds exactly one value: Case(Type)
    B(u64),
}
#[action]
fn a(e: E) {}

// --- a variant with a case of two values
#[derive(Record)]
pub enum E {
    A(u64, u64), //~ a variant's case holds exactly one value: Case(Type)
    B(u64),
}
#[action]
fn a(e: E) {}

// --- a variant with two cases of one type
#[derive(Record)]
pub enum E {
    A(u64),
    B(u64), //~ an earlier case has this type or name, so that nobody could send this one: give it a name of its own, #[abi(name = "...")]
}
#[action]
fn a(e: E) {}

// --- a variant with two cases of one name
#[derive(Record)]
pub enum E {
    #[abi(name = "x")]
    A(u64),
    #[abi(name = "x")] //~ an earlier case has this type or name, so that nobody could send this one: give it a name of its own, #[abi(name = "...")]
    B(u32),
}
#[action]
fn a(e: E) {}

// --- a record with a type parameter
#[derive(Record)]
pub struct G<T> { //~ no type parameters here: an ABI has plain types only
    pub v: T,
}
#[action]
fn a(g: G<u64>) {}

// --- a record without names
#[derive(Record)]
pub struct Two(u64, u64); //~ a record has named fields, or is a new name for one type

// --- a base that comes later
#[derive(Record)]
pub struct Base {
    pub id: u64,
}
#[derive(Record)]
pub struct Derived {
    pub name: Name,
    #[abi(base)]
    pub base: Base, //~ the base comes first: its fields are packed first
}

// --- a word that is not known
#[derive(Record)]
pub struct Words {
    #[abi(renamed = "type")] //~ known here: name = "...", alias = "...", base
    pub kind: u64,
}

// --- an enum as C has it
#[derive(Record)]
#[repr(C)] //~ say which kind, as in #[repr(u8)]
enum Color {
    Red,
}

// --- an enum of the machine's size
#[derive(Record)]
#[repr(usize)] //~ say which kind, as in #[repr(u8)]
enum Color {
    Red,
}

// --- a union
#[derive(Record, Clone, Copy)]
union Both { //~ a union has no packed form
    one: u64,
    other: u32,
}

// --- a text that lives for ever
#[derive(Record)]
struct Memo {
    text: &'static str, //~ what is read lives as long as the packed bytes
}

// --- unknown types, which are named once
#[action]
fn one(count: Missing) {} //~ cannot find type `Missing` in this scope
#[action]
fn two() -> Absent { //~ cannot find type `Absent` in this scope
    0
}
#[action]
fn three(count: Vec<BTreeMap<u64, Gone>>) -> Result<u64, String> { //~ cannot find type `Gone` in this scope
    Ok(1)
}
#[on_notify("eosio.token::transfer")]
fn heard(transfer: Unheard) {} //~ cannot find type `Unheard` in this scope
#[derive(Record)]
pub struct Holds {
    pub what: Lost, //~ cannot find type `Lost` in this scope
}
