//! What is under way over all addresses: requests, and the bytes of bodies and answers from the first byte that is
//! read to the last that is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is under way, over all addresses.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    /// Requests.
    pub requests: Arc<AtomicU64>,
    /// Bytes of bodies that are read or worked on, and of answers that are not sent yet.
    pub bytes: Arc<AtomicU64>,
}

/// A share that is so small is never refused, only counted, so that small requests are served while large ones take all
/// that there is. What it adds up to is bounded by the number of connections.
const SMALL: u64 = 16 << 10;

/// A share of what is under way, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    counter: Arc<AtomicU64>,
    amount: u64,
    /// Amount that is never refused.
    small: u64,
    max: Option<u64>,
}

impl Share {
    /// One request, if there may be one more.
    ///
    /// # Errors
    /// How many would be under way.
    pub fn request(all: &InFlight, max: Option<u64>) -> Result<Self, u64> {
        let mut share = Self { counter: Arc::clone(&all.requests), amount: 0, small: 0, max };
        share.grow(1).map(|()| share)
    }

    /// No bytes yet. All bytes may reach `max`, or any number.
    pub fn no_bytes(all: &InFlight, max: Option<u64>) -> Self {
        Self { counter: Arc::clone(&all.bytes), amount: 0, small: SMALL, max }
    }

    /// Bytes, if there is room for them.
    ///
    /// # Errors
    /// How many would be under way.
    pub fn bytes(all: &InFlight, amount: usize, max: Option<u64>) -> Result<Self, u64> {
        let mut share = Self::no_bytes(all, max);
        share.grow(amount).map(|()| share)
    }

    /// Takes more.
    ///
    /// # Errors
    /// How much would be under way, where that is more than may be.
    pub fn grow(&mut self, amount: usize) -> Result<(), u64> {
        let amount = amount as u64;
        self.amount += amount;
        let taken = self.counter.fetch_add(amount, Ordering::Relaxed) + amount;
        let refused = self.amount > self.small && self.max.is_some_and(|max| taken > max);
        if refused { Err(taken) } else { Ok(()) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.counter.fetch_sub(self.amount, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_given_back_refused_or_not() {
        let all = InFlight::default();
        let (small, max) = (16 << 10, Some(40_000));
        let mut first = Share::bytes(&all, 30_000, max).unwrap();
        assert_eq!(Share::bytes(&all, 20_000, max).unwrap_err(), 50_000);
        assert_eq!(all.bytes.load(Ordering::Relaxed), 30_000);
        assert_eq!(first.grow(10_000), Ok(()));
        assert_eq!(first.grow(1), Err(40_001));
        let mut other = Share::bytes(&all, small, max).expect("small ones are only counted");
        assert!(other.grow(1).is_err());
        drop((first, other));
        assert_eq!(all.bytes.load(Ordering::Relaxed), 0);
        assert!(Share::bytes(&all, usize::MAX / 2, None).is_ok());

        let one = Share::request(&all, Some(1)).unwrap();
        assert_eq!(Share::request(&all, Some(1)).unwrap_err(), 2);
        drop(one);
        assert!(Share::request(&all, Some(1)).is_ok());
    }
}
