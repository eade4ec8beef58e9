//! Tables with one row, and the ring of recent block ids.

mod older;

use codec::{Pack, Unpack};
use primitives::{BlockId, ChainConfig, ChainId, Checksum256, ProducerSchedule, WasmConfig};
use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::Ledger;
use crate::checkpoint::error::{self, unpack};
use crate::checkpoint::key::row_key;
use crate::checkpoint::row::{CheckpointKey, Handles, RowsBefore, single_row};
use crate::config::BLOCK_SUMMARIES;
use crate::deltas::rows::{Before, ChangesOf, DeltaTable, Never, VERSION_0, VERSION_1};
use crate::snapshot::rows::TableSection;
use crate::snapshot::sections::{Result, Sections};
use crate::undo::seen::Seen;

/// What a producer, a feature or the name of a host function takes, about.
const ITEM_BYTES: usize = 64;

/// `kv_database_config`: without meaning since the key-value tables were withdrawn; part of the state all the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct KvDatabaseConfig {
    /// Unused.
    pub max_key_size: u32,
    /// Unused.
    pub max_value_size: u32,
    /// Unused.
    pub max_iterators: u32,
}

/// `global_property_object`, in the order of its snapshot row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct GlobalProperty {
    /// The block that proposed a schedule, while it is not taken up.
    pub proposed_schedule_block_num: Option<u32>,
    /// The proposed schedule.
    pub proposed_schedule: ProducerSchedule,
    /// The chain's parameters.
    pub configuration: ChainConfig,
    /// The chain's id.
    pub chain_id: ChainId,
    /// Unused.
    pub kv_configuration: KvDatabaseConfig,
    /// Limits of contracts.
    pub wasm_configuration: WasmConfig,
}

/// A protocol feature and the block that switched it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack)]
pub struct ActivatedFeature {
    /// The feature's digest.
    pub feature_digest: Checksum256,
    /// The block.
    pub activation_block_num: u32,
}

/// `protocol_state_object`, in the order of its snapshot row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProtocolState {
    /// Features in the order of their activation.
    pub activated_protocol_features: Vec<ActivatedFeature>,
    /// Features that the next block may switch on.
    pub preactivated_protocol_features: Vec<Checksum256>,
    /// Host functions that contracts may import.
    pub whitelisted_intrinsics: BTreeSet<String>,
    /// Kinds of keys that may be used.
    pub num_supported_key_types: u32,
}

impl Pack for ProtocolState {
    fn pack<S: codec::Sink + ?Sized>(&self, out: &mut S) {
        self.activated_protocol_features.pack(out);
        self.preactivated_protocol_features.pack(out);
        codec::VarUint32(self.whitelisted_intrinsics.len() as u32).pack(out);
        self.whitelisted_intrinsics.iter().for_each(|name| name.pack(out));
        self.num_supported_key_types.pack(out);
    }
}

impl Unpack for ProtocolState {
    fn unpack(input: &mut codec::Reader<'_>) -> std::result::Result<Self, codec::DecodeError> {
        Ok(Self {
            activated_protocol_features: Unpack::unpack(input)?,
            preactivated_protocol_features: Unpack::unpack(input)?,
            whitelisted_intrinsics: Vec::<String>::unpack(input)?.into_iter().collect(),
            num_supported_key_types: Unpack::unpack(input)?,
        })
    }
}

/// The ring of recent block ids, for TaPoS: slot = low 16 bits of the block's number.
#[derive(Debug)]
pub(crate) struct BlockSummaries(pub Box<[BlockId]>);

impl Default for BlockSummaries {
    fn default() -> Self {
        Self(vec![BlockId::default(); BLOCK_SUMMARIES].into_boxed_slice())
    }
}

/// How a change of a table with one row, or of the ring of block ids, is undone.
#[derive(Debug)]
pub enum GlobalUndo {
    /// One action was executed.
    Sequence,
    /// Global properties before a change.
    Property(Box<GlobalProperty>),
    /// Protocol features before a change.
    Protocol(Box<ProtocolState>),
    /// A ring entry before a change.
    BlockSummary(u16, BlockId),
}

impl GlobalUndo {
    /// Bytes on the heap, about.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Property(old) => size_of_val(&**old) + ITEM_BYTES * old.proposed_schedule.producers.len(),
            Self::Protocol(old) => {
                let features = old.preactivated_protocol_features.len() + old.activated_protocol_features.len();
                size_of_val(&**old) + ITEM_BYTES * (features + old.whitelisted_intrinsics.len())
            }
            Self::Sequence | Self::BlockSummary(..) => 0,
        }
    }

    /// Whether this is still needed, given what earlier entries of the block say.
    pub(crate) fn is_needed(&mut self, seen: &mut (impl Seen<PropertyKey> + Seen<ProtocolKey>)) -> bool {
        match self {
            Self::Property(_) => seen.first(PropertyKey {}),
            Self::Protocol(_) => seen.first(ProtocolKey {}),
            Self::Sequence | Self::BlockSummary(..) => true,
        }
    }
}

