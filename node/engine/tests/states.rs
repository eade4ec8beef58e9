//! States of a development chain that are gone back to, below a process.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chain::{Chain, Doors, LiveChain, SealedBlock, recover_transaction};
use engine::{Blocks, Clock, CpuBilling, Handle, Journey, Running, Settings, Signer, SubmitKind};
use execution::RecoveredTransaction;
use primitives::{
    Action, Bytes, Compression, Genesis, Name, Pack as _, PackedTransaction, PermissionLevel, PrivateKey, Sha256,
    SignedTransaction, TimePoint, Transaction, name,
};
use store::{Store, StoreSettings};

const EOSIO: Name = name!("eosio");
/// 2020-01-01.
const GENESIS_US: i64 = 1_577_836_800_000_000;

fn key() -> PrivateKey {
    PrivateKey::k1_from_seed(Sha256::of(b"eosio").0).expect("a hash is a valid secret")
}

fn chain_of(genesis: &Genesis, clock: &Clock, compiler: &wasm::Engine) -> LiveChain {
    let doors = Doors { clock: Box::new(clock.clone()), engine: compiler.clone(), code_cache: Box::new(wasm::NoCache) };
    LiveChain::from_genesis(genesis, chain::Settings::default(), doors).expect("a valid genesis")
}

struct Node {
    handle: Handle,
    running: Option<Running>,
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

impl Node {
    fn start() -> Self {
        Self::start_until(0)
    }

    /// A node that ends after this block; 0 for one that does not.
    fn start_until(terminate_at_block: u32) -> Self {
        let genesis = Genesis {
            initial_timestamp: TimePoint(GENESIS_US),
            initial_key: key().public_key().expect("a valid secret"),
            ..Genesis::default()
        };
        let folder = tempfile::tempdir().expect("temporary folder");
        let (clock, compiler) = (Clock::real(), wasm::Engine::new());
        let chain = chain_of(&genesis, &clock, &compiler);
        let store = Store::open(&StoreSettings { path: folder.path().join("db") }).expect("a new store");
        let first = SealedBlock { state: chain.head().clone(), traces: Vec::new(), deltas: None };
        engine::ingest(&store, &[first], 1, None).expect("a new store can be written");
        let ticker = compiler.ticker();
        let again = clock.clone();
        let settings = Settings {
            clock,
            dev: true,
            blocks: Blocks::OnTransaction,
            cpu: CpuBilling::Fixed,
            new_chain: Some(Arc::new(move || Ok(chain_of(&genesis, &again, &compiler)))),
            producers: BTreeSet::from([EOSIO]),
            signers: vec![(key().public_key().expect("a valid secret"), Signer::Key(key()))],
            enable_stale_production: true,
            terminate_at_block,
            snapshots_dir: folder.path().join("snapshots"),
            ..Settings::default()
        };
        let running =
            engine::start(chain, Arc::new(store), settings, Duration::ZERO, ticker).expect("the writer starts");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { handle: running.handle.clone(), running: Some(running), runtime, folder }
    }

    fn act(&self, actor: Name, action: Name, data: Vec<u8>) {
        let first = self.handle.store().block_id_at(1).expect("the store can be read").expect("a block");
        let transaction = self.handle.read(|chain| transaction(chain, &first, actor, action, data));
        let kind = SubmitKind::Input { return_failure_trace: false, patience: None };
        self.runtime.block_on(self.handle.submit(transaction, kind)).expect("it is good");
    }

    /// Creates an account or sets an ABI, or lets time pass.
    fn act_at_random(&self, dice: &mut u64, accounts: &mut Vec<Name>) {
        *dice ^= *dice << 13;
        *dice ^= *dice >> 7;
        *dice ^= *dice << 17;
        match *dice % 3 {
            0 => {
                let account = Name((*dice & !0xf) | (1 << 63));
                let authority = primitives::Authority::of_key(key().public_key().expect("a valid secret"));
                let data = (EOSIO, account, authority.clone(), authority).to_bytes();
                if !accounts.contains(&account) && !account.to_string().contains('.') {
                    self.act(EOSIO, name!("newaccount"), data);
                    accounts.push(account);
                }
            }
            1 => {
                let account = accounts[*dice as usize / 8 % accounts.len()];
                self.act(account, name!("setabi"), (account, Bytes(dice.to_le_bytes().to_vec())).to_bytes());
            }
            _ => {
                let journey = Journey::Blocks(1 + (*dice / 8 % 3) as u32);
                self.runtime.block_on(self.handle.travel(journey)).expect("blocks can be made");
            }
        }
    }

