//! Accepted blocks, the head, and what this node has signed. A block, the head and the watermark of its signer are
//! one atomic batch: after it, no restart can sign the same slot twice.

use primitives::{BlockId, BlockTimestamp, Name};
use rocksdb::{Direction, IteratorMode, WriteBatch};

use crate::StoreError;
use crate::checkpoint::CheckpointHeader;
use crate::db::{BLOCKS, HEAD, META, Store};
use crate::marks::{Watermark, later};

const IRREVERSIBLE: &[u8] = b"irreversible";
const WATERMARK: &[u8] = b"watermark/";
const CANONICAL: &[u8] = b"n";
/// After the key of every canonical number.
const CANONICAL_KEYS_END: [u8; 1] = [CANONICAL[0] + 1];
/// After the key of every block: numbers have four bytes, ids 32.
const BLOCK_KEYS_END: [u8; 37] = [0xff; 37];

/// The last block of the chain as this node sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub num: u32,
    /// Its id.
    pub id: BlockId,
}

/// A block to keep, with all that must be kept in the same instant.
#[derive(Debug)]
pub struct AcceptedBlock<'a> {
    /// Its number.
    pub num: u32,
    /// Its id.
    pub id: BlockId,
    /// The packed block.
    pub bytes: &'a [u8],
    /// Whether it is the new head; a block of another branch is kept without moving the head.
    pub head: bool,
    /// The number of the last irreversible block once it is accepted.
    pub irreversible: u32,
    /// Set when this node signed it: producer and watermark.
    pub signed: Option<(Name, Watermark)>,
}

/// A change of the chain: all that must become durable in the same instant.
#[derive(Debug)]
pub struct Change<'a> {
    /// Blocks to keep, packed, of whatever branch.
    pub blocks: &'a [(BlockId, &'a [u8])],
    /// The blocks that join the chain, in ascending order; they are kept already, or among `blocks`. The last one is the
    /// new head. Empty when the head stays.
    pub joined: &'a [BlockId],
    /// Blocks of other branches that are not kept any more.
    pub gone: &'a [BlockId],
    /// The number of the last irreversible block afterwards.
    pub irreversible: u32,
    /// Set when this node signed the new head: producer and watermark.
    pub signed: Option<(Name, Watermark)>,
}

/// Another state of the chain, and what leads to it.
#[derive(Debug)]
pub struct Rewind<'a> {
    /// What the state is the state of.
    pub header: &'a CheckpointHeader,
    /// All of its rows.
    pub rows: &'a [(Vec<u8>, Vec<u8>)],
    /// The number of each reversible block, ascending, with what undoes it.
    pub reversible: &'a [(u32, Vec<u8>)],
    /// The last blocks that lead to it, ascending, as far as they are not the chain's: all from the first of them on.
    pub blocks: &'a [(BlockId, &'a [u8])],
    /// What was signed by then.
    pub marks: &'a [(Name, Watermark)],
}

