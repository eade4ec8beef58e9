//! The system contract on a chain in the test process: what staking, voting, auctions and pay do over days and years, what
//! must hold whatever happens, and those who try to cheat.

mod attacks;
mod audit;
mod chance;
mod lending;
mod names;
mod parameters;
mod pay;
mod staking;
mod voting;
mod world;
