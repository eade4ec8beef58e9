//! The tables of a chain that begins (nodeos: controller.cpp `initialize_database`, `create_native_account`).

use primitives::{Authority, BlockId, BlockTimestamp, Bytes, ChainConfig, ChainId, Fault, Genesis, KeyWeight, Name};
use primitives::{PermissionLevel, PermissionLevelWeight, TimePoint, WasmConfig};
use statedb::{Epoch, Journal, OrderedTable};

use crate::config::*;
use crate::keys::{AccountId, PermissionId};
use crate::{GlobalProperty, Ledger, ResourceConfig, ResourceState};

/// `max_action_return_value_size` of a chain that has not set it.
pub const DEFAULT_MAX_ACTION_RETURN_VALUE_SIZE: u32 = 256;

/// Limits of contracts of a chain that has not set them.
pub const DEFAULT_WASM_CONFIG: WasmConfig = WasmConfig {
    max_mutable_global_bytes: 1024,
    max_table_elements: 1024,
    max_section_elements: 8192,
    max_linear_memory_init: 64 * 1024,
    max_func_local_bytes: 8192,
    max_nested_structures: 1024,
    max_symbol_bytes: 8192,
    max_module_bytes: 20 * 1024 * 1024,
    max_code_bytes: 20 * 1024 * 1024,
    max_pages: 528,
    max_call_depth: 251,
};

/// What the ledger cannot know of a new chain.
#[derive(Debug)]
pub struct GenesisArgs<'a> {
    /// The genesis document.
    pub genesis: &'a Genesis,
    /// The chain's id, which follows from it.
    pub chain_id: ChainId,
    /// Id of block 1.
    pub head_id: BlockId,
    /// The packed ABI of `eosio` (`eosio_abi_bin`: its bytes are part of the state).
    pub system_abi: &'a [u8],
    /// Host functions that contracts may import from the start.
    pub intrinsics: &'a [&'a str],
}

impl Ledger {
    /// The state after block 1. Nothing of it can be undone.
    ///
    /// # Errors
    /// A fault when the genesis' own key is of a kind that is not yet switched on.
    pub fn from_genesis(args: &GenesisArgs<'_>) -> Result<Self, Fault> {
        let global = GlobalProperty {
            proposed_schedule_block_num: None,
            proposed_schedule: Default::default(),
            configuration: ChainConfig {
                v0: args.genesis.initial_configuration.clone(),
                max_action_return_value_size: DEFAULT_MAX_ACTION_RETURN_VALUE_SIZE,
            },
            chain_id: args.chain_id,
            kv_configuration: Default::default(),
            wasm_configuration: DEFAULT_WASM_CONFIG,
        };
        let mut ledger = Self::empty();
        *ledger.global_property = global;
        ledger.protocol_state.num_supported_key_types = GENESIS_KEY_TYPES;
        ledger.protocol_state.whitelisted_intrinsics = args.intrinsics.iter().map(|&name| name.to_owned()).collect();
        ledger.set_block_summary(1, args.head_id);
        ledger.create_native_accounts(args)?;
        ledger.journal = Journal::default();
        Ok(ledger)
    }

    /// No rows but those of the tables that always have one.
    pub(crate) fn empty() -> Self {
        let resource_config = ResourceConfig::default();
        let resource_state = ResourceState {
            virtual_net_limit: resource_config.net.max,
            virtual_cpu_limit: resource_config.cpu.max,
            ..ResourceState::default()
        };
        Self {
            journal: Journal::default(),
            squashed: Default::default(),
            epoch: Epoch::default(),
            dirty: Vec::new(),
            dirty_max: crate::checkpoint::DIRTY_MAX,
            checkpointed: false,
            saved: 0,
            saved_undone: false,
            accounts: Default::default(),
            next_ram_correction: 0,
            pending_limits: OrderedTable::default(),
            codes: Default::default(),
            permissions: Default::default(),
            links: OrderedTable::default(),
            next_link_order: 0,
            contracts: Default::default(),
            generated: Default::default(),
            dedup: Default::default(),
            block_summaries: Default::default(),
            global_property: Box::default(),
            global_action_sequence: 0,
            protocol_state: Box::default(),
            resource_config,
            resource_state,
        }
    }

    fn create_native_accounts(&mut self, args: &GenesisArgs<'_>) -> Result<(), Fault> {
        let time = args.genesis.initial_timestamp;
        let key = KeyWeight { key: args.genesis.initial_key.clone(), weight: 1 };
        let system = Authority { threshold: 1, keys: vec![key], accounts: vec![], waits: vec![] };
        let nobody = Authority { threshold: 1, ..Authority::default() };
        let active_of_system = PermissionLevel { actor: SYSTEM_ACCOUNT, permission: ACTIVE };
        let producers = Authority {
            accounts: vec![PermissionLevelWeight { permission: active_of_system, weight: 1 }],
            ..nobody.clone()
        };
        let (account, _) = self.create_native_account(SYSTEM_ACCOUNT, system.clone(), system, time)?;
        self.set_abi(account, Bytes(args.system_abi.to_vec()));
        self.set_privileged(account, true);
        self.create_native_account(NULL_ACCOUNT, nobody.clone(), nobody.clone(), time)?;
        let (account, active) = self.create_native_account(PRODUCERS_ACCOUNT, nobody, producers.clone(), time)?;
        let majority = self.create_permission(account, MAJORITY_PRODUCERS, active, producers.clone(), time)?;
        self.create_permission(account, MINORITY_PRODUCERS, majority, producers, time)?;
        Ok(())
    }

    /// An account with `owner` and `active`, billed for its RAM; returns `active` with it.
    fn create_native_account(
        &mut self,
        name: Name,
        owner: Authority,
        active: Authority,
        time: TimePoint,
    ) -> Result<(AccountId, PermissionId), Fault> {
        let authorities = authority_ram_bytes(&owner) + authority_ram_bytes(&active);
        let account = self.create_account(name, BlockTimestamp::at(time));
        let owner = self.create_permission(account, OWNER, PermissionId::NONE, owner, time)?;
        let active = self.create_permission(account, ACTIVE, owner, active, time)?;
        self.add_pending_ram_usage(account, ACCOUNT_RAM_BYTES + 2 * PERMISSION_RAM_BYTES + authorities)?;
        self.verify_account_ram_usage(account)?;
        Ok((account, active))
    }
}
