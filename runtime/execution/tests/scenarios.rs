//! Whole transactions over a new chain's ledger: native actions, contracts written in WAT, deferred transactions,
//! limits. What nodeos does in the same places is recorded in `tests/conformance`.

use std::sync::Arc;

use codec::{Bytes, Pack};
use execution::system_actions::{LinkAuth, NewAccount, SetCode, UpdateAuth};
use execution::{
    BlockContext, BlockMode, Budget, Ending, ExecutedTransaction, Feature, Machine, RecoveredTransaction, Settings,
    StoppedClock, TransactionKind, TransactionTrace, World, push_scheduled, push_transaction, run_onblock,
};
use ledger::Ledger;
use ledger::genesis::GenesisArgs;
use primitives::{
    Action, Authority, BlockTimestamp, Checksum256, FaultKind, Genesis, KeyWeight, Name, PackedTransaction,
    PermissionLevel, ProducerAuthority, ProducerSchedule, PublicKey, Transaction, TransactionHeader, TransactionStatus,
    name,
};

const ACTIVE: Name = name!("active");
/// An action without arguments.
const NOTHING: [u8; 0] = [];
const EOSIO: Name = name!("eosio");
const FIRST_SLOT: u32 = 1_500_000_000;

/// A chain without consensus: blocks are just contexts.
struct Tester {
    world: World,
    machine: Machine,
    serial: u32,
}

fn trace(executed: ExecutedTransaction) -> TransactionTrace {
    Arc::unwrap_or_clone(executed.trace)
}

fn key(number: u8) -> PublicKey {
    PublicKey::K1([number; 33])
}

fn auth(number: u8) -> Authority {
    Authority { threshold: 1, keys: vec![KeyWeight { key: key(number), weight: 1 }], accounts: vec![], waits: vec![] }
}

fn level(actor: Name, permission: Name) -> PermissionLevel {
    PermissionLevel { actor, permission }
}

fn action(account: Name, name: Name, by: Name, data: impl Pack) -> Action {
    Action { account, name, authorization: vec![level(by, ACTIVE)], data: Bytes(data.to_bytes()) }
}

impl Tester {
    fn new() -> Self {
        let genesis = Genesis {
            initial_timestamp: BlockTimestamp(FIRST_SLOT).time(),
            initial_key: key(1),
            initial_configuration: Default::default(),
        };
        let intrinsics: Vec<&str> = execution::intrinsics::table()
            .iter()
            .filter(|entry| entry.feature.is_none())
            .map(|entry| entry.name)
            .collect();
        let args = GenesisArgs {
            genesis: &genesis,
            chain_id: Checksum256::default(),
            head_id: Checksum256::default(),
            system_abi: &[],
            intrinsics: &intrinsics,
        };
        let mut ledger = Ledger::from_genesis(&args).expect("a good genesis");
        ledger.set_block_parameters(&ledger.global_property().configuration.clone());
        let world = World::new(ledger, Settings::default(), Box::new(StoppedClock));
        let machine = Machine::new(wasm::Engine::new(), execution::intrinsics::table(), Box::new(wasm::NoCache));
        let mut tester = Self { world, machine, serial: 0 };
        tester.next_block(1);
        tester
    }

    /// Goes on by a number of slots.
    fn next_block(&mut self, slots: u32) {
        let last = self.world.block.clone();
        let time = BlockTimestamp(last.time.0.max(FIRST_SLOT) + slots);
        let producer = ProducerAuthority {
            producer_name: EOSIO,
            authority: primitives::BlockSigningAuthority::V0 { threshold: 1, keys: auth(1).keys },
        };
        self.world.begin_block(BlockContext {
            number: last.number.max(1) + 1,
            time,
            mode: BlockMode::Validated,
            active_schedule: Arc::new(ProducerSchedule { version: 0, producers: vec![producer] }),
            ..BlockContext::default()
        });
    }

    fn activate(&mut self, features: &[Feature]) {
        let digests: Vec<Checksum256> = features.iter().map(|feature| feature.digest()).collect();
        self.world.ledger.modify_protocol_state(|state| state.preactivated_protocol_features.clone_from(&digests));
        execution::activate_features(&mut self.world, &digests).expect("features can be activated");
    }

    fn transaction(&mut self, actions: Vec<Action>, change: impl FnOnce(&mut Transaction)) -> Transaction {
        self.serial += 1;
        let header = TransactionHeader {
            expiration: self.world.block.time().plus_seconds(60).seconds(),
            // Differs from one to the next.
            max_net_usage_words: codec::VarUint32(10_000 + self.serial),
            ..TransactionHeader::default()
        };
        let mut trx = Transaction { header, actions, ..Transaction::default() };
        change(&mut trx);
        trx
    }

