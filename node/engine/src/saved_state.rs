//! The whole state of a block away from the chain: kept in memory under a name, in a file, or about to be the chain's.

use std::collections::BTreeMap;
use std::sync::Arc;

use chain::{ChainCheckpoint, CheckpointLoader, KeptBlocks, LiveChain, LoadedState, SavedBlock, SavedChain};
use codec::Unpack;
use execution::RecoveredTransaction;
use primitives::{BlockId, ChainId, Name, TimePoint};
use store::{CheckpointHeader, Rewind, StateRows, Store, StoreError, Watermark};

/// The state of a block, away from the chain.
#[derive(Debug, Clone, Default)]
pub struct SavedState {
    /// The block.
    pub head: BlockId,
    /// Number of the last irreversible block.
    pub root: u32,
    root_header: Vec<u8>,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
    /// Number of each reversible block, and its header state with what undoes it.
    reversible: Vec<(u32, Vec<u8>)>,
    /// Producer, number and slot of what this node had signed.
    pub marks: Vec<(Name, u32, u32)>,
    /// Microseconds since 1970.
    pub time: i64,
}

/// A saved state as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateInfo {
    /// Its name.
    pub name: String,
    /// Its block.
    pub head: BlockId,
    /// The time on the chain when it was saved.
    pub time: TimePoint,
    /// Bytes of its rows.
    pub bytes: usize,
}

/// A state that is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The state.
    pub state: Arc<SavedState>,
    /// Blocks of its chain that have left this one since.
    pub cut: BTreeMap<u32, (BlockId, Vec<u8>)>,
}

/// States by their names.
pub(crate) type States = BTreeMap<String, Kept>;

/// A state that the chain is to have, made ready on another thread.
#[allow(missing_debug_implementations, reason = "a whole state is not printed")]
pub struct Target {
    /// The state.
    pub state: Arc<SavedState>,
    /// The same, as the chain takes it.
    pub loaded: Box<LoadedState>,
    /// Blocks that lead to it and that are not kept any more.
    pub blocks: BTreeMap<u32, (BlockId, Vec<u8>)>,
    /// Run again afterwards, in this order.
    pub again: Vec<Arc<RecoveredTransaction>>,
    /// Whether the time goes back too.
    pub goes_back: bool,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Target").field("head", &self.state.head).finish_non_exhaustive()
    }
}

/// Makes the chain at its first block, for states that are not saved: they are replayed.
pub type NewChain = Arc<dyn Fn() -> Result<LiveChain, String> + Send + Sync>;

/// Finds blocks in the store.
pub struct StoredBlocks(pub Arc<Store>);

impl KeptBlocks for StoredBlocks {
    fn block(&self, id: &BlockId) -> Option<Vec<u8>> {
        let found = self.0.block_by_id(id);
        found.inspect_err(|error| tracing::error!("block {id} cannot be read: {error}")).ok().flatten()
    }

    /// A state that was gone to has it behind the header.
    fn undo(&self, number: u32) -> Option<Vec<u8>> {
        let found = self.0.undo(number).and_then(|undo| match undo {
            Some(undo) => Ok(Some(undo)),
            None => Ok(self.0.reversible(number)?.and_then(|bytes| SavedBlock::split(number, &bytes).ok()?.undo)),
        });
        found.inspect_err(|error| tracing::error!("what undoes block {number} cannot be read: {error}")).ok().flatten()
    }
}

/// Blocks at hand, and those in the store.
pub(crate) struct TheseBlocks(pub BTreeMap<BlockId, Vec<u8>>, pub StoredBlocks);

impl KeptBlocks for TheseBlocks {
    fn block(&self, id: &BlockId) -> Option<Vec<u8>> {
        self.0.get(id).cloned().or_else(|| self.1.block(id))
    }

    /// The state has it at hand until it is the chain's, and the store has it by then.
    fn undo(&self, number: u32) -> Option<Vec<u8>> {
        self.1.undo(number)
    }
}

