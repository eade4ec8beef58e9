//! The step from one header state to the next: what is known before the block's content (`PendingHeaderState`), the
//! header made of it, and the header state that a header leads to. Signatures are checked in `signing`.

use std::collections::BTreeMap;
use std::sync::Arc;

use primitives::block::HeaderExtensions;
use primitives::merkle::IncrementalMerkle;
use primitives::{
    BlockHeader, BlockId, BlockSigningAuthority, BlockTimestamp, Checksum256, Fault, FaultKind, LegacySchedule, Name,
    ProducerAuthority, ProducerSchedule, Signature, SignedBlockHeader,
};

use crate::header_state::{ActivatedFeatures, BlockHeaderState, MAX_TRACKED_DPOS_CONFIRMATIONS, ScheduleInfo};

/// Judges the features that a header activates: time, features that are active before it, features to activate.
pub type FeatureCheck<'a> = &'a dyn Fn(BlockTimestamp, &ActivatedFeatures, &[Checksum256]) -> Result<(), Fault>;

/// Header state of a block whose content is not known yet (`pending_block_header_state`).
#[derive(Debug, Clone)]
pub struct PendingHeaderState {
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
    /// Who must sign this block.
    pub valid_block_signing_authority: BlockSigningAuthority,
    /// Confirmations that the latest blocks still need, the newest last.
    pub confirm_count: Vec<u8>,
    /// Features that were active before.
    pub prev_activated_protocol_features: Arc<ActivatedFeatures>,
    /// The announced schedule before this block.
    pub prev_pending_schedule: ScheduleInfo,
    /// Whether the announced schedule becomes active with this block.
    pub was_pending_promoted: bool,
    /// The block before.
    pub previous: BlockId,
    /// The producer.
    pub producer: Name,
    /// The slot.
    pub timestamp: BlockTimestamp,
    /// Version of the schedule that says who produces this block.
    pub active_schedule_version: u32,
    /// Number of earlier blocks that it confirms.
    pub confirmed: u16,
}

impl BlockHeaderState {
    /// Begins the next block (`block_header_state::next`).
    ///
    /// # Errors
    /// `block_validate_exception` unless the slot is later, `producer_double_confirm` where the producer confirms
    /// blocks that it has confirmed before.
    pub fn next(&self, slot: BlockTimestamp, confirmed: u16) -> Result<PendingHeaderState, Fault> {
        if slot <= self.timestamp() {
            return Err(Fault::new(FaultKind::BLOCK_VALIDATE_EXCEPTION, "next block must be in the future"));
        }
        let ProducerAuthority { producer_name: producer, authority } = self.scheduled_producer(slot).clone();
        let block_num = self.block_num + 1;
        // Unsigned and wrapping, as nodeos subtracts.
        let first_confirmed = block_num.wrapping_sub(u32::from(confirmed));
        if self.producer_to_last_produced.get(&producer).is_some_and(|last| *last >= first_confirmed) {
            let message = format!("producer {producer} double-confirming known range");
            return Err(Fault::new(FaultKind::PRODUCER_DOUBLE_CONFIRM, message));
        }
        let mut blockroot_merkle = self.blockroot_merkle.clone();
        blockroot_merkle.append(&self.id);
        let (confirm_count, confirmed_block) = self.confirm(block_num, confirmed);
        let mut pending = PendingHeaderState {
            block_num,
            dpos_proposed_irreversible_blocknum: confirmed_block.unwrap_or(self.dpos_proposed_irreversible_blocknum),
            dpos_irreversible_blocknum: self.irreversible_after(producer),
            active_schedule: self.active_schedule.clone(),
            blockroot_merkle,
            producer_to_last_produced: BTreeMap::new(),
            producer_to_last_implied_irb: BTreeMap::new(),
            valid_block_signing_authority: authority,
            confirm_count,
            prev_activated_protocol_features: self.activated_protocol_features.clone(),
            prev_pending_schedule: self.pending_schedule.clone(),
            was_pending_promoted: false,
            previous: self.id,
            producer,
            timestamp: slot,
            active_schedule_version: self.active_schedule.version,
            confirmed,
        };
        self.promote(&mut pending);
        Ok(pending)
    }

