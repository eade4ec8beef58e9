//~ `std::vec::Vec<u8>` has no text of its own
//~ `std::vec::Vec<sdk::name::Name>` cannot be written to the console
use sdk::prelude::*;

pub fn say(bytes: Vec<u8>, names: Vec<Name>) {
    check!(bytes.is_empty(), "bytes ", bytes);
    sdk::print!(names);
}
