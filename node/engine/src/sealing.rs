//! The end of a block of this node: finished under the lock, signed without it, durable before it becomes the head.
//! While somebody else signs, the writer waits for nobody: it takes transactions and blocks in, and gives the block up
//! when the turn of another producer of this node begins.

use chain::{ChainError, SealedBlock, UnsignedBlock};
use primitives::{BlockId, Fault, Signature, TimePoint};
use store::Watermark;

use crate::durable::with_change;
use crate::holds::Hold;
use crate::obstacles::Obstacle;
use crate::signer::Signer;
use crate::signing::Signing;
use crate::writer::{Phase, Writer};
use crate::{Command, EngineError, Refusal, report, slots};

impl Writer {
    /// Ends the pending block and has it signed; with keys of this process it is the head when this returns.
    pub(crate) fn seal(&mut self) -> Result<(), EngineError> {
        let started = self.now();
        let mut chain = self.shared.chain.write(Hold::FinishBlock);
        let Some(slot) = chain.pending().map(|pending| pending.timestamp) else {
            self.phase = Phase::Waiting;
            return Ok(());
        };
        let signers = self.signers(&chain.head().header.scheduled_producer(slot).authority);
        let finished = chain.finish_block();
        drop(chain);
        self.phase = Phase::Waiting;
        match finished {
            Ok(mut unsigned) => {
                self.shared.chain.read().tell_deltas(&mut unsigned);
                self.sign(unsigned, signers, started)
            }
            Err(ChainError::Block(fault)) => {
                self.obstacles.meet(slot, &Obstacle::NotSealed(*fault));
                self.given_up = slot;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn sign(&mut self, unsigned: UnsignedBlock, signers: Vec<Signer>, started: TimePoint) -> Result<(), EngineError> {
        let (block, digest) = (unsigned.id(), unsigned.digest());
        let ask = |(at, signer): (usize, Signer)| {
            let answer = match &signer {
                Signer::Key(key) => Some(key.sign(&digest).map_err(|fault| broken_key(&fault))),
                Signer::Remote(remote) => {
                    let commands = self.commands.clone();
                    let reply = move |result| {
                        // The writer may have ended.
                        let _ = commands.send(Command::Signed { block, at, result });
                    };
                    remote.ask(&digest, Box::new(reply)).err().map(Err)
                }
            };
            (signer, answer)
        };
        let asked = signers.into_iter().enumerate().map(ask).collect();
        let signing = Signing { unsigned, started, asked };
        if signing.is_complete() {
            return self.complete(signing);
        }
        self.wake = Some(self.signing_ends(&signing));
        self.phase = Phase::Signing;
        self.signing = Some(signing);
        Ok(())
    }

    /// When the wait for signatures is over: nobody is waited for longer than agreed, nor into the turn of another
    /// producer of this node.
    fn signing_ends(&self, signing: &Signing) -> TimePoint {
        let unsigned = &signing.unsigned;
        let schedule = self.shared.chain.read().head().header.active_schedule.clone();
        let own = schedule.producers.iter().filter(|producer| self.produces_for(producer));
        let others = own.map(|producer| producer.producer_name).filter(|name| *name != unsigned.producer());
        let turn = |producer: primitives::Name| {
            let mark = self.watermark(producer);
            slots::next_slot(producer, unsigned.slot(), unsigned.number(), &schedule.producers, mark)
        };
        let turn = others.filter_map(turn).min();
        let turn = turn.map(|slot| slots::start_time(self.settings.options.cpu_effort_us, slot));
        turn.map_or(signing.patience_ends(), |turn| turn.min(signing.patience_ends()))
    }

    /// A signature came, or will not come. Late ones, for a block that was given up, are dropped.
    pub(crate) fn signed(
        &mut self,
        block: BlockId,
        at: usize,
        result: Result<Signature, Refusal>,
    ) -> Result<(), EngineError> {
        let signing = self.signing.as_mut().filter(|signing| signing.unsigned.id() == block);
        let Some(signing) = signing else { return Ok(()) };
        if let Some((_, answer)) = signing.asked.get_mut(at) {
            *answer = Some(result);
        }
        if signing.is_complete() { self.end_signing() } else { Ok(()) }
    }

    /// Completes the block with the signatures that there are, or gives it up.
    pub(crate) fn end_signing(&mut self) -> Result<(), EngineError> {
        self.phase = Phase::Waiting;
        match self.signing.take() {
            Some(signing) => self.complete(signing),
            None => Ok(()),
        }
    }

    fn complete(&mut self, signing: Signing) -> Result<(), EngineError> {
        let Signing { unsigned, started, asked } = signing;
        let (producer, slot) = (unsigned.producer(), unsigned.slot());
        let mut signatures = Vec::with_capacity(asked.len());
        for (signer, answer) in asked {
            match answer.unwrap_or_else(|| Err(silence(&signer))) {
                Ok(signature) => signatures.push(signature),
                Err(refusal) => self.obstacles.meet(slot, &Obstacle::NotSigned { producer, refusal }),
            }
        }
        match unsigned.complete(signatures) {
            Ok(sealed) => self.commit(sealed, started),
            Err(not_signed) => {
                self.shared.chain.write(Hold::AbortBlock).abort_block();
                self.queue.add_aborted(not_signed.transactions);
                self.obstacles.meet(slot, &Obstacle::NotSealed(not_signed.fault));
                self.given_up = slot;
                Ok(())
            }
        }
    }

    /// Makes a block of this node durable, and then the head.
    fn commit(&mut self, sealed: SealedBlock, started: TimePoint) -> Result<(), EngineError> {
        let header = sealed.state.header.block_header();
        let (producer, mark) = (header.producer, Watermark { num: sealed.state.number(), slot: header.timestamp });
        let irreversible = self.shared.chain.read().irreversible_after(&sealed);
        let signed = Some((producer, mark));
        with_change(std::slice::from_ref(&sealed), irreversible, signed, |change| self.disk.ingest(change))?;
        self.shared.producer.write().watermarks.insert(producer, mark);
        let state = sealed.state.clone();
        let committed = self.shared.chain.write(Hold::CommitBlock).commit_block(sealed);
        let applied = match committed {
            Err(ChainError::Block(fault)) => {
                self.queue.add_aborted(state.transactions.clone());
                self.obstacles.meet(mark.slot, &Obstacle::NotSealed(*fault));
                self.given_up = mark.slot;
                return Ok(());
            }
            other => other?,
        };
        if self.features_signaled {
            self.shared.producer.write().scheduled_features.clear();
            self.features_signaled = false;
        }
        report::produced(&applied, irreversible, started, self.now());
        let scheduled = self.shared.chain.read().ledger().generated_count();
        let owing = self.shared.subjective.lock().len();
        self.shared.metrics.produced(&applied, [self.queue.iter().count(), scheduled, owing]);
        self.publish(applied)
    }
}

fn broken_key(fault: &Fault) -> Refusal {
    Refusal::Signer { signer: "a private key of this node".to_owned(), reason: fault.to_string() }
}

fn silence(signer: &Signer) -> Refusal {
    match signer {
        Signer::Remote(remote) => remote.silence(),
        Signer::Key(_) => Refusal::Stopping,
    }
}
