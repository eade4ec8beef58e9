//! Host functions for privileged contracts: features, resources, parameters, schedules, privileges.

use std::collections::BTreeSet;

use codec::{Pack, Reader, Unpack, VarUint32};
use ledger::{AccountId, Limits};
use primitives::{
    BlockSigningAuthority, ChainConfig, Checksum256, Fault, FaultKind, KeyWeight, Name, ProducerAuthority, ProducerKey,
    ProducerSchedule, WasmConfig, chain_config::ChainConfigV0, ensure,
};
use wasm::{Intrinsics, LegacyPtr, LegacySpan, Memory, Span};

use crate::fault::{Outcome, decode_fault, unpack_prefix};
use crate::features::Feature;
use crate::intrinsics::unpack::{UNCHECKED_ITEMS_MAX, unpack_list};
use crate::world::World;

/// Producers of a schedule.
const PRODUCERS_MAX: usize = 125;

pub(super) fn register(table: &mut Intrinsics<World>) {
    table
        .privileged("is_feature_active", |_: &mut World, _: &mut Memory<'_>, _feature: i64| Ok::<i32, Fault>(0))
        .privileged("activate_feature", activate_feature)
        .privileged("preactivate_feature", preactivate_feature)
        .since("PREACTIVATE_FEATURE")
        .privileged("set_resource_limits", set_resource_limits)
        .privileged("get_resource_limits", get_resource_limits)
        .privileged("get_parameters_packed", get_parameters_packed)
        .since("BLOCKCHAIN_PARAMETERS")
        .privileged("set_parameters_packed", set_parameters_packed)
        .since("BLOCKCHAIN_PARAMETERS")
        .privileged("get_wasm_parameters_packed", get_wasm_parameters_packed)
        .since("CONFIGURABLE_WASM_LIMITS2")
        .privileged("set_wasm_parameters_packed", set_wasm_parameters_packed)
        .since("CONFIGURABLE_WASM_LIMITS2")
        .privileged("set_proposed_producers", set_proposed_producers)
        .privileged("set_proposed_producers_ex", set_proposed_producers_ex)
        .since("WTMSIG_BLOCK_SIGNATURES")
        .privileged("get_blockchain_parameters_packed", get_blockchain_parameters_packed)
        .privileged("set_blockchain_parameters_packed", set_blockchain_parameters_packed)
        .privileged("is_privileged", |world: &mut World, _: &mut Memory<'_>, account: Name| {
            let account = world.known_account(account)?;
            Ok(world.ledger.account_metadata(account).is_privileged())
        })
        .privileged("set_privileged", set_privileged);
}

fn forbid_in_read_only(world: &World, function: &str) -> Outcome {
    ensure!(!world.is_read_only(), WASM_EXECUTION_ERROR, "{function} not allowed in a readonly transaction");
    Ok(())
}

// --- features

fn activate_feature(_: &mut World, _: &mut Memory<'_>, _feature: i64) -> Outcome {
    Err(Fault::new(FaultKind::UNSUPPORTED_FEATURE, "Unsupported Hardfork Detected"))
}

fn preactivate_feature(world: &mut World, memory: &mut Memory<'_>, digest: LegacyPtr<[u8; 32]>) -> Outcome {
    forbid_in_read_only(world, "preactivate_feature")?;
    world.preactivate_feature(Checksum256(digest.read(memory)))
}

impl World {
    /// Notes that the next block must activate a feature (`controller::preactivate_feature`).
    pub(crate) fn preactivate_feature(&mut self, digest: Checksum256) -> Outcome {
        let feature = self.settings.features.recognize(&digest, self.block.time()).map_err(|message| {
            let kind = if self.block.is_speculative() {
                FaultKind::SUBJECTIVE_BLOCK_PRODUCTION_EXCEPTION
            } else {
                FaultKind::PROTOCOL_FEATURE_BAD_BLOCK_EXCEPTION
            };
            Fault::new(kind, message)
        })?;
        ensure!(
            !self.is_active(feature),
            PROTOCOL_FEATURE_EXCEPTION,
            "protocol feature with digest '{digest}' is already activated"
        );
        let preactivated = &self.ledger.protocol_state().preactivated_protocol_features;
        ensure!(
            !preactivated.contains(&digest),
            PROTOCOL_FEATURE_EXCEPTION,
            "protocol feature with digest '{digest}' is already pre-activated"
        );
        let met = |on: &Feature| self.is_active(*on) || preactivated.contains(&on.digest());
        ensure!(
            feature.spec().dependencies.iter().all(met),
            PROTOCOL_FEATURE_EXCEPTION,
            "not all dependencies of protocol feature with digest '{digest}' have been activated or pre-activated"
        );
        self.ledger.modify_protocol_state(|state| state.preactivated_protocol_features.push(digest));
        Ok(())
    }
}

