//! Contracts' ABIs, parsed once for each version and shared between requests.
//!
//! The chain is held only to look an ABI up or to copy its bytes: parsing is done outside, and what cannot be parsed is
//! remembered with its fault.

use std::sync::Arc;

use abi::{Abi, AbiDefinition, Limits};
use chain::Chain;
use engine::Handle;
use ledger::Ledger;
use parking_lot::RwLock;
use primitives::{Fault, FaultKind, Name};
use rustc_hash::FxHashMap;

/// Packed bytes of the ABIs that are kept; then all are forgotten. Parsed they take up to twenty times as much.
const KEPT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// ABIs that are kept, however small.
const KEPT_MAX: usize = 4096;
/// How often an ABI that changes all the time is read again before an answer makes do with the last one.
const ATTEMPTS: usize = 8;

/// A contract's ABI as far as it can be used, with the fault of what cannot.
#[derive(Debug)]
pub struct ContractAbi {
    bytes: Vec<u8>,
    /// The checked ABI; `None` for an account without one.
    pub abi: Result<Option<Arc<Abi>>, Fault>,
    /// Index types by table (`table_def::index_type`). They can be read in an ABI that nothing else can be done with.
    index_types: Result<FxHashMap<Name, String>, Fault>,
}

/// The ABI of each contract that one answer needs, looked up before the JSON is made.
pub type AbiSet = FxHashMap<Name, Option<Arc<ContractAbi>>>;

impl ContractAbi {
    fn parse(bytes: Vec<u8>) -> Self {
        let definition = match AbiDefinition::from_account(&bytes) {
            Ok(Some(definition)) => definition,
            Ok(None) => return Self { bytes, abi: Ok(None), index_types: Ok(FxHashMap::default()) },
            Err(error) => {
                let fault = Fault::from(error);
                return Self { bytes, abi: Err(fault.clone()), index_types: Err(fault) };
            }
        };
        let mut index_types = FxHashMap::default();
        for table in &definition.tables {
            index_types.entry(table.name).or_insert_with(|| table.index_type.to_string());
        }
        let abi = Abi::new(definition, &Limits::default()).map(Arc::new).map(Some);
        Self { bytes, abi, index_types: Ok(index_types) }
    }

    /// The ABI, where there is one that can be used.
    pub fn usable(&self) -> Option<&Arc<Abi>> {
        self.abi.as_ref().ok()?.as_ref()
    }

    /// Makes sure that the ABI, if there is one, can be read, usable or not.
    ///
    /// # Errors
    /// The fault of its bytes.
    pub fn check_bytes(&self) -> Result<(), Fault> {
        self.index_types.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    /// The index type of a table.
    ///
    /// # Errors
    /// `contract_table_query_exception` without the table, or the fault of the ABI's bytes.
    pub fn index_type(&self, table: Name) -> Result<&str, Fault> {
        let known = self.index_types.as_ref().map_err(Clone::clone)?;
        known.get(&table).map(String::as_str).ok_or_else(|| not_specified(table))
    }
}

/// The fault of a table that an ABI does not have.
pub fn not_specified(table: Name) -> Fault {
    let message = format!("Table {table} is not specified in the ABI");
    Fault::new(FaultKind::CONTRACT_TABLE_QUERY_EXCEPTION, message)
}

/// The cache, by account; an entry counts as long as the account still has the same bytes.
#[derive(Debug, Default)]
pub struct Abis {
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_account: FxHashMap<Name, Arc<ContractAbi>>,
    bytes: usize,
}

impl Abis {
    /// Looks at the chain together with the ABI of an account as it then is; without the account there is none.
    pub fn with<T>(&self, handle: &Handle, account: Name, look: impl Fn(&Chain, Option<&Arc<ContractAbi>>) -> T) -> T {
        let mut parsed: Option<Arc<ContractAbi>> = None;
        for _ in 0..ATTEMPTS {
            let unread = handle.read(|chain| {
                let Some(bytes) = bytes_of(chain.ledger(), account) else { return Ok(look(chain, None)) };
                let kept = self.kept.read().by_account.get(&account).cloned();
                match kept.or_else(|| parsed.clone()).filter(|known| known.bytes == bytes) {
                    Some(known) => Ok(look(chain, Some(&known))),
                    None => Err(bytes.to_vec()),
                }
            });
            match unread {
                Ok(answer) => return answer,
                Err(bytes) => parsed = Some(self.keep(account, bytes)),
            }
        }
        handle.read(|chain| look(chain, parsed.as_ref()))
    }

    /// The ABI of an account.
    pub fn contract(&self, handle: &Handle, account: Name) -> Option<Arc<ContractAbi>> {
        self.with(handle, account, |_, abi| abi.cloned())
    }

    /// The ABIs of several contracts.
    pub fn set(&self, handle: &Handle, accounts: impl IntoIterator<Item = Name>) -> AbiSet {
        let mut set = AbiSet::default();
        for account in accounts {
            set.entry(account).or_insert_with(|| self.contract(handle, account));
        }
        set
    }

    fn keep(&self, account: Name, bytes: Vec<u8>) -> Arc<ContractAbi> {
        let contract = Arc::new(ContractAbi::parse(bytes));
        let size = contract.bytes.len();
        let mut kept = self.kept.write();
        if let Some(old) = kept.by_account.remove(&account) {
            kept.bytes -= old.bytes.len();
        }
        if kept.bytes + size > KEPT_BYTES_MAX || kept.by_account.len() >= KEPT_MAX {
            *kept = Kept::default();
        }
        if size <= KEPT_BYTES_MAX {
            kept.bytes += size;
            kept.by_account.insert(account, Arc::clone(&contract));
        }
        contract
    }
}

/// The ABI that an account stores.
fn bytes_of(ledger: &Ledger, account: Name) -> Option<&[u8]> {
    ledger.find_account(account).map(|id| &ledger.account_info(id).abi[..])
}
