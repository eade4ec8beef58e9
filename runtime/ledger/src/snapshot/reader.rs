//! Reads a snapshot from bytes that may hold anything: every length is bounded by the input, every reference between
//! tables is checked, so that execution can rely on them.

use super::format::{CHAIN_VERSION, LAST_LEGACY, OLDEST_CHAIN_VERSION, section};
use super::sections::{Result, Sections, version};
use crate::Ledger;
use crate::tables::sections_to_read;

/// A snapshot's contents.
#[derive(Debug)]
pub struct Snapshot {
    /// The packed `block_header_state` of the head.
    pub head_state: Vec<u8>,
    /// It is in the form of version 2, which has one key for each producer.
    pub head_is_legacy: bool,
    /// The state after the head. Nothing of it can be undone.
    pub ledger: Ledger,
}

impl Snapshot {
    /// Reads a whole snapshot.
    ///
    /// # Errors
    /// What is wrong with it, and in which section.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut sections = Sections::find(bytes)?;
        let found = sections.get(section::HEADER)?.only()?;
        sections.version = version("chain snapshot", found, OLDEST_CHAIN_VERSION..=CHAIN_VERSION)?;
        let head = sections.get(section::HEAD)?;
        head.ensure(head.rows == 1, || "there is not exactly one head".into())?;
        let head_state = head.input.rest().to_vec();
        let mut ledger = Ledger::empty();
        sections_to_read().try_for_each(|section| (section.read)(&mut ledger, &sections))?;
        Ok(Self { head_state, head_is_legacy: sections.version <= LAST_LEGACY, ledger })
    }
}
