//! What snapshots before version 6 hold otherwise: the global properties, which grew with the versions. All other rows
//! are the same, but for the header state of version 2 (nodeos: controller.cpp `read_from_snapshot`). Sections of
//! features that are gone (`kv_object`) are passed over, as nodeos does.

use codec::Unpack;
use primitives::chain_config::ChainConfigV0;
use primitives::{ChainConfig, ChainId, Genesis, LegacySchedule, ProducerSchedule, WasmConfig};

use super::{GlobalProperty, KvDatabaseConfig, PROPERTY};
use crate::snapshot::format::{LAST_LEGACY, section};
use crate::snapshot::sections::{Result, Sections};

/// The one version after it without limits of contracts.
const LAST_WITHOUT_WASM_LIMITS: u32 = 3;
/// The one version after that without a limit of return values.
const LAST_WITHOUT_RETURN_VALUES: u32 = 4;

/// `snapshot_global_property_object_v2`.
#[derive(Unpack)]
struct GlobalV2 {
    proposed_schedule_block_num: Option<u32>,
    proposed_schedule: LegacySchedule,
    configuration: ChainConfigV0,
}

/// `snapshot_global_property_object_v3`.
#[derive(Unpack)]
struct GlobalV3 {
    proposed_schedule_block_num: Option<u32>,
    proposed_schedule: ProducerSchedule,
    configuration: ChainConfigV0,
    chain_id: ChainId,
}

/// `snapshot_global_property_object_v4`.
#[derive(Unpack)]
struct GlobalV4 {
    v3: GlobalV3,
    kv_configuration: KvDatabaseConfig,
    wasm_configuration: WasmConfig,
}

/// The global properties of a snapshot; what its version does not know yet has the values of a new chain.
pub fn read_property(sections: &Sections<'_>) -> Result<GlobalProperty> {
    let row = sections.get(PROPERTY)?;
    match sections.version {
        ..=LAST_LEGACY => {
            let chain_id = sections.get(section::GENESIS)?.only::<Genesis>()?.chain_id();
            row.only().map(|old: GlobalV2| {
                let GlobalV2 { proposed_schedule_block_num, proposed_schedule, configuration } = old;
                let proposed_schedule = ProducerSchedule::from(&proposed_schedule);
                GlobalV3 { proposed_schedule_block_num, proposed_schedule, configuration, chain_id }.into()
            })
        }
        LAST_WITHOUT_WASM_LIMITS => row.only::<GlobalV3>().map(GlobalProperty::from),
        LAST_WITHOUT_RETURN_VALUES => row.only().map(|GlobalV4 { v3, kv_configuration, wasm_configuration }| {
            GlobalProperty { kv_configuration, wasm_configuration, ..v3.into() }
        }),
        _ => row.only(),
    }
}

impl From<GlobalV3> for GlobalProperty {
    fn from(old: GlobalV3) -> Self {
        Self {
            proposed_schedule_block_num: old.proposed_schedule_block_num,
            proposed_schedule: old.proposed_schedule,
            configuration: ChainConfig { v0: old.configuration, ..ChainConfig::default() },
            chain_id: old.chain_id,
            kv_configuration: KvDatabaseConfig::default(),
            wasm_configuration: WasmConfig::default(),
        }
    }
}
