//! The end of what goes on beside a test.

use std::sync::atomic::{AtomicBool, Ordering};

/// Says that all is over when dropped: also when a test fails, so that what goes on beside it ends.
#[derive(Debug)]
pub struct Over<'a>(pub &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
