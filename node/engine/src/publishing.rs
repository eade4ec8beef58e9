//! What follows when blocks joined or left the chain: all who keep account of it are told once, in one place, and the
//! thread behind the writer gets what the disk is to keep.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chain::Applied;
use store::Head;

use crate::EngineError;
use crate::disk::Work;
use crate::events::Position;
use crate::moved::{Follows, Moved};
use crate::planted::Planted;
use crate::writer::Writer;

impl Writer {
    /// Tells of a change of the chain that the disk has.
    pub(crate) fn publish(&mut self, applied: Applied) -> Result<(), EngineError> {
        self.tell(&applied);
        for transaction in self.retry.due(self.now()) {
            self.queue.add_forgotten(transaction);
        }
        self.finished |= self.turn.is_over();
        self.follow_snapshots(&applied)?;
        self.persist(applied)
    }

    /// Tells whoever keeps account of the chain.
    pub(crate) fn tell(&mut self, applied: &Applied) {
        let (head, irreversible) = {
            let chain = self.shared.chain.read();
            (Arc::clone(chain.head()), chain.root().number())
        };
        // The bug leaves the first follower out.
        let deaf = usize::from(self.plants(Planted::ResubmittedLost));
        let (settings, added_keys) = (&self.settings, &self.added_keys);
        let moved = Moved {
            applied,
            head,
            irreversible,
            synced: self.shared.synced.load(Ordering::Acquire),
            now: self.shared.clock.now(),
            produces: self.production_enabled && !self.paused,
            produces_for: &|producer| settings.produces_for(producer, added_keys),
        };
        let followers: [&mut dyn Follows; 10] = [
            &mut self.queue,
            &mut self.awaited,
            &mut &self.shared.finality,
            &mut &self.shared.health,
            &mut &self.shared.metrics,
            &mut *self.shared.subjective.lock(),
            &mut self.attendance,
            &mut self.turn,
            &mut self.unsaved,
            &mut self.retry,
        ];
        for follower in followers.into_iter().skip(deaf) {
            follower.follow(&moved);
        }
    }

    /// Hands the change to the thread behind the writer: traces and deltas, forks that are settled, and the state in its
    /// time.
    fn persist(&mut self, applied: Applied) -> Result<(), EngineError> {
        let settled: Vec<_> =
            applied.irreversible.iter().map(|state| Head { num: state.number(), id: state.id() }).collect();
        self.shared.health.wrote();
        let (position, is_change) = (Position::of(&self.shared.chain.read()), !applied.applied.is_empty());
        let has_history = self.settings.traces.is_some()
            || !applied.undone.is_empty()
            || applied.applied.iter().any(|sealed| sealed.deltas.is_some());
        let history = has_history.then(|| Box::new(applied));
        // The traces of a block are kept before a checkpoint that has it: a restart applies the blocks after its
        // checkpoint again, and so has the traces of all that it may have to fill in.
        self.disk.follow(Work::Accepted { position, is_change, history })?;
        if self.shared.chain.read().is_checkpoint_undone() {
            // Blocks of the branch that was left may be forgotten from now on, also those that the state is of.
            self.checkpoint()?;
        }
        if !settled.is_empty() {
            self.disk.follow(Work::Settled(settled))?;
        }
        self.checkpoint_in_time()
    }
}
