// Pinned hashes of `contracts/dist`; a rebuilt contract changes its line on purpose.

/// The first contract of `eosio`: activates features.
pub const BIOS: Contract =
    contract!("eosio.bios", "14f5e665dd520658f156cac263613e7844a9e91a4aacf5d645f0c42110a1026b");
/// The system contract: accounts, resources, producers, names.
pub const SYSTEM: Contract =
    contract!("eosio.system", "173a1a385fe367409d9012bbecb593532212882ce4866f8c72d168d445989b43");
/// Tokens.
pub const TOKEN: Contract =
    contract!("eosio.token", "3abd06d63c310cbb0a23d2937bbf31afb3d3883dab32e5cdaa8d5581ff49506c");
/// Transactions that several accounts approve.
pub const MSIG: Contract =
    contract!("eosio.msig", "eb253ab404772a027fa111b33107ea3990f991f8f4a46c6b66c677917fe9b3d0");
/// Transactions that the producers approve.
pub const WRAP: Contract =
    contract!("eosio.wrap", "08469814bdfbba4d4262ba3c37c69ca184e8f218976c8f99e4d13aefd725f74c");
