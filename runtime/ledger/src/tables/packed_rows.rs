//! Rows as they were before a block, in the form in which the database keeps them: blocks that changed millions of rows
//! are loaded by a start as they are, and read only when they are undone.

use codec::{Bytes, DecodeError, Pack as _, Reader, Unpack as _, VarUint32};

use super::RowKey;
use crate::checkpoint::error::{CheckpointError, Result, ensure};

/// For each row its packed key and, where there was one, its packed value; ascending by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackedRows(Box<[u8]>);

impl PackedRows {
    /// Of rows in the order of their keys.
    pub fn new(rows: impl Iterator<Item = (RowKey, Option<Vec<u8>>)>) -> Self {
        let mut packed = Vec::new();
        rows.for_each(|(key, value)| (Bytes(key.encode()), value.map(Bytes)).pack(&mut packed));
        Self(packed.into())
    }

    /// Of bytes that somebody kept.
    ///
    /// # Errors
    /// They are something else.
    pub fn from_bytes(packed: Vec<u8>) -> Result<Self> {
        let mut reader = Reader::new(&packed);
        let mut last: &[u8] = &[];
        while reader.remaining() > 0 {
            let row = next(&mut reader);
            let (key, _) = row.map_err(|cause| CheckpointError::Value { key: Vec::new(), cause })?;
            ensure(RowKey::decode(key).is_some(), "a block's row has an unknown key")?;
            ensure(last < key, "a block's rows are not in order")?;
            last = key;
        }
        Ok(Self(packed.into()))
    }

    /// The bytes, for whoever keeps them.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0.into()
    }

    /// How many bytes they are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The rows in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (RowKey, Option<&[u8]>)> {
        let mut reader = Reader::new(&self.0);
        // That they can be read was seen to when they were made.
        std::iter::from_fn(move || {
            let (key, value) = next(&mut reader).ok()?;
            Some((RowKey::decode(key)?, value))
        })
    }
}

/// The key and the value of the next row.
fn next<'a>(reader: &mut Reader<'a>) -> std::result::Result<(&'a [u8], Option<&'a [u8]>), DecodeError> {
    let key = bytes(reader)?;
    let value = if bool::unpack(reader)? { Some(bytes(reader)?) } else { None };
    Ok((key, value))
}

fn bytes<'a>(reader: &mut Reader<'a>) -> std::result::Result<&'a [u8], DecodeError> {
    let VarUint32(length) = VarUint32::unpack(reader)?;
    reader.take(length as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::ContractRowKey;

    #[test]
    fn rows_are_read_as_they_were_packed() {
        let key = |primary| RowKey::from(ContractRowKey { table: 1, primary });
        let rows = [(key(1), Some(vec![7; 300])), (key(2), None), (key(3), Some(Vec::new()))];
        let packed = PackedRows::new(rows.clone().into_iter());
        let read = PackedRows::from_bytes(packed.clone().into_bytes()).expect("they are in order");
        assert_eq!(read, packed);
        let read: Vec<_> = read.iter().map(|(key, value)| (key, value.map(<[u8]>::to_vec))).collect();
        assert_eq!(read, rows);
        let backwards = PackedRows::new(rows.into_iter().rev());
        assert!(PackedRows::from_bytes(backwards.into_bytes()).is_err());
        let whole = packed.into_bytes();
        assert!((1..whole.len()).any(|length| PackedRows::from_bytes(whole[..length].to_vec()).is_err()));
        assert!(PackedRows::from_bytes([&whole[..], &[200]].concat()).is_err());
    }
}
