//! Contracts' ABIs, parsed once for each version and shared between requests.

use std::sync::Arc;

use abi::{Abi, AbiDefinition, Limits};
use codec::Unpack;
use ledger::Ledger;
use parking_lot::RwLock;
use primitives::Name;
use rustc_hash::FxHashMap;

/// Parsed ABIs that are kept at most; then all are forgotten.
const KEPT_MAX: usize = 256;

/// How conversions for the API are bounded: messages stay short.
pub const SHORT: Limits<'static> = Limits { out_of_time: None, short_path: true, depth_used: 0 };
/// The same with whole paths in messages.
pub const LONG: Limits<'static> = Limits { out_of_time: None, short_path: false, depth_used: 0 };

/// A contract's ABI, and the kinds of its tables' indexes.
#[derive(Debug)]
pub struct ContractAbi {
    /// The ABI.
    pub abi: Arc<Abi>,
    /// Index types by table (`table_def::index_type`).
    pub index_types: FxHashMap<Name, String>,
}

#[derive(Debug, Clone)]
struct Entry {
    sequence: u64,
    bytes: usize,
    abi: Option<Arc<ContractAbi>>,
}

/// The cache, by the sequence number of an ABI's last change and its size.
#[derive(Debug, Default)]
pub struct Abis {
    entries: RwLock<FxHashMap<Name, Entry>>,
}

/// ABIs of the contracts that one answer needs, looked up before the JSON is made.
pub type AbiSet = FxHashMap<Name, Option<Arc<Abi>>>;

impl Abis {
    /// The ABI of a contract; none when the account does not exist, has no ABI, or one that cannot be used.
    pub fn contract(&self, ledger: &Ledger, account: Name) -> Option<Arc<ContractAbi>> {
        let id = ledger.find_account(account)?;
        let info = ledger.account_info(id);
        let (sequence, bytes) = (ledger.account_metadata(id).abi_sequence, info.abi.len());
        if let Some(entry) = self.entries.read().get(&account)
            && entry.sequence == sequence
            && entry.bytes == bytes
        {
            return entry.abi.clone();
        }
        let abi = parse(&info.abi).map(Arc::new);
        let mut entries = self.entries.write();
        if entries.len() >= KEPT_MAX {
            entries.clear();
        }
        entries.insert(account, Entry { sequence, bytes, abi: abi.clone() });
        abi
    }

    /// As [`Self::contract`], the ABI alone.
    pub fn get(&self, ledger: &Ledger, account: Name) -> Option<Arc<Abi>> {
        self.contract(ledger, account).map(|contract| Arc::clone(&contract.abi))
    }

    /// The ABIs of several contracts.
    pub fn set(&self, ledger: &Ledger, accounts: impl IntoIterator<Item = Name>) -> AbiSet {
        let mut set = AbiSet::default();
        for account in accounts {
            set.entry(account).or_insert_with(|| self.get(ledger, account));
        }
        set
    }
}

fn parse(bytes: &[u8]) -> Option<ContractAbi> {
    let abi = Abi::from_account(bytes, &LONG).ok().flatten()?;
    let tables = AbiDefinition::from_prefix(bytes).ok()?.tables;
    let index_types = tables.into_iter().map(|table| (table.name, table.index_type)).collect();
    Some(ContractAbi { abi: Arc::new(abi), index_types })
}
