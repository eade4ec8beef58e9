//! What is under way over all addresses: requests, and the bytes of bodies and answers from the first byte that is
//! read to the last that is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::metrics::Load;

/// What is under way, over all addresses.
#[derive(Debug)]
pub(crate) struct InFlight {
    requests: Arc<Counter>,
    /// Bytes of bodies that are read or worked on, and of answers that are not sent yet.
    bytes: Arc<Counter>,
}

#[derive(Debug)]
struct Counter {
    used: AtomicU64,
    max: Option<u64>,
}

impl Counter {
    fn new(max: Option<u64>) -> Arc<Self> {
        Arc::new(Self { used: AtomicU64::new(0), max })
    }

    fn load(&self) -> Load {
        Load { used: self.used.load(Ordering::Relaxed), limit: self.max }
    }
}

/// A share that is so small is never refused, only counted, so that small requests are served while large ones take all
/// that there is. What it adds up to is bounded by the number of connections.
const SMALL: u64 = 16 << 10;

impl InFlight {
    /// Nothing yet, and so much at most; none for any number.
    pub fn new(requests_max: Option<u64>, bytes_max: Option<u64>) -> Self {
        Self { requests: Counter::new(requests_max), bytes: Counter::new(bytes_max) }
    }

    /// Requests that are under way, and may be.
    pub fn requests(&self) -> Load {
        self.requests.load()
    }

    /// Bytes that are under way, and may be.
    pub fn bytes(&self) -> Load {
        self.bytes.load()
    }

    /// One request, if there may be one more.
    ///
    /// # Errors
    /// How many would be under way.
    pub fn one_request(&self) -> Result<Share, u64> {
        let mut share = Share { counter: Arc::clone(&self.requests), amount: 0, small: 0 };
        share.grow(1).map(|()| share)
    }

    /// A share without bytes yet.
    pub fn no_bytes(&self) -> Share {
        Share { counter: Arc::clone(&self.bytes), amount: 0, small: SMALL }
    }

    /// Bytes, if there is room for them.
    ///
    /// # Errors
    /// How many would be under way.
    pub fn some_bytes(&self, amount: usize) -> Result<Share, u64> {
        let mut share = self.no_bytes();
        share.grow(amount).map(|()| share)
    }
}

/// A share of what is under way, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    counter: Arc<Counter>,
    amount: u64,
    /// Amount that is never refused.
    small: u64,
}

impl Share {
    /// Takes more.
    ///
    /// # Errors
    /// How much would be under way, where that is more than may be.
    pub fn grow(&mut self, amount: usize) -> Result<(), u64> {
        let amount = amount as u64;
        self.amount += amount;
        let taken = self.counter.used.fetch_add(amount, Ordering::Relaxed) + amount;
        let refused = self.amount > self.small && self.counter.max.is_some_and(|max| taken > max);
        if refused { Err(taken) } else { Ok(()) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.counter.used.fetch_sub(self.amount, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_given_back_refused_or_not() {
        let all = InFlight::new(Some(1), Some(40_000));
        let mut first = all.some_bytes(30_000).unwrap();
        assert_eq!(all.some_bytes(20_000).unwrap_err(), 50_000);
        assert_eq!(all.bytes(), Load { used: 30_000, limit: Some(40_000) });
        assert_eq!(first.grow(10_000), Ok(()));
        assert_eq!(first.grow(1), Err(40_001));
        let mut other = all.some_bytes(16 << 10).expect("small ones are only counted");
        assert!(other.grow(1).is_err());
        drop((first, other));
        assert_eq!(all.bytes().used, 0);
        assert!(InFlight::new(None, None).some_bytes(usize::MAX / 2).is_ok());

        let one = all.one_request().unwrap();
        assert_eq!(all.one_request().unwrap_err(), 2);
        drop(one);
        assert!(all.one_request().is_ok());
    }
}
