//! What a node remembers of a block to judge the next header: nodeos' `block_header_state`, field for field.
//! Its binary form is a section of snapshots and of the integrity hash. The step to the next block is in `pending`.

use std::collections::BTreeMap;
use std::sync::Arc;

use codec::{DecodeError, Pack, Reader, Sink, Unpack};
use primitives::block::HeaderExtensions;
use primitives::merkle::IncrementalMerkle;
use primitives::{
    BlockHeader, BlockId, BlockSigningAuthority, BlockTimestamp, Checksum256, Genesis, LegacySchedule, Name,
    ProducerAuthority, ProducerSchedule, Signature, SignedBlockHeader,
};

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
pub struct ActivatedFeatures(Vec<Checksum256>);

impl ActivatedFeatures {
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
    pub activated_protocol_features: Arc<ActivatedFeatures>,
    /// Signatures after the first.
    pub additional_signatures: Vec<Signature>,
    /// The header's extensions, decoded; no part of the binary form.
    pub extensions: HeaderExtensions,
}

impl BlockHeaderState {
    /// The state of block 1 (`initialize_blockchain_state`).
    ///
    /// The hash of the first schedule is that of its legacy form, and the schedule waits as if it had just been
    /// announced, so block 2 activates it.
    pub fn genesis(genesis: &Genesis, chain_id: Checksum256) -> Self {
        let authority = BlockSigningAuthority::of_key(genesis.initial_key.clone());
        let producers = vec![ProducerAuthority { producer_name: SYSTEM_ACCOUNT, authority }];
        let schedule = Arc::new(ProducerSchedule { version: 0, producers });
        let schedule_hash = schedule.to_legacy().hash();
        let header = BlockHeader {
            timestamp: BlockTimestamp::at(genesis.initial_timestamp),
            confirmed: 1,
            action_mroot: chain_id,
            ..BlockHeader::default()
        };
        Self {
            block_num: header.block_num(),
            dpos_proposed_irreversible_blocknum: 0,
            dpos_irreversible_blocknum: 0,
            active_schedule: schedule.clone(),
            blockroot_merkle: IncrementalMerkle::default(),
            producer_to_last_produced: BTreeMap::new(),
            producer_to_last_implied_irb: BTreeMap::new(),
            valid_block_signing_authority: BlockSigningAuthority::V0 { threshold: 0, keys: Vec::new() },
            confirm_count: Vec::new(),
            id: header.id(),
            header: SignedBlockHeader { header, producer_signature: Signature::default() },
            pending_schedule: ScheduleInfo { schedule_lib_num: 0, schedule_hash, schedule },
            activated_protocol_features: Arc::default(),
            additional_signatures: Vec::new(),
            extensions: HeaderExtensions::default(),
        }
    }

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

/// How producers' keys stand in the binary form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One key each (nodeos: `snapshot_block_header_state_v2`).
    Legacy,
    /// Signing authorities, with the signatures after the first.
    Current,
}

impl Unpack for BlockHeaderState {
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::unpack_form(input, Form::Current)
    }
}

impl BlockHeaderState {
    /// Reads the form that snapshots had before version 3: one key for each producer.
    ///
    /// # Errors
    /// Bytes that are something else.
    pub fn from_legacy_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let state = Self::unpack_form(&mut input, Form::Legacy)?;
        input.finish()?;
        Ok(state)
    }

    fn unpack_form(input: &mut Reader<'_>, form: Form) -> Result<Self, DecodeError> {
        let mut state = Self {
            block_num: Unpack::unpack(input)?,
            dpos_proposed_irreversible_blocknum: Unpack::unpack(input)?,
            dpos_irreversible_blocknum: Unpack::unpack(input)?,
            active_schedule: Arc::new(unpack_schedule(input, form)?),
            blockroot_merkle: Unpack::unpack(input)?,
            producer_to_last_produced: Unpack::unpack(input)?,
            producer_to_last_implied_irb: Unpack::unpack(input)?,
            valid_block_signing_authority: match form {
                Form::Legacy => BlockSigningAuthority::of_key(Unpack::unpack(input)?),
                Form::Current => Unpack::unpack(input)?,
            },
            confirm_count: Unpack::unpack(input)?,
            id: Unpack::unpack(input)?,
            header: Unpack::unpack(input)?,
            pending_schedule: ScheduleInfo {
                schedule_lib_num: Unpack::unpack(input)?,
                schedule_hash: Unpack::unpack(input)?,
                schedule: Arc::new(unpack_schedule(input, form)?),
            },
            activated_protocol_features: Arc::new(ActivatedFeatures(
                Option::<Vec<Checksum256>>::unpack(input)?.unwrap_or_default(),
            )),
            additional_signatures: match form {
                Form::Legacy => Vec::new(),
                Form::Current => Unpack::unpack(input)?,
            },
            extensions: HeaderExtensions::default(),
        };
        let extensions = state.header.header.extensions();
        state.extensions = extensions.map_err(|_| DecodeError::Invalid("header state with bad header extensions"))?;
        if state.active_schedule.producers.is_empty() {
            return Err(DecodeError::Invalid("header state without active producers"));
        }
        if !state.activated_protocol_features.0.is_sorted() {
            return Err(DecodeError::Invalid("header state with unsorted protocol features"));
        }
        Ok(state)
    }
}