// --- resources and privileges

/// An account whose limits are asked for; the fault is that of the table the limits are in.
fn limited_account(world: &World, account: Name) -> Outcome<AccountId> {
    world.ledger.find_account(account).ok_or_else(|| {
        let nulls = ["boost::tuples::null_type"; 8].join(", ");
        let key = format!("boost::tuples::tuple<bool, eosio::chain::name, {nulls}>");
        Fault::standard(format!("unknown key ({key}): (0 {account})"))
    })
}

fn set_resource_limits(
    world: &mut World,
    _: &mut Memory<'_>,
    account: Name,
    ram_bytes: i64,
    net_weight: i64,
    cpu_weight: i64,
) -> Outcome {
    forbid_in_read_only(world, "set_resource_limits")?;
    for (value, what) in
        [(ram_bytes, "ram resource limit"), (net_weight, "net resource weight"), (cpu_weight, "cpu resource weight")]
    {
        ensure!(value >= -1, WASM_EXECUTION_ERROR, "invalid value for {what} expected [-1,INT64_MAX]");
    }
    let account = limited_account(world, account)?;
    if world.ledger.set_account_limits(account, Limits { net_weight, cpu_weight, ram_bytes }) {
        world.must_verify_ram(account);
    }
    Ok(())
}

fn get_resource_limits(
    world: &mut World,
    memory: &mut Memory<'_>,
    account: Name,
    ram_bytes: LegacyPtr<i64>,
    net_weight: LegacyPtr<i64>,
    cpu_weight: LegacyPtr<i64>,
) -> Outcome {
    let limits = world.ledger.account_limits(limited_account(world, account)?);
    ram_bytes.write(memory, limits.ram_bytes);
    net_weight.write(memory, limits.net_weight);
    cpu_weight.write(memory, limits.cpu_weight);
    Ok(())
}

fn set_privileged(world: &mut World, _: &mut Memory<'_>, account: Name, privileged: bool) -> Outcome {
    forbid_in_read_only(world, "set_privileged")?;
    let account = world.known_account(account)?;
    world.ledger.set_privileged(account, privileged);
    Ok(())
}

// --- parameters

fn get_blockchain_parameters_packed(world: &mut World, memory: &mut Memory<'_>, buffer: LegacySpan) -> Outcome<u32> {
    let packed = world.config().v0.to_bytes();
    if buffer.is_empty() {
        return Ok(packed.len() as u32);
    }
    if packed.len() > buffer.len() as usize {
        return Ok(0);
    }
    buffer.bytes_mut(memory)[..packed.len()].copy_from_slice(&packed);
    Ok(packed.len() as u32)
}

fn set_blockchain_parameters_packed(world: &mut World, memory: &mut Memory<'_>, packed: LegacySpan) -> Outcome {
    forbid_in_read_only(world, "set_blockchain_parameters_packed")?;
    let v0: ChainConfigV0 = unpack_prefix(packed.bytes(memory))?;
    v0.validate()?;
    world.ledger.modify_global_property(|property| property.configuration.v0 = v0);
    Ok(())
}

fn get_wasm_parameters_packed(
    world: &mut World,
    memory: &mut Memory<'_>,
    buffer: Span,
    _max_version: u32,
) -> Outcome<u32> {
    let packed = (0u32, &world.ledger.global_property().wasm_configuration).to_bytes();
    if packed.len() <= buffer.len() as usize {
        buffer.bytes_mut(memory)[..packed.len()].copy_from_slice(&packed);
    }
    Ok(packed.len() as u32)
}

fn set_wasm_parameters_packed(world: &mut World, memory: &mut Memory<'_>, packed: Span) -> Outcome {
    forbid_in_read_only(world, "set_wasm_parameters_packed")?;
    let bytes = packed.bytes(memory);
    let version: u32 = unpack_prefix(bytes)?;
    ensure!(version == 0, WASM_CONFIG_UNKNOWN_VERSION, "set_wasm_parameters_packed: Unknown version: {version}");
    let (_, config): (u32, WasmConfig) = unpack_prefix(bytes)?;
    config.validate()?;
    world.ledger.modify_global_property(|property| property.wasm_configuration = config);
    Ok(())
}

/// Number of parameters that have an id.
const PARAMETERS: u32 = 18;
/// The parameter of ACTION_RETURN_VALUE.
const MAX_ACTION_RETURN_VALUE_SIZE: u32 = 17;