impl Store {
    /// Makes a change of the chain, a whole change of branches too, in one batch. When this returns it survives the end
    /// of the process at any instant; call [`Store::sync`] before a peer hears of it.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn ingest(&self, change: &Change<'_>) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for (id, bytes) in change.blocks {
            batch.put_cf(self.family(BLOCKS), block_key(number_of(id), id), bytes);
        }
        for id in change.gone {
            batch.delete_cf(self.family(BLOCKS), block_key(number_of(id), id));
        }
        let branch: Vec<_> = change.joined.iter().map(|id| Head { num: number_of(id), id: *id }).collect();
        self.put_head(&mut batch, &branch);
        batch.put_cf(self.family(META), IRREVERSIBLE, change.irreversible.to_be_bytes());
        if let Some((producer, mark)) = change.signed {
            batch.put_cf(self.family(META), watermark_key(producer), watermark_value(mark));
        }
        self.write(batch, false)?;
        self.note_signed(change.signed)
    }

    fn note_signed(&self, signed: Option<(Name, Watermark)>) -> Result<(), StoreError> {
        signed.map_or(Ok(()), |(producer, mark)| self.marks.append(producer, mark))
    }

    /// Keeps a block. When this returns the block survives the end of the process at any instant; call
    /// [`Store::sync`] before a peer hears of it.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn append_block(&self, block: &AcceptedBlock<'_>) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(BLOCKS), block_key(block.num, &block.id), block.bytes);
        if block.head {
            self.put_head(&mut batch, &[Head { num: block.num, id: block.id }]);
        }
        batch.put_cf(self.family(META), IRREVERSIBLE, block.irreversible.to_be_bytes());
        if let Some((producer, mark)) = block.signed {
            batch.put_cf(self.family(META), watermark_key(producer), watermark_value(mark));
        }
        self.write(batch, false)?;
        self.note_signed(block.signed)
    }

    /// Makes blocks that are kept already the chain, in ascending order: the end of a change of branches.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn switch_branch(&self, branch: &[Head]) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        self.put_head(&mut batch, branch);
        self.write(batch, false)
    }

    /// Makes an earlier block of the chain the head again, at once and synced. The blocks after it, their traces and
    /// what was signed for them are forgotten: the operator wants another future. `slot` is the block's.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn truncate(&self, to: Head, slot: BlockTimestamp) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        let after = to.num.saturating_add(1);
        batch.delete_range_cf(self.family(BLOCKS), &after.to_be_bytes()[..], &BLOCK_KEYS_END[..]);
        batch.delete_range_cf(self.family(META), &canonical_key(after)[..], &CANONICAL_KEYS_END[..]);
        self.forget_traces_after(to.num, &mut batch);
        self.forget_deltas_after(to.num, &mut batch);
        self.put_head(&mut batch, &[to]);
        let irreversible = self.irreversible()?.min(to.num);
        batch.put_cf(self.family(META), IRREVERSIBLE, irreversible.to_be_bytes());
        let mut marks = Vec::new();
        for producer in self.signers()? {
            let Some(mut mark) = self.watermark(producer)? else { continue };
            if mark.num > to.num {
                mark = Watermark { num: to.num, slot };
                batch.put_cf(self.family(META), watermark_key(producer), watermark_value(mark));
            }
            marks.push((producer, mark));
        }
        // The database has the old ones until it has the new ones: the higher ones count.
        self.marks.replace(&marks)?;
        self.write(batch, true)?;
        // Slots that passed stay barred.
        if self.forgot_signatures()?.is_some() { self.forget_signatures(0) } else { Ok(()) }
    }

    /// Makes another state that of the chain, with the blocks that lead to it, at once and synced. The blocks after it,
    /// their traces and what was signed for them are forgotten: the operator wants another past.
    ///
    /// # Errors
    /// The disk refuses; all is as it was then.
    pub fn rewind(&self, to: &Rewind<'_>) -> Result<(), StoreError> {
        let mut state = self.begin_new_state()?;
        to.rows.iter().for_each(|(key, value)| state.put(key, value));
        to.reversible.iter().for_each(|(num, undo)| state.put_reversible(*num, undo));
        let mut batch = state.into_batch(to.header)?;
        // The first block that changes.
        let fork = to.blocks.first().map_or(to.header.num.saturating_add(1), |(id, _)| number_of(id));
        batch.delete_range_cf(self.family(BLOCKS), &fork.to_be_bytes()[..], &BLOCK_KEYS_END[..]);
        batch.delete_range_cf(self.family(META), &canonical_key(fork)[..], &CANONICAL_KEYS_END[..]);
        self.forget_traces_after(fork.saturating_sub(1), &mut batch);
        self.forget_deltas_after(fork.saturating_sub(1), &mut batch);
        let mut branch: Vec<_> = to.blocks.iter().map(|(id, _)| Head { num: number_of(id), id: *id }).collect();
        for (id, bytes) in to.blocks {
            batch.put_cf(self.family(BLOCKS), block_key(number_of(id), id), bytes);
        }
        branch.push(Head { num: to.header.num, id: to.header.id });
        self.put_head(&mut batch, &branch);
        batch.put_cf(self.family(META), IRREVERSIBLE, to.header.irreversible.to_be_bytes());
        for producer in self.signers()? {
            batch.delete_cf(self.family(META), watermark_key(producer));
        }
        for (producer, mark) in to.marks {
            batch.put_cf(self.family(META), watermark_key(*producer), watermark_value(*mark));
        }
        self.marks.replace(to.marks)?;
        self.write(batch, true)
    }

    /// Makes the last block before the first that is not there the head, where parts of a database come from different
    /// times. Gives the head, if there is one.
    pub(crate) fn end_before_gap(&self) -> Result<Option<Head>, StoreError> {
        let (Some(head), Some(first)) = (self.head()?, self.earliest_block_num()?) else { return self.head() };
        let mut last = None;
        for num in first..=head.num {
            let Some(id) = self.block_id_at(num)? else { break };
            let key = block_key(num, &id);
            let found =
                self.db.get_pinned_cf(self.family(BLOCKS), key).map_err(|source| self.failed("read", source))?;
            if found.is_none() {
                break;
            }
            last = Some(Head { num, id });
        }
        let Some(last) = last.filter(|last| last.num < head.num) else { return Ok(last) };
        let mut batch = WriteBatch::default();
        batch.delete_range_cf(
            self.family(META),
            &canonical_key(last.num.saturating_add(1))[..],
            &CANONICAL_KEYS_END[..],
        );
        self.put_head(&mut batch, &[last]);
        batch.put_cf(self.family(META), IRREVERSIBLE, self.irreversible()?.min(last.num).to_be_bytes());
        self.write(batch, true)?;
        Ok(Some(last))
    }

    /// Forgets the blocks of other branches at the height of an irreversible block.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn settle(&self, irreversible: Head) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for id in self.block_ids_at(irreversible.num)? {
            if id != irreversible.id {
                batch.delete_cf(self.family(BLOCKS), block_key(irreversible.num, &id));
            }
        }
        if batch.is_empty() { Ok(()) } else { self.write(batch, false) }
    }

    /// The last block of the chain, if there is one.
    ///
    /// # Errors
    /// The disk refuses, or what is there is not the number and id of a block.
    pub fn head(&self) -> Result<Option<Head>, StoreError> {
        self.get(META, HEAD)?
            .map(|value| {
                decode_head(&value).ok_or_else(|| self.corrupt("the number and id of the head cannot be read"))
            })
            .transpose()
    }

    /// The number of the last irreversible block; 0 on a new chain.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn irreversible(&self) -> Result<u32, StoreError> {
        let value = self.get(META, IRREVERSIBLE)?;
        Ok(value.and_then(|value| value.try_into().ok()).map_or(0, u32::from_be_bytes))
    }

    /// What this node signed for a producer, also where the database lost that.
    ///
    /// # Errors
    /// The disk refuses, or what is there is not a watermark.
    pub fn watermark(&self, producer: Name) -> Result<Option<Watermark>, StoreError> {
        let kept = self
            .get(META, &watermark_key(producer))?
            .map(|value| decode_watermark(&value).ok_or_else(|| self.corrupt("a signing watermark cannot be read")))
            .transpose()?;
        Ok(later(kept, self.marks.get(producer)))
    }

    /// Everybody for whom this node signed.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn signers(&self) -> Result<Vec<Name>, StoreError> {
        let mut names = Vec::new();
        for row in self.db.iterator_cf(self.family(META), IteratorMode::From(WATERMARK, Direction::Forward)) {
            let (key, _) = row.map_err(|source| self.failed("read", source))?;
            let Some(name) = key.strip_prefix(WATERMARK) else { break };
            let name = name.try_into().map_err(|_| self.corrupt("a signing watermark has no producer"))?;
            names.push(Name(u64::from_be_bytes(name)));
        }
        names.extend(self.marks.producers());
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// The id of the chain's block with a number.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn block_id_at(&self, num: u32) -> Result<Option<BlockId>, StoreError> {
        if self.head()?.is_none_or(|head| head.num < num) {
            return Ok(None);
        }
        Ok(self.get(META, &canonical_key(num))?.and_then(|value| decode_id(&value)))
    }

    /// The packed block of the chain with a number.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn block_at(&self, num: u32) -> Result<Option<Vec<u8>>, StoreError> {
        match self.block_id_at(num)? {
            Some(id) => self.get(BLOCKS, &block_key(num, &id)),
            None => Ok(None),
        }
    }

    /// The packed block with an id, of whatever branch.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn block_by_id(&self, id: &BlockId) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(BLOCKS, &block_key(number_of(id), id))
    }

    /// The ids of all kept blocks with a number, of all branches.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn block_ids_at(&self, num: u32) -> Result<Vec<BlockId>, StoreError> {
        let mut ids = Vec::new();
        for id in self.block_ids_from(num) {
            match id? {
                id if number_of(&id) == num => ids.push(id),
                _ => break,
            }
        }
        Ok(ids)
    }

    /// The ids of all kept blocks from a number on, of all branches, in the order of their numbers.
    pub fn block_ids_from(&self, num: u32) -> impl Iterator<Item = Result<BlockId, StoreError>> + '_ {
        let mut rows = self.db.raw_iterator_cf(self.family(BLOCKS));
        rows.seek(num.to_be_bytes());
        std::iter::from_fn(move || {
            let id = match rows.key() {
                Some(key) => decode_id(key.get(4..)?).ok_or_else(|| self.corrupt("a block's key has no id")),
                None => Err(self.failed("read", rows.status().err()?)),
            };
            rows.next();
            Some(id)
        })
    }

    /// The number of the oldest kept block.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn earliest_block_num(&self) -> Result<Option<u32>, StoreError> {
        let mut rows = self.db.iterator_cf(self.family(BLOCKS), IteratorMode::Start);
        let row = rows.next().transpose().map_err(|source| self.failed("read", source))?;
        Ok(row.and_then(|(key, _)| key.first_chunk::<4>().map(|num| u32::from_be_bytes(*num))))
    }

    fn put_head(&self, batch: &mut WriteBatch, branch: &[Head]) {
        for block in branch {
            batch.put_cf(self.family(META), canonical_key(block.num), block.id.0);
        }
        if let Some(head) = branch.last() {
            batch.put_cf(self.family(META), HEAD, [&head.num.to_be_bytes()[..], &head.id.0].concat());
        }
    }
}

