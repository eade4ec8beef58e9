//! Which program this is, and how it was built.

use serde_json::{Value, json};

/// Version that the API shows, as nodeos shows its own.
pub const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"), "-boreas");
/// The first eight hexadecimal digits that `get_info` shows as `server_version`.
pub const VERSION_ID: &str = "b0ea0001";

/// How the program was built, with the fields that nodeos has.
pub fn info() -> Value {
    json!({
        "debug": cfg!(debug_assertions),
        "os": if cfg!(target_os = "linux") { "OS_LINUX" } else { "OS_OTHER" },
        "arch": if cfg!(target_arch = "x86_64") { "ARCH_X86_64" } else { "ARCH_OTHER" },
        "version": VERSION,
    })
}
