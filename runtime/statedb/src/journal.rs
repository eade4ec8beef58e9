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

    /// Gives each of the newest blocks, oldest first, one entry instead of its own. All marks lose their meaning.
    ///
    /// # Panics
    /// When there are more entries than blocks.
    pub fn replace_newest(&mut self, entries: Vec<E>) {
        let older = self.blocks.len().checked_sub(entries.len()).expect("every entry is of a block");
        let Some(first) = self.blocks.get(older).map(|block| block.start) else { return };
        self.entries.truncate(usize::try_from(first - self.dropped).expect("entries fit into memory"));
        for ((block, entry), start) in self.blocks.iter_mut().skip(older).zip(&entries).zip(first..) {
            (block.start, block.bytes) = (start, entry.weigh());
        }
        self.entries.extend(entries);
        self.bytes = self.blocks.iter().map(|block| block.bytes).sum();
    }

    /// Gives each block up to `number` that does not have it yet one entry `made` instead of its own, which are returned. All
    /// marks lose their meaning.
    pub fn replace_oldest(&mut self, number: u32, is_made: impl Fn(&E) -> bool, made: impl Fn() -> E) -> Vec<E> {
        let at = |position: u64| usize::try_from(position - self.dropped).expect("entries fit into memory");
        let done = |block: &&Block| self.entries.get(at(block.start)).is_some_and(&is_made);
        let done = self.blocks.iter().take_while(done).count();
        let count = self.blocks.iter().skip(done).take_while(|block| block.number <= number).count();
        let Some(first) = self.blocks.get(done).map(|block| block.start).filter(|_| count > 0) else {
            return Vec::new();
        };
        let end = self.blocks.get(done + count).map_or(self.mark().0, |block| block.start);
        let mut later = self.entries.split_off(at(end));
        let old = self.entries.split_off(at(first));
        let mut start = first;
        for block in self.blocks.iter_mut().skip(done).take(count) {
            let entry = made();
            (block.start, block.bytes) = (start, entry.weigh());
            self.entries.push_back(entry);
            start += 1;
        }
        for block in self.blocks.iter_mut().skip(done + count) {
            block.start = block.start - end + start;
        }
        self.entries.append(&mut later);
        self.bytes = self.blocks.iter().map(|block| block.bytes).sum();
        old.into()
    }

    /// How many of the newest blocks end with an entry that is as `wanted`, or have none, and how many entries and
    /// bytes they have.
    pub fn newest_while(&self, wanted: impl Fn(&E) -> bool) -> (usize, usize, usize) {
        let (mut blocks, mut bytes, mut end) = (0, 0, self.mark().0);
        for block in self.blocks.iter().rev() {
            let last = usize::try_from(end - self.dropped).expect("entries fit into memory").checked_sub(1);
            let last = last.filter(|_| block.start < end).and_then(|last| self.entries.get(last));
            if last.is_some_and(|entry| !wanted(entry)) {
                break;
            }
            (blocks, bytes, end) = (blocks + 1, bytes + block.bytes, block.start);
        }
        (blocks, usize::try_from(self.mark().0 - end).expect("entries fit into memory"), bytes)
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

#[cfg(test)]
mod tests {
    use super::*;

    impl Weigh for i32 {
        fn weigh(&self) -> usize {
            1
        }
    }

    #[test]
    fn the_newest_blocks_get_one_entry_each() {
        let mut journal = Journal::default();
        for (number, entries) in [(1, vec![-1]), (2, vec![1, 2, 3]), (3, vec![]), (5, vec![4, 5])] {
            journal.begin_block(number);
            entries.into_iter().for_each(|entry| journal.push(entry));
        }
        let positive = |entry: &i32| *entry > 0;
        assert_eq!(journal.newest_while(positive), (3, 5, 5));
        journal.replace_newest(vec![-2, -3, -5]);
        assert_eq!(journal.newest_while(positive), (0, 0, 0));
        let kept: Vec<(u32, Vec<i32>)> =
            journal.newest_first().map(|(number, entries)| (number, entries.copied().collect())).collect();
        assert_eq!(kept, [(5, vec![-5]), (3, vec![-3]), (2, vec![-2]), (1, vec![-1])]);
        journal.begin_block(6);
        journal.push(6);
        assert_eq!((journal.newest_while(positive), journal.bytes()), ((1, 1, 1), 5));
        let (number, start) = journal.end_newest_block().expect("a block");
        assert_eq!((number, journal.pop_to(start), journal.pop_to(start)), (6, Some(6), None));
        journal.commit(2);
        assert_eq!((journal.len(), journal.oldest_block()), (2, Some(3)));
    }

    #[test]
    fn the_oldest_blocks_get_one_entry_each() {
        let mut journal = Journal::default();
        for (number, entries) in [(1, vec![1, 2, 3]), (2, vec![]), (4, vec![4]), (5, vec![5, 6]), (6, vec![])] {
            journal.begin_block(number);
            entries.into_iter().for_each(|entry| journal.push(entry));
        }
        let kept = |journal: &Journal<i32>| -> Vec<(u32, Vec<i32>)> {
            journal.newest_first().map(|(number, entries)| (number, entries.copied().collect())).collect()
        };
        let replace = |journal: &mut Journal<i32>, number| journal.replace_oldest(number, |entry| *entry == 0, || 0);
        assert_eq!(replace(&mut journal, 0), Vec::<i32>::new());
        assert_eq!(replace(&mut journal, 3), [1, 2, 3]);
        let expected = [(6, vec![]), (5, vec![6, 5]), (4, vec![4]), (2, vec![0]), (1, vec![0])];
        assert_eq!((kept(&journal), journal.bytes()), (expected.to_vec(), 5));
        assert_eq!(replace(&mut journal, 3), Vec::<i32>::new());
        assert_eq!(replace(&mut journal, 4), [4]);
        journal.push(7);
        journal.commit(1);
        assert_eq!(kept(&journal), [(6, vec![7]), (5, vec![6, 5]), (4, vec![0]), (2, vec![0])]);
        let (number, start) = journal.end_newest_block().expect("a block");
        assert_eq!((number, journal.pop_to(start), journal.pop_to(start)), (6, Some(7), None));
        assert_eq!(replace(&mut journal, 9), [5, 6]);
        assert_eq!((journal.len(), journal.bytes(), journal.newest_block()), (3, 3, Some(5)));
    }
}
