//! Every recording replays to nodeos' block ids and integrity hash, trusted and with all checks, and with contracts in
//! either tier.

use chain::PrepareMode;
use conformance::recording::chosen;
use conformance::{Recording, replay::replay};
use wasm::Tiers;

fn all(mode: PrepareMode, tiers: Tiers, each: bool) {
    let failures: Vec<String> = chosen()
        .into_iter()
        .filter_map(|name| {
            let result = std::panic::catch_unwind(|| {
                wasm::with_enough_stack(|| replay(&Recording::load(&name), mode, tiers, each))
            });
            match result {
                Ok(Ok(())) => None,
                Ok(Err(text)) => Some(format!("{name}: {text}")),
                Err(_) => Some(format!("{name}: panicked")),
            }
        })
        .collect();
    assert!(failures.is_empty(), "{} recordings differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn trusted_replay_agrees_in_the_first_tier() {
    all(PrepareMode::Trusted, Tiers::First, true);
}

#[test]
fn replay_with_all_checks_agrees_in_the_optimised_tier() {
    all(PrepareMode::Full, Tiers::Optimised, false);
}
