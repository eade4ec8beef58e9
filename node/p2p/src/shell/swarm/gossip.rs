//! Gossip, of transactions and of blocks: what comes is handed to the core, and passed on when that says so.

use std::sync::Arc;

use codec::{Pack, Unpack};
use libp2p::gossipsub::{self, MessageAcceptance, MessageId, PublishError};
use primitives::{BlockId, PackedTransaction, TransactionId};
use tokio::sync::Semaphore;

use super::{SwarmTask, settings, tell};
use crate::core::{BlockJudgement, Charge, Input, Lane, PeerId, TransactionJudgement};
use crate::limits::{GOSSIPED_BLOCKS_MAX, MESSAGE_BYTES_MIN, TRANSACTIONS_IN_HAND_MAX};
use crate::shell::event::Event;
use crate::wire::{BlockMessage, Message, TransactionMessage, WireError};

/// Who sends by gossip: one of the connections of an identity, and room for what comes there.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub peer: PeerId,
    pub room: Arc<Semaphore>,
}

impl SwarmTask {
    /// Ends the judging of a transaction of gossip; whether it is one.
    pub(super) fn judged(&mut self, id: TransactionId, judgement: TransactionJudgement) -> bool {
        let Some((message, source)) = self.judging.remove(&id) else { return false };
        let acceptance = match judgement {
            TransactionJudgement::Accepted => MessageAcceptance::Accept,
            TransactionJudgement::Known | TransactionJudgement::NotNow | TransactionJudgement::Spent => {
                MessageAcceptance::Ignore
            }
            TransactionJudgement::Failed | TransactionJudgement::Bad => MessageAcceptance::Reject,
        };
        self.conclude(&message, &source, acceptance);
        true
    }

    pub(super) fn publish(&mut self, transaction: &TransactionMessage) {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        match gossip.publish(self.topics.transactions.clone(), transaction.packed.to_bytes()) {
            // It came by gossip and travels on as such.
            Ok(_) | Err(PublishError::Duplicate | PublishError::NoPeersSubscribedToTopic) => {}
            Err(error) => tracing::warn!("transaction {} is not passed on: {error}", transaction.id),
        }
    }

    /// A message of gossip came: it is a transaction, or its peer is to blame.
    pub(super) async fn gossiped(&mut self, source: libp2p::PeerId, message: MessageId, data: &[u8]) -> bool {
        let Some(known) = self.identities.get(&source).cloned() else {
            self.conclude(&message, &source, MessageAcceptance::Ignore);
            return true;
        };
        let peer = known.peer;
        let read = PackedTransaction::from_bytes(data).map_err(WireError::from).and_then(TransactionMessage::read);
        let transaction = match read {
            Ok(transaction) => transaction,
            Err(error) => {
                self.conclude(&message, &source, MessageAcceptance::Reject);
                let why = error.to_string();
                return tell(&self.events, Event::Happened(Input::Malformed { peer, why })).await;
            }
        };
        let judging = self.judging.len() < TRANSACTIONS_IN_HAND_MAX && !self.judging.contains_key(&transaction.id);
        let Some(charge) = self.charge(&known, data.len()).filter(|_| judging) else {
            self.conclude(&message, &source, MessageAcceptance::Ignore);
            return true;
        };
        self.judging.insert(transaction.id, (message, source));
        let message = Message::Transaction(transaction);
        tell(&self.events, Event::Happened(Input::Received { peer, lane: Lane::News, message, charge })).await
    }

    /// Room for a message of gossip, if there is some: nobody waits for it.
    fn charge(&self, source: &Source, bytes: usize) -> Option<Charge> {
        let bytes = u32::try_from(bytes.max(MESSAGE_BYTES_MIN)).ok()?;
        let own = Arc::clone(&source.room).try_acquire_many_owned(bytes).ok()?;
        let all = Arc::clone(&self.room).try_acquire_many_owned(bytes).ok()?;
        Some(Charge(Some(Box::new((own, all)))))
    }

