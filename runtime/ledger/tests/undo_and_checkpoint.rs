//! Random histories over all tables: what is undone leaves no trace, and checkpoints lead back to the state of the
//! newest block and of every block that could still be undone.

use std::collections::BTreeMap;

use codec::Pack;
use ledger::genesis::GenesisArgs;
use ledger::{
    BlockUndo, Checkpoint, Float64, Float128, GeneratedTransaction, Key128, Key256, Ledger, Limits, LinkKey,
    PermissionId, UndoLimits,
};
use ledger::{CheckpointLoader, SecondaryKey, TableKey};
use primitives::{
    Authority, BlockTimestamp, Bytes, Checksum256, Genesis, KeyWeight, Name, PublicKey, Sha256, TimePoint, TimePointSec,
};
use proptest::prelude::*;

fn new_ledger() -> Ledger {
    let args = GenesisArgs {
        genesis: &Genesis::default(),
        chain_id: Checksum256([1; 32]),
        head_id: Checksum256([2; 32]),
        system_abi: b"abi",
        intrinsics: &["require_auth", "db_store_i64"],
    };
    Ledger::from_genesis(&args).expect("the genesis is sound")
}

/// Everything that consensus sees, and the pending limits.
fn picture(ledger: &Ledger) -> Vec<u8> {
    let mut bytes = Vec::new();
    ledger.write_snapshot(b"head", TimePoint(0), &mut bytes);
    for account in ledger.accounts() {
        let limits = ledger.account_limits(account);
        bytes.extend(format!("{limits:?}").into_bytes());
    }
    bytes
}

type Operation = (u8, u64, u64);

fn id_of(number: u64) -> Checksum256 {
    Sha256::packed(&number)
}

fn change(ledger: &mut Ledger, clock: u32, (operation, a, b): Operation) {
    let count = ledger.account_count() as u64;
    let account = ledger.accounts().nth((a % count) as usize).expect("below the count");
    let name = ledger.account_name(account);
    let now = BlockTimestamp(clock).time();
    match operation {
        0 => {
            let new = Name(1000 + a % 40);
            if ledger.find_account(new).is_none() {
                let account = ledger.create_account(new, BlockTimestamp(clock));
                let owner = ledger.create_permission(account, Name(1), PermissionId::NONE, auth(b), now);
                ledger.create_permission(account, Name(2), owner.expect("K1"), auth(a), now).expect("K1");
            }
        }
        1 => drop((
            ledger.next_global_sequence(),
            ledger.next_recv_sequence(account),
            ledger.next_auth_sequence(account),
        )),
        2 => ledger.set_privileged(account, b.is_multiple_of(2)),
        3 => ledger.set_abi(account, vec![b as u8; (b % 40) as usize].into()),
        4 => ledger.set_ram_correction(account, b % 3),
        5 => drop(ledger.add_transaction_usage(&[account], b % 100, a % 100, clock)),
        6 => drop(ledger.add_pending_ram_usage(account, (b % 100) as i64 - 20)),
        7 => {
            let value = (b % 50) as i64 - 1;
            ledger.set_account_limits(account, Limits { net_weight: value, cpu_weight: value, ram_bytes: 1 << 40 });
        }
        8 => ledger.process_account_limit_updates().expect("totals fit"),
        9 => {
            let permission = Name(3 + b % 4);
            match ledger.permission_of(account, permission) {
                Some(id) if a.is_multiple_of(3) => drop(ledger.remove_permission(id)),
                Some(id) => {
                    ledger.modify_permission(id, auth(b), now).expect("K1");
                    ledger.update_permission_usage(id, TimePoint(now.0 + 1));
                }
                None => {
                    let parent = Name(if permission.0 > 4 { 4 } else { 2 });
                    if let Some(parent) = ledger.permission_of(account, parent) {
                        ledger.create_permission(account, permission, parent, auth(a), now).expect("K1");
                    }
                }
            }
        }
        10 => {
            let key = LinkKey { account: name, code: Name(b % 3), message_type: Name(b % 2) };
            if a.is_multiple_of(2) || !ledger.remove_link(key) {
                ledger.set_link(key, Name(b % 5));
            }
        }
        11 => set_code(ledger, account, b),
        12..=15 => contract_row(ledger, a, b, name),
        16 => secondary_row::<u64>(ledger, a, b, b % 7, name),
        17 => secondary_row(ledger, a, b, Key128::from(u128::from(b) << 60), name),
        18 => secondary_row(ledger, a, b, Key256(Key128::from(1), u128::from(b).into()), name),
        19 => secondary_row(ledger, a, b, Float64((b as f64 - 9.0).to_bits()), name),
        20 => secondary_row(ledger, a, b, Float128(u128::from(b).into()), name),
        21 => generated(ledger, a, b, name, now),
        22 => {
            // More than one row of a checkpoint holds.
            for index in 0..5 * b {
                ledger.record_transaction(id_of(a << 32 | index), TimePointSec(now.seconds().0 + (b % 3) as u32));
            }
        }
        23 => ledger.clear_expired_transactions(now),
        24 => ledger.set_block_summary(b as u16, id_of(a)),
        25 => ledger.modify_global_property(|global| global.configuration.max_action_return_value_size = b as u32),
        26 => ledger.modify_protocol_state(|state| state.preactivated_protocol_features.push(id_of(b))),
        27 => {
            let config = ledger.global_property().configuration.clone();
            ledger.set_block_parameters(&config);
        }
        _ => ledger.process_block_usage(clock).expect("blocks go forward"),
    }
}

