//! What happens at the start of every block before its first transaction: features are activated, `eosio::onblock`
//! runs, expired entries go, the producers' permissions follow the schedule (nodeos: controller.cpp `start_block`).

use codec::Bytes;
use ledger::config::{ACTIVE, MAJORITY_PRODUCERS, MINORITY_PRODUCERS, PRODUCERS_ACCOUNT, SYSTEM_ACCOUNT};
use primitives::{
    Action, Authority, Checksum256, Fault, FaultKind, Name, Pack, PermissionLevel, PermissionLevelWeight, ensure,
};

use crate::budget::Budget;
use crate::executed::ExecutedTransaction;
use crate::fault::Outcome;
use crate::features::Feature;
use crate::implicit::push_implicit;
use crate::system_actions::ONBLOCK;
use crate::trace::TransactionTrace;
use crate::world::{Machine, World};

/// Kinds of keys after WEBAUTHN_KEY.
const KEY_TYPES_WITH_WEBAUTHN: u32 = 3;

/// Activates features as the block's header says. All preactivated ones must be among them.
///
/// # Errors
/// `protocol_feature_exception` for an unknown feature, one without preactivation, or one that is active already;
/// `block_validate_exception` for duplicates and for preactivated ones that are missing.
pub fn activate_features(world: &mut World, digests: &[Checksum256]) -> Outcome {
    let preactivated = world.ledger.protocol_state().preactivated_protocol_features.clone();
    let mut seen: Vec<Checksum256> = Vec::new();
    for digest in digests {
        let Some(feature) = Feature::by_digest(digest) else {
            let message = format!("unrecognized protocol feature with digest: {digest}");
            return Err(Fault::new(FaultKind::PROTOCOL_FEATURE_EXCEPTION, message));
        };
        ensure!(
            !seen.contains(digest),
            BLOCK_VALIDATE_EXCEPTION,
            "attempted duplicate activation within a single block: {digest}"
        );
        ensure!(
            preactivated.contains(digest) || !world.settings.features.of(feature).preactivation_required,
            PROTOCOL_FEATURE_EXCEPTION,
            "attempted to activate protocol feature without prior required preactivation: {digest}"
        );
        seen.push(*digest);
        ensure!(
            !world.is_active(feature),
            PROTOCOL_FEATURE_EXCEPTION,
            "cannot activate already activated builtin feature with digest: {digest}"
        );
        activate(world, feature)?;
    }
    ensure!(
        preactivated.iter().all(|digest| seen.contains(digest)),
        BLOCK_VALIDATE_EXCEPTION,
        "There are pre-activated protocol features that were not activated at the start of this block"
    );
    if !digests.is_empty() {
        let block_num = world.block.number;
        world.ledger.modify_protocol_state(|state| {
            state.preactivated_protocol_features.clear();
            let activated = digests
                .iter()
                .map(|digest| ledger::ActivatedFeature { feature_digest: *digest, activation_block_num: block_num });
            state.activated_protocol_features.extend(activated);
        });
    }
    Ok(())
}

/// What a feature changes at once.
fn activate(world: &mut World, feature: Feature) -> Outcome {
    world.features.insert(feature);
    let intrinsics = feature.spec().intrinsics;
    if !intrinsics.is_empty() {
        world.ledger.modify_protocol_state(|state| {
            state.whitelisted_intrinsics.extend(intrinsics.iter().map(|&name| name.to_owned()));
        });
    }
    match feature {
        Feature::ReplaceDeferred => give_back_ram(world),
        Feature::WebauthnKey => {
            world.ledger.modify_protocol_state(|state| state.num_supported_key_types = KEY_TYPES_WITH_WEBAUTHN);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// REPLACE_DEFERRED: RAM that replaced deferred transactions still held.
fn give_back_ram(world: &mut World) -> Outcome {
    for account in world.ledger.ram_corrections() {
        let correction = world.ledger.account_info(account).ram_correction;
        let usage = world.ledger.account_usage(account).ram;
        world.ledger.add_pending_ram_usage(account, -(correction.min(usage) as i64))?;
        world.ledger.set_ram_correction(account, 0);
    }
    Ok(())
}

/// Runs `eosio::onblock` with the header of the block before. A failure is noted in the trace and changes nothing.
pub fn run_onblock(machine: &mut Machine, world: &mut World) -> ExecutedTransaction {
    let action = Action {
        account: SYSTEM_ACCOUNT,
        name: ONBLOCK,
        authorization: vec![PermissionLevel { actor: SYSTEM_ACCOUNT, permission: ACTIVE }],
        data: Bytes(world.block.previous.to_bytes()),
    };
    let budget = Budget::explicit(world.config().v0.min_transaction_cpu_usage);
    push_implicit(machine, world, action, budget).unwrap_or_else(|fault| {
        // Swallowed by nodeos too.
        let except = Some(Box::new(fault));
        ExecutedTransaction::failed(TransactionTrace { except, ..TransactionTrace::default() })
    })
}

/// Forgets input transactions that have expired before this block.
pub fn clear_expired_transactions(world: &mut World) {
    world.ledger.clear_expired_transactions(world.block.time());
}

/// Lets the permissions of `eosio.prods` follow the active schedule: more than two thirds, a half, a third.
///
/// # Errors
/// None on a chain that began with nodeos' genesis.
pub fn update_producers_authority(world: &mut World) -> Outcome {
    for (permission, numerator, denominator) in [(ACTIVE, 2, 3), (MAJORITY_PRODUCERS, 1, 2), (MINORITY_PRODUCERS, 1, 3)]
    {
        let level = PermissionLevel { actor: PRODUCERS_ACCOUNT, permission };
        let id = world.ledger.get_permission(level)?;
        if !is_current(world, &world.ledger.permission(id).auth, numerator, denominator) {
            let auth = producers_authority(world, numerator, denominator);
            // Sic: the time of the last change stays.
            let last_updated = world.ledger.permission(id).last_updated;
            world.ledger.modify_permission(id, auth, last_updated)?;
        }
    }
    Ok(())
}

fn producer_names(world: &World) -> impl ExactSizeIterator<Item = Name> + '_ {
    world.block.active_schedule.producers.iter().map(|producer| producer.producer_name)
}

fn threshold(world: &World, numerator: u32, denominator: u32) -> u32 {
    producer_names(world).len() as u32 * numerator / denominator + 1
}

fn is_current(world: &World, auth: &Authority, numerator: u32, denominator: u32) -> bool {
    auth.threshold == threshold(world, numerator, denominator)
        && auth.keys.is_empty()
        && auth.waits.is_empty()
        && auth.accounts.len() == producer_names(world).len()
        && auth.accounts.iter().zip(producer_names(world)).all(|(factor, producer)| {
            factor.weight == 1 && factor.permission == PermissionLevel { actor: producer, permission: ACTIVE }
        })
}

fn producers_authority(world: &World, numerator: u32, denominator: u32) -> Authority {
    let factor = |actor| PermissionLevelWeight { permission: PermissionLevel { actor, permission: ACTIVE }, weight: 1 };
    Authority {
        threshold: threshold(world, numerator, denominator),
        keys: Vec::new(),
        accounts: producer_names(world).map(factor).collect(),
        waits: Vec::new(),
    }
}
