//! `boreasd dev`: a producing chain with a running system in one command. The first start boots it from a document,
//! in slots of the past, before the node itself begins, or takes over the chain of a snapshot; later starts continue it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use api::dev::CHAIN_FACTS;
use chain::{Applied, Chain, LiveChain};
use codec::Unpack;
use engine::follower::TraceEncoder;
use engine::{Clock, Dump, NewChain};
use genesis::{Document, LocalProducer, Preset, document::dev_key, takeover};
use primitives::time::SLOT_US;
use primitives::{BlockTimestamp, Genesis, Name, PrivateKey, PublicKey, Sha256, TimePoint, name};
use store::{Store, Watermark};
use wasm::Engine;

use crate::folder::Folder;
use crate::settings::DevArgs;
use crate::settings::args::ChainArgs;
use crate::signing::Keyring;
use crate::start::{self, Plan, Started};

/// Under which name the store keeps the document that its chain was, or is being, booted from.
const DOCUMENT_FACT: &str = "boot document";
/// Under which name the store notes that the boot is complete.
const BOOTED_FACT: &str = "booted";
const EOSIO: Name = name!("eosio");

/// Under which name the store keeps the path of the snapshot that its chain was taken over from.
const SNAPSHOT_FACT: &str = "taken over from";
/// Producers whose names the welcome prints.
const NAMES_SHOWN: usize = 30;

/// A chain all of whose producers are in this process.
#[derive(Debug)]
pub struct DevChain {
    origin: Origin,
    /// Whether whatever is in the folder gives way to a new chain.
    anew: bool,
    /// Whether a chain begins; else that of the folder goes on.
    begins: bool,
}

/// What a development chain began, or begins, with.
#[derive(Debug, Clone)]
enum Origin {
    /// A document.
    Document(Box<Document>),
    /// The chain of others, in a snapshot.
    Snapshot(PathBuf),
}

impl DevChain {
    /// Looks into the folder: the chain there is continued, or one will begin. A chain whose boot was interrupted
    /// begins anew. The database is there if it stays.
    ///
    /// # Errors
    /// The document cannot be read, the folder cannot be used, or has another chain.
    pub fn open(args: &DevArgs, folder: &Folder) -> anyhow::Result<(Self, Option<Arc<Store>>)> {
        let given = given_document(args)?;
        anyhow::ensure!(
            given.is_none() || args.node.chain.snapshot.is_none(),
            "a development chain begins with a snapshot or with a document (--genesis-document, --preset, --accounts, ...), \
             not with both"
        );
        let snapshot = args.node.chain.snapshot.as_deref().map(absolute);
        let begin = |given: Option<Document>, anew| Self {
            origin: match &snapshot {
                Some(path) => Origin::Snapshot(path.clone()),
                None => Origin::Document(Box::new(given.unwrap_or_else(Document::dev))),
            },
            anew,
            begins: true,
        };
        if args.reset || args.node.chain.delete_all_blocks {
            return Ok((begin(given, true), None));
        }
        let replays = args.node.chain.replay_blockchain || args.node.chain.hard_replay_blockchain;
        let store = if replays { folder.open_for_replay()? } else { folder.open_existing()? };
        let Some(store) = store else { return Ok((begin(given, false), None)) };
        if let Some(path) = snapshot_fact(&store)? {
            if store.checkpoint()?.is_none() && !replays {
                // The start that was to take it over was killed.
                return Ok((begin(given, true), None));
            }
            anyhow::ensure!(
                given.is_none(),
                "the chain in {} was taken over from a snapshot. Leave the options of new chains (--genesis-document, \
                 --preset, ...) out to continue it, or begin anew with --reset",
                folder.path().display()
            );
            let origin = Origin::Snapshot(snapshot.unwrap_or(path));
            return Ok((Self { origin, anew: false, begins: false }, Some(store)));
        }
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
        anyhow::ensure!(
            snapshot.is_none(),
            "{} has a development chain already. Leave --snapshot out to continue it, or begin anew with --reset",
            folder.path().display()
        );
        let document = known_document(&text, given.as_ref(), folder.path())?;
        Ok((Self { origin: Origin::Document(Box::new(document)), anew: false, begins: false }, Some(store)))
    }

    /// The genesis of a chain that begins, unless the options give one: that of a node that is given none, at a time of
    /// the document's own. So each document has a chain id of its own, the same on every machine, and what is signed for
    /// one chain is of no use on another.
    ///
    /// # Errors
    /// The document has no JSON form.
    pub fn genesis(&self) -> anyhow::Result<Option<Genesis>> {
        let Origin::Document(document) = &self.origin else { return Ok(None) };
        if !self.begins {
            return Ok(None);
        }
        let digest = Sha256::of(&text_of(document)?).0;
        let slots = i64::from(u32::from_be_bytes([0, digest[0], digest[1], digest[2]]));
        let genesis = Genesis::default();
        let initial_timestamp = TimePoint(genesis.initial_timestamp.0 + slots * SLOT_US);
        Ok(Some(Genesis { initial_timestamp, ..genesis }))
    }

