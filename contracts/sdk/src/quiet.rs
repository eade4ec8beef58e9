//! One error for one mistake: what the macros write asks for packing and for a name in the ABI through here.
//!
//! A type that the chain cannot carry lacks all of [`Unpack`](crate::codec::Unpack), [`Pack`] and `AbiType`, and each use
//! of each would be an error of its own at the same place. Reading is asked for plainly and tells what is wrong; the
//! others fall back here and complain, while the code is generated, only about a type that can be read and no more.

use crate::codec::{Pack, Writer};
use crate::index::{self, SecondaryKey};
use crate::name::Name;

/// A value to be packed.
pub struct Field<'a, T: ?Sized>(pub &'a T);

/// Packs a field whose type can be packed.
pub trait PackField {
    /// Appends its packed form.
    fn pack_field(&self, out: &mut Writer);
}

impl<T: Pack + ?Sized> PackField for Field<'_, T> {
    #[inline]
    fn pack_field(&self, out: &mut Writer) {
        self.0.pack(out);
    }
}

/// What is found instead for any other type, one reference further away.
pub trait CannotPackField {
    /// Does not compile.
    fn pack_field(&self, out: &mut Writer);
}

impl<T: ?Sized> CannotPackField for &Field<'_, T> {
    fn pack_field(&self, _: &mut Writer) {
        const { panic!("this type can be read from packed bytes but has no packed form: implement sdk::codec::Pack") }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod described {
    use crate::abi::{Abi, AbiType};
    use core::marker::PhantomData;

    /// A type to be described.
    pub struct Kind<T: ?Sized>(pub PhantomData<fn(&T)>);

    /// Describes a type that has a name in ABIs.
    pub trait DescribeKind {
        /// Its name.
        fn describe_kind(&self, abi: &mut Abi) -> String;
    }

    impl<T: AbiType + ?Sized> DescribeKind for Kind<T> {
        fn describe_kind(&self, abi: &mut Abi) -> String {
            T::describe(abi)
        }
    }

    /// What is found instead for any other type, one reference further away.
    pub trait CannotDescribeKind {
        /// Does not compile.
        fn describe_kind(&self, abi: &mut Abi) -> String;
    }

    impl<T: ?Sized> CannotDescribeKind for &Kind<T> {
        fn describe_kind(&self, _: &mut Abi) -> String {
            const { panic!("this type has no name in ABIs: implement sdk::abi::AbiType") }
        }
    }
}
#[cfg(not(target_arch = "wasm32"))]
pub use described::{CannotDescribeKind, DescribeKind, Kind};

/// A key of an index, asked for plainly once by `sdk::index::is_key`.
pub struct Key<'a, K>(pub &'a K);

/// Keeps an index in step with a row.
pub trait KeepKey<K> {
    /// Adds the key.
    fn store_key(&self, scope: u64, table: u64, payer: Name, id: u64);
    /// Moves it from where it was, when it changed.
    fn update_key(&self, before: &K, code: Name, scope: u64, table: u64, payer: Name, id: u64);
    /// Removes it.
    fn remove_key(&self, code: Name, scope: u64, table: u64, id: u64);
    /// The key itself.
    fn copy_key(&self) -> K;
}

impl<K: SecondaryKey> KeepKey<K> for Key<'_, K> {
    #[inline]
    fn store_key(&self, scope: u64, table: u64, payer: Name, id: u64) {
        self.0.store(scope, table, payer, id);
    }
    #[inline]
    fn update_key(&self, before: &K, code: Name, scope: u64, table: u64, payer: Name, id: u64) {
        index::update_key(before, self.0, code, scope, table, payer, id);
    }
    #[inline]
    fn remove_key(&self, code: Name, scope: u64, table: u64, id: u64) {
        index::remove_key::<K>(code, scope, table, id);
    }
    #[inline]
    fn copy_key(&self) -> K {
        *self.0
    }
}

/// What is found instead for any other type, one reference further away.
pub trait CannotKeepKey<K> {
    /// Is not reached.
    fn store_key(&self, _scope: u64, _table: u64, _payer: Name, _id: u64) {}
    /// Is not reached.
    fn update_key(&self, _before: &K, _code: Name, _scope: u64, _table: u64, _payer: Name, _id: u64) {}
    /// Is not reached.
    fn remove_key(&self, _code: Name, _scope: u64, _table: u64, _id: u64) {}
    /// Is not reached.
    fn copy_key(&self) -> K {
        unreachable!("a type that is not a key does not compile")
    }
}

impl<K> CannotKeepKey<K> for &Key<'_, K> {}
