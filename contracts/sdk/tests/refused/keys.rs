// Keys of tables and what rows are found by.

// --- a text as an index
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
    #[secondary]
    pub s: String, //~ `sdk::prelude::String` cannot be the key of an index
}

// --- an asset as an index
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
    #[secondary]
    pub s: Asset, //~ `sdk::asset::Asset` cannot be the key of an index
}

// --- an optional as an index
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
    #[secondary]
    pub s: Option<u64>, //~ `Option<u64>` cannot be the key of an index
}

// --- a record as an index
#[derive(Record)]
pub struct K {
    pub a: u64,
}
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
    #[secondary]
    pub s: K, //~ `K` cannot be the key of an index
}

// --- an f32 as an index
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
    #[secondary]
    pub s: f32, //~ `f32` cannot be the key of an index
}

// --- a text as the key of an expression
#[table("t", index(by: String = self.s.clone()))] //~ `sdk::prelude::String` cannot be the key of an index
pub struct T {
    #[primary]
    pub id: u64,
    pub s: String,
}

// --- a text as the primary key
#[table("t")]
pub struct T {
    #[primary]
    pub id: String, //~ `sdk::prelude::String` cannot be a primary key
}

// --- a u128 as the primary key
#[table("t")]
pub struct T {
    #[primary]
    pub id: u128, //~ `u128` cannot be a primary key
}

// --- no primary key
#[table("t")]
pub struct T { //~ a row needs one key: a field with #[primary], or primary = EXPRESSION, or singleton
    pub id: u64,
}
#[action]
fn a() {
    Table::<T>::new(current_receiver(), 0).find(1);
}

// --- two primary keys
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
    #[primary] //~ a row has one primary key, and here is another; further keys are #[secondary]
    pub other: u64,
}

// --- a singleton with a key
#[table("t", singleton)]
pub struct T {
    #[primary] //~ a singleton has no key of its own, and here is another; further keys are #[secondary]
    pub id: u64,
}

// --- an index twice
#[table("t", index(owner: u64 = self.id))]
pub struct T {
    #[primary]
    pub id: u64,
    #[secondary]
    pub owner: Name, //~ there is an index OWNER already
}

// --- more indexes than the chain has numbers for
#[table(
    "t",
    index(i0: u64 = self.id),
    index(i1: u64 = self.id),
    index(i2: u64 = self.id),
    index(i3: u64 = self.id),
    index(i4: u64 = self.id),
    index(i5: u64 = self.id),
    index(i6: u64 = self.id),
    index(i7: u64 = self.id),
    index(i8: u64 = self.id),
    index(i9: u64 = self.id),
    index(i10: u64 = self.id),
    index(i11: u64 = self.id),
    index(i12: u64 = self.id),
    index(i13: u64 = self.id),
    index(i14: u64 = self.id),
    index(i15: u64 = self.id),
    index(i16: u64 = self.id), //~ a table has at most 16 secondary indexes
)]
pub struct T {
    #[primary]
    pub id: u64,
}

// --- a word that is not known
#[table("t", key = self.id)] //~ known here: primary = ..., index(name: Type = ...), singleton
pub struct T {
    pub id: u64,
}

// --- a row found by a text
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
}
#[action]
fn a() {
    Table::<T>::new(current_receiver(), 0).find("x"); //~ `&str` is not a primary key
}

// --- a scope that is a text
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
}
#[action]
fn a() {
    Table::<T>::new(current_receiver(), "x"); //~ `&str` cannot be a scope
}

// --- a scope that is an asset
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
}
#[action]
fn a(quantity: Asset) {
    Table::<T>::new(current_receiver(), quantity); //~ `sdk::asset::Asset` cannot be a scope
}

// --- an optional as the primary key
#[table("deals")]
struct Deal {
    #[primary]
    id: Option<u64>, //~ `Option<u64>` cannot be a primary key
}

// --- a fraction as the primary key
#[table("deals")]
struct Deal {
    #[primary]
    id: f64, //~ `f64` cannot be a primary key
}

// --- an index without its type
#[table("deals", index(by_id = self.id))] //~ expected `:` of index(name: Type = expression)
struct Deal {
    #[primary]
    id: u64,
}

// --- an index without its expression
#[table("deals", index(by_id: u64))] //~ expected `=` of index(name: Type = expression)
struct Deal {
    #[primary]
    id: u64,
}

// --- a primary key without its expression
#[table("deals", primary = )] //~ expected an expression
struct Deal {
    id: u64,
}
