//! What handlers reach: the engine's handle, the ABI cache, and how the API is set up.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use engine::Handle;
use p2p::NetworkHandle;
use primitives::{PrivateKey, PublicKey};

use crate::abis::Abis;
use crate::authorizers::Authorizers;
use crate::breakers::Breakers;
use crate::failures::Failures;
use crate::large::Aside;

/// How the API is set up.
#[derive(Debug, Clone, Default)]
pub struct ApiSettings {
    /// Show all messages of a failure.
    pub verbose_http_errors: bool,
    /// Version as eight hexadecimal digits (`server_version`).
    pub version_id: String,
    /// Version for people (`server_version_string`).
    pub version: String,
    /// Version with the commit (`server_full_version_string`).
    pub full_version: String,
    /// Answer `get_accounts_by_authorizers`.
    pub account_queries: bool,
    /// Keep the traces of the last transactions that failed.
    pub keeps_failures: bool,
    /// Show traces' data as bytes only, without the contracts' ABIs.
    pub trace_no_abis: bool,
    /// Bytes that a signature's variable parts may have.
    pub signature_bytes_max: usize,
    /// Requests that may be under way; none for any number.
    pub requests_max: Option<u64>,
    /// The same for the bytes of their bodies and answers.
    pub request_bytes_max: Option<u64>,
    /// Where a development chain's states are written to.
    pub states_dir: Option<PathBuf>,
}

/// Where added signing keys are kept over a restart.
pub trait KeyKeeper: Send + Sync + std::fmt::Debug {
    /// Keeps a key under a password, beside those that are kept under it already.
    ///
    /// # Errors
    /// The password is another one, or the disk refuses; in words for the user.
    fn keep(&self, key: &PrivateKey, password: &str) -> Result<(), String>;

    /// Forgets a key, where the password is known.
    ///
    /// # Errors
    /// As [`KeyKeeper::keep`].
    fn forget(&self, key: &PublicKey, password: &str) -> Result<(), String>;

    /// The keys that are kept.
    ///
    /// # Errors
    /// As [`KeyKeeper::keep`].
    fn open(&self, password: &str) -> Result<Vec<PrivateKey>, String>;
}

/// What handlers reach.
#[derive(Debug)]
pub struct Node {
    /// The way to the writer.
    pub handle: Handle,
    /// Contracts' ABIs.
    pub abis: Abis,
    /// Which permissions name an account or a key.
    pub authorizers: Mutex<Authorizers>,
    /// Transactions that failed here lately.
    pub failures: Failures,
    /// Where large requests run.
    pub aside: Aside,
    /// What is refused before something runs out.
    pub breakers: Breakers,
    /// How the API is set up.
    pub settings: ApiSettings,
    /// Where added signing keys are kept.
    pub keys: Option<Arc<dyn KeyKeeper>>,
    /// The way to the network, where there is one.
    pub network: Option<NetworkHandle>,
}

impl Node {
    /// A node that nobody has asked anything yet.
    pub fn new(handle: Handle, settings: ApiSettings, keys: Option<Arc<dyn KeyKeeper>>) -> Self {
        let authorizers = Mutex::new(Authorizers::since(handle.began_at()));
        let failures = Failures::new(settings.keeps_failures);
        let breakers = Breakers::new(handle.metrics(), settings.requests_max, settings.request_bytes_max);
        let (abis, aside) = (Abis::default(), Aside::new(breakers.large_max()));
        Self { handle, abis, authorizers, failures, aside, breakers, settings, keys, network: None }
    }
}
