//! A row's bytes, without an allocation where there are few.

/// Longest run of bytes that is kept in place.
const INLINE_MAX: usize = 22;

/// Immutable bytes in 24 bytes of memory: short ones in place (a token balance has 16), long ones on the heap.
#[derive(Clone)]
pub struct Blob(Store);

#[derive(Clone)]
enum Store {
    Inline(u8, [u8; INLINE_MAX]),
    Heap(Box<[u8]>),
}

impl Default for Blob {
    fn default() -> Self {
        Self(Store::Inline(0, [0; INLINE_MAX]))
    }
}

impl Blob {
    /// Bytes on the heap.
    #[inline]
    pub fn heap_len(&self) -> usize {
        match &self.0 {
            Store::Inline(..) => 0,
            Store::Heap(bytes) => bytes.len(),
        }
    }
}

impl From<&[u8]> for Blob {
    #[inline]
    fn from(bytes: &[u8]) -> Self {
        if bytes.len() <= INLINE_MAX {
            let mut inline = [0; INLINE_MAX];
            inline[..bytes.len()].copy_from_slice(bytes);
            Self(Store::Inline(bytes.len() as u8, inline))
        } else {
            Self(Store::Heap(bytes.into()))
        }
    }
}

impl std::ops::Deref for Blob {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Store::Inline(length, bytes) => &bytes[..usize::from(*length)],
            Store::Heap(bytes) => bytes,
        }
    }
}

impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Blob {}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("0x")?;
        self.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
