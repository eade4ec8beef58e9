//! Frames and the messages in them, from bytes and to bytes: those of nodeos' wire, which libp2p's streams carry, too.
//! What messages mean is in [`crate::core`].

pub mod frame;
pub mod message;

pub use frame::{FRAME_BYTES_MAX, FrameError, Frames};
pub use message::{
    Addresses, BlockMessage, ChainSize, GoAway, Handshake, Message, Mode, Notice, Pending, Request, SyncRequest, Time,
    TransactionMessage, Unwell, WireError, block_frame, transaction_frame, transactions_frame,
};

#[cfg(test)]
mod tests;
