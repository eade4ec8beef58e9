//! The first steps of every block, built or received: features, an announced schedule, onblock, expired entries, the
//! producers' permissions (nodeos: controller.cpp `start_block`).

use std::sync::Arc;

use execution::onblock::{activate_features, clear_expired_transactions, run_onblock, update_producers_authority};
use execution::{BlockContext, BlockMode, Machine, Outcome};
use primitives::{BlockId, Checksum256, Fault, FaultKind, ensure};

use crate::features::check_features;
use crate::pending::Pending;
use crate::{BlockPurpose, Chain, ChainError, StartBlock};

impl Chain {
    /// Starts a block on the head. Feature activation, schedule promotion, onblock and clearing of expired entries
    /// happen here; a speculative block skips them.
    ///
    /// # Errors
    /// A block that cannot be built there (slot not after the head, double confirmation, features missing), or code that
    /// is not ready.
    pub fn start_block(&mut self, machine: &mut Machine, how: &StartBlock) -> Result<(), ChainError> {
        if how.purpose == BlockPurpose::Produce {
            let active = &self.head.header.activated_protocol_features;
            check_features(self.feature_restrictions(), how.timestamp, active, &how.features)?;
        }
        self.start(machine, how, BlockMode::Produced, None)
    }

    /// Starts a block of any purpose. On a fault nothing is pending.
    pub(crate) fn start(
        &mut self,
        machine: &mut Machine,
        how: &StartBlock,
        mode: BlockMode,
        id: Option<BlockId>,
    ) -> Result<(), ChainError> {
        let free = self.pending.is_none() && self.finished.is_none();
        if !free {
            return Err(Fault::new(FaultKind::BLOCK_VALIDATE_EXCEPTION, "pending block already exists").into());
        }
        let header = self.head.header.next(how.timestamp, how.confirmed)?;
        self.world.ledger.begin_block(header.block_num);
        self.world.begin_block(BlockContext {
            number: header.block_num,
            time: header.timestamp,
            mode,
            previous: self.head.header.block_header().clone(),
            previous_id: self.head.id(),
            producer_block_id: id,
            active_schedule: header.active_schedule.clone(),
            pending_schedule: header.prev_pending_schedule.schedule.clone(),
        });
        self.pending = Some(Pending::new(header, how));
        if how.purpose == BlockPurpose::Speculate {
            return Ok(());
        }
        self.first_steps(machine, &how.features).inspect_err(|_| self.drop_pending())
    }

    fn first_steps(&mut self, machine: &mut Machine, features: &[Checksum256]) -> Result<(), ChainError> {
        activate_features(&mut self.world, features)?;
        self.announce_schedule()?;
        let onblock = run_onblock(machine, &mut self.world);
        if let Some(unready) = machine.take_unready() {
            return Err(unready.into());
        }
        self.pending.as_mut().expect("a block was started").push_trace(&onblock.trace);
        clear_expired_transactions(&mut self.world);
        Ok(update_producers_authority(&mut self.world)?)
    }

    /// Takes up a proposed schedule once the block that proposed it is irreversible and no other one waits.
    fn announce_schedule(&mut self) -> Outcome {
        let pending = self.pending.as_mut().expect("a block was started");
        let header = &pending.header;
        let global = self.world.ledger.global_property();
        let irreversible =
            global.proposed_schedule_block_num.is_some_and(|num| num <= header.dpos_irreversible_blocknum);
        if !irreversible || !header.prev_pending_schedule.schedule.producers.is_empty() {
            return Ok(());
        }
        ensure!(
            global.proposed_schedule.version == header.active_schedule_version + 1,
            PRODUCER_SCHEDULE_EXCEPTION,
            "wrong producer schedule version specified"
        );
        let schedule = Arc::new(global.proposed_schedule.clone());
        self.world.ledger.modify_global_property(|global| {
            global.proposed_schedule_block_num = None;
            global.proposed_schedule.version = 0;
            global.proposed_schedule.producers.clear();
        });
        self.world.block.pending_schedule = schedule.clone();
        pending.new_schedule = Some(schedule);
        Ok(())
    }
}
