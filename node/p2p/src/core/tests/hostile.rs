//! Peers and producers that mean ill: what they send costs themselves, and keeps nothing of others out.

use primitives::{Compression, Signature, SignedTransaction};

use super::*;
use crate::limits::{JUDGED_BYTES_PER_PEER_MAX, NEWS_IN_HAND_MAX, SIBLINGS_MAX, TRIES_MAX};

const T: TimePoint = TimePoint(1_000_000_000_000);

/// A core whose outputs the test sees and answers.
struct Lone {
    core: Core,
    chain: Chain,
}

impl Lone {
    /// With peers that have introduced themselves.
    fn with_peers(count: PeerId) -> Self {
        let chain = Chain::of(50);
        let mut lone = Self { core: Core::new(settings(0), chain.stands()), chain };
        for peer in 1..=count {
            lone.greet(peer, lone.chain.stands().irreversible, lone.chain.head());
        }
        lone
    }

    fn step(&mut self, input: Input) -> Vec<Output> {
        self.core.step(input, T, &self.chain)
    }

    fn hears(&mut self, peer: PeerId, message: Message) -> Vec<Output> {
        self.step(Input::Received { peer, lane: Lane::Talk, message, charge: Charge::default() })
    }

    fn greet(&mut self, peer: PeerId, irreversible: Point, head: Point) -> Vec<Output> {
        let address = host(peer as usize);
        self.step(Input::Connected { peer, wire: Wire::Nodeos, address, dialled: None });
        let greeting = Handshake {
            network_version: VERSION_BASE + VERSION,
            node_id: Checksum256([100 + peer as u8; 32]),
            p2p_address: Text::from(format!("p{peer}:1 - 1").as_str()),
            time: T.0 * 1000,
            os: "linux".into(),
            generation: 1,
            irreversible,
            head,
            ..Handshake::default()
        };
        self.hears(peer, Message::Handshake(Box::new(greeting)))
    }

    fn judge_block(&mut self, peer: PeerId, block: &BlockMessage, judgement: BlockJudgement) -> Vec<Output> {
        let (id, bytes, why) = (block.id, block.bytes.len(), String::new());
        self.step(Input::BlockJudged { peer, id, bytes, epoch: None, judgement, why })
    }

    fn judge(&mut self, peer: PeerId, id: TransactionId, judgement: TransactionJudgement) -> Vec<Output> {
        self.step(Input::TransactionJudged { peer, id, judgement, why: String::new() })
    }

    fn is_connected(&self, peer: PeerId) -> bool {
        self.core.peers.get(&peer).is_some_and(|found| !found.leaving)
    }
}

fn blocks_taken(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::TakeBlock { .. })).count()
}

/// Whose transactions are handed over.
fn taken(outputs: &[Output]) -> Vec<(PeerId, TransactionMessage)> {
    let taken = outputs.iter().filter_map(|output| match output {
        Output::TakeTransaction { peer, transaction, .. } => Some((*peer, transaction.clone())),
        _ => None,
    });
    taken.collect()
}

/// A transaction under so many signatures: the id does not change with them.
fn form(signatures: usize) -> TransactionMessage {
    let signed = SignedTransaction {
        transaction: primitives::Transaction {
            header: primitives::TransactionHeader {
                expiration: TimePointSec((T.0 / 1_000_000 + 60) as u32),
                ..Default::default()
            },
            ..Default::default()
        },
        signatures: vec![Signature::default(); signatures],
        ..Default::default()
    };
    TransactionMessage::read(PackedTransaction::new(&signed, Compression::None)).unwrap()
}

#[test]
fn another_form_of_a_transaction_keeps_the_right_one_not_out() {
    let (wrong, right) = (form(1), form(2));
    assert_eq!(wrong.id, right.id);
    let mut lone = Lone::with_peers(3);
    // While the wrong one is judged, and after it.
    assert_eq!(taken(&lone.hears(1, Message::Transaction(wrong.clone()))), [(1, wrong.clone())]);
    assert_eq!(taken(&lone.hears(2, Message::Transaction(right.clone()))), []);
    assert_eq!(taken(&lone.judge(1, wrong.id, TransactionJudgement::Failed)), [(2, right.clone())]);
    lone.judge(2, right.id, TransactionJudgement::Failed);
    assert_eq!(taken(&lone.hears(3, Message::Transaction(right.clone()))), [(3, right.clone())]);
    lone.judge(3, right.id, TransactionJudgement::Accepted);
    assert_eq!(taken(&lone.hears(2, Message::Transaction(wrong.clone()))), []);
    // One form is not tried for ever.
    let mut lone = Lone::with_peers(1);
    for _ in 0..TRIES_MAX {
        assert_eq!(taken(&lone.hears(1, Message::Transaction(wrong.clone()))).len(), 1);
        lone.judge(1, wrong.id, TransactionJudgement::NotNow);
    }
    assert_eq!(taken(&lone.hears(1, Message::Transaction(wrong))), []);
    assert_eq!(taken(&lone.hears(1, Message::Transaction(right))).len(), 1);
}

#[test]
fn transactions_count_as_what_they_unpack_to() {
    let mut lone = Lone::with_peers(2);
    let large = |number: u8| TransactionMessage {
        id: Checksum256([number; 32]),
        memory_bytes: JUDGED_BYTES_PER_PEER_MAX / 2,
        ..form(1)
    };
    let sent = (0..4).map(|number| taken(&lone.hears(1, Message::Transaction(large(number)))).len());
    assert_eq!(sent.collect::<Vec<_>>(), [1, 1, 0, 0]);
    assert_eq!(taken(&lone.hears(2, Message::Transaction(large(9)))).len(), 1);
    lone.judge(1, large(0).id, TransactionJudgement::Failed);
    assert_eq!(taken(&lone.hears(1, Message::Transaction(large(3)))).len(), 1);
    // What one that is gone had is not remembered for ever.
    for peer in 10..200 {
        lone.step(Input::Connected { peer, wire: Wire::Nodeos, address: host(7), dialled: None });
        lone.core.peers.get_mut(&peer).unwrap().open = true;
        lone.hears(peer, Message::Transaction(large(9)));
        lone.step(Input::Closed { peer });
    }
    assert!(lone.core.transactions.holders_max() < 100);
}

