//! Snapshots of versions 2 to 5: the recorded chain's own, written as nodeos wrote them then.
//!
//! nodeos 4.1 ends on the same integrity hash with each version of one state, and with the files of each version that
//! Leap's unit tests hold (`unittests/snapshots`), which end on `68a9a357…` (`e1ae1108…` for `snap_v2_prod_sched`).

mod common;

use chain::block_log::{BlockLog, ChainContext};
use chain::{Chain, LiveChain, PrepareMode, PreparedBlock, Settings};
use codec::Unpack as _;
use consensus::BlockHeaderState;
use ledger::GlobalProperty;
use primitives::{Genesis, Pack};

const PREFIX: &str = "eosio::chain::";
/// A young chain, a proposed schedule, an announced one, an active one, the head.
const BLOCKS: [u32; 5] = [2, 30, BLOCK_WITH_PENDING_SCHEDULE, 33, 144];
const BLOCK_WITH_PENDING_SCHEDULE: u32 = 31;

/// A file of sections.
struct File(Vec<(String, Vec<u8>)>);

impl File {
    fn open(bytes: &[u8]) -> Self {
        let (mut at, mut sections) = (8, Vec::new());
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        while number(at) != u64::MAX {
            let end = at + 8 + number(at) as usize;
            let name_end = at + 16 + bytes[at + 16..].iter().position(|byte| *byte == 0).expect("names end");
            let name = String::from_utf8(bytes[at + 16..name_end].to_vec()).expect("names are text");
            sections.push((name, bytes[at + 8..end].to_vec()));
            at = end;
        }
        Self(sections)
    }

    /// A section with the number of its rows.
    fn section(name: &str, rows: u64, packed: &[u8]) -> (String, Vec<u8>) {
        let name = format!("{PREFIX}{name}");
        let section = [&rows.to_le_bytes()[..], name.as_bytes(), &[0], packed].concat();
        (name, section)
    }

    fn place(&self, name: &str) -> usize {
        let found = self.0.iter().position(|(other, _)| *other == format!("{PREFIX}{name}") || other == name);
        found.expect("the section is there")
    }

    fn replace(&mut self, name: &str, packed: &[u8]) {
        let place = self.place(name);
        self.0[place] = Self::section(name, 1, packed);
    }

    fn row(&self, name: &str) -> &[u8] {
        let (name, section) = &self.0[self.place(name)];
        &section[8 + name.len() + 1..]
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = [0x3051_0550_u32.to_le_bytes(), 1_u32.to_le_bytes()].concat();
        for (_, section) in &self.0 {
            out.extend((section.len() as u64).to_le_bytes());
            out.extend(section);
        }
        out.extend(u64::MAX.to_le_bytes());
        out
    }
}

/// A snapshot of version 6 in an older version.
fn older(snapshot: &[u8], version: u32, genesis: &Genesis) -> Vec<u8> {
    let mut file = File::open(snapshot);
    file.replace("chain_snapshot_header", &version.to_bytes());
    let global = GlobalProperty::from_bytes(file.row("global_property_object")).expect("ours");
    let proposed = (global.proposed_schedule_block_num, global.proposed_schedule.clone());
    let configuration = &global.configuration.v0;
    let limits = (global.kv_configuration.clone(), global.wasm_configuration.clone());
    let packed = match version {
        2 => (proposed.0, proposed.1.to_legacy(), configuration).to_bytes(),
        3 => (proposed, configuration, global.chain_id).to_bytes(),
        4 => (proposed, configuration, global.chain_id, limits).to_bytes(),
        _ => global.to_bytes(),
    };
    file.replace("global_property_object", &packed);
    if version == 2 {
        let head = BlockHeaderState::from_bytes(file.row("block_state")).expect("ours");
        file.replace("block_state", &legacy_head(&head));
        file.0.insert(1, File::section("genesis_state", 1, &genesis.to_bytes()));
    }
    if version > 3 && version < 6 {
        let place = file.place("contract_tables");
        file.0.insert(place, File::section("kv_object", 0, &[]));
    }
    file.bytes()
}

