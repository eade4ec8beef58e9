//! Rows at stable handles.

/// A growing array of slots. A freed slot is used again, last freed first; undoing operations in reverse order
/// therefore gives every row the handle that it had.
#[derive(Debug, Clone)]
pub struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Stores a row.
    #[inline]
    pub fn insert(&mut self, row: T) -> u32 {
        match self.free.pop() {
            Some(handle) => {
                self.slots[handle as usize] = Some(row);
                handle
            }
            None => {
                let handle = u32::try_from(self.slots.len()).expect("fewer than 2^32 rows");
                self.slots.push(Some(row));
                handle
            }
        }
    }

    /// Undoes [`Slab::insert`] of `handle`: the slot is the next to be used again.
    /// Also frees a row for good: the same thing seen from outside.
    #[inline]
    pub fn remove(&mut self, handle: u32) -> T {
        let row = self.slots[handle as usize].take().expect("the handle is of a stored row");
        self.free.push(handle);
        row
    }

    /// The row, if the handle is in use.
    #[inline]
    pub fn get(&self, handle: u32) -> Option<&T> {
        self.slots.get(handle as usize)?.as_ref()
    }

    /// The row at a handle that is known to be in use.
    #[inline]
    pub fn row(&self, handle: u32) -> &T {
        self.slots[handle as usize].as_ref().expect("the handle is of a stored row")
    }

    /// The row at a handle that is known to be in use.
    #[inline]
    pub fn row_mut(&mut self, handle: u32) -> &mut T {
        self.slots[handle as usize].as_mut().expect("the handle is of a stored row")
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows of `count` handles beginning with `first`; `None` when all handles are before that.
    pub fn page(&self, first: usize, count: usize) -> Option<impl Iterator<Item = (u32, &T)>> {
        let slots = self.slots.get(first..).filter(|slots| !slots.is_empty())?;
        let rows = slots.iter().take(count).enumerate();
        Some(rows.filter_map(move |(place, row)| row.as_ref().map(|row| ((first + place) as u32, row))))
    }

    /// Rows with their handles, in the order of handles.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.slots.iter().enumerate().filter_map(|(handle, row)| row.as_ref().map(|row| (handle as u32, row)))
    }
}