fn auth(seed: u64) -> Authority {
    let key = KeyWeight { key: PublicKey::K1([seed as u8; 33]), weight: 1 };
    Authority { threshold: 1, keys: vec![key], accounts: vec![], waits: vec![] }
}

fn set_code(ledger: &mut Ledger, account: ledger::AccountId, b: u64) {
    let code = b.to_le_bytes();
    if let Some(old) = ledger.account_metadata(account).code {
        ledger.remove_code_reference(old);
        ledger.modify_account_metadata(account, |metadata| metadata.code = None);
    } else {
        let id = ledger.add_code_reference(Sha256::of(&code), &code, 7);
        ledger.modify_account_metadata(account, |metadata| metadata.code = Some(id));
    }
}

fn table_of(ledger: &mut Ledger, a: u64, payer: Name) -> ledger::TableId {
    let key = TableKey { code: Name(1), scope: Name(a % 5), table: Name(a % 2) };
    let found = ledger.find_table(key.code, key.scope, key.table);
    found.unwrap_or_else(|| ledger.create_table(key, payer))
}

fn contract_row(ledger: &mut Ledger, a: u64, b: u64, payer: Name) {
    let table = table_of(ledger, a, payer);
    let (primary, value) = (b % 50, vec![a as u8; (a % 50) as usize]);
    match ledger.find_row(table, primary) {
        None => drop(ledger.insert_row(table, primary, payer, &value)),
        Some(row) if b.is_multiple_of(3) => {
            ledger.remove_row(row);
            remove_when_empty(ledger, table);
        }
        Some(row) => ledger.update_row(row, payer, &value),
    }
}

fn secondary_row<K: SecondaryKey>(ledger: &mut Ledger, a: u64, b: u64, key: K, payer: Name) {
    let table = table_of(ledger, a, payer);
    let primary = b % 9;
    match ledger.secondary_find_primary::<K>(table, primary) {
        None => drop(ledger.insert_secondary(table, primary, payer, key)),
        Some(row) if b.is_multiple_of(2) => {
            ledger.remove_secondary::<K>(row);
            remove_when_empty(ledger, table);
        }
        Some(row) => ledger.update_secondary(row, payer, key),
    }
}

fn remove_when_empty(ledger: &mut Ledger, table: ledger::TableId) {
    if ledger.table(table).count == 0 {
        ledger.remove_table(table);
    }
}

fn generated(ledger: &mut Ledger, a: u64, b: u64, payer: Name, now: TimePoint) {
    let row = GeneratedTransaction {
        trx_id: id_of(b),
        sender: payer,
        sender_id: u128::from(b % 4),
        payer,
        delay_until: TimePoint(now.0 + a as i64),
        expiration: TimePoint(now.0 + b as i64),
        published: now,
        packed_trx: vec![1, 2, 3].into(),
    };
    match ledger.generated_by_sender_id(payer, row.sender_id) {
        None => drop(ledger.create_generated(row)),
        Some(id) if a.is_multiple_of(2) => drop(ledger.remove_generated(id)),
        Some(id) => drop(ledger.modify_generated(id, row)),
    }
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    prop::collection::vec((0..29u8, 0..64u64, 0..64u64), 1..60)
}

