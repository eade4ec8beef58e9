//! The writer below a process: a chain, a store on a temporary folder, and somebody who sends commands.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chain::{
    BlockPurpose, Chain, Doors, LiveChain, PrepareMode, PreparedBlock, SealedBlock, StartBlock, recover_transaction,
};
use engine::{
    Blocks, Clock, Handle, Hold, PEER_FAILURES_US, Patience, Purse, Refusal, RemoteSigner, Running, Settings,
    SignatureReply, Signer, SubmitKind, Verdict, WaitFor,
};
use execution::{Budget, RecoveredTransaction};
use primitives::{
    Action, Authority, BlockHeader, BlockId, BlockTimestamp, Bytes, Checksum256, Compression, FaultKind, Genesis, Name,
    Pack as _, PackedTransaction, PermissionLevel, PrivateKey, Sha256, SignedBlock, SignedTransaction, TimePoint,
    Transaction, TransactionId, TransactionReceipt, Unpack as _, VarUint32, block::ReceiptTransaction, name,
    time::SLOT_US,
};
use store::{Store, StoreSettings};

const EOSIO: Name = name!("eosio");
/// How long something that follows a block may take.
const SOON: Duration = Duration::from_secs(5);
/// How long the chain's lock may be held, on a machine that does other things too.
const HOLD_MAX: Duration = Duration::from_millis(100);

fn key() -> PrivateKey {
    PrivateKey::k1_from_seed(Sha256::of(b"eosio").0).expect("a hash is a valid secret")
}

fn new_chain(genesis: &Genesis) -> LiveChain {
    chain_on(genesis, wasm::Engine::new())
}

fn chain_on(genesis: &Genesis, engine: wasm::Engine) -> LiveChain {
    let doors = Doors { clock: Box::new(Clock::real()), engine, code_cache: Box::new(wasm::NoCache) };
    LiveChain::from_genesis(genesis, chain::Settings::default(), doors).expect("a valid genesis")
}

