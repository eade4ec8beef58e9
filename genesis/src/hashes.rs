// Pinned hashes of `contracts/dist`; a rebuilt contract changes its line on purpose.

/// The first contract of `eosio`: activates features.
pub const BIOS: Contract =
    contract!("eosio.bios", "9708ab351999947f7e9d2c3aa56fd2370a55482365d4522a6d77528576e6f870");
/// The system contract: accounts, resources, producers, names.
pub const SYSTEM: Contract =
    contract!("eosio.system", "d718624f32bb1fbb057924472501e6ba2daa203cd0e20fcd982ee731d9079fe4");
/// Tokens.
pub const TOKEN: Contract =
    contract!("eosio.token", "177d1e2de3ef23120aaff11f84eaa8c0dd46e946c5fe196bea5fbac206c72d65");
/// Transactions that several accounts approve.
pub const MSIG: Contract =
    contract!("eosio.msig", "4667bba81472fc9984592df50670b03c3ce84f6e018154506a623fbc5ab12216");
/// Transactions that the producers approve.
pub const WRAP: Contract =
    contract!("eosio.wrap", "8acc7dc653b31e2de95b775c3839f8c441d86c2c196387e46b2623ae44e7c887");