impl SavedState {
    /// What a checkpoint of all rows says.
    pub(crate) fn of_checkpoint(checkpoint: ChainCheckpoint, time: TimePoint) -> Self {
        let rows = checkpoint.rows.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        let whole = |block: SavedBlock| (block.number, [block.header, block.undo.unwrap_or_default()].concat());
        let reversible = checkpoint.reversible.into_iter().map(whole).collect();
        let (head, root, root_header) = (checkpoint.head, checkpoint.root, checkpoint.root_header_state);
        Self { head, root, root_header, rows, reversible, marks: Vec::new(), time: time.0 }
    }

    /// What the last checkpoint in the store says, without its rows. The store must not change meanwhile.
    pub(crate) fn of_store(store: &Store) -> Result<Self, String> {
        let text = |error: StoreError| error.to_string();
        let header = store.checkpoint().map_err(text)?.ok_or("there is no state on disk")?;
        let mut reversible = Vec::new();
        for number in header.irreversible + 1..=header.num {
            let missing = || format!("what undoes block {number} is missing");
            let header = store.reversible(number).map_err(text)?.ok_or_else(missing)?;
            let mut block = SavedBlock::split(number, &header).map_err(|error| error.to_string())?;
            let undo = block.undo.take().map_or_else(|| store.undo(number).map_err(text), |undo| Ok(Some(undo)))?;
            reversible.push((number, [block.header, undo.ok_or_else(missing)?].concat()));
        }
        let (head, root, root_header) = (header.id, header.irreversible, header.extra);
        Ok(Self { head, root, root_header, reversible, ..Self::default() })
    }

    pub(crate) fn complete(self, rows: Vec<(Vec<u8>, Vec<u8>)>, marks: Vec<(Name, u32, u32)>, time: TimePoint) -> Self {
        Self { rows, marks, time: time.0, ..self }
    }

    pub(crate) fn num(&self) -> u32 {
        store::blocks::number_of(&self.head)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.rows.iter().map(|(key, value)| key.len() + value.len()).sum()
    }

    pub(crate) fn load(&self, blocks: Arc<dyn KeptBlocks>) -> Result<LoadedState, String> {
        let reversible = self.reversible.iter().map(|(number, bytes)| SavedBlock::split(*number, bytes));
        let rows = self.rows.iter().map(|(key, value)| (key, value));
        let saved = SavedChain {
            rows: CheckpointLoader::of_rows(rows).map_err(|error| error.to_string())?,
            root: self.root_header.clone(),
            reversible: reversible.collect::<Result<_, _>>().map_err(|error| error.to_string())?,
            blocks,
        };
        LoadedState::load(saved).map_err(|error| error.to_string())
    }

    /// Makes it the state in the store, with the blocks that lead to it.
    ///
    /// # Errors
    /// The disk refuses; all is as it was then.
    pub fn write(&self, store: &Store, blocks: &BTreeMap<u32, (BlockId, Vec<u8>)>) -> Result<(), StoreError> {
        let header = CheckpointHeader {
            num: self.num(),
            id: self.head,
            irreversible: self.root,
            extra: self.root_header.clone(),
        };
        let mark = |(producer, num, slot): &(Name, u32, u32)| {
            (*producer, Watermark { num: *num, slot: primitives::BlockTimestamp(*slot) })
        };
        let marks: Vec<_> = self.marks.iter().map(mark).collect();
        let blocks: Vec<_> = blocks.values().map(|(id, bytes)| (*id, &bytes[..])).collect();
        store.rewind(&Rewind {
            header: &header,
            rows: &self.rows,
            reversible: &self.reversible,
            blocks: &blocks,
            marks: &marks,
        })
    }
}

/// A state in a file, with what a chain begins with.
#[derive(Debug, Clone)]
pub struct Dump {
    /// The chain.
    pub chain: ChainId,
    /// What the node's database says of the chain, by name.
    pub facts: Vec<(String, Vec<u8>)>,
    /// The state.
    pub state: SavedState,
    /// The packed blocks that lead to it, from the first one.
    pub blocks: Vec<Vec<u8>>,
}