    /// Counts this block's confirmations of earlier ones; the newest block that needs no more is returned too.
    ///
    /// The schedule before this block is the one that confirms it: more than two thirds of its producers.
    fn confirm(&self, block_num: u32, confirmed: u16) -> (Vec<u8>, Option<u32>) {
        // A schedule that is too long can stand in a header that was never applied; nodeos cuts the number to a byte.
        let required = (self.active_schedule.producers.len() * 2 / 3 + 1) as u8;
        let skipped = usize::from(self.confirm_count.len() >= MAX_TRACKED_DPOS_CONFIRMATIONS);
        let mut counts = Vec::with_capacity(self.confirm_count.len() + 1);
        counts.extend_from_slice(&self.confirm_count[skipped..]);
        counts.push(required);
        let last = counts.len() - 1;
        for back in 0..=usize::from(confirmed).min(last) {
            let at = last - back;
            counts[at] = counts[at].wrapping_sub(1);
            if counts[at] == 0 {
                counts.drain(..=at);
                let back = u32::try_from(back).expect("at most 1024 blocks are tracked");
                return (counts, Some(block_num - back));
            }
        }
        (counts, None)
    }

    /// Fills in the producers' marks, and makes the announced schedule active once its block is irreversible.
    fn promote(&self, pending: &mut PendingHeaderState) {
        let announced = &self.pending_schedule;
        let producer = pending.producer;
        pending.was_pending_promoted =
            self.has_pending_producers() && pending.dpos_irreversible_blocknum >= announced.schedule_lib_num;
        if !pending.was_pending_promoted {
            pending.producer_to_last_produced = self.producer_to_last_produced.clone();
            pending.producer_to_last_produced.insert(producer, pending.block_num);
            pending.producer_to_last_implied_irb = self.producer_to_last_implied_irb.clone();
            pending.producer_to_last_implied_irb.insert(producer, self.dpos_proposed_irreversible_blocknum);
            return;
        }
        let irreversible = pending.dpos_irreversible_blocknum;
        let known = |marks: &BTreeMap<Name, u32>, name: Name| marks.get(&name).copied().unwrap_or(irreversible);
        pending.active_schedule = announced.schedule.clone();
        for ProducerAuthority { producer_name: name, .. } in &announced.schedule.producers {
            let own = *name == producer;
            let produced = if own { pending.block_num } else { known(&self.producer_to_last_produced, *name) };
            let implied = if own {
                self.dpos_proposed_irreversible_blocknum
            } else {
                known(&self.producer_to_last_implied_irb, *name)
            };
            pending.producer_to_last_produced.insert(*name, produced);
            pending.producer_to_last_implied_irb.insert(*name, implied);
        }
        // Its producer may have left the schedule; what it produced is noted, what it implied is not.
        pending.producer_to_last_produced.insert(producer, pending.block_num);
    }
}

impl PendingHeaderState {
    /// The header for the block's content (`make_block_header`). `wtmsig` says whether WTMSIG_BLOCK_SIGNATURES was
    /// active before this block.
    ///
    /// # Errors
    /// `producer_schedule_exception` for a schedule that the legacy form cannot hold.
    pub fn make_header(
        &self,
        transaction_mroot: Checksum256,
        action_mroot: Checksum256,
        new_schedule: Option<&ProducerSchedule>,
        features: &[Checksum256],
        wtmsig: bool,
    ) -> Result<BlockHeader, Fault> {
        let mut header = BlockHeader {
            timestamp: self.timestamp,
            producer: self.producer,
            confirmed: self.confirmed,
            previous: self.previous,
            transaction_mroot,
            action_mroot,
            schedule_version: self.active_schedule_version,
            new_producers: None,
            header_extensions: Vec::new(),
        };
        if !features.is_empty() {
            header.set_protocol_features(features);
        }
        if let Some(schedule) = new_schedule {
            if wtmsig {
                header.set_new_schedule(schedule);
            } else {
                header.new_producers = Some(downgrade(schedule)?);
            }
        }
        Ok(header)
    }

