//! Reading what contracts pass, which their memory bounds alone: with looks at the clock.

use std::collections::BTreeSet;

use codec::{DecodeError, ITEMS_MAX, Reader, Unpack, VarUint32};
use primitives::{Transaction, TransactionHeader};

use crate::fault::{Outcome, decode_fault};

/// Packed items that are read and looked at for a contract between two looks at the clock, at most.
pub(super) const UNCHECKED_ITEMS_MAX: usize = 1024;

/// Reads a packed list as `Vec` does, with a look at the clock now and then.
fn unpack_each<T: Unpack>(
    input: &mut Reader<'_>,
    length: usize,
    items_per_check: usize,
    checktime: &dyn Fn() -> Outcome,
    mut each: impl FnMut(T),
) -> Outcome {
    let fault = |error| decode_fault(error, length);
    let count = VarUint32::unpack(input).map_err(fault)?.0 as usize;
    if count > ITEMS_MAX {
        return Err(fault(DecodeError::TooLong { length: count, limit: ITEMS_MAX }));
    }
    for at in 1..=count {
        each(T::unpack(input).map_err(fault)?);
        if at.is_multiple_of(items_per_check) {
            checktime()?;
        }
    }
    Ok(())
}

/// A list as contracts pass it, item by item.
pub(super) fn unpack_list<T: Unpack>(bytes: &[u8], checktime: &dyn Fn() -> Outcome, each: impl FnMut(T)) -> Outcome {
    unpack_each(&mut Reader::new(bytes), bytes.len(), UNCHECKED_ITEMS_MAX, checktime, each)
}

/// A set as contracts pass it: packed in any order, empty for none.
pub(super) fn unpack_set<T: Unpack + Ord>(bytes: &[u8], checktime: &dyn Fn() -> Outcome) -> Outcome<Vec<T>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut items = BTreeSet::new();
    unpack_list(bytes, checktime, |item: T| {
        items.insert(item);
    })?;
    Ok(items.into_iter().collect())
}

/// The header and the actions of a transaction, which a contract's memory bounds alone. What follows is read as well: it may
/// be false.
pub(super) fn unpack_transaction(bytes: &[u8], checktime: &dyn Fn() -> Outcome) -> Outcome<Transaction> {
    let (mut input, length) = (Reader::new(bytes), bytes.len());
    let header = TransactionHeader::unpack(&mut input).map_err(|error| decode_fault(error, length))?;
    let mut trx = Transaction { header, ..Transaction::default() };
    unpack_each(&mut input, length, 1, checktime, |action| trx.context_free_actions.push(action))?;
    unpack_each(&mut input, length, 1, checktime, |action| trx.actions.push(action))?;
    unpack_each(&mut input, length, UNCHECKED_ITEMS_MAX, checktime, |extension| trx.extensions.push(extension))?;
    Ok(trx)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use codec::Pack;
    use primitives::{Action, Fault, FaultKind, Name, PermissionLevel, PublicKey};

    use super::*;

    #[test]
    fn sets_are_read_with_looks_at_the_clock() {
        let level = |number: u64| PermissionLevel { actor: Name(number), permission: Name(1) };
        let bytes =
            (0..5000_u64).rev().flat_map(|number| [level(number), level(number)]).collect::<Vec<_>>().to_bytes();
        let looks = Cell::new(0);
        let counted = || {
            looks.set(looks.get() + 1);
            Ok(())
        };
        let set = unpack_set(&bytes, &counted);
        assert_eq!(set, Ok((0..5000).map(level).collect()), "ascending, each once");
        assert_eq!(looks.get(), 10_000 / UNCHECKED_ITEMS_MAX);
        assert_eq!(unpack_set::<PublicKey>(&[], &counted), Ok(Vec::new()));
        let over = || Err(Fault::new(FaultKind::DEADLINE_EXCEPTION, "over"));
        assert!(
            unpack_set::<PermissionLevel>(&bytes, &over)
                .is_err_and(|fault| fault.kind == FaultKind::DEADLINE_EXCEPTION)
        );
    }

    #[test]
    fn lists_and_transactions_are_read_as_elsewhere() {
        let trx = Transaction {
            context_free_actions: vec![Action::default()],
            actions: vec![Action { data: vec![1; 9].into(), ..Action::default() }; 3],
            extensions: vec![(1, vec![2; 3].into())],
            ..Transaction::default()
        };
        let bytes = trx.to_bytes();
        for length in 0..=bytes.len() {
            let bytes = &bytes[..length];
            assert_eq!(unpack_transaction(bytes, &|| Ok(())), crate::fault::unpack_prefix(bytes), "{length}");
        }
        let long = VarUint32(ITEMS_MAX as u32 + 1).to_bytes();
        assert_eq!(unpack_set::<PublicKey>(&long, &|| Ok(())), crate::fault::unpack_prefix(&long));
    }
}