    /// The options, with what the folder asks for.
    pub fn chain_args(&self, args: &ChainArgs) -> ChainArgs {
        ChainArgs { delete_all_blocks: self.anew, ..args.clone() }
    }

    /// Sees that a chain that is to begin can be booted, and gives it its document; takes the chain of a snapshot over.
    ///
    /// # Errors
    /// A key is missing, or the genesis leaves no time for the boot.
    pub fn prepare(&self, plan: &mut Plan<'_>, keyring: &Keyring) -> anyhow::Result<()> {
        match &self.origin {
            Origin::Document(document) => {
                let Some(genesis) = plan.new_genesis() else { return Ok(()) };
                check(document, genesis.initial_timestamp, &genesis.initial_key, keyring)?;
                plan.add_fact(DOCUMENT_FACT, text_of(document)?);
            }
            Origin::Snapshot(path) => {
                let Some(chain) = plan.snapshot_chain() else { return Ok(()) };
                let taken = takeover::take_over(chain).context("the snapshot's chain cannot be taken over")?;
                tracing::info!(
                    "the keys of {} producers in the schedule and of {} registered ones are this node's now",
                    taken.schedule.len(),
                    taken.registered
                );
                if taken.unknown > 0 {
                    tracing::warn!(
                        "{} rows of the table producers of eosio are not laid out as the system contract's: their keys \
                         stay, and who is elected by them cannot sign here",
                        taken.unknown
                    );
                }
                plan.add_fact(SNAPSHOT_FACT, path.as_os_str().as_encoded_bytes().to_vec());
                plan.add_fact(BOOTED_FACT, Vec::new());
            }
        }
        Ok(())
    }

    /// Everybody who can be elected is produced for, with the keys that everybody knows.
    pub fn hand_over_keys(&self, keyring: &mut Keyring) {
        let Origin::Document(document) = &self.origin else { return };
        let accounts = document.accounts.iter().map(|account| (account.name, account.key.is_none()));
        let producers = document.producers.iter().map(|producer| (producer.name, producer.key.is_none()));
        keyring.producers.insert(EOSIO);
        for (name, has_dev_key) in accounts.chain(producers) {
            keyring.producers.insert(name);
            if has_dev_key {
                add_dev_key(keyring, name);
            }
        }
    }

    /// The same for a chain that was taken over: who can be elected stands in its state.
    pub fn hand_over_elected(&self, chain: &Chain, keyring: &mut Keyring) {
        if let Origin::Snapshot(_) = &self.origin {
            for name in takeover::producers(chain) {
                keyring.producers.insert(name);
                add_dev_key(keyring, name);
            }
        }
    }