/// Calls a macro-like visitor with the parameter of an id: `parameter!(config, id, field => expression)`.
macro_rules! parameter {
    ($config:expr, $id:expr, |$field:ident| $use:expr) => {
        match $id {
            0 => {
                let $field = &mut $config.v0.max_block_net_usage;
                $use
            }
            1 => {
                let $field = &mut $config.v0.target_block_net_usage_pct;
                $use
            }
            2 => {
                let $field = &mut $config.v0.max_transaction_net_usage;
                $use
            }
            3 => {
                let $field = &mut $config.v0.base_per_transaction_net_usage;
                $use
            }
            4 => {
                let $field = &mut $config.v0.net_usage_leeway;
                $use
            }
            5 => {
                let $field = &mut $config.v0.context_free_discount_net_usage_num;
                $use
            }
            6 => {
                let $field = &mut $config.v0.context_free_discount_net_usage_den;
                $use
            }
            7 => {
                let $field = &mut $config.v0.max_block_cpu_usage;
                $use
            }
            8 => {
                let $field = &mut $config.v0.target_block_cpu_usage_pct;
                $use
            }
            9 => {
                let $field = &mut $config.v0.max_transaction_cpu_usage;
                $use
            }
            10 => {
                let $field = &mut $config.v0.min_transaction_cpu_usage;
                $use
            }
            11 => {
                let $field = &mut $config.v0.max_transaction_lifetime;
                $use
            }
            12 => {
                let $field = &mut $config.v0.deferred_trx_expiration_window;
                $use
            }
            13 => {
                let $field = &mut $config.v0.max_transaction_delay;
                $use
            }
            14 => {
                let $field = &mut $config.v0.max_inline_action_size;
                $use
            }
            15 => {
                let $field = &mut $config.v0.max_inline_action_depth;
                $use
            }
            16 => {
                let $field = &mut $config.v0.max_authority_depth;
                $use
            }
            _ => {
                let $field = &mut $config.max_action_return_value_size;
                $use
            }
        }
    };
}

/// A parameter's id must be known, named once, and switched on.
fn check_parameter(world: &World, id: u32, seen: &mut u32) -> Outcome {
    ensure!(id < PARAMETERS, CONFIG_PARSE_ERROR, "provided id {id} should be less than {PARAMETERS}");
    ensure!(*seen & (1 << id) == 0, CONFIG_PARSE_ERROR, "duplicate id provided: {id}");
    *seen |= 1 << id;
    ensure!(
        id != MAX_ACTION_RETURN_VALUE_SIZE || world.is_active(Feature::ActionReturnValue),
        UNSUPPORTED_FEATURE,
        "config id {id} is no allowed"
    );
    Ok(())
}

fn get_parameters_packed(world: &mut World, memory: &mut Memory<'_>, ids: Span, buffer: Span) -> Outcome<u32> {
    let ids: Vec<VarUint32> = unpack_prefix(ids.bytes(memory))?;
    let mut config: ChainConfig = world.config().clone();
    let mut packed = VarUint32(ids.len() as u32).to_bytes();
    let mut seen = 0;
    for id in ids {
        check_parameter(world, id.0, &mut seen)?;
        id.pack(&mut packed);
        parameter!(config, id.0, |value| value.pack(&mut packed));
    }
    if buffer.is_empty() {
        return Ok(packed.len() as u32);
    }
    ensure!(
        packed.len() <= buffer.len() as usize,
        CONFIG_PARSE_ERROR,
        "get_parameters_packed: buffer size is smaller than {}",
        packed.len()
    );
    buffer.bytes_mut(memory)[..packed.len()].copy_from_slice(&packed);
    Ok(packed.len() as u32)
}

fn set_parameters_packed(world: &mut World, memory: &mut Memory<'_>, packed: Span) -> Outcome {
    forbid_in_read_only(world, "set_parameters_packed")?;
    let bytes = packed.bytes(memory);
    let fault = |error| decode_fault(error, bytes.len());
    let mut input = Reader::new(bytes);
    let mut config: ChainConfig = world.config().clone();
    let mut seen = 0;
    for _ in 0..VarUint32::unpack(&mut input).map_err(fault)?.0 {
        let id = VarUint32::unpack(&mut input).map_err(fault)?.0;
        check_parameter(world, id, &mut seen)?;
        parameter!(config, id, |value| *value = Unpack::unpack(&mut input).map_err(fault)?);
    }
    config.validate()?;
    world.ledger.modify_global_property(|property| property.configuration = config);
    Ok(())
}

// --- schedules

fn set_proposed_producers(world: &mut World, memory: &mut Memory<'_>, packed: LegacySpan) -> Outcome<i64> {
    forbid_in_read_only(world, "set_proposed_producers")?;
    propose_legacy(world, packed.bytes(memory))
}

