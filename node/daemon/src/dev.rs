//! `boreasd dev`: a producing chain with a running system in one command. The first start boots it from a document,
//! in slots of the past, before the node itself begins; later starts continue it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use api::dev::CHAIN_FACTS;
use chain::{Applied, Chain};
use codec::Unpack;
use engine::follower::TraceEncoder;
use engine::{Clock, Dump, NewChain};
use genesis::{Document, LocalProducer, Preset, contracts, document::dev_key};
use primitives::{BlockTimestamp, Genesis, Name, PrivateKey, PublicKey, Sha256, TimePoint, name};
use store::{Store, Watermark};
use wasm::{Artefact, Engine};

use crate::folder::Folder;
use crate::settings::DevArgs;
use crate::settings::args::ChainArgs;
use crate::signing::Keyring;
use crate::start::{self, Plan, Started};

/// The options that a development chain begins with; `config.ini` and the command line come after them.
pub const DEFAULTS: [&str; 11] = [
    "--enable-stale-production",
    "--contracts-console",
    "--verbose-http-errors",
    "--enable-account-queries=true",
    "--transaction-finality-status-max-storage-size-gb=1",
    "--plugin=eosio::chain_api_plugin",
    "--plugin=eosio::db_size_api_plugin",
    "--plugin=eosio::net_api_plugin",
    "--plugin=eosio::producer_api_plugin",
    "--plugin=eosio::trace_api_plugin",
    "--plugin=eosio::prometheus_plugin",
];

/// Under which name the store keeps the document that its chain was, or is being, booted from.
const DOCUMENT_FACT: &str = "boot document";
/// Under which name the store notes that the boot is complete.
const BOOTED_FACT: &str = "booted";
const EOSIO: Name = name!("eosio");

/// A chain from a document, all of whose producers are in this process.
#[derive(Debug)]
pub struct DevChain {
    document: Document,
    /// Whether whatever is in the folder gives way to a new chain.
    anew: bool,
}

impl DevChain {
    /// Looks into the folder: the chain there is continued, or one will begin. A chain whose boot was interrupted
    /// begins anew. The database is there if it stays.
    ///
    /// # Errors
    /// The document cannot be read, the folder cannot be used, or has another chain.
    pub fn open(args: &DevArgs, folder: &Folder) -> anyhow::Result<(Self, Option<Arc<Store>>)> {
        anyhow::ensure!(
            args.node.chain.snapshot.is_none(),
            "a development chain begins with a document, not with a snapshot. Start boreasd without dev to run one from \
             a snapshot"
        );
        let given = given_document(args)?;
        let begin = |given: Option<Document>, anew| Self { document: given.unwrap_or_else(Document::dev), anew };
        if args.reset || args.node.chain.delete_all_blocks {
            return Ok((begin(given, true), None));
        }
        let replays = args.node.chain.replay_blockchain || args.node.chain.hard_replay_blockchain;
        let store = if replays { folder.open_for_replay()? } else { folder.open_existing()? };
        let Some(store) = store else { return Ok((begin(given, false), None)) };
        let Some(text) = store.fact(DOCUMENT_FACT)? else {
            anyhow::ensure!(
                store.head()?.is_none() && store.checkpoint()?.is_none(),
                "the chain in {} was not begun by boreasd dev. Choose another --data-dir, or begin anew with --reset",
                folder.path().display()
            );
            return Ok((begin(given, false), Some(store)));
        };
        if !is_booted(&store)? {
            return Ok((begin(given, true), None));
        }
        let document = known_document(&text, given.as_ref(), folder.path())?;
        Ok((Self { document, anew: false }, Some(store)))
    }

    /// The options, with what the folder asks for.
    pub fn chain_args(&self, args: &ChainArgs) -> ChainArgs {
        ChainArgs { delete_all_blocks: self.anew, ..args.clone() }
    }

    /// Sees that a chain that is to begin can be booted, and gives it its document.
    ///
    /// # Errors
    /// A key is missing, or the genesis leaves no time for the boot.
    pub fn prepare(&self, plan: &mut Plan<'_>, keyring: &Keyring) -> anyhow::Result<()> {
        let Some(genesis) = plan.new_genesis() else { return Ok(()) };
        self.check(genesis.initial_timestamp, &genesis.initial_key, keyring)?;
        plan.add_fact(DOCUMENT_FACT, text_of(&self.document)?);
        Ok(())
    }

