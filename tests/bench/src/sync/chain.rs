//! The chain that is synced: transfers in full blocks of four producers, made in this process in slots of the past, so that
//! nobody waits for them; and another branch of it, which one producer alone goes on with.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use chain::block_log::{BlockLogWriter, ChainContext};
use chain::{Applied, Doors, LiveChain, Settings};
use execution::StoppedClock;
use genesis::LocalProducer;
use primitives::{
    Action, BlockTimestamp, Bytes, ChainId, Checksum256, Genesis, Name, Pack, PackedTransaction, PermissionLevel,
    PrivateKey, name,
};

use crate::workload::{self, Binding};

/// Who makes blocks, in turns: irreversibility lags as on a network.
const PRODUCERS: [Name; 4] = [name!("prodone"), name!("prodthree"), name!("prodtwo"), name!("prodzero")];
/// Who goes on alone on the other branch, of which nothing becomes irreversible.
const DESERTER: Name = PRODUCERS[3];
/// Blocks within which what was done before them is irreversible, and a schedule in force.
const SETTLED_WITHIN: usize = 400;
const EOSIO: Name = name!("eosio");

/// Packed blocks, the first of which is block 1.
pub type Blocks = Arc<Vec<Arc<[u8]>>>;

/// A chain.
#[derive(Debug)]
pub struct Made {
    pub chain_id: ChainId,
    /// The block log, with its index beside it.
    pub log: PathBuf,
    pub blocks: Blocks,
    /// The same up to [`Self::fork`], and then others, as many.
    pub branch: Blocks,
    /// The last block that both have.
    pub fork: u32,
}

/// Makes a chain with so many transfers, and writes it to `blocks.log` and `blocks.index` of a folder. The token is taken
/// from the folder `token`.
pub fn make(genesis: &Path, token: &Path, transfers: usize, per_block: usize, folder: &Path) -> anyhow::Result<Made> {
    let genesis = serde_json::from_slice(&std::fs::read(genesis)?).context("the genesis of the benchmark")?;
    // Contracts need more stack than a thread has.
    wasm::with_enough_stack(|| Maker::new(&genesis)?.make(genesis, token, transfers, per_block.max(1), folder))
}

struct Maker {
    chain: LiveChain,
    producer: LocalProducer,
    blocks: Vec<Arc<[u8]>>,
}

fn doors() -> Doors {
    Doors { clock: Box::new(StoppedClock), engine: wasm::Engine::new(), code_cache: Box::new(wasm::NoCache) }
}

fn producer_after(slot: BlockTimestamp) -> anyhow::Result<LocalProducer> {
    let mut producer = LocalProducer::after(slot);
    producer.know(key()?)?;
    Ok(producer)
}

fn key() -> anyhow::Result<PrivateKey> {
    Ok(e2e::DEV_PRIVATE_KEY.parse()?)
}

impl Maker {
    fn new(genesis: &Genesis) -> anyhow::Result<Self> {
        let chain = LiveChain::from_genesis(genesis, Settings::default(), doors())?;
        let producer = producer_after(chain.head().header.timestamp())?;
        let first = chain.head().block.as_ref().context("block 1 is there")?.to_bytes().into();
        Ok(Self { chain, producer, blocks: vec![first] })
    }

    fn make(
        mut self,
        genesis: Genesis,
        token: &Path,
        transfers: usize,
        per_block: usize,
        folder: &Path,
    ) -> anyhow::Result<Made> {
        for actions in workload::set_up_actions(token)? {
            self.push(actions)?;
        }
        self.schedule()?;
        let (mut done, mut snapshot, accounts) = (0, None, workload::accounts()?);
        while done < transfers {
            if snapshot.is_none() && done >= transfers / 3 {
                snapshot = Some((self.chain.head().number(), self.chain.write_snapshot()?));
            }
            let (binding, end) = (self.binding()?, (done + per_block).min(transfers));
            let some = workload::by_all_cores(done..end, |index| {
                binding.sign(vec![workload::transfer_at(&accounts, index)?])
            })?;
            self.block(&some)?;
            done = end;
        }
        let last = self.chain.head().number();
        // Else the other branch would be as good by the rules.
        self.until("irreversible transfers", |maker| maker.chain.root().number() >= last)?;

        let (fork, snapshot) = snapshot.context("a chain has transfers")?;
        let chain = LiveChain::from_snapshot(&snapshot, Settings::default(), doors())?;
        let producer = producer_after(chain.head().header.timestamp())?;
        let mut branch = Self { chain, producer, blocks: self.blocks[..fork as usize].to_vec() };
        while branch.blocks.len() < self.blocks.len() {
            branch.skip_to(DESERTER);
            branch.block(&[])?;
        }
        let chain_id = genesis.chain_id();
        let log = write_log(&self.blocks, genesis, folder)?;
        Ok(Made { chain_id, log, blocks: Arc::new(self.blocks), branch: Arc::new(branch.blocks), fork })
    }

