//! The system contracts as they were built and tested, each with the hash of its code.

use abi::{Abi, AbiDefinition, Limits};
use primitives::{Name, Pack, name};

/// A built contract.
#[derive(Debug, Clone, Copy)]
pub struct Contract {
    /// The account that it is made for.
    pub account: Name,
    /// Its module.
    pub wasm: &'static [u8],
    /// SHA-256 of the module: the `code_hash` that `get_code_hash` shows.
    pub code_hash: &'static str,
    abi_json: &'static str,
}

macro_rules! contract {
    ($account:literal, $hash:literal) => {
        Contract {
            account: name!($account),
            wasm: include_bytes!(concat!("../../contracts/dist/", $account, "/", $account, ".wasm")),
            code_hash: $hash,
            abi_json: include_str!(concat!("../../contracts/dist/", $account, "/", $account, ".abi")),
        }
    };
}

include!("hashes.rs");

impl Contract {
    /// Its ABI as written.
    pub fn abi_definition(&self) -> AbiDefinition {
        serde_json::from_str(self.abi_json).expect("an embedded ABI was built with its contract")
    }

    /// Its ABI, ready to pack arguments.
    pub fn abi(&self) -> Abi {
        Abi::new(self.abi_definition(), &Limits::default()).expect("an embedded ABI was tested with its contract")
    }

    /// Its packed ABI, as `setabi` takes it.
    pub fn packed_abi(&self) -> Vec<u8> {
        self.abi_definition().to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::Sha256;

    #[test]
    fn the_embedded_modules_are_the_pinned_ones() {
        for contract in [BIOS, SYSTEM, TOKEN, MSIG, WRAP] {
            assert_eq!(Sha256::of(contract.wasm).to_string(), contract.code_hash, "{}", contract.account);
            let abi = contract.abi();
            assert!(abi.action_type(name!("setcode")).is_some() || contract.account != name!("eosio.system"));
        }
    }
}
