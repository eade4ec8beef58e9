//! Extensions: `(id, bytes)` pairs at the end of headers, blocks and transactions.
//!
//! Each place knows its own ids; here is what all share: ids ascend, known ones appear once, unknown ones are faults.

use codec::{Bytes, Pack, Unpack};

use crate::{Fault, FaultKind};

/// `(id, bytes)` pairs.
pub type Extensions = Vec<(u16, Bytes)>;

/// Hands each extension to `take`, which says whether it knows the id.
///
/// # Errors
/// `kind` when ids do not ascend, repeat or are unknown; what `take` finds. `place` names the holder as nodeos does.
pub(crate) fn check(
    extensions: &[(u16, Bytes)],
    kind: FaultKind,
    place: &str,
    mut take: impl FnMut(u16, &[u8]) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let mut previous = None;
    for (id, bytes) in extensions {
        if previous.is_some_and(|previous| *id < previous) {
            let message = format!("{place} extensions are not in the correct order (ascending id types required)");
            return Err(Fault::new(kind, message));
        }
        if !take(*id, bytes)? {
            return Err(Fault::new(kind, format!("{place} extension with id type {id} is not supported")));
        }
        if previous == Some(*id) {
            return Err(Fault::new(kind, format!("{place} extension with id type {id} is not allowed to repeat")));
        }
        previous = Some(*id);
    }
    Ok(())
}

/// Reads an extension's value; what follows it is ignored, as `fc::raw::unpack` does.
pub(crate) fn read<T: Unpack>(bytes: &[u8]) -> Result<T, Fault> {
    Ok(T::from_prefix(bytes)?)
}

/// Puts a value among the extensions, after those of the same or a lower id (nodeos: `emplace_extension`).
pub fn insert<T: Pack + ?Sized>(extensions: &mut Extensions, id: u16, value: &T) {
    let position = extensions.partition_point(|(other, _)| *other <= id);
    extensions.insert(position, (id, Bytes(value.to_bytes())));
}
