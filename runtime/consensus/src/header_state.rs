//! What a node remembers of a block to judge the next header: nodeos' `block_header_state`, field for field.
//! Its binary form is a section of snapshots and of the integrity hash. The step to the next block is in `pending`.

use std::collections::BTreeMap;
use std::sync::Arc;

use codec::{DecodeError, Pack, Reader, Sink, Unpack};
use primitives::block::SignedBlockHeader;
use primitives::merkle::IncrementalMerkle;
use primitives::{
    BlockHeader, BlockId, BlockSigningAuthority, BlockTimestamp, Checksum256, Name, ProducerAuthority,
    ProducerSchedule, Signature,
};

/// The decoded extensions of a header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderExtensions {
    /// Features that the block activates, in order; `None` without the extension.
    pub protocol_features: Option<Vec<Checksum256>>,
    /// A new schedule with signing authorities.
    pub new_schedule: Option<ProducerSchedule>,
}

/// Blocks in a row by one producer (`producer_repetitions`).
pub const PRODUCER_REPETITIONS: u32 = 12;
/// Producers that a schedule holds at most.
pub const MAX_PRODUCERS: usize = 125;
/// Confirmation counters that are kept at most.
pub const MAX_TRACKED_DPOS_CONFIRMATIONS: usize = 1024;
/// The account of the system, first producer of every chain: `eosio`.
pub const SYSTEM_ACCOUNT: Name = Name(0x5530_ea00_0000_0000);

/// Digests of the protocol features that are active, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeatureSet(Vec<Checksum256>);

impl FeatureSet {
    /// Whether the feature with this digest is active.
    pub fn contains(&self, digest: &Checksum256) -> bool {
        self.0.binary_search(digest).is_ok()
    }

    /// The digests, ascending.
    pub fn digests(&self) -> &[Checksum256] {
        &self.0
    }

    /// This set with more features.
    #[must_use]
    pub fn with(&self, more: &[Checksum256]) -> Self {
        let mut digests: Vec<_> = self.0.iter().chain(more).copied().collect();
        digests.sort_unstable();
        digests.dedup();
        Self(digests)
    }
}

/// A schedule that waits to become active, and where it was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleInfo {
    /// The block that announced it (`schedule_lib_num`).
    pub schedule_lib_num: u32,
    /// The hash of the last announced schedule; producers sign it with each block.
    pub schedule_hash: Checksum256,
    /// The schedule; without producers once it has become active.
    pub schedule: Arc<ProducerSchedule>,
}

/// The state of the header chain after one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockHeaderState {
    /// The block's number.
    pub block_num: u32,
    /// The block that enough producers have confirmed.
    pub dpos_proposed_irreversible_blocknum: u32,
    /// The block that cannot be undone any more.
    pub dpos_irreversible_blocknum: u32,
    /// Who produces after this block.
    pub active_schedule: Arc<ProducerSchedule>,
    /// All block ids before this one.
    pub blockroot_merkle: IncrementalMerkle,
    /// The last block of each producer.
    pub producer_to_last_produced: BTreeMap<Name, u32>,
    /// What each producer's last block implied to be irreversible.
    pub producer_to_last_implied_irb: BTreeMap<Name, u32>,
    /// Who had to sign this block.
    pub valid_block_signing_authority: BlockSigningAuthority,
    /// Confirmations that the latest blocks still need, the newest last.
    pub confirm_count: Vec<u8>,
    /// The block's id.
    pub id: BlockId,
    /// The block's header with its first signature.
    pub header: SignedBlockHeader,
    /// The announced schedule.
    pub pending_schedule: ScheduleInfo,
    /// Features that are active in this block.
    pub activated_protocol_features: Arc<FeatureSet>,
    /// Signatures after the first.
    pub additional_signatures: Vec<Signature>,
    /// The header's extensions, decoded; no part of the binary form.
    pub extensions: HeaderExtensions,
}

impl BlockHeaderState {
    /// The header without its signature.
    pub fn block_header(&self) -> &BlockHeader {
        &self.header.header
    }

    /// The block's slot.
    pub fn timestamp(&self) -> BlockTimestamp {
        self.header.header.timestamp
    }

    /// The id of the block before.
    pub fn previous(&self) -> BlockId {
        self.header.header.previous
    }