/// A block's number: the first four bytes of its id, big-endian.
pub fn number_of(id: &BlockId) -> u32 {
    let [a, b, c, d, ..] = id.0;
    u32::from_be_bytes([a, b, c, d])
}

fn block_key(num: u32, id: &BlockId) -> [u8; 36] {
    let mut key = [0; 36];
    key[..4].copy_from_slice(&num.to_be_bytes());
    key[4..].copy_from_slice(&id.0);
    key
}

fn canonical_key(num: u32) -> [u8; 5] {
    let [a, b, c, d] = num.to_be_bytes();
    [CANONICAL[0], a, b, c, d]
}

fn watermark_key(producer: Name) -> Vec<u8> {
    [WATERMARK, &producer.0.to_be_bytes()].concat()
}

fn watermark_value(mark: Watermark) -> [u8; 8] {
    let mut value = [0; 8];
    value[..4].copy_from_slice(&mark.num.to_be_bytes());
    value[4..].copy_from_slice(&mark.slot.0.to_be_bytes());
    value
}

fn decode_watermark(value: &[u8]) -> Option<Watermark> {
    let (num, slot) = value.split_first_chunk::<4>()?;
    Some(Watermark { num: u32::from_be_bytes(*num), slot: BlockTimestamp(u32::from_be_bytes(slot.try_into().ok()?)) })
}