    /// The header state that `header` leads to (`_finish_next`); its signatures are not looked at.
    /// `wtmsig` says whether WTMSIG_BLOCK_SIGNATURES was active before this block.
    ///
    /// # Errors
    /// nodeos' faults for each field that is not as expected, for extensions out of place, and those of `check`.
    pub fn finish(
        self,
        header: SignedBlockHeader,
        additional_signatures: Vec<Signature>,
        wtmsig: bool,
        check: FeatureCheck<'_>,
    ) -> Result<BlockHeaderState, Fault> {
        if !additional_signatures.is_empty() && !wtmsig {
            return Err(schedule_fault(
                "Block contains multiple signatures before WTMsig block signatures are enabled",
            ));
        }
        self.compare(&header.header)?;
        let extensions = header.header.extensions()?;
        let announced = self.announced(&header.header, &extensions, wtmsig)?;
        let features = extensions.protocol_features.as_slice();
        let activated_protocol_features = if features.is_empty() {
            self.prev_activated_protocol_features
        } else {
            check(self.timestamp, &self.prev_activated_protocol_features, features)?;
            Arc::new(self.prev_activated_protocol_features.with(features))
        };
        let pending_schedule = match announced {
            Some((schedule, schedule_hash)) => {
                ScheduleInfo { schedule_lib_num: self.block_num, schedule_hash, schedule: Arc::new(schedule) }
            }
            None if self.was_pending_promoted => ScheduleInfo {
                schedule: Arc::new(ProducerSchedule {
                    version: self.prev_pending_schedule.schedule.version,
                    producers: Vec::new(),
                }),
                ..self.prev_pending_schedule
            },
            None => self.prev_pending_schedule,
        };
        Ok(BlockHeaderState {
            block_num: self.block_num,
            dpos_proposed_irreversible_blocknum: self.dpos_proposed_irreversible_blocknum,
            dpos_irreversible_blocknum: self.dpos_irreversible_blocknum,
            active_schedule: self.active_schedule,
            blockroot_merkle: self.blockroot_merkle,
            producer_to_last_produced: self.producer_to_last_produced,
            producer_to_last_implied_irb: self.producer_to_last_implied_irb,
            valid_block_signing_authority: self.valid_block_signing_authority,
            confirm_count: self.confirm_count,
            id: header.header.id(),
            header,
            pending_schedule,
            activated_protocol_features,
            additional_signatures,
            extensions,
        })
    }

    /// Holds the header's fixed fields against what they must be.
    fn compare(&self, header: &BlockHeader) -> Result<(), Fault> {
        let rules = [
            (header.timestamp == self.timestamp, FaultKind::BLOCK_VALIDATE_EXCEPTION, "timestamp mismatch"),
            (header.previous == self.previous, FaultKind::UNLINKABLE_BLOCK_EXCEPTION, "previous mismatch"),
            (header.confirmed == self.confirmed, FaultKind::BLOCK_VALIDATE_EXCEPTION, "confirmed mismatch"),
            (header.producer == self.producer, FaultKind::WRONG_PRODUCER, "wrong producer specified"),
            (
                header.schedule_version == self.active_schedule_version,
                FaultKind::PRODUCER_SCHEDULE_EXCEPTION,
                "schedule_version in signed block is corrupted",
            ),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, kind, message)) => Err(Fault::new(kind, message)),
            None => Ok(()),
        }
    }

    /// The schedule that the header announces, in either form, with its hash.
    fn announced(
        &self,
        header: &BlockHeader,
        extensions: &HeaderExtensions,
        wtmsig: bool,
    ) -> Result<Option<(ProducerSchedule, Checksum256)>, Fault> {
        let mut announced = None;
        if let Some(legacy) = &header.new_producers {
            if wtmsig {
                return Err(schedule_fault(
                    "Block header contains legacy producer schedule outdated by activation of WTMsig Block Signatures",
                ));
            }
            let schedule = ProducerSchedule::from(legacy);
            self.check_new_schedule(schedule.version)?;
            announced = Some((schedule, legacy.hash()));
        }
        if let Some(schedule) = &extensions.new_schedule {
            if !wtmsig {
                return Err(schedule_fault(
                    "Block header producer_schedule_change_extension before activation of WTMsig Block Signatures",
                ));
            }
            self.check_new_schedule(schedule.version)?;
            announced = Some((schedule.clone(), schedule.hash()));
        }
        Ok(announced)
    }

    fn check_new_schedule(&self, version: u32) -> Result<(), Fault> {
        if self.was_pending_promoted {
            return Err(schedule_fault(
                "cannot set pending producer schedule in the same block in which pending was promoted to active",
            ));
        }
        if version != self.active_schedule.version.wrapping_add(1) {
            return Err(schedule_fault("wrong producer schedule version specified"));
        }
        if !self.prev_pending_schedule.schedule.producers.is_empty() {
            return Err(schedule_fault("cannot set new pending producers until last pending is confirmed"));
        }
        Ok(())
    }
}

/// The legacy form of a schedule whose producers have one sufficient key each.
fn downgrade(schedule: &ProducerSchedule) -> Result<LegacySchedule, Fault> {
    let single = |authority: &BlockSigningAuthority| matches!(authority.keys(), [only] if u32::from(only.weight) == authority.threshold());
    if schedule.producers.iter().all(|producer| single(&producer.authority)) {
        Ok(schedule.to_legacy())
    } else {
        Err(schedule_fault("multisig block signing present before enabled!"))
    }
}

fn schedule_fault(message: &str) -> Fault {
    Fault::new(FaultKind::PRODUCER_SCHEDULE_EXCEPTION, message)
}
