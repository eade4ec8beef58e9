// Tables and rows.

// --- 15 letters
#[table("abcdefghijklabc")] //~ "abcdefghijklabc" is not a name: up to 12 of .12345abcdefghijklmnopqrstuvwxyz, and a 13th of .12345abcdefghij
pub struct T {
    #[primary]
    pub id: u64,
}

// --- 13 letters
#[table("abcdefghijkla")] //~ a table's name has at most 12 characters: its indexes are numbered by the 13th
pub struct T {
    #[primary]
    pub id: u64,
}

// --- an underscore
#[table("my_table")] //~ "my_table" is not a name: up to 12 of .12345abcdefghijklmnopqrstuvwxyz, and a 13th of .12345abcdefghij
pub struct T {
    #[primary]
    pub id: u64,
}

// --- a table twice
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
}
#[table("t")] //~ there is a table "t" already
pub struct U {
    #[primary]
    pub id: u64,
}

// --- no name
#[table] //~ say which table: #[table("deals")]
pub struct T {
    #[primary]
    pub id: u64,
}

// --- a name without quotation marks
#[table(accounts)] //~ write it in quotation marks: #[table("deals")]
pub struct T {
    #[primary]
    pub id: u64,
}

// --- fields without names
#[table("t", primary = self.0)]
pub struct T(u64); //~ a row has named fields: the ABI shows them

// --- an enum as a row
#[table("t")]
pub enum T { //~ a row is a struct
    A(u64),
}

// --- a row with a type parameter
#[table("t")]
pub struct T<X> { //~ no type parameters here: an ABI has plain types only
    #[primary]
    pub id: u64,
    pub x: X,
}

// --- a row that borrows
#[table("t")]
pub struct T<'a> { //~ a row owns what it keeps: String, ByteString or Vec<u8> instead of a reference
    #[primary]
    pub id: u64,
    pub s: &'a str,
}

// --- a record in place of a row
#[derive(Record)]
pub struct T {
    pub id: u64,
}
#[action]
fn a() {
    Table::<T>::new(current_receiver(), 0); //~ `T` is not a row of a table
}

// --- another value in place of a row
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
}
#[action]
fn a() {
    let this = current_receiver();
    Table::<T>::new(this, this).insert(this, 5u64); //~ mismatched types: expected `T`, found `u64`
}

// --- a change that would not be written
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
    pub n: u64,
}
#[action]
fn a() {
    let mut row = Table::<T>::new(current_receiver(), 0).get(1, "no row 1");
    row.n = 5; //~ cannot assign to data in dereference of `sdk::table::Entry<T>`
}

// --- a mark outside of a table
pub struct T {
    #[primary] //~ cannot find attribute `primary` in this scope
    pub id: u64,
}
