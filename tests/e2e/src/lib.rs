//! A node as its users meet it: a process with a port and a folder, that may be killed at any moment.
//!
//! The binaries are taken from the folder that the tests were built into; `.dev/test` builds them first.

mod binaries;
mod block_log;
mod dice;
mod forgetful;
mod keosd;
mod load;
pub mod modules;
mod node;
mod over;
mod peer;
mod prober;
mod producers;
mod relay;
mod shifted_clock;
mod wire;

pub use binaries::{binary, contract, target_dir};
pub use block_log::{export_blocks, replay};
pub use dice::Dice;
pub use forgetful::{ForgetfulDisk, Loss};
pub use keosd::Keosd;
pub use load::Load;
pub use node::{RunningNode, exchange, free_port, genesis};
pub use over::Over;
pub use peer::{Peer, RunningNodeos};
pub use prober::{Latency, Prober};
pub use producers::{PRODUCERS, producer_names, producer_options};
pub use relay::{Delay, Relay};
pub use shifted_clock::ShiftedClock;
pub use wire::{Told, WirePeer, connect_from, framed};

/// The key of `eosio` on a new chain, as on nodeos.
pub const DEV_PRIVATE_KEY: &str = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3";
/// Its public half.
pub const DEV_PUBLIC_KEY: &str = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV";