/// A writer and what it works on.
struct Node {
    handle: Handle,
    running: Option<Running>,
    genesis: Genesis,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Node {
    fn start(settings: Settings) -> Self {
        let slot = engine::clock::machine_time().0 / SLOT_US * SLOT_US - 4 * SLOT_US;
        let genesis = Genesis {
            initial_timestamp: TimePoint(slot),
            initial_key: key().public_key().expect("a valid secret"),
            ..Genesis::default()
        };
        let folder = tempfile::tempdir().expect("temporary folder");
        let compiler = wasm::Engine::new();
        let chain = chain_on(&genesis, compiler.clone());
        let store = Store::open(&StoreSettings { path: folder.path().join("db") }).expect("a new store");
        let first = SealedBlock { state: chain.head().clone(), traces: Vec::new(), deltas: None };
        engine::ingest(&store, &[first], 1, None).expect("a new store can be written");
        let settings = Settings { snapshots_dir: folder.path().join("snapshots"), ..settings };
        let running = engine::start(chain, Arc::new(store), settings, Duration::ZERO, compiler.ticker());
        let running = running.expect("the writer starts");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { handle: running.handle.clone(), running: Some(running), genesis, runtime, _folder: folder }
    }

    fn producing(signer: Signer) -> Self {
        Self::start(Settings {
            producers: BTreeSet::from([EOSIO]),
            signers: vec![(key().public_key().expect("a valid secret"), signer)],
            enable_stale_production: true,
            ..Settings::default()
        })
    }

    fn push(&self, block: PreparedBlock) -> Verdict {
        self.runtime.block_on(self.handle.push_block(block)).expect("the writer runs")
    }

    fn submit(&self, transaction: Arc<RecoveredTransaction>) -> engine::SubmitResult {
        let kind = SubmitKind::Input { return_failure_trace: false, patience: None };
        self.runtime.block_on(self.handle.submit(transaction, kind))
    }

    fn head(&self) -> u32 {
        self.handle.read(|chain| chain.head().number())
    }

    /// How often the lock was held for a reason, and how long at most.
    fn held(&self, hold: Hold) -> (u64, Duration) {
        let time = self.handle.holds().into_iter().find(|time| time.hold == hold).expect("every reason is there");
        (time.count, time.longest)
    }

    fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !done(self) {
            assert!(begin.elapsed() < SOON, "{what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(running) = self.running.take()
            && !std::thread::panicking()
        {
            running.stop().expect("the writer stops");
        }
    }
}

/// The next block of a chain, in a slot, with transactions.
fn build(chain: &mut LiveChain, slot: BlockTimestamp, transactions: &[Arc<RecoveredTransaction>]) -> PreparedBlock {
    let how = StartBlock { timestamp: slot, confirmed: 0, features: Vec::new(), purpose: BlockPurpose::Produce };
    chain.start_block(&how).expect("a later slot");
    for transaction in transactions {
        let executed = chain.push_transaction(transaction, Budget::explicit(2000)).expect("a pending block");
        assert_eq!(executed.fault(), None);
    }
    let mut sign = |digest: &Checksum256| vec![key().sign(digest).expect("a valid secret")];
    let applied = chain.seal_block(&mut sign).expect("eosio produces");
    let block = applied.applied[0].state.block.clone().expect("a sealed block");
    PreparedBlock::from_block(block, &chain.chain_id(), PrepareMode::Full).expect("well formed")
}

fn transaction(chain: &Chain, action: Name, data: Vec<u8>) -> Arc<RecoveredTransaction> {
    transaction_of(chain, vec![(action, data)])
}

fn transaction_of(chain: &Chain, actions: Vec<(Name, Vec<u8>)>) -> Arc<RecoveredTransaction> {
    transaction_until(chain, actions, TimePoint(engine::clock::machine_time().0 + 60_000_000))
}

fn transaction_until(chain: &Chain, actions: Vec<(Name, Vec<u8>)>, expiration: TimePoint) -> Arc<RecoveredTransaction> {
    let authorization = vec![PermissionLevel { actor: EOSIO, permission: name!("active") }];
    let action =
        |(name, data)| Action { account: EOSIO, name, authorization: authorization.clone(), data: Bytes(data) };
    let actions = actions.into_iter().map(action).collect();
    let mut transaction = Transaction { actions, ..Transaction::default() };
    transaction.header.expiration = expiration.seconds();
    transaction.header.set_reference_block(&chain.head().id());
    let mut signed = SignedTransaction { transaction, ..SignedTransaction::default() };
    signed.sign(&key(), &chain.chain_id()).expect("a valid secret");
    let packed = PackedTransaction::new(&signed, Compression::None);
    Arc::new(recover_transaction(packed, &chain.chain_id()).expect("well formed"))
}

fn set_code(chain: &Chain, code: Vec<u8>) -> Arc<RecoveredTransaction> {
    transaction(chain, name!("setcode"), (EOSIO, 0u8, 0u8, Bytes(code)).to_bytes())
}

/// Sets code and runs it.
fn set_and_run(chain: &Chain, code: Vec<u8>) -> Arc<RecoveredTransaction> {
    let set = (EOSIO, 0u8, 0u8, Bytes(code)).to_bytes();
    transaction_of(chain, vec![(name!("setcode"), set), (name!("anything"), Vec::new())])
}

/// A module that takes longer to compile than the lock may be held.
fn slow_module() -> Vec<u8> {
    let mut text = String::from("(module");
    for index in 0..60 {
        write!(text, "(func $f{index} (param i64) (result i64) (local i64 i64 i64 i64)").expect("memory");
        for step in 0..100 {
            let (to, from, constant) = (1 + step % 4, (step + index) % 5, index * 1000 + step);
            let line = "(local.set {to} (i64.xor (i64.mul (local.get {from}) (local.get 0)) (i64.const {constant})))";
            let line = line.replace("{to}", &to.to_string()).replace("{from}", &from.to_string());
            text.push_str(&line.replace("{constant}", &constant.to_string()));
        }
        text.push_str("(i64.add (local.get 1) (local.get 4)))");
    }
    text.push_str("(func (export \"apply\") (param i64 i64 i64) (drop (call $f0 (local.get 2)))))");
    wat::parse_str(&text).expect("a module")
}

#[test]
fn a_known_block_costs_a_look_up_and_leaves_the_pending_one_alone() {
    let node = Node::start(Settings::default());
    let mut other = new_chain(&node.genesis);
    let slot = other.head().header.timestamp();
    let first = build(&mut other, slot.next(), &[]);
    let second = build(&mut other, slot.next().next(), &[]);
    assert!(
        matches!(node.push(second.clone()), Verdict::Refused(fault) if fault.kind.name == "unlinkable_block_exception")
    );
    assert!(matches!(node.push(first.clone()), Verdict::Joined));
    assert!(matches!(node.push(second.clone()), Verdict::Joined));
    node.until("a block is tried in", |node| node.handle.read(|chain| chain.pending().is_some()));
    let before = (node.held(Hold::AbortBlock).0, node.held(Hold::StartBlock).0);
    for block in [first, second.clone(), second] {
        assert!(matches!(node.push(block), Verdict::Known));
    }
    // What cannot be linked is no reason either.
    let mut third = build(&mut other, slot.next().next().next(), &[]);
    let mut fourth = build(&mut other, slot.next().next().next().next(), &[]);
    std::mem::swap(&mut third, &mut fourth);
    assert!(matches!(node.push(third), Verdict::Refused(_)));
    assert_eq!((node.held(Hold::AbortBlock).0, node.held(Hold::StartBlock).0), before);
    assert!(matches!(node.push(fourth), Verdict::Joined));
    assert_eq!(node.head(), 4);
}

#[test]
fn a_block_that_comes_while_one_is_made_is_held_and_taken_after_the_seal() {
    let node = Node::producing(Signer::Key(key()));
    let makes_block = |node: &Node| {
        let purpose = node.handle.read(|chain| chain.pending().map(|pending| pending.purpose));
        purpose == Some(BlockPurpose::Produce)
    };
    node.until("a block is made", |node| node.head() > 1 && makes_block(node));
    // A rival of the block that is being made.
    let mut other = new_chain(&node.genesis);
    for number in 2..=node.head() {
        let bytes = node.handle.store().block_at(number).expect("the store can be read").expect("a block");
        let block = PreparedBlock::from_bytes(&bytes, &other.chain_id(), PrepareMode::Full).expect("whole");
        other.push_block(block).expect("a good block");
    }
    let odd = transaction(&other, name!("setabi"), (EOSIO, Bytes(b"rival".to_vec())).to_bytes());
    let slot = other.head().header.timestamp().next();
    let rival = build(&mut other, slot, &[odd]);
    let id = rival.id;
    assert!(matches!(node.push(rival.clone()), Verdict::Held));
    assert!(matches!(node.push(rival), Verdict::Held), "it is held once");
    // What follows it waits too; what follows nothing, or is of the future, need not.
    let orphan = |previous: BlockId, slot: BlockTimestamp| {
        let mut block = SignedBlock::default();
        block.signed_header.header = BlockHeader { previous, timestamp: slot, ..BlockHeader::default() };
        PreparedBlock::from_block(Arc::new(block), &node.handle.chain_id(), PrepareMode::Trusted).expect("whole")
    };
    let unknown = BlockId::default();
    let late = BlockTimestamp(slot.0 + 1000);
    assert!(matches!(node.push(orphan(id, slot.next())), Verdict::Held));
    for (block, kind) in [
        (orphan(unknown, slot), FaultKind::UNLINKABLE_BLOCK_EXCEPTION),
        (orphan(id, late), FaultKind::BLOCK_FROM_THE_FUTURE),
    ] {
        let verdict = node.push(block);
        assert!(matches!(&verdict, Verdict::Refused(fault) if fault.kind == kind), "{verdict:?}");
    }
    node.until("it is kept", |node| node.handle.store().block_by_id(&id).expect("the store can be read").is_some());
    let head = node.head();
    node.until("the node goes on", |node| node.head() > head);
}

#[test]
fn traces_follow_the_chain_to_another_branch() {
    let node = Node::start(Settings { traces: Some(|sealed| sealed.state.id().0.to_vec()), ..Settings::default() });
    let (mut one, mut other) = (new_chain(&node.genesis), new_chain(&node.genesis));
    let slot = one.head().header.timestamp().next();
    let left = transaction(&one, name!("setabi"), (EOSIO, Bytes(b"left".to_vec())).to_bytes());
    let lost = build(&mut one, slot, &[Arc::clone(&left)]);
    let branch = [build(&mut other, slot.next(), &[]), build(&mut other, slot.next().next(), &[])];
    let store = node.handle.store();
    let traces = |number| store.traces(number).expect("the store can be read");
    let position = || store.transaction_position(&left.id).expect("the store can be read");

    assert!(matches!(node.push(lost.clone()), Verdict::Joined));
    node.until("the first branch has its traces", |_| traces(2) == Some(lost.id.0.to_vec()) && position().is_some());
    for block in branch.clone() {
        assert!(matches!(node.push(block), Verdict::Joined));
    }
    node.until("the other branch has its own", |_| traces(3) == Some(branch[1].id.0.to_vec()));
    assert_eq!(traces(2), Some(branch[0].id.0.to_vec()));
    assert_eq!(position().map(|_| ()), None, "the transaction is in no block");
}

/// A signer that takes requests and never answers.
#[derive(Debug)]
struct Silent;

impl RemoteSigner for Silent {
    fn ask(&self, _: &Checksum256, reply: SignatureReply) -> Result<(), Refusal> {
        std::mem::forget(reply);
        Ok(())
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(1500)
    }

    fn silence(&self) -> Refusal {
        Refusal::Signer { signer: "nobody".to_owned(), reason: "silence".to_owned() }
    }
}

#[test]
fn a_silent_signer_holds_up_no_reader_and_its_block_is_given_up() {
    let node = Node::producing(Signer::Remote(Arc::new(Silent)));
    node.until("a block waits for its signature", |node| node.held(Hold::FinishBlock).0 > 0);
    let mut longest = Duration::ZERO;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(3) {
        let asked = Instant::now();
        assert_eq!(node.head(), 1);
        longest = longest.max(asked.elapsed());
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(longest < HOLD_MAX, "{longest:?}");
    let aborted = node.held(Hold::AbortBlock).0;
    assert!(aborted >= 1, "the block is given up");
    assert!(node.held(Hold::FinishBlock).0 >= 2, "and the next one is tried");
}

/// A signer that answers from its own thread, after a while.
#[derive(Debug)]
struct Slow;

impl RemoteSigner for Slow {
    fn ask(&self, digest: &Checksum256, reply: SignatureReply) -> Result<(), Refusal> {
        let digest = *digest;
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            reply(Ok(key().sign(&digest).expect("a valid secret")));
        });
        Ok(())
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn silence(&self) -> Refusal {
        Refusal::Signer { signer: "the slow one".to_owned(), reason: "too slow".to_owned() }
    }
}

#[test]
fn transactions_that_come_while_a_block_is_signed_are_in_the_next_one() {
    let node = Node::producing(Signer::Remote(Arc::new(Slow)));
    node.until("blocks are signed", |node| node.head() > 2);
    let mut included = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) {
        let next = node.handle.read(|chain| {
            let memo = format!("{}", included.len()).into_bytes();
            transaction(chain, name!("setabi"), (EOSIO, Bytes(memo)).to_bytes())
        });
        included.push(node.submit(next).expect("it is good").id);
    }
    let head = node.head();
    node.until("the last one is in a block", |node| node.head() > head + 1);
    let last = node.head();
    let mut found = BTreeSet::new();
    for number in 2..=last {
        let bytes = node.handle.store().block_at(number).expect("the store can be read").expect("a block");
        let block = PreparedBlock::from_bytes(&bytes, &node.handle.chain_id(), PrepareMode::Trusted).expect("whole");
        found.extend(block.transactions.iter().map(|transaction| transaction.id));
    }
    assert!(
        included.len() > 10 && included.iter().all(|id| found.contains(id)),
        "{} of {}",
        found.len(),
        included.len()
    );
}

#[test]
fn code_is_compiled_aside_for_transactions_and_for_blocks() {
    let producer = Node::producing(Signer::Key(key()));
    let follower = Node::start(Settings::default());
    producer.until("a block", |node| node.head() > 1);
    let module = slow_module();
    let code = producer.handle.read(|chain| set_code(chain, module));
    producer.submit(code).expect("the code is valid");
    let begun = Instant::now();
    let used = producer.handle.read(|chain| transaction(chain, name!("anything"), Vec::new()));
    producer.submit(used).expect("the contract runs");
    let waited = begun.elapsed();
    let head = producer.head();
    producer.until("blocks go on", |node| node.head() > head);
    let longest = producer.handle.holds().into_iter().max_by_key(|time| time.longest).expect("reasons");
    assert!(longest.longest < HOLD_MAX, "{longest:?} while it compiled for {waited:?}");

    // The same in a block from outside.
    let mut other = new_chain(&follower.genesis);
    let slot = other.head().header.timestamp();
    let set = set_code(&other, slow_module());
    let used = transaction(&other, name!("anything"), Vec::new());
    let block = build(&mut other, slot.next(), &[set, used]);
    let child = build(&mut other, slot.next().next(), &[]);
    let (id, child_id) = (block.id, child.id);
    let verdicts = follower
        .runtime
        .block_on(async { tokio::join!(follower.handle.push_block(block), follower.handle.push_block(child)) });
    assert!(matches!(verdicts.0, Ok(Verdict::Joined)), "{verdicts:?}");
    follower.until("the child follows", |node| node.head() == 3);
    assert!(follower.handle.read(|chain| chain.fork_block(&id).is_some() && chain.head().id() == child_id));
    let (_, longest) = follower.held(Hold::ReceivedBlock);
    assert!(longest < HOLD_MAX, "{longest:?}");
}

/// The smallest module of its own, `number` in it.
fn numbered_module(number: usize) -> Vec<u8> {
    let body = format!("(drop (i32.const {number}))");
    wat::parse_str(format!("(module (memory 33) (func (export \"apply\") (param i64 i64 i64) {body}))"))
        .expect("a module")
}

#[test]
fn dry_runs_give_back_what_their_code_took() {
    let node = Node::producing(Signer::Key(key()));
    node.until("a block", |node| node.head() > 1);
    for number in 0..100 {
        let run = node.handle.read(|chain| set_and_run(chain, numbered_module(number)));
        let trace = node.runtime.block_on(node.handle.submit(run, SubmitKind::DryRun)).expect("it runs");
        assert_eq!(trace.action_traces.len(), 2);
    }
    let head = node.head();
    node.until("the next blocks", |node| node.head() > head + 1);
    let held = node.handle.metrics().held();
    assert!(held.contracts <= 1, "{held:?}");
}

#[test]
fn dry_runs_have_a_queue_of_their_own() {
    let node = Node::producing(Signer::Key(key()));
    node.until("a block", |node| node.head() > 1);
    // A dry run that takes its whole time, and sixty more; they would hold everything up for two seconds.
    let endless =
        wat::parse_str("(module (func (export \"apply\") (param i64 i64 i64) (loop (br 0))))").expect("a module");
    let run = node.handle.read(|chain| set_and_run(chain, endless));
    let storm = async {
        let runs = (0..60).map(|_| {
            tokio::spawn({
                let (handle, run) = (node.handle.clone(), Arc::clone(&run));
                async move { handle.submit(run, SubmitKind::DryRun).await }
            })
        });
        let runs: Vec<_> = runs.collect();
        tokio::task::yield_now().await;
        let (mut done, head) = (0, node.head());
        for number in 0..20_u64 {
            let transaction =
                node.handle.read(|chain| transaction(chain, name!("setpriv"), (EOSIO, 1_u8, number).to_bytes()));
            let kind = SubmitKind::Input { return_failure_trace: true, patience: None };
            drop(node.handle.submit(transaction, kind).await);
            done = runs.iter().filter(|run| run.is_finished()).count();
        }
        // Those that nobody waits for any more are not run.
        runs.iter().for_each(tokio::task::JoinHandle::abort);
        (done, node.head() - head)
    };
    let (done, _) = node.runtime.block_on(storm);
    assert!(done < 60, "the dry runs came first");
    let head = node.head();
    node.until("blocks go on", |node| node.head() > head + 1);
}

#[test]
fn failed_transactions_of_a_peer_take_little_of_the_time() {
    const ENDLESS: usize = 300;
    let node = Node::producing(Signer::Key(key()));
    node.until("a block", |node| node.head() > 1);
    let endless =
        wat::parse_str("(module (func (export \"apply\") (param i64 i64 i64) (loop (br 0))))").expect("a module");
    let set = (EOSIO, 0u8, 0u8, Bytes(endless)).to_bytes();
    let harmless = |number: u64| {
        let actions = vec![(name!("setpriv"), (EOSIO, 1_u8).to_bytes())];
        let expiration = TimePoint(engine::clock::machine_time().0 + (60 + number as i64) * 1_000_000);
        node.handle.read(|chain| transaction_until(chain, actions, expiration))
    };
    let storm = async {
        let (purse, others) = (Arc::new(Purse::new(PEER_FAILURES_US)), Arc::new(Purse::new(PEER_FAILURES_US)));
        let runs = (0..ENDLESS as u64).map(|number| {
            let actions = vec![(name!("setcode"), set.clone()), (name!("anything"), number.to_bytes())];
            let run = node.handle.read(|chain| transaction_of(chain, actions));
            let (handle, purse) = (node.handle.clone(), Arc::clone(&purse));
            tokio::spawn(async move { handle.submit_of_peer(run, purse).await })
        });
        let runs: Vec<_> = runs.collect();
        tokio::task::yield_now().await;
        let begin = Instant::now();
        let input = SubmitKind::Input { return_failure_trace: false, patience: None };
        node.handle.submit(harmless(0), input).await.expect("a client's runs");
        node.handle.submit_of_peer(harmless(1), others).await.expect("that of another peer runs");
        let took = begin.elapsed();
        let mut spent = 0;
        for run in runs {
            let result = run.await.expect("no panic");
            spent += usize::from(matches!(result, Err(engine::Refused::Node(Refusal::Spent))));
        }
        (took, spent)
    };
    let (took, spent) = node.runtime.block_on(storm);
    // All of them would take nine seconds.
    assert!(took < Duration::from_secs(3), "others waited for {took:?}");
    assert!(spent > ENDLESS / 2 && spent < ENDLESS, "{spent} were not run");
}

fn has(receipt: &TransactionReceipt, id: TransactionId) -> bool {
    match &receipt.trx {
        ReceiptTransaction::Id(found) => *found == id,
        ReceiptTransaction::Packed(packed) => packed.transaction().is_ok_and(|transaction| transaction.id() == id),
    }
}

#[test]
fn an_answer_can_wait_for_the_block_the_disk_and_irreversibility() {
    let node = Node::producing(Signer::Key(key()));
    node.until("a block", |node| node.head() > 1);
    for (number, wait) in [WaitFor::Block, WaitFor::Stored, WaitFor::Irreversible].into_iter().enumerate() {
        let run = node.handle.read(|chain| set_code(chain, numbered_module(number)));
        let id = run.id;
        let kind = SubmitKind::Input { return_failure_trace: false, patience: Some(Patience::Wait(wait)) };
        let trace = node.runtime.block_on(node.handle.submit(run, kind)).expect("it is taken");
        let block = trace.producer_block_id.expect("it is in a block");
        let kept = node.handle.store().block_by_id(&block).expect("readable").expect("it is stored");
        let block = SignedBlock::from_bytes(&kept).expect("a block");
        assert!(block.transactions.iter().any(|receipt| has(receipt, id)), "{wait:?}");
        if wait == WaitFor::Irreversible {
            assert!(node.handle.read(|chain| chain.root().number()) >= block.block_num());
        }
    }
}

/// As nodeos: what waits for a block is told at once what every later block would say.
#[test]
fn a_node_that_stands_still_refuses_what_no_block_takes() {
    let node = Node::start(Settings { blocks: Blocks::OnCommand, pause_on_startup: true, ..Settings::default() });
    let mut chain = new_chain(&node.genesis);
    let action = |abi: &[u8]| vec![(name!("setabi"), (EOSIO, Bytes(abi.to_vec())).to_bytes())];
    let taken = transaction_of(&chain, action(b"taken"));
    let slot = chain.head().header.timestamp().next();
    let block = build(&mut chain, slot, &[Arc::clone(&taken)]);
    assert!(matches!(node.push(block), Verdict::Joined));
    let late = transaction_until(&chain, action(b"late"), TimePoint(node.genesis.initial_timestamp.0 - 1_000_000));
    let answer = |transaction: Arc<RecoveredTransaction>, within| {
        let kind = SubmitKind::Input { return_failure_trace: true, patience: None };
        let answer = async { tokio::time::timeout(within, node.handle.submit(transaction, kind)).await };
        node.runtime.block_on(answer)
    };
    let refusal = |transaction: &Arc<RecoveredTransaction>| {
        let answer = answer(Arc::clone(transaction), SOON).expect("an answer without a block");
        answer.expect_err("no block takes it").to_string()
    };
    assert!(refusal(&taken).contains(&format!("duplicate transaction {}", taken.id)), "{}", refusal(&taken));
    assert!(refusal(&late).contains(&format!("expired transaction {}", late.id)), "{}", refusal(&late));
    // Others wait.
    assert!(answer(transaction_of(&chain, action(b"good")), Duration::from_millis(100)).is_err());
}

/// Defers what its action `send` says: sender's id, payer, packed transaction. `spin` never ends.
fn deferring_module() -> Vec<u8> {
    let text = r#"(module
        (import "env" "read_action_data" (func $read (param i32 i32) (result i32)))
        (import "env" "send_deferred" (func $send (param i32 i64 i32 i32 i32)))
        (memory 1)
        (func (export "apply") (param i64 i64 i64) (local $length i32)
            (if (i64.eq (local.get 2) (i64.const SPIN)) (then (loop (br 0))))
            (if (i64.eq (local.get 2) (i64.const SEND)) (then
                (local.set $length (call $read (i32.const 16) (i32.const 4096)))
                (call $send (i32.const 16) (i64.load (i32.const 32)) (i32.const 40)
                    (i32.sub (local.get $length) (i32.const 24)) (i32.const 0))))))"#;
    let number = |name: Name| name.0.to_string();
    let text = text.replace("SPIN", &number(name!("spin"))).replace("SEND", &number(name!("send")));
    wat::parse_str(text).expect("a module")
}