#[derive(Debug, Clone)]
enum Step {
    /// The changes of each of its transactions.
    Block(Vec<Vec<Operation>>),
    UndoBlock,
    Commit(u32),
    Checkpoint,
    LetGo,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => prop::collection::vec(operations(), 1..4).prop_map(Step::Block),
        1 => Just(Step::UndoBlock),
        2 => (0..4u32).prop_map(Step::Commit),
        2 => Just(Step::Checkpoint),
        1 => Just(Step::LetGo),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..25)
}

/// What a node keeps of checkpoints.
#[derive(Default)]
struct Disk {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    undo: BTreeMap<u32, BlockUndo>,
}

impl Disk {
    fn store(&mut self, ledger: &mut Ledger) {
        let checkpoint = ledger.take_checkpoint();
        for (key, value) in checkpoint.rows {
            match value {
                Some(value) => drop(self.rows.insert(key, value)),
                None => drop(self.rows.remove(&key)),
            }
        }
        self.undo.extend(checkpoint.undo.into_iter().map(|undo| (undo.number, undo)));
        let (oldest, newest) = (ledger.oldest_block(), ledger.newest_block());
        self.undo.retain(|&number, _| oldest.is_some_and(|oldest| oldest <= number) && Some(number) <= newest);
    }

    /// What undoes the newest block, if the ledger has let go of it.
    fn bring_undo(&self, ledger: &mut Ledger) {
        if let Some(number) = ledger.absent_undo() {
            ledger.bring_undo(self.undo[&number].clone()).expect("the ledger's own");
        }
    }

    fn load(&self) -> Ledger {
        let mut ledger = CheckpointLoader::of_rows(self.rows.clone())
            .and_then(CheckpointLoader::finish)
            .expect("the rows are a state");
        ledger.load_undo(self.undo.values().cloned()).expect("the blocks fit the state");
        ledger
    }
}

/// From a journal that is made smaller at once to one that never is.
fn undo_limits() -> impl Strategy<Value = UndoLimits> {
    let bytes = || prop_oneof![Just(0), Just(4 << 10), Just(usize::MAX >> 1)];
    (bytes(), bytes()).prop_map(|(open_bytes, finished_bytes)| UndoLimits { open_bytes, finished_bytes })
}

fn undo(ledger: &mut Ledger) -> Option<u32> {
    ledger.undo_block().expect("what was kept for undoing fits the state")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_undone_leaves_no_trace(first in operations(), second in operations(), third in operations()) {
        let mut ledger = new_ledger();
        ledger.begin_block(2);
        first.into_iter().for_each(|operation| change(&mut ledger, 100, operation));
        let (mark, before) = (ledger.mark(), picture(&ledger));
        second.into_iter().for_each(|operation| change(&mut ledger, 101, operation));
        ledger.undo_to(mark);
        prop_assert!(picture(&ledger) == before);
        ledger.begin_block(3);
        third.into_iter().for_each(|operation| change(&mut ledger, 102, operation));
        prop_assert_eq!(undo(&mut ledger), Some(3));
        prop_assert!(picture(&ledger) == before);
        ledger.commit_blocks_up_to(2);
        prop_assert_eq!(ledger.undo_len(), 0);
    }

    #[test]
    fn deltas_do_not_depend_on_how_small_the_journal_is(blocks in prop::collection::vec(prop::collection::vec(operations(), 1..4), 1..4)) {
        let mut ledgers = [0, usize::MAX >> 1].map(|bytes| {
            let mut ledger = new_ledger();
            ledger.set_undo_limits(UndoLimits { open_bytes: bytes, finished_bytes: bytes });
            ledger
        });
        for (number, transactions) in (2..).zip(blocks) {
            let [small, large] = ledgers.each_mut().map(|ledger| {
                ledger.begin_block(number);
                for operations in transactions.clone() {
                    operations.into_iter().for_each(|operation| change(ledger, number, operation));
                    ledger.squash();
                }
                (ledger.block_deltas(), ledger.full_deltas())
            });
            prop_assert!(small == large);
        }
    }

    #[test]
    fn a_checkpoint_leads_back_to_every_reversible_block(steps in steps(), limits in undo_limits()) {
        let mut ledger = new_ledger();
        ledger.set_undo_limits(limits);
        let mut disk = Disk::default();
        let mut irreversible = 1;
        for step in steps {
            let newest = ledger.newest_block().unwrap_or(irreversible);
            match step {
                Step::Block(transactions) => {
                    ledger.begin_block(newest + 1);
                    for operations in transactions {
                        operations.into_iter().for_each(|operation| change(&mut ledger, newest + 1, operation));
                        ledger.squash();
                    }
                }
                Step::UndoBlock => {
                    disk.bring_undo(&mut ledger);
                    undo(&mut ledger);
                }
                Step::Commit(ahead) => {
                    let oldest = ledger.oldest_block().unwrap_or(newest);
                    irreversible = (oldest + ahead).min(newest);
                    ledger.commit_blocks_up_to(irreversible);
                }
                Step::Checkpoint => disk.store(&mut ledger),
                Step::LetGo => drop(ledger.let_go_of_undo()),
                Step::Restart => {
                    disk.store(&mut ledger);
                    let loaded = disk.load();
                    prop_assert!(picture(&loaded) == picture(&ledger));
                    ledger = loaded;
                    ledger.set_undo_limits(limits);
                }
            }
        }
        disk.store(&mut ledger);
        let mut loaded = disk.load();
        loop {
            prop_assert!(picture(&loaded) == picture(&ledger));
            disk.bring_undo(&mut ledger);
            let undone = undo(&mut ledger);
            prop_assert_eq!(undo(&mut loaded), undone);
            if undone.is_none() {
                break;
            }
        }
        // What was undone is part of the next checkpoint.
        disk.store(&mut ledger);
        prop_assert!(picture(&disk.load()) == picture(&ledger));
    }
}