#[test]
fn few_blocks_of_a_producer_for_a_slot_are_taken_unasked() {
    let mut lone = Lone::with_peers(2);
    let head = lone.chain.head().id;
    for branch in 0..SIBLINGS_MAX as u32 {
        let block = block_after(head, branch);
        assert_eq!(blocks_taken(&lone.hears(1, Message::Block(block.clone()))), 1);
        lone.step(Input::HeaderGood { id: block.id });
        lone.judge_block(1, &block, BlockJudgement::Good);
    }
    assert_eq!(blocks_taken(&lone.hears(1, Message::Block(block_after(head, 100)))), 0);
}

#[test]
fn blocks_that_follow_nothing_are_not_handed_over() {
    let mut lone = Lone::with_peers(1);
    let first = block_after(lone.chain.head().id, 0);
    let second = block_after(first.id, 0);
    let asks = lone.hears(1, Message::Block(second.clone()));
    assert_eq!(blocks_taken(&asks), 0);
    // It may follow one that is judged, or that waits until this node's own is sealed.
    assert_eq!(blocks_taken(&lone.hears(1, Message::Block(first.clone()))), 1);
    assert_eq!(blocks_taken(&lone.hears(1, Message::Block(second.clone()))), 1);
    lone.judge_block(1, &second, BlockJudgement::NotNow);
    lone.judge_block(1, &first, BlockJudgement::Held);
    assert_eq!(blocks_taken(&lone.hears(1, Message::Block(second))), 1);
}

/// A chain that begins with a snapshot does not have the block that it was taken at.
#[test]
fn a_block_may_follow_a_head_that_is_not_kept() {
    let mut lone = Lone::with_peers(1);
    let head = lone.chain.head().id;
    lone.chain.blocks.remove(&head);
    assert_eq!(blocks_taken(&lone.hears(1, Message::Block(block_after(head, 0)))), 1);
}

#[test]
fn a_peer_has_few_unasked_blocks_in_hand() {
    let mut lone = Lone::with_peers(2);
    let head = lone.chain.head().id;
    // None of them is judged.
    let sent = (0..200).map(|branch| blocks_taken(&lone.hears(1, Message::Block(block_after(head, branch)))));
    assert_eq!(sent.sum::<usize>(), NEWS_IN_HAND_MAX);
    assert_eq!(blocks_taken(&lone.hears(2, Message::Block(block_after(head, 300)))), 1);
    lone.judge_block(1, &block_after(head, 0), BlockJudgement::NotNow);
    assert_eq!(blocks_taken(&lone.hears(1, Message::Block(block_after(head, 301)))), 1);
}

#[test]
fn who_relays_a_block_does_not_answer_for_its_producer() {
    let stays = |header_good: bool| {
        let mut lone = Lone::with_peers(1);
        let mut previous = lone.chain.head().id;
        for _ in 0..10 {
            let block = block_after(previous, 0);
            lone.hears(1, Message::Block(block.clone()));
            if header_good {
                lone.step(Input::HeaderGood { id: block.id });
            }
            lone.judge_block(1, &block, BlockJudgement::Bad);
            lone.chain.join(&block);
            previous = block.id;
        }
        lone.is_connected(1)
    };
    assert!(stays(true) && !stays(false));
}

#[test]
fn each_peer_may_bring_a_known_block_once() {
    let mut lone = Lone::with_peers(1);
    for _ in 0..4000 {
        let block = lone.chain.grow(0);
        lone.core.stands = Stands { irreversible: lone.core.stands.irreversible, ..lone.chain.stands() };
        lone.hears(1, Message::Block(block));
        assert!(lone.is_connected(1));
    }
}

/// A peer claims that there is much more, and gives it slowly or not at all: what follows the head comes from others.
#[test]
fn a_claim_keeps_nobody_from_the_head() {
    let chain = Chain::of(24);
    let irreversible = Point { num: 6, id: chain.id_at(6).unwrap() };
    let stands = Stands { irreversible, ..chain.stands() };
    let mut lone = Lone { core: Core::new(settings(0), stands), chain };
    let beyond = |num: u32| {
        let mut id = [9; 32];
        id[..4].copy_from_slice(&num.to_be_bytes());
        Point { num, id: Checksum256(id) }
    };
    let ranges = lone.greet(1, beyond(4_000_000_000), beyond(4_000_000_001));
    let asks = |outputs: &[Output], peer: PeerId, what: fn(&Message) -> bool| {
        outputs.iter().any(|output| match output {
            Output::Send { peer: to, frame, .. } => *to == peer && what(&Message::read(&frame[4..]).unwrap()),
            _ => false,
        })
    };
    assert!(asks(&ranges, 1, |message| matches!(message, Message::SyncRequest(_))));
    let catches_up = lone.greet(2, irreversible, beyond(60));
    assert!(asks(&catches_up, 2, |message| matches!(message, Message::Request(_))), "{catches_up:?}");
    let next = block_after(lone.chain.head().id, 0);
    assert_eq!(blocks_taken(&lone.hears(2, Message::Block(next))), 1);
}
