//! What a block did to the rows of the state, as nodeos' state history tells it (`table_delta`; nodeos:
//! state_history/create_deltas.cpp, serialization.hpp). Each table says in its own file which rows an entry of the journal
//! is of and what its rows look like ([`rows`]); `tables` has their order.

pub(crate) mod rows;

use codec::{Pack, VarUint32};

use crate::Ledger;
use crate::deltas::rows::VERSION_0;
use crate::tables::{self, Walk};

impl Ledger {
    /// What the newest block did to the rows, packed as nodeos' `vector<table_delta>`. It must have been executed here.
    pub fn block_deltas(&self) -> Vec<u8> {
        let mut walk = Walk::default();
        let newest = self.journal.newest_first().next();
        newest.into_iter().flat_map(|(_, entries)| entries).for_each(|entry| entry.tell(&mut walk));
        pack(walk.rows(self))
    }

    /// All rows in the same form: what a history begins with.
    pub fn full_deltas(&self) -> Vec<u8> {
        pack(tables::all_rows(self))
    }
}

/// Packs the tables that have rows.
fn pack(mut tables: Vec<(&'static str, rows::DeltaRows)>) -> Vec<u8> {
    tables.retain(|(_, rows)| rows.count > 0);
    let mut out = Vec::new();
    VarUint32(tables.len() as u32).pack(&mut out);
    for (name, rows) in tables {
        VERSION_0.pack(&mut out);
        name.to_owned().pack(&mut out);
        VarUint32(rows.count).pack(&mut out);
        out.extend_from_slice(&rows.bytes);
    }
    out
}
