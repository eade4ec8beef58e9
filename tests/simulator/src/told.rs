//! What a node hears and does, line by line, for whoever looks for the cause of a failure (`SIMULATOR_TELL=NODE`).

use p2p::core::{Input, Output};
use p2p::wire::Message;
use primitives::TimePoint;

use crate::origin::BEGIN;

fn message(message: &Message) -> String {
    match message {
        Message::Block(block) => format!("block {} {}", block.num, short(&block.id.to_string())),
        Message::Transaction(transaction) => format!("transaction {}", short(&transaction.id.to_string())),
        Message::Handshake(said) => {
            format!("handshake {} irreversible {} head {}", said.generation, said.irreversible.num, said.head.num)
        }
        other => format!("{other:?}"),
    }
}

fn short(id: &str) -> &str {
    &id[..id.len().min(16)]
}

/// An input, but for time that passes.
pub fn input(input: &Input, now: TimePoint, head: u32) {
    let what = match input {
        Input::Tick | Input::Written { .. } => return,
        Input::Received { peer, message: came, .. } => format!("from {peer}: {}", message(came)),
        Input::Gossiped { peer, block, .. } => {
            format!("by gossip from {peer}: block {} {}", block.num, short(&block.id.to_string()))
        }
        other => format!("{other:?}"),
    };
    eprintln!("{:.3} head {head} <- {what}", now.us_since(BEGIN) as f64 / 1e6);
}

/// An output.
pub fn output(output: &Output) {
    let what = match output {
        Output::Send { peer, frame, .. } => match Message::read(&frame[4..]) {
            Ok(sent) => format!("to {peer}: {}", message(&sent)),
            Err(error) => format!("to {peer}: {error}"),
        },
        Output::PublishBlock { id, .. } => format!("by gossip: block {}", short(&id.to_string())),
        Output::TakeBlock { peer, block, epoch, .. } => format!("take block {} of {peer} in {epoch:?}", block.num),
        other => format!("{other:?}").chars().take(200).collect(),
    };
    eprintln!("    -> {what}");
}