impl Ledger {
    /// Parameters, proposed schedule, chain id.
    #[inline]
    pub fn global_property(&self) -> &GlobalProperty {
        &self.global_property
    }

    /// Changes parameters or the proposed schedule.
    pub fn modify_global_property(&mut self, change: impl FnOnce(&mut GlobalProperty)) {
        self.journal.push(GlobalUndo::Property(self.global_property.clone()).into());
        change(&mut self.global_property);
    }

    /// Protocol features and what they switched on.
    #[inline]
    pub fn protocol_state(&self) -> &ProtocolState {
        &self.protocol_state
    }

    /// Changes the protocol features.
    pub fn modify_protocol_state(&mut self, change: impl FnOnce(&mut ProtocolState)) {
        self.journal.push(GlobalUndo::Protocol(self.protocol_state.clone()).into());
        change(&mut self.protocol_state);
    }

    /// Actions executed on the chain.
    #[inline]
    pub fn global_action_sequence(&self) -> u64 {
        self.global_action_sequence
    }

    /// Counts an action; returns the new number.
    #[inline]
    pub fn next_global_sequence(&mut self) -> u64 {
        self.journal.push(GlobalUndo::Sequence.into());
        self.global_action_sequence += 1;
        self.global_action_sequence
    }

    /// The id of a recent block by the low 16 bits of its number.
    #[inline]
    pub fn block_summary(&self, slot: u16) -> BlockId {
        self.block_summaries.0[usize::from(slot)]
    }

    /// Stores the id of a recent block by the low 16 bits of its number (`create_block_summary`).
    pub fn set_block_summary(&mut self, slot: u16, id: BlockId) {
        let old = std::mem::replace(&mut self.block_summaries.0[usize::from(slot)], id);
        self.journal.push(GlobalUndo::BlockSummary(slot, old).into());
        self.mark_dirty(BlockSummaryKey { slot });
    }

    pub(crate) fn undo_global(&mut self, undo: GlobalUndo) {
        match undo {
            GlobalUndo::Sequence => self.global_action_sequence -= 1,
            GlobalUndo::Property(old) => self.global_property = old,
            GlobalUndo::Protocol(old) => self.protocol_state = old,
            GlobalUndo::BlockSummary(slot, old) => self.block_summaries.0[usize::from(slot)] = old,
        }
    }
}

const PROPERTY: &str = "eosio::chain::global_property_object";
const PROTOCOL: &str = "eosio::chain::protocol_state_object";
const SEQUENCE: &str = "eosio::chain::dynamic_global_property_object";
const BLOCK_SUMMARY: &str = "eosio::chain::block_summary_object";

/// Global properties in snapshots.
pub(crate) const PROPERTY_SECTION: TableSection = TableSection {
    name: PROPERTY,
    write: |source, rows| rows.pack(&source.ledger.global_property),
    read: |ledger, sections| older::read_property(sections).map(|property| *ledger.global_property = property),
};
/// Protocol features in snapshots.
pub(crate) const PROTOCOL_SECTION: TableSection = TableSection {
    name: PROTOCOL,
    write: |source, rows| rows.pack(&source.ledger.protocol_state),
    read: |ledger, sections| sections.get(PROTOCOL)?.only().map(|state| *ledger.protocol_state = state),
};
/// The number of actions in snapshots.
pub(crate) const SEQUENCE_SECTION: TableSection = TableSection {
    name: SEQUENCE,
    write: |source, rows| rows.pack(&source.ledger.global_action_sequence),
    read: |ledger, sections| sections.get(SEQUENCE)?.only().map(|sequence| ledger.global_action_sequence = sequence),
};
/// The ring of block ids in snapshots.
pub(crate) const BLOCK_SUMMARY_SECTION: TableSection = TableSection {
    name: BLOCK_SUMMARY,
    write: |source, rows| source.ledger.block_summaries.0.iter().for_each(|id| rows.pack(id)),
    read: read_block_summaries,
};

fn read_block_summaries(ledger: &mut Ledger, sections: &Sections<'_>) -> Result<()> {
    let section = sections.get(BLOCK_SUMMARY)?;
    section.ensure(section.rows == BLOCK_SUMMARIES as u64, || format!("there are not {BLOCK_SUMMARIES} rows"))?;
    let mut slots = 0..;
    section.each(|_, id: BlockId| {
        ledger.block_summaries.0[slots.next().unwrap_or_default()] = id;
        Ok(())
    })
}

