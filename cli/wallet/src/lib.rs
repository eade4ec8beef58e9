//! Private keys in encrypted files, without a daemon.
//!
//! A wallet is one file: a header in clear (key derivation, salt, nonce) and the keys, sealed with
//! XChaCha20-Poly1305 under a key that Argon2id derives from the password. `unlock` leaves the derived key in a
//! file of the user's run-time folder (memory, mode 0600) until `sweep` sees its time over or `lock` removes it.

mod error;
mod file;
mod folder;
mod session;

pub use error::WalletError;
pub use file::{SealKey, WalletFile};
pub use folder::{Folder, generate_key, generate_password};
pub use session::{IDLE_DEFAULT, IDLE_MAX, sweep};

/// Bytes from which memory goes back: less than a password takes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE_BYTES: libc::c_int = 1 << 20;

/// Keeps this process' memory, and with it private keys, out of core dumps and away from debuggers of the same user.
pub fn keep_out_of_dumps() {
    // SAFETY: it sets one flag of the process; where that fails, everything works as without it.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
}

/// Has large pieces of memory go back to the system as soon as they are free. Those that passwords become keys in would
/// stay otherwise, one for each thread that ever checked one.
pub fn give_memory_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it sets one number of the allocator; where that fails, everything works as without it.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES);
    }
}