    /// The producer of a slot after this block (`get_scheduled_producer`).
    pub fn scheduled_producer(&self, slot: BlockTimestamp) -> &ProducerAuthority {
        let producers = &self.active_schedule.producers;
        let turns = u32::try_from(producers.len()).expect("a schedule holds at most 125 producers");
        let index = slot.0 % (turns * PRODUCER_REPETITIONS) / PRODUCER_REPETITIONS;
        &producers[index as usize]
    }

    /// What becomes irreversible when `producer` produces the next block (`calc_dpos_last_irreversible`).
    ///
    /// More than two thirds of the producers must have implied it: the value a third up the sorted list.
    pub fn irreversible_after(&self, producer: Name) -> u32 {
        let mut implied: Vec<u32> = self
            .producer_to_last_implied_irb
            .iter()
            .map(|(name, block)| if *name == producer { self.dpos_proposed_irreversible_blocknum } else { *block })
            .collect();
        if implied.is_empty() {
            return 0;
        }
        implied.sort_unstable();
        implied[(implied.len() - 1) / 3]
    }

    /// Whether an announced schedule waits.
    pub fn has_pending_producers(&self) -> bool {
        !self.pending_schedule.schedule.producers.is_empty()
    }

    /// The `confirmed` value of a block that its producer builds on this one (producer plugin's rule).
    ///
    /// `watermark` is the highest block that this node has ever signed for the producer. Without one nothing is
    /// confirmed; otherwise the blocks since then, but none that is irreversible already.
    pub fn blocks_to_confirm(&self, watermark: Option<u32>) -> u16 {
        let Some(watermark) = watermark.filter(|&signed| signed < self.block_num) else { return 0 };
        let since_signed = (self.block_num - watermark).min(u32::from(u16::MAX));
        let reversible = self.block_num.saturating_sub(self.dpos_irreversible_blocknum);
        u16::try_from(since_signed.min(reversible)).expect("limited to 65535 above")
    }
}

impl Pack for BlockHeaderState {
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        self.block_num.pack(out);
        self.dpos_proposed_irreversible_blocknum.pack(out);
        self.dpos_irreversible_blocknum.pack(out);
        (*self.active_schedule).pack(out);
        self.blockroot_merkle.pack(out);
        self.producer_to_last_produced.pack(out);
        self.producer_to_last_implied_irb.pack(out);
        self.valid_block_signing_authority.pack(out);
        self.confirm_count.pack(out);
        self.id.pack(out);
        self.header.pack(out);
        self.pending_schedule.schedule_lib_num.pack(out);
        self.pending_schedule.schedule_hash.pack(out);
        (*self.pending_schedule.schedule).pack(out);
        // A shared pointer: a flag, then the set.
        true.pack(out);
        self.activated_protocol_features.0.pack(out);
        self.additional_signatures.pack(out);
    }
}

impl Unpack for BlockHeaderState {
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let state = Self {
            block_num: Unpack::unpack(input)?,
            dpos_proposed_irreversible_blocknum: Unpack::unpack(input)?,
            dpos_irreversible_blocknum: Unpack::unpack(input)?,
            active_schedule: Arc::new(unpack_schedule(input)?),
            blockroot_merkle: Unpack::unpack(input)?,
            producer_to_last_produced: Unpack::unpack(input)?,
            producer_to_last_implied_irb: Unpack::unpack(input)?,
            valid_block_signing_authority: Unpack::unpack(input)?,
            confirm_count: Unpack::unpack(input)?,
            id: Unpack::unpack(input)?,
            header: Unpack::unpack(input)?,
            pending_schedule: ScheduleInfo {
                schedule_lib_num: Unpack::unpack(input)?,
                schedule_hash: Unpack::unpack(input)?,
                schedule: Arc::new(unpack_schedule(input)?),
            },
            activated_protocol_features: Arc::new(FeatureSet(
                Option::<Vec<Checksum256>>::unpack(input)?.unwrap_or_default(),
            )),
            additional_signatures: Unpack::unpack(input)?,
            extensions: HeaderExtensions::default(),
        };
        if state.active_schedule.producers.is_empty() {
            return Err(DecodeError::Invalid("header state without active producers"));
        }
        if !state.activated_protocol_features.0.is_sorted() {
            return Err(DecodeError::Invalid("header state with unsorted protocol features"));
        }
        Ok(state)
    }
}

fn unpack_schedule(input: &mut Reader<'_>) -> Result<ProducerSchedule, DecodeError> {
    let schedule = ProducerSchedule::unpack(input)?;
    if schedule.producers.len() > MAX_PRODUCERS {
        return Err(DecodeError::Invalid("schedule with more than 125 producers"));
    }
    Ok(schedule)
}