    /// Whether a chain whose head is of this time can be booted; gives the slot in which the boot begins.
    fn check(&self, head_time: TimePoint, boot_key: &PublicKey, keyring: &Keyring) -> anyhow::Result<BlockTimestamp> {
        anyhow::ensure!(
            keyring.private(boot_key).is_some(),
            "the private key of eosio ({boot_key}, the genesis' initial_key) is not known. Give it with \
             --signature-provider {boot_key}=KEY:PRIVATE"
        );
        let slots = LocalProducer::slots_of(&self.document, boot_key)?;
        let begin = BlockTimestamp(BlockTimestamp::at(engine::clock::machine_time()).0.saturating_sub(slots));
        anyhow::ensure!(
            head_time < begin.time(),
            "the genesis' initial_timestamp {head_time} must lie {} seconds back: its boot takes the slots until now",
            slots / 2 + 1
        );
        Ok(begin)
    }

    /// Everybody who can be elected is produced for, with the keys that everybody knows.
    pub fn hand_over_keys(&self, keyring: &mut Keyring) {
        let accounts = self.document.accounts.iter().map(|account| (account.name, account.key.is_none()));
        let producers = self.document.producers.iter().map(|producer| (producer.name, producer.key.is_none()));
        keyring.producers.insert(EOSIO);
        for (name, has_dev_key) in accounts.chain(producers) {
            keyring.producers.insert(name);
            let key = has_dev_key.then(|| dev_key(name));
            if let Some((public, key)) = key.and_then(|key| Some((key.public_key().ok()?, key))) {
                keyring.add(public, key);
            }
        }
    }

    /// Boots the chain, which is at block 1, and keeps its blocks.
    ///
    /// # Errors
    /// The document cannot be carried out, or a key is missing.
    pub fn boot(&self, started: &mut Started, keyring: &Keyring, traces: Option<TraceEncoder>) -> anyhow::Result<()> {
        let Started { store, chain, .. } = started;
        let boot_key = boot_key(store)?;
        let begin = self.check(chain.head_time(), &boot_key, keyring)?;
        let mut producer = LocalProducer::after(begin);
        for key in keyring.private_keys() {
            producer.know(key.clone()).context("a key of the keyring is not a valid key")?;
        }
        let mut blocks = producer.boot(chain, &self.document, &boot_key).context("the chain cannot be booted")?;
        // Clients count from the head's time, so the head must not lie back as far as the boot began.
        producer.skip_to(BlockTimestamp::at(engine::clock::machine_time()));
        blocks.push(producer.block(chain, Vec::new(), &[]).context("the first block after the boot")?.1);
        let mut irreversible = 1;
        for applied in &blocks {
            irreversible = applied.irreversible.last().map_or(irreversible, |state| state.number());
            engine::ingest(store, &applied.applied, irreversible, signed(applied))?;
            if let Some(encode) = traces {
                engine::follower::keep_traces(store, encode, applied)?;
            }
        }
        engine::write_checkpoint(store, chain.take_checkpoint()?)?;
        store.set_fact(BOOTED_FACT, &[])?;
        tracing::info!("booted the chain in {} blocks", blocks.len());
        Ok(())
    }

    /// What makes the chain at its first block again.
    ///
    /// # Errors
    /// The genesis cannot be read.
    pub fn replays(
        &self,
        store: &Store,
        settings: chain::Settings,
        compiler: &Engine,
        data_dir: &Path,
    ) -> anyhow::Result<NewChain> {
        let genesis = genesis_of(store)?;
        let (compiler, data_dir) = (compiler.clone(), data_dir.to_owned());
        Ok(Arc::new(move || {
            let doors =
                start::doors(&compiler, &Clock::real(), Some(&data_dir)).map_err(|error| format!("{error:#}"))?;
            Chain::from_genesis(&genesis, settings.clone(), doors).map_err(|error| error.to_string())
        }))
    }

