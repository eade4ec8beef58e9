// Pinned hashes of `contracts/dist`; a rebuilt contract changes its line on purpose.

/// The first contract of `eosio`: activates features.
pub const BIOS: Contract =
    contract!("eosio.bios", "509ea64909844beaacaf66cfccc8232d287a2502cd42dd3ac3517c62233fdc4b");
/// The system contract: accounts, resources, producers, names.
pub const SYSTEM: Contract =
    contract!("eosio.system", "7d35fda0ccb633c949faf8bfc222de8f3be9649e40bdcd516a5a215e52967391");
/// Tokens.
pub const TOKEN: Contract =
    contract!("eosio.token", "d28653f91e5ee4a2d0b8a7e3e60d14a799bc345e7001369a04ffb390d3cb9773");
/// Transactions that several accounts approve.
pub const MSIG: Contract =
    contract!("eosio.msig", "1be6bda3f169da058d54d47e2a10e53efaa7c131b7f908f36f2e18f08c7f802d");
/// Transactions that the producers approve.
pub const WRAP: Contract =
    contract!("eosio.wrap", "55ecddae21190d8f335714cb839c82d3fcd6145ff80a2d7549855fadec1d3457");
