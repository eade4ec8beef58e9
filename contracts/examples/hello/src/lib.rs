//! The smallest contract: one action that greets.

#![no_std]

/// Greets.
#[sdk::contract]
pub mod hello {
    use sdk::prelude::*;

    /// Greets an account that authorised it.
    #[action]
    fn hi(account: Name) {
        require_auth(account);
        print!("Hello, ", account);
    }
}