fn deferred(chain: &Chain, sender_id: u128, payer: Name, action: Name, delay_s: u32) -> Arc<RecoveredTransaction> {
    let authorization = vec![PermissionLevel { actor: EOSIO, permission: name!("active") }];
    // Each has an id of its own.
    let action = Action { account: EOSIO, name: action, authorization, data: Bytes(sender_id.to_bytes()) };
    let mut inner = Transaction { actions: vec![action], ..Transaction::default() };
    inner.header.delay_sec = VarUint32(delay_s);
    let data = [sender_id.to_bytes(), payer.to_bytes(), inner.to_bytes()].concat();
    transaction(chain, name!("send"), data)
}

fn new_account(chain: &Chain, account: Name) -> Arc<RecoveredTransaction> {
    let public = key().public_key().expect("a valid secret");
    let authority = Authority::of_key(public);
    transaction(chain, name!("newaccount"), (EOSIO, account, authority.clone(), authority).to_bytes())
}

fn scheduled_count(node: &Node) -> usize {
    node.handle.read(|chain| chain.ledger().generated_by_delay().count())
}

/// As nodeos leaves scheduled transactions out that failed by its own time. Those of one account that never end are
/// not run in each block again, and not before all others.
#[test]
fn scheduled_transactions_that_take_too_long_do_not_hold_up_others() {
    for cpu in [engine::CpuBilling::Measured, engine::CpuBilling::Fixed] {
        let node = Node::start(Settings {
            producers: BTreeSet::from([EOSIO]),
            signers: vec![(key().public_key().expect("a valid secret"), Signer::Key(key()))],
            enable_stale_production: true,
            cpu,
            ..Settings::default()
        });
        node.until("a block", |node| node.head() > 1);
        let payer = name!("attacker");
        let code = node.handle.read(|chain| set_code(chain, deferring_module()));
        node.submit(code).expect("the code is valid");
        let account = node.handle.read(|chain| new_account(chain, payer));
        node.submit(account).expect("a new account");
        for number in 0..12 {
            let spin = node.handle.read(|chain| deferred(chain, number, payer, name!("spin"), 0));
            node.submit(spin).expect("it is deferred");
        }
        let good = node.handle.read(|chain| deferred(chain, 100, EOSIO, name!("good"), 1));
        node.submit(good).expect("it is deferred");
        assert_eq!(scheduled_count(&node), 13);
        node.until("the good one runs", |node| scheduled_count(node) == 12);
        // What failed is not tried again, and the others of its payer not in each block.
        let time = |node: &Node| node.handle.holds().into_iter().find(|time| time.hold == Hold::Transaction);
        let before = time(&node).expect("every reason is there").total;
        let head = node.head();
        node.until("more blocks", |node| node.head() >= head + 6);
        let spent = time(&node).expect("every reason is there").total - before;
        assert!(spent < Duration::from_millis(450), "{spent:?} of three seconds, {cpu:?}");
    }
}

