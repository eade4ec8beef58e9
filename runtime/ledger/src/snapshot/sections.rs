//! The sections of a file of snapshots and the reading of their rows; what is wrong with either.

use codec::{DecodeError, Reader, Unpack};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::format::{END, FORMAT_VERSION, MAGIC};

/// Why a snapshot cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It is something else.
    #[error("not a snapshot: the magic number is {0:#010x}")]
    Magic(u32),
    /// It is of another version.
    #[error("{what} version {found} cannot be read, only versions {oldest} to {newest}")]
    Version {
        /// Which version.
        what: &'static str,
        /// The one in the file.
        found: u32,
        /// The oldest one that can be read.
        oldest: u32,
        /// The newest one that can be read.
        newest: u32,
    },
    /// A section is not there.
    #[error("the snapshot has no section {0}")]
    Missing(&'static str),
    /// Bytes of a section are not what they should be.
    #[error("snapshot section {section}: {cause}")]
    Decode {
        /// The section.
        section: &'static str,
        /// What is wrong.
        cause: DecodeError,
    },
    /// Rows contradict each other.
    #[error("snapshot section {section}: {what}")]
    Invalid {
        /// The section.
        section: &'static str,
        /// What is wrong.
        what: String,
    },
}

/// Rows of one section.
pub(crate) struct Section<'a> {
    pub name: &'static str,
    pub rows: u64,
    pub input: Reader<'a>,
}

pub(crate) type Result<T> = std::result::Result<T, SnapshotError>;

impl Section<'_> {
    pub(crate) fn invalid<T>(&self, what: impl Into<String>) -> Result<T> {
        Err(SnapshotError::Invalid { section: self.name, what: what.into() })
    }

    pub(crate) fn ensure(&self, condition: bool, what: impl FnOnce() -> String) -> Result<()> {
        if condition { Ok(()) } else { self.invalid(what()) }
    }

    pub(crate) fn value<T: Unpack>(&mut self) -> Result<T> {
        T::unpack(&mut self.input).map_err(|cause| SnapshotError::Decode { section: self.name, cause })
    }

    /// The next row, counted.
    pub(crate) fn row<T: Unpack>(&mut self) -> Result<T> {
        self.ensure(self.rows > 0, || "more rows are needed than there are".into())?;
        self.rows -= 1;
        self.value()
    }

    /// The one row of a section.
    pub(crate) fn only<T: Unpack>(mut self) -> Result<T> {
        let row = self.row()?;
        self.finish()?;
        Ok(row)
    }

    pub(crate) fn finish(self) -> Result<()> {
        self.ensure(self.rows == 0, || format!("{} rows are left over", self.rows))?;
        let section = self.name;
        self.input.finish().map_err(|cause| SnapshotError::Decode { section, cause })
    }

    /// Reads all rows.
    pub(crate) fn each<T: Unpack>(mut self, mut take: impl FnMut(&Self, T) -> Result<()>) -> Result<()> {
        while self.rows > 0 {
            let row = self.row()?;
            take(&self, row)?;
        }
        self.finish()
    }
}

/// The sections of a file by name; of two with one name the first counts, as in nodeos.
pub(crate) struct Sections<'a> {
    found: BTreeMap<&'a [u8], (u64, &'a [u8])>,
    /// The version of the chain's rows.
    pub version: u32,
}

impl<'a> Sections<'a> {
    pub(crate) fn find(bytes: &'a [u8]) -> Result<Self> {
        let decode = |cause| SnapshotError::Decode { section: "(file)", cause };
        let mut input = Reader::new(bytes);
        let magic = u32::unpack(&mut input).map_err(decode)?;
        if magic != MAGIC {
            return Err(SnapshotError::Magic(magic));
        }
        version("snapshot format", u32::unpack(&mut input).map_err(decode)?, FORMAT_VERSION..=FORMAT_VERSION)?;
        let mut found = BTreeMap::new();
        loop {
            let size = u64::unpack(&mut input).map_err(decode)?;
            if size == END {
                return Ok(Self { found, version: 0 });
            }
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            let mut section = Reader::new(input.take(size).map_err(decode)?);
            let rows = u64::unpack(&mut section).map_err(decode)?;
            let rest = section.rest();
            let end = rest.iter().position(|&byte| byte == 0);
            let end = end.ok_or(decode(DecodeError::Invalid("a section's name does not end")))?;
            found.entry(&rest[..end]).or_insert((rows, &rest[end + 1..]));
        }
    }

    pub(crate) fn get(&self, name: &'static str) -> Result<Section<'a>> {
        let &(rows, bytes) = self.found.get(name.as_bytes()).ok_or(SnapshotError::Missing(name))?;
        Ok(Section { name, rows, input: Reader::new(bytes) })
    }
}

/// A version that can be read.
pub(crate) fn version(what: &'static str, found: u32, known: RangeInclusive<u32>) -> Result<u32> {
    let (&oldest, &newest) = (known.start(), known.end());
    if known.contains(&found) { Ok(found) } else { Err(SnapshotError::Version { what, found, oldest, newest }) }
}