fn unpack_schedule(input: &mut Reader<'_>, form: Form) -> Result<ProducerSchedule, DecodeError> {
    let schedule = match form {
        Form::Legacy => ProducerSchedule::from(&LegacySchedule::unpack(input)?),
        Form::Current => ProducerSchedule::unpack(input)?,
    };
    if schedule.producers.len() > MAX_PRODUCERS {
        return Err(DecodeError::Invalid("schedule with more than 125 producers"));
    }
    Ok(schedule)
}

#[cfg(test)]
mod tests {
    use primitives::{Checksum256, PublicKey, TimePoint};

    use super::*;

    pub(crate) fn genesis_state() -> BlockHeaderState {
        let genesis = Genesis { initial_timestamp: TimePoint(1_700_000_000_000_000), ..Genesis::default() };
        BlockHeaderState::genesis(&genesis, genesis.chain_id())
    }

    /// A state whose active schedule has `producers` producers named 1, 2, ...
    pub(crate) fn scheduled(producers: u64) -> BlockHeaderState {
        let entry = |name| ProducerAuthority {
            producer_name: Name(name),
            authority: BlockSigningAuthority::of_key(PublicKey::default()),
        };
        let schedule = Arc::new(ProducerSchedule { version: 1, producers: (1..=producers).map(entry).collect() });
        let mut state = genesis_state();
        state.pending_schedule.schedule = Arc::new(ProducerSchedule { version: 1, producers: Vec::new() });
        state.active_schedule = schedule;
        state
    }

    #[test]
    fn its_binary_form_comes_back() {
        let state = genesis_state();
        assert_eq!(state.block_num, 1);
        assert_eq!(BlockHeaderState::from_bytes(&state.to_bytes()), Ok(state));
    }

    #[test]
    fn damaged_bytes_are_errors() {
        let bytes = genesis_state().to_bytes();
        for length in 0..bytes.len() {
            assert!(BlockHeaderState::from_bytes(&bytes[..length]).is_err());
        }
    }

    #[test]
    fn producers_take_turns_of_twelve_slots() {
        let state = scheduled(3);
        let turn = |slot| state.scheduled_producer(BlockTimestamp(slot)).producer_name.0;
        assert_eq!([0, 11, 12, 24, 35, 36].map(turn), [1, 1, 2, 3, 3, 1]);
    }

    #[test]
    fn the_value_a_third_up_is_irreversible() {
        let mut state = scheduled(4);
        state.dpos_proposed_irreversible_blocknum = 50;
        state.producer_to_last_implied_irb = [(1, 10), (2, 20), (3, 30), (4, 40)].map(|(p, b)| (Name(p), b)).into();
        assert_eq!(state.irreversible_after(Name(9)), 20);
        assert_eq!(state.irreversible_after(Name(1)), 30);
        state.producer_to_last_implied_irb.clear();
        assert_eq!(state.irreversible_after(Name(1)), 0);
    }

    #[test]
    fn confirmed_follows_the_watermark() {
        let mut state = scheduled(4);
        (state.block_num, state.dpos_irreversible_blocknum) = (100, 60);
        for (watermark, expected) in [(None, 0), (Some(100), 0), (Some(101), 0), (Some(88), 12), (Some(10), 40)] {
            assert_eq!(state.blocks_to_confirm(watermark), expected, "{watermark:?}");
        }
    }

    #[test]
    fn features_stay_sorted() {
        let [one, two] = [Checksum256([1; 32]), Checksum256([2; 32])];
        let set = ActivatedFeatures::default().with(&[two]).with(&[one, two]);
        assert_eq!(set.digests(), [one, two]);
        assert!(set.contains(&one) && !set.contains(&Checksum256([3; 32])));
    }
}
