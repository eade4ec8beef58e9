//! The recorded steps done again on a chain of ours: blocks are built at the recorded times, everything that was pushed
//! is pushed again, and each trace is compared, failures by code and message. Blocks are sealed with the recorded
//! signatures, which only fit if our header is nodeos' header.

use std::sync::Arc;

use chain::block_log::BlockLog;
use chain::{BlockPurpose, ChainError, LiveChain, Settings, StartBlock, recover_transaction};
use codec::Unpack;
use execution::Budget;
use primitives::{BlockTimestamp, Checksum256, Fault, PackedTransaction, Signature, SignedBlock, block};

use crate::replay::{doors, genesis};
use crate::step::{Outcome, Step};
use crate::{Recording, compare};

/// Does everything again.
///
/// # Errors
/// The differences in words, in order. After one in a block's id or integrity hash nothing further is tried.
pub fn rerun(recording: &Recording) -> Result<(), Vec<String>> {
    let mut live = Live::new(recording).map_err(|error| vec![error])?;
    for (index, step) in recording.steps.iter().enumerate() {
        if let Err(error) = live.take(index, step) {
            live.differences.push(error);
            break;
        }
    }
    if live.differences.is_empty() { Ok(()) } else { Err(live.differences) }
}

/// Our portable snapshot after the live run has sealed `block`; differences before are ignored.
///
/// # Errors
/// What ended the run before.
pub fn snapshot_at(recording: &Recording, block: u32) -> Result<Vec<u8>, String> {
    let mut live = Live::new(recording)?;
    for (index, step) in recording.steps.iter().enumerate() {
        let last = matches!(step, Step::Seal { .. }) && live.number == block;
        let taken = live.take(index, step);
        if last {
            return live.chain.write_snapshot().map_err(|error| error.to_string());
        }
        taken?;
    }
    Err("the recording ends before".into())
}

struct Live<'a> {
    chain: LiveChain,
    log: BlockLog<'a>,
    number: u32,
    differences: Vec<String>,
}

impl<'a> Live<'a> {
    fn new(recording: &'a Recording) -> Result<Self, String> {
        let log = BlockLog::open(&recording.log).map_err(|error| error.to_string())?;
        let mut settings = Settings::default();
        settings.execution.disable_all_subjective_mitigations = true;
        let chain = LiveChain::from_genesis(&genesis(&log), settings, doors(wasm::Tiers::ByUse))
            .map_err(|error| error.to_string())?;
        Ok(Self { chain, log, number: 1, differences: Vec::new() })
    }

    /// One step; an error ends the run.
    fn take(&mut self, index: usize, step: &Step) -> Result<(), String> {
        let number = self.number;
        let at = move |what: String| format!("step {index} (block {number}): {what}");
        match step {
            Step::Begin { number, slot, confirm, features } => {
                self.number = *number;
                self.begin(*slot, *confirm, features).map_err(|error| at(error.to_string()))
            }
            Step::Push { trx, cpu, trace, covers, note } => {
                let bytes = hex::decode(trx).map_err(|error| at(error.to_string()))?;
                let ours = self.push(&bytes, *cpu);
                let what = format!("push {note} {}", covers.join(","));
                self.compare(&ours, trace, |text| at(format!("{what}: {text}")));
                Ok(())
            }
            Step::Scheduled { id, cpu, trace } => {
                let id = digest(id).map_err(at)?;
                // What nodeos was given is an estimate; what it billed then is in the receipt, if there is one.
                let estimate = Budget { billed_cpu_us: *cpu, ..Budget::default() };
                let budget = trace.receipt.as_ref().map_or(estimate, |receipt| Budget::explicit(receipt.1));
                let ours = self.chain.push_scheduled(&id, budget);
                let ours = ours.map_or_else(failure, |executed| compare::outcome(&executed.trace));
                self.compare(&ours, trace, |text| at(format!("scheduled: {text}")));
                Ok(())
            }
            Step::Seal { id, integrity, .. } => self.seal(id, integrity).map_err(at),
        }
    }

    fn begin(&mut self, slot: u32, confirmed: u16, features: &[String]) -> Result<(), ChainError> {
        let features = features.iter().filter_map(|text| digest(text).ok()).collect();
        let timestamp = BlockTimestamp(slot);
        self.chain.start_block(&StartBlock { timestamp, confirmed, features, purpose: BlockPurpose::Produce })
    }

    fn push(&mut self, bytes: &[u8], cpu: u32) -> Outcome {
        let packed = PackedTransaction::from_prefix(bytes).map_err(Fault::from);
        let recovered = packed.and_then(|packed| recover_transaction(packed, &self.chain.chain_id()));
        match recovered {
            Ok(transaction) => self
                .chain
                .push_transaction(&Arc::new(transaction), Budget::explicit(cpu))
                .map_or_else(failure, |executed| compare::outcome(&executed.trace)),
            Err(fault) => Outcome { fault: Some(compare::fault(&fault)), ..Outcome::default() },
        }
    }

    fn compare(&mut self, ours: &Outcome, theirs: &Outcome, say: impl Fn(String) -> String) {
        // Without a trace only the fault was recorded.
        let alone = Outcome { fault: ours.fault.clone(), ..Outcome::default() };
        let ours = if theirs.id.is_empty() { &alone } else { ours };
        if let Some(text) = compare::difference(ours, theirs) {
            self.differences.push(say(text));
        }
    }

    fn seal(&mut self, id: &str, integrity: &str) -> Result<(), String> {
        let recorded = self.log.block(self.number).map_err(|error| error.to_string())?.ok_or("not in the log")?;
        let signatures = signatures(&recorded)?;
        let applied = self.chain.seal_block(&mut |_| signatures.clone()).map_err(|error| error.to_string())?;
        let state = &applied.applied.last().ok_or("the block did not become the head")?.state;
        let ours = hex::encode(state.id().0);
        if ours != id {
            let header = state.block.as_ref().map(|block| block.header().clone());
            return Err(format!("block id: ours {ours}, nodeos {id}; ours {header:?}, nodeos {:?}", recorded.header()));
        }
        let ours = hex::encode(self.chain.integrity_hash().map_err(|error| error.to_string())?.0);
        if ours == integrity { Ok(()) } else { Err(format!("integrity hash: ours {ours}, nodeos {integrity}")) }
    }
}

/// All signatures of a recorded block in the order in which a signer returns them, the header's last.
fn signatures(recorded: &SignedBlock) -> Result<Vec<Signature>, String> {
    let mut all = Vec::new();
    for (id, data) in &recorded.block_extensions {
        if *id == block::ADDITIONAL_BLOCK_SIGNATURES {
            all.extend(Vec::<Signature>::from_bytes(data).map_err(|error| error.to_string())?);
        }
    }
    all.push(recorded.signed_header.producer_signature.clone());
    Ok(all)
}

fn failure(error: ChainError) -> Outcome {
    let fault = match error {
        ChainError::Block(fault) => compare::fault(&fault),
        other => panic!("the chain is broken: {other}"),
    };
    Outcome { fault: Some(fault), ..Outcome::default() }
}

fn digest(text: &str) -> Result<Checksum256, String> {
    let bytes = hex::decode(text).map_err(|error| error.to_string())?;
    Checksum256::from_bytes(&bytes).map_err(|error| error.to_string())
}
