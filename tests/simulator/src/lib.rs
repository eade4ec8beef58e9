//! Whole networks in one thread, from one seed: the network's core and the chain of real nodes, on simulated wires,
//! disks and clocks. What a seed finds it finds again.
//!
//! Reading order: [`scenario`] what a seed says, [`origin`] the chain that all begin with, [`disk`] what a loss of power
//! leaves, [`wires`] what lies between nodes, [`node`] a node, [`byzantine`] producers that lie, [`watch`] what must
//! hold, [`world`] the whole, [`planted`] bugs to be found, [`told`] what one node does, [`dice`] chance.

pub mod byzantine;
pub mod dice;
pub mod disk;
pub mod node;
pub mod origin;
pub mod planted;
pub mod scenario;
pub mod told;
pub mod watch;
pub mod wires;
pub mod world;

pub use scenario::Scenario;
pub use world::run;
