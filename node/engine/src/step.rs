//! What the writer does with a command, and with the time: a machine without a thread. [`crate::event_loop`] carries it in
//! a real node, and whoever simulates one.

use std::sync::atomic::Ordering;

use primitives::{BlockTimestamp, PublicKey, TimePoint};

use crate::command::{Command, answer};
use crate::holds::Hold;
use crate::put_off::PutOff;
use crate::signer::Signer;
use crate::state_task::Request;
use crate::turn::TurnWatch;
use crate::writer::{Phase, Writer};
use crate::{EngineError, OptionsChange};

impl Writer {
    /// Begins: decides what to do first.
    ///
    /// # Errors
    /// What ends the node: its disk, or its state.
    pub fn begin(&mut self) -> Result<(), EngineError> {
        self.plan()
    }

    /// Does what a command asks, if there is one, and then what is due at this time. What follows of it has happened when
    /// this returns, but for what others were asked to do: they answer with commands.
    ///
    /// # Errors
    /// What ends the node: its disk, or its state.
    pub fn step(&mut self, command: Option<Command>) -> Result<(), EngineError> {
        if let Some(command) = command {
            self.act(command)?;
            self.run_next_transient(true)?;
        }
        if self.wake.is_some_and(|wake| wake <= self.now()) {
            self.on_time()?;
        }
        Ok(())
    }

    /// When to step again though nobody commands anything.
    pub fn next_wake(&self) -> Option<TimePoint> {
        self.wake
    }

    /// Whether the last block that was wanted is there, and the node shall end.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Ends: what is pending is dropped, what is to be kept is on disk when this returns.
    ///
    /// # Errors
    /// The disk, or the state.
    pub fn end(mut self) -> Result<(), EngineError> {
        self.abort();
        if self.settings.integrity_hash_on_stop {
            let hash = self.shared.chain.read_for(Hold::WholeState).integrity_hash()?;
            tracing::info!("chain database stopped with hash: {hash}");
        }
        self.checkpoint()?;
        self.shared.chain.report();
        self.disk.finish()?;
        self.snapshots.discard_pending();
        Ok(())
    }

    fn act(&mut self, command: Command) -> Result<(), EngineError> {
        match command {
            Command::Submit(submission) => self.submit(submission),
            Command::PushBlock { block, reply } => {
                let changed = self.push_block(*block, Some(reply))?;
                if changed && self.phase == Phase::Waiting { self.plan() } else { Ok(()) }
            }
            Command::CodeReady { code_hash, loaded } => self.code_ready(code_hash, loaded),
            Command::Synced => {
                self.retry.answer_settled(self.shared.synced.load(Ordering::Acquire));
                Ok(())
            }
            Command::Signed { block, at, result } => {
                self.signed(block, at, result)?;
                if self.phase == Phase::Waiting { self.plan() } else { Ok(()) }
            }
            Command::Pause(reply) => {
                self.paused = true;
                self.publish_view();
                answer(reply, ());
                Ok(())
            }
            Command::Resume(reply) => {
                self.paused = false;
                self.attendance.count_from(BlockTimestamp::at(self.now()));
                self.publish_view();
                answer(reply, ());
                if self.phase == Phase::Speculating {
                    self.abort();
                }
                if self.phase == Phase::Waiting { self.plan() } else { Ok(()) }
            }
            Command::ChangeOptions(change, reply) => {
                self.change_options(change);
                answer(reply, ());
                let replan = change.max_irreversible_block_age_s.is_some() && self.phase == Phase::Speculating;
                if replan { self.plan() } else { Ok(()) }
            }
            Command::ChangeLists(change, reply) => {
                change.apply(self.shared.chain.write(Hold::Options).execution_settings_mut());
                answer(reply, ());
                Ok(())
            }
            Command::ScheduleFeatures(features, reply) => {
                self.features_signaled = false;
                self.shared.producer.write().scheduled_features = features;
                answer(reply, ());
                Ok(())
            }
            Command::IntegrityHash(reply) => {
                self.abort();
                self.want_whole_state(Request::Hash(reply))?;
                self.plan()
            }
            Command::Snapshot(reply) => {
                self.abort();
                self.want_whole_state(Request::Snapshot(reply))?;
                self.plan()
            }
            Command::WholeStateDone { head, result } => self.whole_state_done(head, result),
            Command::ScheduleSnapshot(request, reply) => {
                let result = self.schedule_snapshot(request)?;
                answer(reply, result);
                Ok(())
            }
            Command::UnscheduleSnapshot(id, reply) => {
                let result = self.unschedule_snapshot(id)?;
                answer(reply, result);
                Ok(())
            }
            Command::EndAtTurn(turn, reply) => {
                self.turn = TurnWatch::new(turn);
                answer(reply, ());
                Ok(())
            }
            Command::Travel(journey, reply) => self.set_out(journey, reply),
            Command::SaveState { name, reply } => self.save_state(name, reply),
            Command::StateSaved { name, state, reply } => {
                self.state_saved(name, *state, reply);
                Ok(())
            }
            Command::States(reply) => {
                answer(reply, self.states.clone());
                Ok(())
            }
            Command::ForgetState { name, reply } => {
                answer(reply, self.states.remove(&name).is_some());
                Ok(())
            }
            Command::SetState { target, reply } => self.set_state(*target, reply),
            Command::AddKey { public, key, reply } => {
                let new = self.added_keys.insert(public.clone());
                if !self.settings.signers.iter().any(|(known, _)| *known == public) {
                    self.settings.signers.push((public, Signer::Key(key)));
                }
                answer(reply, new);
                if matches!(self.phase, Phase::Speculating | Phase::Waiting) { self.plan() } else { Ok(()) }
            }
            Command::RemoveKey { public, reply } => {
                let known = self.added_keys.remove(&public);
                self.settings.signers.retain(|(key, _)| !known || *key != public);
                answer(reply, known);
                Ok(())
            }
            Command::Keys(reply) => {
                let added = |key: &PublicKey| self.added_keys.contains(key);
                answer(reply, self.settings.signers.iter().map(|(key, _)| (key.clone(), added(key))).collect());
                Ok(())
            }
            Command::Stop => Ok(()),
        }
    }

    fn change_options(&mut self, change: OptionsChange) {
        let options = change.applied_to(self.settings.options);
        self.settings.options = options;
        // What did not fit may fit now.
        self.put_off = PutOff::default();
        self.shared.producer.write().options = options;
        let mut chain = self.shared.chain.write(Hold::Options);
        let execution = chain.execution_settings_mut();
        execution.greylist_limit = options.greylist_limit;
        if let Some(leeway) = change.subjective_cpu_leeway_us {
            execution.subjective_cpu_leeway_us = i64::from(leeway);
        }
    }
}