    fn push_as(&mut self, trx: Transaction, keys: &[u8], kind: TransactionKind) -> TransactionTrace {
        let packed = PackedTransaction { packed_trx: Bytes(trx.to_bytes()), ..PackedTransaction::default() };
        let keys = keys.iter().map(|number| key(*number)).collect();
        let trx = RecoveredTransaction::new(packed, Checksum256::default(), trx, vec![], keys);
        let budget = Budget::explicit(200);
        trace(push_transaction(&mut self.machine, &mut self.world, &trx, kind, budget).expect("it ran"))
    }

    fn push(&mut self, actions: Vec<Action>, keys: &[u8]) -> TransactionTrace {
        let trx = self.transaction(actions, |_| ());
        self.push_as(trx, keys, TransactionKind::Input)
    }

    #[track_caller]
    fn push_ok(&mut self, actions: Vec<Action>, keys: &[u8]) -> TransactionTrace {
        let trace = self.push(actions, keys);
        assert_eq!(trace.except, None);
        trace
    }

    #[track_caller]
    fn push_fails(&mut self, actions: Vec<Action>, keys: &[u8], kind: FaultKind, message: &str) -> TransactionTrace {
        let trace = self.push(actions, keys);
        let fault = trace.except.as_ref().expect("a fault");
        assert_eq!((fault.kind, fault.details[0].as_str()), (kind, message));
        assert_eq!(trace.receipt, None);
        trace
    }

    fn create(&mut self, name: Name, number: u8) {
        let create = NewAccount { creator: EOSIO, name, owner: auth(number), active: auth(number) };
        self.push_ok(vec![action(EOSIO, name!("newaccount"), EOSIO, create)], &[1]);
    }

    fn deploy(&mut self, account: Name, number: u8, wat: &str) {
        let code = Bytes(wat::parse_str(wat).expect("good WAT"));
        let set = SetCode { account, vmtype: 0, vmversion: 0, code };
        self.push_ok(vec![action(EOSIO, name!("setcode"), account, set)], &[number]);
    }

    fn ram(&self, account: Name) -> u64 {
        self.world.ledger.account_usage(self.world.ledger.find_account(account).expect("an account")).ram
    }
}

#[test]
fn accounts_are_created_and_pay_for_themselves() {
    let mut tester = Tester::new();
    tester.create(name!("alice"), 2);
    // 2048 for the account, 288 for each permission, 50 for each key: 8 + 34 in steps of 16.
    assert_eq!(tester.ram(name!("alice")), 2724);
    let again = NewAccount { creator: EOSIO, name: name!("alice"), owner: auth(2), active: auth(2) };
    tester.push_fails(
        vec![action(EOSIO, name!("newaccount"), EOSIO, again)],
        &[1],
        FaultKind::ACCOUNT_NAME_EXISTS_EXCEPTION,
        "Cannot create account named alice, as that name is already taken",
    );
    let reserved = NewAccount { creator: name!("alice"), name: name!("eosio.x"), owner: auth(2), active: auth(2) };
    tester.push_fails(
        vec![action(EOSIO, name!("newaccount"), name!("alice"), reserved)],
        &[2],
        FaultKind::ACTION_VALIDATE_EXCEPTION,
        "only privileged accounts can have names that start with 'eosio.'",
    );
}

#[test]
fn signatures_must_be_enough_and_none_too_many() {
    let mut tester = Tester::new();
    tester.create(name!("alice"), 2);
    let update = |permission, parent| UpdateAuth { account: name!("alice"), permission, parent, auth: auth(3) };
    let act = |by| {
        let mut act = action(EOSIO, name!("updateauth"), name!("alice"), update(name!("daily"), ACTIVE));
        act.authorization = vec![level(name!("alice"), by)];
        act
    };
    let trace = tester.push(vec![act(ACTIVE)], &[]);
    assert_eq!(trace.except.expect("a fault").kind, FaultKind::UNSATISFIED_AUTHORIZATION);
    let trace = tester.push(vec![act(ACTIVE)], &[2, 3]);
    assert_eq!(trace.except.expect("a fault").kind, FaultKind::TX_IRRELEVANT_SIG);
    tester.push_ok(vec![act(ACTIVE)], &[2]);
    // The new permission stands below active and may not change itself's parent.
    let mut change = action(EOSIO, name!("updateauth"), name!("alice"), update(ACTIVE, name!("owner")));
    change.authorization = vec![level(name!("alice"), name!("daily"))];
    tester.push_fails(
        vec![change],
        &[3],
        FaultKind::IRRELEVANT_AUTH_EXCEPTION,
        "updateauth action declares irrelevant authority '{\"actor\":\"alice\",\"permission\":\"daily\"}'; minimum \
         authority is {\"actor\":\"alice\",\"permission\":\"active\"}",
    );
}

