// Pinned hashes of `contracts/dist`; a rebuilt contract changes its line on purpose.

/// The first contract of `eosio`: activates features.
pub const BIOS: Contract =
    contract!("eosio.bios", "e78e0f70c94d8830941f54255b05355b440cb3619119004a2e8bca1302ca7a57");
/// The system contract: accounts, resources, producers, names.
pub const SYSTEM: Contract =
    contract!("eosio.system", "a2eb4699f0b994b38fe15bdc5416a24fa415b5130d8e7b1f6a0e557021e7ef42");
/// Tokens.
pub const TOKEN: Contract =
    contract!("eosio.token", "dac5f52ff43fe6ae4e218629f5ff45291cb71e4a81ba5c50652c77a7c478effe");
/// Transactions that several accounts approve.
pub const MSIG: Contract =
    contract!("eosio.msig", "05d172907cfb42cf116f17a759850b4de364eaf16478ce0dc79ba99450cec76c");
/// Transactions that the producers approve.
pub const WRAP: Contract =
    contract!("eosio.wrap", "4f1d818269d538a53efc7ae46f943778fd260fdeba1dd0ae152053a8f654560a");
