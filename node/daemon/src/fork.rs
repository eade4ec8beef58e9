//! `boreasd dev --fork-url`: contracts of a running chain, copied here once this node answers.

use anyhow::Context;
use client::Node;
use primitives::{Name, Pack, Unpack};
use store::Store;

use crate::settings::DevArgs;
use crate::words::names;

/// Under which name the store keeps which contracts were copied, so that a later start leaves them alone.
const FORKED_FACT: &str = "forked contracts";

/// What is to be copied.
#[derive(Debug)]
pub struct Fork {
    url: String,
    contracts: Vec<Name>,
}

impl Fork {
    /// What the options ask for.
    ///
    /// # Errors
    /// A contract's name is not a name.
    pub fn of_options(args: &DevArgs) -> anyhow::Result<Option<Self>> {
        let Some(url) = args.fork_url.clone() else { return Ok(None) };
        let contracts = names("contract", &args.contract)?.into_iter().collect();
        Ok(Some(Self { url, contracts }))
    }

    /// Copies what an earlier start has not; `url` is where this node answers.
    ///
    /// # Errors
    /// The source, or this node, does not do its part.
    pub fn run(&self, url: Option<&str>, store: &Store) -> anyhow::Result<()> {
        let url = url.context("--fork-url needs this node's API over TCP: give --http-server-address HOST:PORT")?;
        let (source, target) = (client::fork::source(&self.url), Node::new(url, Vec::new()));
        let mut done = match store.fact(FORKED_FACT)? {
            Some(bytes) => Vec::<Name>::from_bytes(&bytes).context("what was copied is not known any more")?,
            None => Vec::new(),
        };
        for contract in &self.contracts {
            if done.contains(contract) {
                tracing::info!("{contract} was copied by an earlier start: boreas dev fork copies it again");
                continue;
            }
            tracing::info!("copying {contract} from {}", self.url);
            let forked = client::fork::fork(&source, &target, *contract, &mut |line| tracing::info!("{line}"));
            let advice = "start again with the same options to go on, or without --fork-url to do without it";
            let forked = forked.with_context(|| format!("{contract} cannot be copied ({advice})"))?;
            for line in forked.lines(*contract) {
                tracing::info!("{line}");
            }
            done.push(*contract);
            store.set_fact(FORKED_FACT, &done.to_bytes())?;
        }
        Ok(())
    }
}