    /// What a user needs to begin: the URL, and the accounts with their keys.
    ///
    /// # Errors
    /// The genesis cannot be read.
    pub fn welcome(
        &self,
        store: &Store,
        keyring: &Keyring,
    ) -> anyhow::Result<impl FnOnce(Option<&str>) -> String + use<>> {
        let (document, boot_key) = (self.document.clone(), boot_key(store)?);
        let boot_private = keyring.private(&boot_key).cloned();
        Ok(move |url: Option<&str>| welcome(&document, (&boot_key, boot_private.as_ref()), url))
    }
}

/// Whether a database holds a development chain.
///
/// # Errors
/// The disk refuses.
pub fn is_dev_chain(store: &Store) -> anyhow::Result<bool> {
    Ok(store.fact(DOCUMENT_FACT)?.is_some())
}

/// Whether the document has been carried out.
///
/// # Errors
/// The disk refuses.
pub fn is_booted(store: &Store) -> anyhow::Result<bool> {
    Ok(store.fact(BOOTED_FACT)?.is_some())
}

/// Begins a folder with the chain and the state of a file; what is in it gives way only where that is said.
///
/// # Errors
/// The folder has a chain, or the file cannot be used.
pub fn load_dump(file: &Path, folder: &Folder, reset: bool) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read the state {}", file.display()))?;
    let dump = Dump::from_file(&bytes).map_err(|why| anyhow::anyhow!("{} cannot be loaded: {why}", file.display()))?;
    let blocks = dump.numbered().map_err(|why| anyhow::anyhow!("{} cannot be loaded: {why}", file.display()))?;
    let names: Vec<_> = dump.facts.iter().map(|(name, _)| name.as_str()).collect();
    anyhow::ensure!(
        CHAIN_FACTS.iter().all(|fact| names.contains(fact)),
        "{} is not of a development chain that has begun",
        file.display()
    );
    if reset {
        folder.delete()?;
    }
    let store = folder.open()?;
    anyhow::ensure!(
        store.head()?.is_none(),
        "{} has a chain already. Choose another --data-dir, or begin anew with --reset",
        folder.path().display()
    );
    dump.state.write(&store, &blocks)?;
    for (name, value) in dump.facts.iter().filter(|(name, _)| CHAIN_FACTS.contains(&name.as_str())) {
        store.set_fact(name, value)?;
    }
    Ok(())
}

/// The genesis of the chain in a database.
fn genesis_of(store: &Store) -> anyhow::Result<Genesis> {
    let bytes = store.fact(start::GENESIS_FACT)?;
    let bytes = bytes.context("a development chain begins with a genesis, not with a snapshot")?;
    Genesis::from_bytes(&bytes).context("the stored genesis is damaged")
}

/// The key of `eosio`.
fn boot_key(store: &Store) -> anyhow::Result<PublicKey> {
    Ok(genesis_of(store)?.initial_key)
}

/// What the options say of a new chain, if they say anything.
fn given_document(args: &DevArgs) -> anyhow::Result<Option<Document>> {
    let preset = match args.preset.as_deref() {
        Some("mainnet") => Some(Preset::Mainnet),
        Some("minimal") => Some(Preset::Minimal),
        Some(_) => Some(Preset::Dev),
        None => None,
    };
    let named = match args.genesis_document.as_deref() {
        Some(path) => Some(read_document(path)?),
        None => preset.map(Document::preset),
    };
    if named.is_none() && args.accounts.is_none() && args.producers.is_none() && args.parameters.is_empty() {
        return Ok(None);
    }
    let mut document = named.unwrap_or_else(Document::dev);
    if let Some(count) = args.accounts {
        document.set_accounts(count)?;
    }
    if let Some(count) = args.producers {
        document.set_producers(count)?;
    }
    let precision = document.core_symbol.precision();
    genesis::parameters::apply(&mut document.parameters, &args.parameters, precision)?;
    Ok(Some(document))
}

fn read_document(path: &Path) -> anyhow::Result<Document> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the genesis document {}", path.display()))?;
    Document::parse(&text).with_context(|| format!("{} is not a valid genesis document", path.display()))
}

fn text_of(document: &Document) -> anyhow::Result<Vec<u8>> {
    serde_json::to_vec(document).context("the document has no JSON form")
}

