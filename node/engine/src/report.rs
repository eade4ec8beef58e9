//! One log line for each block, in nodeos' words and fields.

use chain::{Applied, BlockState, SealedBlock};
use primitives::TimePoint;

/// Bytes of a word of net usage.
const NET_WORD_BYTES: u64 = 8;

/// What the transactions of a block used, onblock among them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub net_bytes: u64,
    pub cpu_us: u64,
    elapsed_us: i64,
}

impl Usage {
    pub fn of(sealed: &SealedBlock) -> Self {
        let mut usage = Self::default();
        for trace in &sealed.traces {
            usage.elapsed_us += trace.elapsed_us;
            if let Some(receipt) = &trace.receipt {
                usage.net_bytes += u64::from(receipt.net_usage_words.0) * NET_WORD_BYTES;
                usage.cpu_us += u64::from(receipt.cpu_usage_us);
            }
        }
        usage
    }
}

/// A block that was built here; its end began at `sealing` and is over `now`.
pub(crate) fn produced(applied: &Applied, irreversible: u32, sealing: TimePoint, now: TimePoint) {
    for sealed in &applied.applied {
        let usage = Usage::of(sealed);
        let time = usage.elapsed_us + now.0 - sealing.0;
        tracing::info!("Produced block {}, time: {time}]", fields(&sealed.state, irreversible, usage));
    }
}

/// A block from outside; it was taken at `begun` and is part of the chain at `ended`. One that is not applied has used
/// nothing yet.
pub(crate) fn received(applied: &Applied, irreversible: u32, begun: TimePoint, ended: TimePoint) {
    let Some(state) = applied.joined().next_back() else { return };
    let time = ended.0 - begun.0;
    let latency = (ended.0 - state.header.timestamp().time().0) / 1000;
    let last = applied.applied.last().filter(|sealed| sealed.state.id() == state.id());
    let fields = fields(state, irreversible, last.map(Usage::of).unwrap_or_default());
    tracing::info!("Received block {fields}, time: {time}, latency: {latency} ms]");
}

fn fields(state: &BlockState, irreversible: u32, usage: Usage) -> String {
    let header = state.header.block_header();
    format!(
        "{}... #{} @ {} signed by {} [trxs: {}, lib: {irreversible}, confirmed: {}, net: {}, cpu: {}, elapsed: {}",
        &state.id().to_string()[8..24],
        state.number(),
        header.timestamp,
        header.producer,
        state.block.as_ref().map_or(0, |block| block.transactions.len()),
        header.confirmed,
        usage.net_bytes,
        usage.cpu_us,
        usage.elapsed_us,
    )
}
