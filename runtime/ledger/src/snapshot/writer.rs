//! Writes the sections, without a buffer: a first pass over a section counts, a second one writes.

use codec::{Pack, Sink, SizeCounter};
use primitives::{Checksum256, Sha256, TimePoint};

use super::format::{CHAIN_VERSION, END, FORMAT_VERSION, MAGIC, section};
use super::rows::{Rows, Source};
use crate::Ledger;
use crate::tables::SECTIONS;

type WriteSection = fn(&Source<'_>, &mut Rows<'_>);

/// What stands before the tables.
const HEADS: [(&str, WriteSection); 2] = [
    (section::HEADER, |_, rows| rows.pack(&CHAIN_VERSION)),
    (section::HEAD, |source, rows| rows.add(|out| out.put(source.head_state))),
];

/// All sections in the order of the file.
fn sections() -> impl Iterator<Item = (&'static str, WriteSection)> {
    HEADS.into_iter().chain(SECTIONS.iter().map(|section| (section.name, section.write)))
}

impl Ledger {
    /// Writes a snapshot. `head_state` is the packed `block_header_state` of the head, `now` the head's time:
    /// transactions that have expired by then are left out, as nodeos clears them first.
    pub fn write_snapshot(&self, head_state: &[u8], now: TimePoint, out: &mut impl Sink) {
        let source = Source { ledger: self, head_state, now };
        MAGIC.pack(out);
        FORMAT_VERSION.pack(out);
        for (name, write) in sections() {
            let mut counter = SizeCounter::default();
            let mut rows = Rows { out: &mut counter, count: 0 };
            write(&source, &mut rows);
            let count = rows.count;
            // The size counts everything after itself.
            let size = size_of::<u64>() + name.len() + 1 + counter.0;
            (size as u64).pack(out);
            count.pack(out);
            out.put(name.as_bytes());
            out.put(&[0]);
            write(&source, &mut Rows { out, count: 0 });
        }
        END.pack(out);
    }

    /// nodeos' hash of the whole state: over the rows of a snapshot (`calculate_integrity_hash`).
    pub fn integrity_hash(&self, head_state: &[u8], now: TimePoint) -> Checksum256 {
        let source = Source { ledger: self, head_state, now };
        let mut hasher = Sha256::default();
        for (_, write) in sections() {
            write(&source, &mut Rows { out: &mut hasher, count: 0 });
        }
        hasher.finish()
    }
}