#[test]
fn linked_permissions_are_enough_for_their_action_alone() {
    let mut tester = Tester::new();
    tester.create(name!("alice"), 2);
    tester.create(name!("shop"), 4);
    let update = UpdateAuth { account: name!("alice"), permission: name!("daily"), parent: ACTIVE, auth: auth(3) };
    tester.push_ok(vec![action(EOSIO, name!("updateauth"), name!("alice"), update)], &[2]);
    let buy = |name| Action {
        account: name!("shop"),
        name,
        authorization: vec![level(name!("alice"), name!("daily"))],
        data: Bytes(vec![]),
    };
    let refused = "action declares irrelevant authority '{\"actor\":\"alice\",\"permission\":\"daily\"}'; minimum \
                   authority is {\"actor\":\"alice\",\"permission\":\"active\"}";
    tester.push_fails(vec![buy(name!("buy"))], &[3], FaultKind::IRRELEVANT_AUTH_EXCEPTION, refused);
    let link =
        LinkAuth { account: name!("alice"), code: name!("shop"), action: name!("buy"), requirement: name!("daily") };
    tester.push_ok(vec![action(EOSIO, name!("linkauth"), name!("alice"), link)], &[2]);
    tester.push_ok(vec![buy(name!("buy"))], &[3]);
    tester.push_fails(vec![buy(name!("sell"))], &[3], FaultKind::IRRELEVANT_AUTH_EXCEPTION, refused);
}

#[test]
fn a_transaction_runs_once_and_in_its_time() {
    let mut tester = Tester::new();
    tester.create(name!("alice"), 2);
    let act = || action(name!("alice"), name!("anything"), name!("alice"), NOTHING);
    let trx = tester.transaction(vec![act()], |_| ());
    assert_eq!(tester.push_as(trx.clone(), &[2], TransactionKind::Input).except, None);
    let fault = tester.push_as(trx.clone(), &[2], TransactionKind::Input).except.expect("a fault");
    assert_eq!(
        (fault.kind, fault.details[0].clone()),
        (FaultKind::TX_DUPLICATE, format!("duplicate transaction {}", trx.id()))
    );
    let late = tester.transaction(vec![act()], |trx| trx.header.expiration.0 -= 61);
    assert_eq!(
        tester.push_as(late, &[2], TransactionKind::Input).except.expect("a fault").kind,
        FaultKind::EXPIRED_TX_EXCEPTION
    );
    let lost = tester.transaction(vec![act()], |trx| trx.header.ref_block_prefix = 1);
    assert_eq!(
        tester.push_as(lost, &[2], TransactionKind::Input).except.expect("a fault").kind,
        FaultKind::INVALID_REF_BLOCK_EXCEPTION
    );
    let nobody = Action { authorization: vec![], ..act() };
    tester.push_fails(vec![nobody], &[], FaultKind::TX_NO_AUTHS, "transaction must have at least one authorization");
}

/// Notifies bob of "tell", sends itself "tell" inline for "ask", fails for "fail", says how deep it is for "deep".
const TELLER: &str = r#"(module
    (import "env" "require_recipient" (func $require_recipient (param i64)))
    (import "env" "send_inline" (func $send_inline (param i32 i32)))
    (import "env" "eosio_assert" (func $eosio_assert (param i32 i32)))
    (memory 1)
    (data (i32.const 64) "no way\00")
    (func (export "apply") (param $receiver i64) (param $code i64) (param $action i64)
        (if (i64.ne (local.get $receiver) (local.get $code)) (then (return)))
        ;; "tell"
        (if (i64.eq (local.get $action) (i64.const TELL)) (then (call $require_recipient (i64.const BOB))))
        ;; "ask" and "deep": the same contract, the next action, no authorization, no data
        (i64.store (i32.const 0) (local.get $receiver))
        (i64.store (i32.const 8) (i64.const TELL))
        (if (i64.eq (local.get $action) (i64.const DEEP)) (then (i64.store (i32.const 8) (i64.const DEEP))))
        (if (i32.or (i64.eq (local.get $action) (i64.const ASK)) (i64.eq (local.get $action) (i64.const DEEP)))
            (then (call $send_inline (i32.const 0) (i32.const 18))))
        ;; "fail"
        (call $eosio_assert (i64.ne (local.get $action) (i64.const FAIL)) (i32.const 64))))"#;

