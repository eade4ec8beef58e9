//! Which rows the entries of the open block have said the old value of.

/// Rows of one kind.
pub(crate) trait Seen<K> {
    /// Notes a row; true when it is the first time.
    fn first(&mut self, key: K) -> bool;
}
