//! What only privileged accounts may do: the system contract and what it trusts.

use crate::alloc;
use crate::alloc::vec::Vec;
use crate::authority::{ProducerAuthority, ProducerKey};
use crate::codec::{pack, unpack};
use crate::digest::Checksum256;
use crate::name::Name;
use crate::parameters::BlockchainParameters;
use crate::raw;

/// What an account may use; -1 is without limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceLimits {
    /// Bytes of RAM.
    pub ram_bytes: i64,
    /// Weight in the sharing of network bandwidth.
    pub net_weight: i64,
    /// Weight in the sharing of CPU time.
    pub cpu_weight: i64,
}

/// The account's limits.
pub fn resource_limits(account: Name) -> ResourceLimits {
    let mut limits = ResourceLimits { ram_bytes: 0, net_weight: 0, cpu_weight: 0 };
    // SAFETY: the host writes three numbers.
    unsafe {
        raw::get_resource_limits(account.0, &mut limits.ram_bytes, &mut limits.net_weight, &mut limits.cpu_weight);
    }
    limits
}

/// Sets the account's limits.
pub fn set_resource_limits(account: Name, limits: ResourceLimits) {
    // SAFETY: no pointers.
    unsafe { raw::set_resource_limits(account.0, limits.ram_bytes, limits.net_weight, limits.cpu_weight) }
}

/// Makes an account privileged, or no longer so.
pub fn set_privileged(account: Name, privileged: bool) {
    // SAFETY: no pointers.
    unsafe { raw::set_privileged(account.0, i32::from(privileged)) }
}

/// Whether an account is privileged.
pub fn is_privileged(account: Name) -> bool {
    // SAFETY: no pointers.
    unsafe { raw::is_privileged(account.0) != 0 }
}

/// Switches a protocol feature on from the next block.
pub fn preactivate_feature(digest: &Checksum256) {
    // SAFETY: a digest is 32 bytes.
    unsafe { raw::preactivate_feature(digest.0.as_ptr()) }
}

/// Proposes a schedule; its version, or nothing when it is what is scheduled already.
pub fn set_proposed_producers(producers: &[ProducerAuthority]) -> Option<u32> {
    let packed = pack(producers);
    // SAFETY: pointer and length are those of a live vector. Format 1: producers with authorities.
    let version = unsafe { raw::set_proposed_producers_ex(1, packed.as_ptr(), packed.len() as u32) };
    u32::try_from(version).ok()
}

/// Proposes a schedule of one key each, by the call that every chain has from its first block.
pub fn set_proposed_producer_keys(producers: &[ProducerKey]) -> Option<u32> {
    let packed = pack(producers);
    // SAFETY: pointer and length are those of a live vector.
    let version = unsafe { raw::set_proposed_producers(packed.as_ptr(), packed.len() as u32) };
    u32::try_from(version).ok()
}

/// The chain's configuration.
pub fn blockchain_parameters() -> BlockchainParameters {
    let mut packed = [0u8; 128];
    // SAFETY: the buffer holds the whole structure of 68 bytes.
    unsafe { raw::get_blockchain_parameters_packed(packed.as_mut_ptr(), packed.len() as u32) };
    unpack(&packed)
}

/// Sets the chain's configuration.
pub fn set_blockchain_parameters(parameters: &BlockchainParameters) {
    let packed = pack(parameters);
    // SAFETY: pointer and length are those of a live vector.
    unsafe { raw::set_blockchain_parameters_packed(packed.as_ptr(), packed.len() as u32) }
}

/// Single parameters by number: `ids` is a count and then numbers; the answer is a count and then (id, value) pairs.
pub fn parameters_packed(ids: &[u8]) -> Vec<u8> {
    // SAFETY: the host writes at most the length it is given; a length of 0 asks for the size.
    sized(|start, length| unsafe { raw::get_parameters_packed(ids.as_ptr(), ids.len() as u32, start, length) })
}

/// The limits on modules: a version and eleven numbers.
pub fn wasm_parameters_packed() -> Vec<u8> {
    const NEWEST_VERSION: u32 = 0;
    // SAFETY: as above.
    sized(|start, length| unsafe { raw::get_wasm_parameters_packed(start, length, NEWEST_VERSION) })
}

/// Asks for a size and then for as many bytes.
fn sized(ask: impl Fn(*mut u8, u32) -> u32) -> Vec<u8> {
    let mut bytes = alloc::vec![0; ask(core::ptr::null_mut(), 0) as usize];
    ask(bytes.as_mut_ptr(), bytes.len() as u32);
    bytes
}

/// Sets single parameters by number: `packed` is a count and then (id, value) pairs.
pub fn set_parameters_packed(packed: &[u8]) {
    // SAFETY: pointer and length are those of a live slice.
    unsafe { raw::set_parameters_packed(packed.as_ptr(), packed.len() as u32) }
}

/// Sets the limits on modules: a version and eleven numbers.
pub fn set_wasm_parameters_packed(packed: &[u8]) {
    // SAFETY: pointer and length are those of a live slice.
    unsafe { raw::set_wasm_parameters_packed(packed.as_ptr(), packed.len() as u32) }
}