    fn hash(&self) -> (primitives::BlockId, primitives::Checksum256) {
        self.runtime.block_on(self.handle.integrity_hash()).expect("the state can be hashed")
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

/// A transaction that refers to the first block, so that it does not matter which later ones there are.
fn transaction(
    chain: &Chain,
    first: &primitives::BlockId,
    actor: Name,
    action: Name,
    data: Vec<u8>,
) -> Arc<RecoveredTransaction> {
    let authorization = vec![PermissionLevel { actor, permission: name!("active") }];
    let action = Action { account: EOSIO, name: action, authorization, data: Bytes(data) };
    let mut transaction = Transaction { actions: vec![action], ..Transaction::default() };
    transaction.header.expiration = TimePoint(chain.head_time().0 + 60_000_000).seconds();
    transaction.header.set_reference_block(first);
    let mut signed = SignedTransaction { transaction, ..SignedTransaction::default() };
    signed.sign(&key(), &chain.chain_id()).expect("a valid secret");
    Arc::new(recover_transaction(PackedTransaction::new(&signed, Compression::None), &chain.chain_id()).expect("whole"))
}

/// How often a state is gone back to; more with `STATES_ROUNDS`.
const ROUNDS: usize = 1000;

#[test]
fn a_state_that_is_gone_back_to_a_thousand_times_is_the_same_each_time() {
    let node = Node::start();
    let rounds = std::env::var("STATES_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    let (mut dice, mut accounts) = (0x9e37_79b9_7f4a_7c15, vec![EOSIO]);
    for _ in 0..12 {
        node.act_at_random(&mut dice, &mut accounts);
    }
    let mut wanted = node.hash();
    node.runtime.block_on(node.handle.save_state("a")).expect("it can be saved");
    let mut saved_accounts = accounts.clone();
    for round in 0..rounds {
        for _ in 0..1 + round % 4 {
            node.act_at_random(&mut dice, &mut accounts);
        }
        if round % 50 == 49 {
            // The next rounds go back to here.
            wanted = node.hash();
            node.runtime.block_on(node.handle.save_state("a")).expect("it can be saved");
            saved_accounts.clone_from(&accounts);
            continue;
        }
        let arrival = node.runtime.block_on(node.handle.restore_state("a")).expect("it was saved");
        accounts.clone_from(&saved_accounts);
        assert_eq!(arrival.head_id, wanted.0);
        assert_eq!(node.hash(), wanted, "round {round}");
    }
}

#[test]
fn states_of_different_pasts_are_gone_to_in_any_order() {
    let node = Node::start();
    let (mut dice, mut accounts) = (7, vec![EOSIO]);
    let block_on = |name: &str| node.runtime.block_on(node.handle.restore_state(name)).expect("it was saved");
    let mut saved = Vec::new();
    for name in ["a", "b", "c"] {
        for _ in 0..9 {
            node.act_at_random(&mut dice, &mut accounts);
        }
        node.runtime.block_on(node.handle.save_state(name)).expect("it can be saved");
        saved.push((name, node.hash(), node.handle.read(|chain| chain.head().number())));
    }
    for at in [0, 2, 1, 2, 0, 1] {
        let (name, hash, head) = &saved[at];
        block_on(name);
        assert_eq!(node.hash(), *hash, "{name}");
        // All blocks are there, in order.
        let mut last = None;
        for number in 1..=*head {
            let bytes = node.handle.store().block_at(number).expect("the store can be read").expect("a block");
            let block: primitives::SignedBlock = primitives::Unpack::from_bytes(&bytes).expect("whole");
            assert!(last.is_none_or(|last| block.header().previous == last), "{number}");
            last = Some(block.id());
        }
        assert_eq!(node.handle.store().block_at(head + 1).expect("the store can be read"), None);
    }
    // An earlier block is found without having been saved, and blocks follow it.
    let (_, _, head) = saved[0];
    let id = node.handle.store().block_id_at(head - 3).expect("the store can be read");
    let arrival = node.runtime.block_on(node.handle.rewind(head - 3)).expect("it is replayed");
    assert_eq!((Some(arrival.head_id), arrival.head_num), (id, head - 3));
    let arrival = node.runtime.block_on(node.handle.travel(Journey::Blocks(5))).expect("blocks follow");
    assert_eq!(arrival.head_num, head + 2);
    assert!(node.folder.path().exists());
}

#[test]
fn the_last_blocks_are_replaced_and_their_transactions_are_not_lost() {
    let node = Node::start();
    let (mut dice, mut accounts) = (3, vec![EOSIO]);
    for _ in 0..12 {
        node.act_at_random(&mut dice, &mut accounts);
    }
    let exists = |account: &Name| node.handle.read(|chain| chain.ledger().find_account(*account).is_some());
    let (head, id) = node.handle.read(|chain| (chain.head().number(), chain.head().id()));
    let arrival = node.runtime.block_on(node.handle.reorganise(6)).expect("six blocks can be replaced");
    assert!(arrival.head_num > head, "{arrival:?}");
    assert_ne!(node.handle.store().block_id_at(head).expect("the store can be read"), Some(id));
    assert!(accounts.iter().all(exists), "{accounts:?}");
    assert!(node.runtime.block_on(node.handle.reorganise(head + 100)).is_err());
}

#[test]
fn the_head_is_dumped_beside_as_many_states_as_are_kept() {
    let node = Node::start();
    let (mut dice, mut accounts) = (5, vec![EOSIO]);
    node.act_at_random(&mut dice, &mut accounts);
    let mut kept = 0;
    while node.runtime.block_on(node.handle.save_state(&format!("s{kept}"))).is_ok() {
        kept += 1;
    }
    assert_eq!(kept, 64);
    node.act_at_random(&mut dice, &mut accounts);
    for _ in 0..6 {
        let dump = node.runtime.block_on(node.handle.dump_state()).expect("it is dumped");
        assert_eq!(dump.state.head, node.handle.read(|chain| chain.head().id()));
        assert_eq!(dump.blocks.len(), dump.numbered().expect("whole blocks").len());
    }
    let states = node.runtime.block_on(node.handle.states()).expect("a development chain");
    assert_eq!(states.len(), kept);
    assert!(states.iter().all(|state| state.name.starts_with('s')), "{states:?}");
    assert!(node.runtime.block_on(node.handle.forget_state(".dump 0")).is_err());
}

#[test]
fn a_journey_ends_where_the_node_does() {
    let node = Node::start_until(20);
    let arrival = node.runtime.block_on(node.handle.travel(Journey::Blocks(50))).expect("it arrives");
    assert_eq!((arrival.head_num, arrival.blocks), (20, 19));
}