/// How a file of a state begins; the number counts its forms. The SHA-256 of its content ends it.
const DUMP_MAGIC: &[u8] = b"boreas state 2\n";
/// The form before, which nothing protects: a changed byte is a changed balance. It is not read any more.
const UNPROTECTED_MAGIC: &[u8] = b"boreas state 1\n";

/// Writes parts of any length, each after its length; lists after the number of their parts.
struct Parts(Vec<u8>);

impl Parts {
    fn number(&mut self, number: usize) {
        self.0.extend_from_slice(&(number as u64).to_le_bytes());
    }

    fn part(&mut self, part: &[u8]) {
        self.number(part.len());
        self.0.extend_from_slice(part);
    }

    fn list<T>(&mut self, list: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.number(list.len());
        list.iter().for_each(|item| write(self, item));
    }
}

/// Reads what [`Parts`] wrote; nothing is reserved before it is there.
struct PartsReader<'a>(&'a [u8]);

impl<'a> PartsReader<'a> {
    fn number(&mut self) -> Option<usize> {
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        usize::try_from(u64::from_le_bytes(*number)).ok()
    }

    fn part(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        let (part, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(part)
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut list = Vec::new();
        for _ in 0..self.number()? {
            list.push(read(self)?);
        }
        Some(list)
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn id(&mut self) -> Option<BlockId> {
        self.part()?.try_into().ok().map(primitives::Checksum256)
    }
}

impl Dump {
    /// The bytes of a file.
    pub fn to_file(&self) -> Vec<u8> {
        let (mut out, state) = (Parts(DUMP_MAGIC.to_vec()), &self.state);
        out.part(&self.chain.0);
        out.list(&self.facts, |out, (name, value)| {
            out.part(name.as_bytes());
            out.part(value);
        });
        out.part(&state.head.0);
        out.number(state.root as usize);
        out.part(&state.root_header);
        out.list(&state.rows, |out, (key, value)| {
            out.part(key);
            out.part(value);
        });
        out.list(&state.reversible, |out, (number, undo)| {
            out.number(*number as usize);
            out.part(undo);
        });
        out.list(&state.marks, |out, (producer, number, slot)| {
            [producer.0 as usize, *number as usize, *slot as usize].into_iter().for_each(|number| out.number(number));
        });
        out.number(state.time as usize);
        out.list(&self.blocks, |out, block| out.part(block));
        let checksum = checksum(&out.0[DUMP_MAGIC.len()..]);
        out.0.extend_from_slice(&checksum);
        out.0
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It is not one of a state, or is damaged.
    pub fn from_file(bytes: &[u8]) -> Result<Self, String> {
        if bytes.starts_with(UNPROTECTED_MAGIC) {
            let form = "it is of an older form, in which damage is not seen: load it with the version that wrote it, and have \
                        this one dump the chain again";
            return Err(form.to_owned());
        }
        let content = bytes.strip_prefix(DUMP_MAGIC).ok_or("it is not a state that boreas dev dump wrote")?;
        let (packed, written) = content.split_last_chunk::<32>().ok_or("it is damaged: its end is missing")?;
        if checksum(packed) != *written {
            return Err("it is damaged: its checksum is that of another content. Dump the state again".to_owned());
        }
        let mut parts = PartsReader(packed);
        let read = Self::read(&mut parts).filter(|_| parts.0.is_empty());
        read.ok_or_else(|| "it is damaged: it is not written as states are".to_owned())
    }

    fn read(parts: &mut PartsReader<'_>) -> Option<Self> {
        let pair = |parts: &mut PartsReader<'_>| Some((parts.part()?.to_vec(), parts.part()?.to_vec()));
        let chain = parts.id()?;
        let facts =
            parts.list(|parts| Some((std::str::from_utf8(parts.part()?).ok()?.to_owned(), parts.part()?.to_vec())))?;
        let state = SavedState {
            head: parts.id()?,
            root: parts.small()?,
            root_header: parts.part()?.to_vec(),
            rows: parts.list(pair)?,
            reversible: parts.list(|parts| Some((parts.small()?, parts.part()?.to_vec())))?,
            marks: parts.list(|parts| Some((Name(parts.number()? as u64), parts.small()?, parts.small()?)))?,
            time: parts.number()? as i64,
        };
        let blocks = parts.list(|parts| Some(parts.part()?.to_vec()))?;
        Some(Self { chain, facts, state, blocks })
    }

    /// The blocks by number, each with its id.
    ///
    /// # Errors
    /// One of them is damaged, or they do not follow each other up to the state.
    pub fn numbered(&self) -> Result<BTreeMap<u32, (BlockId, Vec<u8>)>, String> {
        let mut blocks = BTreeMap::new();
        let mut last = None;
        for bytes in &self.blocks {
            let block =
                primitives::SignedBlock::from_bytes(bytes).map_err(|error| format!("a block is damaged: {error}"))?;
            if last.is_some_and(|last| block.header().previous != last) {
                return Err(format!("block {} does not follow the one before it", block.block_num()));
            }
            let id = block.id();
            last = Some(id);
            blocks.insert(block.block_num(), (id, bytes.clone()));
        }
        if last != Some(self.state.head) {
            return Err("its blocks do not lead to its state".to_owned());
        }
        Ok(blocks)
    }
}

fn checksum(content: &[u8]) -> [u8; 32] {
    primitives::Sha256::of(content).0
}

/// Reads the rows of a task, on its thread.
pub(crate) fn read_rows(rows: StateRows<'_>) -> Result<Vec<(Vec<u8>, Vec<u8>)>, String> {
    let mut owned = Vec::new();
    let read = rows.each(|key, value| {
        owned.push((key.to_owned(), value.to_owned()));
        Ok::<_, StoreError>(())
    });
    read.map(|()| owned).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump() -> Dump {
        let state = SavedState {
            head: primitives::Checksum256([3; 32]),
            root: 7,
            root_header: vec![1, 2],
            rows: vec![(vec![1], Vec::new()), (vec![2, 3], vec![4; 300])],
            reversible: vec![(8, vec![5])],
            marks: vec![(Name(u64::MAX), 9, 10)],
            time: 1 << 50,
        };
        let facts = vec![("genesis".to_owned(), vec![6])];
        Dump { chain: primitives::Checksum256([4; 32]), facts, state, blocks: vec![vec![7; 20]] }
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let file = dump().to_file();
        assert_eq!(Dump::from_file(&file).map(|dump| dump.to_file()), Ok(file.clone()));
        assert!(Dump::from_file(b"something").is_err_and(|error| error.contains("boreas dev dump")));
        for length in DUMP_MAGIC.len()..file.len() {
            assert!(Dump::from_file(&file[..length]).is_err_and(|error| error.contains("damaged")), "{length}");
        }
        assert!(Dump::from_file(&[&file[..], b"x"].concat()).is_err());
        // A false length reserves nothing.
        let content = [0xff; 40];
        let hostile = [DUMP_MAGIC, &content, &checksum(&content)].concat();
        assert!(Dump::from_file(&hostile).is_err_and(|error| error.contains("not written as states are")));
        assert!(dump().numbered().is_err_and(|error| error.contains("damaged")));
    }

    #[test]
    fn a_changed_bit_is_found_wherever_it_is() {
        let file = dump().to_file();
        for at in 0..file.len() * 8 {
            let mut changed = file.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(Dump::from_file(&changed).is_err(), "bit {at}");
        }
        let older = [UNPROTECTED_MAGIC, &file[DUMP_MAGIC.len()..]].concat();
        assert!(Dump::from_file(&older).is_err_and(|error| error.contains("older form")));
    }
}