single_row! {
    /// Global properties.
    PropertyKey: GlobalProperty, ledger => *ledger.global_property
}
single_row! {
    /// Protocol features.
    ProtocolKey: ProtocolState, ledger => *ledger.protocol_state
}
single_row! {
    /// The number of actions.
    SequenceKey: u64, ledger => ledger.global_action_sequence
}
row_key! {
    /// An entry of the ring of block ids.
    BlockSummaryKey { slot: u16 }
}

impl CheckpointKey for BlockSummaryKey {
    type Image<'a> = BlockId;

    fn all(ledger: &Ledger) -> impl Iterator<Item = Self> {
        let known = |slot: &u16| ledger.block_summary(*slot) != BlockId::default();
        (0..=u16::MAX).filter(known).map(|slot| Self { slot })
    }

    fn image(self, ledger: &Ledger) -> Option<BlockId> {
        Some(ledger.block_summary(self.slot))
    }

    fn pack(image: &BlockId, _handles: &Handles<'_>) -> Vec<u8> {
        image.to_bytes()
    }

    fn load(self, ledger: &mut Ledger, value: &[u8]) -> error::Result<()> {
        ledger.block_summaries.0[usize::from(self.slot)] = unpack(value)?;
        Ok(())
    }

    fn unload(self, ledger: &mut Ledger, _comes_back: bool) -> error::Result<()> {
        ledger.block_summaries.0[usize::from(self.slot)] = BlockId::default();
        Ok(())
    }
}

impl GlobalUndo {
    /// What the rows were before this change.
    pub(crate) fn step<'a>(
        &'a self,
        then: &mut (
                 impl RowsBefore<'a, PropertyKey>
                 + RowsBefore<'a, ProtocolKey>
                 + RowsBefore<'a, SequenceKey>
                 + RowsBefore<'a, BlockSummaryKey>
             ),
    ) {
        match self {
            Self::Property(old) => then.set(PropertyKey {}, Some(Cow::Borrowed(old))),
            Self::Protocol(old) => then.set(ProtocolKey {}, Some(Cow::Borrowed(old))),
            Self::BlockSummary(slot, old) => then.set(BlockSummaryKey { slot: *slot }, Some(*old)),
            Self::Sequence => then.change(SequenceKey {}, |sequence| *sequence.to_mut() -= 1),
        }
    }
}

/// `global_property`.
pub(crate) struct PropertyDelta;

/// `protocol_state`.
pub(crate) struct ProtocolDelta;

impl DeltaTable for PropertyDelta {
    const NAME: &'static str = "global_property";
    type Key = ();
    type Old<'a> = ();
    type Gone<'a> = Never;

    fn keys(_ledger: &Ledger) -> Vec<()> {
        vec![()]
    }

    fn write(ledger: &Ledger, (): (), out: &mut Vec<u8>) {
        let property = ledger.global_property();
        VERSION_1.pack(out);
        property.proposed_schedule_block_num.pack(out);
        property.proposed_schedule.pack(out);
        VERSION_1.pack(out);
        property.configuration.pack(out);
        property.chain_id.pack(out);
        VERSION_0.pack(out);
        property.wasm_configuration.pack(out);
    }

    fn write_gone(_ledger: &Ledger, gone: &Never, _before: &Before, _out: &mut Vec<u8>) {
        match *gone {}
    }
}

impl DeltaTable for ProtocolDelta {
    const NAME: &'static str = "protocol_state";
    type Key = ();
    type Old<'a> = &'a ProtocolState;
    type Gone<'a> = Never;

    fn keys(_ledger: &Ledger) -> Vec<()> {
        vec![()]
    }

    fn is_told(ledger: &Ledger, (): (), old: Option<&&ProtocolState>, _before: &Before) -> bool {
        let now = &ledger.protocol_state().activated_protocol_features;
        old.is_some_and(|old| old.activated_protocol_features != *now)
    }

    fn write(ledger: &Ledger, (): (), out: &mut Vec<u8>) {
        let features = &ledger.protocol_state().activated_protocol_features;
        VERSION_0.pack(out);
        codec::VarUint32(features.len() as u32).pack(out);
        features.iter().for_each(|feature| (VERSION_0, *feature).pack(out));
    }

    fn write_gone(_ledger: &Ledger, gone: &Never, _before: &Before, _out: &mut Vec<u8>) {
        match *gone {}
    }
}

impl GlobalUndo {
    /// Says which rows this is of.
    pub(crate) fn tell<'a>(&'a self, walk: &mut (impl ChangesOf<'a, PropertyDelta> + ChangesOf<'a, ProtocolDelta>)) {
        match self {
            Self::Property(_) => ChangesOf::<PropertyDelta>::changed(walk, ()),
            Self::Protocol(old) => ChangesOf::<ProtocolDelta>::changed_from(walk, (), &**old),
            Self::Sequence | Self::BlockSummary(..) => {}
        }
    }
}
