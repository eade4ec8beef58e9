//! The undo journal: a queue of entries with block boundaries. It does not know how an entry is undone, only how much
//! memory each holds.

use std::collections::VecDeque;

/// What an entry of a journal costs.
pub trait Weigh {
    /// Bytes of memory, the entry itself included.
    fn weigh(&self) -> usize;
}

/// A position in the journal, counted from its first entry ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

/// Entries that undo mutations, oldest first, with the blocks that they belong to.
#[derive(Debug)]
pub struct Journal<E> {
    entries: VecDeque<E>,
    /// Number of entries dropped by commits.
    dropped: u64,
    /// Open and finished blocks that can still be undone.
    blocks: VecDeque<Block>,
    /// Bytes of all entries.
    bytes: usize,
}

/// A block that can be undone.
#[derive(Debug, Clone, Copy)]
struct Block {
    number: u32,
    /// Position of its first entry.
    start: u64,
    /// Bytes of its entries.
    bytes: usize,
}

impl<E> Default for Journal<E> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), dropped: 0, blocks: VecDeque::new(), bytes: 0 }
    }
}

impl<E: Weigh> Journal<E> {
    /// Records how to undo the mutation that is being made.
    #[inline]
    pub fn push(&mut self, entry: E) {
        let bytes = entry.weigh();
        self.bytes += bytes;
        if let Some(block) = self.blocks.back_mut() {
            block.bytes += bytes;
        }
        self.entries.push_back(entry);
    }

    /// The present position.
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark(self.dropped + self.entries.len() as u64)
    }

    /// Takes the newest entry if it is younger than `mark`.
    #[inline]
    pub fn pop_to(&mut self, mark: Mark) -> Option<E> {
        let entry = if self.mark() > mark { self.entries.pop_back()? } else { return None };
        let (bytes, end) = (entry.weigh(), self.mark().0);
        self.bytes -= bytes;
        if let Some(block) = self.blocks.back_mut().filter(|block| block.start <= end) {
            block.bytes -= bytes;
        }
        Some(entry)
    }

    /// Starts a block: what follows belongs to it. Numbers grow by any step.
    ///
    /// # Panics
    /// When an earlier block with the same or a higher number can still be undone.
    pub fn begin_block(&mut self, number: u32) {
        assert!(self.blocks.back().is_none_or(|last| last.number < number), "blocks begin in ascending order");
        let start = self.mark().0;
        self.blocks.push_back(Block { number, start, bytes: 0 });
    }

    /// Forgets the newest block and tells its number and where it started; the caller pops its entries.
    pub fn end_newest_block(&mut self) -> Option<(u32, Mark)> {
        let ended = self.blocks.pop_back()?;
        if let Some(block) = self.blocks.back_mut() {
            block.bytes += ended.bytes;
        }
        Some((ended.number, Mark(ended.start)))
    }

    /// The newest block that can be undone.
    pub fn newest_block(&self) -> Option<u32> {
        self.blocks.back().map(|block| block.number)
    }

    /// The oldest block that can be undone.
    pub fn oldest_block(&self) -> Option<u32> {
        self.blocks.front().map(|block| block.number)
    }

    /// Drops blocks up to and including `number`, which can then no longer be undone.
    pub fn commit(&mut self, number: u32) {
        while self.blocks.front().is_some_and(|block| block.number <= number) {
            self.blocks.pop_front();
        }
        let keep_from = self.blocks.front().map_or(self.mark().0, |block| block.start);
        let count = usize::try_from(keep_from - self.dropped).expect("entries fit into memory");
        if count == self.entries.len() {
            self.entries.clear();
        } else {
            self.entries.drain(..count);
        }
        self.dropped = keep_from;
        self.bytes = self.blocks.iter().map(|block| block.bytes).sum();
    }

    /// Bytes of all entries.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of the newest block's entries.
    pub fn newest_bytes(&self) -> usize {
        self.blocks.back().map_or(0, |block| block.bytes)
    }

    /// Goes over the newest block's entries, oldest first, changes them, and keeps those that `keep` says. Marks inside
    /// of the block lose their meaning.
    pub fn retain_newest(&mut self, mut keep: impl FnMut(&mut E) -> bool) {
        let Some(block) = self.blocks.back_mut() else { return };
        let start = usize::try_from(block.start - self.dropped).expect("entries fit into memory");
        let mut entries = self.entries.split_off(start);
        entries.retain_mut(|entry| keep(entry));
        self.bytes -= block.bytes;
        block.bytes = entries.iter().map(Weigh::weigh).sum();
        self.bytes += block.bytes;
        self.entries.append(&mut entries);
    }

    /// Gives each block that can be undone, oldest first, one entry instead of its own. All marks lose their meaning.
    ///
    /// # Panics
    /// When there is not one entry for each block.
    pub fn replace_blocks(&mut self, entries: Vec<E>) {
        assert!(entries.len() == self.blocks.len(), "every block has one entry");
        self.dropped = self.mark().0;
        for ((block, entry), start) in self.blocks.iter_mut().zip(&entries).zip(self.dropped..) {
            (block.start, block.bytes) = (start, entry.weigh());
        }
        self.entries = entries.into();
        self.bytes = self.blocks.iter().map(|block| block.bytes).sum();
    }

    /// The blocks that can be undone, newest first, each with its entries, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = (u32, impl Iterator<Item = &E>)> {
        let at = |position: u64| usize::try_from(position - self.dropped).expect("entries fit into memory");
        let ends = self.blocks.iter().skip(1).map(|block| block.start).chain([self.mark().0]);
        let blocks: Vec<_> =
            self.blocks.iter().zip(ends).map(|(block, end)| (block.number, block.start, end)).collect();
        (blocks.into_iter().rev())
            .map(move |(number, start, end)| (number, self.entries.range(at(start)..at(end)).rev()))
    }

    /// Number of entries kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing can be undone.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
