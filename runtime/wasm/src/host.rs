//! What the WASM runtime asks of the world it runs in.

use primitives::{Checksum256, Fault, Name};

/// The world behind the host functions.
pub trait Host: Send + 'static {
    /// Why a run stopped before its end. Host functions return it as their error; it comes out of
    /// [`crate::Runtime::run`] unchanged.
    type Stop: From<Fault> + Send + Sync + 'static;

    /// Whether the current action is context free.
    fn is_context_free(&self) -> bool;
    /// Whether the current receiver is privileged.
    fn is_privileged(&self) -> bool;
    /// The current receiver, as `run` was told.
    fn receiver(&self) -> Name;
    /// Called at every tick of the engine's epoch during a run (see [`crate::Ticker`]): an error ends the run.
    ///
    /// # Errors
    /// The reason to stop, such as a deadline.
    fn checktime(&mut self) -> Result<(), Self::Stop>;
    /// A contract is about to be loaded, perhaps compiled: that time is not the action's.
    fn pause_time(&mut self) {}
    /// The contract is loaded.
    fn resume_time(&mut self) {}
    /// The original bytes of a contract, asked once per contract and runtime.
    fn code(&self, code_hash: &Checksum256) -> Option<&[u8]>;
}
