//! Two chains in one process produce competing blocks and hand them to each other.

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chain::{Applied, Chain, ChainError, KeptBlocks, LiveChain, PrepareMode, PreparedBlock, Settings};
use codec::VarUint32;
use common::{chain_of_three, chain_of_three_with, create_account, hand_over, key, name, produce_as, seal, start_as};
use primitives::block::ReceiptTransaction;
use primitives::{
    BlockId, BlockSigningAuthority, Bytes, Checksum256, FaultKind, Name, Pack as _, PackedTransaction,
    ProducerAuthority, ProducerSchedule, SignedBlock, TransactionReceipt, TransactionStatus,
};

/// Two chains with the same blocks, three producers.
fn twins() -> (LiveChain, LiveChain) {
    (chain_of_three(), chain_of_three())
}

fn hash(chain: &Chain) -> String {
    chain.integrity_hash().expect("nothing pending").to_string()
}

fn fault(result: Result<Applied, ChainError>) -> FaultKind {
    match result {
        Err(ChainError::Block(fault)) => fault.kind,
        other => panic!("a fault was expected: {other:?}"),
    }
}

#[test]
fn the_better_branch_wins_and_the_state_follows() {
    let (mut one, mut two) = twins();
    assert_eq!(one.head().id(), two.head().id());
    let base = one.head().number();
    for _ in 0..3 {
        produce_as(&mut one, &["alice"]);
    }
    let blocks: Vec<Applied> = (0..5).map(|_| produce_as(&mut two, &["bob", "carol"])).collect();
    for block in &blocks[..3] {
        assert!(hand_over(block, &mut one).expect("a valid block").applied.is_empty(), "not better yet");
    }
    let switched = hand_over(&blocks[3], &mut one).expect("a valid block");
    let numbers = |blocks: &mut dyn Iterator<Item = u32>| blocks.map(|number| number - base).collect::<Vec<_>>();
    assert_eq!(numbers(&mut switched.undone.iter().map(|state| state.number())), [3, 2, 1]);
    assert_eq!(numbers(&mut switched.applied.iter().map(|sealed| sealed.state.number())), [1, 2, 3, 4]);
    hand_over(&blocks[4], &mut one).expect("a valid block");
    assert_eq!(one.head().id(), two.head().id());
    assert_eq!(hash(&one), hash(&two));
    assert_eq!(
        one.fork_block_by_num(base + 2).map(|state| state.id()),
        two.fork_block_by_num(base + 2).map(|state| state.id())
    );
    // And on from there, in turns.
    for _ in 0..80 {
        let next = produce_as(&mut one, &["alice", "bob", "carol"]);
        hand_over(&next, &mut two).expect("a valid block");
    }
    assert_eq!(hash(&one), hash(&two));
    assert!(one.root().number() > base + 5, "irreversibility advances");
    assert_eq!(one.root().id(), two.root().id());
}

/// Packed blocks by id.
#[derive(Clone, Default)]
struct Blocks(Arc<Mutex<BTreeMap<BlockId, Vec<u8>>>>);

impl Blocks {
    fn keep(&self, applied: &Applied) {
        for sealed in &applied.applied {
            let block = sealed.state.block.as_ref().expect("a sealed block").to_bytes();
            self.0.lock().expect("no test panics with it").insert(sealed.state.id(), block);
        }
    }
}

impl KeptBlocks for Blocks {
    fn block(&self, id: &BlockId) -> Option<Vec<u8>> {
        self.0.lock().expect("no test panics with it").get(id).cloned()
    }

    fn undo(&self, _number: u32) -> Option<Vec<u8>> {
        None
    }
}

