//! The one list of tables. Each table's file says what its rows are, how changes are undone, and how snapshots and
//! checkpoints have them; here stands in which order.

use crate::snapshot::rows::TableSection;
use crate::{account, code, contract, dedup, generated, global, link, permission, resource};

/// The sections of a snapshot behind those of its head, in nodeos' order.
pub(crate) const SECTIONS: [&TableSection; 17] = [
    &account::INFO_SECTION,
    &account::METADATA_SECTION,
    &account::RAM_CORRECTION_SECTION,
    &global::PROPERTY_SECTION,
    &global::PROTOCOL_SECTION,
    &global::SEQUENCE_SECTION,
    &global::BLOCK_SUMMARY_SECTION,
    &dedup::SECTION,
    &generated::SECTION,
    &code::SECTION,
    &contract::SECTION,
    &permission::SECTION,
    &link::SECTION,
    &resource::LIMITS_SECTION,
    &resource::USAGE_SECTION,
    &resource::STATE_SECTION,
    &resource::CONFIG_SECTION,
];

/// The same in the order in which they can be read: accounts refer to code, which the file has behind them.
pub(crate) fn sections_to_read() -> impl Iterator<Item = &'static TableSection> {
    let is_code = |section: &&TableSection| section.name == code::SECTION.name;
    let code_first = SECTIONS.into_iter().filter(is_code);
    code_first.chain(SECTIONS.into_iter().filter(move |section| !is_code(section)))
}