    /// Something happened in the gossip of blocks.
    pub(super) async fn of_blocks(&mut self, event: gossipsub::Event) -> bool {
        let (identity, blocks) = match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                return self.block_gossiped(propagation_source, message_id, &message.data).await;
            }
            gossipsub::Event::Subscribed { peer_id, topic } if topic == self.topics.blocks.hash() => (peer_id, true),
            gossipsub::Event::Unsubscribed { peer_id, topic } if topic == self.topics.blocks.hash() => (peer_id, false),
            _ => return true,
        };
        let peers: Vec<PeerId> =
            self.links.values().filter(|link| link.identity == identity).map(|link| link.peer).collect();
        if blocks && !peers.is_empty() {
            self.gossips_blocks.insert(identity);
        } else {
            self.gossips_blocks.remove(&identity);
        }
        self.tell_gossips(peers, blocks).await
    }

    pub(super) async fn tell_gossips(&mut self, peers: Vec<PeerId>, blocks: bool) -> bool {
        for peer in peers {
            if !tell(&self.events, Event::Happened(Input::Gossips { peer, blocks })).await {
                return false;
            }
        }
        true
    }

    /// A message of the blocks' gossip came: it is a block, or its peer is to blame.
    async fn block_gossiped(&mut self, source: libp2p::PeerId, message: MessageId, data: &[u8]) -> bool {
        let Some(known) = self.identities.get(&source).cloned() else {
            self.conclude_block(&message, &source, MessageAcceptance::Ignore);
            return true;
        };
        let peer = known.peer;
        let Some(charge) = self.charge(&known, data.len()) else {
            self.conclude_block(&message, &source, MessageAcceptance::Ignore);
            return true;
        };
        let block = match BlockMessage::read(data) {
            Ok(block) => block,
            Err(error) => {
                self.conclude_block(&message, &source, MessageAcceptance::Reject);
                let why = error.to_string();
                return tell(&self.events, Event::Happened(Input::Malformed { peer, why })).await;
            }
        };
        if self.judging_blocks.len() >= GOSSIPED_BLOCKS_MAX || self.judging_blocks.contains_key(&block.id) {
            self.conclude_block(&message, &source, MessageAcceptance::Ignore);
            return true;
        }
        self.judging_blocks.insert(block.id, (message, source));
        tell(&self.events, Event::Happened(Input::Gossiped { peer, block, charge })).await
    }

    fn conclude(&mut self, message: &MessageId, source: &libp2p::PeerId, acceptance: MessageAcceptance) {
        self.swarm.behaviour_mut().gossip.report_message_validation_result(message, source, acceptance);
    }

    /// Passes a block on: as the message that brought it, or as one of this node's.
    pub(super) fn publish_block(&mut self, id: BlockId, bytes: &[u8]) {
        let message = settings::message_id(bytes);
        if let Some((came, source)) = self.judging_blocks.remove(&id) {
            if came == message {
                return self.conclude_block(&came, &source, MessageAcceptance::Accept);
            }
            // Not the bytes that were found in order: an id says nothing of the signature.
            self.conclude_block(&came, &source, MessageAcceptance::Ignore);
        }
        match self.swarm.behaviour_mut().blocks.publish(self.topics.blocks.clone(), bytes) {
            Ok(_) | Err(PublishError::Duplicate | PublishError::NoPeersSubscribedToTopic) => {}
            Err(error) => tracing::warn!("block {id} is not passed on: {error}"),
        }
    }

    pub(super) fn block_judged(&mut self, id: BlockId, judgement: BlockJudgement) {
        let Some((message, source)) = self.judging_blocks.remove(&id) else { return };
        let acceptance = match judgement {
            BlockJudgement::BadHeader | BlockJudgement::Bad => MessageAcceptance::Reject,
            _ => MessageAcceptance::Ignore,
        };
        self.conclude_block(&message, &source, acceptance);
    }

    fn conclude_block(&mut self, message: &MessageId, source: &libp2p::PeerId, acceptance: MessageAcceptance) {
        self.swarm.behaviour_mut().blocks.report_message_validation_result(message, source, acceptance);
    }
}