    /// Lets the producers be elected by `eosio`, and waits for the first block of theirs.
    fn schedule(&mut self) -> anyhow::Result<()> {
        let module = (EOSIO, 0u8, 0u8, Bytes(e2e::modules::proposing())).to_bytes();
        self.push(vec![by_eosio(name!("setcode"), module)])?;
        self.push(PRODUCERS.into_iter().map(workload::new_account).collect::<anyhow::Result<_>>()?)?;
        let key = key()?.public_key()?;
        let schedule: Vec<_> = PRODUCERS.into_iter().map(|producer| (producer, key.clone())).collect();
        self.push(vec![by_eosio(name!("producers"), schedule.to_bytes())])?;
        let in_force = |maker: &Self| PRODUCERS.contains(&maker.chain.head().header.block_header().producer);
        self.until("block of the producers", in_force)
    }

    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        for _ in 0..SETTLED_WITHIN {
            if done(self) {
                return Ok(());
            }
            self.block(&[])?;
        }
        anyhow::bail!("no {what} within {SETTLED_WITHIN} blocks")
    }

    /// Leaves out the slots of others.
    fn skip_to(&mut self, producer: Name) {
        let head = &self.chain.head().header;
        let mut slot = head.timestamp().next();
        while head.scheduled_producer(slot).producer_name != producer {
            slot = slot.next();
        }
        self.producer.skip_to(slot);
    }

    fn binding(&self) -> anyhow::Result<Binding> {
        let (chain_id, head, time) = (self.chain.chain_id(), self.chain.head().id(), self.chain.head_time());
        Ok(Binding::at(chain_id, &head, time, key()?))
    }

    fn push(&mut self, actions: Vec<Action>) -> anyhow::Result<()> {
        let transaction = self.binding()?.sign(actions)?;
        self.block(&[transaction])
    }

    fn block(&mut self, transactions: &[PackedTransaction]) -> anyhow::Result<()> {
        let (traces, applied) = self.producer.block(&mut self.chain, Vec::<Checksum256>::new(), transactions)?;
        if let Some(fault) = traces.iter().find_map(|trace| trace.except.as_deref()) {
            anyhow::bail!("the chain refuses a transaction: {fault}");
        }
        self.keep(&applied)
    }

    fn keep(&mut self, applied: &Applied) -> anyhow::Result<()> {
        for sealed in &applied.applied {
            ensure!(sealed.state.number() as usize == self.blocks.len() + 1, "blocks come one after another");
            self.blocks.push(sealed.state.block.as_ref().context("a block that was built is there")?.to_bytes().into());
        }
        Ok(())
    }
}

fn by_eosio(action: Name, data: Vec<u8>) -> Action {
    let authorization = vec![PermissionLevel { actor: EOSIO, permission: name!("active") }];
    Action { account: EOSIO, name: action, authorization, data: Bytes(data) }
}

fn write_log(blocks: &[Arc<[u8]>], genesis: Genesis, folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("blocks.log");
    let (mut log, mut index) = (BufWriter::new(File::create(&path)?), File::create(folder.join("blocks.index"))?);
    let (mut out, mut offsets) = (Vec::new(), Vec::new());
    let mut writer = BlockLogWriter::begin(&ChainContext::Genesis(genesis), 1, &mut out);
    for block in blocks {
        writer.append(block, &mut out).pack(&mut offsets);
        log.write_all(&out)?;
        out.clear();
    }
    log.flush()?;
    index.write_all(&offsets)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use chain::block_log::BlockLog;
    use primitives::{SignedBlock, Unpack};

    use super::*;

    #[test]
    fn a_chain_and_its_branch_are_of_one_length_and_link() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let token = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/dist/eosio.token");
        let genesis = Path::new(env!("CARGO_MANIFEST_DIR")).join("genesis.json");
        let made = make(&genesis, &token, 60, 10, folder.path()).expect("a chain");
        assert_eq!(made.blocks.len(), made.branch.len());
        let read = |blocks: &Blocks| -> Vec<SignedBlock> {
            blocks.iter().map(|block| SignedBlock::from_bytes(block).expect("a block")).collect()
        };
        let (blocks, branch) = (read(&made.blocks), read(&made.branch));
        for chain in [&blocks, &branch] {
            assert!(chain.windows(2).all(|pair| pair[1].signed_header.header.previous == pair[0].id()));
        }
        let fork = made.fork as usize;
        assert_eq!(blocks[fork - 1].id(), branch[fork - 1].id());
        assert_ne!(blocks[fork].id(), branch[fork].id());
        assert!(branch[fork..].iter().all(|block| block.signed_header.header.producer == DESERTER));
        let transfers: usize = blocks[fork..].iter().map(|block| block.transactions.len()).sum();
        assert_eq!(transfers, 40);
        let bytes = std::fs::read(&made.log).expect("the log");
        let log = BlockLog::open(&bytes).expect("a log");
        assert_eq!(log.last_block_num(), Some(u32::try_from(blocks.len()).expect("few")));
        assert_eq!(log.packed(7), Some(&made.blocks[6][..]));
    }
}
