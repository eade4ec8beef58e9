//! A chain with several producers that one node signs for.

use client::ClientError;
use primitives::{Name, Pack as _, PublicKey, name};
use serde_json::Value;

use crate::{DEV_PUBLIC_KEY, Load, RunningNode, modules};

/// Producers of a chain like those that there are.
pub const PRODUCERS: usize = 21;

/// Names of so many producers, at most 26.
pub fn producer_names(count: usize) -> Vec<Name> {
    ('a'..='z').take(count).map(|letter| format!("producer{letter}").parse().expect("a name")).collect()
}

/// The options by which a node makes the blocks of producers.
pub fn producer_options(producers: &[Name]) -> Vec<String> {
    producers.iter().flat_map(|producer| ["-p".to_owned(), producer.to_string()]).collect()
}

const EOSIO: Name = name!("eosio");

impl Load {
    /// Has `eosio` make producers, all with its own key, the schedule, and waits until one of them has made a block.
    pub fn schedule(&mut self, node: &mut RunningNode, producers: &[Name]) {
        producers.iter().for_each(|producer| drop(self.new_account(*producer).expect("the account is made")));
        self.set_proposing().expect("the module is taken");
        self.propose(producers).expect("the producers are proposed");
        node.wait_until("block of a producer", |info| info["head_block_producer"] != "eosio");
    }

    /// Gives `eosio` the code that [`Load::propose`] needs.
    pub fn set_proposing(&mut self) -> Result<Value, ClientError> {
        self.set_code(EOSIO, &modules::proposing())
    }

    /// Proposes producers, all with the key of `eosio`.
    pub fn propose(&mut self, producers: &[Name]) -> Result<Value, ClientError> {
        let key: PublicKey = DEV_PUBLIC_KEY.parse().expect("a key");
        let schedule: Vec<_> = producers.iter().map(|producer| (*producer, key.clone())).collect();
        self.send_data(EOSIO, name!("producers"), EOSIO, schedule.to_bytes())
    }
}
