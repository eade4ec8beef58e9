//! What handlers reach: the engine's handle, the ABI cache, and how the API is set up.

use engine::Handle;

use crate::abis::Abis;

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
    /// Show traces' data as bytes only, without the contracts' ABIs.
    pub trace_no_abis: bool,
    /// Bytes that a signature's variable parts may have.
    pub signature_bytes_max: usize,
}

/// What handlers reach.
#[derive(Debug)]
pub struct Node {
    /// The way to the writer.
    pub handle: Handle,
    /// Contracts' ABIs.
    pub abis: Abis,
    /// How the API is set up.
    pub settings: ApiSettings,
}