/// Runs `body` for the action `action` alone.
fn acting_module(action: Name, body: &str) -> Vec<u8> {
    let action = action.0;
    let text = format!(
        "(module (func (export \"apply\") (param i64 i64 i64) (local i64)
            (if (i64.eq (local.get 2) (i64.const {action})) (then {body}))))"
    );
    wat::parse_str(text).expect("a module")
}

/// Goes round so many times.
fn rounds(count: u64) -> String {
    format!(
        "(loop (local.set 3 (i64.add (local.get 3) (i64.const 1)))
            (br_if 0 (i64.ne (local.get 3) (i64.const {count}))))"
    )
}

/// nodeos stands still then. Here nobody makes blocks either, but the node answers, says why, and ends when it is told to.
#[test]
fn an_endless_onblock_stops_blocks_and_nothing_else() {
    let mut node = Node::producing(Signer::Key(key()));
    node.until("a block", |node| node.head() > 1);
    let code = node.handle.read(|chain| set_code(chain, acting_module(name!("onblock"), "(loop (br 0))")));
    node.submit(code).expect("the code is valid");
    let reason = |node: &Node| node.handle.standing().obstacles().into_iter().find(|each| each.kind == "onblock");
    node.until("it is told", |node| reason(node).is_some());
    let words = reason(&node).expect("just seen").words;
    assert!(words.contains("onblock of contract eosio"), "{words}");
    let (head, begun, mut answers, mut longest) = (node.head(), Instant::now(), 0, Duration::ZERO);
    while begun.elapsed() < Duration::from_secs(6) {
        let asked = Instant::now();
        assert_eq!(node.head(), head, "no block is made without it");
        longest = longest.max(asked.elapsed());
        answers += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(answers > 1000 && longest < Duration::from_secs(2), "{answers} answers, the longest took {longest:?}");
    let (asked, running) = (Instant::now(), node.running.take().expect("it runs"));
    running.stop().expect("the writer stops");
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

/// A block that took its producer little, because the code was optimised there, takes others no multiple of that.
#[test]
fn a_block_with_long_runs_waits_for_optimised_code() {
    let node = Node::start(Settings::default());
    let mut other = new_chain(&node.genesis);
    let slot = other.head().header.timestamp();
    let code = set_code(&other, acting_module(name!("work"), &rounds(150_000_000)));
    let used = transaction(&other, name!("work"), Vec::new());
    let first = build(&mut other, slot.next(), &[code]);
    let begun = Instant::now();
    let second = build(&mut other, slot.next().next(), &[used]);
    assert!(begun.elapsed() > Duration::from_millis(600), "interpreted, it takes long: {:?}", begun.elapsed());
    assert!(matches!(node.push(first), Verdict::Joined));
    let before = node.held(Hold::ReceivedBlock).0;
    assert!(matches!(node.push(second), Verdict::Joined));
    assert_eq!(node.head(), 3);
    let (count, longest) = node.held(Hold::ReceivedBlock);
    // Perhaps it waited for the first tier, too.
    assert!((2..=3).contains(&(count - before)), "begun in the first tier and ended in the optimised one: {count}");
    assert!(longest < Duration::from_millis(400), "{longest:?}");
}

/// Whoever ends the node need not wait for the end of a block.
#[test]
fn a_block_that_takes_long_is_given_up_when_the_node_ends() {
    let mut node = Node::start(Settings::default());
    let mut other = chain_on(&node.genesis, wasm::Engine::with_tiers(wasm::Tiers::Optimised));
    let slot = other.head().header.timestamp();
    let code = set_code(&other, acting_module(name!("work"), &rounds(6_000_000_000)));
    let used = transaction(&other, name!("work"), Vec::new());
    let first = build(&mut other, slot.next(), &[code]);
    let begun = Instant::now();
    let second = build(&mut other, slot.next().next(), &[used]);
    let whole = begun.elapsed();
    assert!(whole > Duration::from_secs(2), "{whole:?}");
    assert!(matches!(node.push(first), Verdict::Joined));
    let (handle, running) = (node.handle.clone(), node.running.take().expect("it runs"));
    let (pushed, took) = node.runtime.block_on(async {
        let pushed = tokio::spawn(async move { handle.push_block(second).await });
        tokio::time::sleep(Duration::from_millis(700)).await;
        let asked = Instant::now();
        let stopped = tokio::task::spawn_blocking(move || running.stop()).await.expect("no panic");
        stopped.expect("the writer stops");
        (pushed.await.expect("no panic"), asked.elapsed())
    });
    assert!(took < whole / 4, "{took:?} of {whole:?}");
    assert!(matches!(pushed, Ok(Verdict::Busy)), "{pushed:?}");
    assert_eq!(node.head(), 2, "the block is undone");
}