/// A row that is written again and again, and others that come and go, cost one old value for each block.
#[test]
fn a_block_keeps_one_old_value_of_a_row() {
    const ROW_BYTES: usize = 400 << 10;
    let mut ledger = new_ledger();
    ledger.begin_block(2);
    let (payer, value) = (Name(1), vec![1; ROW_BYTES]);
    let table = table_of(&mut ledger, 0, payer);
    let row = ledger.insert_row(table, 1, payer, &value).expect("a new row");
    let mut before = Vec::new();
    for block in 3..8 {
        ledger.begin_block(block);
        for transaction in 0..20_u8 {
            for write in 0..10 {
                ledger.update_row(row, payer, &vec![transaction ^ write ^ block as u8; ROW_BYTES]);
                let other = ledger.insert_row(table, 2, payer, &value).expect("a new row");
                ledger.remove_row(other);
            }
            ledger.squash();
        }
        before.push(picture(&ledger));
    }
    ledger.begin_block(8);
    let bytes = ledger.undo_bytes();
    assert!(bytes > 5 * ROW_BYTES && bytes < 7 * ROW_BYTES, "{bytes} bytes for five blocks");
    for picture_then in before.into_iter().rev() {
        assert!(undo(&mut ledger).is_some());
        assert!(picture(&ledger) == picture_then);
    }
}

/// Nodes keep checkpoints on disk: other bytes mean that a newer node cannot go on from the folder of an older one.
#[test]
fn checkpoints_keep_their_bytes() {
    const HASH: &str = "f8b5afc41ed2a571e40b32a9bb11417d6524f50b43622148b2e20584a24d1d44";
    let mut hasher = Sha256::default();
    for finished_bytes in [0, usize::MAX >> 1] {
        let mut ledger = new_ledger();
        ledger.set_undo_limits(UndoLimits { open_bytes: 4 << 10, finished_bytes });
        let mut random = 1_u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        for number in 2..60 {
            ledger.begin_block(number);
            for _ in 0..60 {
                change(&mut ledger, number, (next(29) as u8, next(64), next(64)));
                ledger.squash();
            }
            if number % 7 == 0 {
                assert_eq!(undo(&mut ledger), Some(number));
                ledger.begin_block(number);
            }
            if number % 5 == 0 {
                let Checkpoint { rows, undo } = ledger.take_checkpoint();
                for (key, value) in rows {
                    (Bytes(key), value.map(Bytes)).pack(&mut hasher);
                }
                for BlockUndo { number, rows } in undo {
                    (number, Bytes(rows)).pack(&mut hasher);
                }
                ledger.commit_blocks_up_to(number - 8);
            }
        }
    }
    assert_eq!(hex::encode(hasher.finish().0), HASH);
}