fn decode_head(value: &[u8]) -> Option<Head> {
    let (num, id) = value.split_first_chunk::<4>()?;
    Some(Head { num: u32::from_be_bytes(*num), id: decode_id(id)? })
}

fn decode_id(value: &[u8]) -> Option<BlockId> {
    value.try_into().ok().map(primitives::Checksum256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreSettings;

    fn open(folder: &tempfile::TempDir) -> Store {
        Store::open(&StoreSettings { path: folder.path().to_owned() }).unwrap()
    }

    fn id(num: u32, fill: u8) -> BlockId {
        let mut id = [fill; 32];
        id[..4].copy_from_slice(&num.to_be_bytes());
        primitives::Checksum256(id)
    }

    #[test]
    fn blocks_forks_and_watermarks_survive_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        let mark = Watermark { num: 2, slot: BlockTimestamp(77) };
        let fills = [0, 1, 2, 3];
        let block = |num, fill: u8, head, signed| AcceptedBlock {
            num,
            id: id(num, fill),
            bytes: std::slice::from_ref(&fills[usize::from(fill)]),
            head,
            irreversible: num - 1,
            signed,
        };
        store.append_block(&block(1, 1, true, None)).unwrap();
        store.append_block(&block(2, 2, true, Some((Name(5), mark)))).unwrap();
        store.append_block(&block(2, 3, false, None)).unwrap();
        drop(store);
        let store = open(&folder);
        assert_eq!(store.head().unwrap(), Some(Head { num: 2, id: id(2, 2) }));
        assert_eq!(store.watermark(Name(5)).unwrap(), Some(mark));
        assert_eq!(store.watermark(Name(6)).unwrap(), None);
        assert_eq!(store.block_at(2).unwrap(), Some(vec![2]));
        assert_eq!(store.block_at(3).unwrap(), None);
        assert_eq!(store.block_by_id(&id(2, 3)).unwrap(), Some(vec![3]));
        assert_eq!(store.block_ids_at(2).unwrap().len(), 2);
        store.switch_branch(&[Head { num: 2, id: id(2, 3) }]).unwrap();
        store.settle(Head { num: 2, id: id(2, 3) }).unwrap();
        assert_eq!(store.block_ids_at(2).unwrap(), vec![id(2, 3)]);
        assert_eq!(store.earliest_block_num().unwrap(), Some(1));
    }
}