fn teller() -> String {
    let name = |text: &str, name: Name| (text.to_owned(), name.0.to_string());
    [
        name("TELL", name!("tell")),
        name("ASK", name!("ask")),
        name("DEEP", name!("deep")),
        name("FAIL", name!("fail")),
        name("BOB", name!("bob")),
    ]
    .iter()
    .fold(TELLER.to_owned(), |wat, (text, number)| wat.replace(text, number))
}

fn with_teller() -> Tester {
    let mut tester = Tester::new();
    tester.create(name!("teller"), 2);
    tester.create(name!("bob"), 3);
    tester.deploy(name!("teller"), 2, &teller());
    tester
}

#[test]
fn notifications_come_before_inline_actions_and_are_numbered_when_sent() {
    let mut tester = with_teller();
    let trace = tester.push_ok(
        vec![
            action(name!("teller"), name!("ask"), name!("bob"), NOTHING),
            action(name!("teller"), name!("tell"), name!("bob"), NOTHING),
        ],
        &[3],
    );
    let seen: Vec<_> = trace
        .action_traces
        .iter()
        .map(|act| {
            (
                act.act.name.to_string(),
                act.receiver.to_string(),
                act.creator_action_ordinal,
                act.closest_unnotified_ancestor_action_ordinal,
                act.receipt.as_ref().expect("it ran").global_sequence
                    - trace.action_traces[0].receipt.as_ref().expect("it ran").global_sequence,
            )
        })
        .collect();
    let expected = [
        ("ask", "teller", 0, 0, 0),
        ("tell", "teller", 0, 0, 3),
        ("tell", "teller", 1, 1, 1),
        ("tell", "bob", 3, 3, 2),
        ("tell", "bob", 2, 2, 4),
    ];
    assert_eq!(seen, expected.map(|(name, receiver, a, b, c)| (name.to_owned(), receiver.to_owned(), a, b, c)));
    // The notification carries the digest of the action that it is about.
    let digest = |at: usize| trace.action_traces[at].receipt.as_ref().expect("it ran").act_digest;
    assert_eq!(digest(2), digest(3));
}

#[test]
fn failures_leave_nothing_but_their_trace() {
    let mut tester = with_teller();
    let before = (tester.world.ledger.global_action_sequence(), tester.world.action_digests.len());
    let trace = tester.push_fails(
        vec![
            action(name!("teller"), name!("tell"), name!("bob"), NOTHING),
            action(name!("teller"), name!("fail"), name!("bob"), NOTHING),
        ],
        &[3],
        FaultKind::EOSIO_ASSERT_MESSAGE_EXCEPTION,
        "assertion failure with message: no way",
    );
    assert_eq!((tester.world.ledger.global_action_sequence(), tester.world.action_digests.len()), before);
    assert_eq!(trace.action_traces[1].error_code, Some(10_000_000_000_000_000_000));
    assert_eq!(trace.except.expect("a fault").details[1], "pending console output: ");
    tester.push_fails(
        vec![action(name!("teller"), name!("deep"), name!("bob"), NOTHING)],
        &[3],
        FaultKind::TRANSACTION_EXCEPTION,
        "max inline action depth per transaction reached",
    );
}

#[test]
fn a_dry_run_needs_no_signature_and_leaves_nothing() {
    let mut tester = with_teller();
    let before = tester.world.ledger.global_action_sequence();
    let trx = tester.transaction(vec![action(name!("teller"), name!("tell"), name!("bob"), NOTHING)], |_| ());
    let trace = tester.push_as(trx, &[], TransactionKind::DryRun);
    assert_eq!((trace.except, trace.action_traces.len()), (None, 2));
    assert_eq!(tester.world.ledger.global_action_sequence(), before);
    let mut bare = action(name!("teller"), name!("tell"), name!("bob"), NOTHING);
    bare.authorization.clear();
    let trx = tester.transaction(vec![bare], |_| ());
    let trace = tester.push_as(trx, &[], TransactionKind::ReadOnly);
    assert_eq!((trace.except, trace.action_traces.len()), (None, 2));
    assert_eq!(tester.world.ledger.global_action_sequence(), before);
}

