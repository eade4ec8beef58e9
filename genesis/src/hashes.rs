// Pinned hashes of `contracts/dist`; a rebuilt contract changes its line on purpose.

/// The first contract of `eosio`: activates features.
pub const BIOS: Contract =
    contract!("eosio.bios", "39507a62b42ea7247b296e5234dd95c5c73dc1cbf6bdba96a542982d48bc250d");
/// The system contract: accounts, resources, producers, names.
pub const SYSTEM: Contract =
    contract!("eosio.system", "974a2080115538dd173f39ebefc8d40c52f7d2ca9a3062adbbed87d2c21569e0");
/// Tokens.
pub const TOKEN: Contract =
    contract!("eosio.token", "ff8df8191563dccc88b60fd4cd8b9148a27b39617e2ad72a63f297075c003d55");
/// Transactions that several accounts approve.
pub const MSIG: Contract =
    contract!("eosio.msig", "807bead6a78b3342144a94421ade87bc242f2480a88bfe1ab5922bf25fb92582");
/// Transactions that the producers approve.
pub const WRAP: Contract =
    contract!("eosio.wrap", "817cb89b31563b3c6695436430884f4288d04cf6f76d62c197441e3b87eb6764");