/// Of all reversible blocks but the newest the contents are read again when they leave the chain, and when they come back.
#[test]
fn contents_that_were_let_go_are_read_again() {
    let bounded = Settings { contents_bytes_max: 0, ..Settings::default() };
    let (mut one, mut two, mut three) = (chain_of_three_with(bounded), chain_of_three(), chain_of_three());
    let kept = Blocks::default();
    one.set_kept_blocks(Arc::new(kept.clone()));
    let base = one.head().number();
    let make = |chain: &mut LiveChain, producers: &[&str], account: &str| {
        let key = start_as(chain, producers);
        create_account(chain, account);
        let made = seal(chain, &[key]).expect("the producer signs");
        kept.keep(&made);
        made
    };
    for account in ["alicea", "aliceb", "alicec"] {
        let made = make(&mut one, &["alice"], account);
        hand_over(&made, &mut three).expect("a valid block");
    }
    let has_contents = |chain: &Chain| {
        let blocks = chain.reversible_blocks().into_iter().filter(|state| state.number() > base);
        blocks.map(|state| state.block.is_some() && !state.transactions.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(has_contents(&one), [false, false, true]);
    assert_eq!(has_contents(&three), [true; 3], "nobody knows where to read them");

    let mut switched = Applied::default();
    for account in ["boba", "bobb", "bobc", "bobd"] {
        let made = make(&mut two, &["bob", "carol"], account);
        switched = hand_over(&made, &mut one).expect("a valid block");
    }
    assert_eq!(hash(&one), hash(&two));
    assert_eq!(switched.undone.len(), 3);
    let transactions = || switched.undone.iter().flat_map(|state| &state.transactions);
    assert_eq!(transactions().count(), 3);
    assert!(transactions().all(|transaction| transaction.keys == [common::public(&key("eosio"))]), "to be tried again");
    assert_eq!(has_contents(&one), [false, false, false, true]);

    for account in ["aliced", "alicee"] {
        let made = make(&mut three, &["alice"], account);
        switched = hand_over(&made, &mut one).expect("a valid block");
    }
    assert_eq!((switched.undone.len(), switched.applied.len()), (4, 5));
    assert_eq!(hash(&one), hash(&three));
    for _ in 0..80 {
        let made = produce_as(&mut one, &["alice", "bob", "carol"]);
        kept.keep(&made);
        hand_over(&made, &mut three).expect("a valid block");
    }
    assert!(one.root().number() > base + 5, "irreversibility advances");
    assert_eq!(hash(&one), hash(&three));
}

/// Changes a block's content and signs it again as its producer would.
fn forged(block: &SignedBlock, chain: &Chain, producer: &str, change: impl FnOnce(&mut SignedBlock)) -> SignedBlock {
    let mut block = block.clone();
    change(&mut block);
    let previous = chain.fork_block(&block.header().previous).expect("the base is known");
    let pending = previous.header.next(block.header().timestamp, block.header().confirmed).expect("a later slot");
    let state = pending.finish(block.signed_header.clone(), Vec::new(), false, &|_, _, _| Ok(())).expect("well formed");
    block.signed_header.producer_signature = key(producer).sign(&state.sig_digest()).expect("a valid secret");
    block
}

fn receive(chain: &mut LiveChain, block: SignedBlock) -> Result<Applied, ChainError> {
    let block = PreparedBlock::from_block(Arc::new(block), &chain.chain_id(), PrepareMode::Full).expect("well formed");
    chain.push_block(block)
}

#[test]
fn a_bad_block_on_a_better_branch_is_rolled_back() {
    let (mut one, mut two) = twins();
    for _ in 0..2 {
        produce_as(&mut one, &["alice"]);
    }
    let (head, before) = (one.head().id(), hash(&one));
    let good: Vec<Applied> = (0..2).map(|_| produce_as(&mut two, &["bob"])).collect();
    for block in &good {
        hand_over(block, &mut one).expect("a valid block");
    }
    let third = produce_as(&mut two, &["bob"]).applied[0].state.block.clone().expect("sealed");
    let bad = forged(&third, &one, "bob", |block| block.signed_header.header.action_mroot.0[5] ^= 1);
    assert_eq!(fault(receive(&mut one, bad)), FaultKind::BLOCK_VALIDATE_EXCEPTION);
    assert_eq!((one.head().id(), hash(&one)), (head, before));
    // The branch is not lost: with its true third block it wins.
    let switched = receive(&mut one, (*third).clone()).expect("a valid block");
    assert_eq!((switched.undone.len(), switched.applied.len()), (2, 3));
    assert_eq!(hash(&one), hash(&two));
}

#[test]
fn headers_that_break_a_rule_are_refused() {
    let (mut one, mut two) = twins();
    let block = produce_as(&mut two, &["bob"]).applied[0].state.block.clone().expect("sealed");
    let mut foreign = (*block).clone();
    foreign.signed_header.producer_signature = key("mallory").sign(&foreign.header().digest()).expect("a secret");
    assert_eq!(fault(receive(&mut one, foreign)), FaultKind::WRONG_SIGNING_KEY);
    let mut orphan = (*block).clone();
    orphan.signed_header.header.previous.0[31] ^= 1;
    assert_eq!(fault(receive(&mut one, orphan)), FaultKind::UNLINKABLE_BLOCK_EXCEPTION);
    let mut other = (*block).clone();
    other.signed_header.header.producer = name("carol");
    assert_eq!(fault(receive(&mut one, other)), FaultKind::WRONG_PRODUCER);
    let mut early = (*block).clone();
    early.signed_header.header.timestamp.0 -= 1000;
    assert_eq!(fault(receive(&mut one, early)), FaultKind::BLOCK_VALIDATE_EXCEPTION);
    let mut roots = (*block).clone();
    roots.signed_header.header.transaction_mroot.0[0] ^= 1;
    assert_eq!(fault(receive(&mut one, roots)), FaultKind::BLOCK_VALIDATE_EXCEPTION);
    let mut confirming = (*block).clone();
    confirming.signed_header.header.confirmed = 9;
    assert!(receive(&mut one, confirming).is_err());
    receive(&mut one, (*block).clone()).expect("the true block");
    assert_eq!(fault(receive(&mut one, (*block).clone())), FaultKind::FORK_DATABASE_EXCEPTION);
    assert_eq!(hash(&one), hash(&two));
}

/// Of many blocks of one producer for one slot few are kept. One that is gone comes again when something is built on it.
#[test]
fn few_twins_are_kept() {
    let (mut one, mut two) = (chain_of_three(), chain_of_three());
    produce_as(&mut one, &["alice"]);
    let mut sealed = || produce_as(&mut two, &["bob"]).applied[0].state.block.clone().expect("sealed");
    let (first, second) = (sealed(), sealed());
    receive(&mut one, (*first).clone()).expect("a valid block");
    let mut gone = Vec::new();
    for number in 0..20 {
        let twin = forged(&first, &one, "bob", |block| block.signed_header.header.action_mroot.0[9] ^= number + 1);
        let id = twin.id();
        gone.extend(receive(&mut one, twin).expect("a header in order").gone);
        assert!(one.fork_block(&id).is_some() && !gone.contains(&id));
    }
    assert_eq!(gone.len(), 21 - chain::TWINS_MAX);
    assert!(gone.contains(&first.id()) && gone.iter().all(|id| one.fork_block(id).is_none()));
    assert_eq!(fault(receive(&mut one, (*second).clone())), FaultKind::UNLINKABLE_BLOCK_EXCEPTION);
    receive(&mut one, (*first).clone()).expect("a valid block");
    let switched = receive(&mut one, (*second).clone()).expect("a better branch");
    assert_eq!((switched.undone.len(), switched.applied.len()), (1, 2));
    assert_eq!(hash(&one), hash(&two));
}

/// All that a block is made of counts.
#[test]
fn a_block_takes_memory_for_all_that_it_has() {
    let mut two = chain_of_three();
    let block = produce_as(&mut two, &["bob"]).applied[0].state.block.clone().expect("sealed");
    let bytes = |change: &dyn Fn(&mut SignedBlock)| {
        let settings = Settings { other_branches_bytes_max: 0, ..Settings::default() };
        let mut one = chain_of_three_with(settings);
        produce_as(&mut one, &["alice"]);
        let forged = forged(&block, &one, "bob", |block| {
            change(block);
            let digests = block.transactions.iter().map(TransactionReceipt::digest).collect();
            block.signed_header.header.transaction_mroot = primitives::merkle::merkle(digests);
        });
        let text = match receive(&mut one, forged) {
            Err(ChainError::Block(fault)) => fault.to_string(),
            other => panic!("there is no room for it: {other:?}"),
        };
        let taken = text.split(" takes ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        taken.unwrap_or_else(|| panic!("{text}"))
    };
    let small = bytes(&|_| {});
    let receipt = TransactionReceipt {
        status: primitives::TransactionStatus::Executed,
        cpu_usage_us: 100,
        net_usage_words: codec::VarUint32(10),
        trx: primitives::block::ReceiptTransaction::Id(primitives::Checksum256([7; 32])),
    };
    let many = bytes(&|block| block.transactions = vec![receipt.clone(); 1000]);
    assert!(many >= small + 1000 * size_of::<TransactionReceipt>(), "{small} {many}");
}

/// A producer signs blocks for many of its slots: they are kept up to a limit, and the chain goes on.
#[test]
fn blocks_of_other_branches_take_bounded_memory() {
    let settings = Settings { other_branches_bytes_max: 100 << 10, ..Settings::default() };
    let (mut one, mut two) = (chain_of_three_with(settings), chain_of_three());
    produce_as(&mut one, &["alice"]);
    let true_block = produce_as(&mut two, &["bob"]).applied[0].state.block.clone().expect("sealed");
    let later = std::iter::successors(Some(true_block.header().timestamp), |slot| Some(slot.next()));
    let of_bob = later.filter(|slot| one.head().header.scheduled_producer(*slot).producer_name == name("bob"));
    let slots: Vec<_> = of_bob.take(40).collect();
    let mut accepted = 0;
    let refused = loop {
        assert!(accepted < 100, "there is no limit");
        let number = u8::try_from(accepted).expect("few");
        let twin = forged(&true_block, &one, "bob", |block| {
            block.signed_header.header.timestamp = slots[usize::from(number / 3)];
            block.signed_header.header.action_mroot.0[9] = number;
        });
        match receive(&mut one, twin) {
            Ok(applied) => assert!(applied.applied.is_empty(), "it is no better branch"),
            refused => break fault(refused),
        }
        accepted += 1;
    };
    assert_eq!(refused, FaultKind::FORK_DATABASE_EXCEPTION);
    assert!(accepted > 5);
    // What builds on the head is taken whatever the other branches hold, and irreversibility frees them.
    for _ in 0..80 {
        produce_as(&mut one, &["alice", "bob", "carol"]);
    }
    let head = one.head().header.block_header().previous;
    assert_eq!(one.reversible_blocks().len(), usize::try_from(one.head().number() - one.root().number()).expect("few"));
    assert!(one.fork_block(&head).is_some());
}

/// Every block of a better branch is fine but the last, which shows only when it is executed; then the branch gets
/// another end and wins, and loses again to the first one.
#[test]
fn branches_win_and_lose_in_turn() {
    let (mut one, mut two) = twins();
    let start = (one.head().id(), hash(&one));
    let mut own = Vec::new();
    for round in 0..4 {
        let (winner, loser) = if round % 2 == 0 { (&mut two, &mut one) } else { (&mut one, &mut two) };
        let ahead = winner.head().number().max(loser.head().number()) + 2;
        let producers: &[&str] = if round % 2 == 0 { &["bob"] } else { &["alice", "carol"] };
        let mut blocks = Vec::new();
        while winner.head().number() < ahead {
            blocks.push(produce_as(winner, producers));
        }
        let last = blocks.last().expect("at least one").applied[0].state.block.clone().expect("sealed");
        let producer = last.header().producer.to_string();
        let before = (loser.head().id(), hash(loser));
        for block in &blocks[..blocks.len() - 1] {
            hand_over(block, loser).expect("a valid block");
        }
        let bad = forged(&last, loser, &producer, |block| block.signed_header.header.action_mroot.0[5] ^= 1);
        if loser.head().id() == before.0 {
            assert_eq!(fault(receive(loser, bad)), FaultKind::BLOCK_VALIDATE_EXCEPTION);
            assert_eq!((loser.head().id(), hash(loser)), before);
        }
        receive(loser, (*last).clone()).expect("a valid block");
        assert_eq!((loser.head().id(), hash(loser)), (winner.head().id(), hash(winner)), "round {round}");
        own.push(blocks);
    }
    assert_ne!((one.head().id(), hash(&one)), start);
}

/// Headers that only a producer who cheats can sign. None of them may be taken, and none may stop the node.
#[test]
fn signed_headers_that_lie_are_refused() {
    let (mut one, mut two) = twins();
    let before = (one.head().id(), hash(&one));
    let block = produce_as(&mut two, &["bob"]).applied[0].state.block.clone().expect("sealed");
    let producer = |index: u64| {
        let authority = BlockSigningAuthority::of_key(block_key(index));
        ProducerAuthority { producer_name: Name(index), authority }
    };
    type Change<'a> = &'a dyn Fn(&mut SignedBlock);
    let long = ProducerSchedule { version: 2, producers: (1..600).map(producer).collect() };
    let lies: [(&str, Change<'_>); 4] = [
        ("action root", &|block| block.signed_header.header.action_mroot = Checksum256([7; 32])),
        ("a schedule nobody proposed", &|block| block.signed_header.header.new_producers = Some(long.to_legacy())),
        ("a deferred transaction that is not there", &|block| {
            let trx = ReceiptTransaction::Id(Checksum256([9; 32]));
            with_receipt(block, trx);
        }),
        ("a transaction that is none", &|block| {
            let packed = PackedTransaction { packed_trx: Bytes(vec![0; 14]), ..PackedTransaction::default() };
            with_receipt(block, ReceiptTransaction::Packed(packed));
        }),
    ];
    for (what, change) in lies {
        let lie = forged(&block, &one, "bob", change);
        let refused = PreparedBlock::from_block(Arc::new(lie), &one.chain_id(), PrepareMode::Full)
            .map_err(ChainError::from)
            .and_then(|block| one.push_block(block));
        assert!(matches!(refused, Err(ChainError::Block(_))), "{what}: {refused:?}");
        assert_eq!((one.head().id(), hash(&one)), before, "{what}");
    }
    receive(&mut one, (*block).clone()).expect("the true block");
    assert_eq!(hash(&one), hash(&two));
}

fn block_key(index: u64) -> primitives::PublicKey {
    common::public(&key(&index.to_string()))
}

/// Puts a receipt into a block, with the root that it leads to.
fn with_receipt(block: &mut SignedBlock, trx: ReceiptTransaction) {
    block.transactions = vec![TransactionReceipt {
        status: TransactionStatus::Executed,
        cpu_usage_us: 100,
        net_usage_words: VarUint32(20),
        trx,
    }];
    block.signed_header.header.transaction_mroot = block.transactions[0].digest();
}

#[test]
fn a_producer_confirms_each_block_once() {
    let (mut one, _) = twins();
    produce_as(&mut one, &["alice"]);
    let slot = one.head().header.timestamp().next();
    let own = one.head().header.scheduled_producer(slot).producer_name;
    assert_eq!(own, name("alice"));
    let refused = common::start(&mut one, slot, 1);
    assert!(matches!(refused, Err(ChainError::Block(fault)) if fault.kind == FaultKind::PRODUCER_DOUBLE_CONFIRM));
    common::start(&mut one, slot, 0).expect("nothing is confirmed twice");
}
