//! `/v1/chain`, one file for each group of endpoints.

pub mod account;
pub mod authorizers;
pub mod blocks;
pub mod code;
pub mod currency;
pub mod features;
pub mod info;
pub mod keys;
pub mod producers;
pub mod rows;
pub mod scheduled;
pub mod tables;
pub mod transactions;
