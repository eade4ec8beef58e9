//~ `std::string::String` cannot be a primary key
//~ `sdk::asset::Asset` cannot be the key of an index
use sdk::prelude::*;

#[table("texts")]
pub struct Text {
    #[primary]
    pub id: String,
}

#[table("prices")]
pub struct Price {
    #[primary]
    pub id: u64,
    #[secondary]
    pub price: Asset,
}
