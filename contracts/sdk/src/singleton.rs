//! A table with at most one row per scope, its key the table's own name.

use crate::name::Name;
use crate::ordered::Scope;
use crate::table::{Row, Table};

/// The one row of a table and scope.
pub struct Singleton<R>(Table<R>);

impl<R> Singleton<R> {
    /// The row of contract `code` in `scope`.
    pub fn new(code: Name, scope: impl Scope) -> Self
    where
        R: Row,
    {
        Self(Table::new(code, scope))
    }
}

impl<R: Row> Singleton<R> {
    /// Whether it was ever set.
    pub fn exists(&self) -> bool {
        self.0.contains(R::TABLE)
    }

    /// The row; fails when it was never set.
    pub fn get(&self) -> R {
        self.0.get(R::TABLE, "singleton does not exist").into_row()
    }

    /// The row, if it was ever set.
    pub fn find(&self) -> Option<R> {
        self.0.find(R::TABLE).map(|entry| entry.into_row())
    }

    /// The row, or `default` when it was never set.
    pub fn get_or(&self, default: R) -> R {
        self.find().unwrap_or(default)
    }

    /// The row, or its type's default when it was never set.
    pub fn get_or_default(&self) -> R
    where
        R: Default,
    {
        self.find().unwrap_or_default()
    }

    /// The row; when it was never set, it is set to `default`, paid by `payer`.
    pub fn get_or_create(&self, payer: Name, default: R) -> R {
        match self.0.find(R::TABLE) {
            Some(entry) => entry.into_row(),
            None => self.0.insert(payer, default).into_row(),
        }
    }

    /// Sets the row; `payer` pays from now on.
    pub fn set(&self, value: R, payer: Name) {
        match self.0.find(R::TABLE) {
            Some(mut entry) => entry.modify(payer, |row| *row = value),
            None => {
                self.0.insert(payer, value);
            }
        }
    }

    /// Removes the row, if there is one.
    pub fn remove(&self) {
        if let Some(entry) = self.0.find(R::TABLE) {
            entry.remove();
        }
    }
}