    /// Boots the chain, which is at block 1, and keeps its blocks.
    ///
    /// # Errors
    /// The document cannot be carried out, or a key is missing.
    pub fn boot(&self, started: &mut Started, keyring: &Keyring, traces: Option<TraceEncoder>) -> anyhow::Result<()> {
        let Origin::Document(document) = &self.origin else { return Ok(()) };
        let Started { store, chain, .. } = started;
        let boot_key = boot_key(store)?;
        let begin = check(document, chain.head_time(), &boot_key, keyring)?;
        let mut producer = LocalProducer::after(begin);
        for key in keyring.private_keys() {
            producer.know(key.clone()).context("a key of the keyring is not a valid key")?;
        }
        // Nothing runs often enough for that to take less time.
        chain.machine.optimise_used(false);
        let mut blocks = producer.boot(chain, document, &boot_key).context("the chain cannot be booted")?;
        // Clients count from the head's time, so the head must not lie back as far as the boot began.
        producer.skip_to(BlockTimestamp::at(engine::clock::machine_time()));
        blocks.push(producer.block(chain, Vec::new(), &[]).context("the first block after the boot")?.1);
        chain.machine.optimise_used(true);
        let mut irreversible = 1;
        for applied in &blocks {
            irreversible = applied.irreversible.last().map_or(irreversible, |state| state.number());
            engine::ingest(store, &applied.applied, irreversible, signed(applied))?;
            engine::follower::persist_history(store, traces, applied)?;
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
        let origin = match &self.origin {
            Origin::Document(_) => Beginning::Genesis(Box::new(genesis_of(store)?)),
            Origin::Snapshot(path) => Beginning::Snapshot(path.clone()),
        };
        let (compiler, data_dir) = (compiler.clone(), data_dir.to_owned());
        Ok(Arc::new(move || {
            let doors = start::doors(&compiler, &Clock::real(), Some(&data_dir));
            let made = doors.and_then(|doors| origin.make(settings.clone(), doors));
            made.map_err(|error| format!("{error:#}"))
        }))
    }

    /// What a user needs to begin: the URL, and the accounts with their keys.
    ///
    /// # Errors
    /// The genesis cannot be read.
    pub fn welcome(
        &self,
        Started { store, chain, .. }: &Started,
        keyring: &Keyring,
    ) -> anyhow::Result<Box<dyn FnOnce(Option<&str>) -> String>> {
        Ok(match &self.origin {
            Origin::Document(document) => {
                let (document, boot_key) = (document.clone(), boot_key(store)?);
                let boot_private = keyring.private(&boot_key).cloned();
                Box::new(move |url| welcome(&document, (&boot_key, boot_private.as_ref()), url))
            }
            Origin::Snapshot(path) => {
                let (path, id, head) = (path.clone(), chain.chain_id(), chain.head().number());
                let producers = takeover::producers(chain);
                Box::new(move |url| taken_over_welcome(&path, id, head, &producers, url))
            }
        })
    }
}

/// What makes a chain as it began.
enum Beginning {
    Genesis(Box<Genesis>),
    Snapshot(PathBuf),
}

impl Beginning {
    fn make(&self, settings: chain::Settings, doors: chain::Doors) -> anyhow::Result<LiveChain> {
        match self {
            Self::Genesis(genesis) => Ok(LiveChain::from_genesis(genesis, settings, doors)?),
            Self::Snapshot(path) => {
                let mut chain = start::read_snapshot(path, settings, doors)
                    .context("the chain was taken over from a snapshot, which is needed again")?;
                takeover::take_over(&mut chain)?;
                Ok(chain)
            }
        }
    }
}

fn add_dev_key(keyring: &mut Keyring, name: Name) {
    let key = dev_key(name);
    if let Ok(public) = key.public_key() {
        keyring.add(public, key);
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The snapshot that the chain of a database was taken over from.
fn snapshot_fact(store: &Store) -> anyhow::Result<Option<PathBuf>> {
    use std::os::unix::ffi::OsStringExt;
    Ok(store.fact(SNAPSHOT_FACT)?.map(|bytes| PathBuf::from(std::ffi::OsString::from_vec(bytes))))
}

/// Whether a chain whose head is of this time can be booted; gives the slot in which the boot begins.
fn check(
    document: &Document,
    head_time: TimePoint,
    boot_key: &PublicKey,
    keyring: &Keyring,
) -> anyhow::Result<BlockTimestamp> {
    anyhow::ensure!(
        keyring.private(boot_key).is_some(),
        "the private key of eosio ({boot_key}, the genesis' initial_key) is not known. Give it with \
         --signature-provider {boot_key}=KEY:PRIVATE"
    );
    let slots = LocalProducer::slots_of(document, boot_key)?;
    let begin = BlockTimestamp(BlockTimestamp::at(engine::clock::machine_time()).0.saturating_sub(slots));
    anyhow::ensure!(
        head_time < begin.time(),
        "the genesis' initial_timestamp {head_time} must lie {} seconds back: its boot takes the slots until now",
        slots / 2 + 1
    );
    Ok(begin)
}

/// Whether a database holds a development chain.
///
/// # Errors
/// The disk refuses.
pub fn is_dev_chain(store: &Store) -> anyhow::Result<bool> {
    Ok(store.fact(DOCUMENT_FACT)?.is_some() || store.fact(SNAPSHOT_FACT)?.is_some())
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
    let has = |wanted: &str| dump.facts.iter().any(|(name, _)| name == wanted);
    anyhow::ensure!(
        has(BOOTED_FACT) && (has(DOCUMENT_FACT) || has(SNAPSHOT_FACT)),
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
    let bytes = bytes.context("the genesis of the development chain is not there any more")?;
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

fn taken_over_welcome(
    snapshot: &Path,
    id: primitives::ChainId,
    head: u32,
    producers: &BTreeSet<Name>,
    url: Option<&str>,
) -> String {
    let mut text = String::new();
    let url = url.map(|url| format!(" at {url}")).unwrap_or_default();
    let mut shown: Vec<_> = producers.iter().take(NAMES_SHOWN).map(ToString::to_string).collect();
    if producers.len() > NAMES_SHOWN {
        shown.push(format!("and {} more", producers.len() - NAMES_SHOWN));
    }
    // Writing into memory does not fail.
    let _ = writeln!(
        text,
        "\nA development chain is running{url}: chain {id} as of {}, at block {head}.",
        snapshot.display()
    );
    let _ = writeln!(
        text,
        "It has left the real chain, though its id is the same. These producers have keys that everybody can \
         derive, in the\nschedules and in the rows of the system contract: {}.",
        shown.join(", ")
    );
    let _ = writeln!(
        text,
        "All other keys are as they were. Act as any account, without its key: boreas --impersonate ..."
    );
    text
}
