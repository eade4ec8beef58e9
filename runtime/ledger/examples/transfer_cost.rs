//! What a token transfer costs the ledger alone: the reads and writes of one eosio.token transfer, in nanoseconds.
//! `cargo run --release -p ledger --example transfer_cost [ACCOUNTS]`
#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::time::Instant;

use ledger::config::{ACTIVE, OWNER};
use ledger::genesis::GenesisArgs;
use ledger::{AccountId, CheckpointLoader, Ledger, PermissionId, TableId, TableKey};
use primitives::{
    Authority, BlockTimestamp, Checksum256, Genesis, KeyWeight, Name, PublicKey, TimePoint, TimePointSec,
};

const TRANSFERS: u32 = 1_000_000;
const TRANSFERS_PER_BLOCK: u32 = 500;

const TOKEN: Name = Name(1);

fn populate(accounts: u64) -> Ledger {
    let args = GenesisArgs {
        genesis: &Genesis::default(),
        chain_id: Checksum256::default(),
        head_id: Checksum256::default(),
        system_abi: &[],
        intrinsics: &[],
    };
    let mut ledger = Ledger::from_genesis(&args).expect("the genesis is sound");
    let stat = ledger.create_table(TableKey { code: TOKEN, scope: Name(5), table: Name(6) }, TOKEN);
    ledger.insert_row(stat, 5, TOKEN, &[0; 40]);
    for number in 0..=accounts {
        let name = Name(number + 1);
        let account = ledger.create_account(name, BlockTimestamp(0));
        let key = KeyWeight { key: PublicKey::K1([2; 33]), weight: 1 };
        let auth = Authority { threshold: 1, keys: vec![key], accounts: vec![], waits: vec![] };
        let now = TimePoint(0);
        let owner = ledger.create_permission(account, OWNER, PermissionId::NONE, auth.clone(), now).expect("K1");
        ledger.create_permission(account, ACTIVE, owner, auth, now).expect("K1");
        let table = ledger.create_table(TableKey { code: TOKEN, scope: name, table: Name(7) }, name);
        ledger.insert_row(table, 5, name, &[1; 16]);
    }
    ledger
}

fn balance(ledger: &Ledger, scope: Name) -> TableId {
    ledger.find_table(TOKEN, scope, Name(7)).expect("the account holds tokens")
}

fn change_balance(ledger: &mut Ledger, scope: Name, value: u32) {
    let table = balance(ledger, scope);
    let row = ledger.find_row(table, 5).expect("the account holds tokens");
    let payer = ledger.row(row).payer;
    let mut bytes = [1; 16];
    bytes[..4].copy_from_slice(&value.to_le_bytes());
    ledger.update_row(row, payer, &bytes);
}

fn transfer(ledger: &mut Ledger, number: u32, from: Name, to: Name, slot: u32) {
    let mark = ledger.mark();
    let mut id = [0; 32];
    id[..8].copy_from_slice(&u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    id[8..12].copy_from_slice(&number.to_le_bytes());
    let account = |ledger: &Ledger, name| -> AccountId { ledger.find_account(name).expect("it exists") };
    let payer = account(ledger, from);
    ledger.update_account_usage(payer, slot).expect("small numbers");
    assert!(ledger.record_transaction(Checksum256(id), TimePointSec(1_700_000_000 + slot / 2 + 30)));
    assert!(ledger.find_account(to).is_some());
    let stat = ledger.find_table(TOKEN, Name(5), Name(6)).expect("the token exists");
    assert!(ledger.find_row(stat, 5).is_some());
    change_balance(ledger, from, number);
    change_balance(ledger, to, number);
    for receiver in [TOKEN, from, to] {
        let receiver = account(ledger, receiver);
        ledger.next_global_sequence();
        ledger.next_recv_sequence(receiver);
        ledger.next_auth_sequence(payer);
    }
    let active = ledger.permission_of(payer, ACTIVE).expect("every account has it");
    ledger.update_permission_usage(active, TimePoint(i64::from(slot)));
    ledger.add_transaction_usage(&[payer], 100, 136, slot).expect("small numbers");
    assert!(mark < ledger.mark());
}

/// Account names drawn by a small generator.
struct Draw {
    state: u64,
    accounts: u64,
}

impl Draw {
    fn name(&mut self) -> Name {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Name(2 + (self.state >> 33) % self.accounts)
    }
}

fn blocks(ledger: &mut Ledger, draw: &mut Draw, from: u32, count: u32) {
    for block in from..from + count {
        ledger.begin_block(block);
        ledger.clear_expired_transactions(TimePointSec(1_700_000_000 + block / 2).into());
        for number in 0..TRANSFERS_PER_BLOCK {
            let (from, to) = (draw.name(), draw.name());
            transfer(ledger, block * TRANSFERS_PER_BLOCK + number, from, to, block);
        }
        ledger.process_block_usage(block).expect("small numbers");
        ledger.commit_blocks_up_to(block);
    }
}

fn main() {
    let accounts = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(20_000);
    let mut ledger = populate(accounts);
    let mut draw = Draw { state: 12345, accounts };
    let count = TRANSFERS / TRANSFERS_PER_BLOCK;
    let start = Instant::now();
    blocks(&mut ledger, &mut draw, 2, count);
    let each = start.elapsed().as_nanos() / u128::from(TRANSFERS);
    println!("{each} ns a transfer with {accounts} accounts");
    for (turn, what) in ["all rows", "rows changed by 20 blocks"].into_iter().enumerate() {
        let start = Instant::now();
        let rows = ledger.take_checkpoint().rows;
        println!("{} us for a checkpoint of {} rows ({what})", start.elapsed().as_micros(), rows.len());
        if turn == 0 {
            let bytes: usize = rows.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum();
            let rows: Vec<_> = rows.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
            let start = Instant::now();
            let loaded =
                CheckpointLoader::of_rows(rows).and_then(CheckpointLoader::finish).expect("the rows are a state");
            println!("{} us to load them ({bytes} bytes)", start.elapsed().as_micros());
            drop(loaded);
        }
        blocks(&mut ledger, &mut draw, 2 + count + 20 * turn as u32, 20);
    }
}
