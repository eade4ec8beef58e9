//! The undo journal: a queue of entries with block boundaries. It does not know how an entry is undone.

use std::collections::VecDeque;

/// A position in the journal, counted from its first entry ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

/// Entries that undo mutations, oldest first, with the blocks that they belong to.
#[derive(Debug)]
pub struct Journal<E> {
    entries: VecDeque<E>,
    /// Number of entries dropped by commits.
    dropped: u64,
    /// Open and finished blocks that can still be undone: number and position of the first entry.
    blocks: VecDeque<(u32, u64)>,
}

impl<E> Default for Journal<E> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), dropped: 0, blocks: VecDeque::new() }
    }
}

impl<E> Journal<E> {
    /// Records how to undo the mutation that is being made.
    #[inline]
    pub fn push(&mut self, entry: E) {
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
        if self.mark() > mark { self.entries.pop_back() } else { None }
    }

    /// Starts a block: what follows belongs to it. Numbers grow by any step.
    ///
    /// # Panics
    /// When an earlier block with the same or a higher number can still be undone.
    pub fn begin_block(&mut self, number: u32) {
        assert!(self.blocks.back().is_none_or(|&(last, _)| last < number), "blocks begin in ascending order");
        let start = self.mark().0;
        self.blocks.push_back((number, start));
    }

    /// Forgets the newest block and tells its number and where it started; the caller pops its entries.
    pub fn end_newest_block(&mut self) -> Option<(u32, Mark)> {
        self.blocks.pop_back().map(|(number, start)| (number, Mark(start)))
    }

    /// The newest block that can be undone.
    pub fn newest_block(&self) -> Option<u32> {
        self.blocks.back().map(|&(number, _)| number)
    }

    /// The oldest block that can be undone.
    pub fn oldest_block(&self) -> Option<u32> {
        self.blocks.front().map(|&(number, _)| number)
    }

    /// Drops blocks up to and including `number`, which can then no longer be undone.
    pub fn commit(&mut self, number: u32) {
        while self.blocks.front().is_some_and(|&(block, _)| block <= number) {
            self.blocks.pop_front();
        }
        let keep_from = self.blocks.front().map_or(self.mark().0, |&(_, start)| start);
        let count = usize::try_from(keep_from - self.dropped).expect("entries fit into memory");
        if count == self.entries.len() {
            self.entries.clear();
        } else {
            self.entries.drain(..count);
        }
        self.dropped = keep_from;
    }

    /// The blocks that can be undone, newest first, each with its entries, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = (u32, impl Iterator<Item = &E>)> {
        let at = |position: u64| usize::try_from(position - self.dropped).expect("entries fit into memory");
        let ends = self.blocks.iter().skip(1).map(|&(_, start)| start).chain([self.mark().0]);
        let blocks: Vec<_> = self.blocks.iter().zip(ends).map(|(&(number, start), end)| (number, start, end)).collect();
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
