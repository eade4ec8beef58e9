// Pinned hashes of `contracts/dist`; a rebuilt contract changes its line on purpose.

/// The first contract of `eosio`: activates features.
pub const BIOS: Contract =
    contract!("eosio.bios", "e78e0f70c94d8830941f54255b05355b440cb3619119004a2e8bca1302ca7a57");
/// The system contract: accounts, resources, producers, names.
pub const SYSTEM: Contract =
    contract!("eosio.system", "b937d2457b291c6a25526124cef7a98c8cf0002715f5a83e6b1da7f6ac981086");
/// Tokens.
pub const TOKEN: Contract =
    contract!("eosio.token", "dac5f52ff43fe6ae4e218629f5ff45291cb71e4a81ba5c50652c77a7c478effe");
/// Transactions that several accounts approve.
pub const MSIG: Contract =
    contract!("eosio.msig", "e180444475f87d2280fceca4337669e1da985f604565983941c54f2c334323dc");
/// Transactions that the producers approve.
pub const WRAP: Contract =
    contract!("eosio.wrap", "4f1d818269d538a53efc7ae46f943778fd260fdeba1dd0ae152053a8f654560a");