fn propose_legacy(world: &mut World, packed: &[u8]) -> Outcome<i64> {
    let mut producers = Vec::new();
    let with_authority = |producer: ProducerKey| ProducerAuthority {
        producer_name: producer.producer_name,
        authority: BlockSigningAuthority::V0 {
            threshold: 1,
            keys: vec![KeyWeight { key: producer.block_signing_key, weight: 1 }],
        },
    };
    unpack_list(packed, &|| world.checktime(), |producer| producers.push(with_authority(producer)))?;
    propose(world, producers, true)
}

fn set_proposed_producers_ex(
    world: &mut World,
    memory: &mut Memory<'_>,
    format: u64,
    packed: LegacySpan,
) -> Outcome<i64> {
    forbid_in_read_only(world, "set_proposed_producers_ex")?;
    match format {
        0 => propose_legacy(world, packed.bytes(memory)),
        1 => {
            let mut producers = Vec::new();
            unpack_list(packed.bytes(memory), &|| world.checktime(), |producer| producers.push(producer))?;
            propose(world, producers, false)
        }
        _ => Err(Fault::new(FaultKind::WASM_EXECUTION_ERROR, "Producer schedule is in an unknown format!")),
    }
}

fn propose(world: &mut World, producers: Vec<ProducerAuthority>, check_keys: bool) -> Outcome<i64> {
    ensure!(
        producers.len() <= PRODUCERS_MAX,
        WASM_EXECUTION_ERROR,
        "Producer schedule exceeds the maximum producer count for this chain"
    );
    ensure!(
        !producers.is_empty() || !world.is_active(Feature::DisallowEmptyProducerSchedule),
        WASM_EXECUTION_ERROR,
        "Producer schedule cannot be empty"
    );
    let mut names = BTreeSet::new();
    for producer in &producers {
        let exists = world.ledger.find_account(producer.producer_name).is_some();
        ensure!(exists, WASM_EXECUTION_ERROR, "producer schedule includes a nonexisting account");
        check_signing_authority(world, producer, check_keys)?;
        names.insert(producer.producer_name);
    }
    let unique = names.len() == producers.len();
    ensure!(unique, WASM_EXECUTION_ERROR, "duplicate producer name in producer schedule");
    Ok(world.propose_schedule(producers))
}

fn check_signing_authority(world: &World, producer: &ProducerAuthority, check_keys: bool) -> Outcome {
    let account = producer.producer_name;
    let BlockSigningAuthority::V0 { threshold, keys } = &producer.authority;
    let supported = world.ledger.protocol_state().num_supported_key_types as usize;
    let (mut sum, mut unique) = (0u32, BTreeSet::new());
    for (at, weight) in keys.iter().enumerate() {
        if at % UNCHECKED_ITEMS_MAX == 0 {
            world.checktime()?;
        }
        ensure!(
            weight.key.which() < supported,
            UNACTIVATED_KEY_TYPE,
            "Unactivated key type used in proposed producer schedule"
        );
        ensure!(
            !check_keys || weight.key.is_valid(),
            WASM_EXECUTION_ERROR,
            "producer schedule includes an invalid key"
        );
        sum = sum.saturating_add(u32::from(weight.weight));
        unique.insert(&weight.key);
    }
    ensure!(
        unique.len() == keys.len(),
        WASM_EXECUTION_ERROR,
        "producer schedule includes a duplicated key for {account}"
    );
    ensure!(
        *threshold > 0,
        WASM_EXECUTION_ERROR,
        "producer schedule includes an authority with a threshold of 0 for {account}"
    );
    ensure!(
        sum >= *threshold,
        WASM_EXECUTION_ERROR,
        "producer schedule includes an unsatisfiable authority for {account}"
    );
    Ok(())
}

impl World {
    /// Proposes a schedule (`controller::set_proposed_producers`): its version, or -1 where nothing would change or
    /// another one is under way.
    fn propose_schedule(&mut self, producers: Vec<ProducerAuthority>) -> i64 {
        if producers.is_empty() && self.is_active(Feature::DisallowEmptyProducerSchedule) {
            return -1;
        }
        let block_num = self.block.number;
        let property = self.ledger.global_property();
        if let Some(proposed_in) = property.proposed_schedule_block_num
            && (proposed_in != block_num || property.proposed_schedule.producers == producers)
        {
            return -1;
        }
        let current = if self.block.pending_schedule.producers.is_empty() {
            &self.block.active_schedule
        } else {
            &self.block.pending_schedule
        };
        if current.producers == producers {
            return -1;
        }
        let version = current.version.wrapping_add(1);
        self.ledger.modify_global_property(|property| {
            property.proposed_schedule_block_num = Some(block_num);
            property.proposed_schedule = ProducerSchedule { version, producers };
        });
        i64::from(version)
    }
}