#[test]
fn delayed_transactions_wait_run_and_fail_hard() {
    let mut tester = with_teller();
    for (act, status) in [(name!("tell"), TransactionStatus::Executed), (name!("fail"), TransactionStatus::HardFail)] {
        let before = tester.ram(name!("bob"));
        let trx = tester.transaction(vec![action(name!("teller"), act, name!("bob"), NOTHING)], |trx| {
            trx.header.delay_sec = codec::VarUint32(10);
        });
        let id = trx.id();
        let trace = tester.push_as(trx, &[3], TransactionKind::Input);
        assert_eq!(trace.receipt.expect("a receipt").status, TransactionStatus::Delayed);
        assert!(tester.ram(name!("bob")) > before + 272);
        let early = push_scheduled(&mut tester.machine, &mut tester.world, &id, Budget::explicit(100));
        assert_eq!(early.expect_err("not ready").details[0], "this transaction isn't ready");
        tester.next_block(20);
        let executed =
            push_scheduled(&mut tester.machine, &mut tester.world, &id, Budget::explicit(100)).expect("it ran");
        assert_eq!(executed.receipt().expect("a receipt").status, status);
        assert_eq!(tester.ram(name!("bob")), before);
        assert_eq!(tester.world.ledger.generated_count(), 0);
    }
}

/// Sends its action's data, a packed transaction, as a deferred one; asserts when it runs, accepts "onerror".
const SENDER: &str = r#"(module
    (import "env" "read_action_data" (func $read (param i32 i32) (result i32)))
    (import "env" "send_deferred" (func $send_deferred (param i32 i64 i32 i32 i32)))
    (import "env" "eosio_assert" (func $eosio_assert (param i32 i32)))
    (memory 1)
    (data (i32.const 8) "\07")
    (func (export "apply") (param $receiver i64) (param $code i64) (param $action i64)
        (if (i64.eq (local.get $action) (i64.const SEND)) (then
            (call $send_deferred (i32.const 8) (local.get $receiver) (i32.const 64)
                (call $read (i32.const 64) (i32.const 1024)) (i32.const 0))))
        (call $eosio_assert (i64.ne (local.get $action) (i64.const FAIL)) (i32.const 32))))"#;

#[test]
fn a_failed_deferred_transaction_is_given_to_its_sender() {
    let mut tester = Tester::new();
    tester.activate(&[Feature::ReplaceDeferred, Feature::NoDuplicateDeferredId]);
    tester.create(name!("sender"), 2);
    let wat = SENDER.replace("SEND", &name!("send").0.to_string()).replace("FAIL", &name!("fail").0.to_string());
    tester.deploy(name!("sender"), 2, &wat);
    // Its own code must be allowed to stand for it.
    let mut own = auth(2);
    own.accounts
        .push(primitives::PermissionLevelWeight { permission: level(name!("sender"), name!("eosio.code")), weight: 1 });
    let update = UpdateAuth { account: name!("sender"), permission: ACTIVE, parent: name!("owner"), auth: own };
    tester.push_ok(vec![action(EOSIO, name!("updateauth"), name!("sender"), update)], &[2]);
    let before = tester.ram(name!("sender"));
    let deferred = Transaction {
        actions: vec![action(name!("sender"), name!("fail"), name!("sender"), NOTHING)],
        ..Transaction::default()
    };
    tester.push_ok(vec![action(name!("sender"), name!("send"), name!("sender"), deferred)], &[2]);
    let (_, waiting) = tester.world.ledger.generated_in_order().next().expect("it waits");
    let (id, sender_id) = (waiting.trx_id, waiting.sender_id);
    assert_eq!(sender_id, 7);
    tester.next_block(1);
    let executed = push_scheduled(&mut tester.machine, &mut tester.world, &id, Budget::explicit(100)).expect("it ran");
    assert!(matches!(executed.ending, Ending::Done(receipt) if receipt.status == TransactionStatus::SoftFail));
    let trace = trace(executed);
    assert_eq!(trace.action_traces[0].act.name, name!("onerror"));
    assert_eq!(trace.action_traces[0].receiver, name!("sender"));
    let failed = trace.failed_dtrx_trace.expect("why it failed");
    assert_eq!(failed.except.expect("a fault").kind, FaultKind::EOSIO_ASSERT_MESSAGE_EXCEPTION);
    assert_eq!(tester.ram(name!("sender")), before);
}

#[test]
fn onblock_runs_with_the_header_before() {
    let mut tester = Tester::new();
    let trace = trace(run_onblock(&mut tester.machine, &mut tester.world));
    assert_eq!(trace.except, None);
    assert_eq!(trace.action_traces[0].act.name, name!("onblock"));
    assert_eq!(trace.receipt.expect("a receipt").cpu_usage_us, 100);
    assert_eq!(tester.world.action_digests.len(), 1);
    execution::update_producers_authority(&mut tester.world).expect("permissions of eosio.prods");
}