/// The document that the chain in the folder was booted from; a given one must be the same.
fn known_document(text: &[u8], given: Option<&Document>, data_dir: &Path) -> anyhow::Result<Document> {
    if let Some(given) = given {
        anyhow::ensure!(
            text_of(given)? == text,
            "the chain in {} was booted from another document. Leave the options of new chains (--genesis-document, \
             --preset, ...) out to continue it, or begin anew with --reset",
            data_dir.display()
        );
    }
    let text = std::str::from_utf8(text).context("the stored document is damaged")?;
    Document::parse(text).context("the stored document is damaged")
}

fn signed(applied: &Applied) -> Option<(Name, Watermark)> {
    let state = &applied.applied.last()?.state;
    let header = state.header.block_header();
    Some((header.producer, Watermark { num: state.number(), slot: header.timestamp }))
}

/// Embedded contracts that are being compiled.
#[derive(Debug)]
pub struct Compiling(Vec<JoinHandle<()>>);

impl Compiling {
    /// Waits until they are.
    pub fn wait(self) {
        for thread in self.0 {
            // A contract that could not be compiled here is compiled when it runs.
            let _ = thread.join();
        }
    }
}

/// Begins to compile the embedded contracts that the cache lacks; the largest takes as long as all others.
///
/// # Errors
/// The cache cannot be opened, or the system gives no thread.
pub fn compile_contracts(engine: &Engine, data_dir: &Path) -> anyhow::Result<Compiling> {
    let begin = |group: &'static [contracts::Contract]| -> anyhow::Result<JoinHandle<()>> {
        let (engine, cache) = (engine.clone(), start::code_cache(Some(data_dir))?);
        let compile = move || {
            for contract in group {
                let key = Artefact::key(&Sha256::of(contract.wasm));
                if cache.get(&key).is_none()
                    && let Ok(Some(artefact)) = engine.optimise(contract.wasm)
                {
                    cache.put(&key, &artefact.to_bytes());
                }
            }
        };
        std::thread::Builder::new().name("compiler".to_owned()).spawn(compile).context("the system gives no thread")
    };
    const GROUPS: [&[contracts::Contract]; 2] =
        [&[contracts::SYSTEM], &[contracts::BIOS, contracts::TOKEN, contracts::MSIG, contracts::WRAP]];
    Ok(Compiling(GROUPS.into_iter().map(begin).collect::<anyhow::Result<_>>()?))
}

fn welcome(document: &Document, eosio: (&PublicKey, Option<&PrivateKey>), url: Option<&str>) -> String {
    let mut text = String::new();
    // Writing into memory does not fail.
    let _ =
        writeln!(text, "\nA development chain is running{}.", url.map(|url| format!(" at {url}")).unwrap_or_default());
    let _ = writeln!(text, "Everybody knows these keys; each is that of its account's owner and active permission.\n");
    let _ = writeln!(text, "{:<12} {:<53} {:<51} balance, stake", "account", "public key", "private key");
    let mut line = |name: Name, public: &PublicKey, private: Option<&PrivateKey>, holds: &str| {
        let private = private.map_or_else(|| "(not known here)".to_owned(), PrivateKey::to_secret_text);
        let _ = writeln!(text, "{:<12} {:<53} {private:<51} {holds}", name.to_string(), public.to_string());
    };
    line(EOSIO, eosio.0, eosio.1, "the system contract");
    for account in &document.accounts {
        let private = account.key.is_none().then(|| dev_key(account.name));
        let holds = format!("{}, {}", account.balance, account.stake);
        line(account.name, &account.public_key(), private.as_ref(), &holds);
    }
    for producer in &document.producers {
        let private = producer.key.is_none().then(|| dev_key(producer.name));
        line(producer.name, &producer.public_key(), private.as_ref(), "a producer");
    }
    let _ = writeln!(text, "\nWith the key of eosio: {}.", genesis::plan::system_accounts_text());
    let numbers = document.parameters.iter().map(|(name, value)| format!("{name} {value}"));
    let numbers: Vec<_> = numbers.collect();
    if !numbers.is_empty() {
        let _ = writeln!(text, "Numbers that differ from the reference: {}.", numbers.join(", "));
    }
    text
}