/// `snapshot_block_header_state_v2`.
fn legacy_head(head: &BlockHeaderState) -> Vec<u8> {
    let mut out =
        (head.block_num, head.dpos_proposed_irreversible_blocknum, head.dpos_irreversible_blocknum).to_bytes();
    head.active_schedule.to_legacy().pack(&mut out);
    head.blockroot_merkle.pack(&mut out);
    (&head.producer_to_last_produced, &head.producer_to_last_implied_irb).pack(&mut out);
    head.valid_block_signing_authority.keys()[0].key.pack(&mut out);
    (&head.confirm_count, head.id, &head.header).pack(&mut out);
    let pending = &head.pending_schedule;
    (pending.schedule_lib_num, pending.schedule_hash, pending.schedule.to_legacy()).pack(&mut out);
    (true, head.activated_protocol_features.digests().to_vec()).pack(&mut out);
    out
}

#[test]
fn every_version_is_the_same_state_and_the_chain_goes_on_from_it() {
    let bytes = common::recorded("recorded/boot.blocks.log.gz");
    let log = BlockLog::open(&bytes).expect("a whole log");
    let ChainContext::Genesis(genesis) = log.context() else { panic!("the log begins with block 1") };
    let mut chain = LiveChain::from_genesis(genesis, Settings::default(), common::doors()).expect("a valid genesis");
    let hash = |chain: &Chain| chain.integrity_hash().expect("nothing pending");
    let written = |chain: &Chain| chain.write_snapshot().expect("nothing pending");
    let mut goes_on: Option<LiveChain> = None;
    for (number, packed) in log.iter() {
        if number > 1 {
            let block = PreparedBlock::from_bytes(packed, &genesis.chain_id(), PrepareMode::Trusted).expect("recorded");
            if let Some(other) = &mut goes_on {
                other.replay_block(block.clone()).expect("recorded");
            }
            chain.replay_block(block).expect("recorded");
        }
        if !BLOCKS.contains(&number) {
            continue;
        }
        let snapshot = written(&chain);
        for version in 2..=6 {
            let file = older(&snapshot, version, genesis);
            if let Some(folder) = std::env::var_os("KEEP_SNAPSHOTS") {
                let path = std::path::Path::new(&folder).join(format!("{number}.v{version}.bin"));
                std::fs::write(path, &file).expect("the folder can be written");
            }
            let read = LiveChain::from_snapshot(&file, Settings::default(), common::doors());
            let read = read.unwrap_or_else(|error| panic!("version {version} at block {number}: {error}"));
            assert_eq!(hash(&read), hash(&chain), "version {version} at block {number}");
            assert!(written(&read) == snapshot, "version {version} at block {number}");
            if (version, number) == (2, BLOCK_WITH_PENDING_SCHEDULE) {
                goes_on = Some(read);
            }
        }
    }
    assert_eq!(hash(&goes_on.expect("made on the way")), hash(&chain));
}

#[test]
fn other_versions_and_damaged_old_ones_are_refused() {
    let mut chain = common::new_chain();
    common::produce(&mut chain);
    let snapshot = chain.write_snapshot().expect("nothing pending");
    let genesis = Genesis { initial_key: common::public(&common::key("eosio")), ..Genesis::default() };
    let read = |bytes: &[u8]| LiveChain::from_snapshot(bytes, Settings::default(), common::doors());
    for version in [0, 1, 7, 8, u32::MAX] {
        let refused = read(&older(&snapshot, version, &genesis)).err().map(|error| error.to_string());
        assert!(refused.is_some_and(|text| text.contains("only versions 2 to 6")), "version {version}");
    }
    for version in 2..6 {
        let whole = older(&snapshot, version, &genesis);
        for length in (0..whole.len()).step_by(whole.len() / 17) {
            assert!(read(&whole[..length]).is_err(), "version {version}");
        }
        let mut global = File::open(&whole);
        let row = global.row("global_property_object").to_vec();
        global.replace("global_property_object", &row[..row.len() - 1]);
        assert!(read(&global.bytes()).is_err(), "version {version}");
        global.replace("global_property_object", &[&row[..], &[0]].concat());
        assert!(read(&global.bytes()).is_err(), "version {version}");
    }
    let mut without = File::open(&older(&snapshot, 2, &genesis));
    without.0.remove(1);
    assert!(read(&without.bytes()).err().is_some_and(|error| error.to_string().contains("genesis_state")));
}
