//! nodeos' wire: frames and the messages in them, from bytes and to bytes. What messages mean is in [`crate::core`].

pub mod frame;
pub mod message;

pub use frame::{FRAME_BYTES_MAX, FrameError, Frames};
pub use message::{
    BlockMessage, ChainSize, GoAway, Handshake, Message, Mode, Notice, Pending, Request, SyncRequest, Time,
    TransactionMessage, WireError, block_frame, transaction_frame,
};

#[cfg(test)]
mod tests;
