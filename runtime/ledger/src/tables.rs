//! The one list of tables. Each table's file says what its rows are, how changes are undone, and how snapshots and
//! checkpoints have them; here stands in which order.

mod generate;
mod packed_rows;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::Ledger;
use crate::account::{self, AccountHotKey, AccountInfoKey, AccountUndo};
use crate::checkpoint::error::{CheckpointError, Result};
use crate::checkpoint::key::KeyPart;
use crate::checkpoint::row::{CheckpointKey, Handles, HandlesBefore, OldRows, RowsBefore};
use crate::code::{self, CodeUndo};
use crate::contract::{self, ContractRowKey, ContractUndo, TableOrderKey};
use crate::dedup::{self, DedupUndo, TransactionsKey};
use crate::deltas::rows::{Before, BeforeOf, Changes, ChangesOf, DeltaRows, DeltaTable};
use crate::generated::{self, GeneratedKey, GeneratedUndo};
use crate::global::{self, BlockSummaryKey, GlobalUndo, PropertyKey, ProtocolKey, SequenceKey};
use crate::keys::{CodeKey, LinkKey};
use crate::link::{self, LinkUndo};
use crate::permission::{self, PermissionKey, PermissionUndo};
use crate::resource::{self, PendingLimitsKey, ResourceConfigKey, ResourceStateKey, ResourceUndo};
use crate::secondary::{self, IndexRowKey, IndexUndo};
use crate::snapshot::rows::TableSection;

pub(crate) use packed_rows::PackedRows;

// Kinds of rows in checkpoints: the bytes that their keys begin with, which ascend, their name, key, and the name of
// their place in the walk into the past. A row depends only on rows with smaller keys.
generate::rows! {
    [0, 0] Property(PropertyKey), property;
    [0, 1] Protocol(ProtocolKey), protocol;
    [0, 2] Sequence(SequenceKey), sequence;
    [0, 3] ResourceConfig(ResourceConfigKey), resource_config;
    [0, 4] ResourceState(ResourceStateKey), resource_state;
    [1] Code(CodeKey), codes;
    [2] AccountInfo(AccountInfoKey), account_info;
    [3] AccountHot(AccountHotKey), account_hot;
    [4] Permission(PermissionKey), permissions;
    [5] Link(LinkKey), links;
    [6] PendingLimits(PendingLimitsKey), pending_limits;
    [7] Table(TableOrderKey), tables;
    [8] Row(ContractRowKey), contract_rows;
    [9] Index(IndexRowKey), index_rows;
    [10] Generated(GeneratedKey), generated;
    [11] Transactions(TransactionsKey), transactions;
    [12] BlockSummary(BlockSummaryKey), block_summaries;
}

/// The tables with one row, in the order of their keys, as messages call them: always part of a checkpoint.
pub(crate) const SINGLES: [(RowKey, &str); 5] = [
    (RowKey::Property(PropertyKey {}), "global properties"),
    (RowKey::Protocol(ProtocolKey {}), "protocol state"),
    (RowKey::Sequence(SequenceKey {}), "global sequence"),
    (RowKey::ResourceConfig(ResourceConfigKey {}), "resource configuration"),
    (RowKey::ResourceState(ResourceStateKey {}), "resource state"),
];

// Entries of the journal: their name, their type, and the function of the ledger that undoes them.
generate::entries! {
    Account(AccountUndo), undo_account;
    Resource(ResourceUndo), undo_resource;
    Global(GlobalUndo), undo_global;
    Code(CodeUndo), undo_code;
    Permission(PermissionUndo), undo_permission;
    Link(LinkUndo), undo_link;
    Contract(ContractUndo), undo_contract;
    Index(IndexUndo), undo_index;
    Generated(GeneratedUndo), undo_generated;
    Dedup(DedupUndo), undo_dedup;
}

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

// The tables of deltas in nodeos' order (create_deltas.cpp), and the names of their places in the walk.
generate::deltas! {
    accounts: account::InfoDelta;
    metadata: account::MetadataDelta;
    codes: code::CodeDelta;
    contract_tables: contract::TableDelta;
    contract_rows: contract::RowDelta;
    idx64: secondary::IndexDelta<u64>;
    idx128: secondary::IndexDelta<secondary::Key128>;
    idx256: secondary::IndexDelta<secondary::Key256>;
    double: secondary::IndexDelta<secondary::Float64>;
    long_double: secondary::IndexDelta<secondary::Float128>;
    property: global::PropertyDelta;
    generated: generated::GeneratedDelta;
    protocol: global::ProtocolDelta;
    permissions: permission::PermissionDelta;
    links: link::LinkDelta;
    limits: resource::LimitsDelta;
    usage: resource::UsageDelta;
    state: resource::StateDelta;
    config: resource::ConfigDelta;
}

/// The sections in the order in which they can be read: accounts refer to code, which the file has behind them.
pub(crate) fn sections_to_read() -> impl Iterator<Item = &'static TableSection> {
    let is_code = |section: &&TableSection| section.name == code::SECTION.name;
    let code_first = SECTIONS.into_iter().filter(is_code);
    code_first.chain(SECTIONS.into_iter().filter(move |section| !is_code(section)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checkpoints are loaded and undone in the order of bytes.
    #[test]
    fn keys_have_the_order_of_their_bytes() {
        let hash = |byte| primitives::Checksum256([byte; 32]);
        let (one, two) = (primitives::Name(1), primitives::Name(1 << 40));
        let link = |account, code| LinkKey { account, code, message_type: one };
        let keys: Vec<RowKey> = SINGLES
            .map(|(key, _)| key)
            .into_iter()
            .chain([
                (hash(1), 2, 0).into(),
                (hash(2), 1, 0).into(),
                AccountInfoKey { account: crate::AccountId(2) }.into(),
                AccountInfoKey { account: crate::AccountId(256) }.into(),
                AccountHotKey { account: crate::AccountId(1) }.into(),
                PermissionKey { owner: one, name: two }.into(),
                PermissionKey { owner: two, name: one }.into(),
                link(one, two).into(),
                link(two, one).into(),
                PendingLimitsKey { account: one }.into(),
                TableOrderKey { order: 300 }.into(),
                ContractRowKey { table: 1, primary: 256 }.into(),
                ContractRowKey { table: 256, primary: 1 }.into(),
                IndexRowKey { kind: 0, table: 256, primary: 0 }.into(),
                IndexRowKey { kind: 4, table: 1, primary: 1 }.into(),
                GeneratedKey { order: 1 }.into(),
                TransactionsKey { expiration: primitives::TimePointSec(1), chunk: 256 }.into(),
                BlockSummaryKey { slot: 1 }.into(),
            ])
            .collect();
        assert!(keys.is_sorted_by(|left, right| left < right));
        assert!(keys.is_sorted_by(|left, right| left.encode() < right.encode()));
        for key in keys {
            let mut bytes = key.encode();
            assert_eq!(RowKey::decode(&bytes), Some(key));
            bytes.push(0);
            assert_eq!(RowKey::decode(&bytes), None, "{key:?}");
        }
    }
}
