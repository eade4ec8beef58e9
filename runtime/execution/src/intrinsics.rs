//! The one table of host functions, by topic. A function that is not here cannot be imported.

use std::sync::LazyLock;

use primitives::{Checksum256, Fault, Name};
use wasm::validate::Imports;
use wasm::{Host, Intrinsics, Limits, intrinsics::Signature};

use crate::fault::Outcome;
use crate::features::Feature;
use crate::world::{Machine, World};

mod action;
mod authorization;
mod builtins;
mod console;
mod crypto;
mod crypto_primitives;
mod db;
mod memory;
mod permission;
mod privileged;
mod producer;
mod system;
mod transaction;
mod unpack;

/// All host functions.
static TABLE: LazyLock<Intrinsics<World>> = LazyLock::new(|| {
    let mut table = Intrinsics::new();
    transaction::register(table.topic("transaction"));
    privileged::register(table.topic("privileged"));
    producer::register(table.topic("producer"));
    permission::register(table.topic("permission"));
    authorization::register(table.topic("authorization"));
    system::register(table.topic("system"));
    action::register(table.topic("action"));
    crypto::register(table.topic("crypto"));
    console::register(table.topic("console"));
    memory::register(table.topic("memory"));
    db::add(&mut table);
    builtins::register(table.topic("compiler builtins"));
    crypto_primitives::register(table.topic("crypto primitives"));
    table
});

/// All host functions, for the runtime and the documentation.
pub fn table() -> &'static Intrinsics<World> {
    &TABLE
}

impl Host for World {
    type Stop = Fault;

    fn is_context_free(&self) -> bool {
        self.action.context_free
    }

    fn is_privileged(&self) -> bool {
        self.action.privileged
    }

    fn receiver(&self) -> Name {
        self.action.receiver
    }

    fn checktime(&mut self) -> Outcome {
        World::checktime(self)
    }

    fn pause_time(&mut self) {
        self.pause_billing_timer();
    }

    fn resume_time(&mut self) {
        self.resume_billing_timer();
    }

    fn code(&self, code_hash: &Checksum256) -> Option<&[u8]> {
        self.ledger.find_code(*code_hash, 0, 0).map(|code| &*self.ledger.code(code).code)
    }
}

impl Imports for World {
    fn import(&self, name: &str) -> Option<(&Signature, bool)> {
        let intrinsic = TABLE.get(name)?;
        Some((&intrinsic.signature, self.ledger.protocol_state().whitelisted_intrinsics.contains(name)))
    }
}

impl World {
    /// Checks code that is about to be deployed.
    pub(crate) fn validate_code(&self, _machine: &mut Machine, code: &[u8]) -> Outcome {
        let configurable = self.is_active(Feature::ConfigurableWasmLimits2);
        let limits = match configurable {
            true => Limits::Configured(&self.ledger.global_property().wasm_configuration),
            false => Limits::Fixed { building: self.block.is_speculative() },
        };
        wasm::validate(code, limits, self)
    }
}

/// Copies as much as fits; returns how much that is.
fn copy_out(buffer: &mut [u8], bytes: &[u8]) -> u32 {
    let length = buffer.len().min(bytes.len());
    buffer[..length].copy_from_slice(&bytes[..length]);
    length as u32
}
