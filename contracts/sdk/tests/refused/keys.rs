//~ a row needs one key: a field with #[primary], or primary = EXPRESSION, or singleton
//~ a row has one primary key, and here is another; further keys are #[secondary]
//~ a singleton has no key of its own, and here is another
//~ there is an index OWNER already
//~ a table's name has at most 12 characters: its indexes are numbered by the 13th
//~ a row has named fields
use sdk::prelude::*;

#[table("none")]
pub struct None_ {
    pub id: u64,
}

#[table("two")]
pub struct Two {
    #[primary]
    pub id: u64,
    #[primary]
    pub other: u64,
}

#[table("only", singleton)]
pub struct Only {
    #[primary]
    pub id: u64,
}

#[table("indexes", index(owner: u64 = self.id))]
pub struct Indexes {
    #[primary]
    pub id: u64,
    #[secondary]
    pub owner: Name,
}

#[table("abcdefghijkla")]
pub struct Long {
    #[primary]
    pub id: u64,
}

#[table("bare", primary = self.0)]
pub struct Bare(u64);
