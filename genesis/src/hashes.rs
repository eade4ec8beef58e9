// Pinned hashes of `contracts/dist`; a rebuilt contract changes its line on purpose.

/// The first contract of `eosio`: activates features.
pub const BIOS: Contract =
    contract!("eosio.bios", "34c178a17b32c3d52e2a90c15b909ef93d2ef7dddcfe2ef5e3f64e5fa280c826");
/// The system contract: accounts, resources, producers, names.
pub const SYSTEM: Contract =
    contract!("eosio.system", "734bb62633b34e00f73642e4beeafbbb3b027ec4317fcd6959856a27fc8ebaaa");
/// Tokens.
pub const TOKEN: Contract =
    contract!("eosio.token", "ff8df8191563dccc88b60fd4cd8b9148a27b39617e2ad72a63f297075c003d55");
/// Transactions that several accounts approve.
pub const MSIG: Contract =
    contract!("eosio.msig", "76db0e98f4be10002afeb53e276d044f66c1eca8a042d0ca9581f3c38113e326");
/// Transactions that the producers approve.
pub const WRAP: Contract =
    contract!("eosio.wrap", "7dbd41ddd7ba40bca0ff29505f4782590592b325c4122121ea487a36afee96ff");
