//! Private keys in encrypted files, without a daemon.
//!
//! A wallet is one file: a header in clear (key derivation, salt, nonce) and the keys, sealed with
//! XChaCha20-Poly1305 under a key that Argon2id derives from the password. `unlock` leaves the derived key in a
//! file of the user's run-time folder (memory, mode 0600) until it times out or `lock` removes it.

mod error;
mod file;
mod folder;
mod session;

pub use error::WalletError;
pub use file::{SealKey, WalletFile};
pub use folder::{Folder, generate_key, generate_password};
