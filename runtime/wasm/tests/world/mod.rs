//! A small world for tests: a few host functions, no chain.
#![allow(dead_code, reason = "each test uses a part")]

use primitives::{Checksum256, Fault, Name};
use wasm::{Engine, F64, Host, Intrinsics, LegacySpan, Memory, NoCache, Runtime, Text};

/// The world.
#[derive(Default)]
pub struct World {
    /// The contract's code.
    pub code: Vec<u8>,
    /// What `read_action_data` gives.
    pub action_data: Vec<u8>,
    /// What `db_store_i64` was given last.
    pub stored: Vec<u8>,
    /// What was printed.
    pub console: Vec<u8>,
    /// Whether the next `checktime` stops the run.
    pub expired: bool,
}

impl Host for World {
    type Stop = Fault;

    fn is_context_free(&self) -> bool {
        false
    }
    fn is_privileged(&self) -> bool {
        false
    }
    fn receiver(&self) -> Name {
        Name(0)
    }
    fn checktime(&mut self) -> Result<(), Fault> {
        if self.expired { Err(wasm::fault::execution_error("expired")) } else { Ok(()) }
    }
    fn code(&self, _: &Checksum256) -> Option<&[u8]> {
        Some(&self.code)
    }
}

/// The host functions.
pub fn intrinsics() -> Intrinsics<World> {
    let mut table = Intrinsics::new();
    table
        .topic("test")
        .context_free("read_action_data", |world: &mut World, memory: &mut Memory<'_>, buffer: LegacySpan| {
            let len = world.action_data.len().min(buffer.len() as usize);
            buffer.bytes_mut(memory)[..len].copy_from_slice(&world.action_data[..len]);
            Ok(len as i32)
        })
        .context_aware(
            "db_store_i64",
            |world: &mut World, memory: &mut Memory<'_>, _: Name, _: Name, _: Name, _: u64, data: LegacySpan| {
                world.stored = data.bytes(memory).to_vec();
                Ok(0_i32)
            },
        )
        .context_aware("is_account", |_: &mut World, _: &mut Memory<'_>, _: Name| Ok(0_i32))
        .privileged("set_resource_limits", |_: &mut World, _: &mut Memory<'_>, _: Name, _: i64, _: i64, _: i64| Ok(()))
        .context_free("printi", |world: &mut World, _: &mut Memory<'_>, value: i64| {
            world.console.extend(value.to_string().bytes());
            Ok(())
        })
        .context_free("printdf", |world: &mut World, _: &mut Memory<'_>, value: F64| {
            world.console.extend(format!("{:x}", value.0).bytes());
            Ok(())
        })
        .context_free("prints", |world: &mut World, memory: &mut Memory<'_>, text: Text| {
            world.console.extend_from_slice(text.bytes(memory));
            Ok(())
        })
        .context_free("prints_l", |world: &mut World, memory: &mut Memory<'_>, text: LegacySpan| {
            world.console.extend_from_slice(text.bytes(memory));
            Ok(())
        })
        .context_free("printhex", |world: &mut World, memory: &mut Memory<'_>, data: LegacySpan| {
            world.console.extend(hex::encode(data.bytes(memory)).bytes());
            Ok(())
        })
        .exit("eosio_exit");
    table
}

/// A runtime over the host functions.
pub fn runtime() -> Runtime<World> {
    Runtime::new(Engine::new(), &intrinsics(), Box::new(NoCache))
}

/// Runs a test on a thread with the stack that contracts need.
pub fn on_large_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(wasm::THREAD_STACK_BYTES).spawn(test).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}
